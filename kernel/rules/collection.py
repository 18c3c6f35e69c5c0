"""When contributions are collected, and what a change of group leaves in force. Pure.

Days are written as in the texts: `"01-31"` is that day of the year insured, `"2026-02-28"` a day
stated for that year alone.
"""

import re
from dataclasses import dataclass
from datetime import date, timedelta

from kernel.calendar import is_working_day
from kernel.rules.dimensions import ANY, GROUPS
from kernel.rules.figure import Figure

_DAY_OF_YEAR = re.compile(r"(\d{2})-(\d{2})", re.ASCII)
_ANY_YEAR = 2024  # a leap year, so that 29 February can be read
_ONE_DAY = timedelta(days=1)
_CHANGE = "_to_"
MOST_MONTHS = 120


@dataclass(frozen=True, slots=True)
class Window:
    """First and last day to pay as stated; the first may not be known."""

    first: date | None
    last: date

    @property
    def due(self) -> date:
        """The last day to pay: where offices are closed on the last day, the next they work."""
        day = self.last
        while not is_working_day(day):
            day += _ONE_DAY
        return day


def window_of(figure: Figure, group: str, year: int) -> Window | None:
    """When a group pays for a year; None where the figure does not say. ValueError if misread."""
    told = figure.table()
    cell = told.get(group, told.get(ANY))
    if cell is None:
        return None
    if not isinstance(cell, dict) or not {"last"} <= set(cell) <= {"first", "last"}:
        raise ValueError("a window has a last day, and may have a first")
    first = _day(cell["first"], year) if "first" in cell else None
    window = Window(first, _day(cell["last"], year))
    if window.first is not None and window.last < window.first:
        raise ValueError("a window ends on or after its first day")
    return window


def check_windows(figure: Figure) -> dict[str, Window | None]:
    """Every window of the figure, read for some year; ValueError where one cannot be read."""
    _only_groups(figure)
    return {group: window_of(figure, group, _ANY_YEAR) for group in figure.table()}


def transition_months(figure: Figure, before: str, after: str) -> int:
    """For how many months the group before counts on (转换过渡期); 0 where none is named."""
    told = figure.numbers()
    return told.get(f"{before}{_CHANGE}{after}", told.get(ANY, 0))


def check_changes(figure: Figure) -> dict[str, int]:
    """Months by change of group; ValueError where one is not read."""
    told = figure.numbers()
    for change, months in told.items():
        if change != ANY and not set(change.split(_CHANGE)) <= set(GROUPS):
            raise ValueError(f"a change is written employee_to_resident, got {change!r}")
        if not 0 <= months <= MOST_MONTHS:
            raise ValueError(f"months from 0 to {MOST_MONTHS}, got {months}")
    return told


def check_payers(figure: Figure) -> dict[str, str]:
    """Who pays the own share, by status; ValueError where it is no payer."""
    told = figure.table()
    for status, payer in told.items():
        if payer not in PAYERS:
            raise ValueError(f"{status}: one of {', '.join(PAYERS)}, got {payer!r}")
    return told


NOBODY = "nobody"  # exempt: not owed at all (免缴)
PAYERS = ("state", "medical_fund", "lottery", "donation", NOBODY)


def _only_groups(figure: Figure) -> None:
    strange = sorted(set(figure.table()) - {*GROUPS, ANY})
    if strange:
        raise ValueError(f"no such group: {', '.join(strange)}")


def _day(told: object, year: int) -> date:
    text = str(told)
    in_year = _DAY_OF_YEAR.fullmatch(text)
    if in_year is not None:
        return date(year, int(in_year[1]), int(in_year[2]))
    return date.fromisoformat(text)
