"""Books what comes into a fund by other ways than contributions."""

from ltci.payment.v1 import payment_service_pb2 as pb

from kernel.eventstore.handle import Call, Handler, Work
from kernel.money import total
from services.payment.application.streams import LEDGER, ledger_stream
from services.payment.domain import ledger as lg


class Fund:
    """The ledger, written by hand of the treasury."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler

    async def record(self, call: Call, entry: lg.PostEntry) -> pb.Transfer:
        """Books the entry of a transfer."""
        stream = ledger_stream(entry.entry)

        async def work(run: Work) -> pb.Transfer:
            before = await run.load(LEDGER, stream)
            run.record(LEDGER, stream, entry.pool, lg.decide(entry, before))
            return pb.Transfer(
                entry=str(entry.entry),
                pool=entry.pool,
                amount_fen=total(line.debit for line in entry.postings).fen,
            )

        return await self._handler.execute(call, work, pb.Transfer)
