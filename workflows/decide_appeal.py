"""One appeal up to the panel's decision (申诉): its clock, with reminder and escalation.

The panel decides; its conclusion is delivered in the same step, by the service.
"""

from dataclasses import replace

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from workflows.activities.disputes import AppealStanding, DisputeActivities
    from workflows.legal_clock import LegalClock, day_in, note_clock
    from workflows.messages import AppealCase, FactNotice
    from workflows.timing import READ, call


@workflow.defn
class DecideAppeal:
    """Keeps the clock of one appeal. Id `appeal/{appeal}`."""

    @workflow.init
    def __init__(self, asked: AppealCase) -> None:
        self._asked = asked
        self._clock = LegalClock(f"Appeal {asked.appeal}", asked.reminded_of, self._note)

    @workflow.run
    async def run(self, asked: AppealCase) -> str:
        """Returns the outcome: `UPHELD` or `DISMISSED`."""
        await self._clock.start()
        now = await self._look()
        while not now.decided:
            await self._clock.keep("FILED", "PANEL", day_in(now.due_date))
            if workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(replace(asked, reminded_of=self._clock.reminded_of))
            now = await self._look()
        self._clock.show(now.outcome)
        return now.outcome

    @workflow.signal
    def progress(self, notice: FactNotice) -> None:
        """The appeal moved: look at it."""
        self._clock.hear(notice)

    @workflow.signal
    def clock_changed(self) -> None:
        """The business clock was set: deadlines may be nearer than they seemed."""
        self._clock.mark_stale()

    async def _note(self, _waits_for: str, notice: str) -> None:
        if self._asked.application:
            await note_clock(self._asked.application, "APPEAL", notice)

    async def _look(self) -> AppealStanding:
        self._clock.look()
        return await call(READ, DisputeActivities.get_appeal, self._asked.appeal)
