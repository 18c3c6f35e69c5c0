"""How fast events become durable, each figure as a ratio to its natural limit.

All variants run in one process start, round robin, on one PostgreSQL server with fsync and
synchronous_commit on; the table shows medians of the rounds. Only ratios travel between
machines. The limits:

* one durable event, 32 in flight: a bare asyncpg insert, each in a commit of its own;
* the eventsourcing library's own PostgreSQL recorder, safe mode, 32 threads;
* import: a bare binary COPY of the same event rows;
* one append a call over gRPC: an echo call on the same kind of server.

    python -m benchmarks append [ROUNDS]
"""

import asyncio
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import grpc
import uvloop
from eventsourcing.persistence import StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore
from rich.console import Console
from rich.table import Table

from infra.embedded.postgres import SETTINGS, EmbeddedPostgres
from kernel.clock import Clock
from kernel.eventstore.envelope import Append, Meta, NewEvent, StreamAppend
from kernel.eventstore.postgres import EventStore
from kernel.ids import new_id

PAYLOAD = os.urandom(164)  # a typical event of ours
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
SECONDS = 1.0  # of each measurement
Take = Callable[[], Awaitable[object]]
Call = Callable[[bytes], Awaitable[object]]


def one_append(events: int = 1) -> Append:
    """A request that begins a stream with so many events."""
    request_id = new_id()
    batch = tuple(NewEvent("ltci.bench.v1.Measured/1", PAYLOAD) for _ in range(events))
    part = StreamAppend(new_id(), "bench", "320400", 0, batch)
    meta = Meta(request_id, "bench", TRACE, "bench")
    return Append(request_id, request_id.bytes, b"answer", (part,), meta)


async def in_flight(count: int, take: Take) -> tuple[float, list[float]]:
    """Calls a second with so many at once, and how long each took."""
    times: list[float] = []
    end = time.perf_counter() + SECONDS

    async def caller() -> None:
        while (began := time.perf_counter()) < end:
            await take()
            times.append(time.perf_counter() - began)

    began = time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(count)))
    return len(times) / (time.perf_counter() - began), times


class Figures:
    """What was measured, round after round."""

    def __init__(self) -> None:
        self.rates: dict[str, list[float]] = {}
        self.times: dict[str, list[float]] = {}

    def add(self, name: str, rate: float, times: Iterable[float] = ()) -> None:
        self.rates.setdefault(name, []).append(rate)
        self.times.setdefault(name, []).extend(times)

    async def measure(self, name: str, count: int, take: Take) -> None:
        self.add(name, *await in_flight(count, take))

    def rate(self, name: str) -> float:
        return statistics.median(self.rates[name])


# -- the variants ------------------------------------------------------------------------------


class Bare:
    """The least that keeps an event: a table with the same columns, and nothing around it."""

    COLUMNS = (
        "recorded_at",
        "stream",
        "version",
        "kind_id",
        "payload",
        "sealed",
        "key_id",
        "meta",
        "hash",
    )

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        self._pool = pool
        self._now = Clock().now()

    async def lay_out(self) -> None:
        for table in ("bare", "bare_copy"):
            await self._pool.execute(
                f"CREATE TABLE {table} (position bigserial PRIMARY KEY, recorded_at timestamptz, "
                "stream uuid, version int, kind_id int, payload bytea, sealed bytea, key_id uuid, "
                "meta bytea, hash bytea, UNIQUE (stream, version))"
            )

    async def insert(self) -> None:
        await self._pool.execute(
            f"INSERT INTO bare ({', '.join(self.COLUMNS)}) "
            "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            *self._row(),
        )

    async def copy(self, count: int) -> float:
        rows = [self._row() for _ in range(count)]
        began = time.perf_counter()
        async with self._pool.acquire() as connection:
            for start in range(0, count, 1000):
                await connection.copy_records_to_table(
                    "bare_copy", records=rows[start : start + 1000], columns=self.COLUMNS
                )
        return count / (time.perf_counter() - began)

    def _row(self) -> tuple[object, ...]:
        meta, digest = PAYLOAD[:100], PAYLOAD[:33]
        return self._now, new_id(), 1, 1, PAYLOAD, None, None, meta, digest


