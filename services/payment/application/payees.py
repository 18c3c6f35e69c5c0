"""Registers the accounts of payees."""

from ltci.payment.v1 import payment_service_pb2 as pb

from kernel.eventstore.handle import Call, Handler, Work
from services.payment.application.streams import NO_POOL, PAYEE, payee_stream
from services.payment.domain import payee as p


class Payees:
    """Accounts, sealed with their owners' keys."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler

    async def register(self, call: Call, command: p.RegisterPayee) -> pb.Payee:
        """The payee with the version of this account."""
        stream = payee_stream(command.payee)

        async def work(run: Work) -> pb.Payee:
            # Not from the cache: the owner's key may have been destroyed since.
            self._handler.forget(stream)
            payee = await run.load(PAYEE, stream)
            payee = run.record(PAYEE, stream, NO_POOL, p.decide(command, payee))
            return pb.Payee(payee=command.payee, account_version=payee.version)

        answer = await self._handler.execute(call, work, pb.Payee)
        self._handler.forget(stream)
        # The kept answer holds nothing of the account; the caller has just named it.
        answer.account_number_masked = p.masked(command.account_number)
        return answer
