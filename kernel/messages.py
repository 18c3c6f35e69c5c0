"""Recorded events as tables of what they say: names of fields as on the wire, enums as words."""

from typing import Any

from google.protobuf import symbol_database
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from ltci.type.v1 import options_pb2

from kernel.replay import RawFact
from kernel.rules.ruling import Ruling

# What a reader does not need in an event: the case it belongs to, and the bytes of a ruling, a
# letter or a bundle.
_LEFT_OUT = frozenset({"person", "pool", "ruling", "document", "bundle"})
_NUMBERS = frozenset({FieldDescriptor.CPPTYPE_INT32, FieldDescriptor.CPPTYPE_INT64})


def event_name(type_: str) -> str:
    """`ltci.payment.v1.BenefitPaid/1` is a `BenefitPaid`."""
    return type_.partition("/")[0].rpartition(".")[2]


def message_of(fact: RawFact) -> Message:
    """The event's message, without its personal fields."""
    name = fact.type.partition("/")[0]
    message: Message = symbol_database.Default().GetSymbol(name).FromString(fact.payload)
    return message


def ruling_in(fact: RawFact) -> bytes:
    """The bytes of the ruling that a decision's event carries; empty for other events."""
    return getattr(message_of(fact), "ruling", b"")


def ruling_of(fact: RawFact) -> Ruling | None:
    """The ruling of a decision; None where its bytes are none that were ever written."""
    try:
        return Ruling.parse(ruling_in(fact))
    except ValueError:
        return None


def about(message: Message) -> str:
    """The day, month or local time that the event is about; empty where it is about none."""
    for field in message.DESCRIPTOR.fields:
        if field.GetOptions().Extensions[options_pb2.about_day]:
            told: str = getattr(message, field.name)
            return told
    return ""


def contents(message: Message) -> dict[str, Any]:
    """What the event says, field by field; empty fields and the case's own ids are left out."""
    told: dict[str, Any] = {}
    for field in message.DESCRIPTOR.fields:
        if field.name in _LEFT_OUT:
            continue
        value = getattr(message, field.name)
        if field.is_repeated:
            if value:
                told[field.name] = [_content(field, one) for one in value]
        elif field.message_type is not None:
            if message.HasField(field.name):
                told[field.name] = contents(value)
        elif value or field.cpp_type in _NUMBERS:
            told[field.name] = _content(field, value)  # nought is said, emptiness is not
    return told


def _content(field: Any, value: Any) -> Any:
    if field.message_type is not None:
        return contents(value)
    if isinstance(value, bytes):
        return value.hex()  # a digest or a key
    return _word(field.enum_type, value) if field.enum_type is not None else value


def _word(enum: Any, number: int) -> str:
    """The value as packs and domain code spell it: without the enum's own name before it."""
    known = enum.values_by_number.get(number)
    if known is None:
        return str(number)
    unset = enum.values_by_number[0].name
    return str(known.name).removeprefix(unset.removesuffix("UNSPECIFIED")).lower()
