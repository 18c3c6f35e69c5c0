"""What the registers look like on the wire. It translates and nothing else; no names of people."""

from datetime import date

from ltci.assessment.v1 import assessment_types_pb2 as types
from ltci.assessment.v1 import assessor_service_pb2 as pb
from ltci.assessment.v1 import intake_service_pb2 as intake
from ltci.assessment.v1 import intake_types_pb2 as words

from services.assessment.domain.assessor import Assessor
from services.assessment.domain.body import Body
from services.assessment.domain.service_point import ServicePoint


def body(known: Body) -> pb.AssessmentBody:
    told = known.designated
    assert told is not None, "a body on record has an agreement"  # noqa: S101
    return pb.AssessmentBody(
        body=str(told.body),
        pool=told.pool,
        body_name=told.body_name,
        social_credit_code=told.social_credit_code,
        agreement_start_date=told.agreement_start_date.isoformat(),
        agreement_end_date=_day(known.end),
        suspended_from_date=_day(known.resting_since),
        division=told.division,
    )


def assessor(known: Assessor, today: date) -> pb.Assessor:
    """The assessor; of bars, the one that holds today or begins next."""
    told = known.registered
    assert told is not None, "an assessor on record is registered"  # noqa: S101
    bars = sorted(
        (bar for bar in known.bars if bar.last is None or bar.last >= today),
        key=lambda bar: bar.first,
    )
    return pb.Assessor(
        assessor=told.assessor,
        pool=told.pool,
        assessor_kind=types.AssessorKind.Value(f"ASSESSOR_KIND_{told.assessor_kind.upper()}"),
        body=str(told.body or ""),
        title=words.ProfessionalTitle.Value(f"PROFESSIONAL_TITLE_{told.title.upper()}"),
        division=told.division,
        barred_from_date=_day(bars[0].first) if bars else "",
        barred_until_date=_day(bars[0].last) if bars else "",
        tie_count=len(known.ties),
    )


def point(known: ServicePoint) -> intake.ServicePoint:
    told = known.registered
    assert told is not None, "a point on record is registered"  # noqa: S101
    return intake.ServicePoint(
        service_point=str(told.service_point),
        pool=told.pool,
        code=told.code,
        point_name=told.point_name,
        level=words.ServicePointLevel.Value(f"SERVICE_POINT_LEVEL_{told.level.upper()}"),
        point_kind=words.ServicePointKind.Value(f"SERVICE_POINT_KIND_{told.point_kind.upper()}"),
        division=told.division,
        opened_date=told.opened_date.isoformat(),
    )


def _day(day: date | None) -> str:
    return day.isoformat() if day else ""
