"""A server starts, says when it is ready, shows its events, and ends cleanly."""

import asyncio
import json
import signal
import sys
import textwrap
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from ltci.events.v1 import feed_pb2, feed_pb2_grpc

from kernel.ids import derive
from tests.rpc.wire import Wire, all_of, echo, plain_channel, problem, wire
from tests.support.memory_feed import MemoryFeed

ROOT = Path(__file__).resolve().parents[2]
FEED = "ltci.events.v1.EventFeedService"


def stub(w: Wire) -> Any:
    return feed_pb2_grpc.EventFeedServiceStub(w.channel)


async def test_health_says_serving_only_once_the_service_is_ready() -> None:
    async with wire(echo, feed_store=MemoryFeed()) as w:
        health: Any = health_pb2_grpc.HealthStub(w.channel)
        for name in ("", "test.v1.Echo", FEED):
            request = health_pb2.HealthCheckRequest(service=name)
            before = await health.Check(request)
            assert before.status == health_pb2.HealthCheckResponse.NOT_SERVING
        await w.running.set_ready()
        after = await health.Check(request)
        assert after.status == health_pb2.HealthCheckResponse.SERVING


async def test_a_watcher_of_health_sees_the_end_coming() -> None:
    async with wire(echo) as w:
        await w.running.set_ready()
        health: Any = health_pb2_grpc.HealthStub(w.channel)
        watch = aiter(health.Watch(health_pb2.HealthCheckRequest()))
        assert (await anext(watch)).status == health_pb2.HealthCheckResponse.SERVING
        await w.running.health.enter_graceful_shutdown()
        assert (await anext(watch)).status == health_pb2.HealthCheckResponse.NOT_SERVING


async def test_reflection_shows_the_services_and_their_messages() -> None:
    async with wire(echo, feed_store=MemoryFeed()) as w:
        reflection: Any = reflection_pb2_grpc.ServerReflectionStub(w.channel)  # type: ignore[arg-type]  # the stub's types know no aio
        asked = [
            reflection_pb2.ServerReflectionRequest(list_services=""),
            reflection_pb2.ServerReflectionRequest(file_containing_symbol=FEED),
        ]
        listed, described = await all_of(reflection.ServerReflectionInfo(iter(asked)))

    names = {service.name for service in listed.list_services_response.service}
    assert {"test.v1.Echo", FEED, "grpc.health.v1.Health"} <= names
    files = described.file_descriptor_response.file_descriptor_proto
    found = {FileDescriptorProto.FromString(raw).name for raw in files}
    assert "ltci/events/v1/feed.proto" in found


async def test_a_second_server_on_the_same_port_is_refused() -> None:
    async with wire(echo) as w:
        from kernel.rpc.server import start_server

        with pytest.raises(RuntimeError, match=str(w.running.port)):
            await start_server("payment", f"127.0.0.1:{w.running.port}", lambda _: [])


async def test_a_subscriber_gets_all_events_in_order_and_then_the_new_ones() -> None:
    feed = MemoryFeed()
    for _ in range(1200):
        feed.add()
    async with wire(echo, feed_store=feed) as w:
        call = stub(w).SubscribeEvents(feed_pb2.SubscribeEventsRequest(after_position=100))
        batches = aiter(call)
        positions: list[int] = []
        while len(positions) < 1100:
            batch = await anext(batches)
            assert len(batch.events) <= 500
            positions += [event.position for event in batch.events]
            assert batch.position == positions[-1]
        feed.add(payload=b"new")
        new = await anext(batches)
        call.cancel()

    assert positions == list(range(101, 1201))
    assert [(e.position, e.payload) for e in new.events] == [(1201, b"new")]
    assert new.epoch == str(feed.epoch)


async def test_personal_data_never_leaves_with_an_event() -> None:
    feed = MemoryFeed()
    recorded = feed.add(payload=b"clear")
    async with wire(echo, feed_store=feed) as w:
        request = feed_pb2.SubscribeEventsRequest(until_head=True)
        [batch] = await all_of(stub(w).SubscribeEvents(request))

    [event] = batch.events
    assert recorded.sealed is not None
    assert recorded.sealed not in event.SerializeToString()
    assert event.payload == b"clear"
    assert event.stream == str(recorded.stream)
    assert event.recorded_time.ToDatetime() == recorded.recorded_at.replace(tzinfo=None)
    assert event.actor == "office"


async def test_a_subscriber_of_some_types_still_learns_how_far_it_is() -> None:
    feed = MemoryFeed()
    feed.add("test.v1.Kept/1")
    for _ in range(5):
        feed.add("test.v1.Other/1")
    async with wire(echo, feed_store=feed) as w:
        request = feed_pb2.SubscribeEventsRequest(types=["test.v1.Kept/1"])
        call = stub(w).SubscribeEvents(request)
        batches = aiter(call)
        first = await anext(batches)
        feed.add("test.v1.Other/1")
        second = await anext(batches)
        call.cancel()

    assert ([e.position for e in first.events], first.position) == ([1], 6)
    assert (list(second.events), second.position) == ([], 7)


