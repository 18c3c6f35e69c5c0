"""What goes into an event store and what comes out: envelopes around opaque payloads.

Pure: no clock, no I/O. The store never looks inside a payload.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from uuid import UUID

from kernel.ids import uuid_of


@dataclass(frozen=True, slots=True)
class NewEvent:
    """A fact to be kept: a clear payload and, where people are named, a sealed part."""

    type: str  # full message name and version, "ltci.enrollment.v1.PersonRegistered/1"
    payload: bytes
    sealed: bytes | None = None  # personal fields, under the key `key_id`
    key_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class StreamAppend:
    """Events for one stream, if it stands at `expected_version` (0: there is no such stream)."""

    stream: UUID
    category: str
    pool: str  # the pooling area's code (统筹地区), "" where none applies
    expected_version: int
    events: tuple[NewEvent, ...]


@dataclass(frozen=True, slots=True)
class Meta:
    """Who asked for an event, in which request and trace, and which code answered."""

    request_id: UUID
    actor: str
    traceparent: str
    code_version: str
    cause: str = ""


@dataclass(frozen=True, slots=True)
class Append:
    """One request's outcome, kept whole or not at all.

    `fingerprint` tells a repeated request from another one under the same id; `answer` is what a
    repetition is told. Without streams only the request and its answer are kept.
    """

    request_id: UUID
    fingerprint: bytes
    answer: bytes
    streams: tuple[StreamAppend, ...]
    meta: Meta


@dataclass(frozen=True, slots=True)
class Appended:
    """The append is durable; its events hold these positions, both in (0, 0: it had none)."""

    first_position: int
    last_position: int


@dataclass(frozen=True, slots=True)
class Repeated:
    """The request was obeyed before; this was its answer, these its effects' last position."""

    answer: bytes
    last_position: int


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event as kept. `hash` chains it to its predecessor in the stream."""

    position: int
    stream: UUID
    version: int
    category: str
    pool: str
    type: str
    payload: bytes
    sealed: bytes | None
    key_id: UUID | None
    meta: Meta
    recorded_at: datetime
    hash: bytes


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in a history: which history (`epoch`), how far, and the hash of the event there."""

    epoch: UUID
    position: int
    hash: bytes


def pack_meta(meta: Meta) -> bytes:
    """The bytes kept beside an event. Refuses (ValueError) a text with a NUL in it."""
    texts = f"{meta.actor}\0{meta.traceparent}\0{meta.code_version}\0{meta.cause}"
    if texts.count("\0") != 3:
        raise ValueError("texts of an event's meta must not contain NUL")
    return b"\x01" + meta.request_id.bytes + texts.encode()


def unpack_meta(content: bytes) -> Meta:
    """The inverse of `pack_meta`, for every layout ever written."""
    if content[0] != 1:
        raise ValueError(f"unknown layout {content[0]} of an event's meta")
    return Meta(uuid_of(int.from_bytes(content[1:17], "big")), *_texts(content[17:]))


@lru_cache(maxsize=1024)
def _texts(content: bytes) -> tuple[str, str, str, str]:
    """Actor, trace, code and cause: the same for all that one import wrote."""
    actor, traceparent, code_version, cause = content.decode().split("\0")
    return actor, traceparent, code_version, cause


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_NOTHING = 0xFFFFFFFF  # the length of a part that is absent, which is not the empty part
_FIXED = struct.Struct(">16siqIIIII").pack
SHA256 = b"\x01"  # the first byte of a hash names its algorithm, so that it can change


def microseconds(instant: datetime) -> int:
    """The instant as whole microseconds since 1970, as it enters the hash."""
    return (instant - _EPOCH) // _MICROSECOND


def pack_kind(event_type: str, category: str, pool: str) -> bytes:
    """What an event is, as it enters the hash. Refuses (ValueError) a text with a NUL in it."""
    kind = f"{event_type}\0{category}\0{pool}"
    if kind.count("\0") != 2:
        raise ValueError("type, category and pool must not contain NUL")
    return kind.encode()


def link(
    previous: bytes,
    stream: bytes,
    version: int,
    kind: bytes,
    event: NewEvent | Recorded,
    meta: bytes,
    recorded_at: int,
) -> bytes:
    """An event's hash over everything it says and its predecessor's hash (b"" for the first)."""
    payload, sealed, key = event.payload, event.sealed, event.key_id
    fixed = _FIXED(
        stream,
        version,
        recorded_at,
        len(kind),
        len(payload),
        _NOTHING if sealed is None else len(sealed),
        _NOTHING if key is None else 16,
        len(meta),
    )
    text = previous + fixed + kind + payload
    if sealed is not None:
        text += sealed
    if key is not None:
        text += key.bytes
    return SHA256 + sha256(text + meta).digest()


def first_broken(events: Sequence[Recorded]) -> Recorded | None:
    """The first event of a whole stream that is not what was recorded, None if all are."""
    previous = b""
    for version, event in enumerate(events, start=1):
        kind = pack_kind(event.type, event.category, event.pool)
        meta, instant = pack_meta(event.meta), microseconds(event.recorded_at)
        expected = link(previous, event.stream.bytes, version, kind, event, meta, instant)
        if (event.version, event.hash) != (version, expected):
            return event
        previous = event.hash
    return None
