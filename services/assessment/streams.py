"""The streams of assessment: their kinds, and how each is named."""

from datetime import date
from uuid import UUID

from kernel.eventstore.handle import StreamKind
from kernel.ids import derive, stream_id
from services.assessment.domain import assessor, body, draws, service_point
from services.assessment.domain import reassessment as r
from services.assessment.domain.applicant import Applicant, evolve

APPLICATIONS = StreamKind("application", Applicant(), evolve)
REASSESSMENTS = StreamKind("reassessments", r.Reassessments(), r.evolve)
BODIES = StreamKind("assessment-body", body.Body(), body.evolve)
ASSESSORS = StreamKind("assessor", assessor.Assessor(), assessor.evolve)
POINTS = StreamKind("service-point", service_point.ServicePoint(), service_point.evolve)
DRAWS = StreamKind("draws", draws.DrawDay(), draws.evolve)


def applications_stream(pool: str, person: UUID) -> UUID:
    """All applications of a person in a pool are one stream: each is decided knowing the others."""
    return stream_id(APPLICATIONS.category, pool, str(person))


def reassessments_stream(pool: str, person: UUID) -> UUID:
    return stream_id(REASSESSMENTS.category, pool, str(person))


def body_id(social_credit_code: str) -> UUID:
    """The assessment body with this code: the same in every pool."""
    return derive("assessment-body", social_credit_code)


def body_stream(pool: str, name: UUID) -> UUID:
    return stream_id(BODIES.category, pool, str(name))


def assessor_stream(pool: str, name: str) -> UUID:
    return stream_id(ASSESSORS.category, pool, name)


def point_id(pool: str, code: str) -> UUID:
    return derive("service-point", pool, code)


def point_stream(pool: str, name: UUID) -> UUID:
    return stream_id(POINTS.category, pool, str(name))


def draws_stream(pool: str, day: date) -> UUID:
    return stream_id(DRAWS.category, pool, day.isoformat())
