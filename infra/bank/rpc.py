"""`BankService` over the bank's books: translates, and loses an answer where it is told to."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from google.rpc import code_pb2
from grpc_status import rpc_status
from ltci.bank.v1 import bank_service_pb2 as pb
from ltci.bank.v1 import bank_service_pb2_grpc

from infra.bank.books import (
    Behaviour,
    Books,
    InstructionDiffers,
    Line,
    Order,
    Payment,
    SettingDiffers,
)
from kernel.clock import Clock
from kernel.refusal import NotFound, RequestReused
from kernel.rpc.around import Context
from kernel.rpc.errors import Outcome, status_of
from kernel.rpc.paging import page_of
from kernel.rpc.validate import Check

T = TypeVar("T")
LARGEST_AMOUNT_FEN = 10**15

_INSTRUCTION_DIFFERS = Outcome(
    code=code_pb2.ALREADY_EXISTS,
    reason="INSTRUCTION_DIFFERS",
    message="this instruction came before with another payee, amount or fund",
    message_zh="该支付指令此前已收到,但收款人、金额或基金不同",
    facts={},
)


class BankServicer(bank_service_pb2_grpc.BankServiceServicer):
    """The bank's desk."""

    def __init__(self, books: Books, clock: Clock) -> None:
        self._books = books
        self._clock = clock
        # One thread: SQLite writes one transaction at a time anyway, and the loop stays free.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="books")

    async def CreatePayment(  # noqa: N802 - the name in the proto
        self, request: pb.CreatePaymentRequest, context: Context
    ) -> pb.Payment:
        order = _order(request)
        now = self._now()
        try:
            payment = await self._in_books(lambda: self._books.take(order, now))
        except InstructionDiffers:
            status = status_of(_INSTRUCTION_DIFFERS, "bank.ltci")
            await context.abort_with_status(rpc_status.to_status(status))
        if payment.silent:
            # Booked, and the answer is lost on its way: the caller waits until its deadline.
            await asyncio.Event().wait()
        return _payment(payment)

    async def GetPayment(  # noqa: N802 - the name in the proto
        self, request: pb.GetPaymentRequest, _context: Context
    ) -> pb.Payment:
        check = Check()
        instruction = str(check.uuid("instruction", request.instruction))
        check.done()
        now = self._now()
        payment = await self._in_books(lambda: self._books.enquire(instruction, now))
        if payment is None:
            raise NotFound("payment", instruction)
        return _payment(payment)

    async def ListStatementLines(  # noqa: N802 - the name in the proto
        self, request: pb.ListStatementLinesRequest, _context: Context
    ) -> pb.ListStatementLinesResponse:
        check = Check()
        pool = check.pool("pool", request.pool)
        check.done()
        page = page_of(request)
        after = int(page.after[0]) if page.after else 0
        # One more than the page holds tells whether there is another.
        lines = await self._in_books(lambda: self._books.statement(pool, after, page.size + 1))
        more, lines = len(lines) > page.size, lines[: page.size]
        return pb.ListStatementLinesResponse(
            lines=map(_line, lines),
            next_page_token=page.next_token((lines[-1].line,)) if more else "",
        )

    async def SetAccountBehaviour(  # noqa: N802 - the name in the proto
        self, request: pb.SetAccountBehaviourRequest, _context: Context
    ) -> pb.AccountBehaviour:
        check = Check()
        request_id = str(check.uuid("request_id", request.request_id))
        account = check.text("account_number", request.account_number, max=64)
        if request.behaviour not in {*Behaviour}:
            words = ", ".join(behaviour.name for behaviour in Behaviour)
            message, message_zh = f"must be one of: {words}", f"应为以下之一:{words}"
            check.fail("behaviour", "UNKNOWN_VALUE", message, message_zh)
        check.done()
        behaviour = Behaviour(request.behaviour)
        try:
            await self._in_books(lambda: self._books.treat(request_id, account, behaviour))
        except SettingDiffers:
            raise RequestReused(request_id) from None
        return pb.AccountBehaviour(account_number=account, behaviour=request.behaviour)

    async def close(self) -> None:
        """Finishes what is being booked and closes the books."""
        await self._in_books(self._books.close)
        self._thread.shutdown()

    async def _in_books(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _now(self) -> str:
        return self._clock.now().isoformat(timespec="seconds")


def _order(request: pb.CreatePaymentRequest) -> Order:
    check = Check()
    instruction = str(check.uuid("instruction", request.instruction))
    if request.request_id != request.instruction:
        check.fail(
            "request_id", "NOT_THE_INSTRUCTION", "must equal the instruction", "应与支付指令相同"
        )
    order = Order(
        instruction=instruction,
        pool=check.pool("pool", request.pool),
        account_number=check.text("account_number", request.account_number, max=64),
        holder_name=check.text("holder_name", request.holder_name, max=200),
        amount_fen=check.between("amount_fen", request.amount_fen, 1, LARGEST_AMOUNT_FEN),
    )
    check.done()
    return order


def _payment(payment: Payment) -> pb.Payment:
    return pb.Payment(
        instruction=payment.instruction,
        state=pb.PaymentState.ValueType(payment.state),
        bank_reference=payment.bank_reference,
        amount_fen=payment.amount_fen,
        cause=payment.cause,
        booked_time=payment.booked_time,
    )


def _line(line: Line) -> pb.StatementLine:
    return pb.StatementLine(
        line=line.line,
        instruction=line.payment.instruction,
        state=pb.PaymentState.ValueType(line.state),
        amount_fen=line.payment.amount_fen,
        bank_reference=line.payment.bank_reference,
        booked_time=line.time,
    )
