"""What an append promises, one test a promise."""

import asyncio
from dataclasses import replace
from uuid import UUID

import pytest

from kernel.clock import Clock
from kernel.eventstore.envelope import Append, Appended, Meta, NewEvent, Repeated, StreamAppend
from kernel.eventstore.errors import RequestReused, StoreOverloaded, VersionConflict
from kernel.eventstore.postgres import EventStore
from kernel.eventstore.writer import WAITING_APPENDS
from kernel.ids import new_id
from tests.support.appends import TRACE, OpenStore, new_stream, numbered, part, request


async def payloads(store: EventStore, stream: UUID) -> list[bytes]:
    return [event.payload for event in await store.read_stream(stream)]


async def test_what_was_appended_is_read_back_whole(store: EventStore) -> None:
    stream, key, request_id = new_id(), new_id(), new_id()
    events = (NewEvent("ltci.a.v1.A/1", b"clear", b"sealed", key), NewEvent("ltci.a.v1.B/2", b""))
    meta = Meta(request_id, "operator-7", TRACE, "v1.2", "因")
    before = Clock().now()

    append = Append(request_id, b"f", b"a", (StreamAppend(stream, "case", "", 0, events),), meta)
    assert await store.append(append) == Appended(1, 2)

    first, second = await store.read_stream(stream)
    assert (first.position, first.stream, first.version) == (1, stream, 1)
    assert (first.type, first.category, first.pool) == ("ltci.a.v1.A/1", "case", "")
    assert (first.payload, first.sealed, first.key_id) == (b"clear", b"sealed", key)
    assert (second.position, second.version, second.type) == (2, 2, "ltci.a.v1.B/2")
    assert (second.payload, second.sealed, second.key_id) == (b"", None, None)
    assert first.meta == second.meta == meta
    assert before <= first.recorded_at == second.recorded_at <= Clock().now()


async def test_an_acknowledged_append_is_seen_by_every_other_process(
    store: EventStore, open_store: OpenStore
) -> None:
    append = new_stream(b"seen")
    await store.append(append)

    other = await open_store()
    assert await payloads(other, append.streams[0].stream) == [b"seen"]


async def test_a_stream_that_moved_on_refuses_the_append(store: EventStore) -> None:
    stream = new_id()
    await store.append(request(part(stream, 0, b"1", b"2")))

    with pytest.raises(VersionConflict) as refused:
        await store.append(request(part(stream, 1, b"too late")))

    assert (refused.value.expected, refused.value.actual) == (1, 2)
    assert await payloads(store, stream) == [b"1", b"2"]


async def test_a_second_beginning_of_a_stream_is_refused(
    store: EventStore, open_store: OpenStore
) -> None:
    stream = new_id()
    await store.append(request(part(stream, 0, b"first")))

    for writer in (store, await open_store()):  # one that knows the stream, one that does not
        with pytest.raises(VersionConflict) as refused:
            await writer.append(request(part(stream, 0, b"second")))
        assert refused.value.actual == 1


async def test_a_version_that_is_still_to_come_is_refused(store: EventStore) -> None:
    with pytest.raises(VersionConflict) as refused:
        await store.append(request(part(new_id(), 3, b"early")))
    assert refused.value.actual == 0


async def test_all_streams_of_an_append_move_or_none(store: EventStore) -> None:
    moved, fresh = new_id(), new_id()
    await store.append(request(part(moved, 0, b"1")))

    with pytest.raises(VersionConflict):
        await store.append(request(part(fresh, 0, b"x"), part(moved, 0, b"y")))
    assert await payloads(store, fresh) == []

    assert await store.append(request(part(fresh, 0, b"x"), part(moved, 1, b"y"))) == (
        Appended(2, 3)
    )
    assert await payloads(store, moved) == [b"1", b"y"]


async def test_a_conflict_does_not_touch_its_neighbours(store: EventStore) -> None:
    stream = new_id()
    await store.append(request(part(stream, 0, b"1")))
    batch = [new_stream(b"%d" % n) for n in range(20)]
    batch[7] = request(part(stream, 0, b"conflict"))

    told = await asyncio.gather(*map(store.append, batch), return_exceptions=True)

    assert isinstance(told[7], VersionConflict)
    kept = [answer for answer in told if isinstance(answer, Appended)]
    assert sorted(answer.first_position for answer in kept) == list(range(2, 21))


async def test_what_cannot_be_stored_does_not_touch_its_neighbours(store: EventStore) -> None:
    wrong = [
        request(StreamAppend(new_id(), "test", "", 0, (NewEvent("t/1", None),))),  # type: ignore[arg-type]
        request(StreamAppend(new_id(), "nul\0", "", 0, (NewEvent("t/1", b""),))),
        request(StreamAppend(new_id(), "test", "", 0, (NewEvent("t/1", b"", "text"),))),  # type: ignore[arg-type]
        replace(new_stream(), fingerprint="text"),  # type: ignore[arg-type]
    ]
    told = await asyncio.gather(
        *map(store.append, [new_stream(), *wrong, new_stream()]), return_exceptions=True
    )
    assert [isinstance(answer, Appended) for answer in told] == [True] + 4 * [False] + [True]
    assert (await store.head()).position == 2


