"""Days, months and deadlines, against days that the State Council published."""

from datetime import date, timedelta

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from kernel.calendar import (
    DayKind,
    Month,
    Period,
    Term,
    add_days,
    add_months,
    add_working_days,
    calendar_basis,
    is_published,
    is_working_day,
    working_days,
)

DAYS = st.dates(date(2020, 1, 1), date(2030, 12, 31))
MONTHS = st.builds(Month, st.integers(1000, 8000), st.integers(1, 12))


def test_the_sunday_before_the_spring_festival_of_2024_is_worked() -> None:
    assert date(2024, 2, 4).strftime("%A") == "Sunday"
    assert is_working_day(date(2024, 2, 4))


def test_the_spring_festival_of_2024_lasts_from_the_10th_to_the_17th() -> None:
    festival = Period(date(2024, 2, 10), date(2024, 2, 17))

    assert working_days(festival) == 0
    assert is_working_day(date(2024, 2, 9))
    assert is_working_day(date(2024, 2, 18))  # a Sunday made up


def test_national_day_of_2024() -> None:
    assert working_days(Period(date(2024, 10, 1), date(2024, 10, 7))) == 0
    assert is_working_day(date(2024, 9, 29))  # a Sunday made up
    assert is_working_day(date(2024, 10, 12))  # a Saturday made up


def test_a_deadline_in_working_days_steps_over_the_festival() -> None:
    assert date(2024, 2, 20) == add_working_days(date(2024, 2, 8), 4)  # 9th, 18th, 19th, 20th


def test_thirty_working_days_from_the_new_year_of_2024() -> None:
    # 2 to 5 January 4, then 5 + 5 + 5 to the 26th, 29 January to 2 February 5, Sunday the 4th,
    # 5 to 9 February 5: thirty.
    assert date(2024, 2, 9) == add_working_days(date(2024, 1, 1), 30)


def test_a_deadline_of_no_days_ends_on_its_day_and_none_runs_backwards() -> None:
    assert date(2024, 2, 10) == add_working_days(date(2024, 2, 10), 0)
    with pytest.raises(ValueError, match="forward"):
        add_working_days(date(2024, 2, 10), -1)


def test_calendar_days_count_every_day() -> None:
    assert date(2024, 2, 13) == add_days(date(2024, 2, 8), 5, DayKind.CALENDAR)
    assert date(2024, 2, 13) == Term(days=5, kind=DayKind.CALENDAR).after(date(2024, 2, 8))


def test_years_without_a_list_count_monday_to_friday_and_say_so() -> None:
    new_year = date(2099, 1, 1)

    assert new_year.strftime("%A") == "Thursday"
    assert is_working_day(new_year)
    assert not is_published(2099)
    assert calendar_basis(Period(new_year, new_year)) == (
        "no State Council list for 2099: Monday to Friday"
    )
    assert calendar_basis(Period(date(2024, 1, 1), date(2024, 12, 31))) == "State Council list"


@for_all(day=DAYS, n=st.integers(0, 60))
def test_a_deadline_has_exactly_its_working_days_in_it(day: date, n: int) -> None:
    end = add_working_days(day, n)

    if n:
        assert is_working_day(end)
        assert n == working_days(Period(day + timedelta(days=1), end))


@for_all(month=MONTHS)
def test_months_are_read_back_and_follow_each_other(month: Month) -> None:
    assert month == Month.parse(str(month))
    assert month == month.next().previous() == Month.of(month.last)
    assert month.next().first == month.last + timedelta(days=1)
    assert month.days == month.period.days() == len(list(month.period.each_day()))
    assert month < month.next()


@for_all(month=MONTHS, n=st.integers(-600, 600))
def test_so_many_months_there_and_back(month: Month, n: int) -> None:
    assert month == month.plus(n).plus(-n)


def test_february_2024_has_29_days() -> None:
    february = Month.parse("2024-02")

    assert (february.first, february.last, february.days) == (
        date(2024, 2, 1),
        date(2024, 2, 29),
        29,
    )
    assert date(2024, 2, 29) in february
    assert date(2024, 3, 1) not in february


@pytest.mark.parametrize(
    "text", ["2024-13", "2024-00", "2024-3", "202403", "2024-03-01", "２０２４-03"]
)
def test_anything_else_is_no_month(text: str) -> None:
    with pytest.raises(ValueError, match="month"):
        Month.parse(text)


def test_validity_of_24_months_ends_on_the_same_day_or_the_last_of_the_month() -> None:
    assert date(2026, 3, 15) == add_months(date(2024, 3, 15), 24)
    assert date(2026, 2, 28) == add_months(date(2024, 2, 29), 24)


@for_all(one=DAYS, two=DAYS, three=DAYS, four=DAYS)
def test_the_intersection_is_the_days_in_both(
    one: date, two: date, three: date, four: date
) -> None:
    left, right = Period(min(one, two), max(one, two)), Period(min(three, four), max(three, four))
    both = left.intersect(right)

    assert both == right.intersect(left)
    assert left.overlaps(right) == (both is not None)
    if both is not None:
        assert both.first in left
        assert both.first in right
        assert both.last in left
        assert both.last in right
        assert both.days() <= min(left.days(), right.days())


def test_a_period_has_both_its_ends_and_is_never_empty() -> None:
    assert Period(date(2024, 1, 1), date(2024, 1, 1)).days() == 1
    with pytest.raises(ValueError, match="ends on or after"):
        Period(date(2024, 1, 2), date(2024, 1, 1))
