"""The service's streams: their kinds and their ids."""

from functools import lru_cache
from uuid import UUID

from kernel.eventstore.handle import StreamKind
from kernel.ids import derive, stream_id
from services.provider.domain import caregiver, designation, plan, provider, visit

KNOWN_STREAMS = 8192  # ids that a message of visits asks for again and again

PROVIDER = StreamKind("provider", provider.Provider(), provider.evolve)
CAREGIVER = StreamKind("caregiver", caregiver.Caregiver(), caregiver.evolve)
PLANS = StreamKind("plan", plan.Plans(), plan.evolve)
DESIGNATION = StreamKind("designation", designation.Designation(), designation.evolve)
VISIT = StreamKind("visit", visit.Visit(), visit.evolve)


def provider_named(social_credit_code: str) -> UUID:
    """The id of the provider with this code: always the same."""
    return derive("provider", social_credit_code)


@lru_cache(maxsize=1024)
def provider_stream(name: UUID) -> UUID:
    return stream_id("provider", str(name))


def designation_stream(application: UUID) -> UUID:
    return stream_id("designation", str(application))


@lru_cache(maxsize=KNOWN_STREAMS)
def caregiver_stream(name: UUID) -> UUID:
    return stream_id("caregiver", str(name))


@lru_cache(maxsize=KNOWN_STREAMS)
def plan_stream(pool: str, person: UUID) -> UUID:
    """All plans of a person in a pool."""
    return stream_id("plan", pool, str(person))


def visit_stream(name: UUID) -> UUID:
    return stream_id("visit", str(name))