def library(recorder: PostgresApplicationRecorder, threads: int) -> float:
    """The library's recorder: events a second, one an insert, from so many threads."""
    end = time.perf_counter() + SECONDS

    def worker(_: int) -> int:
        done = 0
        while time.perf_counter() < end:
            recorder.insert_events([StoredEvent(new_id(), 1, "bench:Measured", PAYLOAD)])
            done += 1
        return done

    began = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        done = sum(pool.map(worker, range(threads)))
    return done / (time.perf_counter() - began)


@contextmanager
def library_recorder(server: EmbeddedPostgres) -> Iterator[PostgresApplicationRecorder]:
    server.create_database("library")
    datastore = PostgresDatastore(
        "library",
        "127.0.0.1",
        str(server.port),
        "postgres",
        "",
        pool_size=32,
        max_overflow=0,
        max_waiting=64,
    )
    recorder = PostgresApplicationRecorder(datastore)
    recorder.create_table()
    try:
        yield recorder
    finally:
        datastore.close()


async def imported(store: EventStore, appends: int, events: int) -> float:
    """Events a second through bulk_append."""
    todo = [one_append(events) for _ in range(appends)]
    began = time.perf_counter()
    await store.bulk_append(todo)
    return appends * events / (time.perf_counter() - began)


# -- over the wire -----------------------------------------------------------------------------

SERVICE = "ltci.bench.Append"


async def serve(dsn: str, port: int) -> None:
    """The server's process: an append a call, and an echo beside it."""
    store = await EventStore.open(dsn, "wire", clock=Clock())

    async def append(request: bytes, _: object) -> bytes:
        request_id = UUID(bytes=request[:16])
        part = StreamAppend(
            UUID(bytes=request[16:32]),
            "bench",
            "320400",
            0,
            (NewEvent("ltci.bench.v1.Measured/1", request[32:]),),
        )
        meta = Meta(request_id, "bench", TRACE, "bench")
        await store.append(Append(request_id, request[:16], b"answer", (part,), meta))
        return b"answer"

    async def echo(request: bytes, _: object) -> bytes:
        return request[:6]

    server = grpc.aio.server()
    server.add_generic_rpc_handlers(
        (
            grpc.method_handlers_generic_handler(
                SERVICE,
                {
                    "Append": grpc.unary_unary_rpc_method_handler(append),
                    "Echo": grpc.unary_unary_rpc_method_handler(echo),
                },
            ),
        )
    )
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.read)  # until our parent lets go
    await server.stop(1)
    await store.close()


