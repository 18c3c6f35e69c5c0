"""What callers ask about devices and markers, checked field by field and made into commands."""

from collections.abc import Sequence

from ltci.provider.v1 import device_service_pb2 as pb

from kernel.clock import Clock
from kernel.eventstore.keys import KeyRing
from kernel.rpc.private import person_named
from kernel.rpc.validate import Check
from kernel.rules.library import PackLibrary
from services.provider.application.devices import ReadMarkers, Registration
from services.provider.application.streams import device_named
from services.provider.domain.device import PUBLIC_KEY_BYTES, RetireDevice
from services.provider.requests_evidence import LONGEST_READING

MOST_MARKERS = 20


class DeviceRequests:
    """Reads requests. What it returns counts only after `check.done()`."""

    def __init__(self, keys: KeyRing, packs: PackLibrary, clock: Clock) -> None:
        self._keys = keys
        self._pools = packs.pools()
        self._clock = clock

    def registration(self, check: Check, request: pb.RegisterDeviceRequest) -> Registration:
        key = request.public_key
        if check.require("public_key", key) and len(key) != PUBLIC_KEY_BYTES:
            check.fail("public_key", "WRONG_LENGTH", *_KEY_LENGTH)
        return Registration(
            device=device_named(key),
            provider=check.uuid("provider", request.provider),
            public_key=key,
            registered_date=check.date("registered_date", request.registered_date),
        )

    def retirement(self, check: Check, request: pb.RetireDeviceRequest) -> RetireDevice:
        return RetireDevice(
            device=check.uuid("device", request.device),
            retired_date=check.date("retired_date", request.retired_date),
            cause=check.text("cause", request.cause),
        )

    def markers(self, check: Check, request: pb.SetPlaceMarkersRequest) -> ReadMarkers:
        return ReadMarkers(
            person=person_named(
                check, request.person, request.identity_number, self._keys, self._clock.today()
            ),
            pool=check.pool("pool", request.pool, self._pools),
            beacons=_readings(check, "beacons", request.beacons),
            tags=_readings(check, "tags", request.tags),
            family_codes=_readings(check, "family_codes", request.family_codes),
            start_date=check.date("start_date", request.start_date),
        )


def _readings(check: Check, field: str, read: Sequence[str]) -> tuple[str, ...]:
    check.between(field, len(read), 0, MOST_MARKERS)
    return tuple(
        check.text(f"{field}[{place}]", one, max=LONGEST_READING) for place, one in enumerate(read)
    )


_KEY_LENGTH = (
    f"must be an Ed25519 public key of {PUBLIC_KEY_BYTES} bytes",
    f"应为{PUBLIC_KEY_BYTES}字节的Ed25519公钥",
)
