"""Connections die, servers are killed: nothing is lost, nothing happens twice."""

import asyncio
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.embedded.postgres import EmbeddedPostgres
from kernel.clock import Clock
from kernel.eventstore.connections import Connection
from kernel.eventstore.envelope import Appended
from kernel.eventstore.postgres import EventStore
from tests.support.appends import new_stream, numbered
from tests.support.postgres import free_port
from tests.support.readers import assert_complete, follow

KILL = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


async def test_killed_sessions_lose_and_double_nothing(
    store: EventStore, database: Connection
) -> None:
    appends = list(numbered(3000))
    todo = iter(appends)
    reader = asyncio.create_task(follow(store, len(appends)))
    told: list[object] = []

    async def write() -> None:
        told.extend([await store.append(append) for append in todo])

    async def kill() -> None:
        for _ in range(8):
            await asyncio.sleep(0.05)
            await database.execute(KILL)

    await asyncio.gather(kill(), *(write() for _ in range(32)))

    async with asyncio.timeout(20):
        assert_complete(await reader, len(appends))
    # A commit whose answer was lost is told as what it was: an append, not a repetition.
    assert {type(answer) for answer in told} == {Appended}
    assert sorted(a.first_position for a in told if isinstance(a, Appended)) == (
        list(range(1, len(appends) + 1))
    )


@pytest.fixture
def server() -> Iterator[EmbeddedPostgres]:
    """A server of this test's own, to be killed."""
    folder = Path(tempfile.mkdtemp(prefix="ltci-tests-"))
    folder.chmod(0o711)
    server = EmbeddedPostgres(folder / "data", free_port(), folder / "postgres.log")
    server.start()
    server.wait_ready()
    yield server
    server.stop()
    shutil.rmtree(folder)


async def test_the_store_heals_after_the_server_was_killed(server: EmbeddedPostgres) -> None:
    server.create_database("ltci")
    store = await EventStore.open(server.dsn("ltci"), "payment", clock=Clock())
    before = numbered(50, "before")
    await asyncio.gather(*map(store.append, before))
    pid = server.pid
    assert pid is not None

    os.kill(pid, signal.SIGKILL)
    during = [asyncio.create_task(store.append(a)) for a in numbered(50, "during")]
    reading = asyncio.create_task(store.read_all())
    await asyncio.sleep(0.2)
    await asyncio.to_thread(_restart, server)

    assert {type(answer) for answer in await asyncio.gather(*during)} == {Appended}
    assert len(await reading) >= 50
    assert await store.append(new_stream()) == Appended(101, 101)
    assert_complete(await follow(store, 101), 101)
    await store.close()


def _restart(server: EmbeddedPostgres) -> None:
    server.start()
    server.wait_ready()
