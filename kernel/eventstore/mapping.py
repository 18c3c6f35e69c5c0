"""Dataclasses and protobuf messages, field by field: one compiled mapping per class.

A field has the same name on both sides, but for money, which drops the unit (`amount: Money`
is `amount_fen`). What stands for what:

    str int float bool bytes   themselves            date, Month, UUID   their text
    Money                      int64 …_fen           Fraction            "0.70", or "1/3"
    datetime                   Timestamp             StrEnum             enum, prefix dropped
    another dataclass          nested message        IntEnum             an integer
    tuple[X, ...]              repeated              Mapping[str, X]     map
    X | None                   `optional`, or empty text

Both sides must have the same fields, and every enum the same values: a class that does not
fit is refused when it is compiled, not when the first odd event comes by. What a message does
not hold (an older event, an erased person) reads as `None`, or as the dataclass's default.
"""

import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from datetime import date, datetime
from enum import IntEnum, StrEnum
from fractions import Fraction
from operator import attrgetter
from typing import Any, Union, get_args, get_origin, get_type_hints
from uuid import UUID

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.timestamp_pb2 import Timestamp
from ltci.type.v1 import options_pb2

from kernel.calendar import Month
from kernel.clock import SHANGHAI
from kernel.eventstore.quick import quick
from kernel.ids import parse_id
from kernel.money import Money

_Convert = Callable[[Any], Any]

_TEXT = {FieldDescriptor.CPPTYPE_STRING}
_INTEGERS = {
    FieldDescriptor.CPPTYPE_INT32,
    FieldDescriptor.CPPTYPE_INT64,
    FieldDescriptor.CPPTYPE_UINT32,
    FieldDescriptor.CPPTYPE_UINT64,
}
_REALS = {FieldDescriptor.CPPTYPE_DOUBLE, FieldDescriptor.CPPTYPE_FLOAT}


class Unmappable(TypeError):  # noqa: N818 - says what the class is
    """A dataclass and its message do not fit; said when they are put together."""


class Unreadable(ValueError):  # noqa: N818 - says what the message is
    """A message holds what its class cannot hold, or lacks what it must have."""


@dataclass(frozen=True, slots=True)
class Shape:
    """Both directions between one dataclass and one message."""

    message_class: type[Message]
    has_personal: bool
    write: Callable[[Any], Message]
    read: Callable[[Any], Any]


def is_personal(field: FieldDescriptor) -> bool:
    """Whether the field is marked as personal data (个人信息)."""
    return bool(field.GetOptions().Extensions[options_pb2.personal])


def is_map(field: FieldDescriptor) -> bool:
    kind = field.message_type
    return kind is not None and bool(kind.GetOptions().map_entry)


def compile_shape(cls: type, message_class: type[Message]) -> Shape:
    """The mapping between a dataclass and a message; refuses (Unmappable) what does not fit."""
    if not is_dataclass(cls):
        raise Unmappable(f"{cls.__name__} is no dataclass")
    descriptor: Any = message_class.DESCRIPTOR
    hints = get_type_hints(cls)
    parts = [_part(cls, field, hints[field.name], descriptor) for field in fields(cls)]
    unknown = {field.name for field in descriptor.fields} - {part.wire for part in parts}
    if unknown:
        raise Unmappable(
            f"{cls.__name__} lacks fields of {descriptor.full_name}: {', '.join(sorted(unknown))}"
        )
    return Shape(
        message_class=message_class,
        has_personal=any(part.has_personal for part in parts),
        write=_writer(message_class, parts),
        read=_reader(cls, parts),
    )


# --- One field -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Part:
    """A field of a dataclass and the field of the message it stands for."""

    name: str
    wire: str
    write: _Convert | None  # None: the value itself
    read: _Convert  # from the message to the dataclass's value
    has_personal: bool


@dataclass(frozen=True, slots=True)
class _Value:
    """How one value crosses. `hollow`: the wire's empty value is no value of this type."""

    write: _Convert | None
    read: _Convert | None
    hollow: bool
    has_personal: bool = False


