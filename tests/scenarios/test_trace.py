"""One trace from the caller to the bank and back: the spans and logs of one whole life."""

import asyncio
import csv
import json
import re
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
from ltci.payment.v1 import payment_service_pb2 as pb
from ltci.payment.v1 import payment_types_pb2 as types

from cli.connect import Connection
from cli.people import person_id
from infra.embedded.stack import ClockSettings, Stack
from kernel import telemetry
from kernel.clock import SHANGHAI
from kernel.config import COLLECTOR, Settings
from tests.scenarios.running import ROOT, business_day, ltci, wait_until
from tests.support.otlp import Collector, SeenSpan, collector

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

CARED_FOR = "320402194506161096"  # by the family: paid every month
PROVIDER = "52320402MA1EXAMP1T"
POOL, MONTH = "320400", "2024-03"
PERSONAL = (CARED_FOR, "冯桂芳", "13900000008", "6222000010000008", "示例路9号")
CLOCK = ClockSettings(begins=datetime(2024, 1, 2, 8, tzinfo=SHANGHAI), speed=500_000)
FILES = ("providers", "persons", "contributions", "payees", "plans", "applications")
PROGRAMS = ("bank", "enrollment", "assessment", "provider", "payment", "worker")
SECONDS = 120.0  # for each step, on a busy machine
OPAQUE = re.compile(
    r"(beneficiary/[0-9]{6}/|assessment/|payment/|flag/|inspection/)[0-9a-f-]{36}"
    r"|(settlement|evidence)/[0-9]{6}/[0-9]{4}-[0-9]{2}|visit-exceptions/[0-9]{6}"
)

_PACKAGE = re.compile(r"ltci\.[a-z]+\.v1\.")
KINDS = {"application", "entitlement", "settlement", "instruction"}


@dataclass(frozen=True)
class Life:
    """What was seen of it."""

    seen: Collector
    logs: Mapping[str, str]
    person: str

    @cached_property
    def spans(self) -> list[SeenSpan]:
        return self.seen.spans

    def one(self, service: str, name: str) -> SeenSpan:
        return next(s for s in self.spans if s.service == service and s.name.endswith(name))

    def reached_from(self, span: SeenSpan) -> list[SeenSpan]:
        """The span and all that followed from it, by parents or links."""
        following: dict[str, list[SeenSpan]] = defaultdict(list)
        for one in self.spans:
            for before in (one.parent_id, *one.linked_spans):
                following[before].append(one)
        found, waiting = {span.span_id: span}, [span]
        while waiting:
            for one in following[waiting.pop().span_id]:
                if one.span_id not in found:
                    found[one.span_id] = one
                    waiting.append(one)
        return list(found.values())

    def way_to(self, span: SeenSpan) -> list[str]:
        """The names of all its parents, from the first caller on."""
        by_id = {one.span_id: one for one in self.spans}
        way = [span]
        while way[-1].parent_id:
            way.append(by_id[way[-1].parent_id])
        return [f"{one.service}: {_PACKAGE.sub('', one.name)}" for one in reversed(way)]

    def lines(self) -> Iterator[dict[str, Any]]:
        for program in PROGRAMS:
            yield from map(json.loads, self.logs[program].splitlines())


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    folder = tmp_path_factory.mktemp("trace")
    with collector() as seen:
        environment = {COLLECTOR: seen.endpoint}
        with Stack(folder / "data", CLOCK, say=lambda _: None, environment=environment) as stack:
            for name in FILES:
                file = _rows_of_one(name, folder)
                kind = ("import", name, file, "--follow", "--data", stack.folder)
                ltci(*kind, timeout=SECONDS, environment=environment)
            person = _ask(stack, lambda c: person_id(c, CARED_FOR))
            wait_until(lambda: _ask(stack, lambda c: _entitled(c, person)), "care", SECONDS)
            wait_until(lambda: business_day(stack.folder) > f"{MONTH}-31", "the month", SECONDS)
            settle = ("settle", POOL, MONTH, "--data", stack.folder)
            ltci(*settle, timeout=SECONDS, environment=environment)
            wait_until(lambda: _ask(stack, _paid), "the payment", SECONDS)
            wait_until(lambda: _kinds(seen) == KINDS, "the measures", SECONDS)
        logs = {log.stem: log.read_text() for log in (stack.folder / "logs").iterdir()}
        yield Life(seen, logs, person)


def _rows_of_one(name: str, folder: Path) -> Path:
    """The example's rows about the person, or about the provider of the care, of that year."""
    with (ROOT / "examples" / f"{name}.csv").open(newline="") as file:
        head, *rows = csv.reader(file)
    of_one = [row for row in rows if CARED_FOR in row or (name == "providers" and PROVIDER in row)]
    wanted = [row for row in of_one if not any(cell.startswith("2025-") for cell in row)]
    with (folder / f"{name}.csv").open("w", newline="") as file:
        csv.writer(file).writerows([head, *wanted])
    return folder / f"{name}.csv"


def _ask(stack: Stack, question: Callable[[Connection], Awaitable[Any]]) -> Any:
    """An answer of the stack; asked without a trace, so that only the caller's are there."""

    async def asked() -> Any:
        async with Connection(Settings.from_environment(stack.variables)) as connection:
            return await question(connection)

    with telemetry.unseen():
        return asyncio.run(asked())


