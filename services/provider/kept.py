"""Whose evidence is kept, since when, and what holds it (投影). No personal data.

A row for each evidence: its digest and its day, which is the day of care or the day it was
recorded where that was later. What is forgotten leaves the table.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from google.protobuf.message import Message
from ltci.provider.v1 import events_pb2 as ev

from kernel.eventstore.codec import Codec
from kernel.eventstore.postgres import EventStore
from kernel.projection import Connection, FeedEvent, ProjectionRunner, insert

CATCH_UP_SECONDS = 5.0
_TABLES = """
create table {prefix}evidence (
    visit uuid not null,
    position bigint not null,
    pool text not null,
    since_date date not null,
    digest bytea not null,
    primary key (visit, position)
);
create index on {prefix}evidence (pool, since_date, visit);
create table {prefix}hold (
    cause uuid primary key,
    visit uuid not null
);
create index on {prefix}hold (visit);
"""
_COLUMNS = ("visit", "position", "pool", "since_date", "digest")
COUNTED = 10_000  # more are not counted: a month has millions
_HELD = "exists (select from {0}hold h where h.visit = e.visit)"
# A visit told in two parts is of the day of the later one: it is forgotten as a whole.
_LAST = (
    "not exists (select from {0}evidence later where later.visit = e.visit"
    " and (later.since_date, later.position) > (e.since_date, e.position))"
)
_DUE = (
    "select visit, since_date, (select array_agg(digest order by position)"
    " from {0}evidence every where every.visit = e.visit) as digests"
    f" from {{0}}evidence e where pool = $1 and since_date <= $2 and not {_HELD} and {_LAST}"
    " order by since_date, visit limit $3"
)
_COUNTS = (
    "select (select count(*) from (select from {0}evidence e where pool = $1"
    f" and since_date <= $2 and not {_HELD} and {_LAST} limit $4) one) as due,"
    " (select count(distinct visit) from {0}hold join {0}evidence using (visit)"
    " where pool = $1 and since_date <= $2) as held,"
    " (select count(*) from (select from {0}evidence e where pool = $1"
    f" and since_date > $2 and since_date <= $3 and {_LAST} limit $4) one) as waiting,"
    " (select min(since_date) from {0}evidence where pool = $1 and since_date > $2"
    " and since_date <= $3) as next_day"
)


class KeptEvidence:
    """The projection."""

    name = "kept"
    tables = _TABLES

    def __init__(self, codec: Codec) -> None:
        self._codec = codec

    async def apply(self, conn: Connection, events: Sequence[FeedEvent], prefix: str) -> None:
        """See `Projection.apply`."""
        rows: list[tuple[object, ...]] = []
        for event in events:
            if not event.type.startswith(_MATTER):
                continue
            message = self._codec.message_clear(event.type, event.payload)
            if isinstance(message, ev.EvidenceKept):
                since = max(date.fromisoformat(message.care_date), event.recorded_at.date())
                place = (UUID(message.visit), event.position, message.pool, since, message.digest)
                rows.append(place)
                continue
            await insert(conn, f"{prefix}evidence", _COLUMNS, rows)
            rows = []
            await _apply_one(conn, message, prefix)
        await insert(conn, f"{prefix}evidence", _COLUMNS, rows)


@dataclass(frozen=True)
class Counts:
    """Visits of a pool whose evidence is kept: due to be forgotten, held, or to be waited for.

    Of the due and the waiting ones `COUNTED` are counted at most.
    """

    due: int
    held: int
    waiting: int
    next_day: date | None  # of the first of those to be waited for


class KeptReader:
    """Reads whose evidence is kept; what was recorded before the call counts."""

    def __init__(self, store: EventStore, runner: ProjectionRunner) -> None:
        self._store = store
        self._runner = runner

    async def counts(self, pool: str, over: date, up_to: date) -> Counts:
        """Of the evidence up to a day: that up to `over` may be forgotten, the rest waits."""
        await self._caught_up()
        query = _COUNTS.format(self._runner.tables)
        [row] = await self._store.pool.fetch(query, pool, over, up_to, COUNTED)
        return Counts(row["due"], row["held"], row["waiting"], row["next_day"])

    async def due(
        self, pool: str, over: date, limit: int
    ) -> dict[date, list[tuple[UUID, list[bytes]]]]:
        """By day, the visits to be forgotten with their digests, the oldest first."""
        await self._caught_up()
        rows = await self._store.pool.fetch(_DUE.format(self._runner.tables), pool, over, limit)
        found: dict[date, list[tuple[UUID, list[bytes]]]] = {}
        for row in rows:
            found.setdefault(row["since_date"], []).append((row["visit"], list(row["digests"])))
        return found

    async def _caught_up(self) -> None:
        head = await self._store.head()
        await self._runner.wait_for(self._store.schema, head.position, CATCH_UP_SECONDS)


async def _apply_one(conn: Connection, message: Message, prefix: str) -> None:
    """Flags and exceptions hold the evidence of their visit until people have decided.

    What else may hold it goes the same way: a cause of its own is put into the table `hold`
    when it begins, and taken out when it ends.
    """
    match message:
        case ev.RiskFlagged(visit=visit, flag=cause) if visit:
            await _hold(conn, prefix, cause, visit)
        case ev.ExceptionOpened(visit=visit, exception=cause):
            await _hold(conn, prefix, cause, visit)
        case ev.RiskCleared(flag=cause) | ev.RiskConfirmed(flag=cause):
            await conn.execute(f"delete from {prefix}hold where cause = $1", UUID(cause))
        case ev.ExceptionSettled(exception=cause):
            await conn.execute(f"delete from {prefix}hold where cause = $1", UUID(cause))
        case ev.EvidenceForgotten():
            gone = [UUID(visit) for visit in message.visits]
            await conn.execute(f"delete from {prefix}evidence where visit = any($1)", gone)
        case _:
            return


async def _hold(conn: Connection, prefix: str, cause: str, visit: str) -> None:
    await conn.execute(
        f"insert into {prefix}hold values ($1, $2) on conflict do nothing",
        UUID(cause),
        UUID(visit),
    )


_MATTER = tuple(
    f"{kind.DESCRIPTOR.full_name}/"
    for kind in (
        ev.EvidenceKept,
        ev.RiskFlagged,
        ev.RiskCleared,
        ev.RiskConfirmed,
        ev.ExceptionOpened,
        ev.ExceptionSettled,
        ev.EvidenceForgotten,
    )
)