def _part(cls: type, field: Field[Any], hint: Any, descriptor: Descriptor) -> _Part:
    base, optional = _optional(hint)
    origin = get_origin(base)
    many, keyed = origin is tuple, origin is not None and issubclass(origin, Mapping)
    item = get_args(base)[1 if keyed else 0] if many or keyed else base
    wire = f"{field.name}_fen" if item is Money else field.name
    where = f"{cls.__name__}.{field.name}"
    target = descriptor.fields_by_name.get(wire)
    if target is None:
        raise Unmappable(f"{where}: {descriptor.full_name} has no field {wire}")
    if (many or keyed) and optional:
        raise Unmappable(f"{where}: an empty collection says none, None is one too many")
    if keyed != is_map(target) or many != (target.is_repeated and not is_map(target)):
        raise Unmappable(f"{where}: one side is a collection and the other is not")
    if many and get_args(base)[1:] != (...,):
        raise Unmappable(f"{where}: a collection is a tuple[X, ...]")
    write: _Convert | None
    if keyed and target.message_type is not None:
        value = _value(item, target.message_type.fields_by_name["value"], where)
        write, read = _keyed(wire, value, where)
    elif many:
        value = _value(item, target, where)
        write, read = _many(wire, value)
    else:
        value = _value(base, target, where)
        write, read = value.write, _single(field, target, value, optional=optional, where=where)
    personal = is_personal(target)
    if personal and value.hollow and not (optional or many or keyed or _has_default(field)):
        raise Unmappable(f"{where} is personal: it must be able to be None once erased")
    return _Part(field.name, wire, write, read, has_personal=personal or value.has_personal)


def _optional(hint: Any) -> tuple[Any, bool]:
    """The type behind `X | None`, and whether there was a None."""
    if get_origin(hint) not in {Union, types.UnionType}:
        return hint, False
    rest = [part for part in get_args(hint) if part is not types.NoneType]
    if len(rest) != 1:
        raise Unmappable(f"a field has one type, not {hint}")
    return rest[0], True


def _has_default(field: Field[Any]) -> bool:
    return field.default is not MISSING or field.default_factory is not MISSING


def _single(
    field: Field[Any], target: FieldDescriptor, value: _Value, *, optional: bool, where: str
) -> _Convert:
    get, convert, wire = attrgetter(target.name), value.read or _same, target.name
    absent = _absent(field, optional=optional, where=where)
    if target.has_presence:
        if not (optional or value.hollow or _has_default(field)):
            return lambda message: convert(get(message))  # an absent number is 0
        return lambda message: convert(get(message)) if message.HasField(wire) else absent()
    if value.hollow:
        return lambda message: convert(raw) if (raw := get(message)) else absent()
    if not optional:
        return get if value.read is None else lambda message: convert(get(message))
    if target.cpp_type != FieldDescriptor.CPPTYPE_STRING:
        raise Unmappable(f"{where}: 0 is not None, the proto field must be `optional`")
    return lambda message: get(message) or None


def _absent(field: Field[Any], *, optional: bool, where: str) -> Callable[[], Any]:
    """What a field reads as where the message holds nothing for it."""
    if field.default_factory is not MISSING and not optional:
        return field.default_factory
    if optional or field.default is not MISSING:
        default = None if optional else field.default
        return lambda: default

    def missing() -> Any:
        raise Unreadable(f"{where} is missing")

    return missing


def _many(wire: str, value: _Value) -> tuple[_Convert | None, _Convert]:
    get, write, read = attrgetter(wire), value.write, value.read
    return (
        None if write is None else lambda items: [write(item) for item in items],
        (lambda message: tuple(get(message)))
        if read is None
        else lambda message: tuple([read(item) for item in get(message)]),
    )


def _keyed(wire: str, value: _Value, where: str) -> tuple[_Convert, _Convert]:
    if value.has_personal or (value.hollow and value.write is None):
        raise Unmappable(f"{where}: a map holds no personal data")
    get, write, read = attrgetter(wire), value.write or _same, value.read or _same
    return (
        lambda items: {key: write(item) for key, item in items.items()},
        lambda message: {key: read(item) for key, item in get(message).items()},
    )


# --- One value -------------------------------------------------------------------------------


def _value(kind: Any, target: FieldDescriptor, where: str) -> _Value:
    """How a value of this type crosses; refuses a message field that cannot hold it."""
    kind = getattr(kind, "__supertype__", kind)  # a NewType is what it stands for
    plain = _plain(kind)
    if plain is not None:
        kinds, value = plain
        if target.cpp_type not in kinds or (kind is bytes) != (
            target.type == FieldDescriptor.TYPE_BYTES
        ):
            raise Unmappable(f"{where}: a {kind.__name__} does not fit {target.full_name}")
        return value
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return _enumerated(kind, target, where)
    if kind is datetime and _message_name(target) == Timestamp.DESCRIPTOR.full_name:
        return _Value(_to_timestamp, _from_timestamp, hollow=True)
    if is_dataclass(kind) and isinstance(kind, type) and target.message_type is not None:
        shape = compile_shape(kind, GetMessageClass(target.message_type))
        return _Value(shape.write, shape.read, hollow=True, has_personal=shape.has_personal)
    raise Unmappable(f"{where}: {kind} does not fit {target.full_name}")


