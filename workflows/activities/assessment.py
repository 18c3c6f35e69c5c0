"""What workflows ask of assessment (失能评估)."""

from dataclasses import dataclass

import grpc
from ltci.assessment.v1 import assessment_service_pb2 as pb
from ltci.assessment.v1 import assessment_service_pb2_grpc as rpc
from ltci.assessment.v1 import assessment_types_pb2 as types
from temporalio import activity

from workflows.activities.calling import ask


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
    )
