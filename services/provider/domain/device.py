"""Devices that sign what they capture, and the markers of a place of care. Pure: no clock, no I/O.

A device (终端) is a key pair: its id is made from the public key, so nobody can register another
key under it. Markers (床旁信标、NFC标签、家属码) are kept as keyed hashes: a reading can be
compared with them, and nobody can make one from them. Source: design reading, no text found.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import assert_never
from uuid import UUID

from kernel.refusal import NotFound, Refused
from kernel.rules.ruling import canonical
from services.provider.domain.evidence import Evidence, VisitPhase, signals_table

STATEMENT = "ltci.capture/1"
SIGNATURE_BYTES = 64  # Ed25519
PUBLIC_KEY_BYTES = 32


@dataclass(frozen=True, kw_only=True)
class RegisterDevice:
    device: UUID
    provider: UUID
    pool: str
    public_key: bytes
    registered_date: date  # first day


@dataclass(frozen=True, kw_only=True)
class RetireDevice:
    device: UUID
    retired_date: date  # first day without it
    cause: str


Command = RegisterDevice | RetireDevice


@dataclass(frozen=True, kw_only=True)
class DeviceRegistered:
    device: UUID
    provider: UUID
    pool: str
    public_key: bytes
    registered_date: date


@dataclass(frozen=True, kw_only=True)
class DeviceRetired:
    device: UUID
    provider: UUID
    pool: str
    retired_date: date
    cause: str


Event = DeviceRegistered | DeviceRetired


@dataclass(frozen=True, kw_only=True)
class Device:
    """A device as far as it is known."""

    registered: DeviceRegistered | None = None
    retired: date | None = None

    def counts(self, provider: UUID, day: date) -> bool:
        """Whether it is a device of the provider on the day."""
        known = self.registered
        return (
            known is not None
            and known.provider == provider
            and known.registered_date <= day
            and (self.retired is None or day < self.retired)
        )


def decide(command: Command, device: Device) -> list[Event]:
    """What the command makes happen: nothing, where it was obeyed before.

    Refuses NOT_FOUND, DEVICE_DIFFERS (known with another provider), RETIRED_BEFORE_START.
    """
    known = device.registered
    match command:
        case RegisterDevice():
            if known is None:
                return [DeviceRegistered(**vars(command))]
            if known.provider != command.provider:
                raise Refused("DEVICE_DIFFERS", device=str(command.device))
            return []
        case RetireDevice():
            if known is None:
                raise NotFound("device", command.device)
            if command.retired_date < known.registered_date:
                raise Refused("RETIRED_BEFORE_START", start_date=known.registered_date.isoformat())
            if device.retired is not None and device.retired <= command.retired_date:
                return []
            return [DeviceRetired(**vars(command), provider=known.provider, pool=known.pool)]
        case _:
            assert_never(command)


def evolve(device: Device, event: Event) -> Device:
    """The device after the event."""
    match event:
        case DeviceRegistered():
            return replace(device, registered=event)
        case DeviceRetired():
            return replace(device, retired=event.retired_date)
        case _:
            assert_never(event)


# --- What a device signs -----------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Capture:
    """What a device says of a visit, or of one end of it; instants in +08:00, to the second."""

    phase: VisitPhase
    whose: str  # the plan, the visit, or the identity number, as the request names it
    caregiver: str  # as the request names it; empty at the end
    start_time: str
    end_time: str
    items: tuple[str, ...]


def capture_statement(capture: Capture, evidence: Evidence) -> bytes:
    """The bytes that a device's signature covers: canonical JSON, see the service's README.

    When it was sent is no part of it: a capture is signed once, and sent as often as it takes.
    """
    told: dict[str, object] = {
        "statement": STATEMENT,
        "phase": capture.phase,
        "whose": capture.whose,
        "caregiver": capture.caregiver,
        "start_time": capture.start_time,
        "end_time": capture.end_time,
        "items": list(capture.items),
        "device": evidence.device,
        "offline": evidence.offline,
    }
    for name, signals in (("start", evidence.start), ("end", evidence.end)):
        if signals is not None:
            told[name] = signals_table(signals)
    return canonical(told)


# --- Markers of a place of care ----------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class PlaceMarkersSet:
    person: UUID
    pool: str
    beacons: tuple[str, ...] = ()  # keyed hashes, in hex, as those below
    tags: tuple[str, ...] = ()
    family_codes: tuple[str, ...] = ()
    start_date: date


@dataclass(frozen=True, kw_only=True)
class Markers:
    """The markers of a person's home, from a day on, as keyed hashes."""

    by_kind: Mapping[str, frozenset[str]]

    def of(self, kind: str) -> frozenset[str]:
        return self.by_kind.get(kind, frozenset())


@dataclass(frozen=True, kw_only=True)
class MarkersKept:
    """All markers ever set for a person in a pool, in the order they were told."""

    sets: tuple[PlaceMarkersSet, ...] = ()


def set_markers(command: PlaceMarkersSet, kept: MarkersKept) -> list[PlaceMarkersSet]:
    """The event, unless the same markers are the last ones told for that day on."""
    told = [one for one in kept.sets if one.start_date == command.start_date]
    return [] if told and told[-1] == command else [command]


def with_markers(kept: MarkersKept, event: PlaceMarkersSet) -> MarkersKept:
    return replace(kept, sets=(*kept.sets, event))


def markers_on(events: Iterable[object], day: date) -> Markers | None:
    """The markers of a place on a day: those of the latest first day, told last; None before."""
    begun = [
        (one.start_date, place, one)
        for place, one in enumerate(events)
        if isinstance(one, PlaceMarkersSet) and one.start_date <= day
    ]
    if not begun:
        return None
    latest = max(begun)[2]
    return Markers(
        by_kind={
            "beacon": frozenset(latest.beacons),
            "tag": frozenset(latest.tags),
            "family_code": frozenset(latest.family_codes),
        }
    )
