"""Who asks what, under which name: the part of a write that makes it safe to repeat."""

import hashlib
import re
from functools import cache
from uuid import UUID

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

from kernel.eventstore.handle import Call
from kernel.refusal import Invalid, Violation
from kernel.rpc.around import Context
from kernel.rpc.channel import ACTOR_KEY
from kernel.rpc.validate import Check

DEFAULT_ACTOR = "system"
_ACTOR = re.compile(r"[a-z0-9][a-z0-9_.:/-]{0,79}")


def call_of(request: Message, context: Context) -> Call:
    """The call of a write request: its id, its fingerprint, who asks.

    Refuses (`Invalid`) a request id that is no UUID, and an actor that is no role's name.
    """
    return Call(
        request_id=_request_id(request),
        fingerprint=fingerprint(request),
        actor=actor_of(context),
    )


def fingerprint(request: Message, *, without: tuple[str, ...] = ("request_id",)) -> bytes:
    """SHA-256 of what is asked: the type's name and the content without the named fields.

    Two requests that ask the same have the same fingerprint, whatever their ids.
    """
    asked = type(request)()
    asked.CopyFrom(request)
    kind, cleared = _of_content(request.DESCRIPTOR, without)
    for name in cleared:
        asked.ClearField(name)
    return hashlib.sha256(kind + asked.SerializeToString(deterministic=True)).digest()


@cache
def _of_content(asked: Descriptor, without: tuple[str, ...]) -> tuple[bytes, list[str]]:
    """What a fingerprint begins with, and the fields that do not enter it."""
    names = asked.fields_by_name
    return asked.full_name.encode() + b"\0", [name for name in without if name in names]


def actor_of(context: Context) -> str:
    """The system or role that calls (`ltci-actor` in the metadata): never a person's name."""
    for key, value in context.invocation_metadata() or ():
        if key == ACTOR_KEY:
            actor = value if isinstance(value, str) else value.decode("ascii", "replace")
            if not _ACTOR.fullmatch(actor):
                raise Invalid([_WRONG_ACTOR])
            return actor
    return DEFAULT_ACTOR


def _request_id(request: Message) -> UUID:
    check = Check()
    name: str = getattr(request, "request_id")  # noqa: B009 - every write request has it, no type says so
    request_id = check.uuid("request_id", name)
    check.done()
    return request_id


_WRONG_ACTOR = Violation(
    ACTOR_KEY,
    "WRONG_FORM",
    "must be the name of a role: lower-case letters, digits and _ . : / -, at most 80",
    "应为角色名:小写字母、数字及_.:/-,不超过80个字符",
)
