"""Takes the evidence of visits in: held against what is on record, once, and kept (佐证接收).

Devices and markers are read for as many visits as there are at once, and only for those that
name a device or read a marker.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import reduce
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from kernel.rules.ruling import Fact
from services.provider.application.streams import device_stream, markers_stream
from services.provider.domain import device
from services.provider.domain.device import Capture, Device, capture_statement, markers_on
from services.provider.domain.evidence import (
    Evidence,
    EvidenceKept,
    SignalResult,
    digest_of,
    evidence_bytes,
)
from services.provider.domain.findings import Compared, Hashed, find
from services.provider.domain.plan import PlanApproved


@dataclass(frozen=True, kw_only=True)
class Brought:
    """An evidence as it came with a request, and how far the clock of its device was ahead."""

    evidence: Evidence
    capture: Capture
    skew_seconds: int
    salt: bytes
    lookup: Callable[[str, str], str]  # the keyed hash of a text for a purpose

    @property
    def device(self) -> UUID | None:
        """The device that is named, where the name is that of a registered one's kind."""
        try:
            return UUID(self.evidence.device)
        except ValueError:
            return None

    @property
    def reads_markers(self) -> bool:
        ends = (self.evidence.start, self.evidence.end)
        return any(one and (one.beacon or one.tag or one.family_code) for one in ends)


Streams = Mapping[UUID, tuple[Fact, ...]]


def streams_of(brought: Brought, owner: tuple[str, UUID] | None) -> list[UUID]:
    """The streams that an evidence is held against; the owner is pool and person of the plan."""
    streams = [markers_stream(*owner)] if owner is not None and brought.reads_markers else []
    if brought.device is not None:
        streams.append(device_stream(brought.device))
    return streams


def keyed_hash(lookup: Callable[[str, str], str], person: UUID) -> Hashed:
    """Keyed hashes of a person's markers: the same marker at two homes has two hashes."""
    return lambda kind, read: lookup(f"marker {kind}", f"{person}\0{read}")


def keep(
    brought: Brought,
    approved: PlanApproved,
    visit: UUID,
    day: date,
    streams: Streams,
) -> EvidenceKept:
    """The evidence with what is read from it, as it is recorded with the visit."""
    if approved.place is None:
        raise AssertionError("a visit is not taken in without a place to compare")
    evidence = brought.evidence
    markers = streams.get(markers_stream(approved.pool, approved.person), ())
    against = Compared(
        home=approved.place,
        markers=markers_on((fact.event for fact in markers), day),
        hashed=keyed_hash(brought.lookup, approved.person),
        signature=_signature(brought, _device(brought, streams), approved.provider, day),
        skew_seconds=brought.skew_seconds,
    )
    return EvidenceKept(
        visit=visit,
        person=approved.person,
        pool=approved.pool,
        phase=brought.capture.phase,
        evidence=evidence,
        salt=brought.salt,
        digest=digest_of(brought.salt, evidence_bytes(evidence)),
        findings=find(evidence, against),
        care_date=day,
    )


def _device(brought: Brought, streams: Streams) -> Device:
    if brought.device is None:
        return Device()
    events: Sequence[device.Event] = [
        fact.event
        for fact in streams.get(device_stream(brought.device), ())
        if isinstance(fact.event, device.DeviceRegistered | device.DeviceRetired)
    ]
    return reduce(device.evolve, events, Device())


def _signature(brought: Brought, known: Device, provider: UUID, day: date) -> SignalResult | None:
    """What the signature says: of a device that is not registered, nothing is known."""
    if not brought.evidence.signature:
        return None
    if known.registered is None:
        return SignalResult.UNKNOWN
    if not known.counts(provider, day):
        return SignalResult.NOT_MATCHED
    key = Ed25519PublicKey.from_public_bytes(known.registered.public_key)
    try:
        key.verify(brought.evidence.signature, capture_statement(brought.capture, brought.evidence))
    except InvalidSignature:
        return SignalResult.NOT_MATCHED
    return SignalResult.MATCHED
