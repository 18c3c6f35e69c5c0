"""How lawful pauses move a last day (中止计算). Pure: no clock, no I/O.

A day in any pause does not count; which pause was told first does not matter. A last day never
comes nearer by a pause, and one of no days changes nothing.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from kernel.calendar import DayKind, counts

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Pause:
    """From its first day that does not count to the day that counts again; None while it lasts."""

    reason: str
    first: date
    resumed: date | None = None

    def covers(self, day: date, today: date) -> bool:
        """Whether the day does not count. One that lasts is taken to last through today."""
        return self.first <= day < (self.resumed or max(today, self.first) + ONE_DAY)


@dataclass(frozen=True, kw_only=True)
class Moved:
    """A last day after pauses, and by how many counted days they moved it."""

    due: date
    paused_days: int = 0


def moved(
    due: date, pauses: Sequence[Pause], kind: DayKind, today: date, begins: date | None = None
) -> Moved:
    """The last day so many counted days later as pauses took from the time up to it.

    `begins` is the day before the first that counts; None where no event tells it.
    """
    taken = _paused_until(due, pauses, kind, today, begins)
    left, day = taken, due
    while left:
        day += ONE_DAY
        if not counts(day, kind):
            continue
        if _is_paused(day, pauses, today):
            taken += 1
        else:
            left -= 1
    return Moved(due=day, paused_days=taken)


def _paused_until(
    due: date, pauses: Sequence[Pause], kind: DayKind, today: date, begins: date | None
) -> int:
    """How many counted days up to the last one lie in a pause, each once."""
    firsts: Collection[date] = [pause.first for pause in pauses]
    if not firsts:
        return 0
    day = min(firsts) if begins is None else max(min(firsts), begins + ONE_DAY)
    taken = 0
    while day <= due:
        taken += counts(day, kind) and _is_paused(day, pauses, today)
        day += ONE_DAY
    return taken


def _is_paused(day: date, pauses: Sequence[Pause], today: date) -> bool:
    return any(pause.covers(day, today) for pause in pauses)
