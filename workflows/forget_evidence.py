"""The evidence of a pool's month of visits, until the last of it is forgotten (佐证销毁).

What may be forgotten, and on which day, is always asked of provider, which reads the objection
period in the pool's rules. Evidence that an open flag holds is looked after until it is free.
"""

from datetime import date, timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from kernel.calendar import Month
    from kernel.ids import derive
    from workflows.activities.evidence import (
        EvidenceActivities,
        EvidenceQuestion,
        EvidenceStep,
        Kept,
    )
    from workflows.business_time import BusinessTime, instant_of
    from workflows.messages import EvidenceMonth
    from workflows.search_attributes import Board
    from workflows.timing import COMPUTE, READ, call, refusal_in

LOOK_AGAIN = timedelta(days=7)  # business time, while flags alone hold what is left


@workflow.defn
class ForgetEvidence:
    """Carries the evidence of a month to its end. Id `evidence/{pool}/{month}`."""

    @workflow.init
    def __init__(self, what: EvidenceMonth) -> None:
        self._what = what
        self._time: BusinessTime | None = None
        self._forgotten = what.forgotten
        self._steps = 0
        self._board = Board(f"Evidence of visits of {what.month} in {what.pool}")

    @workflow.run
    async def run(self, what: EvidenceMonth) -> int:
        """Returns of how many visits the evidence was forgotten, once none of it is left."""
        self._time = await BusinessTime.read()
        while (kept := await self._kept()) is not None:
            if kept.due_count:
                self._board.show("FORGETTING")
                self._forgotten += await call(
                    COMPUTE, EvidenceActivities.forget_evidence, self._step(kept)
                )
            elif kept.waiting_count or kept.held_count:
                await self._wait(kept, self._time)
            else:
                break
            if workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(EvidenceMonth(what.pool, what.month, self._forgotten))
        self._board.show("FORGOTTEN")
        return self._forgotten

    @workflow.signal
    def clock_changed(self) -> None:
        """The business clock was set: days may be nearer than they seemed."""
        if self._time is not None:
            self._time.mark_stale()

    async def _kept(self) -> Kept | None:
        """What is kept; None where the pool's rules know no objection period."""
        question = EvidenceQuestion(self._what.pool, self._last_day)
        try:
            return await call(READ, EvidenceActivities.get_kept_evidence, question)
        except ActivityError as error:
            workflow.logger.info("refused: %s", refusal_in(error).reason)
            return None

    async def _wait(self, kept: Kept, clock: BusinessTime) -> None:
        lines = [f"forgotten {self._forgotten}", f"held by flags {kept.held_count}"]
        if not kept.due_date:
            self._board.show("HELD", waits_for="FLAGS", lines=lines)
            await clock.wait_for(_never, LOOK_AGAIN)
            return
        day = date.fromisoformat(kept.due_date)
        self._board.show(
            "KEPT", waits_for="OBJECTION_PERIOD", deadline=instant_of(day), lines=lines
        )
        await clock.wait_until(_never, day)

    def _step(self, kept: Kept) -> EvidenceStep:
        # A name of its own each time: what a flag held may be due when the day was done before.
        self._steps += 1
        info = workflow.info()
        request_id = derive("workflow", info.workflow_id, info.run_id, "forget", f"{self._steps}")
        return EvidenceStep(self._what.pool, kept.over_date, str(request_id))

    @property
    def _last_day(self) -> str:
        return Month.parse(self._what.month).last.isoformat()


def _never() -> bool:
    return False