@asynccontextmanager
async def wire(dsn: str) -> AsyncIterator[dict[str, Take]]:
    """The two calls, on a server in a process of its own."""
    port = free_port()
    command = [sys.executable, "-m", "benchmarks", "append", "--serve", dsn, str(port)]
    process = await asyncio.create_subprocess_exec(
        *command, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdin is not None
    await process.stdout.readline()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        append: Any = channel.unary_unary(f"/{SERVICE}/Append")
        echo: Any = channel.unary_unary(f"/{SERVICE}/Echo")

        async def one(call: Call) -> object:
            return await call(new_id().bytes + new_id().bytes + PAYLOAD)

        yield {"append": lambda: one(append), "echo": lambda: one(echo)}
    process.stdin.close()
    await process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


# -- the run -----------------------------------------------------------------------------------


async def run(server: EmbeddedPostgres, rounds: int) -> Figures:
    figures = Figures()
    for name in ("bare", "store", "wire"):
        server.create_database(name)
    store = await EventStore.open(server.dsn("store"), "bench", clock=Clock())
    pool = await asyncpg.create_pool(server.dsn("bare"), min_size=32, max_size=32, reset=_no_reset)
    bare = Bare(pool)
    await bare.lay_out()
    with library_recorder(server) as recorder:
        async with wire(server.dsn("wire")) as calls:
            for number in range(rounds + 1):
                target = figures if number else Figures()  # the first round warms up
                await target.measure("insert 32", 32, bare.insert)
                for count in (1, 32, 128):
                    await target.measure(
                        f"append {count}", count, lambda: store.append(one_append())
                    )
                target.add("library 32", await asyncio.to_thread(library, recorder, 32))
                target.add("copy", await bare.copy(20_000))
                target.add("bulk 100", await imported(store, 200, 100))
                target.add("bulk 1", await imported(store, 10_000, 1))
                for count in (1, 32, 128):
                    for name, take in calls.items():
                        await target.measure(f"grpc {name} {count}", count, take)
    await pool.close()
    await store.close()
    return figures


async def _no_reset(_: object) -> None:
    """The bare insert pays for nothing that an insert does not need."""


ROWS = (
    # name, what it is, its limit
    ("insert 32", "bare asyncpg insert, 32 in flight", "insert 32"),
    ("append 1", "append, 1 in flight", "insert 32"),
    ("append 32", "append, 32 in flight", "insert 32"),
    ("append 128", "append, 128 in flight", "insert 32"),
    ("library 32", "eventsourcing's recorder, 32 threads", "library 32"),
    ("append 32", "append, 32 in flight, against the library", "library 32"),
    ("copy", "bare COPY, chunks of 1 000", "copy"),
    ("bulk 100", "bulk_append, 100 events a request", "copy"),
    ("bulk 1", "bulk_append, 1 event a request", "copy"),
    *(
        (f"grpc {name} {count}", f"gRPC {name}, {count} in flight", f"grpc echo {count}")
        for count in (1, 32, 128)
        for name in ("echo", "append")
    ),
)


def show(figures: Figures) -> list[dict[str, object]]:
    table = Table(title="Durable events a second (fsync and synchronous_commit on)")
    for heading in ("what", "per second", "lowest to highest", "p50 / p99 ms", "of its limit"):
        table.add_column(heading, justify="left" if heading == "what" else "right")
    result: list[dict[str, object]] = []
    for name, words, limit in ROWS:
        rates, times = figures.rates[name], sorted(figures.times[name])
        ratio = figures.rate(name) / figures.rate(limit)
        p50, p99 = (
            (1000 * times[int(len(times) * share)] for share in (0.5, 0.99))
            if times
            else (None, None)
        )
        latency = f"{p50:.1f} / {p99:.1f}" if times else ""
        spread = f"{min(rates):,.0f} to {max(rates):,.0f}"
        table.add_row(words, f"{figures.rate(name):,.0f}", spread, latency, f"{ratio:.2f}")
        result.append(
            {
                "what": words,
                "per_second": round(figures.rate(name)),
                "rounds": [round(rate) for rate in rates],
                "p50_ms": p50,
                "p99_ms": p99,
                "limit": limit,
                "of_limit": round(ratio, 3),
            }
        )
    Console(width=110).print(table)
    return result


def main(arguments: list[str]) -> None:
    if arguments[:1] == ["--serve"]:
        uvloop.run(serve(arguments[1], int(arguments[2])))
        return
    rounds = int(arguments[0]) if arguments else 3
    folder = Path(tempfile.mkdtemp(prefix="ltci-bench-"))
    folder.chmod(0o711)
    server = EmbeddedPostgres(folder / "data", free_port(), folder / "postgres.log")
    try:
        server.start()
        server.wait_ready()
        result = show(uvloop.run(run(server, rounds)))
    finally:
        server.stop()
        shutil.rmtree(folder)
    output = Path("build/bench/append.json")
    output.parent.mkdir(parents=True, exist_ok=True)
    report = {"cores": os.cpu_count(), "settings": SETTINGS, "rounds": rounds, "figures": result}
    output.write_text(json.dumps(report, indent=2) + "\n")
    print(f"written to {output}")
