"""What a bundle says that a new pool decides by, whoever checked it before (转移材料内容).

A decision is made again from a bundle by this alone: no keys, no store.
"""

from datetime import date
from functools import reduce
from uuid import UUID

from google.protobuf.message import DecodeError
from ltci.assessment.v1 import events_pb2 as assessment_pb
from ltci.enrollment.v1 import transfer_service_pb2 as pb

from kernel.eventstore.codec import Codec, UnknownType
from kernel.refusal import Refused
from services.enrollment.domain import coverage as c
from services.enrollment.domain import life as lf
from services.enrollment.domain.merging import together
from services.enrollment.domain.transfer import Brought, Concluded
from services.enrollment.domain.transferred import TransferAccepted

OWN = "enrollment"
ASSESSMENT = "assessment"


def manifest_of(bundle: pb.TransferBundle) -> pb.TransferManifest:
    """What the bundle says it holds, unchecked. Refuses BUNDLE_UNREADABLE."""
    try:
        manifest = pb.TransferManifest.FromString(bundle.manifest)
        UUID(manifest.transfer)
        for person in (manifest.person, *manifest.persons):
            UUID(person)
    except (DecodeError, ValueError):
        raise Refused("BUNDLE_UNREADABLE") from None
    return manifest


def brought_by(bundle: pb.TransferBundle, codec: Codec) -> Brought:
    """What a bundle says that a new pool decides by. Refuses EVENT_UNKNOWN."""
    manifest = manifest_of(bundle)
    told = [_event(one, codec) for one in bundle.events if one.service == OWN]
    persons = [UUID(person) for person in manifest.persons]
    life = reduce(
        lf.evolve,
        (e for e in told if isinstance(e, lf.LifeEventReported | lf.LifeEventWithdrawn)),
        lf.Life(),
    )
    coverage = [e for e in told if isinstance(e, c.Event)]
    return Brought(
        coverage=together(
            [
                reduce(c.evolve, (e for e in coverage if e.person == who), c.Coverage())
                for who in persons
            ]
        ),
        arrived=tuple(e for e in told if isinstance(e, TransferAccepted)),
        conclusions=tuple(
            _concluded(one.payload) for one in bundle.events if one.service == ASSESSMENT
        ),
        died=any(report.kind is lf.LifeEventKind.DEATH for report in life.standing),
    )


def _event(one: pb.BundledEvent, codec: Codec) -> object:
    """An event of enrollment; another deployment may write kinds that this one does not know."""
    try:
        return codec.decode_clear(one.type, one.payload)
    except UnknownType:
        raise Refused("EVENT_UNKNOWN", event=f"{OWN}:{one.position}", type=one.type) from None


def _concluded(payload: bytes) -> Concluded:
    m = assessment_pb.ConclusionDelivered.FromString(payload)
    return Concluded(
        application=UUID(m.application),
        grade=m.grade,
        conclusion_date=date.fromisoformat(m.conclusion_date),
        effective_date=date.fromisoformat(m.effective_date),
        valid_until_date=date.fromisoformat(m.valid_until_date),
    )
