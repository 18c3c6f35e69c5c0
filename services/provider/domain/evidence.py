"""What a device brings for a visit beside its times and items (佐证). Pure: no clock, no I/O.

The evidence is sealed with a key of the visit's own, and forgotten when that key is destroyed.
What was read from it stays: distances, matches and hashes, on which the verdict stands.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from uuid import UUID

from kernel.rules.ruling import canonical
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


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What is remembered of a visit's evidence: never the evidence itself."""

    phase: VisitPhase
    digest: bytes
    findings: VisitFindings


def evidence_bytes(evidence: Evidence) -> bytes:
    """The one spelling of an evidence, as people can read it: canonical JSON."""
    told: dict[str, object] = {
        "device": evidence.device,
        "offline": evidence.offline,
        "sent_time": evidence.sent_time,
        "signature": evidence.signature.hex(),
    }
    for name, signals in (("start", evidence.start), ("end", evidence.end)):
        if signals is not None:
            told[name] = signals_table(signals)
    return canonical(told)


def signals_table(signals: Signals) -> dict[str, object]:
    """Signals as they stand in canonical JSON: hashes in hex, every name always there."""
    place = signals.place
    where = {} if place is None else dict(vars(place))
    return where | {
        "accuracy_m": signals.accuracy_m,
        "mocked": signals.mocked,
        "device_time": signals.device_time,
        "beacon": signals.beacon,
        "tag": signals.tag,
        "photos": [
            {"sha256": one.sha256.hex(), "perceptual_hash": f"{one.perceptual_hash:016x}"}
            for one in signals.photos
        ],
        "face": signals.face or "",
        "family_code": signals.family_code,
    }


def digest_of(salt: bytes, content: bytes) -> bytes:
    """SHA-256 over salt and content: proves what was kept, and says nothing of it."""
    return hashlib.sha256(salt + content).digest()


def digest_over(digests: Iterable[bytes]) -> bytes:
    """SHA-256 over digests, one after the other: proves a batch of forgotten evidence."""
    return hashlib.sha256(b"".join(digests)).digest()


def together(kept: Iterable[Kept]) -> VisitFindings | None:
    """The findings of a visit's start and end as one; None where it brought no evidence."""
    found: VisitFindings | None = None
    for one in kept:
        found = one.findings if found is None else _joined(found, one.findings)
    return found


def worse(*results: SignalResult | None) -> SignalResult | None:
    """What several looks at one kind of signal say together: one that does not match decides."""
    for result in (SignalResult.NOT_MATCHED, SignalResult.MATCHED, SignalResult.UNKNOWN):
        if result in results:
            return result
    return None


def _joined(first: VisitFindings, second: VisitFindings) -> VisitFindings:
    skews = (first.clock_skew_seconds, second.clock_skew_seconds)
    return replace(
        first,
        device=first.device or second.device,
        start_distance_m=max(first.start_distance_m, second.start_distance_m),
        end_distance_m=max(first.end_distance_m, second.end_distance_m),
        accuracy_m=max(first.accuracy_m, second.accuracy_m),
        mocked=first.mocked or second.mocked,
        clock_skew_seconds=max(skews, key=abs),
        signature=worse(first.signature, second.signature),
        beacon=worse(first.beacon, second.beacon),
        tag=worse(first.tag, second.tag),
        face=worse(first.face, second.face),
        family_code=worse(first.family_code, second.family_code),
        offline=first.offline or second.offline,
        photos=first.photos + second.photos,
    )
