"""A visit as detectors see it, and what they say of it. Pure: no clock, no I/O.

Positions of devices are forgotten after the objection period, so no detector needs them: where
care was given is the place of the plan, how far the device was from it is a finding that stays.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from services.provider.domain.evidence import Photo, SignalResult
from services.provider.domain.place import Place

MINUTE = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A visit with its verdict. Instants are seconds of the epoch."""

    visit: UUID
    plan: UUID
    person: UUID
    pool: str
    provider: UUID
    caregiver: UUID
    care_date: date
    start: int
    end: int
    items: tuple[str, ...]
    cost_fen: int
    delivered: bool
    reasons: tuple[str, ...] = ()
    place: Place | None = None  # of the plan; None where it is erased
    home: bool = True  # care where the person lives, not in an institution
    device: str = ""
    mocked: bool = False
    photos: tuple[Photo, ...] = ()
    signature: SignalResult | None = None
    items_minutes: int = 0  # what the items take by the price list of the day
    position: int = 0  # of the verdict in the provider service's log

    @property
    def minutes(self) -> int:
        return (self.end - self.start) // MINUTE


Values = Mapping[str, str | int]
"""What a detector saw, as its ruling keeps it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspicion:
    """One visit, or body, or assessor, that a detector found worth a look."""

    detector: str
    version: int
    pool: str
    day: date  # of care, or the last day looked at
    values: Values
    visit: Seen | None = None
    provider: UUID | None = None  # where it is about no single visit
    assessor: str = ""
    positions: tuple[tuple[str, int], ...] = ()  # service and position of the facts it stands on

    @property
    def subject(self) -> str:
        """What is flagged: with the detector and its version it names the flag."""
        if self.visit is not None:
            return str(self.visit.visit)
        # Two assessors may be tied to one body, and pools name assessors alike.
        named = "/".join(str(one) for one in (self.provider, self.assessor) if one)
        return f"{self.pool}/{named}/{self.day.isoformat()}"

    @property
    def held_fen(self) -> int:
        """What the flag holds: the cost of a visit that counts."""
        return self.visit.cost_fen if self.visit is not None and self.visit.delivered else 0
