"""Pages of a list: how many, and from where on.

A page token is opaque. It holds the sort key of the last row given, and a fingerprint of the
question, so that a token cannot be used with another filter.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from google.protobuf.message import Message

from kernel.refusal import Invalid, Violation
from kernel.rpc.call import fingerprint

DEFAULT_SIZE = 50
LARGEST_SIZE = 1000
Key: TypeAlias = tuple[str | int, ...]
_SEAL_BYTES = 8


@dataclass(frozen=True, kw_only=True)
class Page:
    """Which rows to give: at most `size`, after the row with the sort key `after`."""

    size: int
    after: Key | None
    question: bytes

    def next_token(self, after: Sequence[str | int]) -> str:
        """The token of the following page; `after` is the sort key of this page's last row."""
        return encode_token(after, self.question)


def page_of(request: Message) -> Page:
    """The page a list request asks for. 0 means 50 rows; more than 1 000 means 1 000.

    Refuses (`Invalid`) a negative size and a token of another list or filter.
    """
    asked: int = request.page_size  # type: ignore[attr-defined]  # every list request has it
    token: str = request.page_token  # type: ignore[attr-defined]
    if asked < 0:
        raise Invalid([_NEGATIVE_SIZE])
    question = fingerprint(request, without=("page_size", "page_token"))
    return Page(
        size=min(asked or DEFAULT_SIZE, LARGEST_SIZE),
        after=decode_token(token, question) if token else None,
        question=question,
    )


def encode_token(after: Sequence[str | int], question: bytes) -> str:
    """The token for the rows after this sort key."""
    key = json.dumps(list(after), ensure_ascii=False, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(_seal(key, question) + key).decode().rstrip("=")


def decode_token(token: str, question: bytes) -> Key:
    """The sort key in a token. Refuses (`Invalid`) one that was not made for this question."""
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        seal, key = raw[:_SEAL_BYTES], raw[_SEAL_BYTES:]
        if seal == _seal(key, question):
            return tuple(json.loads(key))
    except (binascii.Error, ValueError):
        pass  # told below
    raise Invalid([_WRONG_TOKEN])


def _seal(key: bytes, question: bytes) -> bytes:
    return hashlib.sha256(question + key).digest()[:_SEAL_BYTES]


_NEGATIVE_SIZE = Violation(
    "page_size",
    "OUT_OF_RANGE",
    f"must be between 0 and {LARGEST_SIZE}",
    f"应在0至{LARGEST_SIZE}之间",
)
_WRONG_TOKEN = Violation(
    "page_token",
    "WRONG_PAGE_TOKEN",
    "must be a token from a page of the same list with the same filter",
    "应为同一列表、同一筛选条件上一页返回的令牌",
)
