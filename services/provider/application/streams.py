"""The service's streams: their kinds and their ids."""

from uuid import UUID

from kernel.eventstore.handle import StreamKind
from kernel.ids import derive, stream_id
from services.provider.domain import (
    caregiver,
    designation,
    inspection,
    plan,
    provider,
    risk,
    turn,
    visit,
)

PROVIDER = StreamKind("provider", provider.Provider(), provider.evolve)
CAREGIVER = StreamKind("caregiver", caregiver.Caregiver(), caregiver.evolve)
PLANS = StreamKind("plan", plan.Plans(), plan.evolve)
DESIGNATION = StreamKind("designation", designation.Designation(), designation.evolve)
VISIT = StreamKind("visit", visit.Visit(), visit.evolve)
TURN = StreamKind("turn", turn.Turn(), turn.evolve)
FLAG = StreamKind("flag", risk.Flag(), risk.evolve)
INSPECTION = StreamKind("inspection", inspection.Inspection(), inspection.evolve)


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


def turn_stream(plan: UUID) -> UUID:
    """Whose turn it is under a plan."""
    return stream_id("turn", str(plan))


def flag_stream(name: UUID) -> UUID:
    return stream_id("flag", str(name))


def inspection_stream(name: UUID) -> UUID:
    return stream_id("inspection", str(name))
