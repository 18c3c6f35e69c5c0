"""Which events of a service are about which person (个案索引): the service's part of a story.

Generic over all services: an event is about the person in its message's field `person`, or
`owner` where an account is meant, and about the day in the field marked `about_day`. The index
holds opaque ids, positions and days, nothing else.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from uuid import UUID

import asyncpg
from google.protobuf import descriptor_pool, message_factory
from google.protobuf.message import Message
from ltci.type.v1 import options_pb2

from kernel.calendar import Month
from kernel.ids import parse_id
from kernel.projection import Connection, FeedEvent, ProjectionRunner, insert

_FIELDS = ("person", "owner")
CATCH_UP_SECONDS = 10.0


class CaseIndex:
    """The projection: one row for each event about a person."""

    name = "case_index"
    tables = """
    create table {prefix}event (
        person uuid not null,
        position bigint not null,
        about_date date,               -- empty where the event is about no day
        primary key (person, position)
    );
    """

    async def apply(self, conn: Connection, events: Sequence[FeedEvent], prefix: str) -> None:
        """See `Projection.apply`."""
        rows = [(person, event.position, day) for event in events for person, day in about(event)]
        await insert(conn, f"{prefix}event", ("person", "position", "about_date"), rows)


class CaseReader:
    """Finds a person's events; what `EventFeedService.ListCaseEvents` answers from."""

    def __init__(self, pool: asyncpg.Pool, runner: ProjectionRunner, source: str) -> None:
        self._pool = pool
        self._runner = runner
        self._source = source

    async def __call__(
        self,
        person: UUID,
        *,
        after: int,
        limit: int,
        upto: int | None = None,
        as_of: date | None = None,
    ) -> Sequence[int]:
        """At most `limit` positions above `after`, in order; see `CaseFinder`."""
        if upto is not None:
            # What was known then is all in the index, or the answer would change later.
            await self._runner.wait_for(self._source, upto, CATCH_UP_SECONDS)
        rows = await self._pool.fetch(
            f"select position from {self._runner.tables}event"
            " where person = $1 and position > $2 and ($4::bigint is null or position <= $4)"
            " and ($5::date is null or about_date is null or about_date <= $5)"
            " order by position limit $3",
            person,
            after,
            limit,
            upto,
            as_of,
        )
        return [row["position"] for row in rows]


def about(event: FeedEvent) -> list[tuple[UUID, date | None]]:
    """The person an event is about, with the day it is about; nothing where there is no person."""
    reading = _read_as(event.type.rpartition("/")[0])
    if not reading.person:
        return []
    message = reading.message_class.FromString(event.payload)
    try:
        person = parse_id(getattr(message, reading.person))
    except ValueError:
        return []  # an account may belong to somebody who is no person
    return [(person, _day(reading.day, getattr(message, reading.day) if reading.day else ""))]


def _day(field: str, told: str) -> date | None:
    """The civil day in a field: a month's last, and of a local time the day of the place."""
    try:
        if field.endswith("month"):
            return Month.parse(told).last
        if field.endswith("_time"):
            return datetime.fromisoformat(told).date()
        return date.fromisoformat(told) if told else None
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class _Reading:
    """The class of a message that the service has imported, and the fields that are read."""

    message_class: type[Message]
    person: str  # empty where there is no such field
    day: str


@cache
def _read_as(name: str) -> _Reading:
    descriptor = descriptor_pool.Default().FindMessageTypeByName(name)
    named = [field for field in _FIELDS if field in descriptor.fields_by_name]
    marked = [
        field.name
        for field in descriptor.fields
        if field.GetOptions().Extensions[options_pb2.about_day]
    ]
    message_class = message_factory.GetMessageClass(descriptor)
    return _Reading(message_class, *(names[0] if names else "" for names in (named, marked)))
