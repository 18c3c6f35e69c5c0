"""Settles a pool's month and follows it until its instructions are made (月度结算)."""

import asyncio
from collections.abc import Callable
from typing import Any

from ltci.payment.v1 import payment_service_pb2, payment_types_pb2

from cli.connect import ACTOR, Connection
from cli.imports.patience import patient
from kernel.calendar import Month
from kernel.ids import derive
from kernel.rpc.channel import call

POLL = 0.2  # seconds between two looks at a settlement
CLOSED = payment_types_pb2.SETTLEMENT_STATE_CLOSED


async def settle(
    connection: Connection,
    pool: str,
    month: Month,
    *,
    wait: bool = True,
    seen: Callable[[Any], None] | None = None,
) -> payment_service_pb2.Settlement:
    """Asks for the settlement and, if told to wait, returns it closed.

    The same month asked for again is the same settlement. A workflow does the work.
    """
    request = payment_service_pb2.OpenSettlementRequest(
        pool=pool, month=str(month), request_id=str(derive("settle", pool, str(month)))
    )
    settlement = await patient(
        lambda: call(connection.payment.OpenSettlement, request, actor=ACTOR), "payment"
    )
    get = payment_service_pb2.GetSettlementRequest(pool=pool, month=str(month))
    while wait and settlement.state != CLOSED:
        await asyncio.sleep(POLL)
        settlement = await patient(lambda: connection.payment.GetSettlement(get), "payment")
        if seen is not None:
            seen(settlement)
    return settlement  # type: ignore[no-any-return]


def told(settlement: payment_service_pb2.Settlement) -> dict[str, Any]:
    """The settlement for machines."""
    state = payment_types_pb2.SettlementState.Name(settlement.state)
    return {
        "pool": settlement.pool,
        "month": settlement.month,
        "state": state.removeprefix("SETTLEMENT_STATE_").lower(),
        "case_count": settlement.case_count,
        "benefit_count": settlement.benefit_count,
        "fund_share_fen": settlement.fund_share_fen,
        "instruction_count": settlement.instruction_count,
        "batch": settlement.batch,
        "known": {known.service: known.position for known in settlement.known},
    }
