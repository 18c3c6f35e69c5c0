"""The names of things: derived where the same thing must get the same name, else made here.

This is the only place that makes random ids.
"""

import hashlib
import os
import re
import struct
import time
from uuid import UUID, SafeUUID

_length = struct.Struct(">I").pack


def derive(*parts: str) -> UUID:
    """The id that these parts, in this order, always have (RFC 9562 version 8, SHA-256)."""
    told = b""
    for part in parts:
        text = part.encode()
        # The length goes first, so that ("ab", "c") and ("a", "bc") get different ids.
        told += _length(len(text)) + text
    return _with_version(int.from_bytes(hashlib.sha256(told).digest()[:16], "big"), 8)


def stream_id(category: str, *parts: str) -> UUID:
    """The stream of this category's thing with this business key."""
    return derive("stream", category, *parts)


def new_id() -> UUID:
    """A new id, sortable by time of making (RFC 9562 version 7).

    The time in it only keeps indexes compact; no rule may read it.
    """
    milliseconds = time.time_ns() // 1_000_000
    return _with_version(milliseconds << 80 | int.from_bytes(os.urandom(10), "big"), 7)


def uuid_of(value: int) -> UUID:
    """The id with these 128 bits: what `UUID(int=value)` gives, at a fourth of its price.

    Imports make a dozen ids a row; the class's own way looks at every argument it might have had.
    """
    made = _new(UUID)
    _set_bits(made, value)
    _set_safety(made, _UNKNOWN)
    return made


def parse_id(text: str) -> UUID:
    """The id written so, lower case with hyphens. Refuses (ValueError) what is no id."""
    return uuid_of(int(text.replace("-", ""), 16)) if _WRITTEN.fullmatch(text) else UUID(text)


_WRITTEN = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_new = UUID.__new__
_set_bits = UUID.int.__set__  # type: ignore[attr-defined,misc]  # a slot, whatever the stubs say
_set_safety = UUID.is_safe.__set__  # type: ignore[attr-defined,misc]
_UNKNOWN = SafeUUID.unknown
_OTHER_BITS = ~(0xF << 76) & ~(0x3 << 62)


def _with_version(value: int, version: int) -> UUID:
    return uuid_of(value & _OTHER_BITS | version << 76 | 0x2 << 62)
