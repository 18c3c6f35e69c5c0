"""The protos are the contract: explained, of one style, and never changed under their readers."""

import re
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import pytest
from google.api import field_behavior_pb2
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
    MethodDescriptorProto,
)
from ltci.type.v1 import options_pb2

from tests.tidy.baseline import BASELINE, CURRENT, ROOT, breaks, read

READS = ("Get", "List", "Read", "Subscribe", "Check", "BatchCheck", "Preview", "Match", "Backtest")
DAYLESS = {
    "ltci.assessment.v1.ReassessmentOrdered",
    "ltci.assessment.v1.SupplementRequested",
    "ltci.enrollment.v1.LifeEventWithdrawn",
    "ltci.enrollment.v1.PersonCorrected",
    "ltci.payment.v1.PaymentReissued",
    "ltci.payment.v1.PaymentReturned",
    "ltci.payment.v1.PaymentSent",
    "ltci.payment.v1.PaymentUnknown",
    "ltci.provider.v1.VisitConfirmed",
}
MONEY_WORDS = ("amount", "price", "cost", "fee", "balance", "premium", "subsidy")
Path: TypeAlias = tuple[int, ...]
Described: TypeAlias = tuple[str, Path]
Field = FieldDescriptorProto


@pytest.fixture(scope="module")
def protos() -> FileDescriptorSet:
    assert CURRENT.exists(), "make the code of the protos first: make protos"
    return read(CURRENT)


def messages(
    file: FileDescriptorProto,
) -> Iterator[tuple[str, Path, DescriptorProto]]:
    """Name, place in the file, and every message, nested ones too; entries of maps left out."""

    def inside(
        prefix: str, path: Path, found: DescriptorProto
    ) -> Iterator[tuple[str, Path, DescriptorProto]]:
        name = f"{prefix}.{found.name}"
        yield name, path, found
        for index, nested in enumerate(found.nested_type):
            if not nested.options.map_entry:
                yield from inside(name, (*path, 3, index), nested)

    for index, message in enumerate(file.message_type):
        yield from inside(file.package, (4, index), message)


def enums(file: FileDescriptorProto) -> Iterator[tuple[str, Path, EnumDescriptorProto]]:
    for index, enum in enumerate(file.enum_type):
        yield f"{file.package}.{enum.name}", (5, index), enum
    for name, path, message in messages(file):
        for index, enum in enumerate(message.enum_type):
            yield f"{name}.{enum.name}", (*path, 4, index), enum


def methods(protos: FileDescriptorSet) -> Iterator[tuple[str, MethodDescriptorProto]]:
    for file in protos.file:
        for service in file.service:
            for method in service.method:
                yield f"{file.package}.{service.name}.{method.name}", method


def described(file: FileDescriptorProto) -> Iterator[Described]:
    """Everything that a reader meets, with its place in the file."""
    for index, service in enumerate(file.service):
        yield f"{file.package}.{service.name}", (6, index)
        for inner, method in enumerate(service.method):
            yield f"{file.package}.{service.name}.{method.name}", (6, index, 2, inner)
    for name, path, message in messages(file):
        yield name, path
        for index, field in enumerate(message.field):
            yield f"{name}.{field.name}", (*path, 2, index)
    for name, path, enum in enums(file):
        yield name, path
        for index, value in enumerate(enum.value):
            yield f"{name}.{value.name}", (*path, 2, index)


def fields(protos: FileDescriptorSet) -> Iterator[tuple[str, Field]]:
    for file in protos.file:
        for name, _, message in messages(file):
            for field in message.field:
                yield f"{name}.{field.name}", field


def by_name(protos: FileDescriptorSet) -> dict[str, set[str]]:
    """The fields of every message by its full name with a leading dot, as methods name it."""
    return {
        f".{name}": {field.name for field in message.field}
        for file in protos.file
        for name, _, message in messages(file)
    }


def test_everything_in_the_protos_is_explained(protos: FileDescriptorSet) -> None:
    silent = []
    for file in protos.file:
        words = {
            tuple(place.path)
            for place in file.source_code_info.location
            if place.leading_comments.strip() or place.trailing_comments.strip()
        }
        silent += [f"{file.name}: {name}" for name, path in described(file) if path not in words]
    assert silent == []


def test_every_field_says_how_it_behaves(protos: FileDescriptorSet) -> None:
    behaviour: Any = field_behavior_pb2.field_behavior
    silent = [
        f"{name}.{field.name}"
        for file in protos.file
        if not file.name.endswith("/events.proto")  # events are facts: all their fields are given
        for name, _, message in messages(file)
        for field in message.field
        if not field.options.Extensions[behaviour]
    ]
    assert silent == []


def test_every_write_names_its_request(protos: FileDescriptorSet) -> None:
    known = by_name(protos)
    nameless = [
        name
        for name, method in methods(protos)
        if not method.name.startswith(READS) and "request_id" not in known[method.input_type]
    ]
    assert nameless == []


def test_every_list_comes_in_pages(protos: FileDescriptorSet) -> None:
    known = by_name(protos)
    whole = [
        name
        for name, method in methods(protos)
        if method.name.startswith("List")
        and not (
            {"page_size", "page_token"} <= known[method.input_type]
            and "next_page_token" in known[method.output_type]
        )
    ]
    assert whole == []


