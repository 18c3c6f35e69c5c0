"""Objection and review of one application, up to the conclusion that takes its place (异议与复评).

It keeps the clocks of the objection's decision and of the review's result, makes an eligible result
public, and delivers it. Who decides and who assesses are people; this only waits for them.
"""

from dataclasses import replace
from datetime import date

from temporalio import workflow
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from kernel.ids import derive
    from workflows.activities.assessment import ApplicationStep
    from workflows.activities.disputes import DisputeActivities, ReviewStanding
    from workflows.legal_clock import LegalClock, day_in, note_clock
    from workflows.messages import FactNotice, ReviewCase, Reviewed
    from workflows.timing import READ, WRITE, call, refusal_in

ENDS = frozenset({"NONE", "DELIVERED"})  # no objection is open and no review runs; or it is done
WAITS = {"OBJECTED": "OBJECTION_DECISION", "UNDER_WAY": "REVIEW_FORMS", "GRADED": "EXPERTS"}


@workflow.defn
class ReviewConclusion:
    """Carries an application's second round. Id `review/{application}/{round}`."""

    @workflow.init
    def __init__(self, asked: ReviewCase) -> None:
        self._asked = asked
        self._clock = LegalClock(f"Review {asked.application}", asked.reminded_of, self._note)

    @workflow.run
    async def run(self, asked: ReviewCase) -> Reviewed:
        """Returns how it ended: `NONE` where every objection was dismissed, or `DELIVERED`."""
        await self._clock.start()
        now = await self._look()
        while now.state not in ENDS:
            match now.state:
                case "CONFIRMED" if now.needs_publicity:
                    await self._publish()
                case "CONFIRMED":
                    await self._deliver(now)
                case "PUBLISHED":
                    await self._await_publicity(now)
                case _:
                    due = now.objection_due_date if now.state == "OBJECTED" else now.due_date
                    await self._clock.keep(now.state, WAITS[now.state], day_in(due))
            if workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(replace(asked, reminded_of=self._clock.reminded_of))
            now = await self._look()
        self._clock.show(now.state)
        return Reviewed(asked.application, now.state, now.grade)

    @workflow.signal
    def progress(self, notice: FactNotice) -> None:
        """Objection or review moved: look at it."""
        self._clock.hear(notice)

    @workflow.signal
    def clock_changed(self) -> None:
        """The business clock was set: deadlines may be nearer than they seemed."""
        self._clock.mark_stale()

    async def _publish(self) -> None:
        """Makes an eligible result public that was not public before (公示)."""
        self._clock.show("CONFIRMED", "PUBLICITY")
        step = ApplicationStep(self._asked.application, self._request_id("publish"))
        try:
            await call(WRITE, DisputeActivities.publish_review, step)
        except ActivityError as error:
            await self._refused_for_now(error)

    async def _await_publicity(self, now: ReviewStanding) -> None:
        end = date.fromisoformat(now.publicity_end_date)
        self._clock.show("PUBLISHED", "END_OF_PUBLICITY", end)
        if await self._clock.past(end):
            await self._deliver(now)

    async def _deliver(self, now: ReviewStanding) -> None:
        self._clock.show(now.state, "DELIVERY")
        step = ApplicationStep(self._asked.application, self._request_id("deliver"))
        try:
            await call(WRITE, DisputeActivities.deliver_review, step)
        except ActivityError as error:
            await self._refused_for_now(error)

    async def _note(self, waits_for: str, notice: str) -> None:
        step = "OBJECTION" if waits_for == WAITS["OBJECTED"] else "REVIEW"
        await note_clock(self._asked.application, step, notice)

    async def _look(self) -> ReviewStanding:
        self._clock.look()
        return await call(READ, DisputeActivities.get_review, self._asked.application)

    async def _refused_for_now(self, error: ActivityError) -> None:
        """A step the service did not take: somebody was faster, or its day has not come."""
        workflow.logger.info("refused: %s", refusal_in(error).reason)
        await self._clock.later()

    def _request_id(self, *step: str) -> str:
        return str(derive("workflow", workflow.info().workflow_id, *step))
