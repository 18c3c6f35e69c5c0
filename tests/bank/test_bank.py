"""The bank over real gRPC, and as a process that is killed."""

import asyncio
import os
import random
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from ltci.bank.v1 import bank_service_pb2 as pb
from ltci.bank.v1 import bank_service_pb2_grpc as pb_grpc

from infra.bank.books import Books
from infra.bank.rpc import BankServicer
from kernel.clock import Clock
from kernel.config import ROOT
from kernel.ids import derive
from kernel.rpc.channel import connect
from kernel.rpc.errors import explain
from kernel.rpc.server import start_server
from tests.support.postgres import free_port
from tests.support.service import TODAY, refused, set_clock

CHANGZHOU, CHENGDU = "320400", "510100"
ACCOUNT = "6200000000000001"
NOW = "2024-07-01T09:00:00+08:00"


@pytest.fixture
async def bank(tmp_path: Path) -> AsyncIterator[Any]:
    """A stub of a bank in this process, on a clock that stands still."""
    set_clock(tmp_path / "clock.json", TODAY)
    servicer = BankServicer(Books(tmp_path / "bank.sqlite"), Clock(tmp_path / "clock.json"))

    def add(server: grpc.aio.Server) -> Sequence[str]:
        pb_grpc.add_BankServiceServicer_to_server(servicer, server)
        return [pb.DESCRIPTOR.services_by_name["BankService"].full_name]

    server = await start_server("bank", "127.0.0.1:0", add)
    async with connect(f"127.0.0.1:{server.port}") as channel:
        yield pb_grpc.BankServiceStub(channel)
    await server.stop(grace=0)
    await servicer.close()


def order(name: str = "first", **changes: Any) -> pb.CreatePaymentRequest:
    instruction = str(derive("instruction", name))
    told: dict[str, Any] = {
        "instruction": instruction,
        "account_number": ACCOUNT,
        "holder_name": "王试一",
        "amount_fen": 123_45,
        "pool": CHANGZHOU,
        "request_id": instruction,
    }
    return pb.CreatePaymentRequest(**(told | changes))


def enquiry(name: str = "first") -> pb.GetPaymentRequest:
    return pb.GetPaymentRequest(instruction=order(name).instruction)


async def treat(bank: Any, behaviour: pb.Behaviour.ValueType, name: str = "treat") -> None:
    await bank.SetAccountBehaviour(
        pb.SetAccountBehaviourRequest(
            account_number=ACCOUNT, behaviour=behaviour, request_id=str(derive("set", name))
        )
    )


async def statement(bank: Any, pool: str = CHANGZHOU, size: int = 2) -> list[pb.StatementLine]:
    lines: list[pb.StatementLine] = []
    token = ""
    while True:
        page = await bank.ListStatementLines(
            pb.ListStatementLinesRequest(pool=pool, page_size=size, page_token=token)
        )
        lines += page.lines
        token = page.next_page_token
        if not token:
            return lines


async def test_a_payment_is_booked_once_however_often_it_comes(bank: Any) -> None:
    first = await bank.CreatePayment(order())
    answers = await asyncio.gather(*(bank.CreatePayment(order()) for _ in range(20)))

    assert (
        first.state,
        first.amount_fen,
        first.booked_time,
    ) == (pb.PAYMENT_STATE_BOOKED, 12345, NOW)
    assert [first] * 20 == list(answers)
    assert first == await bank.GetPayment(enquiry())
    [line] = await statement(bank)
    assert (1, first.instruction, 12345, first.bank_reference) == (
        line.line,
        line.instruction,
        line.amount_fen,
        line.bank_reference,
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"amount_fen": 12346},
        {"account_number": "6200000000000002"},
        {"holder_name": "李试二"},
        {"pool": CHENGDU},
    ],
)
async def test_the_same_instruction_with_other_content_is_refused(
    bank: Any, changes: dict[str, Any]
) -> None:
    first = await bank.CreatePayment(order())

    problem = await refused(bank.CreatePayment(order(**changes)))

    assert (
        problem.code,
        problem.reason,
        problem.domain,
    ) == ("ALREADY_EXISTS", "INSTRUCTION_DIFFERS", "bank.ltci")
    assert first == await bank.GetPayment(enquiry())
    assert len(await statement(bank)) == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"amount_fen": 0}, "amount_fen"),
        ({"amount_fen": -5}, "amount_fen"),
        ({"account_number": ""}, "account_number"),
        ({"holder_name": " "}, "holder_name"),
        ({"pool": "Changzhou"}, "pool"),
        ({"instruction": "one"}, "instruction"),
        ({"request_id": str(derive("another"))}, "request_id"),
    ],
)
async def test_a_bad_order_is_refused_and_nothing_is_kept(
    bank: Any, changes: dict[str, Any], field: str
) -> None:
    problem = await refused(bank.CreatePayment(order(**changes)))

    assert problem.code == "INVALID_ARGUMENT"
    assert field in {violation.field for violation in problem.violations}
    assert await statement(bank) == []
    assert (await refused(bank.GetPayment(enquiry()))).code == "NOT_FOUND"


async def test_an_order_that_never_came_is_not_found(bank: Any) -> None:
    problem = await refused(bank.GetPayment(enquiry()))

    assert (problem.code, problem.reason) == ("NOT_FOUND", "PAYMENT_UNKNOWN")


async def test_a_closed_account_sends_the_money_back(bank: Any) -> None:
    await treat(bank, pb.BEHAVIOUR_CLOSED)

    payment = await bank.CreatePayment(order())

    assert (payment.state, payment.cause) == (pb.PAYMENT_STATE_RETURNED, "ACCOUNT_CLOSED")
    [line] = await statement(bank)
    assert line.state == pb.PAYMENT_STATE_RETURNED
    await treat(bank, pb.BEHAVIOUR_NORMAL, "open again")
    assert payment == await bank.CreatePayment(order())
    assert (await bank.CreatePayment(order("again"))).state == pb.PAYMENT_STATE_BOOKED


