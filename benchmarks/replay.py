"""How many decisions a second `ltci replay --all` makes again, on all cores.

A history is made by the real deciders and codecs and written by `bulk_append` into a real
embedded PostgreSQL: people of Changzhou with a year of visits and benefits. Measured is the whole
command's work: processes started, the log read from the database and its hash chain checked,
facts fetched, every ruling made again and compared byte by byte. Making the history is not.

    python -m benchmarks replay [DECISIONS [WORKERS]]
"""

import asyncio
import json
import os
import resource
import shutil
import tempfile
import time
from pathlib import Path

import uvloop
from rich.console import Console
from rich.table import Table

from benchmarks.append import free_port
from cli.replay import Effort, Report, replay_everything
from infra.embedded.postgres import SETTINGS, EmbeddedPostgres
from kernel.config import ROOT, Settings
from kernel.rules.pack import Pack
from tests.support.history import PER_PERSON, History, stores

DECISIONS = 200_000
TOLD_EVERY = 10.0  # seconds


async def make_history(dsn: str, people: int) -> int:
    """Events written."""
    pack = Pack.load(ROOT / "rules" / "320400_changzhou")
    async with stores(dsn) as opened:
        await History(opened, pack).make(people)
        for schema in opened:
            await opened[schema].pool.execute(f"ANALYZE {schema}.events")
        return sum([(await store.head()).position for store in opened.values()])


async def measure(dsn: str, workers: int | None) -> tuple[Report, Effort, float]:
    effort, told = Effort(), 0.0
    began = time.perf_counter()

    def progress(done: int, total: int) -> None:
        nonlocal told
        passed = time.perf_counter() - began
        if passed - told > TOLD_EVERY:
            told = passed
            print(f"  {done:,} of {total:,} events after {passed:.0f} s", flush=True)

    settings = Settings({"LTCI_DATABASE_URL": dsn})
    report = await replay_everything(settings, progress=progress, workers=workers, effort=effort)
    return report, effort, time.perf_counter() - began


def main(arguments: list[str]) -> None:
    wanted = int(arguments[0]) if arguments else DECISIONS
    workers = int(arguments[1]) if len(arguments) > 1 else None
    folder = Path(tempfile.mkdtemp(prefix="ltci-bench-"))
    folder.chmod(0o711)
    server = EmbeddedPostgres(folder / "data", free_port(), folder / "postgres.log")
    try:
        server.start()
        server.wait_ready()
        server.create_database("ltci")
        began = time.perf_counter()
        events = uvloop.run(make_history(server.dsn("ltci"), max(1, wanted // PER_PERSON)))
        print(f"{events:,} events made in {time.perf_counter() - began:.0f} s", flush=True)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        report, effort, seconds = asyncio.run(measure(server.dsn("ltci"), workers))
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    finally:
        server.stop()
        shutil.rmtree(folder)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    show(report, effort, seconds, events, cpu)


def show(report: Report, effort: Effort, seconds: float, events: int, cpu: float) -> None:
    table = Table(title=f"Decisions made again ({effort.workers} processes, store on this machine)")
    table.add_column("decision")
    table.add_column("count", justify="right")
    for kind, count in sorted(report.decisions.items()):
        table.add_row(kind, f"{count:,}")
    table.add_row("all", f"{report.count:,}", style="bold")
    Console(width=110).print(table)
    rate = report.count / seconds
    print(f"{rate:,.0f} decisions a second ({events / seconds:,.0f} events); {seconds:.1f} s")
    print(f"{cpu:.1f} s of processor time in the workers; differences: {len(report.differences)}")
    print(f"peak memory of a worker: {max(effort.peak_kib) / 1024:.0f} MiB")
    output = Path("build/bench/replay.json")
    output.parent.mkdir(parents=True, exist_ok=True)
    told = {
        "cores": os.cpu_count(),
        "settings": SETTINGS,
        "workers": effort.workers,
        "decisions": report.decisions,
        "count": report.count,
        "events": events,
        "seconds": round(seconds, 2),
        "worker_cpu_seconds": round(cpu, 2),
        "decisions_per_second": round(rate),
        "peak_worker_kib": max(effort.peak_kib),
        "differences": len(report.differences),
    }
    output.write_text(json.dumps(told, indent=2) + "\n")
    print(f"written to {output}")
