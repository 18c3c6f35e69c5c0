"""What workflows ask of enrollment (参保缴费)."""

from dataclasses import dataclass

import grpc
from ltci.enrollment.v1 import enrollment_service_pb2 as pb
from ltci.enrollment.v1 import enrollment_service_pb2_grpc as rpc
from temporalio import activity

from workflows.activities.calling import ask


@dataclass(frozen=True)
class EligibilityQuestion:
    person: str
    pool: str
    on_date: str
    request_id: str


@dataclass(frozen=True)
class Eligibility:
    decision: str
    eligible: bool
    reasons: list[str]
    ruling: str = ""  # canonical text, told only where it is not eligible


class EnrollmentActivities:
    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._service = rpc.EnrollmentServiceStub(channel)

    @activity.defn(name="enrollment.DecideEligibility")
    async def decide_eligibility(self, asked: EligibilityQuestion) -> Eligibility:
        request = pb.DecideEligibilityRequest(
            person=asked.person,
            pool=asked.pool,
            on_date=asked.on_date,
            request_id=asked.request_id,
        )
        told = await ask(self._service.DecideEligibility, request, timeout=10)
        ruling = "" if told.eligible else told.ruling.decode()
        return Eligibility(told.decision, told.eligible, list(told.reasons), ruling)
