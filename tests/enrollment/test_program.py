"""The programs of enrollment and assessment, as an operator starts and ends them."""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from kernel.config import ROOT
from kernel.eventstore.keys import read_master_key

PROGRAMS = ("enrollment", "assessment")


@asynccontextmanager
async def started(name: str, settings: dict[str, str]) -> AsyncIterator[Process]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("LTCI_")}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        f"services.{name}",
        cwd=ROOT,
        env=environment | settings,
        stdout=PIPE,
        stderr=PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def settings(name: str, dsn: str, key_file: Path) -> dict[str, str]:
    return {
        "LTCI_DATABASE_URL": dsn,
        "LTCI_KEYS_DATABASE_URL": dsn,
        "LTCI_MASTER_KEY_FILE": str(key_file),
        f"LTCI_{name.upper()}_ADDRESS": "127.0.0.1:0",
    }


@pytest.mark.parametrize("name", PROGRAMS)
async def test_a_service_says_that_it_listens_and_ends_when_told(
    name: str, database_url: str, tmp_path: Path
) -> None:
    read_master_key(tmp_path / "master.key", create=True)
    async with started(name, settings(name, database_url, tmp_path / "master.key")) as process:
        assert process.stderr is not None
        said: dict[str, str] = {}
        while said.get("message") != "ready":
            said = json.loads(await asyncio.wait_for(process.stderr.readline(), 30))
            assert said["service"] == name
            if said["message"] == "listening":
                assert said["address"].startswith("127.0.0.1:")

        process.send_signal(signal.SIGTERM)
        _, rest = await asyncio.wait_for(process.communicate(), 10)

    assert process.returncode == 0
    assert [json.loads(line)["message"] for line in rest.splitlines()] == ["stopped"]


@pytest.mark.parametrize("name", PROGRAMS)
async def test_what_a_service_cannot_start_without_is_one_line(
    name: str, database_url: str, tmp_path: Path
) -> None:
    read_master_key(tmp_path / "master.key", create=True)
    no_key = settings(name, database_url, tmp_path / "missing.key")
    complete = settings(name, database_url, tmp_path / "master.key")
    nobody = "postgresql://user:secret@127.0.0.1:1/nothing"
    cases = {
        "LTCI_DATABASE_URL is not set: it names the database of the event stores": {},
        f"{name} cannot run: there is no master key at {tmp_path / 'missing.key'}": no_key,
        f"{name} cannot run: ": complete | {"LTCI_KEYS_DATABASE_URL": nobody},
        f"{name} cannot run: {tmp_path}: no rule packs": complete
        | {"LTCI_RULES_FOLDER": str(tmp_path)},
    }
    for line, given in cases.items():
        async with started(name, given) as process:
            _, said = await asyncio.wait_for(process.communicate(), 30)
        assert process.returncode == 1
        assert said.decode().startswith(line)
        assert said.count(b"\n") == 1
        assert b"secret" not in said
