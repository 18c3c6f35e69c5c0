"""Answers about objections, reviews and appeals. It translates and nothing else."""

from datetime import date
from typing import Any
from uuid import UUID

from ltci.assessment.v1 import appeal_service_pb2 as appeal_pb
from ltci.assessment.v1 import dispute_types_pb2 as types
from ltci.assessment.v1 import objection_service_pb2 as objection_pb
from ltci.assessment.v1 import reassessment_service_pb2 as reassessment_pb
from ltci.assessment.v1 import review_service_pb2 as review_pb

from services.assessment.domain import dispute_events as d
from services.assessment.domain import events as e
from services.assessment.domain.applicant import Application
from services.assessment.domain.disputed import Appeal, Disputed, Objection, Review
from services.assessment.domain.reassessment import SpotCheckOrdered
from services.assessment.domain.review import needs_publicity


def objection(one: Objection) -> objection_pb.Objection:
    told, decided = one.told, one.decided
    return objection_pb.Objection(
        objection=str(told.objection),
        application=str(told.application),
        person=str(told.person),
        pool=told.pool,
        filed_date=str(told.filed_date),
        due_date=str(told.due_date),
        outcome=_value(
            types.ObjectionOutcome, "OBJECTION_OUTCOME", decided.outcome if decided else None
        ),
        decided_date=_day(decided.decided_date if decided else None),
    )


def review(application: Application, disputed: Disputed) -> review_pb.Review:
    """Where objections and review of the application stand."""
    one, dues = disputed.review, [o.told.due_date for o in disputed.open_objections]
    graded = one.graded if one else None
    return review_pb.Review(
        application=str(application.application),
        person=str(application.person),
        pool=application.pool,
        state=review_pb.ReviewState.Value(f"REVIEW_STATE_{_state(one, disputed)}"),
        objection_due_date=_day(min(dues, default=None)),
        ordered=bool(one and isinstance(one.told, d.ReviewOrdered)),
        began_date=_day(one.began if one else None),
        due_date=_day(one.told.due_date if one else None),
        grade=graded.grade if graded else 0,
        grade_before=graded.grade_before if graded else 0,
        grade_eligible=bool(one and one.eligible),
        needs_publicity=bool(one and needs_publicity(one, disputed)),
        publicity_end_date=_day(one.publicity_end if one else None),
    )


def _state(one: Review | None, disputed: Disputed) -> str:
    if one is None:
        return "OBJECTED" if disputed.open_objections else "NONE"
    if any(c.authority is e.Authority.REVIEW for c in disputed.conclusions):
        return "DELIVERED"
    if one.publicity_end is not None:
        return "PUBLISHED"
    if one.conclusion is not None:
        return "CONFIRMED"
    return "UNDER_WAY" if one.graded is None else "GRADED"


def appeal(one: Appeal) -> appeal_pb.Appeal:
    told, decided = one.told, one.decided
    return appeal_pb.Appeal(
        appeal=str(told.appeal),
        application=str(told.application),
        person=str(told.person),
        pool=told.pool,
        against=_value(types.AppealAgainst, "APPEAL_AGAINST", told.against),
        told_date=str(told.told_date),
        filed_date=str(told.filed_date),
        file_by_date=_day(told.file_by_date),
        due_date=_day(told.due_date),
        outcome=_value(types.AppealOutcome, "APPEAL_OUTCOME", decided.outcome if decided else None),
        grade=(decided.grade or 0) if decided else 0,
        effective_date=_day(decided.effective_date if decided else None),
        decided_date=_day(decided.decided_date if decided else None),
    )


def preview(told: UUID, delivered: e.ConclusionDelivered) -> appeal_pb.ConclusionPreview:
    return appeal_pb.ConclusionPreview(
        appeal=str(told),
        application=str(delivered.application),
        person=str(delivered.person),
        pool=delivered.pool,
        round=delivered.round,
        grade=delivered.grade,
        grade_eligible=delivered.grade_eligible,
        conclusion_date=str(delivered.conclusion_date),
        effective_date=str(delivered.effective_date),
        valid_until_date=str(delivered.valid_until_date),
    )


def spot_check(ordered: SpotCheckOrdered) -> reassessment_pb.SpotCheck:
    return reassessment_pb.SpotCheck(
        person=str(ordered.person),
        pool=ordered.pool,
        cause=_value(types.SpotCheckCause, "SPOT_CHECK_CAUSE", ordered.cause),
        due_date=str(ordered.due_date),
    )


def stop(one: d.ReassessmentConcluded) -> reassessment_pb.ReassessmentStop:
    return reassessment_pb.ReassessmentStop(
        reassessment=str(one.reassessment),
        application=str(one.application),
        effective_date=str(one.effective_date),
        outcome=_value(types.ReassessmentOutcome, "REASSESSMENT_OUTCOME", one.outcome),
    )


def _value(enum: Any, prefix: str, told: str | None) -> Any:
    return enum.Value(f"{prefix}_{told.upper()}") if told else 0


def _day(day: date | None) -> str:
    return day.isoformat() if day else ""
