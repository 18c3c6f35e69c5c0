"""Events survive the way to bytes and back; what is personal is sealed on the way."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from enum import StrEnum
from fractions import Fraction
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import given
from hypothesis import strategies as st

from kernel.calendar import Month
from kernel.clock import SHANGHAI
from kernel.eventstore.codec import Codec, UnknownType, Unmappable, Unreadable
from kernel.eventstore.envelope import Meta, NewEvent, Recorded
from kernel.eventstore.keys import KeyRing
from kernel.eventstore.mapping import compile_shape, rate_text
from kernel.ids import derive
from kernel.money import Money
from tests.support.sample import (
    MESSAGES,
    Added,
    Colour,
    Everything,
    Home,
    Level,
    Met,
    Part,
    Visit,
)

STREAM = derive("test", "stream")
LI_NA = derive("test", "person", "Li Na")
META = Meta(derive("test", "request"), "test", "", "1")
DAY = date(2018, 1, 1)

text = st.text(st.characters(codec="utf-8"), max_size=12)
money = st.integers(-(10**12), 10**12).map(Money)
months = st.builds(Month, st.integers(2000, 2099), st.integers(1, 12))
parts = st.builds(Part, label=text, price=money)
instants = st.datetimes(datetime(2000, 1, 1), datetime(2099, 1, 1), timezones=st.just(SHANGHAI))  # noqa: DTZ001 - hypothesis adds the zone
EVERYTHING = st.builds(
    Everything,
    text=text,
    number=st.integers(-(2**63), 2**63 - 1),
    flag=st.booleans(),
    ratio=st.floats(allow_nan=False),
    raw=st.binary(max_size=9),
    amount=money,
    maybe_amount=st.none() | money,
    amounts=st.lists(money, max_size=3).map(tuple),
    day=st.dates(),
    maybe_day=st.none() | st.dates(),
    month=months,
    id=st.uuids(),
    rate=st.fractions(max_denominator=1000),
    seen_time=instants,
    maybe_time=st.none() | instants,
    colour=st.sampled_from(Colour),
    maybe_colour=st.none() | st.sampled_from(Colour),
    colours=st.lists(st.sampled_from(Colour), max_size=3).map(tuple),
    part=parts,
    maybe_part=st.none() | parts,
    parts=st.lists(parts, max_size=3).map(tuple),
    tags=st.dictionaries(text, text, max_size=3),
    totals=st.dictionaries(text, money, max_size=3),
    maybe_number=st.none() | st.integers(-(2**31), 2**31 - 1),
    maybe_text=st.none() | text,
    level=st.sampled_from(Level),
    days=st.lists(st.dates(), max_size=3).map(tuple),
    maybe_flag=st.none() | st.booleans(),
)
MET = Met(
    person=LI_NA,
    name="李娜",
    birth_date=date(1950, 5, 17),
    home=Home(street="和平路3号", floor=0),
    visits=(Visit(place="家里", minutes=50), Visit(place="", minutes=40)),
    first_visit=Visit(place="养老院", minutes=30),
    notes=("左手不便", "听力下降"),
    day=DAY,
)
MET_WITHOUT_PERSON = replace(
    MET,
    name="",
    birth_date=None,
    home=None,
    visits=(Visit(place="", minutes=50), Visit(place="", minutes=40)),
    first_visit=Visit(place="", minutes=30),
    notes=(),
)


@pytest.fixture
async def keys(database_url: str, tmp_path: Path) -> AsyncIterator[KeyRing]:
    ring = await KeyRing.open(database_url, tmp_path / "master.key", create=True)
    yield ring
    await ring.close()


def recorded(event: NewEvent, *, version: int = 1, stream: UUID = STREAM) -> Recorded:
    return Recorded(
        position=1,
        stream=stream,
        version=version,
        category="test",
        pool="320400",
        type=event.type,
        payload=event.payload,
        sealed=event.sealed,
        key_id=event.key_id,
        meta=META,
        recorded_at=datetime(2018, 1, 1, tzinfo=UTC),
        hash=b"",
    )


SHAPE = compile_shape(Everything, MESSAGES["Everything"])


@given(EVERYTHING)
def test_an_event_comes_back_as_it_went_in(event: Everything) -> None:
    payload = SHAPE.write(event).SerializeToString()

    assert event == SHAPE.read(MESSAGES["Everything"].FromString(payload))


@given(EVERYTHING)
def test_the_same_event_is_always_the_same_bytes(event: Everything) -> None:
    once = SHAPE.write(event).SerializeToString(deterministic=True)
    backwards = replace(event, tags=dict(reversed(list(event.tags.items()))))

    assert once == SHAPE.write(backwards).SerializeToString(deterministic=True)


def test_instants_come_back_in_the_time_of_the_pool() -> None:
    event = replace(_everything(), seen_time=datetime(2018, 1, 1, 16, 30, tzinfo=UTC))
    back = SHAPE.read(SHAPE.write(event))

    assert date(2018, 1, 2) == back.seen_time.date()


def _everything() -> Everything:
    return Everything(
        text="",
        number=0,
        flag=False,
        ratio=0.0,
        raw=b"",
        amount=Money(0),
        maybe_amount=None,
        amounts=(),
        day=DAY,
        maybe_day=None,
        month=Month(2018, 1),
        id=LI_NA,
        rate=Fraction(7, 10),
        seen_time=datetime(2018, 1, 1, tzinfo=SHANGHAI),
        maybe_time=None,
        colour=Colour.RED,
        maybe_colour=None,
        colours=(),
        part=Part(label="", price=Money(0)),
        maybe_part=None,
        parts=(),
        tags={},
        totals={},
        maybe_number=None,
        maybe_text=None,
        level=Level.NONE,
        days=(),
        maybe_flag=None,
    )


def test_nothing_and_zero_are_told_apart() -> None:
    none, zero = (
        _everything(),
        replace(
            _everything(),
            maybe_amount=Money(0),
            maybe_number=0,
            maybe_text="",
            maybe_flag=False,
            maybe_part=Part(label="", price=Money(0)),
        ),
    )
    for event in (none, zero):
        assert event == SHAPE.read(SHAPE.write(event))


@pytest.mark.parametrize(
    ("rate", "written"),
    [
        (Fraction(7, 10), "0.70"),
        (Fraction(1), "1.00"),
        (Fraction(-1, 8), "-0.125"),
        (Fraction(1, 3), "1/3"),
        (Fraction(5, 1000), "0.005"),
    ],
)
def test_rates_are_written_as_people_write_them(rate: Fraction, written: str) -> None:
    assert written == rate_text(rate)
    assert Fraction(written) == rate


async def test_personal_data_never_appears_in_the_payload(keys: KeyRing) -> None:
    codec = Codec(keys, (Met, MESSAGES["Met"]))
    event = await codec.encode(STREAM, 1, MET)

    assert event.sealed is not None
    assert event.key_id == await keys.key_id(LI_NA)
    for secret in ("李娜", "1950-05-17", "和平路", "家里", "养老院", "左手不便", "听力下降"):
        assert secret.encode() not in event.payload
        assert secret.encode() not in event.sealed
    assert str(LI_NA).encode() in event.payload


async def test_personal_data_comes_back_where_it_was(keys: KeyRing) -> None:
    codec = Codec(keys, (Met, MESSAGES["Met"]))
    event = await codec.encode(STREAM, 1, MET)

    assert await codec.decode(recorded(event)) == MET


async def test_readers_of_the_feed_see_no_person(keys: KeyRing) -> None:
    codec = Codec(keys, (Met, MESSAGES["Met"]))
    event = await codec.encode(STREAM, 1, MET)

    assert codec.decode_clear(event.type, event.payload) == MET_WITHOUT_PERSON
    assert await Codec(None, (Met, MESSAGES["Met"])).decode(recorded(event)) == MET_WITHOUT_PERSON


async def test_after_the_key_is_destroyed_the_personal_fields_are_empty(keys: KeyRing) -> None:
    codec = Codec(keys, (Met, MESSAGES["Met"]))
    event = await codec.encode(STREAM, 1, MET)
    assert await keys.destroy(LI_NA)

    assert await codec.decode(recorded(event)) == MET_WITHOUT_PERSON


async def test_a_sealed_part_opens_only_in_its_own_place(keys: KeyRing) -> None:
    codec = Codec(keys, (Met, MESSAGES["Met"]))
    event = await codec.encode(STREAM, 1, MET)

    with pytest.raises(InvalidTag):
        await codec.decode(recorded(event, version=2))
    with pytest.raises(InvalidTag):
        await codec.decode(recorded(event, stream=LI_NA))


async def test_an_event_without_personal_content_needs_no_key(keys: KeyRing) -> None:
    codec = Codec(keys, (Met, MESSAGES["Met"]), (Added, MESSAGES["Added"]))
    for event in (MET_WITHOUT_PERSON, Added(amount=5)):
        encoded = await codec.encode(STREAM, 1, event)
        assert encoded.sealed is None
        assert encoded.key_id is None
        assert await codec.decode(recorded(encoded)) == event


async def test_personal_data_without_keys_is_refused_and_not_written_in_clear() -> None:
    codec = Codec(None, (Met, MESSAGES["Met"]))

    with pytest.raises(RuntimeError, match="no keys"):
        await codec.encode(STREAM, 1, MET)


def test_old_events_are_raised_step_by_step() -> None:
    added = MESSAGES["Added"]
    codec = Codec(None)
    codec.register(Added, added, version=3)

    def labelled(payload: bytes) -> bytes:
        message: Any = added.FromString(payload)
        message.label = message.label or "old"
        return message.SerializeToString()  # type: ignore[no-any-return]

    def in_fen(payload: bytes) -> bytes:
        message: Any = added.FromString(payload)
        message.amount *= 100
        return message.SerializeToString()  # type: ignore[no-any-return]

    name = "ltci.sample.v1.Added"
    codec.upcast(name, 1, labelled)
    codec.upcast(name, 2, in_fen)
    yuan = added(amount=7).SerializeToString()

    assert f"{name}/3" == codec.type_name(Added)
    assert Added(amount=700, label="old") == codec.decode_clear(f"{name}/1", yuan)
    assert Added(amount=700, label="") == codec.decode_clear(f"{name}/2", yuan)
    assert Added(amount=7, label="") == codec.decode_clear(f"{name}/3", yuan)


async def test_an_old_sealed_part_is_raised_with_its_event(keys: KeyRing) -> None:
    before = Codec(keys, (Met, MESSAGES["Met"]))
    event = await before.encode(STREAM, 1, MET)
    now = Codec(keys)
    now.register(Met, MESSAGES["Met"], version=2)

    def a_day_later(payload: bytes) -> bytes:
        message: Any = MESSAGES["Met"].FromString(payload)
        message.day = "2018-01-02"
        return message.SerializeToString()  # type: ignore[no-any-return]

    now.upcast("ltci.sample.v1.Met", 1, a_day_later)

    assert await now.decode(recorded(event)) == replace(MET, day=date(2018, 1, 2))


def test_a_type_from_the_future_or_from_elsewhere_is_an_error() -> None:
    codec = Codec(None, (Added, MESSAGES["Added"]))
    with pytest.raises(UnknownType, match="up to version 1, not 2"):
        codec.decode_clear("ltci.sample.v1.Added/2", b"")
    with pytest.raises(UnknownType, match=r"elsewhere\.Happened/1"):
        codec.decode_clear("elsewhere.Happened/1", b"")
    codec = Codec(None)
    codec.register(Added, MESSAGES["Added"], version=2)
    with pytest.raises(UnknownType, match="no step"):
        codec.decode_clear("ltci.sample.v1.Added/1", b"")


async def test_an_event_that_was_never_registered_cannot_be_written() -> None:
    with pytest.raises(UnknownType, match="Added is not registered"):
        await Codec(None).encode(STREAM, 1, Added(amount=1))


def test_bytes_that_are_no_such_event_are_an_error() -> None:
    codec = Codec(None, (Added, MESSAGES["Added"]), (Everything, MESSAGES["Everything"]))
    with pytest.raises(Unreadable, match="no such message"):
        codec.decode_clear("ltci.sample.v1.Added/1", b"\xff\xff")
    with pytest.raises(Unreadable, match=r"Everything\.day is missing"):
        codec.decode_clear("ltci.sample.v1.Everything/1", b"")
    odd = MESSAGES["Everything"](day="yesterday").SerializeToString()
    with pytest.raises(Unreadable, match="yesterday"):
        codec.decode_clear("ltci.sample.v1.Everything/1", odd)


class ThreeColours(StrEnum):
    RED = "red"
    DARK_BLUE = "dark_blue"
    GREEN = "green"


@dataclass(frozen=True, kw_only=True)
class LacksLabel:
    amount: int


@dataclass(frozen=True, kw_only=True)
class HasMore:
    amount: int
    label: str
    more: str


@dataclass(frozen=True, kw_only=True)
class WrongType:
    amount: str
    label: str


@dataclass(frozen=True, kw_only=True)
class ZeroIsNone:
    amount: int | None
    label: str


@dataclass(frozen=True, kw_only=True)
class OnlyName:
    name: str


@dataclass(frozen=True, kw_only=True)
class NamedOnDay:
    name: date


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda: compile_shape(LacksLabel, MESSAGES["Added"]), "lacks fields .* label"),
        (lambda: compile_shape(HasMore, MESSAGES["Added"]), "has no field more"),
        (lambda: compile_shape(WrongType, MESSAGES["Added"]), "a str does not fit"),
        (lambda: compile_shape(ZeroIsNone, MESSAGES["Added"]), "0 is not None"),
        (lambda: compile_shape(NamedOnDay, MESSAGES["Nobody"]), "able to be None once erased"),
        (lambda: Codec(None, (OnlyName, MESSAGES["Nobody"])), "names 0 subjects"),
    ],
)
def test_a_class_that_does_not_fit_its_message_is_refused_at_once(
    make: Callable[[], object], why: str
) -> None:
    with pytest.raises(Unmappable, match=why):
        make()


def test_an_enum_has_the_values_of_its_proto_and_no_others() -> None:
    fields: dict[str, Any] = dict(Everything.__annotations__) | {"colour": ThreeColours}
    other: type = type("Other", (), {"__annotations__": fields})
    dataclass(frozen=True, kw_only=True)(other)

    with pytest.raises(Unmappable, match="differ in green"):
        compile_shape(other, MESSAGES["Everything"])
