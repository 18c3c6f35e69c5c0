"""Events of payment and enrollment as facts of this service: what alone reads their messages.

Each is followed by its exact type. Where a service writes a newer version of one, this table
must learn it first.
"""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any
from uuid import UUID

from google.protobuf.message import Message
from ltci.enrollment.v1 import enrollment_types_pb2 as enrollment_types
from ltci.enrollment.v1 import events_pb2 as enrollment_pb
from ltci.payment.v1 import events_pb2 as payment_pb

from services.provider.domain.insured import (
    EntitlementState,
    EntitlementTold,
    LifeEventTakenBack,
    LifeEventTold,
    Told,
)

PAYMENT, ENROLLMENT = "payment", "enrollment"
SOURCES = (PAYMENT, ENROLLMENT)


def _entitlement(
    state: EntitlementState | None, *, grade: bool = False, cause: bool = False
) -> Callable[[Any], Told]:
    def read(m: Any) -> EntitlementTold:
        return EntitlementTold(
            person=UUID(m.person),
            pool=m.pool,
            effective_date=date.fromisoformat(m.effective_date),
            state=state,
            grade=m.grade if grade else None,
            cause=m.cause if cause else "",
        )

    return read


def _life_event(m: enrollment_pb.LifeEventReported) -> LifeEventTold:
    kind = enrollment_types.LifeEventKind.Name(m.kind).removeprefix("LIFE_EVENT_KIND_")
    return LifeEventTold(
        person=UUID(m.person),
        life_event=UUID(m.life_event),
        kind=kind.lower(),
        event_date=date.fromisoformat(m.event_date),
        denied=m.denied,
    )


def _taken_back(m: enrollment_pb.LifeEventWithdrawn) -> LifeEventTakenBack:
    return LifeEventTakenBack(person=UUID(m.person), life_event=UUID(m.life_event))


def _named(message: type[Message]) -> str:
    return f"{message.DESCRIPTOR.full_name}/1"


_OPEN, _PAUSED, _ENDED = EntitlementState.OPEN, EntitlementState.PAUSED, EntitlementState.ENDED
_READS: Mapping[str, Mapping[str, tuple[type[Message], Callable[[Any], Told]]]] = {
    PAYMENT: {
        _named(message): (message, read)
        for message, read in (
            (payment_pb.EntitlementOpened, _entitlement(_OPEN, grade=True)),
            (payment_pb.EntitlementChanged, _entitlement(None, grade=True)),
            (payment_pb.EntitlementPaused, _entitlement(_PAUSED, cause=True)),
            (payment_pb.EntitlementResumed, _entitlement(_OPEN)),
            (payment_pb.EntitlementEnded, _entitlement(_ENDED, cause=True)),
        )
    },
    ENROLLMENT: {
        _named(enrollment_pb.LifeEventReported): (enrollment_pb.LifeEventReported, _life_event),
        _named(enrollment_pb.LifeEventWithdrawn): (enrollment_pb.LifeEventWithdrawn, _taken_back),
    },
}


def told_types(source: str) -> tuple[str, ...]:
    """The types of a service's events that are facts here."""
    return tuple(_READS[source])


def told_in(source: str, type_: str, payload: bytes) -> Told:
    """The fact that a recorded event of another service states."""
    message, read = _READS[source][type_]
    return read(message.FromString(payload))


def without_ruling(source: str, type_: str, payload: bytes) -> bytes:
    """The event without its ruling: the digest of the whole pins that."""
    message, _ = _READS[source][type_]
    told = message.FromString(payload)
    if "ruling" in message.DESCRIPTOR.fields_by_name:
        told.ClearField("ruling")
    return told.SerializeToString(deterministic=True)
