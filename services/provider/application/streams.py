"""The service's streams: their kinds and their ids."""

from uuid import UUID

from kernel.eventstore.handle import StreamKind
from kernel.ids import derive, stream_id
from services.provider.domain import (
    caregiver,
    complaint,
    designation,
    plan,
    provider,
    quality,
    visit,
)

PROVIDER = StreamKind("provider", provider.Provider(), provider.evolve)
CAREGIVER = StreamKind("caregiver", caregiver.Caregiver(), caregiver.evolve)
PLANS = StreamKind("plan", plan.Plans(), plan.evolve)
DESIGNATION = StreamKind("designation", designation.Designation(), designation.evolve)
VISIT = StreamKind("visit", visit.Visit(), visit.evolve)
COMPLAINT = StreamKind("complaint", complaint.Complaint(), complaint.evolve)
QUALITY = StreamKind("quality", None, quality.evolve)


def provider_named(social_credit_code: str) -> UUID:
    """The id of the provider with this code: always the same."""
    return derive("provider", social_credit_code)


def provider_stream(name: UUID) -> UUID:
    return stream_id("provider", str(name))


def designation_stream(application: UUID) -> UUID:
    return stream_id("designation", str(application))


def caregiver_stream(name: UUID) -> UUID:
    return stream_id("caregiver", str(name))


def plan_stream(pool: str, person: UUID) -> UUID:
    """All plans of a person in a pool."""
    return stream_id("plan", pool, str(person))


def visit_stream(name: UUID) -> UUID:
    return stream_id("visit", str(name))


def complaint_stream(name: UUID) -> UUID:
    return stream_id("complaint", str(name))


def quality_stream(pool: str, provider: UUID, month: str) -> UUID:
    return stream_id("quality", pool, str(provider), month)