async def test_appends_to_one_stream_in_one_batch_follow_each_other(store: EventStore) -> None:
    stream = new_id()
    batch = [request(part(stream, n, b"%d" % n)) for n in range(10)]

    told = await asyncio.gather(*map(store.append, batch))

    assert told == [Appended(n, n) for n in range(1, 11)]
    assert await payloads(store, stream) == [b"%d" % n for n in range(10)]


async def test_of_two_that_expect_the_same_version_one_wins(store: EventStore) -> None:
    stream = new_id()
    told = await asyncio.gather(
        *(store.append(request(part(stream, 0, b"%d" % n))) for n in range(8)),
        return_exceptions=True,
    )
    assert sum(isinstance(answer, Appended) for answer in told) == 1
    assert sum(isinstance(answer, VersionConflict) for answer in told) == 7
    assert len(await store.read_stream(stream)) == 1


async def test_the_same_request_gets_the_first_answer(
    store: EventStore, open_store: OpenStore
) -> None:
    append = request(part(new_id(), 0, b"1", b"2"), said=b"do it")
    assert await store.append(append) == Appended(1, 2)

    for writer in (store, await open_store()):
        assert await writer.append(append) == Repeated(b"answer to do it", 2)
        assert await writer.find_request(append.request_id, b"do it") == (
            Repeated(b"answer to do it", 2)
        )
    assert (await store.head()).position == 2


async def test_a_repeated_request_is_answered_even_where_its_stream_has_moved_on(
    store: EventStore,
) -> None:
    stream = new_id()
    first = request(part(stream, 0, b"1"))
    await store.append(first)
    await store.append(request(part(stream, 1, b"2")))

    assert await store.append(first) == Repeated(b"answer to please", 1)


async def test_another_request_under_a_used_id_is_refused(store: EventStore) -> None:
    append = new_stream()
    await store.append(append)
    other = request(part(new_id(), 0, b"x"), id=append.request_id, said=b"something else")

    with pytest.raises(RequestReused):
        await store.append(other)
    with pytest.raises(RequestReused):
        await store.find_request(append.request_id, b"something else")
    assert (await store.head()).position == 1


async def test_the_same_request_twice_at_once_happens_once(store: EventStore) -> None:
    append = new_stream(b"once")
    other = request(part(new_id(), 0, b"x"), id=append.request_id, said=b"something else")

    told = await asyncio.gather(
        *(store.append(a) for a in (append, append, other)), return_exceptions=True
    )

    assert told[:2] == [Appended(1, 1), Repeated(b"answer to please", 1)]
    assert isinstance(told[2], RequestReused)
    assert (await store.head()).position == 1


async def test_a_refused_request_may_be_made_again(store: EventStore) -> None:
    stream = new_id()
    await store.append(request(part(stream, 0, b"1")))
    request_id = new_id()
    with pytest.raises(VersionConflict):
        await store.append(request(part(stream, 0, b"2"), id=request_id))

    assert await store.append(request(part(stream, 1, b"2"), id=request_id)) == Appended(2, 2)


async def test_a_request_without_events_is_remembered_all_the_same(store: EventStore) -> None:
    append = request(said=b"nothing to do")

    assert await store.append(append) == Appended(0, 0)
    assert await store.append(append) == Repeated(b"answer to nothing to do", 0)
    assert await store.find_request(new_id(), b"") is None


async def test_a_full_queue_refuses_and_keeps_what_it_took(store: EventStore) -> None:
    appends = numbered(WAITING_APPENDS + 10)
    told = await asyncio.gather(*map(store.append, appends), return_exceptions=True)

    assert sum(isinstance(answer, StoreOverloaded) for answer in told) == 10
    assert (await store.head()).position == WAITING_APPENDS


async def test_an_append_on_its_way_is_kept_though_its_caller_went(store: EventStore) -> None:
    append = new_stream(b"kept")
    await store.append(new_stream())
    caller = asyncio.create_task(store.append(append))
    await asyncio.sleep(0.0005)
    caller.cancel()
    await asyncio.gather(caller, return_exceptions=True)

    await store.append(new_stream())  # commits are in order: the cancelled one has its fate
    found = await store.find_request(append.request_id, b"please")
    assert len(await store.read_stream(append.streams[0].stream)) == (1 if found else 0)


async def test_closing_finishes_what_was_taken(open_store: OpenStore) -> None:
    store = await open_store()
    waiting = [asyncio.create_task(store.append(new_stream())) for _ in range(50)]
    await asyncio.sleep(0)
    await store._writer.close()

    assert [type(answer) for answer in await asyncio.gather(*waiting)] == [Appended] * 50
