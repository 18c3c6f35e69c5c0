"""How fast a month of visits is taken in, streamed and one a call, and in how much memory.

A generated pool (benchmarks/generator) is laid into the log: providers, caregivers, plans. Then a
client process streams the month through `ImportVisits`, the service's process checks, decides and
appends, PostgreSQL keeps it durably, with fsync and synchronous_commit on: all on this machine.
The same file again adds nothing. Then single visits through `SubmitVisit`, 32 in flight.

The limits, measured in the same run: bare grpc.aio streaming of the same messages with answers
as long; a bare COPY of as many event rows; and a bare grpc.aio echo of the same single request
with an answer as long, 32 in flight.

    python -m benchmarks visits [--people N] [--visits N] [--bare] [--full]

`--full` is a whole Chengdu (140 000 people, 2.5 million visits): some GB of disk, and an hour.
"""

import argparse
import asyncio
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any

import asyncpg
import grpc
import uvloop
from ltci.provider.v1 import provider_service_pb2 as pb
from rich.console import Console
from rich.table import Table

from benchmarks._client import catching_up, told_by
from benchmarks._cost import cpu_seconds, machine, peak_mib
from benchmarks._pool import Service, lay_ground, service, settings_of
from benchmarks.append import Bare, free_port
from benchmarks.generator.files import World
from benchmarks.generator.messages import Messages, keep, kept
from benchmarks.generator.month import uploads
from benchmarks.generator.sizes import CHENGDU_PEOPLE, Sizes
from infra.embedded.postgres import SETTINGS, EmbeddedPostgres
from kernel import garbage
from kernel.config import ROOT
from kernel.rpc.channel import connect

PEOPLE = 1_400
SINGLE = 3_000  # visits kept back for the calls of one each
UNDER_WAY = 4  # messages, as the importer has them
IN_FLIGHT = 32
ROUNDS = 5
ANSWER_A_ROW = b"\x0a\x28" + b"x" * 40  # as long as that to a good row
BENCH = "ltci.bench.Visits"


@dataclass(frozen=True, kw_only=True)
class Pass:
    """The file streamed once."""

    what: str
    rows: int
    taken: int
    seconds: float
    client_us: float  # processor time a row
    service_us: float
    postgres_us: float
    client_mib: float
    service_mib: float
    behind: int  # events that the read models did not hold when the file was done
    behind_seconds: float  # until they did

    @property
    def per_second(self) -> float:
        return self.rows / self.seconds


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What a visit costs on disk."""

    visits: int
    events: int
    bytes_an_event: float  # what the log's table holds of it: payload, sealed part, meta, hash
    log_mib: float  # with indexes
    all_mib: float  # with read models and keys


# -- the client's process ----------------------------------------------------------------------


async def send(file: Path, address: str) -> None:
    """Streams the file's messages; tells what came of them and what it cost."""
    garbage.settle()
    window = asyncio.Semaphore(UNDER_WAY)
    taken = rows = 0

    async def sending() -> AsyncIterator[bytes]:
        for raw in kept(file):
            await window.acquire()
            yield raw

    began = time.perf_counter()
    async with connect(address) as channel:
        method: Any = channel.stream_stream(
            "/ltci.provider.v1.ProviderService/ImportVisits",
            response_deserializer=pb.ImportVisitsResponse.FromString,
        )
        async for answer in method(sending(), timeout=None):
            window.release()
            rows += len(answer.results)
            taken += sum(1 for result in answer.results if not result.status.code)
    seconds = time.perf_counter() - began
    used = resource.getrusage(resource.RUSAGE_SELF)
    told = {
        "rows": rows,
        "taken": taken,
        "seconds": seconds,
        "cpu": used.ru_utime + used.ru_stime,
        "mib": peak_mib(os.getpid()),
    }
    json.dump(told, sys.stdout)


