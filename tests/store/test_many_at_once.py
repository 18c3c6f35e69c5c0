"""Many writers, many readers, several processes: nobody misses or doubles anything."""

import asyncio
import random

import pytest

from kernel.eventstore.envelope import Appended, Repeated
from kernel.eventstore.errors import VersionConflict
from kernel.ids import new_id
from tests.support.appends import OpenStore, part, request
from tests.support.readers import assert_complete, follow

WRITERS = 32
ROUNDS = 40


@pytest.mark.parametrize("processes", [1, 2])
async def test_every_reader_sees_every_event_once_in_order(
    open_store: OpenStore, processes: int
) -> None:
    stores = [await open_store() for _ in range(processes)]
    count = WRITERS * ROUNDS
    readers = [asyncio.create_task(follow(stores[n % processes], count)) for n in range(2)]

    async def write(number: int) -> None:
        stream = new_id()
        for version in range(ROUNDS):
            await stores[number % processes].append(request(part(stream, version, b"x")))

    await asyncio.gather(*map(write, range(WRITERS)))

    async with asyncio.timeout(20):
        first, second = await asyncio.gather(*readers)
    assert_complete(first, count)
    assert first == second


async def test_two_processes_on_the_same_streams_lose_and_double_nothing(
    open_store: OpenStore,
) -> None:
    stores = [await open_store(), await open_store()]
    streams = [new_id() for _ in range(5)]
    added = conflicts = repeats = 0

    async def write(number: int) -> None:
        nonlocal added, conflicts, repeats
        dice, store = random.Random(number), stores[number % 2]
        for _ in range(30):
            stream = dice.choice(streams)
            version = len(await store.read_stream(stream))
            append = request(part(stream, version, b"a", b"b"))
            try:
                told = await store.append(append)
            except VersionConflict:
                conflicts += 1
                continue
            assert isinstance(told, Appended)
            added += 2
            if dice.random() < 0.3:
                again = await stores[1 - number % 2].append(append)
                assert again == Repeated(b"answer to please", told.last_position)
                repeats += 1

    await asyncio.gather(*map(write, range(16)))

    assert conflicts
    assert repeats
    assert_complete(await follow(stores[0], added), added)


async def test_a_writer_that_was_overtaken_judges_by_what_is_true(open_store: OpenStore) -> None:
    mine, theirs = await open_store(), await open_store()
    stream = new_id()
    await mine.append(request(part(stream, 0, b"1")))
    await theirs.append(request(part(stream, 1, b"2")))

    with pytest.raises(VersionConflict) as refused:
        await mine.append(request(part(stream, 1, b"late")))
    assert refused.value.actual == 2
    assert await mine.append(request(part(stream, 2, b"3"))) == Appended(3, 3)
    assert [e.payload for e in await theirs.read_stream(stream)] == [b"1", b"2", b"3"]


async def test_neither_of_two_busy_processes_starves(open_store: OpenStore) -> None:
    stores = [await open_store(), await open_store()]
    done = [0, 0]
    stop = asyncio.Event()

    async def write(number: int) -> None:
        while not stop.is_set():
            await stores[number % 2].append(request(part(new_id(), 0, b"x")))
            done[number % 2] += 1

    writers = [asyncio.create_task(write(n)) for n in range(16)]
    await asyncio.sleep(1)
    stop.set()
    await asyncio.gather(*writers)

    assert min(done) > max(done) / 4
