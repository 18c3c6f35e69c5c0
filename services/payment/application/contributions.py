"""Posts contributions to the ledger as they come in: each once, by the name of its event."""

from collections.abc import Sequence

from ltci.payment.v1 import payment_service_pb2 as pb

from kernel import telemetry
from kernel.ids import derive
from kernel.projection import Connection, FeedEvent
from services.payment.application.appends import BulkWriter, First
from services.payment.application.streams import LEDGER, ledger_stream
from services.payment.domain import ledger as lg
from services.payment.incoming import CONTRIBUTION, contribution_of

ACTOR = "payment"


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
        told = [event for event in events if event.type == CONTRIBUTION]
        with telemetry.detail("post contributions", links=[event.traceparent for event in told]):
            await self._writer.write(ACTOR, [_first(event) for event in told])


def _first(event: FeedEvent) -> First:
    told = contribution_of(event.payload)
    name = ("ledger", event.source, str(event.position))
    command = lg.contribution(
        derive(*name),
        told.pool,
        paid_date=told.paid_date,
        source=told.source,
        amount=told.amount,
        cause=f"contributions/{told.contribution}",
    )
    [posted] = lg.decide(command, lg.Entry())
    return First(
        name=name,
        means=event.hash.hex(),
        kind=LEDGER,
        stream=ledger_stream(command.entry),
        pool=told.pool,
        event=posted,
        answer=pb.Fund(),
    )
