"""What a caller is told when a call does not succeed."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import grpc
import pytest
from ltci.events.v1 import feed_pb2

from kernel import telemetry
from kernel.eventstore.errors import (
    HistoryDiffers,
    StoreOverloaded,
    StoreUnavailable,
    VersionConflict,
)
from kernel.ids import derive
from kernel.refusal import Invalid, NotFound, Refused, RequestReused, Violation
from kernel.rpc.malformed import violation_in
from kernel.rpc.server import LARGEST_REQUEST
from tests.rpc.wire import Pack, all_of, echo, plain_channel, problem, wire
from tests.support.memory_feed import MemoryFeed

IDENTITY = "11010519491231002X"


def raising(error: Exception) -> Any:
    async def behave(request: Pack, context: Any) -> Pack:
        raise error

    return behave


async def test_a_refusal_tells_its_reason_and_its_facts() -> None:
    async with wire(raising(Refused("BILL_NOT_SUBMITTED", month="2024-03"))) as w:
        told = await problem(w.one(Pack()))

    assert told.code == "FAILED_PRECONDITION"
    assert told.reason == "BILL_NOT_SUBMITTED"
    assert told.domain == "payment.ltci"
    assert told.metadata == {"month": "2024-03"}
    assert told.is_refusal
    assert told.retry_after is None
    assert "2024-03" in told.text("en")
    assert "不能办理" in told.text("zh")


async def test_bad_input_names_every_field_in_both_languages() -> None:
    violations = [
        Violation("person.name", "REQUIRED", "must be given", "必填"),
        Violation("first_date", "NOT_A_DATE", "must be a day", "应为日期"),
    ]
    async with wire(raising(Invalid(violations))) as w:
        told = await problem(w.one(Pack()))

    assert told.code == "INVALID_ARGUMENT"
    assert told.reason == "REQUIRED"
    assert list(told.violations) == violations
    assert told.text("zh") == "person.name：必填\nfirst_date：应为日期"


async def test_a_thousand_bad_fields_still_fit_the_answer() -> None:
    many = [
        Violation(f"rows[{n}].care_date", "NOT_A_DATE", "x" * 90, "应" * 90) for n in range(999)
    ]
    async with wire(raising(Invalid(many))) as w, plain_channel(w) as plain:
        one = plain.unary_unary("/test.v1.Echo/One", Pack.SerializeToString, Pack.FromString)
        for _ in range(20):  # too large headers would be refused now and then
            told = await problem(one(Pack()))
            assert told.code == "INVALID_ARGUMENT"

    assert told.metadata["violations"] == "999"
    assert told.violations == tuple(many[: len(told.violations)])
    assert len(told.violations) > 5


@pytest.mark.parametrize(
    ("error", "code", "reason", "again"),
    [
        (NotFound("CarePlan", "7"), "NOT_FOUND", "CARE_PLAN_UNKNOWN", False),
        (RequestReused(), "ALREADY_EXISTS", "REQUEST_ID_REUSED", False),
        (VersionConflict(derive("s"), 1, 2), "ABORTED", "VERSION_CONFLICT", True),
        (StoreOverloaded(), "RESOURCE_EXHAUSTED", "OVERLOADED", True),
        (StoreUnavailable(), "UNAVAILABLE", "UNAVAILABLE", True),
        (HistoryDiffers(), "FAILED_PRECONDITION", "HISTORY_DIFFERS", False),
        (asyncpg.ConnectionDoesNotExistError(), "UNAVAILABLE", "UNAVAILABLE", True),
        (asyncpg.InterfaceError("pool is closing"), "UNAVAILABLE", "UNAVAILABLE", True),
        (ConnectionRefusedError(), "UNAVAILABLE", "UNAVAILABLE", True),
        (asyncpg.InterfaceError("another operation is in progress"), "INTERNAL", "INTERNAL", False),
        (ValueError("x"), "INTERNAL", "INTERNAL", False),
    ],
)
async def test_each_kind_of_failure_has_its_code_and_says_whether_to_try_again(
    error: Exception, code: str, reason: str, again: bool
) -> None:
    async with wire(raising(error)) as w:
        told = await problem(w.gather(aiter_of(Pack())))

    assert (told.code, told.reason) == (code, reason)
    assert (told.retry_after is not None) == again
    assert told.message
    assert told.message_zh


async def test_a_fault_of_ours_tells_the_caller_a_trace_id_and_nothing_else(
    caplog: pytest.LogCaptureFixture,
) -> None:
    telemetry.setup("payment")
    with caplog.at_level(logging.ERROR):
        async with wire(raising(RuntimeError(f"secret of {IDENTITY}"))) as w:
            told = await problem(w.one(Pack()))

    assert "secret" not in repr(told)
    assert told.metadata["trace_id"] in told.text("en")
    [record] = [r for r in caplog.records if r.exc_info]
    line = json.loads(telemetry.JsonLines("payment").format(record))
    assert "RuntimeError: secret of ***" in line["exception"]
    assert line["method"] == "/test.v1.Echo/One"


async def test_every_kind_of_method_answers_and_refuses_alike() -> None:
    async def behave(request: Pack, context: Any) -> Pack:
        if request.pool == "bad":
            raise Refused("BAD")
        return request

    good, bad = Pack(pool="good"), Pack(pool="bad")
    async with wire(behave) as w:
        assert await w.one(good) == good
        assert await all_of(w.spread(good)) == [good] * 3
        assert await w.gather(aiter_of(good)) == good
        assert await all_of(w.chat(aiter_of(good, good))) == [good] * 2
        for answer in (
            w.one(bad),
            all_of(w.spread(bad)),
            w.gather(aiter_of(good, bad)),
            all_of(w.chat(aiter_of(good, bad))),
        ):
            assert (await problem(answer)).reason == "BAD"


async def test_text_that_is_not_utf8_is_the_callers_mistake_and_names_the_field() -> None:
    feed = MemoryFeed()
    async with wire(echo, feed_store=feed) as w:
        get_pack = w.channel.unary_unary(
            "/ltci.events.v1.EventFeedService/GetPack",
            request_serializer=lambda raw: raw,
            response_deserializer=feed_pb2.Pack.FromString,
        )
        told = await problem(get_pack(b"\x0a\x02\xff\xfe"))
        broken = await problem(get_pack(b"\x0a\x7fabc"))

    assert told.code == "INVALID_ARGUMENT"
    assert told.reason == "MALFORMED_REQUEST"
    assert [violation.field for violation in told.violations] == ["hash"]
    assert (broken.code, broken.reason) == ("INVALID_ARGUMENT", "MALFORMED_REQUEST")


async def test_unreadable_messages_are_refused_in_every_kind_of_method() -> None:
    async with wire(echo) as w:
        kinds = {
            "One": w.channel.unary_unary,
            "Spread": w.channel.unary_stream,
            "Gather": w.channel.stream_unary,
            "Chat": w.channel.stream_stream,
        }
        for name, kind in kinds.items():
            method: Any = kind(f"/test.v1.Echo/{name}", lambda raw: raw, Pack.FromString)
            raw = b"\x0a\x01\xff"
            call = method(raw if name in {"One", "Spread"} else aiter_of(raw))
            told = await problem(call if name in {"One", "Gather"} else all_of(call))
            assert (name, told.reason) == (name, "MALFORMED_REQUEST")


def test_the_broken_field_of_a_nested_message_is_named_with_its_path() -> None:
    raw = feed_pb2.ReadEventsResponse(
        events=[feed_pb2.RecordedEvent(position=3, pool="320400")]
    ).SerializeToString()
    broken = raw.replace(b"320400", b"3204\xff\xff")

    found = violation_in(broken, feed_pb2.ReadEventsResponse.DESCRIPTOR)

    assert found.field == "events.pool"


async def test_a_message_that_is_too_large_exhausts_the_limit() -> None:
    async with wire(echo) as w:
        told = await problem(w.one(Pack(content=b"x" * (LARGEST_REQUEST + 1))))

    assert told.code == "RESOURCE_EXHAUSTED"


async def test_a_call_without_a_deadline_gets_the_servers() -> None:
    async def sleep(request: Pack, context: Any) -> Pack:
        await asyncio.Event().wait()
        return request

    async with wire(sleep, default_deadline=0.05) as w, plain_channel(w) as plain:
        one = plain.unary_unary("/test.v1.Echo/One", Pack.SerializeToString, Pack.FromString)
        told = await problem(one(Pack()))

    assert (told.code, told.reason) == ("DEADLINE_EXCEEDED", "DEADLINE_EXCEEDED")


async def test_an_open_stream_is_not_cut_by_the_servers_deadline() -> None:
    async def slow(request: Pack, context: Any) -> Pack:
        await asyncio.sleep(0.05)
        return request

    async with wire(slow, default_deadline=0.05) as w:
        assert len(await all_of(w.spread(Pack()))) == 3


async def test_a_dead_server_is_explained_too() -> None:
    async with wire(echo) as w:
        port = w.running.port
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as gone:
        one = gone.unary_unary("/test.v1.Echo/One", Pack.SerializeToString, Pack.FromString)
        told = await problem(one(Pack(), timeout=5))

    assert told.code == "UNAVAILABLE"
    assert not told.is_refusal
    assert told.text("zh")


async def aiter_of(*items: Any) -> AsyncIterator[Any]:
    for item in items:
        yield item