def test_the_zero_of_an_enum_means_not_given(protos: FileDescriptorSet) -> None:
    wrong = []
    for file in protos.file:
        for name, _, enum in enums(file):
            prefix = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", enum.name).upper() + "_"
            if enum.value[0].number != 0 or enum.value[0].name != f"{prefix}UNSPECIFIED":
                wrong.append(f"{name}: zero must be {prefix}UNSPECIFIED")
            wrong += [
                f"{name}.{value.name}: must begin with {prefix}"
                for value in enum.value
                if not value.name.startswith(prefix)
            ]
    assert wrong == []


def test_money_is_counted_in_whole_fen(protos: FileDescriptorSet) -> None:
    wrong = [
        name
        for name, field in fields(protos)
        if (field.name.endswith("_fen") and field.type != Field.TYPE_INT64)
        or (
            field.name.split("_")[-1] in MONEY_WORDS
            and field.type in {Field.TYPE_INT64, Field.TYPE_INT32, Field.TYPE_UINT64}
        )
    ]
    assert wrong == []


def test_only_places_on_the_earth_are_fractions(protos: FileDescriptorSet) -> None:
    wrong = [
        name
        for name, field in fields(protos)
        if field.type in {Field.TYPE_FLOAT, Field.TYPE_DOUBLE}
        and not field.name.endswith("_degrees")
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("ending", "right"),
    [
        # Local time matters where a device or a bank tells it: then it is text, with its offset.
        (
            "_time",
            lambda f: f.type_name == ".google.protobuf.Timestamp" or f.type == Field.TYPE_STRING,
        ),
        ("_date", lambda f: f.type == Field.TYPE_STRING),
        ("_month", lambda f: f.type == Field.TYPE_STRING),
    ],
)
def test_instants_days_and_months_are_told_by_their_names(
    protos: FileDescriptorSet, ending: str, right: Callable[[Field], bool]
) -> None:
    wrong = [n for n, field in fields(protos) if field.name.endswith(ending) and not right(field)]
    assert wrong == []


def test_every_event_says_which_day_it_is_about(protos: FileDescriptorSet) -> None:
    """One day an event, in the clear; those of `DAYLESS` only follow others or name a deadline."""
    marked = {
        name: [f.name for f in message.field if f.options.Extensions[options_pb2.about_day]]
        for file in protos.file
        if file.name.endswith("/events.proto")
        for name, _, message in messages(file)
    }
    assert {name for name, days in marked.items() if not days} == DAYLESS
    assert [name for name, days in marked.items() if len(days) > 1] == []
    sealed = [
        name
        for name, field in fields(protos)
        if field.options.Extensions[options_pb2.about_day]
        and field.options.Extensions[options_pb2.personal]
    ]
    assert sealed == []


def test_the_package_is_the_folder(protos: FileDescriptorSet) -> None:
    folders = {file.name: file.name.rpartition("/")[0].replace("/", ".") for file in protos.file}
    assert folders == {file.name: file.package for file in protos.file}


def test_the_made_code_is_that_of_the_protos(protos: FileDescriptorSet) -> None:
    written = {str(p.relative_to(ROOT / "protos")) for p in (ROOT / "protos").rglob("*.proto")}
    assert written == {file.name for file in protos.file}, "make protos"


def test_nothing_released_is_changed(protos: FileDescriptorSet) -> None:
    assert BASELINE.exists(), "write down the released protos: python -m tests.tidy.baseline"
    assert breaks(read(BASELINE), protos) == []


def sample() -> FileDescriptorSet:
    files = FileDescriptorSet()
    file = files.file.add(name="ltci/test/v1/a.proto", package="ltci.test.v1")
    message = file.message_type.add(name="Fact")
    message.field.add(name="person", number=1, type=Field.TYPE_STRING)
    message.field.add(name="fund_fen", number=2, type=Field.TYPE_INT64)
    enum = file.enum_type.add(name="State")
    enum.value.add(name="STATE_UNSPECIFIED", number=0)
    service = file.service.add(name="FactService")
    service.method.add(name="GetFact", input_type=".a", output_type=".b")
    return files


def test_adding_breaks_nobody() -> None:
    new = sample()
    message = new.file[0].message_type[0]
    message.field.add(name="month", number=3, type=Field.TYPE_STRING)
    new.file[0].enum_type[0].value.add(name="STATE_OPEN", number=1)
    new.file[0].message_type.add(name="Other")
    assert breaks(sample(), new) == []


def test_a_field_may_go_if_its_number_and_name_are_reserved() -> None:
    new = sample()
    message = new.file[0].message_type[0]
    del message.field[1]
    assert breaks(sample(), new) == [
        "ltci.test.v1.Fact.fund_fen is gone without reserving its number and name"
    ]
    message.reserved_range.add(start=2, end=3)
    message.reserved_name.append("fund_fen")
    assert breaks(sample(), new) == []
    assert breaks(new, sample()) != []  # and its number is not used again


@pytest.mark.parametrize(
    "change",
    [
        lambda f: setattr(f.message_type[0].field[0], "name", "human"),
        lambda f: setattr(f.message_type[0].field[0], "number", 7),
        lambda f: setattr(f.message_type[0].field[1], "type", Field.TYPE_INT32),
        lambda f: setattr(f.message_type[0], "name", "Truth"),
        lambda f: setattr(f.enum_type[0].value[0], "number", 1),
        lambda f: setattr(f.service[0].method[0], "output_type", ".c"),
        lambda f: setattr(f.service[0].method[0], "server_streaming", True),
    ],
)
def test_changes_of_meaning_are_found(change: Callable[[FileDescriptorProto], None]) -> None:
    new = sample()
    change(new.file[0])
    assert len(breaks(sample(), new)) == 1
