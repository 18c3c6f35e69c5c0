"""One case from its opening to its end (案件查处): notice, answer, decision, appeal.

It keeps the legal clocks of the office, with reminder and note of a miss, waits for the other side,
and closes the case when nobody appealed. Who tells, hears and decides are people; how the case
stands is always asked of the service. It ends no benefit and decides nothing.
"""

from dataclasses import replace
from datetime import date

from temporalio import workflow
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from kernel.ids import derive
    from workflows.activities.inspections import (
        InspectionActivities,
        InspectionCall,
        InspectionClock,
        InspectionStanding,
    )
    from workflows.legal_clock import LegalClock, day_in
    from workflows.messages import FactNotice, InspectionCase
    from workflows.timing import READ, WRITE, call, refusal_in

CLOSED = "CLOSED"
# What the office owes in each state; the other two states wait for the other side.
OWES = {"OPENED": "NOTICE", "NOTICED": "DECISION", "APPEALED": "APPEAL_DECISION"}


@workflow.defn
class Inspection:
    """Carries one case. Id `inspection/{inspection}`."""

    @workflow.init
    def __init__(self, asked: InspectionCase) -> None:
        self._asked = asked
        self._clock = LegalClock(f"Case {asked.inspection}", asked.reminded_of, self._note)
        self._now: InspectionStanding | None = None

    @workflow.run
    async def run(self, asked: InspectionCase) -> str:
        """Returns how it ended: `CLEARED`, or `CONFIRMED` where any flag stays so."""
        await self._clock.start()
        now = await self._look()
        while now.state != CLOSED:
            if now.state == "DECIDED":
                await self._await_appeal(now)
            elif self._may_still_answer(now):
                await self._await_answer(now)
            else:
                await self._clock.keep(now.state, OWES[now.state], day_in(now.due_date))
            if workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(replace(asked, reminded_of=self._clock.reminded_of))
            now = await self._look()
        self._clock.show(now.outcome)
        return now.outcome

    @workflow.signal
    def progress(self, notice: FactNotice) -> None:
        """The case moved: look at it."""
        self._clock.hear(notice)

    @workflow.signal
    def clock_changed(self) -> None:
        """The business clock was set: deadlines may be nearer than they seemed."""
        self._clock.mark_stale()

    @workflow.query
    def standing(self) -> InspectionStanding | None:
        """Where the case stood at the last look; nothing before the first."""
        return self._now

    def _may_still_answer(self, now: InspectionStanding) -> bool:
        last = day_in(now.respond_by_date)
        waits = now.state == "NOTICED" and not now.answered
        return waits and last is not None and self._clock.today() <= last

    async def _await_answer(self, now: InspectionStanding) -> None:
        """The other side's time: nobody of the office is reminded of it."""
        last = date.fromisoformat(now.respond_by_date)
        self._clock.show(now.state, "STATEMENT", last, [f"decision due: {now.due_date}"])
        await self._clock.past(last)

    async def _await_appeal(self, now: InspectionStanding) -> None:
        """The time to appeal; when it is over without one, the case is closed."""
        last = date.fromisoformat(now.appeal_by_date)
        self._clock.show(now.state, "APPEAL", last)
        if self._clock.today() <= last and not await self._clock.past(last):
            return
        step = InspectionCall(self._asked.inspection, self._request_id("close"))
        try:
            await call(WRITE, InspectionActivities.close_inspection, step)
        except ActivityError as error:
            workflow.logger.info("refused: %s", refusal_in(error).reason)
            await self._clock.later()

    async def _note(self, waits_for: str, note: str) -> None:
        """Records a reminder or a missed last day; one that somebody was faster about is let go."""
        asked = InspectionClock(
            self._asked.inspection, waits_for, note, self._request_id("note", waits_for, note)
        )
        try:
            await call(WRITE, InspectionActivities.note_inspection_clock, asked)
        except ActivityError as error:
            workflow.logger.info("not noted: %s", refusal_in(error).reason)

    async def _look(self) -> InspectionStanding:
        self._clock.look()
        self._now = await call(READ, InspectionActivities.get_inspection, self._asked.inspection)
        return self._now

    def _request_id(self, *step: str) -> str:
        # A case that an appeal opened again is closed a second time, by another run.
        run = workflow.info().first_execution_run_id if step[0] == "close" else ""
        return str(derive("workflow", workflow.info().workflow_id, run, *step))
