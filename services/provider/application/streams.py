"""The service's streams: their kinds and their ids."""

from datetime import date
from functools import lru_cache
from uuid import UUID

from kernel.calendar import Month
from kernel.eventstore.handle import StreamKind
from kernel.ids import derive, stream_id
from services.provider.domain import (
    booking,
    caregiver,
    claim,
    complaint,
    designation,
    device,
    forgetting,
    inspection,
    plan,
    provider,
    quality,
    risk,
    turn,
    visit,
)

KNOWN_STREAMS = 8192  # ids that a message of visits asks for again and again

PROVIDER = StreamKind("provider", provider.Provider(), provider.evolve)
CAREGIVER = StreamKind("caregiver", caregiver.Caregiver(), caregiver.evolve)
PLANS = StreamKind("plan", plan.Plans(), plan.evolve)
DESIGNATION = StreamKind("designation", designation.Designation(), designation.evolve)
BOOKED_MONTH = StreamKind("booking", booking.BookedMonth(), booking.evolve)
VISIT = StreamKind("visit", visit.Visit(), visit.evolve)
COMPLAINT = StreamKind("complaint", complaint.Complaint(), complaint.evolve)
QUALITY = StreamKind("quality", None, quality.evolve)
DEVICE = StreamKind("device", device.Device(), device.evolve)
MARKERS = StreamKind("markers", device.MarkersKept(), device.with_markers)
FORGOTTEN = StreamKind("forgotten", forgetting.Forgotten(), forgetting.evolve)
CLAIM = StreamKind("claim", claim.Claim(), claim.evolve_claim)
CLAIMED = StreamKind("claimed", claim.Claimed(), claim.evolve)
TURN = StreamKind("turn", turn.Turn(), turn.evolve)
FLAG = StreamKind("flag", risk.Flag(), risk.evolve)
INSPECTION = StreamKind("inspection", inspection.Inspection(), inspection.evolve)


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


def turn_stream(plan: UUID) -> UUID:
    """Whose turn it is under a plan."""
    return stream_id("turn", str(plan))


def flag_stream(name: UUID) -> UUID:
    return stream_id("flag", str(name))


def inspection_stream(name: UUID) -> UUID:
    return stream_id("inspection", str(name))


def claim_stream(pool: str, provider: UUID, month: Month) -> UUID:
    """A provider's month."""
    return stream_id("claim", pool, str(provider), str(month))


def claimed_stream(pool: str, person: UUID | None, month: Month, line: UUID | None) -> UUID:
    """All lines for a person's month; a line without a person is alone."""
    return stream_id("claimed", pool, str(person or line), str(month))


def device_named(public_key: bytes) -> UUID:
    """The id of the device with this public key: always the same."""
    return derive("device", public_key.hex())


def device_stream(name: UUID) -> UUID:
    return stream_id("device", str(name))


def markers_stream(pool: str, person: UUID) -> UUID:
    """The markers of a person's place of care in a pool."""
    return stream_id("markers", pool, str(person))


def forgotten_stream(pool: str, day: date) -> UUID:
    """What was forgotten of a pool's day."""
    return stream_id("forgotten", pool, day.isoformat())


def booking_stream(pool: str, person: UUID, month: Month) -> UUID:
    """All bookings of a person's month in a pool."""
    return stream_id("booking", pool, str(person), str(month))


def complaint_stream(name: UUID) -> UUID:
    return stream_id("complaint", str(name))


def quality_stream(pool: str, provider: UUID, month: str) -> UUID:
    return stream_id("quality", pool, str(provider), month)
