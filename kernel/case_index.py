"""Which events of a service are about which person (个案索引): the service's part of a story.

Generic over all services: an event is about the person in its message's field `person`, or
`owner` where an account is meant. The index holds opaque ids and positions, nothing else.
"""

from collections.abc import Sequence
from functools import cache
from uuid import UUID

import asyncpg
from google.protobuf import descriptor_pool, message_factory
from google.protobuf.message import Message

from kernel.projection import Connection, FeedEvent, ProjectionRunner

_FIELDS = ("person", "owner")


class CaseIndex:
    """The projection: one row for each event about a person."""

    name = "case_index"
    tables = """
    create table {prefix}event (
        person uuid not null,
        position bigint not null,
        primary key (person, position)
    );
    """

    async def apply(self, conn: Connection, events: Sequence[FeedEvent], prefix: str) -> None:
        """See `Projection.apply`."""
        found = [(person_of(event), event.position) for event in events]
        rows = [(person, position) for person, position in found if person is not None]
        await conn.executemany(
            f"insert into {prefix}event (person, position) values ($1, $2)", rows
        )


class CaseReader:
    """Finds a person's events; what `EventFeedService.ListCaseEvents` answers from."""

    def __init__(self, pool: asyncpg.Pool, runner: ProjectionRunner) -> None:
        self._pool = pool
        self._runner = runner

    async def __call__(self, person: UUID, *, after: int, limit: int) -> Sequence[int]:
        """At most `limit` positions above `after`, in order."""
        rows = await self._pool.fetch(
            f"select position from {self._runner.tables}event"
            " where person = $1 and position > $2 order by position limit $3",
            person,
            after,
            limit,
        )
        return [row["position"] for row in rows]


def person_of(event: FeedEvent) -> UUID | None:
    """The person an event is about; None where it is about none."""
    message_class, field = _read_as(event.type.rpartition("/")[0])
    if field is None:
        return None
    told: str = getattr(message_class.FromString(event.payload), field)
    try:
        return UUID(told)
    except ValueError:
        return None  # an account may belong to somebody who is no person


@cache
def _read_as(name: str) -> tuple[type[Message], str | None]:
    """The class of a message that the service has imported, and its field with the person."""
    descriptor = descriptor_pool.Default().FindMessageTypeByName(name)
    named = [field for field in _FIELDS if field in descriptor.fields_by_name]
    return message_factory.GetMessageClass(descriptor), named[0] if named else None
