"""Commands become events once, on the state they were decided on."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from google.protobuf.wrappers_pb2 import Int64Value

from kernel.clock import Clock
from kernel.eventstore import handle as module
from kernel.eventstore.codec import Codec
from kernel.eventstore.errors import RequestReused, VersionConflict
from kernel.eventstore.handle import Call, Handler, StreamKind, Work, code_version
from kernel.eventstore.keys import KeyRing
from kernel.eventstore.postgres import EventStore
from kernel.ids import derive, new_id
from kernel.refusal import Refused
from tests.kernel.test_codec import MET
from tests.support.sample import MESSAGES, Added, Met

CODEC = Codec(None, (Added, MESSAGES["Added"]))
LIMIT = 1000
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@dataclass(frozen=True)
class Sum:
    total: int = 0
    labels: tuple[str, ...] = ()


def evolve(state: Sum, event: Added) -> Sum:
    return Sum(state.total + event.amount, (*state.labels, event.label))


SUM: StreamKind[Sum, Added] = StreamKind("sum", Sum(), evolve)
A, B = derive("test", "a"), derive("test", "b")


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[EventStore]:
    store = await EventStore.open(database_url, "sample", clock=Clock())
    yield store
    await store.close()


@pytest.fixture
async def other_store(store: EventStore, database_url: str) -> AsyncIterator[EventStore]:
    """The store as another process sees it."""
    other = await EventStore.open(database_url, "sample", clock=Clock())
    yield other
    await other.close()


@pytest.fixture
def handler(store: EventStore) -> Handler:
    return Handler(store, CODEC, traceparent=lambda: TRACE)


@pytest.fixture
def other(other_store: EventStore) -> Handler:
    """A second copy of the service."""
    return Handler(other_store, CODEC)


def call(content: object = "please", request_id: UUID | None = None) -> Call:
    digest = hashlib.sha256(repr(content).encode()).digest()
    return Call(request_id or new_id(), digest, "test office")


def add(
    amount: int, *streams: UUID, label: str = "", limit: int = LIMIT
) -> Callable[[Work], Awaitable[Int64Value]]:
    """Adds to each stream and answers with the last total; refused beyond a limit."""

    async def work(work: Work) -> Int64Value:
        total = 0
        for stream in streams or (A,):
            state = await work.load(SUM, stream)
            if state.total + amount > limit:
                raise Refused("OVER_THE_LIMIT", total=str(state.total))
            total = work.record(SUM, stream, "320400", [Added(amount=amount, label=label)]).total
        return Int64Value(value=total)

    return work


async def look(work: Work) -> Int64Value:
    return Int64Value(value=(await work.load(SUM, A)).total)


async def test_a_command_is_answered_and_kept(handler: Handler, store: EventStore) -> None:
    asked = call()
    answer = await handler.execute(asked, add(5), Int64Value)

    [kept] = await store.read_stream(A)
    assert answer.value == 5
    assert (kept.version, kept.category, kept.pool) == (1, "sum", "320400")
    assert kept.type == "ltci.sample.v1.Added/1"
    assert kept.meta.request_id == asked.request_id
    assert kept.meta.actor == "test office"
    assert kept.meta.traceparent == TRACE
    assert kept.meta.code_version == code_version()
    assert await handler.load(SUM, A) == (Sum(5, ("",)), 1)


async def test_a_stream_that_does_not_exist_is_at_version_0(handler: Handler) -> None:
    assert await handler.load(SUM, A) == (Sum(), 0)


async def test_a_repeated_request_gets_the_first_answer(handler: Handler, other: Handler) -> None:
    asked = call()
    first = await handler.execute(asked, add(5), Int64Value)
    await handler.execute(call(), add(5), Int64Value)

    assert await handler.execute(asked, add(5), Int64Value) == first
    assert await other.execute(asked, add(5), Int64Value) == first
    assert await handler.load(SUM, A) == (Sum(10, ("", "")), 2)


async def test_a_request_that_changed_nothing_gets_its_first_answer_too(handler: Handler) -> None:
    asked = call()
    first = await handler.execute(asked, look, Int64Value)
    await handler.execute(call(), add(5), Int64Value)

    assert await handler.execute(asked, look, Int64Value) == first


async def test_the_same_request_sent_many_times_at_once_is_obeyed_once(
    handler: Handler, other: Handler
) -> None:
    asked = call()
    answers = await asyncio.gather(
        *(h.execute(asked, add(5), Int64Value) for _ in range(10) for h in (handler, other))
    )

    assert {answer.value for answer in answers} == {5}
    assert await handler.load(SUM, A) == (Sum(5, ("",)), 1)


async def test_the_same_id_with_other_content_is_refused(handler: Handler) -> None:
    asked = call("five")
    await handler.execute(asked, add(5), Int64Value)

    with pytest.raises(RequestReused):
        await handler.execute(call("six", asked.request_id), add(6), Int64Value)
    assert (await handler.load(SUM, A))[0].total == 5


async def test_concurrent_commands_on_one_stream_all_succeed_once(handler: Handler) -> None:
    answers = await asyncio.gather(
        *(handler.execute(call(), add(1), Int64Value) for _ in range(100))
    )

    assert sorted(answer.value for answer in answers) == list(range(1, 101))
    assert (await handler.load(SUM, A))[1] == 100


async def test_two_copies_of_a_service_may_write_one_stream(
    handler: Handler, other: Handler
) -> None:
    for _ in range(10):
        await asyncio.gather(
            handler.execute(call(), add(1), Int64Value), other.execute(call(), add(1), Int64Value)
        )

    assert (await handler.load(SUM, A))[0].total == 20
    assert (await other.load(SUM, A))[0].total == 20


async def test_commands_on_the_same_streams_in_any_order_do_not_wait_for_each_other(
    handler: Handler,
) -> None:
    async with asyncio.timeout(20):
        await asyncio.gather(
            *(
                handler.execute(call(), add(1, *streams), Int64Value)
                for _ in range(20)
                for streams in ((A, B), (B, A), (B,))
            )
        )

    assert (await handler.load(SUM, A))[0].total == 40
    assert (await handler.load(SUM, B))[0].total == 60


async def test_a_command_on_two_streams_is_kept_on_both_or_none(
    handler: Handler, other: Handler, store: EventStore
) -> None:
    await handler.execute(call(), add(10, B), Int64Value)
    with pytest.raises(Refused):
        await handler.execute(call(), add(5, A, B, limit=12), Int64Value)
    assert await store.read_stream(A) == []

    await handler.execute(call(), add(5, A, B), Int64Value)
    assert [len(events) for events in (await store.read_streams([A, B])).values()] == [1, 2]


async def test_a_refusal_keeps_nothing_and_may_be_asked_again(handler: Handler) -> None:
    asked = call()
    with pytest.raises(Refused, match="OVER_THE_LIMIT"):
        await handler.execute(asked, add(5, limit=4), Int64Value)

    assert (await handler.execute(asked, add(5), Int64Value)).value == 5


async def test_a_refusal_is_never_spoken_from_an_old_state(
    handler: Handler, other: Handler
) -> None:
    await handler.execute(call(), add(8), Int64Value)
    await other.execute(call(), add(-8), Int64Value)  # the first copy's cache is old now

    assert (await handler.execute(call(), add(5, limit=10), Int64Value)).value == 5


async def test_an_answer_without_events_is_never_given_from_an_old_state(
    handler: Handler, other: Handler
) -> None:
    await handler.execute(call(), add(8), Int64Value)
    await other.execute(call(), add(1), Int64Value)

    assert (await handler.execute(call(), look, Int64Value)).value == 9


async def test_a_decision_that_was_overtaken_elsewhere_is_taken_again(
    handler: Handler, other: Handler
) -> None:
    await handler.execute(call(), add(5), Int64Value)
    runs = []

    async def work(work: Work) -> Int64Value:
        state = await work.load(SUM, A)
        runs.append(state.total)
        if len(runs) == 1:
            await other.execute(call(), add(4), Int64Value)
        return Int64Value(value=work.record(SUM, A, "320400", [Added(amount=1)]).total)

    assert (await handler.execute(call(), work, Int64Value)).value == 10
    assert runs == [5, 9]


async def test_a_stream_that_never_stands_still_ends_in_a_conflict(
    handler: Handler, other: Handler
) -> None:
    async def work(work: Work) -> Int64Value:
        await work.load(SUM, A)
        await other.execute(call(), add(1), Int64Value)
        return Int64Value(value=work.record(SUM, A, "320400", [Added(amount=1)]).total)

    with pytest.raises(VersionConflict):
        await handler.execute(call(), work, Int64Value)


async def test_a_command_sees_what_it_recorded(handler: Handler) -> None:
    async def work(work: Work) -> Int64Value:
        await work.load(SUM, A)
        work.record(SUM, A, "320400", [Added(amount=1), Added(amount=2)])
        work.record(SUM, A, "320400", [Added(amount=3)])
        return Int64Value(value=(await work.load(SUM, A)).total)

    assert (await handler.execute(call(), work, Int64Value)).value == 6
    assert (await handler.load(SUM, A))[1] == 3


async def test_writing_a_stream_without_loading_it_is_a_mistake(handler: Handler) -> None:
    async def work(work: Work) -> Int64Value:
        work.record(SUM, A, "320400", [Added(amount=1)])
        return Int64Value()

    with pytest.raises(RuntimeError, match="was not loaded"):
        await handler.execute(call(), work, Int64Value)


async def test_many_streams_are_loaded_in_one_look(handler: Handler, other: Handler) -> None:
    await handler.execute(call(), add(1, A), Int64Value)
    await other.execute(call(), add(2, B), Int64Value)
    nobody = new_id()

    async def work(work: Work) -> Int64Value:
        states = await work.load_many(SUM, [A, B, nobody])
        work.record(SUM, nobody, "320400", [Added(amount=4)])
        return Int64Value(value=sum(state.total for state in states.values()))

    assert (await handler.execute(call(), work, Int64Value)).value == 3
    loaded = await handler.load_many(SUM, [A, B, nobody])
    assert [version for _, version in loaded.values()] == [1, 1, 1]


async def test_each_of_many_requests_has_its_own_outcome(handler: Handler) -> None:
    streams = [new_id() for _ in range(200)]
    items = [(call(), add(n, stream, limit=100), Int64Value) for n, stream in enumerate(streams)]
    outcomes = await handler.execute_many(items)

    assert [o.value for o in outcomes[:101] if isinstance(o, Int64Value)] == list(range(101))
    assert all(isinstance(outcome, Refused) for outcome in outcomes[101:])
    assert await handler.execute_many(items[:50]) == outcomes[:50]


async def test_a_small_cache_changes_nothing_but_the_pace(
    handler: Handler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CACHED_STREAMS", 1)
    for _ in range(3):
        for stream in (A, B):
            await handler.execute(call(), add(1, stream), Int64Value)

    assert (await handler.load(SUM, A))[0].total == 3
    assert (await handler.load(SUM, B))[0].total == 3


async def test_states_hold_personal_fields_until_the_key_is_destroyed(
    store: EventStore, database_url: str, tmp_path: Path
) -> None:
    keys = await KeyRing.open(database_url, tmp_path / "master.key", create=True)
    met: StreamKind[tuple[str, ...], Any] = StreamKind("met", (), lambda s, e: (*s, e.name))
    handler = Handler(store, Codec(keys, (Met, MESSAGES["Met"])))

    async def work(work: Work) -> Int64Value:
        await work.load(met, A)
        work.record(met, A, "320400", [MET, replace(MET, name="王芳")])
        return Int64Value()

    await handler.execute(call(), work, Int64Value)
    assert await handler.load(met, A) == (("李娜", "王芳"), 2)
    handler.forget(A)
    assert await handler.load(met, A) == (("李娜", "王芳"), 2)

    await keys.destroy(MET.person)
    handler.forget(A)
    assert await handler.load(met, A) == (("", ""), 2)
    await keys.close()
