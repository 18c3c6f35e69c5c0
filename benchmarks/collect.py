"""How many contributions a second a file brings in, end to end, and in how much memory.

A client process reads the CSV file and sends it, the service's process checks, decides and
appends, PostgreSQL keeps it durably: all on this machine, with fsync and synchronous_commit on,
one row in a hundred bad. A second pass sends the same file again, which adds nothing. Then the
same with ten times the rows, a person each: memory must not grow. Each pass is checked: exactly
the good rows, each fault with its line and reason.

The limits, measured in the same run: a bare COPY of as many event rows, and bare grpc.aio
streaming of the same messages with answers as long.

    python -m benchmarks collect [ROWS [TIMES]]      (TIMES 0 leaves the second file out)
"""

import asyncio
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import asyncpg
import grpc
import uvloop
from rich.console import Console
from rich.table import Table

from benchmarks._client import catching_up, told_by
from benchmarks._cost import cpu_seconds, machine, peak_mib
from benchmarks.append import Bare, free_port
from cli.connect import Connection
from cli.imports import run_import
from cli.imports.faults import Fault
from cli.imports.items import Item, Items
from cli.imports.kinds import CONTRIBUTIONS, Bulk
from cli.imports.table import CsvTable
from infra.embedded.postgres import SETTINGS, EmbeddedPostgres
from kernel import garbage
from kernel.clock import Clock
from kernel.config import ROOT, Settings
from tests.support.insured import Office, contributions_file, insure, office, settings_of

ROWS = 50_000
TIMES = 10
UNDER_WAY = 4  # messages, as the importer has them
ANSWER_A_ROW = b"\x0a\x3d" + b"x" * 61  # as long as that to a good row
STREAM = "/ltci.bench.Collect/Stream"


@dataclass(frozen=True, kw_only=True)
class Pass:
    """One file sent once."""

    what: str
    rows: int
    recorded: int
    bad: int
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


# -- the client's process ----------------------------------------------------------------------


async def import_file(file: Path, address: str) -> None:
    """Sends the file as `ltci import` does; tells what came of it and what it cost."""
    faults: dict[int, tuple[str, str]] = {}

    def tell(fault: Fault) -> None:
        faults.setdefault(fault.line, (fault.column, fault.reason))

    garbage.settle()
    began = time.perf_counter()
    async with Connection(Settings({"LTCI_ENROLLMENT_ADDRESS": address})) as connection:
        report = await run_import(connection, CONTRIBUTIONS.name, file, tell=tell)
    seconds = time.perf_counter() - began
    used = resource.getrusage(resource.RUSAGE_SELF)
    told = {
        "rows": report.rows,
        "recorded": report.recorded,
        "bad": report.bad_rows,
        "seconds": seconds,
        "cpu": used.ru_utime + used.ru_stime,
        "mib": peak_mib(os.getpid()),
        "faults": faults,
    }
    json.dump(told, sys.stdout)


# -- the whole way -----------------------------------------------------------------------------


def measure(
    server: EmbeddedPostgres, where: Office, file: Path, what: str, bad: dict[int, tuple[str, str]]
) -> Pass:
    postmaster = server.pid or 0
    before = cpu_seconds(where.process.pid), cpu_seconds(postmaster)
    told = told_by("collect", "--client", str(file), where.address)
    behind, waited = asyncio.run(catching_up(server.dsn("ltci"), "enrollment"))
    after = cpu_seconds(where.process.pid), cpu_seconds(postmaster)
    found = {int(line): tuple(fault) for line, fault in told["faults"].items()}
    if found != bad or told["recorded"] != told["rows"] - len(bad):
        raise SystemExit(f"{what}: not exactly the good rows were taken in: {told}"[:2000])
    rows = told["rows"]
    return Pass(
        what=what,
        rows=rows,
        recorded=told["recorded"],
        bad=told["bad"],
        seconds=told["seconds"],
        client_us=told["cpu"] / rows * 1e6,
        service_us=(after[0] - before[0]) / rows * 1e6,
        postgres_us=(after[1] - before[1]) / rows * 1e6,
        client_mib=told["mib"],
        service_mib=peak_mib(where.process.pid),
        behind=behind,
        behind_seconds=waited,
    )


async def collected(dsn: str) -> int:
    connection = await asyncpg.connect(dsn)
    try:
        count: int = await connection.fetchval(
            "select count(*) from enrollment.events join enrollment.kinds on kinds.id = kind_id"
            " where type like '%.ContributionCollected/%'"
        )
        return count
    finally:
        await connection.close()


def passes(server: EmbeddedPostgres, rows: int) -> list[Pass]:
    """A file of so many rows, sent twice to a service with an empty log of contributions."""
    server.create_database("ltci")
    folder = server.data_folder.parent
    settings = settings_of(server.dsn("ltci"), folder)
    began = time.perf_counter()
    uvloop.run(insure(settings, rows))
    file = folder / f"{rows}.csv"
    bad = contributions_file(file, rows)
    print(f"{rows:,} people insured in {time.perf_counter() - began:.0f} s", flush=True)
    done = []
    with office(settings) as where:
        for what in (f"{rows:,} rows", "the same file again"):
            done.append(measure(server, where, file, what, bad))
            print(f"{what}: {done[-1].per_second:,.0f} a second", flush=True)
            if asyncio.run(collected(server.dsn("ltci"))) != rows - len(bad):
                raise SystemExit(f"{what}: the log does not hold exactly the good rows")
    asyncio.run(dropped(server))
    return done


