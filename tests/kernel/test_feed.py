"""Readers of a feed see the same events, in one order, near and far."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import grpc
import pytest

from kernel.clock import Clock
from kernel.eventstore.errors import HistoryDiffers
from kernel.eventstore.feed import Feed, FeedEvent, LocalFeed, RemoteFeed
from kernel.eventstore.postgres import EventStore
from kernel.ids import new_id
from kernel.projection import ProjectionRunner
from kernel.rpc.channel import connect
from kernel.rpc.server import RunningServer, start_server
from tests.kernel.test_projection import Totals, fill, gauss, running, totals
from tests.support.appends import part, request
from tests.support.postgres import free_port


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[EventStore]:
    store = await EventStore.open(database_url, "sample", clock=Clock())
    yield store
    await store.close()


@asynccontextmanager
async def served(store: EventStore, port: int) -> AsyncIterator[RunningServer]:
    server = await start_server("sample", f"127.0.0.1:{port}", lambda _: [], feed_store=store)
    try:
        yield server
    finally:
        await server.stop(0.2)


@pytest.fixture
async def port() -> int:
    return free_port()


@pytest.fixture
async def channel(port: int) -> AsyncIterator[grpc.aio.Channel]:
    async with connect(f"127.0.0.1:{port}") as channel:
        yield channel


async def first(
    feed: Feed, count: int, after: int = 0, epoch: str | None = None
) -> list[FeedEvent]:
    events: list[FeedEvent] = []
    batches: Any = feed.batches(after, epoch)
    async with asyncio.timeout(10):
        async for batch in batches:
            events.extend(batch.events)
            if len(events) >= count:
                break
    await batches.aclose()
    return events


async def test_a_feed_is_the_same_near_and_far(
    store: EventStore, port: int, channel: grpc.aio.Channel
) -> None:
    await fill(store, 1, 20)
    async with served(store, port):
        near = await first(LocalFeed(store), 20)
        far = await first(RemoteFeed(channel, "sample"), 20)
        assert near == far
        assert [event.position for event in near] == list(range(1, 21))
        assert near[5:] == await first(RemoteFeed(channel, "sample"), 15, after=5)
        assert await RemoteFeed(channel, "sample").head() == await LocalFeed(store).head() == 20


async def test_a_feed_of_some_types_reaches_as_far_as_the_log(
    store: EventStore, port: int, channel: grpc.aio.Channel
) -> None:
    for n in range(6):
        kind = f"ltci.test.v1.{'Even' if n % 2 == 0 else 'Odd'}/1"
        await store.append(request(part(new_id(), 0, b"%d" % n, type=kind)))
    async with served(store, port):
        for feed in (
            LocalFeed(store, types=["ltci.test.v1.Even/1"]),
            RemoteFeed(channel, "sample", types=["ltci.test.v1.Even/1"]),
        ):
            batches: Any = feed.batches()
            batch = await anext(batches)
            assert [event.position for event in batch.events] == [1, 3, 5]
            assert batch.position == 6
            await batches.aclose()


async def test_a_far_reader_goes_on_after_its_source_was_away(
    store: EventStore, port: int, channel: grpc.aio.Channel, database_url: str
) -> None:
    async with asyncpg.create_pool(database_url, min_size=1, max_size=4) as pool:
        runner = ProjectionRunner(pool, "sample", Totals(), RemoteFeed(channel, "sample"))
        async with running(runner):
            for n in range(1, 31, 10):
                await fill(store, n, n + 4)
                async with served(store, port):
                    await runner.wait_for("sample", n + 4, 10)
                    await fill(store, n + 5, n + 9)
                    await runner.wait_for("sample", n + 9, 10)
            assert await totals(pool, runner) == gauss(30)
            assert runner.failed is None


async def test_a_cursor_of_another_history_is_refused(
    store: EventStore, port: int, channel: grpc.aio.Channel
) -> None:
    await fill(store, 1, 3)
    async with served(store, port):
        for feed in (LocalFeed(store), RemoteFeed(channel, "sample")):
            with pytest.raises(HistoryDiffers):
                await first(feed, 1, epoch=str(new_id()))
            with pytest.raises(HistoryDiffers):
                await first(feed, 1, after=4)
            own = str((await store.head()).epoch)
            assert len(await first(feed, 3, epoch=own)) == 3


async def test_personal_data_stays_at_home(store: EventStore) -> None:
    assert "sealed" not in FeedEvent.__slots__
