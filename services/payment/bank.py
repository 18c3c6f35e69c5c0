"""The bank over its wire: what it says, as commands of the saga.

No account and no name is ever logged.
"""

import logging
from typing import Any
from uuid import UUID

import grpc
from ltci.bank.v1 import bank_service_pb2 as pb
from ltci.bank.v1 import bank_service_pb2_grpc

from kernel.money import Money
from services.payment.domain import instruction as i
from services.payment.domain.payee import Account

DEADLINE = 2.0  # seconds a call; after that nobody knows
_REFUSED = frozenset(
    {
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.PERMISSION_DENIED,
        grpc.StatusCode.UNAUTHENTICATED,
        grpc.StatusCode.UNIMPLEMENTED,
    }
)
log = logging.getLogger(__name__)


class Bank:
    """Orders payments and asks what became of them."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub: Any = bank_service_pb2_grpc.BankServiceStub(channel)

    async def order(self, told: i.PaymentInstructed, account: Account) -> i.Answer | None:
        """Sends the order under the instruction's identity; the bank books it once.

        None where the bank refused to take it: nothing was booked, and people must look.
        """
        request = pb.CreatePaymentRequest(
            instruction=str(told.instruction),
            account_number=account.account_number,
            holder_name=account.holder_name,
            amount_fen=told.amount.fen,
            pool=told.pool,
            request_id=str(told.instruction),
        )
        try:
            payment = await self._stub.CreatePayment(request, timeout=DEADLINE)
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.ALREADY_EXISTS:
                # It has the order with an older account: what became of that one counts.
                return await self.enquire(told.instruction)
            if error.code() in _REFUSED:
                log.warning(
                    "the bank refuses an order",
                    extra={
                        "facts": {
                            "instruction": str(told.instruction),
                            "code": error.code().name,
                        }
                    },
                )
                return None
            return i.NoteSilence()
        return _answer(payment, i.Evidence.ANSWER)

    async def enquire(self, instruction: UUID) -> i.Answer | None:
        """What became of an order; None where the bank does not answer now."""
        request = pb.GetPaymentRequest(instruction=str(instruction))
        try:
            payment = await self._stub.GetPayment(request, timeout=DEADLINE)
        except grpc.aio.AioRpcError as error:
            return i.NoteAbsence() if error.code() is grpc.StatusCode.NOT_FOUND else None
        return _answer(payment, i.Evidence.ENQUIRY)


def _answer(payment: pb.Payment, evidence: i.Evidence) -> i.Answer | None:
    match payment.state:
        case pb.PAYMENT_STATE_PENDING:
            return i.NoteTaken(bank_reference=payment.bank_reference)
        case pb.PAYMENT_STATE_BOOKED:
            return i.NoteBooked(
                evidence=evidence,
                amount=Money(payment.amount_fen),
                bank_reference=payment.bank_reference,
                booked_time=payment.booked_time,
            )
        case pb.PAYMENT_STATE_RETURNED:
            return i.NoteReturned(cause=payment.cause, bank_reference=payment.bank_reference)
        case _:
            return None  # a state we do not know proves nothing
