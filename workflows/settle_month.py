"""A pooling area's month: freeze what is known, compute, close (月度结算)."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from kernel.ids import derive
    from workflows.activities.payment import PaymentActivities, SettlementStep
    from workflows.messages import PoolMonth, Settled
    from workflows.search_attributes import Board
    from workflows.timing import CLOSE, COMPUTE, FREEZE, call


@workflow.defn
class SettleMonth:
    """Settles a month of a pool. Id `settlement/{pool}/{month}`: a second start finds the first.

    A refusal fails it: then the month is not settled, and it may be started again.
    """

    @workflow.run
    async def run(self, what: PoolMonth) -> Settled:
        """Returns what the month came to, in fen."""
        board = Board(f"Settlement of {what.month} in {what.pool}")
        board.show("FREEZING", waits_for="FEEDS")
        await call(FREEZE, PaymentActivities.freeze_settlement, _step(what, "freeze"))
        board.show("COMPUTING")
        computed = await call(
            COMPUTE, PaymentActivities.determine_benefits, _step(what, "determine")
        )
        board.show("CLOSING")
        closed = await call(CLOSE, PaymentActivities.close_settlement, _step(what, "close"))
        board.show("CLOSED")
        return Settled(
            batch=closed.batch,
            case_count=computed.case_count,
            benefit_count=closed.benefit_count,
            instruction_count=closed.instruction_count,
            fund_share_fen=closed.fund_share_fen,
        )


def _step(what: PoolMonth, step: str) -> SettlementStep:
    request_id = derive("workflow", workflow.info().workflow_id, step)
    return SettlementStep(what.pool, what.month, str(request_id))
