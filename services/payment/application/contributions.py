"""Posts contributions and refunds to the ledger: each once, by the name of its event."""

from collections.abc import Sequence
from uuid import UUID

from ltci.payment.v1 import payment_service_pb2 as pb

from kernel import telemetry
from kernel.ids import derive
from kernel.projection import Connection, FeedEvent
from services.payment.application.appends import BulkWriter, First
from services.payment.application.streams import LEDGER, ledger_stream
from services.payment.domain import ledger as lg
from services.payment.incoming import CONTRIBUTION, REFUND, contribution_of, refund_of

ACTOR = "payment"
POSTED = (CONTRIBUTION, REFUND)  # the events that move money


class ContributionPoster:
    """Follows enrollment's feed like a read model; its table is the ledger itself.

    The entries are durable before the checkpoint moves. After a crash in between they are
    offered again, and known again by their request ids: the same money is not booked twice.
    """

    name = "contribution_poster"
    tables = ""

    def __init__(self, writer: BulkWriter) -> None:
        self._writer = writer

    async def apply(self, _conn: Connection, events: Sequence[FeedEvent], _prefix: str) -> None:
        """See `Projection.apply`."""
        told = [event for event in events if event.type in POSTED]
        with telemetry.detail("post contributions", links=[event.traceparent for event in told]):
            await self._writer.write(ACTOR, [_first(event) for event in told])


def _first(event: FeedEvent) -> First:
    name = ("ledger", event.source, str(event.position))
    command = _entry(event, derive(*name))
    [posted] = lg.decide(command, lg.Entry())
    return First(
        name=name,
        means=event.hash.hex(),
        kind=LEDGER,
        stream=ledger_stream(command.entry),
        pool=command.pool,
        event=posted,
        answer=pb.Fund(),
    )


def _entry(event: FeedEvent, entry: UUID) -> lg.PostEntry:
    if event.type == REFUND:
        back = refund_of(event.payload)
        return lg.refund(
            entry,
            back.pool,
            refunded_date=back.refunded_date,
            source=back.source,
            amount=back.amount,
            cause=f"refunds/{back.refund}",
        )
    told = contribution_of(event.payload)
    return lg.contribution(
        entry,
        told.pool,
        paid_date=told.paid_date,
        source=told.source,
        amount=told.amount,
        cause=f"contributions/{told.contribution}",
    )
