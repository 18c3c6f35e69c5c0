"""What a device brings for a visit beside its times and items (佐证). Pure: no clock, no I/O.

The evidence is sealed with a key of the visit's own, and forgotten when that key is destroyed.
What was read from it stays: distances, matches and hashes, on which the verdict stands.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from services.provider.domain.place import Place


class SignalResult(StrEnum):
    """What an independent signal said; None where it was not given."""

    MATCHED = "matched"
    NOT_MATCHED = "not_matched"
    UNKNOWN = "unknown"  # nothing is on record to compare it with


class VisitPhase(StrEnum):
    """The part of a visit that evidence is about."""

    START = "start"
    END = "end"
    WHOLE = "whole"


@dataclass(frozen=True, kw_only=True)
class Photo:
    """A photo by its hashes: SHA-256 of the file, and 64 bits in which look-alikes are near."""

    sha256: bytes
    perceptual_hash: int = 0


@dataclass(frozen=True, kw_only=True)
class Signals:
    """What a device captured at one moment."""

    place: Place | None = None
    accuracy_m: int = 0  # 0 where the device does not say
    mocked: bool = False  # the device's system says that the place is simulated
    device_time: str = ""  # ISO 8601 with offset
    beacon: str = ""
    tag: str = ""
    photos: tuple[Photo, ...] = ()
    face: SignalResult | None = None  # of a face match outside
    family_code: str = ""


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Everything a device brings for a visit, or for one end of it."""

    start: Signals | None = None
    end: Signals | None = None
    device: str = ""
    sent_time: str = ""  # the device's clock when it sent this
    offline: bool = False
    signature: bytes = b""


@dataclass(frozen=True, kw_only=True)
class VisitFindings:
    """What was read from the evidence; it stays."""

    device: str = ""
    start_distance_m: int = 0
    end_distance_m: int = -1  # -1 where the device did not say
    accuracy_m: int = 0
    mocked: bool = False
    clock_skew_seconds: int = 0  # positive: the device was ahead
    signature: SignalResult | None = None
    beacon: SignalResult | None = None
    tag: SignalResult | None = None
    face: SignalResult | None = None
    family_code: SignalResult | None = None
    offline: bool = False
    photos: tuple[Photo, ...] = ()


@dataclass(frozen=True, kw_only=True)
class EvidenceKept:
    visit: UUID
    person: UUID
    pool: str
    phase: VisitPhase
    evidence: Evidence | None = None  # personal: gone with the visit's key
    salt: bytes = b""  # personal, too: without it the digest cannot be tried out
    digest: bytes
    findings: VisitFindings
    care_date: date
