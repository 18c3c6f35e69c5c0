"""A batch of payments with the bank, until every one is proven (支付).

Send, ask, and ask again: an instruction whose fate is unknown is enquired before it is sent
again, under the same identity, and it counts as paid only on evidence; payment sees to that.
This process sees to it that nobody stops asking.
"""

from dataclasses import replace
from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from kernel.ids import derive
    from workflows.activities.payment import BatchStep, PaymentActivities, Progress
    from workflows.business_time import BusinessTime
    from workflows.messages import Batch, Paid
    from workflows.search_attributes import Board
    from workflows.timing import BANK, call

LONGEST_INTERVAL = 5  # business days between enquiries where only payees can move things
ROUNDS_A_RUN = 200


@workflow.defn
class PayInstructions:
    """Follows one batch to the last fen. Id `payment/{batch}`."""

    @workflow.init
    def __init__(self, what: Batch) -> None:
        self._what = what
        self._round = what.rounds
        self._time: BusinessTime | None = None
        self._board = Board(f"Payments {what.batch}")

    @workflow.run
    async def run(self, what: Batch) -> Paid:
        """Returns what was paid, in fen, when nothing of the batch is open any more."""
        self._time = await BusinessTime.read()
        interval = what.interval_days
        while True:
            self._round += 1
            progress = await self._ask_the_bank()
            if not _is_open(progress):
                break
            interval = 1 if _is_with_the_bank(progress) else interval
            self._show(progress)
            await self._time.wait_for(lambda: False, timedelta(days=interval))
            if not _is_with_the_bank(progress):
                interval = min(interval + 1, LONGEST_INTERVAL)
            if self._is_long():
                workflow.continue_as_new(replace(what, rounds=self._round, interval_days=interval))
        self._board.show("PAID")
        return Paid(what.batch, progress.paid_count, progress.reissued_count, progress.paid_fen)

    @workflow.signal
    def clock_changed(self) -> None:
        """The business clock was set: the next enquiry may be due."""
        if self._time is not None:
            self._time.mark_stale()

    async def _ask_the_bank(self) -> Progress:
        """One round: what the bank knows, then what came back, then what was not sent."""
        progress = await call(BANK, PaymentActivities.enquire_instructions, self._step("enquire"))
        if progress.returned_count:
            progress = await call(
                BANK, PaymentActivities.reissue_instructions, self._step("reissue")
            )
        if progress.instructed_count:
            progress = await call(BANK, PaymentActivities.send_instructions, self._step("send"))
        return progress

    def _show(self, progress: Progress) -> None:
        if _is_with_the_bank(progress):
            state, waits_for = "WITH_THE_BANK", "BANK"
        else:
            state, waits_for = "WAITING_ACCOUNT", "PAYEES"
        counts = [
            f"{progress.paid_count} paid",
            f"{progress.sent_count} with the bank",
            f"{progress.unknown_count} unknown",
            f"{progress.instructed_count} without account",
            f"{progress.returned_count} returned",
        ]
        self._board.show(state, waits_for=waits_for, lines=counts)

    def _is_long(self) -> bool:
        rounds = self._round - self._what.rounds
        return workflow.info().is_continue_as_new_suggested() or rounds >= ROUNDS_A_RUN

    def _step(self, step: str) -> BatchStep:
        # Each round is a new question. A chain of runs that is started anew asks anew, too.
        chain = workflow.info().first_execution_run_id
        request_id = derive("workflow", chain, step, str(self._round))
        return BatchStep(self._what.batch, str(request_id))


def _is_open(progress: Progress) -> bool:
    return bool(progress.instructed_count or progress.returned_count or _is_with_the_bank(progress))


def _is_with_the_bank(progress: Progress) -> bool:
    return bool(progress.sent_count or progress.unknown_count)
