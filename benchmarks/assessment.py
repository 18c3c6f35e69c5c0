"""How many assessments a second are carried to their delivery, against a bare workflow.

`AssessDisability` runs on the real embedded Temporal server with the real worker; its services
answer from memory, so that nothing but the process is measured. The bare workflow has as many
activities, timers and signals, no search attributes, no clock, no payloads worth the name; both
run in the same program, in turns, and their ratio says what our processes cost on top of Temporal.
Processor time, of this program and of the server together, says the same on a machine where others
work too.

    python -m benchmarks assessment [WORKFLOWS [ROUNDS]]
"""

import asyncio
import json
import os
import shutil
import statistics
import tempfile
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from temporalio import activity
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowHandle, WorkflowHistory
from temporalio.worker import PollerBehaviorSimpleMaximum, Worker

from benchmarks._bare_workflow import Bare, BareServices, Case, Part, Steps
from benchmarks.append import free_port
from infra.embedded.temporal import EmbeddedTemporal
from kernel.clock import SHANGHAI, BusinessClock, Clock
from kernel.ids import derive
from workflows.activities.assessment import Application, ApplicationStep, ClockNote, Deadline
from workflows.activities.clock import ClockReading
from workflows.activities.enrollment import Eligibility, EligibilityQuestion
from workflows.assess_disability import FIRST, AssessDisability
from workflows.messages import Assessment, FactNotice, Outcome
from workflows.search_attributes import about
from workflows.worker import GRACE, IN_MEMORY, POLLERS, connect, make_worker

WORKFLOWS = 200
ROUNDS = 3
AT_ONCE = 80  # cases under way
AIM = 0.8
# A business day lasts so long, and the publicity ends with it: after any part of it, which the bare
# timers do as well. The looks that a process takes without news, five days apart, lie beyond the
# measured time.
DAY_SECONDS = 6.0
PARTS_OF_A_DAY = 8
SIGNALS = ("OnSiteAssessed", "ConclusionConfirmed")
POOL, DAY = "320400", "2024-01-01"
BARE_QUEUE, QUEUE = "bare", "assessments"


@dataclass
class Services:
    """What an assessment asks of the services, answered from memory."""

    clock: BusinessClock
    real: Clock
    steps: Steps = field(default_factory=Steps)
    applications: dict[str, Application] = field(default_factory=dict)

    def today(self) -> date:
        return self.clock.business_at(self.real.real_now()).date()

    def submit(self, application: str) -> None:
        self.applications[application] = Application(
            application=application,
            state="ACCEPTED",
            application_date=DAY,
            deadlines=[Deadline("CONCLUSION", "2034-01-01", "2033-12-01")],
        )

    def confirm(self, application: str) -> None:
        self.put(
            application,
            state="CONFIRMED",
            grade=3,
            grade_eligible=True,
            conclusion_date=str(self.today()),
            deadlines=[Deadline("PUBLICATION", "2034-01-01", "2033-12-01")],
        )

    def put(self, application: str, **changes: Any) -> Application:
        self.applications[application] = replace(self.applications[application], **changes)
        return self.applications[application]

    @activity.defn(name="clock.Read")
    async def read_clock(self) -> ClockReading:
        clock = self.clock
        return ClockReading(
            clock.real_origin.timestamp(), clock.business_origin.timestamp(), clock.speed
        )

    @activity.defn(name="enrollment.DecideEligibility")
    async def decide_eligibility(self, asked: EligibilityQuestion) -> Eligibility:
        self.steps.done(asked.person)
        return Eligibility("decision", eligible=True, reasons=[])

    @activity.defn(name="assessment.GetApplication")
    async def get_application(self, application: str) -> Application:
        self.steps.done(application)
        return self.applications[application]

    @activity.defn(name="assessment.PublishConclusion")
    async def publish_conclusion(self, asked: ApplicationStep) -> Application:
        end = self.today()
        return self.put(
            asked.application,
            state="PUBLISHED",
            publicity_end_date=str(end),
            deadlines=[
                Deadline("PUBLICITY", str(end), period=True),
                Deadline("DELIVERY", "2034-01-01", "2033-12-01"),
            ],
        )

    @activity.defn(name="assessment.DeliverConclusion")
    async def deliver_conclusion(self, asked: ApplicationStep) -> Application:
        return self.put(asked.application, state="DELIVERED", deadlines=[])

    @activity.defn(name="assessment.NoteClock")
    async def note_clock(self, asked: ClockNote) -> list[Deadline]:
        return self.applications[asked.application].deadlines

    def activities(self) -> list[Callable[..., Any]]:
        return [
            self.read_clock,
            self.decide_eligibility,
            self.get_application,
            self.publish_conclusion,
            self.deliver_conclusion,
            self.note_clock,
        ]


