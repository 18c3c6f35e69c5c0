"""The wire over a real event store: what was appended is what readers get."""

import asyncio
from typing import Any

from ltci.events.v1 import feed_pb2, feed_pb2_grpc

from infra.embedded.postgres import EmbeddedPostgres
from kernel.clock import Clock
from kernel.eventstore.postgres import EventStore
from kernel.ids import derive
from kernel.rpc.call import call_of
from tests.rpc.wire import Pack, all_of, echo, problem, wire
from tests.support.appends import TRACE, new_stream, numbered
from tests.support.postgres import fresh_database


async def test_readers_get_what_was_appended_and_what_is_appended_next(database_url: str) -> None:
    store = await EventStore.open(database_url, "payment", clock=Clock())
    try:
        await store.bulk_append(numbered(700))
        async with wire(echo, feed_store=store) as w:
            stub: Any = feed_pb2_grpc.EventFeedServiceStub(w.channel)
            head = await stub.GetHead(feed_pb2.GetHeadRequest())
            request = feed_pb2.SubscribeEventsRequest(after_position=600, epoch=head.epoch)
            call = stub.SubscribeEvents(request)
            batches = aiter(call)
            old = await anext(batches)
            await store.append(new_stream(b"next"))
            new = await asyncio.wait_for(anext(batches), 10)
            call.cancel()
            alone = await stub.ReadEvents(feed_pb2.ReadEventsRequest(positions=[701]))
            request.epoch = str(derive("restored"))
            told = await problem(all_of(stub.SubscribeEvents(request)))
    finally:
        await store.close()

    assert [event.position for event in old.events] == list(range(601, 701))
    assert [event.payload for event in new.events] == [b"next"]
    assert alone.events == new.events
    assert new.events[0].traceparent == TRACE
    assert told.reason == "HISTORY_DIFFERS"


async def test_a_database_that_is_away_is_told_as_such(postgres: EmbeddedPostgres) -> None:
    store = await EventStore.open(await fresh_database(postgres), "payment", clock=Clock())
    await store.close()

    async def behave(request: Pack, context: Any) -> Pack:
        await store.read_stream(derive("any"))
        return request

    async with wire(behave) as w:
        told = await problem(w.gather(iter([Pack()])))

    assert (told.code, told.reason) == ("UNAVAILABLE", "UNAVAILABLE")
    assert told.retry_after is not None


async def test_a_write_is_named_by_its_request_on_the_wire() -> None:
    async def behave(request: Pack, context: Any) -> Pack:
        call = call_of(feed_pb2.RecordedEvent(request_id=request.hash), context)
        return Pack(hash=str(call.request_id), pool=call.actor)

    async with wire(behave) as w:
        answer = await w.one(Pack(hash=str(derive("r"))), metadata=(("ltci-actor", "office"),))
        told = await problem(w.one(Pack(hash="none")))

    assert (answer.hash, answer.pool) == (str(derive("r")), "office")
    assert [violation.field for violation in told.violations] == ["request_id"]