def _kinds(seen: Collector) -> set[str]:
    return {point["kind"] for point in seen.points("ltci.states")}


async def _entitled(connection: Connection, person: str) -> bool:
    request = pb.GetEntitlementRequest(pool=POOL, person=person)
    entitlement = await connection.payment.GetEntitlement(request)
    return bool(entitlement.state == types.ENTITLEMENT_STATE_OPEN)


async def _paid(connection: Connection) -> bool:
    listed = await connection.payment.ListInstructions(pb.ListInstructionsRequest(pool=POOL))
    states = [instruction.state for instruction in listed.instructions]
    return states == [types.INSTRUCTION_STATE_PAID]


def test_every_span_has_its_parent(life: Life) -> None:
    known = {span.span_id for span in life.spans}
    orphans = [(s.service, s.name) for s in life.spans if s.parent_id and s.parent_id not in known]

    assert len(known) > 100
    assert orphans == []


def test_every_link_leads_to_a_span(life: Life) -> None:
    known = {span.span_id for span in life.spans}

    assert {linked for span in life.spans for linked in span.linked_spans} <= known


def test_an_application_leads_to_the_decision_about_eligibility(life: Life) -> None:
    caller = life.one("cli", "AssessmentService/SubmitApplication")
    reached = life.reached_from(caller)

    assert {(span.service, _PACKAGE.sub("", span.name)) for span in reached} >= {
        ("assessment", "AssessmentService/SubmitApplication"),
        ("assessment", "append"),
        ("assessment", "commit"),
        ("workflows", "trigger ApplicationSubmitted"),
        ("workflows", "RunWorkflow:BeneficiaryLifecycle"),
        ("workflows", "RunWorkflow:AssessDisability"),
        ("enrollment", "EnrollmentService/DecideEligibility"),
        ("enrollment", "append"),
    }
    decision = next(s for s in reached if s.name.endswith("EnrollmentService/DecideEligibility"))
    assert decision.trace_id == caller.trace_id


def test_a_command_is_where_a_trace_begins(life: Life) -> None:
    roots = {span.name for span in life.spans if span.service == "cli" and not span.parent_id}

    assert roots == {"ltci settle", *(f"ltci import {name}" for name in FILES)}


def test_a_settlement_leads_to_the_bank_and_back(life: Life) -> None:
    way = life.way_to(life.one("bank", "BankService/CreatePayment"))

    assert [step for step in way if not step.startswith("workflows: Start")] == [
        "cli: ltci settle",
        "cli: PaymentService/OpenSettlement",
        "payment: PaymentService/OpenSettlement",
        "payment: append",
        "workflows: trigger SettlementOpened",
        "workflows: RunActivity:payment.CloseSettlement",
        "workflows: PaymentService/CloseSettlement",
        "payment: PaymentService/CloseSettlement",
        "payment: append",
        "workflows: trigger SettlementClosed",
        "workflows: RunActivity:payment.SendInstructions",
        "workflows: PaymentService/SendInstructions",
        "payment: PaymentService/SendInstructions",
        "payment: BankService/CreatePayment",
        "bank: BankService/CreatePayment",
    ]


def test_processes_run_in_the_trace_of_their_cause(life: Life) -> None:
    reached = {s.name for s in life.reached_from(life.one("cli", "PaymentService/OpenSettlement"))}

    assert {"RunWorkflow:SettleMonth", "RunWorkflow:PayInstructions"} <= reached


def test_no_span_tells_who_it_is(life: Life) -> None:
    for span in life.spans:
        told = f"{span.service} {span.text}"
        assert not [personal for personal in PERSONAL if personal in told], span.name


def test_no_log_tells_who_it_is(life: Life) -> None:
    for name, text in life.logs.items():
        assert not [personal for personal in PERSONAL if personal in text], name


def test_ids_of_processes_are_opaque(life: Life) -> None:
    ids = {
        s.attributes["temporalWorkflowID"]
        for s in life.spans
        if "temporalWorkflowID" in s.attributes
    }

    assert len(ids) >= 4
    assert [one for one in ids if not OPAQUE.fullmatch(one)] == []


def test_logs_are_lines_of_json_that_name_traces_and_the_case(life: Life) -> None:
    lines = list(life.lines())
    traces = {line["trace_id"] for line in lines if "trace_id" in line}

    assert {line["service"] for line in lines} == {*PROGRAMS, "workflows"} - {"worker"}
    assert traces
    assert traces <= {span.trace_id for span in life.spans}
    assert life.person in {line.get("case") for line in lines if "trace_id" in line}


def test_measures_arrive(life: Life) -> None:
    lags = life.seen.points("ltci.feed.lag")
    states = {(point["kind"], point["state"]) for point in life.seen.points("ltci.states")}

    assert life.seen.metrics >= {
        "ltci.rpc.duration",
        "ltci.append.duration",
        "ltci.feed.lag",
        "ltci.states",
        "ltci.workflows.running",
        "ltci.clocks.overdue",
    }
    assert {(lag["reader"], lag["source"]) for lag in lags} >= {
        ("facts", "assessment"),
        ("instructions", "payment"),
        ("triggers", "assessment"),
    }
    assert {("application", "delivered"), ("entitlement", "open")} <= states
    assert {kind for kind, _ in states} == KINDS
