"""Imports in which each append has an outcome of its own, and what is looked up for them."""

import asyncio

from kernel.eventstore.envelope import Appended, Repeated
from kernel.eventstore.errors import RequestReused, VersionConflict
from kernel.eventstore.postgres import EventStore
from kernel.ids import new_id
from tests.support.appends import new_stream, numbered, part, request
from tests.support.readers import follow


async def test_a_refused_append_holds_up_no_other(store: EventStore) -> None:
    earlier = new_stream(b"earlier")
    await store.append(earlier)
    moved_on = earlier.streams[0].stream
    appends = [
        new_stream(b"first"),
        request(part(moved_on, 0, b"too late")),
        earlier,
        request(part(new_id(), 0, b"x"), id=earlier.request_id, said=b"something else"),
        *numbered(1500),
    ]
    first, late, again, other, *rest = await store.bulk_outcomes(appends)
    assert first == Appended(2, 2)
    assert isinstance(late, VersionConflict)
    assert again == Repeated(b"answer to please", 1)
    assert isinstance(other, RequestReused)
    assert [outcome for outcome in rest if not isinstance(outcome, Appended)] == []
    assert len(await store.read_all(limit=9999)) == 1502


async def test_requests_are_looked_up_by_the_thousand(store: EventStore) -> None:
    appends = numbered(1200)
    await store.bulk_append(appends)
    unknown = new_id()
    found = await store.find_requests([unknown, *(append.request_id for append in appends)])
    assert unknown not in found
    assert found[appends[7].request_id] == (b"please", Repeated(b"answer to please", 8))
    assert len(found) == 1200


async def test_events_that_are_not_asked_for_stay_where_they_are(store: EventStore) -> None:
    stream = new_id()
    await store.append(request(part(stream, 0, b"1"), part(new_id(), 0, b"elsewhere")))
    await store.append(request(part(stream, 1, b"2", type="ltci.test.v1.Large/1")))
    await store.append(request(part(stream, 2, b"3")))
    found = await store.read_streams([stream], without=["ltci.test.v1.Large/1"])
    assert [event.payload for event in found[stream]] == [b"1", b"3"]


async def test_readers_side_by_side_see_everything_while_the_log_grows(store: EventStore) -> None:
    async def write() -> None:
        for n in range(40):
            await store.bulk_append([new_stream(b"%d" % n) for _ in range(37)])

    readers = [asyncio.create_task(follow(store, 40 * 37)) for _ in range(5)]
    await write()
    async with asyncio.timeout(20):
        seen = await asyncio.gather(*readers)
    positions = [[event.position for event in events] for events in seen]
    assert positions == [list(range(1, 40 * 37 + 1))] * 5
