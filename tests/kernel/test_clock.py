"""The business clock: one mapping, followed by every process."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.clock import REAL_TIME, SHANGHAI, BusinessClock, Clock, write_clock

REAL = datetime(2026, 3, 1, 4, 0, tzinfo=UTC)
MONDAY = datetime(2018, 1, 1, 8, 0, tzinfo=SHANGHAI)
FAST = BusinessClock(real_origin=REAL, business_origin=MONDAY, speed=86_400)


def test_a_day_passes_in_a_second_at_speed_86400() -> None:
    assert FAST.business_at(REAL + timedelta(seconds=1)) == MONDAY + timedelta(days=1)
    assert FAST.real_at(MONDAY + timedelta(days=7)) == REAL + timedelta(seconds=7)


@given(
    seconds=st.integers(-10_000, 10_000),
    speed=st.sampled_from([0.5, 1.0, 60.0, 3600.0, 86_400.0]),
)
def test_there_and_back_is_the_same_instant(seconds: int, speed: float) -> None:
    clock = BusinessClock(real_origin=REAL, business_origin=MONDAY, speed=speed)
    real = REAL + timedelta(seconds=seconds)

    assert abs(clock.real_at(clock.business_at(real)) - real) <= timedelta(microseconds=2)


def test_the_business_day_changes_at_midnight_in_shanghai() -> None:
    before = datetime(2026, 3, 1, 15, 59, 59, tzinfo=UTC)

    assert date(2026, 3, 1) == REAL_TIME.business_at(before).date()
    assert date(2026, 3, 2) == REAL_TIME.business_at(before + timedelta(seconds=1)).date()


def test_without_a_file_business_time_is_real_time(tmp_path: Path) -> None:
    for clock in (Clock(), Clock(tmp_path / "none.json")):
        assert abs(clock.now() - clock.real_now()) < timedelta(seconds=1)
        assert clock.mapping() == REAL_TIME


def test_every_clock_follows_a_file_that_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "clock.json"
    clock = Clock(path)
    write_clock(path, BusinessClock(real_origin=REAL, business_origin=MONDAY, speed=0))
    assert clock.now() == MONDAY
    assert date(2018, 1, 1) == clock.today()

    later = MONDAY + timedelta(days=40)
    write_clock(path, BusinessClock(real_origin=REAL, business_origin=later, speed=0))
    assert clock.now() == later

    path.unlink()
    assert clock.mapping() == REAL_TIME


def test_a_file_that_is_no_clock_is_an_error_and_not_a_guess(tmp_path: Path) -> None:
    path = tmp_path / "clock.json"
    path.write_text('{"speed": 2}')

    with pytest.raises(ValueError, match="is no clock file"):
        Clock(path).now()


def test_a_clock_that_stands_still_reaches_no_other_instant() -> None:
    with pytest.raises(ValueError, match="stands still"):
        BusinessClock(real_origin=REAL, business_origin=MONDAY, speed=0).real_at(MONDAY)


def test_a_clock_without_zones_or_running_backwards_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        BusinessClock(real_origin=REAL.replace(tzinfo=None), business_origin=MONDAY)
    with pytest.raises(ValueError, match="speed"):
        BusinessClock(real_origin=REAL, business_origin=MONDAY, speed=-1)
