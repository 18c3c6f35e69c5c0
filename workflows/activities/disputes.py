"""What workflows ask of assessment about reviews and appeals (复评、申诉)."""

from dataclasses import dataclass

import grpc
from ltci.assessment.v1 import appeal_service_pb2 as appeal_pb
from ltci.assessment.v1 import appeal_service_pb2_grpc as appeal_rpc
from ltci.assessment.v1 import dispute_types_pb2 as types
from ltci.assessment.v1 import review_service_pb2 as review_pb
from ltci.assessment.v1 import review_service_pb2_grpc as review_rpc
from temporalio import activity

from workflows.activities.assessment import ApplicationStep
from workflows.activities.calling import ask


@dataclass(frozen=True)
class ReviewStanding:
    """Where objections and review of an application stand; days are empty where there are none."""

    application: str
    state: str  # ReviewState without its prefix: "OBJECTED"
    objection_due_date: str = ""
    due_date: str = ""
    needs_publicity: bool = False
    publicity_end_date: str = ""
    grade: int = 0


@dataclass(frozen=True)
class AppealStanding:
    """Where an appeal stands."""

    appeal: str
    decided: bool
    outcome: str = ""  # AppealOutcome without its prefix: "UPHELD"
    due_date: str = ""


class DisputeActivities:
    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._reviews = review_rpc.ReviewServiceStub(channel)
        self._appeals = appeal_rpc.AppealServiceStub(channel)

    @activity.defn(name="assessment.GetReview")
    async def get_review(self, application: str) -> ReviewStanding:
        request = review_pb.GetReviewRequest(application=application)
        return _review(await ask(self._reviews.GetReview, request, timeout=5))

    @activity.defn(name="assessment.PublishReview")
    async def publish_review(self, asked: ApplicationStep) -> ReviewStanding:
        request = review_pb.PublishReviewRequest(
            application=asked.application, request_id=asked.request_id
        )
        return _review(await ask(self._reviews.PublishReview, request, timeout=10))

    @activity.defn(name="assessment.DeliverReview")
    async def deliver_review(self, asked: ApplicationStep) -> ReviewStanding:
        request = review_pb.DeliverReviewRequest(
            application=asked.application, request_id=asked.request_id
        )
        return _review(await ask(self._reviews.DeliverReview, request, timeout=10))

    @activity.defn(name="assessment.GetAppeal")
    async def get_appeal(self, appeal: str) -> AppealStanding:
        request = appeal_pb.GetAppealRequest(appeal=appeal)
        told = await ask(self._appeals.GetAppeal, request, timeout=5)
        outcome = types.AppealOutcome.Name(told.outcome).removeprefix("APPEAL_OUTCOME_")
        decided = told.outcome != types.APPEAL_OUTCOME_UNSPECIFIED
        return AppealStanding(
            appeal=told.appeal,
            decided=decided,
            outcome=outcome if decided else "",
            due_date=told.due_date,
        )


def _review(told: review_pb.Review) -> ReviewStanding:
    return ReviewStanding(
        application=told.application,
        state=review_pb.ReviewState.Name(told.state).removeprefix("REVIEW_STATE_"),
        objection_due_date=told.objection_due_date,
        due_date=told.due_date,
        needs_publicity=told.needs_publicity,
        publicity_end_date=told.publicity_end_date,
        grade=told.grade,
    )
