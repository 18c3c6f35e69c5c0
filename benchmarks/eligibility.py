"""How many questions of eligibility a second the service answers, one a call and many a call.

The service is a process of its own on a real PostgreSQL; the callers are this process. One
question a call is compared with a bare grpc.aio echo of the same messages, on a server in a
process of its own, round robin with it: a call costs what a call costs. Batches are compared
with single questions. The table shows medians of the rounds; only ratios travel between
machines.

    python -m benchmarks eligibility [ROUNDS [PEOPLE]]
"""

import asyncio
import itertools
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Any

import grpc
import uvloop
from ltci.enrollment.v1 import eligibility_service_pb2 as batch_pb
from ltci.enrollment.v1 import eligibility_service_pb2_grpc as batch_grpc
from ltci.enrollment.v1 import enrollment_service_pb2 as pb
from ltci.enrollment.v1 import enrollment_service_pb2_grpc as pb_grpc
from rich.console import Console
from rich.table import Table

from benchmarks._client import told_by
from benchmarks._cost import cpu_seconds, machine
from benchmarks.append import Figures, free_port
from infra.embedded.postgres import SETTINGS
from kernel.config import ROOT
from tests.support.insured import POOL, contributions_file, insure, office, settings_of

ROUNDS = 3
PEOPLE = 20_000
ON = date(2024, 7, 1)
A_CALL = 1000  # questions in a batch
ECHO = "/ltci.bench.Eligibility/Echo"
ANSWERS = 64 * 1024 * 1024  # bytes: a thousand rulings are more than a channel takes by itself
Take = Callable[[], Awaitable[object]]


async def serve_echo(port: int) -> None:
    """The server's process: it answers what `CheckEligibility` answered, whatever is asked."""
    answer = sys.stdin.buffer.read(int(sys.stdin.buffer.readline()))

    async def echo(_request: bytes, _: object) -> bytes:
        return answer

    server = grpc.aio.server()
    service, _, name = ECHO.strip("/").partition("/")
    handler: Any = grpc.unary_unary_rpc_method_handler(echo)
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler(service, {name: handler}),)
    )
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.read)  # until our parent lets go
    await server.stop(1)


@asynccontextmanager
async def echoing(request: bytes, answer: bytes) -> AsyncIterator[Take]:
    """A call of the same length both ways, on a server in a process of its own."""
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks", "eligibility", "--echo", str(port)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
    )
    if process.stdout is None or process.stdin is None:
        raise AssertionError("the process was started with pipes")
    process.stdin.write(b"%d\n" % len(answer) + answer)
    await process.stdout.readline()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        method: Any = channel.unary_unary(ECHO)
        yield lambda: method(request)
    process.stdin.close()
    await process.wait()


class Questions:
    """Everybody in turn, one a call or a thousand a call."""

    def __init__(self, channel: grpc.aio.Channel, persons: list[str]) -> None:
        self._single: Any = pb_grpc.EnrollmentServiceStub(channel).CheckEligibility
        self._batch: Any = batch_grpc.EligibilityServiceStub(channel).BatchCheckEligibility
        self._persons = itertools.cycle(persons)

    def one(self) -> pb.CheckEligibilityRequest:
        return pb.CheckEligibilityRequest(
            person=next(self._persons), pool=POOL, on_date=ON.isoformat()
        )

    async def single(self) -> pb.Eligibility:
        answer: pb.Eligibility = await self._single(self.one())
        return answer

    def batch(self, *, with_rulings: bool) -> Take:
        async def take() -> None:
            some = itertools.islice(self._persons, A_CALL)
            request = batch_pb.BatchCheckEligibilityRequest(
                pool=POOL,
                on_date=ON.isoformat(),
                questions=[batch_pb.EligibilityQuestion(person=one) for one in some],
                with_rulings=with_rulings,
            )
            response = await self._batch(request)
            if any(answer.status.code for answer in response.answers):
                raise AssertionError("a question had no answer")

        return take


