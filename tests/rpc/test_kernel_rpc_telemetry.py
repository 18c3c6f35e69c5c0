"""One trace goes from the caller through the call; logs and spans hold nothing personal."""

import asyncio
import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from kernel import telemetry
from kernel.config import SettingMissing, Settings
from kernel.ids import derive
from kernel.refusal import Refused
from kernel.rpc.channel import call
from tests.rpc.wire import Pack, all_of, plain_channel, wire
from tests.support.otlp import Collector, collector

ROOT = Path(__file__).resolve().parents[2]
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def seen() -> Iterator[Collector]:
    with collector() as running:
        telemetry.setup("payment", otlp_endpoint=running.endpoint)
        yield running
        telemetry.shutdown()


async def spans(seen: Collector, *names: str) -> dict[str, Any]:
    found = await asyncio.to_thread(seen.wait_for, lambda s: {x.name for x in s} >= set(names))
    return {span.name: span for span in found}


async def traceparents(request: Pack, context: Any) -> Pack:
    return Pack(hash=telemetry.current_traceparent())


async def test_a_call_belongs_to_the_trace_of_its_caller(seen: Collector) -> None:
    async with wire(traceparents) as w:
        with telemetry.span("caller"):
            here = telemetry.current_traceparent()
            there = [
                await call(w.one, Pack(), actor="office"),
                *await all_of(w.spread(Pack())),
                await w.gather(one_item()),
                *await all_of(w.chat(one_item())),
            ]
    by_name = await spans(seen, "caller", "test.v1.Echo/Chat", "test.v1.Echo/One")

    assert {answer.hash.split("-")[1] for answer in there} == {here.split("-")[1]}
    assert {span.trace_id for span in by_name.values()} == {here.split("-")[1]}
    assert by_name["test.v1.Echo/Chat"].parent_id == by_name["caller"].span_id


async def test_the_traceparent_of_any_client_is_taken_up(seen: Collector) -> None:
    async with wire(traceparents) as w, plain_channel(w) as plain:
        one = plain.unary_unary("/test.v1.Echo/One", Pack.SerializeToString, Pack.FromString)
        answer = await one(Pack(), metadata=(("traceparent", PARENT),))
    by_name = await spans(seen, "test.v1.Echo/One")

    assert answer.hash.split("-")[1] == PARENT.split("-")[1]
    assert by_name["test.v1.Echo/One"].parent_id == PARENT.split("-")[2]


async def test_a_refusal_is_an_answer_and_a_fault_marks_the_span(seen: Collector) -> None:
    async def behave(request: Pack, context: Any) -> Pack:
        raise Refused("NO") if request.pool == "refuse" else RuntimeError("of 张三")

    async with wire(behave) as w, plain_channel(w) as plain:
        for name, pool in (("One", "refuse"), ("Gather", "")):
            kind: Any = plain.unary_unary if name == "One" else plain.stream_unary
            method = kind(f"/test.v1.Echo/{name}", Pack.SerializeToString, Pack.FromString)
            with pytest.raises(Exception, match=r"a rule forbids it|on our side"):
                await method(Pack(pool=pool) if name == "One" else one_item())
    by_name = await spans(seen, "test.v1.Echo/One", "test.v1.Echo/Gather")

    refused, fault = by_name["test.v1.Echo/One"], by_name["test.v1.Echo/Gather"]
    assert (refused.attributes["rpc.grpc.status_code"], refused.failed) == ("9", False)
    assert (fault.attributes["rpc.grpc.status_code"], fault.failed) == ("13", True)
    assert "张三" not in repr(by_name)
    assert fault.events == ()


async def test_a_span_can_continue_and_link_other_traces(seen: Collector) -> None:
    with telemetry.span("batch", links=[PARENT, "broken"], pool="320400"):
        pass
    with telemetry.span_from(PARENT, "follow"):
        inside = telemetry.current_traceparent()
    by_name = await spans(seen, "batch", "follow")

    assert by_name["batch"].linked_traces == (PARENT.split("-")[1],)
    assert by_name["batch"].attributes == {"pool": "320400"}
    assert inside.split("-")[1] == PARENT.split("-")[1]