async def call_singly(file: Path, address: str, method: str) -> None:
    """Calls with each request of the file, `IN_FLIGHT` at once; tells calls and seconds."""
    garbage.settle()
    requests = list(kept(file))
    waiting = iter(requests)
    async with grpc.aio.insecure_channel(address) as channel:
        call: Any = channel.unary_unary(method)
        await asyncio.gather(*(call(raw) for raw in islice(waiting, IN_FLIGHT)))  # warms up

        async def caller() -> int:
            done = 0
            for raw in waiting:
                await call(raw)
                done += 1
            return done

        began = time.perf_counter()
        done = sum(await asyncio.gather(*(caller() for _ in range(IN_FLIGHT))))
        json.dump({"calls": done, "seconds": time.perf_counter() - began}, sys.stdout)


# -- the whole way -----------------------------------------------------------------------------


def measure(server: EmbeddedPostgres, where: Service, file: Path, what: str) -> Pass:
    postmaster = server.pid or 0
    before = cpu_seconds(where.process.pid), cpu_seconds(postmaster)
    told = told_by("visits", "--client", str(file), where.address)
    behind, waited = asyncio.run(catching_up(server.dsn("ltci"), "provider"))
    after = cpu_seconds(where.process.pid), cpu_seconds(postmaster)
    rows = told["rows"]
    return Pass(
        what=what,
        rows=rows,
        taken=told["taken"],
        seconds=told["seconds"],
        client_us=told["cpu"] / rows * 1e6,
        service_us=(after[0] - before[0]) / rows * 1e6,
        postgres_us=(after[1] - before[1]) / rows * 1e6,
        client_mib=told["mib"],
        service_mib=peak_mib(where.process.pid),
        behind=behind,
        behind_seconds=waited,
    )


async def on_disk(dsn: str, since: int) -> Kept:
    """What the log holds of visits after a position, each once."""
    connection = await asyncpg.connect(dsn)
    try:
        row = await connection.fetchrow(
            "select count(*) as events, count(distinct stream) as visits,"
            " avg(pg_column_size(e.*)) as bytes from provider.events e where position > $1",
            since,
        )
        size = await connection.fetchrow(
            "select (select sum(pg_total_relation_size(c.oid)) from pg_class c"
            "   join pg_namespace n on n.oid = relnamespace"
            "   where nspname = 'provider' and relkind = 'r' and relname like 'events%') as log,"
            " pg_database_size(current_database()) as every"
        )
        assert row is not None
        assert size is not None
        return Kept(
            visits=row["visits"],
            events=row["events"],
            bytes_an_event=float(row["bytes"]),
            log_mib=float(size["log"]) / 2**20,
            all_mib=size["every"] / 2**20,
        )
    finally:
        await connection.close()


async def log_end(dsn: str) -> int:
    connection = await asyncpg.connect(dsn)
    try:
        position: int = await connection.fetchval("select last_position from provider.log")
        return position
    finally:
        await connection.close()


# -- the limits --------------------------------------------------------------------------------


async def bare_copy(server: EmbeddedPostgres, rows: int) -> float:
    server.create_database("bare")
    async with asyncpg.create_pool(server.dsn("bare"), min_size=1, max_size=2) as pool:
        bare = Bare(pool)
        await bare.lay_out()
        return await bare.copy(rows)


async def echo(port: int) -> None:
    """Answers at once, with as many bytes as the service would."""

    async def stream(requests: AsyncIterator[bytes], _: object) -> AsyncIterator[bytes]:
        async for request in requests:
            yield ANSWER_A_ROW * len(pb.ImportVisitsRequest.FromString(request).rows)

    answer = pb.Visit(
        visit="x" * 36, plan="x" * 36, person="x" * 36, pool="510100"
    ).SerializeToString()

    async def single(_request: bytes, _: object) -> bytes:
        return answer

    handlers: dict[str, Any] = {
        "Stream": grpc.stream_stream_rpc_method_handler(stream),
        "Echo": grpc.unary_unary_rpc_method_handler(single),
    }
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(BENCH, handlers),))
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.read)  # until our parent lets go
    await server.stop(1)


