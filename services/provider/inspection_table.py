"""The list of cases: where each stands, and the last day of what the office owes (投影).

No personal data. It may be a moment behind the log.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from google.protobuf.message import Message
from ltci.provider.v1 import events_pb2 as ev
from ltci.provider.v1 import inspection_service_pb2 as pb
from ltci.provider.v1 import inspection_types_pb2 as types

from kernel.eventstore.codec import Codec
from kernel.eventstore.postgres import EventStore
from kernel.projection import Connection, FeedEvent, ProjectionRunner

_Key = tuple[str | int, ...] | None
_TABLES = """
create table {prefix}inspection (
    inspection uuid primary key,
    pool text not null,
    state int not null,
    cause int not null,
    source uuid,
    provider uuid,
    caregiver uuid,
    assessor uuid,
    flag_count int not null,
    opened_date text not null,
    opened_by text not null,
    noticed_date text not null default '',
    respond_by_date text not null default '',
    decision_due_date text not null,
    closed_date text not null default '',
    due_date text not null default '',
    outcome int not null default 0
);
create index on {prefix}inspection (pool, opened_date, inspection);
create index on {prefix}inspection (provider, opened_date);
"""
# Events come by the million; those of cases are few.
_KEPT = tuple(
    f"{message.DESCRIPTOR.full_name}/"
    for message in (
        ev.InspectionOpened,
        ev.InspectionExtended,
        ev.InspectionNoticed,
        ev.InspectionDecided,
        ev.InspectionAppealed,
        ev.InspectionClosed,
    )
)


class InspectionTable:
    """The projection."""

    name = "inspections"
    tables = _TABLES

    def __init__(self, codec: Codec) -> None:
        self._codec = codec

    async def apply(self, conn: Connection, events: Sequence[FeedEvent], prefix: str) -> None:
        """See `Projection.apply`."""
        for event in events:
            if event.type.startswith(_KEPT):
                message = self._codec.message_clear(event.type, event.payload)
                await _apply_one(conn, message, f"{prefix}inspection")


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which cases are asked for."""

    pool: str
    state: int = 0  # 0 for any
    provider: UUID | None = None
    open: bool = False
    overdue_on: str = ""  # only those past a last day of the office on this day


class InspectionReader:
    """Reads the list, page by page."""

    def __init__(self, store: EventStore, runner: ProjectionRunner) -> None:
        self._store = store
        self._runner = runner

    async def page(self, wanted: Wanted, after: _Key, limit: int) -> list[pb.Inspection]:
        """Ordered by the day of opening and id."""
        day, name = after or ("", None)
        rows = await self._store.pool.fetch(
            f"select * from {self._runner.tables}inspection where pool = $1"
            " and ($2 = 0 or state = $2) and ($3::uuid is null or provider = $3)"
            " and (not $4 or closed_date = '')"
            " and ($5 = '' or (closed_date = '' and due_date <> '' and due_date < $5))"
            " and ($7::uuid is null or (opened_date, inspection) > ($6, $7))"
            " order by opened_date, inspection limit $8",
            wanted.pool,
            wanted.state,
            wanted.provider,
            wanted.open,
            wanted.overdue_on,
            str(day),
            UUID(str(name)) if name else None,
            limit,
        )
        return [pb.Inspection(**_texts(row)) for row in rows]


async def _apply_one(conn: Connection, message: Message, table: str) -> None:
    match message:
        case ev.InspectionOpened():
            await conn.execute(
                f"insert into {table} values"
                " ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, '', '', $12, '', $13)",
                UUID(message.inspection),
                message.pool,
                types.INSPECTION_STATE_OPENED,
                message.cause,
                *map(
                    _uuid, (message.source, message.provider, message.caregiver, message.assessor)
                ),
                len(message.flags),
                message.opened_date,
                message.opened_by,
                message.decision_due_date,
                message.notice_due_date,
            )
        case ev.InspectionExtended():
            await conn.execute(
                f"update {table} set flag_count = flag_count + $2 where inspection = $1",
                UUID(message.inspection),
                len(message.flags),
            )
        case ev.InspectionNoticed():
            await conn.execute(
                f"update {table} set state = $2, noticed_date = $3, respond_by_date = $4,"
                " due_date = decision_due_date where inspection = $1",
                UUID(message.inspection),
                types.INSPECTION_STATE_NOTICED,
                message.noticed_date,
                message.respond_by_date,
            )
        case ev.InspectionDecided():
            await _stands(conn, table, message.inspection, types.INSPECTION_STATE_DECIDED)
        case ev.InspectionAppealed():
            state, due = types.INSPECTION_STATE_APPEALED, message.due_date
            await _stands(conn, table, message.inspection, state, due=due)
        case ev.InspectionClosed():
            state, day = types.INSPECTION_STATE_CLOSED, message.closed_date
            await _stands(conn, table, message.inspection, state, closed=day)
            await conn.execute(
                f"update {table} set outcome = $2 where inspection = $1",
                UUID(message.inspection),
                message.outcome,
            )


async def _stands(
    conn: Connection, table: str, name: str, state: int, *, due: str = "", closed: str = ""
) -> None:
    await conn.execute(
        f"update {table} set state = $2, due_date = $3, closed_date = $4 where inspection = $1",
        UUID(name),
        state,
        due,
        closed,
    )


def _uuid(text: str) -> UUID | None:
    return UUID(text) if text else None


def _texts(row: Any) -> dict[str, Any]:
    """A row as the fields of its message: ids as text, nothing for what is not there."""
    return {
        name: str(value) if isinstance(value, UUID) else value
        for name, value in row.items()
        if value is not None
    }
