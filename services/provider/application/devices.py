"""Use cases around devices and the markers of places of care."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from ltci.provider.v1 import device_service_pb2 as pb

from kernel.eventstore.handle import Call, Handler, Work
from kernel.eventstore.keys import KeyRing
from kernel.refusal import NotFound
from services.provider.application.intake import keyed_hash
from services.provider.application.streams import (
    DEVICE,
    MARKERS,
    PROVIDER,
    device_stream,
    markers_stream,
    provider_stream,
)
from services.provider.domain import device
from services.provider.domain.agreement import admitted
from services.provider.domain.device import Device, PlaceMarkersSet, set_markers


@dataclass(frozen=True, kw_only=True)
class Registration:
    """A device as a provider registers it."""

    device: UUID
    provider: UUID
    public_key: bytes
    registered_date: date


@dataclass(frozen=True, kw_only=True)
class ReadMarkers:
    """The markers of a person's place of care as devices read them, from a day on."""

    person: UUID
    pool: str
    beacons: tuple[str, ...]
    tags: tuple[str, ...]
    family_codes: tuple[str, ...]
    start_date: date


class Devices:
    """Keeps devices, and by what places of care are known."""

    def __init__(self, handler: Handler, keys: KeyRing) -> None:
        self._handler = handler
        self._keys = keys

    async def register(self, call: Call, asked: Registration) -> pb.Device:
        """Registers a device with a provider. Refuses NOT_FOUND, DEVICE_DIFFERS."""

        async def work(work: Work) -> pb.Device:
            provider = await work.load(PROVIDER, provider_stream(asked.provider))
            pool = admitted(asked.provider, provider).pool
            command = device.RegisterDevice(**vars(asked), pool=pool)
            return await _recorded(work, command)

        return await self._handler.execute(call, work, pb.Device)

    async def retire(self, call: Call, command: device.RetireDevice) -> pb.Device:
        """Retires a device from a day on. Refuses NOT_FOUND, RETIRED_BEFORE_START."""

        async def work(work: Work) -> pb.Device:
            return await _recorded(work, command)

        return await self._handler.execute(call, work, pb.Device)

    async def find(self, name: UUID, known_at: datetime | None) -> pb.Device:
        """The device as known now, or at a moment. Refuses NOT_FOUND."""
        state, version = await self._handler.load_known(DEVICE, device_stream(name), known_at)
        if not version:
            raise NotFound("device", name)
        return _answer(state)

    async def set_markers(self, call: Call, asked: ReadMarkers) -> pb.PlaceMarkers:
        """Keeps the keyed hashes of the markers; those told later for the same day replace them."""
        hashed = keyed_hash(self._keys.lookup_hash, asked.person)

        def all_of(kind: str, read: tuple[str, ...]) -> tuple[str, ...]:
            return tuple(sorted({hashed(kind, one) for one in read}))

        command = PlaceMarkersSet(
            person=asked.person,
            pool=asked.pool,
            beacons=all_of("beacon", asked.beacons),
            tags=all_of("tag", asked.tags),
            family_codes=all_of("family_code", asked.family_codes),
            start_date=asked.start_date,
        )
        stream = markers_stream(asked.pool, asked.person)

        async def work(work: Work) -> pb.PlaceMarkers:
            events = set_markers(command, await work.load(MARKERS, stream))
            work.record(MARKERS, stream, asked.pool, events)
            return pb.PlaceMarkers(
                person=str(command.person),
                pool=command.pool,
                beacon_count=len(command.beacons),
                tag_count=len(command.tags),
                family_code_count=len(command.family_codes),
                start_date=command.start_date.isoformat(),
            )

        return await self._handler.execute(call, work, pb.PlaceMarkers)


async def _recorded(work: Work, command: device.Command) -> pb.Device:
    stream = device_stream(command.device)
    state = await work.load(DEVICE, stream)
    events = device.decide(command, state)
    pool = next((event.pool for event in events), "")
    return _answer(work.record(DEVICE, stream, pool, events))


def _answer(state: Device) -> pb.Device:
    known = state.registered
    if known is None:
        raise ValueError("only a device that was registered has an answer")
    return pb.Device(
        device=str(known.device),
        provider=str(known.provider),
        pool=known.pool,
        public_key=known.public_key,
        registered_date=known.registered_date.isoformat(),
        retired_date="" if state.retired is None else state.retired.isoformat(),
    )