def _plain(kind: Any) -> tuple[set[Any], _Value] | None:
    """The types that cross as one scalar: the wire kinds that hold them, and how."""
    if isinstance(kind, type) and issubclass(kind, IntEnum):
        return _INTEGERS, _Value(int, kind, hollow=False)
    table: dict[Any, tuple[set[Any], _Value]] = {
        str: (_TEXT, _Value(None, None, hollow=False)),
        bytes: (_TEXT, _Value(None, None, hollow=False)),
        int: (_INTEGERS, _Value(None, None, hollow=False)),
        bool: ({FieldDescriptor.CPPTYPE_BOOL}, _Value(None, None, hollow=False)),
        float: (_REALS, _Value(None, None, hollow=False)),
        Money: (_INTEGERS, _Value(attrgetter("fen"), Money, hollow=False)),
        date: (_TEXT, _Value(date.isoformat, date.fromisoformat, hollow=True)),
        Month: (_TEXT, _Value(str, Month.parse, hollow=True)),
        UUID: (_TEXT, _Value(str, _read_id, hollow=True)),
        Fraction: (_TEXT, _Value(rate_text, Fraction, hollow=True)),
    }
    return table.get(kind)


def _message_name(target: FieldDescriptor) -> str:
    return target.message_type.full_name if target.message_type is not None else ""


def _enumerated(kind: type[StrEnum], target: FieldDescriptor, where: str) -> _Value:
    """`ContributionSource.MEDICAL_FUND = "medical_fund"` is `CONTRIBUTION_SOURCE_MEDICAL_FUND`."""
    enum = target.enum_type
    if enum is None:
        raise Unmappable(f"{where}: {target.full_name} is no enum")
    zero = enum.values_by_number[0].name
    prefix = zero.removesuffix("UNSPECIFIED")
    if prefix == zero:
        raise Unmappable(f"{where}: the zero of {enum.full_name} must end in UNSPECIFIED")
    wire = {value.name.removeprefix(prefix).lower(): value.number for value in enum.values}
    ours = {member.value: member for member in kind}
    if set(ours) | {"unspecified"} != set(wire) | {"unspecified"}:
        odd = ", ".join(sorted((set(ours) ^ set(wire)) - {"unspecified"}))
        raise Unmappable(f"{where}: {kind.__name__} and {enum.full_name} differ in {odd}")
    by_number = {wire[text]: member for text, member in ours.items()}
    by_member = {member: number for number, member in by_number.items()}
    return _Value(by_member.__getitem__, by_number.__getitem__, hollow=0 not in by_number)


def rate_text(rate: Fraction) -> str:
    """A rate as people write it: "0.70" with at least two places, "1/3" where it has no end."""
    for places in range(2, 19):
        if 10**places % rate.denominator == 0:
            digits = str(abs(rate.numerator) * 10**places // rate.denominator).zfill(places + 1)
            return f"{'-' if rate < 0 else ''}{digits[:-places]}.{digits[-places:]}"
    return str(rate)


def _read_id(text: str) -> UUID:
    """The id, in the driver's class: as an id like any other, but written and compared in C."""
    return quick(parse_id(text))


def _to_timestamp(instant: datetime) -> Timestamp:
    if instant.tzinfo is None:
        raise ValueError("an instant needs its zone")
    stamp = Timestamp()
    stamp.FromDatetime(instant)
    return stamp


def _from_timestamp(stamp: Timestamp) -> datetime:
    return stamp.ToDatetime(tzinfo=SHANGHAI)


def _same(value: Any) -> Any:
    return value


# --- The whole -------------------------------------------------------------------------------


def _writer(message_class: type[Message], parts: list[_Part]) -> Callable[[Any], Message]:
    plan = [(attrgetter(part.name), part.wire, part.write) for part in parts]

    def write(event: Any) -> Message:
        told = {}
        for get, wire, convert in plan:
            value = get(event)
            if value is not None:
                told[wire] = value if convert is None else convert(value)
        return message_class(**told)

    return write


def _reader(cls: Any, parts: list[_Part]) -> Callable[[Any], Any]:
    plan = [(part.name, part.read) for part in parts]

    def read(message: Any) -> Any:
        try:
            return cls(**{name: take(message) for name, take in plan})
        except Unreadable:
            raise
        except (ValueError, KeyError, TypeError) as error:
            raise Unreadable(f"{cls.__name__} cannot hold what was stored: {error!r}") from error

    return read
