"""The signed bundle of a transfer: made from recorded events, and checked to the last byte.

The signature is over the manifest, which lists every event by its digest; so a bundle that lacks
an event or holds an altered one is known, and which. Streams of coverage, contributions and life
are here whole, and their hash chain is computed again. Conclusions are single events of another
service's streams: the old pool's office hands them in from the feed, and its enrollment vouches
for them.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date
from hashlib import sha256
from itertools import groupby
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from google.protobuf.timestamp_pb2 import Timestamp
from ltci.assessment.v1 import events_pb2 as assessment_pb
from ltci.enrollment.v1 import transfer_service_pb2 as pb
from ltci.events.v1 import feed_pb2

from kernel.eventstore.envelope import Recorded, first_broken, pack_meta, unpack_meta
from kernel.eventstore.keys import KeyRing
from kernel.refusal import Refused
from services.enrollment.brought import ASSESSMENT, OWN, manifest_of

ARRIVALS = "transfer"  # of these streams only what was accepted is here
CONCLUSION = f"{assessment_pb.ConclusionDelivered.DESCRIPTOR.full_name}/1"


@dataclass(frozen=True, kw_only=True)
class Offer:
    """What a bundle is made for."""

    transfer: UUID
    persons: Sequence[UUID]  # all who are one, the one who stays first
    from_pool: str
    to_pool: str
    offered_date: date


def made(
    offer: Offer,
    own: Iterable[Recorded],
    conclusions: Iterable[feed_pb2.RecordedEvent],
    keys: KeyRing,
) -> pb.TransferBundle:
    """The bundle, its events in order of service and position, signed by this deployment.

    Refuses CONCLUSION_OF_ANOTHER.
    """
    events = [_of_recorded(recorded) for recorded in own]
    events += [_of_feed(event, offer.persons) for event in conclusions]
    events.sort(key=lambda event: (event.service, event.position))
    manifest = pb.TransferManifest(
        transfer=str(offer.transfer),
        person=str(offer.persons[0]),
        persons=[str(person) for person in offer.persons],
        from_pool=offer.from_pool,
        to_pool=offer.to_pool,
        offered_date=offer.offered_date.isoformat(),
        events=[
            pb.ListedEvent(service=one.service, position=one.position, digest=_digest(one))
            for one in events
        ],
    ).SerializeToString(deterministic=True)
    return pb.TransferBundle(
        manifest=manifest,
        signature=keys.sign(manifest),
        public_key=keys.public_key,
        events=events,
    )


def check(bundle: pb.TransferBundle, trusted: Collection[bytes]) -> None:
    """Refuses a bundle that is not as somebody trusted signed it, and says what is wrong.

    KEY_NOT_TRUSTED, SIGNATURE_WRONG, EVENT_MISSING, EVENT_ALTERED, EVENT_NOT_LISTED, CHAIN_BROKEN.
    """
    if bundle.public_key not in trusted:
        raise Refused("KEY_NOT_TRUSTED", public_key=bundle.public_key.hex())
    try:
        Ed25519PublicKey.from_public_bytes(bundle.public_key).verify(
            bundle.signature, bundle.manifest
        )
    except (InvalidSignature, ValueError):
        raise Refused("SIGNATURE_WRONG", public_key=bundle.public_key.hex()) from None
    _check_events(bundle, manifest_of(bundle))
    _check_chains(bundle)


def manifest_hash(bundle: pb.TransferBundle) -> str:
    """Names a bundle by what it holds: SHA-256 of its manifest, in hex."""
    return sha256(bundle.manifest).hexdigest()


def _check_events(bundle: pb.TransferBundle, manifest: pb.TransferManifest) -> None:
    there = {(one.service, one.position): one for one in bundle.events}
    listed = {(one.service, one.position): one.digest for one in manifest.events}
    for (service, position), digest in listed.items():
        one = there.get((service, position))
        if one is None:
            raise Refused("EVENT_MISSING", event=f"{service}:{position}")
        if _digest(one) != digest:
            raise Refused("EVENT_ALTERED", event=f"{service}:{position}")
    for one in bundle.events:
        if (one.service, one.position) not in listed:
            raise Refused("EVENT_NOT_LISTED", event=f"{one.service}:{one.position}")


def _check_chains(bundle: pb.TransferBundle) -> None:
    """Enrollment's streams are whole: each begins with its first event, none is left out."""
    own = sorted(
        (one for one in bundle.events if one.service == OWN and one.category != ARRIVALS),
        key=lambda one: (one.stream, one.version),
    )
    for _, told in groupby(own, key=lambda one: one.stream):
        broken = first_broken([_recorded(one) for one in told])
        if broken is not None:
            raise Refused("CHAIN_BROKEN", event=f"{OWN}:{broken.position}")


def _digest(event: pb.BundledEvent) -> bytes:
    return sha256(event.SerializeToString(deterministic=True)).digest()


def _of_recorded(recorded: Recorded) -> pb.BundledEvent:
    time = Timestamp()
    time.FromDatetime(recorded.recorded_at)
    return pb.BundledEvent(
        service=OWN,
        position=recorded.position,
        stream=str(recorded.stream),
        version=recorded.version,
        category=recorded.category,
        pool=recorded.pool,
        type=recorded.type,
        payload=recorded.payload,
        recorded_time=time,
        hash=recorded.hash,
        meta=pack_meta(recorded.meta),
    )


def _of_feed(event: feed_pb2.RecordedEvent, persons: Sequence[UUID]) -> pb.BundledEvent:
    of = UUID(assessment_pb.ConclusionDelivered.FromString(event.payload).person)
    if of not in persons:
        raise Refused("CONCLUSION_OF_ANOTHER", event=f"{ASSESSMENT}:{event.position}")
    return pb.BundledEvent(
        service=ASSESSMENT,
        position=event.position,
        stream=event.stream,
        version=event.version,
        category=event.category,
        pool=event.pool,
        type=event.type,
        payload=event.payload,
        recorded_time=event.recorded_time,
        hash=event.hash,
    )


def _recorded(one: pb.BundledEvent) -> Recorded:
    """The event as the old pool's store kept it. Refuses BUNDLE_UNREADABLE."""
    try:
        return Recorded(
            position=one.position,
            stream=UUID(one.stream),
            version=one.version,
            category=one.category,
            pool=one.pool,
            type=one.type,
            payload=one.payload,
            sealed=None,
            key_id=None,
            meta=unpack_meta(one.meta),
            recorded_at=one.recorded_time.ToDatetime(tzinfo=UTC),
            hash=one.hash,
        )
    except (ValueError, IndexError):
        raise Refused("BUNDLE_UNREADABLE") from None
