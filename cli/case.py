"""One person's story across the four services, in the order it became known (个案时间线)."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from google.protobuf import symbol_database
from google.protobuf.message import Message
from ltci.events.v1 import feed_pb2

from cli.replay import SERVICES, Feeds
from cli.two_times import TwoTimes
from kernel.clock import SHANGHAI

# What a reader of a story does not need: ids repeated on every line, the bytes of rulings,
# letters and bundles.
_LEFT_OUT = {
    *("person", "pool", "ruling", "scores", "evidence_hashes", "owner", "identity_kind"),
    *("document", "languages", "decision_digest", "ruling_hash", "bundle"),
}
_PAGE = 1_000
OF_VISITS = ("Visit", "EvidenceKept")  # what a table of a case leaves out
_SHORTENED = 13  # of an id, enough to tell two apart


@dataclass(frozen=True, kw_only=True)
class Line:
    """One event of the story."""

    known_at: datetime
    person: str  # of whom it was told: of persons who are one, each keeps its own
    service: str
    position: int
    event: str
    says: dict[str, Any]
    decision: bool

    def as_json(self) -> dict[str, Any]:
        return {
            "known_at": self.known_at.isoformat(),
            "person": self.person,
            "service": self.service,
            "position": self.position,
            "event": self.event,
            "says": self.says,
            "decision": self.decision,
        }


async def timeline(feeds: Feeds, person: str, times: TwoTimes | None = None) -> list[Line]:
    """The events about a person; at the same moment in the order of the services.

    Of persons who are one, those of all. With times, those about days up to `as_of` or about no
    day, recorded up to `known_at`.
    """
    lines: list[Line] = []
    persons = [person]
    for one in persons:
        told = [
            _line(service, one, event)
            for service in SERVICES
            async for event in _events(feeds[service], one, times)
        ]
        persons += sorted(_one_with(told) - set(persons))
        lines += told
    return sorted(
        lines, key=lambda line: (line.known_at, SERVICES.index(line.service), line.position)
    )


async def _events(
    feed: Any, person: str, times: TwoTimes | None
) -> AsyncIterator[feed_pb2.RecordedEvent]:
    request = feed_pb2.ListCaseEventsRequest(person=person, page_size=_PAGE)
    if times is not None:
        request.as_of_date = times.as_of_date
        if (moment := times.known_at_time) is not None:
            request.known_at_time.CopyFrom(moment)
    while True:
        answer = await feed.ListCaseEvents(request)
        for event in answer.events:
            yield event
        request.page_token = answer.next_page_token
        if not answer.next_page_token:
            return


def _one_with(lines: list[Line]) -> set[str]:
    """Those with whom a person is one by the merges that stand."""
    found: set[str] = set()
    for line in lines:
        pair = {str(line.says.get(name, "")) for name in ("survivor", "duplicate")}
        if line.event == "PersonsMerged":
            found |= pair - {line.person}
        elif line.event == "PersonsSplit":
            found -= pair
    return found


def _line(service: str, person: str, event: Any) -> Line:
    name = event.type.partition("/")[0]
    message = symbol_database.Default().GetSymbol(name).FromString(event.payload)
    return Line(
        known_at=event.recorded_time.ToDatetime(tzinfo=SHANGHAI),
        person=person,
        service=service,
        position=event.position,
        event=name.rpartition(".")[2],
        says=_says(message),
        decision=bool(getattr(message, "ruling", b"")),
    )


def _says(message: Message) -> dict[str, Any]:
    """The clear fields that carry meaning, with units as the wire names them."""
    told: dict[str, Any] = {}
    for field, value in message.ListFields():
        if field.name in _LEFT_OUT:
            continue
        if field.enum_type is not None and not field.is_repeated:
            told[field.name] = field.enum_type.values_by_number[value].name.lower()
        elif field.is_repeated and field.message_type is not None:
            told[field.name] = [_says(part) for part in value]
        elif field.is_repeated:
            told[field.name] = list(value)
        elif field.message_type is not None:
            told[field.name] = _says(value)
        elif isinstance(value, bytes):
            told[field.name] = value.hex()  # a digest or a key
        else:
            told[field.name] = value
    return told


def said_by(line: Line, person: str) -> str:
    """What a line says, with the id it was told of where that is another than the one asked for."""
    said = sentence(line.says)
    return said if line.person == person else f"[{line.person[:_SHORTENED]}…] {said}"


def sentence(says: dict[str, Any]) -> str:
    """The fields of one line, short enough to read."""
    parts = []
    for name, value in says.items():
        if name.endswith("_fen"):
            parts.append(f"{name.removesuffix('_fen')} {value / 100:,.2f}")
        elif isinstance(value, str) and len(value) == 36 and value.count("-") == 4:
            parts.append(f"{name} {value[:_SHORTENED]}…")
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            parts.append(f"{name} ×{len(value)}")
        elif isinstance(value, list):
            parts.append(f"{name} {', '.join(map(str, value))}")
        else:
            parts.append(f"{name} {value}")
    return " · ".join(parts)
