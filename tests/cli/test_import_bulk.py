"""A file of twenty thousand contributions, one in a hundred bad, with both ends killed midway."""

import asyncio
import csv
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import asyncpg

from kernel.config import ROOT
from tests.support.insured import clean_environment, contributions_file, insure, office, settings_of

ROWS = 20_000
_LTCI = [sys.executable, "-c", "from cli.__main__ import app; app()"]


def importing(file: Path, report: Path, address: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [*_LTCI, "import", "contributions", str(file), "--report", str(report), "--json"],
        cwd=ROOT,
        env=clean_environment() | {"LTCI_ENROLLMENT_ADDRESS": address},
        stdout=subprocess.PIPE,
    )


async def told_by(client: "subprocess.Popen[bytes]") -> dict[str, Any]:
    out, _ = await asyncio.to_thread(client.communicate)
    found: dict[str, Any] = json.loads(out)
    return found


async def collected(dsn: str) -> int:
    """How many contributions the log holds."""
    connection = await asyncpg.connect(dsn)
    try:
        count: int = await connection.fetchval(
            "select count(*) from enrollment.events join enrollment.kinds on kinds.id = kind_id"
            " where type like '%.ContributionCollected/%'"
        )
        return count
    finally:
        await connection.close()


async def until_some_are_collected(dsn: str, after: int) -> None:
    async with asyncio.timeout(60):
        while await collected(dsn) <= after:  # noqa: ASYNC110 - another process writes
            await asyncio.sleep(0.02)


def faults(report: Path) -> Mapping[int, tuple[str, str]]:
    with report.open(encoding="utf-8-sig", newline="") as file:
        return {int(row["line"]): (row["column"], row["reason"]) for row in csv.DictReader(file)}


async def test_whatever_is_killed_on_the_way_exactly_the_good_rows_are_collected_once(
    database_url: str, tmp_path: Path
) -> None:
    settings = settings_of(database_url, tmp_path)
    file, report = tmp_path / "c.csv", tmp_path / "report.csv"
    bad = contributions_file(file, ROWS)
    await insure(settings, ROWS)

    with office(settings) as first:
        client = importing(file, report, first.address)
        await until_some_are_collected(database_url, 0)
        client.kill()
        client.communicate()
        some = await collected(database_url)
        assert 0 < some < ROWS - len(bad)

        client = importing(file, report, first.address)
        await until_some_are_collected(database_url, some + 2000)
        os.kill(first.process.pid, signal.SIGKILL)
        assert await collected(database_url) < ROWS - len(bad)
    with office(settings, first.address) as second:
        told = await told_by(client)

        assert (told["rows"], told["recorded"], told["bad_rows"]) == (
            ROWS,
            ROWS - len(bad),
            len(bad),
        )
        assert faults(report) == bad
        assert await collected(database_url) == ROWS - len(bad)

        again = await told_by(importing(file, report, second.address))

    assert (again["recorded"], again["bad_rows"]) == (ROWS - len(bad), len(bad))
    assert faults(report) == bad
    assert await collected(database_url) == ROWS - len(bad)
