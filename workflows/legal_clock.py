"""One legal clock at a time, for processes that wait for people (法定期限).

It reminds before the last day, escalates after it, and wakes for every news. Where the thing stands
is always asked of its service; news only wake the process.
"""

from collections.abc import Awaitable, Callable
from datetime import date, timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from kernel.ids import derive
    from workflows.activities.assessment import AssessmentActivities, ClockNote
    from workflows.business_time import BusinessTime, instant_of
    from workflows.messages import FactNotice
    from workflows.search_attributes import Board
    from workflows.timing import WRITE, call, refusal_in

LOOK_AGAIN = timedelta(days=5)  # business days between looks without news: none is lost for good
TRY_AGAIN = timedelta(hours=1)  # business time after a step that was refused for now
REMIND_BEFORE = timedelta(days=3)  # an operating choice, no legal effect
ONE_DAY = timedelta(days=1)
Note = Callable[[str, str], Awaitable[None]]  # what the process waits for, REMINDED or MISSED


class LegalClock:
    """The clock of one process, and the board on which it shows itself."""

    def __init__(self, title: str, reminded_of: str = "", note: Note | None = None) -> None:
        """`note` records at the service that somebody was reminded, or that a last day passed."""
        self._board = Board(title)
        self._note = note
        self._time: BusinessTime | None = None
        self._news = 0  # grows with every progress
        self._looked = 0  # how much of it the last look includes
        self._seen = 0
        self.reminded_of = reminded_of  # the last day of which people were reminded

    async def start(self) -> None:
        self._time = await BusinessTime.read()

    def hear(self, notice: FactNotice) -> None:
        """Something moved; what was told before changes nothing."""
        if notice.position > self._seen:
            self._seen = notice.position
            self._news += 1

    def mark_stale(self) -> None:
        """The business clock was set."""
        if self._time is not None:
            self._time.mark_stale()

    def look(self) -> None:
        """Before a look: what comes meanwhile is news again."""
        self._looked = self._news

    async def keep(self, state: str, waits_for: str, due: date | None) -> None:
        """Waits for news with a last day in view; without one, for news alone."""
        if due is None:
            self.show(state, waits_for)
            await self._wait_until(None)
            return
        if self.today() > due:
            self.show("OVERDUE", waits_for, due)
            await self._wait_until(None)
            return
        reminder = due - REMIND_BEFORE
        if self.today() < reminder:
            self.show(state, waits_for, due)
            await self._wait_until(reminder)
            return
        if self.reminded_of != due.isoformat():
            self.reminded_of = due.isoformat()
            workflow.metric_meter().create_counter("ltci_reminders").add(1)
            await self._record(waits_for, "REMINDED")
        self.show(state, waits_for, due, ["reminded"])
        if await self.past(due):
            workflow.metric_meter().create_counter("ltci_clocks_overdue").add(1)
            await self._record(waits_for, "MISSED")

    async def _record(self, waits_for: str, notice: str) -> None:
        """No clock is missed in silence. Processes of earlier releases go on without the record."""
        if self._note is not None and workflow.patched("noted-clocks"):
            await self._note(waits_for, notice)

    async def past(self, day: date) -> bool:
        """Waits for news or the end of a day; True where the day is over without news."""
        return not await self._wait_until(day + ONE_DAY) and self.today() > day

    async def later(self) -> None:
        """Waits a while after a step that was refused for now."""
        await self._clock.wait_for(self._has_news, TRY_AGAIN)

    def show(
        self,
        state: str,
        waits_for: str = "",
        deadline: date | None = None,
        lines: list[str] | None = None,
    ) -> None:
        self._board.show(
            state,
            waits_for=waits_for,
            deadline=instant_of(deadline) if deadline else None,
            lines=lines or [],
        )

    async def _wait_until(self, day: date | None) -> bool:
        """Waits for news, the day, or the next look; True where there are news."""
        look = self.today() + LOOK_AGAIN
        return await self._clock.wait_until(self._has_news, min(day, look) if day else look)

    def _has_news(self) -> bool:
        return self._news > self._looked

    def today(self) -> date:
        return self._clock.today()

    @property
    def _clock(self) -> BusinessTime:
        assert self._time is not None, "read at the start of run"  # noqa: S101
        return self._time


def day_in(text: str) -> date | None:
    """A day as services tell it; None for an empty text."""
    return date.fromisoformat(text) if text else None


async def note_clock(application: str, step: str, notice: str) -> None:
    """Records a reminder or a missed last day; one that somebody was faster about is let go."""
    note = ClockNote(
        application=application,
        step=step,
        notice=notice,
        request_id=str(derive("workflow", workflow.info().workflow_id, "note", step, notice)),
    )
    try:
        await call(WRITE, AssessmentActivities.note_clock, note)
    except ActivityError as error:
        workflow.logger.info("not noted: %s", refusal_in(error).reason)