class Kind(ABC):
    """One kind of workflow, and how a case of it is lived."""

    name: str

    def __init__(self, client: Client) -> None:
        self.client = client
        self.rates: list[float] = []  # workflows a second
        self.cpu_ms: list[float] = []  # of this program and the server, a workflow

    def name_of(self, number: int) -> str:
        return str(derive("benchmark", self.name, str(len(self.rates)), str(number)))

    async def one(self) -> list[str]:
        """Lives a case alone, for its history: the names of its events."""
        handle = await self.live(self.name_of(-1))
        return event_names(await handle.fetch_history())

    async def measure(self, cases: int, server_pid: int) -> None:
        """Lives so many cases; as one ends the next begins."""
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(number: int) -> None:
            async with gate:
                await self.live(self.name_of(number))

        began, cpu = time.perf_counter(), _cpu_seconds(server_pid)
        await asyncio.gather(*(one(number) for number in range(cases)))
        self.rates.append(cases / (time.perf_counter() - began))
        self.cpu_ms.append((_cpu_seconds(server_pid) - cpu) * 1000 / cases)

    @abstractmethod
    async def live(self, name: str) -> WorkflowHandle[Any, Any]:
        """One case from its start to its end."""


class Assessments(Kind):
    name = "AssessDisability"

    def __init__(self, client: Client, services: Services) -> None:
        super().__init__(client)
        self.services = services

    async def live(self, name: str) -> WorkflowHandle[Any, Any]:
        """Applied for, visited, confirmed, public for its days, delivered."""
        self.services.submit(name)
        asked = Assessment(name, POOL, name, DAY)
        handle: WorkflowHandle[Any, Any] = await self.client.start_workflow(
            AssessDisability.run,
            asked,
            id=f"assessment/{name}",
            task_queue=QUEUE,
            search_attributes=about(POOL, name, state=FIRST[0], waits_for=FIRST[1]),
        )
        await self.services.steps.reached(name, 2)
        for position, event in enumerate(SIGNALS, start=1):
            if event == "ConclusionConfirmed":
                self.services.confirm(name)
            notice = FactNotice("assessment", position, event, name)
            await handle.signal("progress", notice)
            await self.services.steps.reached(name, 2 + position)
        outcome: Outcome = await handle.result()
        if outcome.state != "DELIVERED":
            raise AssertionError(f"{name} ended {outcome.state}")
        return handle


class Bares(Kind):
    name = "bare workflow"

    def __init__(self, client: Client, services: BareServices, parts: list[Part]) -> None:
        super().__init__(client)
        self.services = services
        self.parts = parts
        self._cases = count()

    async def live(self, name: str) -> WorkflowHandle[Any, Any]:
        timers = sum(part.waits_for == "timer" for part in self.parts)
        until_evening = (next(self._cases) % PARTS_OF_A_DAY + 0.5) / PARTS_OF_A_DAY * DAY_SECONDS
        case = Case(name, self.parts, until_evening / max(1, timers))
        handle: WorkflowHandle[Any, Any] = await self.client.start_workflow(
            Bare.run, case, id=f"bare/{name}", task_queue=BARE_QUEUE
        )
        before = 0
        for part in self.parts:
            if part.waits_for == "signal":
                await self.services.steps.reached(name, before)
                await handle.signal("signal", 1)
            before += part.activities
        await handle.result()
        return handle


def _cpu_seconds(server_pid: int) -> float:
    """Processor time of this program and of the server so far."""
    told = Path(f"/proc/{server_pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    server = (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")
    return time.process_time() + server


def event_names(history: WorkflowHistory) -> list[str]:
    return [
        EventType.Name(event.event_type).removeprefix("EVENT_TYPE_") for event in history.events
    ]


def parts_of(names: list[str]) -> list[Part]:
    """What a history waits for, and how many activities follow each time."""
    waits = {"WORKFLOW_EXECUTION_SIGNALED": "signal", "TIMER_FIRED": "timer"}
    parts = [Part("", 0)]
    for name in names:
        if name in waits:
            parts.append(Part(waits[name], 0))
        if name == "ACTIVITY_TASK_SCHEDULED":
            parts[-1] = Part(parts[-1].waits_for, parts[-1].activities + 1)
    return parts


