"""Events between their three shapes: domain dataclass, protobuf message, stored bytes.

The stored event *is* the public message of `protos/`: its type is the message's full name and
a version. Domain code never sees a message; `kernel.eventstore.mapping` says what stands for
what, and is compiled once per class.

Fields marked `(ltci.type.v1.personal)` leave the payload for a second message of the same type
that is sealed with the key of the person named by the field marked `(ltci.type.v1.subject)`.
Without the key (destroyed, or a reader elsewhere) they come back empty: `None`, `""`, `0`,
`()`, or the dataclass's default. A personal field must have such an empty form.

Old events: `upcast` brings the bytes of an older version one version further, as often as it
takes. It changes shape, never meaning. Clear and sealed parts pass through it separately, so it
must accept a message with fields missing.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError, Message
from ltci.type.v1 import options_pb2

from kernel.eventstore.envelope import NewEvent, Recorded
from kernel.eventstore.keys import KeyRing
from kernel.eventstore.mapping import (
    Shape,
    Unmappable,
    Unreadable,
    compile_shape,
    is_map,
    is_personal,
)

__all__ = ["Codec", "UnknownType", "Unmappable", "Unreadable", "Upcaster"]

Upcaster = Callable[[bytes], bytes]


class UnknownType(LookupError):  # noqa: N818 - says what the type is
    """The log holds an event type this code has no class or no upcaster for."""


class Codec:
    """All event types of one service. Register everything first, then encode and decode."""

    def __init__(self, keys: KeyRing | None, *pairs: tuple[type, type[Message]]) -> None:
        """Pairs of dataclass and message are registered as version 1.

        Without keys nothing personal can be written, and personal fields read as empty.
        """
        self._keys = keys
        self._by_class: dict[type, _EventType] = {}
        self._by_name: dict[str, _EventType] = {}
        self._upcasters: dict[tuple[str, int], Upcaster] = {}
        for event_class, message_class in pairs:
            self.register(event_class, message_class)

    def register(self, event_class: type, message_class: type[Message], version: int = 1) -> None:
        """Binds a dataclass to its message; `version` is the newest, the one written.

        Refuses (Unmappable) what does not fit, and a class or message bound twice.
        """
        name = message_class.DESCRIPTOR.full_name
        if event_class in self._by_class or name in self._by_name:
            raise Unmappable(f"{event_class.__name__} or {name} is registered already")
        shape = compile_shape(event_class, message_class)
        event_type = _EventType(
            name=name,
            version=version,
            stored_as=f"{name}/{version}",
            shape=shape,
            subject=_subject(message_class.DESCRIPTOR) if shape.has_personal else None,
        )
        self._by_class[event_class] = self._by_name[name] = event_type

    def upcast(self, name: str, from_version: int, step: Upcaster) -> None:
        """Brings message bytes of `name` from one version to the next."""
        if (name, from_version) in self._upcasters:
            raise Unmappable(f"{name} has a step from version {from_version} already")
        self._upcasters[name, from_version] = step

    def type_name(self, event_class: type) -> str:
        """Full name of the message and its version, as stored."""
        return self._type_of(event_class).stored_as

    @property
    def types(self) -> tuple[str, ...]:
        """The stored names of all registered types, newest versions, sorted."""
        return tuple(sorted(event_type.stored_as for event_type in self._by_name.values()))

    async def encode(self, stream: UUID, version: int, event: object) -> NewEvent:
        """The event as it will stand at `version` of `stream`, personal fields sealed."""
        event_type = self._type_of(type(event))
        message = event_type.shape.write(event)
        personal = event_type.shape.message_class()
        if event_type.subject is None or not _split(message, personal):
            return NewEvent(type=event_type.stored_as, payload=_bytes(message))
        if self._keys is None:
            raise RuntimeError(f"{event_type.name} holds personal data and there are no keys")
        place = _place(stream, version, event_type.stored_as)
        person = _person(event_type.subject, message)
        key_id, sealed = await self._keys.seal(person, place, _bytes(personal))
        return NewEvent(
            type=event_type.stored_as, payload=_bytes(message), sealed=sealed, key_id=key_id
        )

    def clear(self, event: object) -> tuple[str, bytes]:
        """The type and the clear part of an event as they will be stored: what its digest names."""
        event_type = self._type_of(type(event))
        message = event_type.shape.write(event)
        if event_type.subject is not None:
            _split(message, event_type.shape.message_class())
        return event_type.stored_as, _bytes(message)

    async def prepare(self, events: Iterable[Recorded]) -> None:
        """Fetches the keys that these events need, in one look; then `decode` asks for none."""
        if self._keys is not None:
            await self._keys.fetch(e.key_id for e in events if e.key_id is not None)

    async def decode(self, recorded: Recorded) -> Any:
        """The event, with its personal fields as long as their key lives."""
        event_type, message = self._parse(recorded.type, recorded.payload)
        if recorded.sealed is not None and recorded.key_id is not None and self._keys is not None:
            place = _place(recorded.stream, recorded.version, recorded.type)
            opened = await self._keys.open_sealed(recorded.key_id, place, recorded.sealed)
            if opened is not None:
                _merge(message, self._parse(recorded.type, opened)[1])
        return event_type.shape.read(message)

    def decode_clear(self, type: str, payload: bytes) -> Any:  # noqa: A002 - the envelope's word
        """The event without its personal fields: for feeds and replay."""
        event_type, message = self._parse(type, payload)
        return event_type.shape.read(message)

    def message_clear(self, type: str, payload: bytes) -> Message:  # noqa: A002 - as above
        """The newest version of the message itself, for folds over millions of events."""
        return self._parse(type, payload)[1]

    def _type_of(self, event_class: type) -> "_EventType":
        try:
            return self._by_class[event_class]
        except KeyError:
            raise UnknownType(f"{event_class.__name__} is not registered as an event") from None

    def _parse(self, stored_as: str, payload: bytes) -> tuple["_EventType", Message]:
        name, _, number = stored_as.rpartition("/")
        event_type = self._by_name.get(name)
        if event_type is None:
            raise UnknownType(f"no class is registered for events of type {stored_as}")
        if stored_as != event_type.stored_as:
            payload = self._raised(event_type, number, payload)
        try:
            return event_type, event_type.shape.message_class.FromString(payload)
        except DecodeError as error:
            raise Unreadable(f"bytes of {stored_as} are no such message") from error

    def _raised(self, event_type: "_EventType", number: str, payload: bytes) -> bytes:
        if not number.isdecimal() or not 0 < int(number) < event_type.version:
            raise UnknownType(
                f"this code knows {event_type.name} up to version {event_type.version}, "
                f"not {number}"
            )
        for version in range(int(number), event_type.version):
            step = self._upcasters.get((event_type.name, version))
            if step is None:
                raise UnknownType(f"no step leads {event_type.name} on from version {version}")
            payload = step(payload)
        return payload


@dataclass(frozen=True, slots=True)
class _EventType:
    name: str
    version: int
    stored_as: str
    shape: Shape
    subject: str | None  # the field with the person's id, where there are personal fields


def _bytes(message: Message) -> bytes:
    return message.SerializeToString(deterministic=True)


def _place(stream: UUID, version: int, stored_as: str) -> bytes:
    """Binds a sealed part to its place: moved elsewhere, it does not open."""
    return f"{stream}|{version}|{stored_as}".encode()


# --- Personal fields -------------------------------------------------------------------------


def _subject(descriptor: Any) -> str:
    marked = [f.name for f in descriptor.fields if f.GetOptions().Extensions[options_pb2.subject]]
    if len(marked) != 1:
        raise Unmappable(
            f"{descriptor.full_name} has personal fields and names {len(marked)} subjects, not one"
        )
    return str(marked[0])


def _person(subject: str, message: Message) -> UUID:
    told = getattr(message, subject)
    try:
        return UUID(told)
    except ValueError:
        raise Unreadable(f"{message.DESCRIPTOR.full_name}.{subject} names no person") from None


@cache
def _leads_to_personal(field: FieldDescriptor) -> bool:
    """Whether messages in this field hold a personal field, at any depth."""
    if field.message_type is None:
        return False
    return any(is_personal(f) or _leads_to_personal(f) for f in field.message_type.fields)


def _split(message: Message, personal: Message) -> bool:
    """Moves the personal fields from one message to the other; says whether there were any."""
    moved = False
    for field, value in message.ListFields():
        if is_personal(field):
            _put(field, value, personal)
            message.ClearField(field.name)
            moved = True
        elif not _leads_to_personal(field):
            continue
        elif field.is_repeated:
            # Every element gets its counterpart: they find each other by their place.
            target = getattr(personal, field.name)
            found = [_split(element, target.add()) for element in value]
            moved = moved or any(found)
        else:
            moved = _split(value, getattr(personal, field.name)) or moved
    return moved


def _merge(message: Message, personal: Message) -> None:
    """Puts the personal fields back where they came from."""
    for field, value in personal.ListFields():
        if is_personal(field):
            message.ClearField(field.name)
            _put(field, value, message)
        elif not _leads_to_personal(field):
            continue  # an upcaster may have set it in both parts; the clear one counts
        elif field.is_repeated:
            for clear, opened in zip(getattr(message, field.name), value, strict=True):
                _merge(clear, opened)
        else:
            _merge(getattr(message, field.name), value)


def _put(field: FieldDescriptor, value: Any, target: Message) -> None:
    if is_map(field):
        getattr(target, field.name).MergeFrom(value)
    elif field.is_repeated:
        getattr(target, field.name).extend(value)
    elif field.message_type is not None:
        getattr(target, field.name).CopyFrom(value)
        getattr(target, field.name).SetInParent()
    else:
        setattr(target, field.name, value)