async def test_the_text_of_an_error_stays_here_whoever_made_the_span(seen: Collector) -> None:
    with pytest.raises(ValueError, match="张三"), telemetry.tracer().start_as_current_span("other"):
        raise ValueError("of 张三")
    by_name = await spans(seen, "other")

    assert by_name["other"].failed
    assert "ValueError" in by_name["other"].text
    assert "张三" not in by_name["other"].text


def test_the_case_is_an_opaque_id_or_nothing() -> None:
    opaque = str(derive("person", "a"))

    assert telemetry.case_in(SimpleNamespace(person=opaque)) == opaque
    assert telemetry.case_in(SimpleNamespace(person="11010519491231002X")) == ""
    assert telemetry.case_in(Pack(hash=opaque)) == ""


async def one_item() -> Any:
    yield Pack()


def test_a_program_that_lives_a_moment_is_seen_whole_with_its_measures() -> None:
    program = (
        "from kernel import telemetry\n"
        "telemetry.setup('short')\n"
        "telemetry.APPEND_SECONDS.record(0.01)\n"
        "with telemetry.span('life'): pass\n"
        "telemetry.shutdown()\n"
    )
    with collector() as seen:
        environment = {**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": seen.endpoint}
        done = subprocess.run(
            [sys.executable, "-c", program],
            cwd=ROOT,
            env=environment,
            check=True,
            timeout=30,
            capture_output=True,
        )
        [span] = seen.spans

    assert (span.service, span.name) == ("short", "life")
    assert "ltci.append.duration" in seen.metrics
    assert done.stderr == b""


def test_without_a_collector_spans_still_have_ids() -> None:
    telemetry.setup("payment")
    assert telemetry.current_traceparent() == ""
    with telemetry.span("work"):
        assert telemetry.current_traceparent().split("-")[1] == telemetry.current_trace_id()


def test_a_log_line_names_trace_and_case_and_masks_what_looks_personal() -> None:
    telemetry.setup("payment")
    record = logging.LogRecord(
        "ltci", logging.INFO, "", 0, "number %s, phone 13812345678", ("11010519491231002X",), None
    )
    record.facts = {"position": 7, "heard": "of 13812345678"}
    with telemetry.span("work"), telemetry.case_scope("case-1"):
        line = json.loads(telemetry.JsonLines("payment").format(record))
        assert line["trace_id"] == telemetry.current_trace_id()

    assert line["message"] == "number ***, phone ***"
    assert (line["level"], line["service"], line["case"]) == ("info", "payment", "case-1")
    assert (line["position"], line["heard"]) == (7, "of ***")
    assert line["time"].endswith("+00:00")


def test_ids_and_amounts_are_not_taken_for_persons() -> None:
    kept = "5f0c7a8e-1234-8123-8123-123456789012 320400 20240301 1250000 fen"
    assert telemetry.masked(kept) == kept


def test_a_missing_setting_is_named_in_one_line() -> None:
    settings = Settings.from_environment({"LTCI_DATABASE_URL": " ", "HOME": "/root"})

    with pytest.raises(SettingMissing, match=r"^LTCI_DATABASE_URL is not set: .+$") as missing:
        _ = settings.database_url
    assert missing.value.variable == "LTCI_DATABASE_URL"


def test_settings_have_defaults_on_this_machine_and_hide_their_secrets() -> None:
    settings = Settings.from_environment({"LTCI_DATABASE_URL": "postgresql://u:secret@h/d"})

    assert settings.database_url == "postgresql://u:secret@h/d"
    assert "secret" not in repr(settings)
    assert settings.temporal_namespace == "default"
    assert settings.clock_file is None
    assert settings.rules_folder == ROOT / "rules"
    assert list(settings.service_addresses.values()) == [
        f"127.0.0.1:{port}" for port in (7501, 7502, 7503, 7504)
    ]