async def run(address: str, persons: list[str], rounds: int) -> Figures:
    figures = Figures()
    options = [("grpc.max_receive_message_length", ANSWERS)]
    async with AsyncExitStack() as closing:
        channel = await closing.enter_async_context(
            grpc.aio.insecure_channel(address, options=options)
        )
        questions = Questions(channel, persons)
        answer = await questions.single()
        request = questions.one().SerializeToString()
        echo = await closing.enter_async_context(echoing(request, answer.SerializeToString()))
        for number in range(rounds + 1):
            target = figures if number else Figures()  # the first round warms up
            for count in (1, 32):
                await target.measure(f"echo {count}", count, echo)
                await target.measure(f"single {count}", count, questions.single)
            for count in (1, 4):
                for name, whole in (("batch", False), ("whole batch", True)):
                    take = questions.batch(with_rulings=whole)
                    await target.measure(f"{name} {count}", count, take)
    return figures


ROWS = (
    # name, what it is, questions a call, compared with
    ("echo 1", "echo of the same messages, 1 in flight", 1, "echo 1"),
    ("single 1", "one question a call, 1 in flight", 1, "echo 1"),
    ("echo 32", "echo of the same messages, 32 in flight", 1, "echo 32"),
    ("single 32", "one question a call, 32 in flight", 1, "echo 32"),
    ("batch 1", "1 000 a call, 1 in flight", A_CALL, "single 32"),
    ("batch 4", "1 000 a call, 4 in flight", A_CALL, "single 32"),
    ("whole batch 1", "1 000 a call with rulings, 1 in flight", A_CALL, "single 32"),
    ("whole batch 4", "1 000 a call with rulings, 4 in flight", A_CALL, "single 32"),
)


def show(figures: Figures) -> list[dict[str, object]]:
    table = Table(title="Questions of eligibility answered a second, through gRPC")
    for heading in ("what", "questions/s", "p50 / p99 ms a call", "compared", "ratio"):
        table.add_column(heading, justify="left" if heading == "what" else "right")
    result: list[dict[str, object]] = []
    for name, words, a_call, limit in ROWS:
        rate, times = figures.rate(name) * a_call, sorted(figures.times[name])
        p50, p99 = (1000 * times[int(len(times) * share)] for share in (0.5, 0.99))
        ratio = rate / figures.rate(limit)
        table.add_row(words, f"{rate:,.0f}", f"{p50:.1f} / {p99:.1f}", limit, f"{ratio:.2f}")
        result.append(
            {
                "what": words,
                "questions_per_second": round(rate),
                "rounds": [round(r * a_call) for r in figures.rates[name]],
                "p50_ms": p50,
                "p99_ms": p99,
                "compared_with": limit,
                "ratio": round(ratio, 3),
            }
        )
    Console(width=120).print(table)
    return result


def main(arguments: list[str]) -> None:
    if arguments[:1] == ["--echo"]:
        uvloop.run(serve_echo(int(arguments[1])))
        return
    rounds = int(arguments[0]) if arguments else ROUNDS
    people = int(arguments[1]) if len(arguments) > 1 else PEOPLE
    with machine() as server:
        server.create_database("ltci")
        folder = server.data_folder.parent
        settings = settings_of(server.dsn("ltci"), folder)
        persons = uvloop.run(insure(settings, people))
        contributions_file(folder / "paid.csv", people, bad_every=4)
        with office(settings) as where:
            told_by("collect", "--client", str(folder / "paid.csv"), where.address)
            before = cpu_seconds(where.process.pid)
            result = show(uvloop.run(run(where.address, persons, rounds)))
            print(f"{cpu_seconds(where.process.pid) - before:.1f} s of the service's processor")
    output = Path("build/bench/eligibility.json")
    output.parent.mkdir(parents=True, exist_ok=True)
    told = {"cores": os.cpu_count(), "settings": SETTINGS, "people": people, "figures": result}
    output.write_text(json.dumps(told, indent=2) + "\n")
    print(f"written to {output}")