async def test_a_silent_account_books_and_loses_one_answer(bank: Any) -> None:
    await treat(bank, pb.BEHAVIOUR_SILENT_ONCE)

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await bank.CreatePayment(order(), timeout=0.5)

    assert explain(caught.value).code == "DEADLINE_EXCEEDED"
    booked = await bank.GetPayment(enquiry())
    assert booked.state == pb.PAYMENT_STATE_BOOKED
    assert booked == await bank.CreatePayment(order())
    assert (await bank.CreatePayment(order("second"))).state == pb.PAYMENT_STATE_BOOKED
    assert len(await statement(bank)) == 2


async def test_a_late_account_books_at_the_second_enquiry(bank: Any) -> None:
    await treat(bank, pb.BEHAVIOUR_LATE)
    created = await bank.CreatePayment(order())
    repeated = await bank.CreatePayment(order())
    states = [(await bank.GetPayment(enquiry())).state for _ in range(3)]

    assert (created.state, created.booked_time) == (pb.PAYMENT_STATE_PENDING, "")
    assert created == repeated
    assert states == [pb.PAYMENT_STATE_PENDING, pb.PAYMENT_STATE_BOOKED, pb.PAYMENT_STATE_BOOKED]
    assert len(await statement(bank)) == 1


async def test_a_statement_has_its_lines_in_order_and_without_gaps(bank: Any) -> None:
    names = [f"order {number}" for number in range(5)]
    for name in names:
        await bank.CreatePayment(order(name))
        await bank.CreatePayment(order(f"{name} elsewhere", pool=CHENGDU))

    lines = await statement(bank)

    assert [line.line for line in lines] == [1, 2, 3, 4, 5]
    assert [order(name).instruction for name in names] == [line.instruction for line in lines]
    assert len(await statement(bank, CHENGDU, size=5)) == 5


async def test_a_setting_repeated_does_not_undo_a_later_one(bank: Any) -> None:
    await treat(bank, pb.BEHAVIOUR_CLOSED, "close")
    await treat(bank, pb.BEHAVIOUR_NORMAL, "open")
    await treat(bank, pb.BEHAVIOUR_CLOSED, "close")

    assert (await bank.CreatePayment(order())).state == pb.PAYMENT_STATE_BOOKED
    problem = await refused(treat(bank, pb.BEHAVIOUR_LATE, "close"))
    assert problem.reason == "REQUEST_ID_REUSED"
    assert (await refused(treat(bank, pb.BEHAVIOUR_UNSPECIFIED))).code == "INVALID_ARGUMENT"


@asynccontextmanager
async def process(folder: Path, port: int) -> AsyncIterator[asyncio.subprocess.Process]:
    """The bank as it runs in earnest, ready to serve; killed on the way out."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("LTCI_")},
        "LTCI_BANK_FOLDER": str(folder),
        "LTCI_BANK_ADDRESS": f"127.0.0.1:{port}",
    }
    running = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "infra.bank",
        cwd=ROOT,
        env=environment,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with connect(f"127.0.0.1:{port}") as channel, asyncio.timeout(30):
            health: Any = health_pb2_grpc.HealthStub(channel)
            asked = health_pb2.HealthCheckRequest(service="ltci.bank.v1.BankService")
            while True:
                try:
                    if (await health.Check(asked)).status == health_pb2.HealthCheckResponse.SERVING:
                        break
                except grpc.aio.AioRpcError:
                    pass  # not there yet
                await asyncio.sleep(0.05)
        yield running
    finally:
        if running.returncode is None:
            running.kill()
        await running.wait()


async def paid_until_killed(stub: Any, bank: asyncio.subprocess.Process) -> list[pb.Payment]:
    """Payments answered while the bank is killed under way."""
    answered: list[pb.Payment] = []
    enough = random.Random(7).randint(20, 60)

    async def pay(number: int) -> None:
        try:
            answered.append(await stub.CreatePayment(order(f"order {number}"), timeout=2))
        except grpc.aio.AioRpcError:
            return  # the answer is lost; the order may be booked or not
        if len(answered) == enough:
            bank.send_signal(signal.SIGKILL)

    await asyncio.gather(*(pay(number) for number in range(200)))
    return answered


async def test_what_was_answered_outlives_a_kill(tmp_path: Path) -> None:
    port = free_port()
    async with process(tmp_path, port) as bank, connect(f"127.0.0.1:{port}") as channel:
        answered = await paid_until_killed(pb_grpc.BankServiceStub(channel), bank)
        assert await bank.wait() == -signal.SIGKILL
    assert 20 <= len(answered) < 200

    async with process(tmp_path, port), connect(f"127.0.0.1:{port}") as channel:
        stub: Any = pb_grpc.BankServiceStub(channel)
        for payment in answered:
            asked = pb.GetPaymentRequest(instruction=payment.instruction)
            assert payment == await stub.GetPayment(asked)
        for number in range(200):
            await stub.CreatePayment(order(f"order {number}"))
        lines = await statement(stub, size=1000)
        assert list(range(1, 201)) == [line.line for line in lines]
        assert len({line.instruction for line in lines}) == 200


async def test_a_bank_told_to_stop_ends_well(tmp_path: Path) -> None:
    async with process(tmp_path, free_port()) as bank:
        bank.terminate()
        assert await asyncio.wait_for(bank.wait(), 10) == 0
