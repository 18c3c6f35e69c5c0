"""A real PostgreSQL for tests: one server a session, a fresh database a test."""

import itertools
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest

from infra.embedded.postgres import EmbeddedPostgres

_numbers = itertools.count(1)


def free_port() -> int:
    """A loopback port that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedPostgres]:
    """The session's server. Tests that kill it start it again themselves."""
    # Not pytest's own folder: that is closed to the account the server runs under.
    folder = Path(tempfile.mkdtemp(prefix="ltci-tests-"))
    folder.chmod(0o711)
    server = EmbeddedPostgres(folder / "data", free_port(), folder / "postgres.log")
    try:
        server.start()
        server.wait_ready()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)


async def fresh_database(server: EmbeddedPostgres) -> str:
    """Makes an empty database and returns its DSN."""
    name = f"test_{next(_numbers)}"
    connection = await asyncpg.connect(server.dsn("postgres"))
    try:
        await connection.execute(f"CREATE DATABASE {name} STRATEGY wal_log")
    finally:
        await connection.close()
    return server.dsn(name)


@pytest.fixture
async def database_url(postgres: EmbeddedPostgres) -> AsyncIterator[str]:
    """The DSN of a database that this test has to itself."""
    dsn = await fresh_database(postgres)
    yield dsn
    connection = await asyncpg.connect(postgres.dsn("postgres"))
    try:
        name = dsn.rpartition("/")[2]
        await connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    finally:
        await connection.close()
