"""The names of things: derived where the same thing must get the same name, else made here.

This is the only place that makes random ids.
"""

import hashlib
import os
import time
from uuid import UUID

_LENGTH_OF_LENGTH = 4


def derive(*parts: str) -> UUID:
    """The id that these parts, in this order, always have (RFC 9562 version 8, SHA-256)."""
    digest = hashlib.sha256()
    for part in parts:
        text = part.encode()
        # The length goes first, so that ("ab", "c") and ("a", "bc") get different ids.
        digest.update(len(text).to_bytes(_LENGTH_OF_LENGTH, "big"))
        digest.update(text)
    return _with_version(int.from_bytes(digest.digest()[:16], "big"), 8)


def stream_id(category: str, *parts: str) -> UUID:
    """The stream of this category's thing with this business key."""
    return derive("stream", category, *parts)


def new_id() -> UUID:
    """A new id, sortable by time of making (RFC 9562 version 7).

    The time in it only keeps indexes compact; no rule may read it.
    """
    milliseconds = time.time_ns() // 1_000_000
    return _with_version(milliseconds << 80 | int.from_bytes(os.urandom(10), "big"), 7)


def _with_version(value: int, version: int) -> UUID:
    value &= ~(0xF << 76) & ~(0x3 << 62)
    return UUID(int=value | version << 76 | 0x2 << 62)
