"""The exception queue of visits, and what was corrected (投影). No personal data.

The list may be a moment behind the log.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from google.protobuf.message import Message
from ltci.provider.v1 import events_pb2 as ev
from ltci.provider.v1 import exception_service_pb2 as pb
from ltci.provider.v1 import exception_types_pb2 as types

from kernel.eventstore.codec import Codec
from kernel.eventstore.postgres import EventStore
from kernel.projection import Connection, FeedEvent, ProjectionRunner

_Key = tuple[str | int, ...] | None

_TABLES = """
create table {prefix}exception (
    exception uuid primary key,
    visit uuid not null,
    person uuid not null,
    pool text not null,
    provider uuid not null,
    caregiver uuid not null,
    kind int not null,
    opened_date text not null,
    due_date text not null,
    outcome int not null default 0,
    reason text not null default '',
    settled_by text not null default '',
    settled_date text not null default ''
);
create index on {prefix}exception (pool, due_date, exception) where outcome = 0;
create index on {prefix}exception (pool, due_date, exception);
create index on {prefix}exception (pool, opened_date);
create table {prefix}correction (
    correction uuid primary key,
    visit uuid not null,
    pool text not null,
    provider uuid not null,
    corrected_date text not null
);
create index on {prefix}correction (pool, corrected_date);
"""
_KEPT = tuple(
    f"{kind.DESCRIPTOR.full_name}/"
    for kind in (ev.ExceptionOpened, ev.ExceptionSettled, ev.VisitCorrected)
)


class ExceptionList:
    """The projection."""

    name = "exceptions"
    tables = _TABLES

    def __init__(self, codec: Codec) -> None:
        self._codec = codec

    async def apply(self, conn: Connection, events: Sequence[FeedEvent], prefix: str) -> None:
        """See `Projection.apply`."""
        for event in events:
            # Visits come by the million; what is unusual about them does not.
            if event.type.startswith(_KEPT):
                message = self._codec.message_clear(event.type, event.payload)
                await _apply_one(conn, message, prefix)


class ExceptionReader:
    """Reads the queue, page by page."""

    def __init__(self, store: EventStore, runner: ProjectionRunner) -> None:
        self._store = store
        self._runner = runner

    async def page(
        self, asked: pb.ListExceptionsRequest, today: date, after: _Key, limit: int
    ) -> list[pb.Exception]:
        """By last day and id; the open ones unless the settled ones are asked for, too."""
        due, exception = after or ("", None)
        rows = await self._store.pool.fetch(
            f"select * from {self._runner.tables}exception where pool = $1"
            " and ($2 = 0 or kind = $2) and ($3 or outcome = 0)"
            " and (not $4 or (outcome = 0 and due_date < $5))"
            " and ($7::uuid is null or (due_date, exception) > ($6, $7))"
            " order by due_date, exception limit $8",
            asked.pool,
            asked.kind,
            asked.settled,
            asked.overdue,
            today.isoformat(),
            str(due),
            UUID(str(exception)) if exception else None,
            limit,
        )
        return [_exception(row, today) for row in rows]

    async def open_counts(self, pool: str, today: date) -> tuple[int, int]:
        """How many are open, and how many of them overdue."""
        [row] = await self._store.pool.fetch(
            "select count(*), count(*) filter (where due_date < $2)"
            f" from {self._runner.tables}exception where pool = $1 and outcome = 0",
            pool,
            today.isoformat(),
        )
        return row[0], row[1]

    async def counts(self, pool: str, first: date, last: date) -> list[pb.ExceptionCount]:
        """By provider, of the days on which exceptions were opened or corrections made."""
        days = (pool, first.isoformat(), last.isoformat())
        found: dict[UUID, pb.ExceptionCount] = {}
        for row in await self._store.pool.fetch(
            f"select provider, kind, count(*), count(*) filter (where outcome = {_UPHELD})"
            f" from {self._runner.tables}exception"
            " where pool = $1 and opened_date between $2 and $3 group by provider, kind",
            *days,
        ):
            count = found.setdefault(row[0], pb.ExceptionCount(provider=str(row[0])))
            if row[1] in _COUNTED:
                setattr(count, _COUNTED[row[1]], row[2])
                count.upheld_count += row[3]
        for row in await self._store.pool.fetch(
            "select provider, count(*), count(distinct visit)"
            f" from {self._runner.tables}correction"
            " where pool = $1 and corrected_date between $2 and $3 group by provider",
            *days,
        ):
            count = found.setdefault(row[0], pb.ExceptionCount(provider=str(row[0])))
            count.correction_count, count.corrected_visit_count = row[1], row[2]
        return [found[name] for name in sorted(found)]


_UPHELD = types.EXCEPTION_OUTCOME_UPHELD
_COUNTED = {
    types.EXCEPTION_KIND_NOT_ENDED: "not_ended_count",
    types.EXCEPTION_KIND_NOT_CONFIRMED: "not_confirmed_count",
    types.EXCEPTION_KIND_DISPUTED: "disputed_count",
}


async def _apply_one(conn: Connection, message: Message, prefix: str) -> None:
    match message:
        case ev.ExceptionOpened():
            await conn.execute(
                f"insert into {prefix}exception values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                UUID(message.exception),
                UUID(message.visit),
                UUID(message.person),
                message.pool,
                UUID(message.provider),
                UUID(message.caregiver),
                message.kind,
                message.opened_date,
                message.due_date,
            )
        case ev.ExceptionSettled():
            await conn.execute(
                f"update {prefix}exception set outcome = $2, reason = $3, settled_by = $4,"
                " settled_date = $5 where exception = $1",
                UUID(message.exception),
                message.outcome,
                message.reason,
                message.settled_by,
                message.settled_date,
            )
        case ev.VisitCorrected():
            await conn.execute(
                f"insert into {prefix}correction values ($1, $2, $3, $4, $5)",
                UUID(message.correction),
                UUID(message.visit),
                message.pool,
                UUID(message.provider),
                message.corrected_date,
            )
        case _:
            return


def _exception(row: Any, today: date) -> pb.Exception:
    told = {name: str(row[name]) for name in _TEXTS}
    overdue = not row["outcome"] and row["due_date"] < today.isoformat()
    return pb.Exception(**told, kind=row["kind"], outcome=row["outcome"], overdue=overdue)


_TEXTS = (
    "exception",
    "visit",
    "person",
    "pool",
    "provider",
    "caregiver",
    "opened_date",
    "due_date",
    "reason",
    "settled_by",
    "settled_date",
)
