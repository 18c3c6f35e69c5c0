"""How pauses move a last day. March 2024: the 1st is a Friday, 4 to 6 April are a holiday."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from kernel.calendar import DayKind, add_days, counts
from services.assessment.domain.pauses import Moved, Pause, moved

TODAY = date(2024, 12, 2)
BEGIN = date(2024, 3, 4)
DAYS = st.integers(0, 90).map(lambda n: BEGIN + timedelta(days=n))


@st.composite
def pauses(draw: st.DrawFn) -> Pause:
    first = draw(DAYS)
    length = draw(st.one_of(st.none(), st.integers(0, 40)))
    resumed = None if length is None else first + timedelta(days=length)
    return Pause(reason="IN_HOSPITAL", first=first, resumed=resumed)


def due(*told: Pause, kind: DayKind = DayKind.WORKING, today: date = TODAY) -> Moved:
    return moved(date(2024, 3, 15), told, kind, today, BEGIN)


def pause(first: date, resumed: date | None) -> Pause:
    return Pause(reason="IN_HOSPITAL", first=first, resumed=resumed)


def test_a_last_day_moves_by_the_working_days_that_did_not_count() -> None:
    # Thursday to Monday: two working days; the day of resumption counts again.
    told = due(pause(date(2024, 3, 7), date(2024, 3, 11)))
    assert told == Moved(due=date(2024, 3, 19), paused_days=2)


def test_a_day_in_two_pauses_is_taken_once() -> None:
    one, two = pause(date(2024, 3, 7), date(2024, 3, 9)), pause(date(2024, 3, 8), date(2024, 3, 12))
    assert due(one, two) == Moved(due=date(2024, 3, 20), paused_days=3)


def test_a_pause_that_lasts_reaches_through_today() -> None:
    told = due(pause(date(2024, 3, 14), None), today=date(2024, 3, 25))
    assert told == Moved(due=date(2024, 3, 27), paused_days=8)


def test_a_pause_after_the_last_day_moves_nothing() -> None:
    assert due(pause(date(2024, 3, 16), None)) == Moved(due=date(2024, 3, 15))


def test_calendar_days_are_moved_by_calendar_days() -> None:
    told = due(pause(date(2024, 3, 7), date(2024, 3, 11)), kind=DayKind.CALENDAR)
    assert told == Moved(due=date(2024, 3, 19), paused_days=4)


@given(st.lists(pauses(), max_size=5), st.sampled_from(DayKind), DAYS)
def test_pausing_never_shortens(told: list[Pause], kind: DayKind, last: date) -> None:
    days = [moved(last, told[:n], kind, TODAY, BEGIN).due for n in range(len(told) + 1)]
    assert days == sorted(days)
    assert days[0] == last


@given(st.lists(pauses(), max_size=4), DAYS, DAYS)
def test_a_pause_of_no_days_changes_nothing(told: list[Pause], day: date, last: date) -> None:
    before = moved(last, told, DayKind.WORKING, TODAY, BEGIN)
    assert moved(last, [*told, pause(day, day)], DayKind.WORKING, TODAY, BEGIN) == before


@given(st.lists(pauses(), min_size=2, max_size=5), DAYS, st.data())
def test_the_order_in_which_pauses_are_told_does_not_matter(
    told: list[Pause], last: date, data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(told))
    assert moved(last, told, DayKind.WORKING, TODAY, BEGIN) == moved(
        last, shuffled, DayKind.WORKING, TODAY, BEGIN
    )


@given(st.integers(1, 40), st.lists(pauses(), max_size=4), st.sampled_from(DayKind))
def test_the_last_day_is_the_nth_day_that_counts_and_is_not_paused(
    n: int, told: list[Pause], kind: DayKind
) -> None:
    last = moved(add_days(BEGIN, n, kind), told, kind, TODAY, BEGIN).due
    days = [BEGIN + timedelta(days=d) for d in range(1, (last - BEGIN).days + 1)]
    free = [d for d in days if counts(d, kind) and not any(p.covers(d, TODAY) for p in told)]
    assert (len(free), free[-1]) == (n, last)
