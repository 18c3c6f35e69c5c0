"""Messages for tests of the kernel, and the dataclasses they stand for."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import IntEnum, StrEnum
from fractions import Fraction
from importlib import resources
from pathlib import Path
from uuid import UUID

from google.protobuf import descriptor_pool
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from grpc_tools import protoc
from ltci.type.v1 import options_pb2

from kernel.calendar import Month
from kernel.money import Money

ROOT = Path(__file__).resolve().parents[2]


def _compile() -> dict[str, type[Message]]:
    """The messages of sample.proto, which is for tests only and so not among the generated."""
    assert options_pb2.personal is not None  # its file must be known to the pool first
    well_known = Path(str(resources.files("grpc_tools"))) / "_proto"
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "sample.binpb"
        code = protoc.main(  # type: ignore[no-untyped-call]
            [
                "protoc",
                f"--proto_path={ROOT / 'tests' / 'support'}",
                f"--proto_path={ROOT / 'protos'}",
                f"--proto_path={well_known}",
                f"--descriptor_set_out={out}",
                "sample.proto",
            ]
        )
        assert code == 0
        files = FileDescriptorSet.FromString(out.read_bytes())
    pool = descriptor_pool.Default()
    found = pool.AddSerializedFile(files.file[0].SerializeToString())
    return {
        name: GetMessageClass(descriptor)
        for name, descriptor in found.message_types_by_name.items()
    }


MESSAGES = _compile()


class Colour(StrEnum):
    RED = "red"
    DARK_BLUE = "dark_blue"


class Level(IntEnum):
    NONE = 0
    HIGH = 5


@dataclass(frozen=True, kw_only=True)
class Part:
    label: str
    price: Money


@dataclass(frozen=True, kw_only=True)
class Everything:
    text: str
    number: int
    flag: bool
    ratio: float
    raw: bytes
    amount: Money
    maybe_amount: Money | None
    amounts: tuple[Money, ...]
    day: date
    maybe_day: date | None
    month: Month
    id: UUID
    rate: Fraction
    seen_time: datetime
    maybe_time: datetime | None
    colour: Colour
    maybe_colour: Colour | None
    colours: tuple[Colour, ...]
    part: Part
    maybe_part: Part | None
    parts: tuple[Part, ...]
    tags: Mapping[str, str]
    totals: Mapping[str, Money]
    maybe_number: int | None
    maybe_text: str | None
    level: Level
    days: tuple[date, ...]
    maybe_flag: bool | None


@dataclass(frozen=True, kw_only=True)
class Home:
    street: str
    floor: int


@dataclass(frozen=True, kw_only=True)
class Visit:
    place: str
    minutes: int


@dataclass(frozen=True, kw_only=True)
class Met:
    person: UUID
    name: str
    birth_date: date | None
    home: Home | None
    visits: tuple[Visit, ...]
    first_visit: Visit | None
    notes: tuple[str, ...]
    day: date


@dataclass(frozen=True, kw_only=True)
class Added:
    amount: int
    label: str = ""
