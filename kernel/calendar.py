"""Civil days, months and working days of the People's Republic. Pure: no clock, no I/O.

Working days (工作日) follow the yearly notices of the State Council on holidays and make-up days
(国务院办公厅关于节假日安排的通知), as listed by the library `chinesecalendar`.
A year's notice comes out late in the year before; for years without one, Monday to Friday
count, and `calendar_basis` says so.
A decision that counts working days keeps the day it came to.
"""

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import assert_never

from chinese_calendar.constants import holidays, workdays

_MONTH = re.compile(r"(\d{4})-(\d{2})", re.ASCII)
_ONE_DAY = timedelta(days=1)
_FRIDAY = 4
# Years with any listed holiday: the library adds a year's notice as a whole.
_PUBLISHED_YEARS = frozenset(day.year for day in holidays)


@dataclass(frozen=True, slots=True)
class Period:
    """Civil days from the first to the last, both in; never empty."""

    first: date
    last: date

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise ValueError(f"a period ends on or after its first day: {self.first}, {self.last}")

    def days(self) -> int:
        """How many days it has."""
        return (self.last - self.first).days + 1

    def each_day(self) -> Iterator[date]:
        """Its days in order."""
        return (self.first + timedelta(days=n) for n in range(self.days()))

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last

    def overlaps(self, other: "Period") -> bool:
        """Whether they have a day in common."""
        return self.first <= other.last and other.first <= self.last

    def intersect(self, other: "Period") -> "Period | None":
        """The days in both; None where there are none."""
        if not self.overlaps(other):
            return None
        return Period(max(self.first, other.first), min(self.last, other.last))

    def __str__(self) -> str:
        return f"{self.first}..{self.last}"


@dataclass(frozen=True, order=True, slots=True)
class Month:
    """A calendar month (自然月), written `2024-03`."""

    year: int
    month: int

    def __post_init__(self) -> None:
        if not (1 <= self.year <= 9999 and 1 <= self.month <= 12):
            raise ValueError(f"no such month: {self.year}-{self.month}")

    @classmethod
    def parse(cls, text: str) -> "Month":
        """The month written `2024-03`; ValueError for anything else."""
        written = _MONTH.fullmatch(text)
        if written is None:
            raise ValueError(f"a month is written like 2024-03, got {text!r}")
        return cls(int(written[1]), int(written[2]))

    @classmethod
    def of(cls, day: date) -> "Month":
        """The month that has the day."""
        return cls(day.year, day.month)

    @property
    def first(self) -> date:
        """Its first day."""
        return date(self.year, self.month, 1)

    @property
    def last(self) -> date:
        """Its last day."""
        return date(self.year, self.month, self.days)

    @property
    def days(self) -> int:
        """How many days it has."""
        return calendar.monthrange(self.year, self.month)[1]

    @property
    def period(self) -> Period:
        """All its days."""
        return Period(self.first, self.last)

    def plus(self, months: int) -> "Month":
        """The month so many later, or earlier where the number is negative."""
        year, month = divmod(self.year * 12 + self.month - 1 + months, 12)
        return Month(year, month + 1)

    def next(self) -> "Month":
        return self.plus(1)

    def previous(self) -> "Month":
        return self.plus(-1)

    def __contains__(self, day: date) -> bool:
        return (day.year, day.month) == (self.year, self.month)

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"


class DayKind(StrEnum):
    """Which days a deadline counts."""

    WORKING = "working"  # 工作日
    CALENDAR = "calendar"  # 自然日


@dataclass(frozen=True, kw_only=True, slots=True)
class Term:
    """A length of time that a rule gives (期限): so many days of one kind."""

    days: int
    kind: DayKind

    def after(self, day: date) -> date:
        """Its last day when it starts to run on the day after `day`."""
        return add_days(day, self.days, self.kind)


def is_published(year: int) -> bool:
    """Whether the State Council's list for the year is known here."""
    return year in _PUBLISHED_YEARS


def calendar_basis(period: Period) -> str:
    """What the working days of the period rest on, in words for a ruling or a screen."""
    years = range(period.first.year, period.last.year + 1)
    missing = [str(year) for year in years if not is_published(year)]
    if missing:
        return f"no State Council list for {', '.join(missing)}: Monday to Friday"
    return "State Council list"


def is_working_day(day: date) -> bool:
    """Whether offices work: Monday to Friday but for holidays, and the listed make-up days."""
    return day in workdays or (day.weekday() <= _FRIDAY and day not in holidays)


def add_working_days(day: date, n: int) -> date:
    """The n-th working day after `day`, which itself does not count; `day` itself for 0."""
    if n < 0:
        raise ValueError(f"deadlines run forward, got {n}")
    left = n
    while left:
        day += _ONE_DAY
        left -= is_working_day(day)
    return day


def working_days_before(day: date, n: int) -> date:
    """The n-th working day before `day`, which itself does not count; `day` itself for 0."""
    if n < 0:
        raise ValueError(f"counted backwards already, got {n}")
    left = n
    while left:
        day -= _ONE_DAY
        left -= is_working_day(day)
    return day


def counts(day: date, kind: DayKind) -> bool:
    """Whether a deadline of that kind counts the day."""
    return kind is DayKind.CALENDAR or is_working_day(day)


def add_days(day: date, n: int, kind: DayKind) -> date:
    """The last day of a deadline of n days of that kind; the day it starts on does not count."""
    match kind:
        case DayKind.WORKING:
            return add_working_days(day, n)
        case DayKind.CALENDAR:
            return day + timedelta(days=n)
        case _:
            assert_never(kind)


def working_days(period: Period) -> int:
    """How many working days the period has."""
    return sum(map(is_working_day, period.each_day()))


def add_months(day: date, n: int) -> date:
    """The same day of the month n months later, or that month's last day where it has none."""
    month = Month.of(day).plus(n)
    return month.first.replace(day=min(day.day, month.days))