async def run(address: str, server_pid: int, cases: int, rounds: int) -> dict[str, Any]:
    client = await connect(address, "default")
    bare_client = await Client.connect(address)
    clock = Clock(None)
    services = Services(
        BusinessClock(
            real_origin=clock.real_now(),
            business_origin=datetime.fromisoformat(DAY).replace(tzinfo=SHANGHAI),
            speed=timedelta(days=1).total_seconds() / DAY_SECONDS,
        ),
        clock,
    )
    bare_services = BareServices()
    pollers = PollerBehaviorSimpleMaximum(POLLERS)
    bare_worker = Worker(
        bare_client,
        task_queue=BARE_QUEUE,
        workflows=[Bare],
        activities=[bare_services.step],
        max_cached_workflows=IN_MEMORY,
        workflow_task_poller_behavior=pollers,
        activity_task_poller_behavior=pollers,
        graceful_shutdown_timeout=GRACE,
    )
    async with make_worker(client, services.activities(), QUEUE), bare_worker:
        ours = Assessments(client, services)
        names = await ours.one()
        bare = Bares(bare_client, bare_services, parts_of(names))
        bare_names = await bare.one()
        for _ in range(rounds):
            for kind in (bare, ours):
                await kind.measure(cases, server_pid)
                print(f"  {kind.name}: {kind.rates[-1]:.1f} a second", flush=True)
    return {
        "events": {ours.name: Counter(names), bare.name: Counter(bare_names)},
        "rates": {kind.name: kind.rates for kind in (bare, ours)},
        "cpu_ms": {kind.name: kind.cpu_ms for kind in (bare, ours)},
    }


def main(arguments: list[str]) -> None:
    cases = int(arguments[0]) if arguments else WORKFLOWS
    rounds = int(arguments[1]) if len(arguments) > 1 else ROUNDS
    folder = Path(tempfile.mkdtemp(prefix="ltci-bench-"))
    server = EmbeddedTemporal(folder / "data", free_port(), None, folder / "temporal.log")
    try:
        server.start()
        server.wait_ready()
        told = asyncio.run(run(server.address, server.pid or 0, cases, rounds))
    finally:
        server.stop()
        shutil.rmtree(folder)
    show(told, cases)


def show(told: dict[str, Any], cases: int) -> None:
    medians = {name: statistics.median(rates) for name, rates in told["rates"].items()}
    table = Table(
        title=f"Workflows carried to their end, {AT_ONCE} at once, server on this machine"
    )
    cpu = {name: statistics.median(spent) for name, spent in told["cpu_ms"].items()}
    for column in (
        "",
        "a second",
        "cpu, ms",
        "events",
        "activities",
        "timers",
        "signals",
        "attributes",
    ):
        table.add_column(column, justify="right" if column else "left")
    for name, median in medians.items():
        events = told["events"][name]
        table.add_row(
            name,
            f"{median:.1f}",
            f"{cpu[name]:.0f}",
            str(events.total()),
            *(
                str(events[one])
                for one in (
                    "ACTIVITY_TASK_SCHEDULED",
                    "TIMER_STARTED",
                    "WORKFLOW_EXECUTION_SIGNALED",
                    "UPSERT_WORKFLOW_SEARCH_ATTRIBUTES",
                )
            ),
        )
    Console(width=110).print(table)
    ratio = medians[Assessments.name] / medians[Bares.name]
    cpu_ratio = cpu[Bares.name] / cpu[Assessments.name]
    print(f"ratio {ratio:.2f} (aim: at least {AIM}); by processor time {cpu_ratio:.2f}")
    output = Path("build/bench/assessment.json")
    output.parent.mkdir(parents=True, exist_ok=True)
    written = {
        "cores": os.cpu_count(),
        "workflows": cases,
        "at_once": AT_ONCE,
        "workflows_per_second": {name: round(rate, 1) for name, rate in medians.items()},
        "ratio": round(ratio, 2),
        "cpu_ratio": round(cpu_ratio, 2),
        "aim": AIM,
        **told,
    }
    output.write_text(json.dumps(written, indent=2) + "\n")
    print(f"written to {output}")