async def test_large_events_travel_in_small_messages() -> None:
    feed = MemoryFeed()
    for _ in range(10):
        feed.add(payload=b"x" * 700_000)
    async with wire(echo, feed_store=feed) as w, plain_channel(w) as plain:
        reader: Any = feed_pb2_grpc.EventFeedServiceStub(plain)
        request = feed_pb2.SubscribeEventsRequest(until_head=True)
        batches = [batch async for batch in reader.SubscribeEvents(request, timeout=10)]

    assert [e.position for b in batches for e in b.events] == list(range(1, 11))
    assert all(b.position == b.events[-1].position for b in batches)


async def test_a_cursor_of_another_history_is_refused() -> None:
    feed = MemoryFeed()
    feed.add()
    async with wire(echo, feed_store=feed) as w:
        for request in (
            feed_pb2.SubscribeEventsRequest(epoch=str(derive("other")), after_position=1),
            feed_pb2.SubscribeEventsRequest(after_position=2),  # beyond the end: lost events
        ):
            told = await problem(all_of(stub(w).SubscribeEvents(request)))
            assert (told.code, told.reason) == ("FAILED_PRECONDITION", "HISTORY_DIFFERS")


async def test_events_are_read_by_position_or_by_stream() -> None:
    feed = MemoryFeed()
    first, _, third = feed.add(), feed.add(person="b"), feed.add()
    async with wire(echo, feed_store=feed) as w:
        read = stub(w).ReadEvents
        by_position = await read(feed_pb2.ReadEventsRequest(positions=[3, 1, 99]))
        by_stream = await read(feed_pb2.ReadEventsRequest(stream=str(first.stream)))
        nothing = await problem(read(feed_pb2.ReadEventsRequest()))
        too_many = await problem(read(feed_pb2.ReadEventsRequest(positions=range(1001))))

    assert [e.position for e in by_position.events] == [1, 3]
    assert [e.version for e in by_stream.events] == [1, third.version]
    assert nothing.reason == "REQUIRED"
    assert too_many.reason == "OUT_OF_RANGE"


async def test_the_head_and_the_packs_are_told() -> None:
    feed = MemoryFeed()
    feed.add()
    feed.packs["a" * 64] = ("320400", b"{}")
    async with wire(echo, feed_store=feed) as w:
        head = await stub(w).GetHead(feed_pb2.GetHeadRequest())
        pack = await stub(w).GetPack(feed_pb2.GetPackRequest(hash="a" * 64))
        unknown = await problem(stub(w).GetPack(feed_pb2.GetPackRequest(hash="b" * 64)))

    assert (head.position, head.epoch) == (1, str(feed.epoch))
    assert (pack.pool, pack.content) == ("320400", b"{}")
    assert (unknown.code, unknown.reason) == ("NOT_FOUND", "PACK_UNKNOWN")


async def test_a_persons_events_come_in_pages() -> None:
    feed = MemoryFeed()
    for n in range(6):
        feed.add(person="ab"[n % 2])
    person = derive("person", "a")

    async def cases(person: Any, *, after: int, limit: int, **_bounds: Any) -> list[int]:
        found = [e.position for e in feed.events if e.stream == person and e.position > after]
        return found[:limit]

    async with wire(echo, feed_store=feed, cases=cases) as w:
        ask = stub(w).ListCaseEvents
        request = feed_pb2.ListCaseEventsRequest(person=str(person), page_size=2)
        first = await ask(request)
        request.page_token = first.next_page_token
        second = await ask(request)

    assert [e.position for e in first.events] == [1, 3]
    assert [e.position for e in second.events] == [5]
    assert second.next_page_token == ""


PROGRAM = textwrap.dedent("""
    import asyncio
    from kernel.rpc.server import run, serve

    async def ready():
        await asyncio.sleep({ready_after})

    run(serve("payment", "127.0.0.1:0", lambda server: [], feed_store=None, ready=ready))
""")


async def started(ready_after: float = 0) -> tuple[asyncio.subprocess.Process, dict[str, Any]]:
    program = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        PROGRAM.format(ready_after=ready_after),
        cwd=ROOT,
        stderr=asyncio.subprocess.PIPE,
    )
    assert program.stderr is not None
    return program, json.loads(await program.stderr.readline())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_the_program_cleanly_with_calls_open(number: signal.Signals) -> None:
    program, line = await started()
    assert (line["message"], line["service"]) == ("listening", "payment")
    async with grpc.aio.insecure_channel(line["address"]) as channel:
        health: Any = health_pb2_grpc.HealthStub(channel)
        watch = aiter(health.Watch(health_pb2.HealthCheckRequest()))
        while (await anext(watch)).status != health_pb2.HealthCheckResponse.SERVING:
            pass
        program.send_signal(number)
        _, rest = await asyncio.wait_for(program.communicate(), 4)  # streams are ended, not awaited

    assert program.returncode == 0
    assert [json.loads(text)["message"] for text in rest.splitlines()] == ["ready", "stopped"]


async def test_a_reader_of_events_is_sent_on_when_the_server_stops() -> None:
    async with wire(echo, feed_store=MemoryFeed()) as w:
        batches = aiter(stub(w).SubscribeEvents(feed_pb2.SubscribeEventsRequest()))
        await anext(batches)
        _, told = await asyncio.gather(w.running.stop(), problem(all_of(batches)))

    assert told.code == "UNAVAILABLE"
    assert told.retry_after is not None


async def test_a_program_that_never_gets_ready_still_ends_when_told() -> None:
    program, _ = await started(ready_after=3600)
    program.terminate()
    await asyncio.wait_for(program.communicate(), 10)

    assert program.returncode == 0
