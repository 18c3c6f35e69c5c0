"""An event store on a fresh database, and a second writing process beside it."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from kernel.clock import Clock
from kernel.eventstore.connections import Connection
from kernel.eventstore.postgres import EventStore
from tests.support.appends import SCHEMA, OpenStore


@pytest.fixture
async def open_store(database_url: str) -> AsyncIterator[OpenStore]:
    """Opens stores on the test's log: each has its own writer, as each process has."""
    opened: list[EventStore] = []

    async def open_one(partition_size: int = 1000) -> EventStore:
        opened.append(
            await EventStore.open(
                database_url, SCHEMA, clock=Clock(), partition_size=partition_size
            )
        )
        return opened[-1]

    yield open_one
    for one in opened:
        await one.close()


@pytest.fixture
async def store(open_store: OpenStore) -> EventStore:
    """The store under test. Its partitions are small, so that every test crosses some."""
    return await open_store()


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Connection]:
    """A connection of someone else to the same database."""
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()
