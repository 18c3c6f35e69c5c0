"""Requests that name people by personal data, taken in without leaving that data behind."""

import datetime as dt
from uuid import UUID

from google.protobuf.message import Message

from kernel.eventstore.handle import Call
from kernel.eventstore.keys import KeyRing
from kernel.rpc.around import Context
from kernel.rpc.call import call_of
from kernel.rpc.validate import Check

RESIDENT = "resident"


def private_call(check: Check, request: Message, context: Context, keys: KeyRing) -> Call:
    """Ends the check of a write request, its request id included, and returns its call.

    The call's fingerprint is keyed. Fingerprints are stored, and a plain hash of a request with
    an identity number could be found by trying all numbers; a keyed one tells nothing to those
    without the key. Refuses (`Invalid`) with everything the check has found.
    """
    check.uuid("request_id", getattr(request, "request_id"))  # noqa: B009 - as in call_of
    check.done()
    return keyed(call_of(request, context), keys)


def keyed(call: Call, keys: KeyRing) -> Call:
    """The call with its fingerprint under the lookup key."""
    told = keys.lookup_hash("request", call.fingerprint.hex())
    return Call(call.request_id, bytes.fromhex(told), call.actor)


def person_named(
    check: Check, person: str, identity_number: str, keys: KeyRing, today: dt.date
) -> UUID:
    """The person named by the id or by a resident's identity number: by exactly one of the two."""
    if not identity_number:
        return check.uuid("person", person)
    number = check.identity_number("identity_number", identity_number, today=today)
    if person:
        check.fail(
            "identity_number",
            "ONE_OF_TWO",
            "give the person or the identity number, not both",
            "参保人编号与身份号码只能填写一项",
        )
    return keys.person_id(RESIDENT, number)
