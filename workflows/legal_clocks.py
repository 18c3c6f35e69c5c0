"""What the legal clocks of an application ask of the process that waits (法定时限). Pure.

The service counts the days; here is only which of them comes next, and what is to be recorded
on a day, so that no clock is missed in silence.
"""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from workflows.activities.assessment import Deadline

ONE_DAY = timedelta(days=1)


class LegalClocks:
    """The deadlines and periods that an application has under way."""

    def __init__(self, told: Sequence[Deadline]) -> None:
        self._told = told

    def due(self, step: str) -> date | None:
        """The last day of a step whose clock runs; None where it stands or there is none."""
        for one in self._running():
            if one.step == step:
                return _day(one.due_date)
        return None

    def is_over(self, step: str, today: date) -> bool:
        due = self.due(step)
        return due is not None and today > due

    def next_due(self) -> date | None:
        """The next last day of all that run, periods too; one that was missed is no longer next."""
        return min((_day(one.due_date) for one in self._running() if not one.missed), default=None)

    def to_note(self, today: date) -> tuple[Deadline, str] | None:
        """The next thing to record today: a last day that passed, or a reminder that is due."""
        for one in self._running():
            if one.period:
                continue
            if today > _day(one.due_date):
                if not one.missed:
                    return one, "MISSED"
            elif one.reminder_date and not one.reminded and today >= _day(one.reminder_date):
                return one, "REMINDED"
        return None

    def wake_day(self, today: date) -> date | None:
        """The next day on which there is something to do without news."""
        days = []
        for one in self._running():
            if one.reminder_date and not one.reminded:
                days.append(_day(one.reminder_date))
            days.append(_day(one.due_date) + ONE_DAY)
        return min((day for day in days if day > today), default=None)

    def is_missed(self, today: date) -> bool:
        """Whether an operator must act: a last day passed and the step is not done (超期)."""
        return any(not one.period and today > _day(one.due_date) for one in self._running())

    def standing(self) -> str:
        """Why nothing runs: the reason of the pause; empty where any deadline runs."""
        if any(not one.period for one in self._running()):
            return ""
        return next((one.pause_reason for one in self._told if one.pause_reason), "")

    def lines(self) -> list[str]:
        """Each in a line, for operators."""
        return [
            f"{one.step}: {one.due_date}"
            + (" reminded" if one.reminded else "")
            + (" missed" if one.missed else "")
            + (f" stands: {one.pause_reason}" if one.pause_reason else "")
            for one in self._told
        ]

    def _running(self) -> Iterator[Deadline]:
        return (one for one in self._told if not one.pause_reason)


def _day(text: str) -> date:
    return date.fromisoformat(text)
