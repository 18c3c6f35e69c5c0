"""Temporal for tests: a server whose time passes when told, and a small town to act in.

The town's services are real small implementations of what workflows ask for, kept in memory:
applications with their states, facts with their positions, an entitlement folded from facts, a
bank that can be silent. Business days begin on Monday, 1 January 2024, when the town is founded.
"""

import asyncio
import itertools
import json
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from temporalio import activity
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import WorkflowExecutionStatus as Status
from temporalio.api.workflow.v1 import WorkflowExecutionInfo
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionRequest
from temporalio.client import Client, Interceptor, WorkflowHandle
from temporalio.common import WorkflowIDReusePolicy
from temporalio.contrib.opentelemetry import TracingInterceptor
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment

from infra.embedded.temporal import EmbeddedTemporal, program
from kernel import telemetry
from kernel.clock import SHANGHAI, BusinessClock
from kernel.ids import derive
from tests.support.agreements import Agreements
from tests.support.collection import Collection
from tests.support.disputes import DisputeDesk
from tests.support.evidence import EvidenceRoom
from tests.support.inspections import InspectionDesk
from tests.support.postgres import free_port
from tests.support.queue import Queue
from workflows import search_attributes
from workflows.activities.assessment import (
    Application,
    ApplicationStep,
    ClockNote,
    Deadline,
    ReassessmentOrder,
    RefusalOrder,
    Withdrawal,
)
from workflows.activities.clock import ClockReading
from workflows.activities.enrollment import Eligibility, EligibilityQuestion
from workflows.activities.payment import (
    BatchStep,
    Computed,
    Entitlement,
    Progress,
    Review,
    Settlement,
    SettlementStep,
)
from workflows.assess_disability import AssessDisability
from workflows.beneficiary_lifecycle import BeneficiaryLifecycle
from workflows.decide_appeal import DecideAppeal
from workflows.messages import (
    AppealCase,
    Assessment,
    Beneficiary,
    Carried,
    FactNotice,
    Outcome,
    ReviewCase,
    Reviewed,
    Story,
)
from workflows.payloads import DATA_CONVERTER
from workflows.review_conclusion import ReviewConclusion
from workflows.timing import failure
from workflows.worker import make_worker

T = TypeVar("T")
POOL = "320400"
FOUNDED_AT = datetime(2024, 1, 1, tzinfo=SHANGHAI)  # a Monday
_towns = itertools.count(1)


@asynccontextmanager
async def skipping_server(
    *, identity: str | None = None, interceptors: Sequence[Interceptor] = ()
) -> AsyncIterator[WorkflowEnvironment]:
    """A server whose time is skipped wherever everybody waits."""
    async with await WorkflowEnvironment.start_time_skipping(
        test_server_existing_path=str(program("temporal-test-server")),
        data_converter=DATA_CONVERTER,
        identity=identity,
        interceptors=list(interceptors),
    ) as environment:
        await search_attributes.register(environment.client)
        yield environment


@pytest.fixture
async def skipping() -> AsyncIterator[WorkflowEnvironment]:
    """One for each test: what a test leaves unfinished would hold the next one's time."""
    async with skipping_server() as environment:
        yield environment


@pytest.fixture
async def town(skipping: WorkflowEnvironment) -> AsyncIterator["Town"]:
    async with Town.found(skipping) as town:
        yield town


@pytest.fixture
async def town_with_traces() -> AsyncIterator["Town"]:
    telemetry.setup("workflows")
    tracing = TracingInterceptor(telemetry.tracer())
    async with skipping_server(interceptors=[tracing]) as server, Town.found(server) as town:
        yield town


@pytest.fixture(scope="session")
def dev_server() -> Iterator[EmbeddedTemporal]:
    """The embedded server, for what the time-skipping one does not have."""
    folder = Path(tempfile.mkdtemp(prefix="ltci-temporal-"))
    server = EmbeddedTemporal(folder / "data", free_port(), None, folder / "temporal.log")
    try:
        server.start()
        server.wait_ready()
        yield server
        assert server.alive(), f"it ended by itself:\n{server.log_file.read_text()}"
    finally:
        server.stop()
        shutil.rmtree(folder)


