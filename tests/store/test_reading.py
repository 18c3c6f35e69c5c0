"""How the log is read, and how readers learn of what is new."""

import asyncio
import time

import pytest

from kernel.eventstore.connections import Connection
from kernel.eventstore.envelope import Appended, Cursor, Repeated, first_broken
from kernel.eventstore.errors import HistoryDiffers
from kernel.eventstore.postgres import EventStore
from kernel.ids import new_id
from tests.support.appends import SCHEMA, OpenStore, new_stream, numbered, part, request
from tests.support.readers import follow


async def test_a_stream_is_read_from_a_version_on(store: EventStore) -> None:
    stream = new_id()
    await store.append(request(part(stream, 0, b"1", b"2", b"3")))

    assert [e.version for e in await store.read_stream(stream, after=1)] == [2, 3]
    assert await store.read_stream(new_id()) == []


async def test_many_streams_are_read_at_once(store: EventStore) -> None:
    one, two, none = new_id(), new_id(), new_id()
    await store.append(request(part(one, 0, b"1"), part(two, 0, b"a", b"b")))
    await store.append(request(part(one, 1, b"2")))

    found = await store.read_streams([one, two, none])

    assert {stream: [e.payload for e in events] for stream, events in found.items()} == {
        one: [b"1", b"2"],
        two: [b"a", b"b"],
        none: [],
    }


async def test_the_log_is_read_in_pages_by_type_and_up_to_a_position(store: EventStore) -> None:
    kinds = ["a/1", "b/1", "a/1", "c/1", "a/1"]
    for kind in kinds:
        await store.append(request(part(new_id(), 0, b"", type=kind)))

    async def positions(*arguments: int, **limits: object) -> list[int]:
        return [e.position for e in await store.read_all(*arguments, **limits)]  # type: ignore[arg-type]

    assert await positions() == [1, 2, 3, 4, 5]
    assert await positions(2) == [3, 4, 5]
    assert await positions(1, limit=2) == [2, 3]
    assert await positions(upto=3) == [1, 2, 3]
    assert await positions(types=["a/1"]) == [1, 3, 5]
    assert await positions(1, types=["a/1", "c/1"], upto=4, limit=5) == [3, 4]
    assert await positions(types=["unheard/1"]) == []
    assert [e.position for e in await store.read_positions([5, 2, 99])] == [2, 5]


async def test_the_head_names_history_position_and_hash(store: EventStore) -> None:
    empty = await store.head()
    assert (empty.position, empty.hash) == (0, b"")

    await store.append(new_stream(b"1", b"2"))

    last = (await store.read_all())[-1]
    assert await store.head() == Cursor(empty.epoch, 2, last.hash)


async def test_a_reader_far_behind_gets_batches_of_five_hundred(store: EventStore) -> None:
    await store.bulk_append([new_stream(*[b"x"] * 100) for _ in range(12)])
    sizes = []
    async for batch in store.subscribe(0):
        sizes.append(len(batch))
        if sum(sizes) == 1200:
            break
    assert sizes == [500, 500, 200]


@pytest.mark.parametrize("where", ["the same process", "another process"])
async def test_a_waiting_reader_hears_at_once(
    store: EventStore, open_store: OpenStore, where: str
) -> None:
    reading = store if where == "the same process" else await open_store()
    reader = asyncio.create_task(follow(reading, 1))
    await asyncio.sleep(0.3)  # it listens by now

    began = time.monotonic()
    await store.append(new_stream())
    await reader

    assert time.monotonic() - began < 0.5  # told, not polled


async def test_a_reader_without_ears_polls(store: EventStore, database: Connection) -> None:
    reader = asyncio.create_task(follow(store, 1))
    await asyncio.sleep(0.1)
    await store._bell.close()

    await store.append(new_stream())

    async with asyncio.timeout(5):
        assert len(await reader) == 1


async def test_a_cursor_of_another_history_is_refused(store: EventStore) -> None:
    await store.append(new_stream())

    for after, epoch in [(1, new_id()), (2, None)]:
        with pytest.raises(HistoryDiffers):
            await anext(store.subscribe(after, epoch=epoch))


async def test_a_reader_stops_when_history_is_replaced_under_it(
    store: EventStore, database: Connection
) -> None:
    await store.append(new_stream())
    reader = asyncio.create_task(follow(store, 2))
    await asyncio.sleep(0.1)

    await database.execute(f"UPDATE {SCHEMA}.log SET epoch = gen_random_uuid()")

    with pytest.raises(HistoryDiffers):
        async with asyncio.timeout(5):
            await reader


async def test_rule_packs_are_kept_by_their_hash(store: EventStore) -> None:
    await store.put_pack("abc", "320400", b"{}")
    await store.put_pack("abc", "320400", b"other")

    assert await store.get_pack("abc") == ("320400", b"{}")
    assert await store.get_pack("unknown") is None


async def test_bulk_and_single_appends_make_the_same_log(
    store: EventStore, open_store: OpenStore
) -> None:
    appends = list(numbered(2500))
    stream = new_id()
    appends += [request(part(stream, n, b"%d" % n)) for n in range(5)]
    await store.append(appends[3])

    told = await store.bulk_append(appends)

    assert told[3] == Repeated(b"answer to please", 1)
    assert all(isinstance(a, Appended) for n, a in enumerate(told) if n != 3)
    assert [e.position for e in await store.read_all(limit=9999)] == list(range(1, 2506))
    assert first_broken(await store.read_stream(stream)) is None
    assert await store.bulk_append(appends[:10]) == (
        [Repeated(b"answer to please", a.last_position) for a in told[:10]]
    )
    assert await store.append(request(part(stream, 5, b"single again"))) == Appended(2506, 2506)