async def dropped(server: EmbeddedPostgres) -> None:
    connection = await asyncpg.connect(server.dsn("postgres"))
    try:
        await connection.execute("drop database ltci with (force)")
    finally:
        await connection.close()


# -- the limits --------------------------------------------------------------------------------


async def bare_copy(server: EmbeddedPostgres, rows: int) -> float:
    server.create_database("bare")
    async with asyncpg.create_pool(server.dsn("bare"), min_size=1, max_size=2) as pool:
        bare = Bare(pool)
        await bare.lay_out()
        return await bare.copy(rows)


def messages_of(file: Path) -> list[tuple[int, bytes]]:
    """The file's good rows as the importer would send them, with the length of each answer."""
    bulk = CONTRIBUTIONS.delivery
    if not isinstance(bulk, Bulk):
        raise TypeError("contributions go in bulk")
    with (
        CsvTable(file, CONTRIBUTIONS.required, CONTRIBUTIONS.optional) as table,
        Items(CONTRIBUTIONS, Clock().now()) as items,
    ):
        read = (items.item(row) for row in table.rows() if not isinstance(row, list))
        good = (item for item in read if isinstance(item, Item))
        made = []
        while some := list(islice(good, bulk.rows_a_message)):
            rows = [bulk.row(item.values, item.request_id) for item in some]
            made.append((len(rows), bulk.message(rows=rows).SerializeToString()))
        return made


async def bare_streaming(messages: Sequence[tuple[int, bytes]]) -> float:
    """Rows a second when nothing is done with them; the server is a process of its own."""
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks", "collect", "--echo", str(port)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
    )
    if process.stdout is None or process.stdin is None:
        raise AssertionError("the process was started with pipes")
    await process.stdout.readline()
    window = asyncio.Semaphore(UNDER_WAY)

    async def sending() -> AsyncIterator[bytes]:
        for _, message in messages:
            await window.acquire()
            yield message

    began = time.perf_counter()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        method: Any = channel.stream_stream(STREAM)
        async for _ in method(sending()):
            window.release()
    seconds = time.perf_counter() - began
    process.stdin.close()
    await process.wait()
    return sum(rows for rows, _ in messages) / seconds


async def echo(port: int) -> None:
    async def stream(requests: AsyncIterator[bytes], _: object) -> AsyncIterator[bytes]:
        async for request in requests:
            yield ANSWER_A_ROW * (len(request) // 120)

    server = grpc.aio.server()
    service, _, name = STREAM.strip("/").partition("/")
    handler: Any = grpc.stream_stream_rpc_method_handler(stream)
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler(service, {name: handler}),)
    )
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.read)  # until our parent lets go
    await server.stop(1)


# -- the run -----------------------------------------------------------------------------------


def show(done: Sequence[Pass], copy: float, stream: float) -> None:
    table = Table(title="Contributions from a CSV file into the log, a second")
    for heading in (
        "what",
        "rows/s",
        "of COPY",
        "of bare gRPC",
        "µs of processor a row: client, service, PostgreSQL",
        "peak MiB: client, service",
        "read models behind",
    ):
        table.add_column(heading, justify="left" if heading == "what" else "right")
    for one in done:
        table.add_row(
            one.what,
            f"{one.per_second:,.0f}",
            f"{one.per_second / copy:.2f}",
            f"{one.per_second / stream:.3f}",
            f"{one.client_us:.0f}, {one.service_us:.0f}, {one.postgres_us:.0f}",
            f"{one.client_mib:.0f}, {one.service_mib:.0f}",
            f"{one.behind:,} ({one.behind_seconds:.1f} s)",
        )
    table.add_row("bare COPY of event rows", f"{copy:,.0f}", "1.00", "", "", "", "")
    table.add_row("bare streaming of the messages", f"{stream:,.0f}", "", "1.000", "", "", "")
    Console(width=150).print(table)


def main(arguments: list[str]) -> None:
    if arguments[:1] == ["--client"]:
        asyncio.run(import_file(Path(arguments[1]), arguments[2]))
        return
    if arguments[:1] == ["--echo"]:
        uvloop.run(echo(int(arguments[1])))
        return
    rows = int(arguments[0]) if arguments else ROWS
    times = int(arguments[1]) if len(arguments) > 1 else TIMES
    with machine() as server:
        copy = uvloop.run(bare_copy(server, rows))
        done = passes(server, rows)
        messages = messages_of(server.data_folder.parent / f"{rows}.csv")
        stream = uvloop.run(bare_streaming(messages))
        if times:
            done += passes(server, rows * times)
    show(done, copy, stream)
    output = Path("build/bench/collect.json")
    output.parent.mkdir(parents=True, exist_ok=True)
    told = {
        "cores": os.cpu_count(),
        "settings": SETTINGS,
        "copy_rows_per_second": round(copy),
        "stream_rows_per_second": round(stream),
        "passes": [asdict(one) | {"per_second": round(one.per_second)} for one in done],
    }
    output.write_text(json.dumps(told, indent=2) + "\n")
    print(f"written to {output}")