async def eventually(look: Callable[[], Awaitable[T]], good: Callable[[T], bool]) -> T:
    """What `look` sees once it is good; fails with what it saw last after ten real seconds."""
    for _ in range(500):
        seen = await look()
        if good(seen):
            return seen
        await asyncio.sleep(0.02)
    raise AssertionError(f"it stayed {seen}")


@dataclass(frozen=True)
class Fact:
    """Something a service recorded about a person."""

    service: str
    position: int
    event: str
    day: str
    grade: int = 0
    eligible: bool = False
    valid_until: str = ""


@dataclass
class Instruction:
    """A payment at the bank. `fates` is what happens to it, step by step."""

    fates: list[str]
    state: str = "INSTRUCTED"


@dataclass
class Town:
    """The services of one pool, and the days that pass there."""

    environment: WorkflowEnvironment
    task_queue: str
    clock: BusinessClock
    applications: dict[str, Application] = field(default_factory=dict)
    persons: dict[str, str] = field(default_factory=dict)  # by application
    insured: bool = True
    standing: dict[str, tuple[str, date]] = field(default_factory=dict)  # reason, since when
    stood: dict[str, timedelta] = field(default_factory=dict)  # by application
    noted: dict[tuple[str, str, str, str], str] = field(default_factory=dict)  # and on which day
    objections: set[str] = field(default_factory=set)  # applications not to be delivered yet
    facts: dict[str, list[Fact]] = field(default_factory=dict)  # by person
    positions: dict[str, int] = field(default_factory=dict)  # by service
    answers: dict[str, Any] = field(default_factory=dict)  # by request id
    reviews: list[Review] = field(default_factory=list)
    ordered: list[ReassessmentOrder] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    instructions: dict[str, Instruction] = field(default_factory=dict)
    collection: Collection = field(default_factory=Collection)
    accounts_corrected: bool = False
    away: int = 0  # how many reviews fail before payment is back
    reassess_before: timedelta | None = None  # as payment tells it; None where it tells nothing
    deaf: bool = False  # deliveries are recorded, but nobody is told
    traces: set[str] = field(default_factory=set)  # trace ids of the calls that came
    agreements: Agreements = field(init=False)
    evidence: EvidenceRoom = field(init=False)
    queue: Queue = field(init=False)

    def __post_init__(self) -> None:
        self.agreements = Agreements(self.today)
        self.queue = Queue(self.today)
        self.disputes = DisputeDesk(self.today)
        self.evidence = EvidenceRoom(self.today)
        self.inspections = InspectionDesk(self.today)

    @classmethod
    @asynccontextmanager
    async def found(cls, environment: WorkflowEnvironment) -> AsyncIterator["Town"]:
        """A town with a worker of its own; its workflows end with it."""
        now = await environment.get_current_time()
        founded = BusinessClock(real_origin=now, business_origin=FOUNDED_AT)
        town = cls(environment, f"town-{next(_towns)}", founded)
        async with make_worker(environment.client, town.activities(), town.task_queue):
            yield town
            await town._end_workflows()

    @property
    def client(self) -> Client:
        return self.environment.client

    # Days ----------------------------------------------------------------------------------

    async def today(self) -> date:
        return self.clock.business_at(await self.environment.get_current_time()).date()

    async def pass_until(self, day: str) -> None:
        """Lets time pass until ten o'clock of a day."""
        wanted = datetime.combine(date.fromisoformat(day), time(10), SHANGHAI)
        now = await self.environment.get_current_time()
        await self.environment.sleep(self.clock.real_at(wanted) - now)

    async def set_clock(self, *, stood: timedelta = timedelta(), speed: float = 1.0) -> None:
        """The business clock stood still for a while up to now, and runs so fast from here."""
        now = await self.environment.get_current_time()
        shows = self.clock.business_at(now) - stood
        self.clock = BusinessClock(real_origin=now, business_origin=shows, speed=speed)

    # What people do ------------------------------------------------------------------------

    async def apply(self, person: str, day: str, *, missing_papers: bool = False) -> str:
        """An application, and the news of it."""
        application = self.submit(person, day, missing_papers=missing_papers)
        position = self._next("assessment")
        notice = FactNotice("assessment", position, "ApplicationSubmitted", application, day)
        await self.tell(person, notice)
        return application

    def submit(self, person: str, day: str, *, missing_papers: bool = False) -> str:
        """An application that nobody heard of yet."""
        application = str(derive("application", self.task_queue, person, day))
        asked = date.fromisoformat(day)
        self.applications[application] = Application(
            application=application,
            state="SUPPLEMENT_REQUESTED" if missing_papers else "ACCEPTED",
            application_date=day,
            supplement_due_date=str(asked + timedelta(days=15)) if missing_papers else "",
            reminder_date=str(asked + timedelta(days=30)),
            conclusion_due_date=str(asked + timedelta(days=42)),
        )
        self.persons[application] = person
        return application

    async def supply(self, application: str) -> None:
        self.set_application(application, state="ACCEPTED")
        await self.progress(application, "SupplementReceived")

    async def confirm(self, application: str, grade: int, day: str) -> None:
        """Graded and confirmed by both experts: other clocks run, which never stood."""
        self.stood.pop(application, None)
        self.set_application(
            application,
            state="CONFIRMED",
            grade=grade,
            grade_eligible=grade >= 3,
            conclusion_date=day,
        )
        await self.progress(application, "ConclusionConfirmed")

    async def withdraw(self, application: str) -> None:
        self.set_application(application, state="WITHDRAWN")
        await self.progress(application, "ApplicationWithdrawn")

    async def pause(self, application: str, reason: str) -> None:
        """Its clocks stand from today on."""
        self.standing[application] = reason, await self.today()
        await self.progress(application, "ClockPaused")

    async def resume(self, application: str) -> None:
        """Its clocks run again from today on; its last days have moved by the days between."""
        _, since = self.standing.pop(application)
        stood = self.stood.get(application, timedelta())
        self.stood[application] = stood + (await self.today() - since)
        await self.progress(application, "ClockResumed")

    def notes(self) -> list[str]:
        """What was recorded about clocks, in the order of the records."""
        return [
            f"{step} {notice}, due {due}: on {day}"
            for (_, step, notice, due), day in self.noted.items()
        ]

    async def live(self, person: str, event: str, day: str) -> FactNotice:
        """A life event at enrollment, and the news of it."""
        fact = self._record(person, Fact("enrollment", self._next("enrollment"), event, day))
        notice = FactNotice("enrollment", fact.position, f"LifeEventReported {event}", day=day)
        await self.tell(person, notice)
        return notice

    async def many_facts(self, person: str, count: int) -> None:
        """So many facts at once that mean nothing, and one more."""
        first = self._next("provider")
        self.positions["provider"] += count
        notices = [FactNotice("provider", first + n, "PlanEnded") for n in range(count + 1)]
        handle = self.lifecycle(person)
        for begin in range(0, len(notices), 100):
            part = notices[begin : begin + 100]
            await asyncio.gather(*[handle.signal("fact", notice) for notice in part])

    # What triggers do ----------------------------------------------------------------------

    async def tell(self, person: str, notice: FactNotice) -> None:
        await self.client.start_workflow(
            BeneficiaryLifecycle.run,
            Beneficiary(POOL, person),
            id=self.lifecycle_id(person),
            task_queue=self.task_queue,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            start_signal="fact",
            start_signal_args=[notice],
        )

    async def progress(self, application: str, event: str) -> None:
        notice = FactNotice("assessment", self._next("assessment"), event, application)
        await self.assessment(application).signal(AssessDisability.progress, notice)

    async def start_assessment(self, application: str) -> WorkflowHandle[Any, Outcome]:
        """An assessment without a lifecycle around it."""
        day = self.applications[application].application_date
        return await self.client.start_workflow(
            AssessDisability.run,
            Assessment(application, POOL, self.persons[application], day),
            id=f"assessment/{application}",
            task_queue=self.task_queue,
        )

    async def start_review(self, application: str) -> WorkflowHandle[Any, Reviewed]:
        """The second round of an application, as triggers start it."""
        return await self.client.start_workflow(
            ReviewConclusion.run,
            ReviewCase(application, POOL, "person"),
            id=f"review/{application}/2",
            task_queue=self.task_queue,
        )

    async def start_appeal(self, appeal: str) -> WorkflowHandle[Any, str]:
        return await self.client.start_workflow(
            DecideAppeal.run,
            AppealCase(appeal, POOL, "person"),
            id=f"appeal/{appeal}",
            task_queue=self.task_queue,
        )

    async def move_on(self, handle: WorkflowHandle[Any, Any], event: str) -> None:
        """News of an objection, a review or an appeal."""
        notice = FactNotice("assessment", self._next("assessment"), event)
        await handle.signal("progress", notice)

    async def start_lifecycle(self, person: str, carried: Carried) -> WorkflowHandle[Any, str]:
        """A lifecycle that goes on for an earlier run."""
        return await self.client.start_workflow(
            BeneficiaryLifecycle.run,
            Beneficiary(POOL, person, carried),
            id=self.lifecycle_id(person),
            task_queue=self.task_queue,
        )

    # What people see -----------------------------------------------------------------------

    def lifecycle_id(self, person: str) -> str:
        return f"beneficiary/{POOL}/{self.task_queue}-{person}"

    def lifecycle(self, person: str) -> WorkflowHandle[Any, str]:
        return self.client.get_workflow_handle(self.lifecycle_id(person), result_type=str)

    def assessment(self, application: str) -> WorkflowHandle[Any, Outcome]:
        return self.client.get_workflow_handle(f"assessment/{application}", result_type=Outcome)

    async def story(self, person: str, state: str = "", *, step: str = "") -> Story:
        """The person's story once it has come to the state and the step."""
        return await eventually(
            lambda: self.lifecycle(person).query(BeneficiaryLifecycle.story),
            lambda story: state in {"", story.state} and step in "\n".join(story.steps),
        )

    async def ended(self, handle: WorkflowHandle[Any, T]) -> T:
        """The workflow's result, once it has one at the present time of the town."""

        await eventually(
            lambda: self.described(handle),
            lambda seen: seen.status != Status.WORKFLOW_EXECUTION_STATUS_RUNNING,
        )
        return await handle.result()

    async def attribute(self, handle: WorkflowHandle[Any, Any], name: str, value: str) -> None:
        """Returns once the workflow shows the value where operators search; "" for none."""

        async def look() -> object:
            try:
                fields = (await self.described(handle)).search_attributes.indexed_fields
            except RPCError:
                return "not started"
            # The test server keeps an attribute that was removed, without a value.
            told = fields[name].data if name in fields else b""
            return json.loads(told) if told else None

        await eventually(look, lambda seen: seen == (value or None))

    async def described(self, handle: WorkflowHandle[Any, Any]) -> WorkflowExecutionInfo:
        """The newest run, raw: the client cannot read the test server's removed attributes."""
        answer = await self.client.workflow_service.describe_workflow_execution(
            DescribeWorkflowExecutionRequest(
                namespace=self.client.namespace,
                execution=WorkflowExecution(workflow_id=handle.id),
            )
        )
        return answer.workflow_execution_info

    async def count(self, handle: WorkflowHandle[Any, Any], kind: str) -> int:
        """How often the workflow called an activity."""
        history = await handle.fetch_history()
        return sum(
            event.activity_task_scheduled_event_attributes.activity_type.name == kind
            for event in history.events
        )

    # Services ------------------------------------------------------------------------------

    def activities(self) -> list[Callable[..., Any]]:
        return [
            self.read_clock,
            self.decide_eligibility,
            self.get_application,
            self.refuse_application,
            self.withdraw_application,
            self.publish_conclusion,
            self.deliver_conclusion,
            self.note_clock,
            self.order_reassessment,
            self.review_entitlement,
            self.freeze_settlement,
            self.determine_benefits,
            self.close_settlement,
            self.send_instructions,
            self.enquire_instructions,
            self.reissue_instructions,
            *self.agreements.activities(),
            *self.queue.activities(),
            *self.collection.activities(),
            *self.disputes.activities(),
            *self.evidence.activities(),
            *self.inspections.activities(),
        ]

    @activity.defn(name="clock.Read")
    async def read_clock(self) -> ClockReading:
        clock = self.clock
        return ClockReading(
            clock.real_origin.timestamp(), clock.business_origin.timestamp(), clock.speed
        )

    @activity.defn(name="enrollment.DecideEligibility")
    async def decide_eligibility(self, _asked: EligibilityQuestion) -> Eligibility:
        if self.insured:
            return Eligibility("decision", eligible=True, reasons=[])
        return Eligibility("decision", eligible=False, reasons=["NOT_COVERED"])

    @activity.defn(name="assessment.GetApplication")
    async def get_application(self, application: str) -> Application:
        return await self._told(application)

    @activity.defn(name="assessment.NoteClock")
    async def note_clock(self, asked: ClockNote) -> list[Deadline]:
        if asked.application not in self.applications:  # a dispute's own clock
            self.noted.setdefault((asked.application, asked.step, asked.notice, ""), "noted")
            return []
        deadlines = (await self._told(asked.application)).deadlines
        due = next((one.due_date for one in deadlines if one.step == asked.step), "")
        if not due:
            raise failure("FAILED_PRECONDITION", "NOT_RUNNING", "the step is done")
        note = asked.application, asked.step, asked.notice, due
        self.noted.setdefault(note, str(await self.today()))
        return (await self._told(asked.application)).deadlines

    @activity.defn(name="assessment.RefuseApplication")
    async def refuse_application(self, asked: RefusalOrder) -> Application:
        self.calls.append(f"refuse {asked.reasons} by {asked.eligibility_decision}")
        return self.set_application(asked.application, state="REFUSED")

    @activity.defn(name="assessment.WithdrawApplication")
    async def withdraw_application(self, asked: Withdrawal) -> Application:
        now = await self._told(asked.application)
        if await self.today() <= date.fromisoformat(now.deadlines[0].due_date):
            raise failure("FAILED_PRECONDITION", "NOT_OVERDUE", "the papers may still come")
        self.calls.append(f"withdraw deemed={asked.deemed} on {asked.withdrawn_date}")
        return self.set_application(asked.application, state="WITHDRAWN")

    @activity.defn(name="assessment.PublishConclusion")
    async def publish_conclusion(self, asked: ApplicationStep) -> Application:
        today = await self.today()
        self.calls.append(f"publish on {today}")
        self.set_application(
            asked.application,
            state="PUBLISHED",
            publicity_end_date=str(today + timedelta(days=6)),
        )
        return await self._told(asked.application)

    @activity.defn(name="assessment.DeliverConclusion")
    async def deliver_conclusion(self, asked: ApplicationStep) -> Application:
        now, today = self.applications[asked.application], await self.today()
        if now.publicity_end_date and today <= date.fromisoformat(now.publicity_end_date):
            raise failure("FAILED_PRECONDITION", "IN_PUBLICITY", "people may still object")
        if asked.application in self.objections:
            raise failure("FAILED_PRECONDITION", "OBJECTION_PENDING", "somebody objects")
        if now.state == "DELIVERED":
            return now
        self.calls.append(f"deliver on {today}")
        person = self.persons[asked.application]
        fact = self._record(person, self._conclusion(now))
        told = self.set_application(asked.application, state="DELIVERED")
        notice = FactNotice(
            fact.service, fact.position, "ConclusionDelivered", asked.application, fact.day
        )
        if not self.deaf and await self._has_lifecycle(person):
            await self.tell(person, notice)
        return told

    @activity.defn(name="assessment.OrderReassessment")
    async def order_reassessment(self, asked: ReassessmentOrder) -> None:
        self.ordered.append(asked)

    @activity.defn(name="payment.ReviewEntitlement")
    async def review_entitlement(self, asked: Review) -> Entitlement:
        self.traces.add(telemetry.current_trace_id())
        if self.away:
            self.away -= 1
            raise failure("UNAVAILABLE", "FACTS_NOT_THERE_YET", "later")
        for service, position in asked.known.items():
            assert position <= self.positions.get(service, 0), "a position nobody recorded"
        if asked.request_id not in self.answers:
            self.reviews.append(asked)
            facts = self.facts.get(asked.person, [])
            self.answers[asked.request_id] = self._with_lead(entitlement(facts, await self.today()))
        return self.answers[asked.request_id]  # type: ignore[no-any-return]

    @activity.defn(name="payment.FreezeSettlement")
    async def freeze_settlement(self, asked: SettlementStep) -> Settlement:
        self.calls.append(f"freeze {asked.month}")
        return Settlement("FROZEN", case_count=1200)

    @activity.defn(name="payment.DetermineBenefits")
    async def determine_benefits(self, asked: SettlementStep) -> Computed:
        self.calls.append(f"determine {asked.month}")
        return Computed("", 3, 1200, 1100, 165_000_000)

    @activity.defn(name="payment.CloseSettlement")
    async def close_settlement(self, asked: SettlementStep) -> Settlement:
        self.calls.append(f"close {asked.month}")
        return Settlement("CLOSED", 1200, 1100, 165_000_000, "batch", 900)

    @activity.defn(name="payment.SendInstructions")
    async def send_instructions(self, _asked: BatchStep) -> Progress:
        for one in self._in_state("INSTRUCTED"):
            one.state = one.fates.pop(0)
        return await self._progress("send")

    @activity.defn(name="payment.EnquireInstructions")
    async def enquire_instructions(self, _asked: BatchStep) -> Progress:
        for one in [*self._in_state("SENT"), *self._in_state("UNKNOWN")]:
            one.state = one.fates.pop(0)
        return await self._progress("enquire")

    @activity.defn(name="payment.ReissueInstructions")
    async def reissue_instructions(self, _asked: BatchStep) -> Progress:
        if self.accounts_corrected:
            for one in self._in_state("RETURNED"):
                one.state = "REISSUED"
                self.instructions[f"again-{len(self.instructions)}"] = Instruction(["PAID"])
        return await self._progress("reissue")

    # Inside --------------------------------------------------------------------------------

    def _next(self, service: str) -> int:
        self.positions[service] = self.positions.get(service, 0) + 1
        return self.positions[service]

    def set_application(self, application: str, **changes: Any) -> Application:
        self.applications[application] = replace(self.applications[application], **changes)
        return self.applications[application]

    def _with_lead(self, told: Entitlement) -> Entitlement:
        """The day to order the periodic reassessment, where payment tells one."""
        if self.reassess_before is None or not told.valid_until_date:
            return told
        day = date.fromisoformat(told.valid_until_date) - self.reassess_before
        return replace(told, reassessment_date=str(day))

    async def _told(self, application: str) -> Application:
        """The application with its deadlines, moved by the days its clocks stood."""
        now = self.applications[application]
        reason, since = self.standing.get(application, ("", await self.today()))
        stood = self.stood.get(application, timedelta()) + (await self.today() - since)
        deadlines = []
        for step, due, before in _due_in(now):
            last = str(due + stood) if before is not None else str(due)
            reminder = str(due + stood - timedelta(days=before)) if before is not None else ""
            deadlines.append(
                Deadline(
                    step,
                    last,
                    reminder,
                    reason if before is not None else "",
                    reminded=(application, step, "REMINDED", last) in self.noted,
                    missed=(application, step, "MISSED", last) in self.noted,
                    period=before is None,
                )
            )
        return replace(now, deadlines=deadlines)

    def _record(self, person: str, fact: Fact) -> Fact:
        self.facts.setdefault(person, []).append(fact)
        return fact

    def _conclusion(self, now: Application) -> Fact:
        concluded = date.fromisoformat(now.conclusion_date)
        return Fact(
            "assessment",
            self._next("assessment"),
            "CONCLUSION",
            str((concluded.replace(day=1) + timedelta(days=32)).replace(day=1)),
            grade=now.grade,
            eligible=now.grade_eligible,
            valid_until=str(concluded.replace(year=concluded.year + 2) - timedelta(days=1)),
        )

    def _in_state(self, state: str) -> list[Instruction]:
        return [one for one in self.instructions.values() if one.state == state]

    async def _progress(self, call: str) -> Progress:
        states = [one.state for one in self.instructions.values()]
        self.calls.append(f"{call} on {await self.today()}")
        return Progress(
            instructed_count=states.count("INSTRUCTED"),
            sent_count=states.count("SENT"),
            unknown_count=states.count("UNKNOWN"),
            paid_count=states.count("PAID"),
            returned_count=states.count("RETURNED"),
            reissued_count=states.count("REISSUED"),
            paid_fen=150_000 * states.count("PAID"),
        )

    async def _has_lifecycle(self, person: str) -> bool:
        try:
            await self.described(self.lifecycle(person))
        except RPCError:
            return False
        return True

    async def _end_workflows(self) -> None:
        ids = [self.lifecycle_id(person) for person in {*self.persons.values(), *self.facts}]
        ids += [f"assessment/{application}" for application in self.applications]
        ids += self.disputes.workflow_ids()
        ids.append(f"visit-exceptions/{POOL}")
        ids += self.inspections.workflow_ids()
        for workflow_id in ids:
            try:
                await self.client.get_workflow_handle(workflow_id).terminate()
            except RPCError:
                continue  # it had ended by itself, or never was