class Echo:
    """The echo in a process of its own."""

    def __enter__(self) -> str:
        port = free_port()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks", "visits", "--echo", str(port)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
        )
        assert self._process.stdout is not None
        self._process.stdout.readline()
        return f"127.0.0.1:{port}"

    def __exit__(self, *_: object) -> None:
        self._process.communicate()


async def bare_streaming(file: Path, address: str) -> float:
    """Rows a second when nothing is done with them."""
    window = asyncio.Semaphore(UNDER_WAY)
    rows = 0

    async def sending() -> AsyncIterator[bytes]:
        for raw in kept(file):
            await window.acquire()
            yield raw

    began = time.perf_counter()
    async with grpc.aio.insecure_channel(address) as channel:
        method: Any = channel.stream_stream(f"/{BENCH}/Stream")
        async for answer in method(sending()):
            window.release()
            rows += len(answer) // len(ANSWER_A_ROW)
    return rows / (time.perf_counter() - began)


# -- the run -----------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Single:
    """One visit a call beside an echo of the same request, round by round."""

    visits: list[float]
    echoes: list[float]

    @property
    def of_echo(self) -> float:
        """The median of the rounds' ratios."""
        ratios = sorted(v / e for v, e in zip(self.visits, self.echoes, strict=True))
        return ratios[len(ratios) // 2]


def single_calls(folder: Path, requests: Sequence[pb.SubmitVisitRequest], where: Service) -> Single:
    each = len(requests) // ROUNDS
    visits: list[float] = []
    echoes: list[float] = []
    with Echo() as echo_address:
        for number in range(ROUNDS):
            file = folder / f"single{number}.bin"
            some = requests[number * each : (number + 1) * each]
            _keep_singly(some, file)
            name = "/ltci.provider.v1.ProviderService/SubmitVisit"
            for address, method, rates in (
                (where.address, name, visits),
                (echo_address, f"/{BENCH}/Echo", echoes),
            ):
                told = told_by("visits", "--calls", str(file), address, method)
                rates.append(told["calls"] / told["seconds"])
    return Single(visits=visits, echoes=echoes)


def _keep_singly(requests: Sequence[pb.SubmitVisitRequest], file: Path) -> None:
    with file.open("wb") as out:
        for request in requests:
            raw = request.SerializeToString()
            out.write(len(raw).to_bytes(4, "big") + raw)


def run(
    server: EmbeddedPostgres, sizes: Sizes, *, evidence: bool, most: int | None
) -> dict[str, Any]:
    folder = server.data_folder.parent
    server.create_database("ltci")
    settings = settings_of(server.dsn("ltci"), folder)
    began = time.perf_counter()
    streams = uvloop.run(lay_ground(settings, World(sizes)))
    messages = Messages(sizes, evidence=evidence, sent=False)
    month = uploads(sizes)
    single = [messages.request(visit) for visit in islice(month, SINGLE)]
    file = folder / "month.bin"
    rows = keep(messages.of(islice(month, most)), file)
    seconds = time.perf_counter() - began
    print(
        f"{sizes.people:,} people, {streams:,} streams, {rows:,} uploads in {seconds:.0f} s",
        flush=True,
    )
    start = asyncio.run(log_end(server.dsn("ltci")))
    passes = []
    with service(settings) as where:
        for what in (f"{rows:,} uploads", "the same again"):
            passes.append(measure(server, where, file, what))
            print(f"{what}: {passes[-1].per_second:,.0f} a second", flush=True)
            if passes[-1].taken != rows:
                raise SystemExit(f"{what}: {rows - passes[-1].taken} were not taken in")
        disk = asyncio.run(on_disk(server.dsn("ltci"), start))
        calls = single_calls(folder, single, where)
    with Echo() as address:
        stream = uvloop.run(bare_streaming(file, address))
    copy = uvloop.run(bare_copy(server, min(100_000, disk.events)))
    return {
        "people": sizes.people,
        "visits": disk.visits,
        "passes": [asdict(one) | {"per_second": round(one.per_second)} for one in passes],
        "disk": asdict(disk),
        "single": asdict(calls) | {"of_echo": round(calls.of_echo, 3)},
        "stream_rows_per_second": round(stream),
        "copy_rows_per_second": round(copy),
    }


def show(told: dict[str, Any]) -> None:
    table = Table(title="Visits into the log, a second")
    for heading in (
        "what",
        "a second",
        "of bare gRPC",
        "events of bare COPY",
        "µs of processor a visit: client, service, PostgreSQL",
        "peak MiB: client, service",
        "read models behind",
    ):
        table.add_column(heading, justify="left" if heading == "what" else "right")
    disk = told["disk"]
    for one in told["passes"]:
        rate = one["rows"] / one["seconds"]
        events = rate * disk["events"] / disk["visits"]
        table.add_row(
            one["what"],
            f"{rate:,.0f}",
            f"{rate / told['stream_rows_per_second']:.3f}",
            f"{events / told['copy_rows_per_second']:.2f}",
            f"{one['client_us']:.0f}, {one['service_us']:.0f}, {one['postgres_us']:.0f}",
            f"{one['client_mib']:.0f}, {one['service_mib']:.0f}",
            f"{one['behind']:,} ({one['behind_seconds']:.1f} s)",
        )
    single = told["single"]
    for what, rates, ratio in (
        (f"one a call, {IN_FLIGHT} in flight", single["visits"], f"{single['of_echo']:.2f}"),
        (f"bare echo, {IN_FLIGHT} in flight", single["echoes"], "1.00"),
    ):
        table.add_row(what, f"{sorted(rates)[len(rates) // 2]:,.0f}", ratio, "", "", "", "")
    for what, key, places in (
        ("bare streaming of the messages", "stream_rows_per_second", ("1.000", "")),
        ("bare COPY of event rows", "copy_rows_per_second", ("", "1.00")),
    ):
        table.add_row(what, f"{told[key]:,}", *places, "", "", "")
    Console(width=150).print(table)
    load = ", ".join(map(str, told["load"]))
    print(
        f"{disk['events'] / disk['visits']:.2f} events a visit,"
        f" {disk['bytes_an_event']:.0f} bytes an event;"
        f" log with indexes {disk['log_mib']:.0f} MiB, database {disk['all_mib']:.0f} MiB;"
        f" load of the machine {load}"
    )


def main(arguments: list[str]) -> None:
    inner: dict[str, Callable[..., Any]] = {
        "--client": lambda file, address: uvloop.run(send(Path(file), address)),
        "--calls": lambda file, *rest: uvloop.run(call_singly(Path(file), *rest)),
        "--echo": lambda port: uvloop.run(echo(int(port))),
    }
    if arguments and arguments[0] in inner:
        inner[arguments[0]](*arguments[1:])
        return
    parser = argparse.ArgumentParser(prog="python -m benchmarks visits", description=__doc__)
    parser.add_argument("--people", type=int, default=PEOPLE, help="beneficiaries of the pool")
    parser.add_argument("--full", action="store_true", help="a whole Chengdu")
    parser.add_argument("--visits", type=int, help="at most so many uploads are streamed")
    parser.add_argument("--bare", action="store_true", help="visits without evidence")
    asked = parser.parse_args(arguments)
    sizes = Sizes(
        pool="510100",
        first=date(2025, 3, 1),
        people=CHENGDU_PEOPLE if asked.full else asked.people,
        fraud=0.01,
        seed=1,
    )
    with machine() as server:
        told = run(server, sizes, evidence=not asked.bare, most=asked.visits)
    told |= {"cores": os.cpu_count(), "load": [round(one, 1) for one in os.getloadavg()]}
    show(told)
    output = Path("build/bench/visits.json")
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(told | {"settings": SETTINGS}, indent=2) + "\n")
    print(f"written to {output}")
