"""What workflows ask of assessment (失能评估)."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import grpc
from ltci.assessment.v1 import assessment_service_pb2 as pb
from ltci.assessment.v1 import assessment_service_pb2_grpc as rpc
from ltci.assessment.v1 import assessment_types_pb2 as types
from ltci.assessment.v1 import clock_service_pb2 as clock_pb
from ltci.assessment.v1 import clock_service_pb2_grpc as clock_rpc
from ltci.assessment.v1 import clock_types_pb2 as clock_types
from temporalio import activity

from workflows.activities.calling import ask


@dataclass(frozen=True)
class Deadline:
    """The last day of a step under way, as the service tells it (期限)."""

    step: str  # ClockStep without its prefix: "CONCLUSION"
    due_date: str
    reminder_date: str = ""
    pause_reason: str = ""  # why the clock stands; empty where it runs
    reminded: bool = False
    missed: bool = False
    period: bool = False  # runs out by itself: nobody can be late


@dataclass(frozen=True)
class Application:
    """An application as the service tells it; days are empty where there are none."""

    application: str
    state: str  # ApplicationState without its prefix: "ACCEPTED"
    application_date: str = ""
    supplement_due_date: str = ""
    reminder_date: str = ""
    conclusion_due_date: str = ""
    publicity_end_date: str = ""
    grade: int = 0
    grade_eligible: bool = False
    conclusion_date: str = ""
    deadlines: list[Deadline] = field(default_factory=list)


@dataclass(frozen=True)
class ClockNote:
    """A reminder, or that a last day passed: `notice` is REMINDED or MISSED."""

    application: str
    step: str
    notice: str
    request_id: str


@dataclass(frozen=True)
class ApplicationStep:
    """A step on an application that needs no more than its name."""

    application: str
    request_id: str


@dataclass(frozen=True)
class Withdrawal:
    application: str
    withdrawn_date: str
    deemed: bool
    request_id: str


@dataclass(frozen=True)
class RefusalOrder:
    application: str
    reasons: list[str]
    eligibility_decision: str
    request_id: str
    eligibility_ruling: str = ""  # its canonical text, which the letter tells


@dataclass(frozen=True)
class ReassessmentOrder:
    person: str
    pool: str
    due_date: str
    cause: str
    request_id: str


class AssessmentActivities:
    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._service = rpc.AssessmentServiceStub(channel)
        self._clocks = clock_rpc.ClockServiceStub(channel)

    @activity.defn(name="assessment.GetApplication")
    async def get_application(self, application: str) -> Application:
        request = pb.GetApplicationRequest(application=application)
        return _told(await ask(self._service.GetApplication, request, timeout=5))

    @activity.defn(name="assessment.RefuseApplication")
    async def refuse_application(self, asked: RefusalOrder) -> Application:
        request = pb.RefuseApplicationRequest(
            application=asked.application,
            reasons=asked.reasons,
            eligibility_decision=asked.eligibility_decision,
            eligibility_ruling=asked.eligibility_ruling.encode(),
            request_id=asked.request_id,
        )
        return _told(await ask(self._service.RefuseApplication, request, timeout=10))

    @activity.defn(name="assessment.WithdrawApplication")
    async def withdraw_application(self, asked: Withdrawal) -> Application:
        request = pb.WithdrawApplicationRequest(
            application=asked.application,
            withdrawn_date=asked.withdrawn_date,
            deemed=asked.deemed,
            request_id=asked.request_id,
        )
        return _told(await ask(self._service.WithdrawApplication, request, timeout=10))

    @activity.defn(name="assessment.PublishConclusion")
    async def publish_conclusion(self, asked: ApplicationStep) -> Application:
        request = pb.PublishConclusionRequest(
            application=asked.application, request_id=asked.request_id
        )
        return _told(await ask(self._service.PublishConclusion, request, timeout=10))

    @activity.defn(name="assessment.DeliverConclusion")
    async def deliver_conclusion(self, asked: ApplicationStep) -> Application:
        request = pb.DeliverConclusionRequest(
            application=asked.application, request_id=asked.request_id
        )
        return _told(await ask(self._service.DeliverConclusion, request, timeout=10))

    @activity.defn(name="assessment.NoteClock")
    async def note_clock(self, asked: ClockNote) -> list[Deadline]:
        """Records that somebody was reminded (催办), or that a last day passed (超期)."""
        request = clock_pb.NoteClockRequest(
            application=asked.application,
            step=clock_types.ClockStep.Value(f"CLOCK_STEP_{asked.step}"),
            notice=clock_types.ClockNotice.Value(f"CLOCK_NOTICE_{asked.notice}"),
            request_id=asked.request_id,
        )
        return _deadlines((await ask(self._clocks.NoteClock, request, timeout=10)).deadlines)

    @activity.defn(name="assessment.OrderReassessment")
    async def order_reassessment(self, asked: ReassessmentOrder) -> None:
        """Orders the periodic reassessment (定期评估)."""
        request = pb.OrderReassessmentRequest(
            person=asked.person,
            pool=asked.pool,
            kind=types.APPLICATION_KIND_PERIODIC,
            due_date=asked.due_date,
            cause=asked.cause,
            request_id=asked.request_id,
        )
        await ask(self._service.OrderReassessment, request, timeout=10)


def _told(application: pb.Application) -> Application:
    state = types.ApplicationState.Name(application.state)
    return Application(
        application=application.application,
        state=state.removeprefix("APPLICATION_STATE_"),
        application_date=application.application_date,
        supplement_due_date=application.supplement_due_date,
        reminder_date=application.reminder_date,
        conclusion_due_date=application.conclusion_due_date,
        publicity_end_date=application.publicity_end_date,
        grade=application.grade,
        grade_eligible=application.grade_eligible,
        conclusion_date=application.conclusion_date,
        deadlines=_deadlines(application.deadlines),
    )


def _deadlines(told: Iterable[clock_types.Deadline]) -> list[Deadline]:
    return [
        Deadline(
            step=clock_types.ClockStep.Name(one.step).removeprefix("CLOCK_STEP_"),
            due_date=one.due_date,
            reminder_date=one.reminder_date,
            pause_reason=one.pause_reason,
            reminded=one.reminded,
            missed=one.missed,
            period=one.period,
        )
        for one in told
    ]