def _due_in(now: Application) -> Iterator[tuple[str, date, int | None]]:
    """Step, last day and how many days before it to remind; None for a period."""
    asked = date.fromisoformat(now.application_date)
    match now.state:
        case "SUPPLEMENT_REQUESTED":
            yield "SUPPLEMENT", date.fromisoformat(now.supplement_due_date), 3
        case "ACCEPTED" | "ON_SITE" | "GRADED":
            yield "CONCLUSION", asked + timedelta(days=42), 12
        case "CONFIRMED":
            yield "PUBLICATION", date.fromisoformat(now.conclusion_date) + timedelta(days=7), 1
        case "PUBLISHED":
            end = date.fromisoformat(now.publicity_end_date)
            yield "PUBLICITY", end, None
            yield "DELIVERY", end + timedelta(days=7), 1


def entitlement(facts: list[Fact], today: date) -> Entitlement:
    """What the facts mean for the person today."""
    conclusions = [fact for fact in facts if fact.event == "CONCLUSION"]
    if not any(fact.eligible for fact in conclusions):
        return Entitlement("NONE")
    last, events = conclusions[-1], [fact.event for fact in facts]
    if "DEATH" in events:
        return Entitlement("ENDED", last.grade, cause="DEATH")
    if not last.eligible:
        return Entitlement("ENDED", last.grade, last.day, "RECOVERED")
    if today > date.fromisoformat(last.valid_until):
        return Entitlement("ENDED", last.grade, cause="VALIDITY_EXPIRED")
    in_hospital = events.count("ADMISSION") > events.count("DISCHARGE")
    state = "PAUSED" if in_hospital else "OPEN"
    return Entitlement(state, last.grade, last.day, valid_until_date=last.valid_until)
