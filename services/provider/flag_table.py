"""The list of flags: what each holds, and the latest word on it (投影). No personal data."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from google.protobuf.message import Message
from ltci.provider.v1 import detection_service_pb2 as pb
from ltci.provider.v1 import events_pb2 as ev

from kernel.eventstore.codec import Codec
from kernel.eventstore.postgres import EventStore
from kernel.projection import Connection, FeedEvent, ProjectionRunner
from kernel.rules.ruling import Ruling

CATCH_UP_SECONDS = 5.0
_Key = tuple[str | int, ...] | None
_TABLES = """
create table {prefix}flag (
    flag uuid primary key,
    detector text not null,
    version int not null,
    pool text not null,
    visit text not null,
    person text not null,
    provider text not null,
    caregiver text not null,
    care_date text not null,
    known_date text not null,
    held_fen bigint not null,
    ruling bytea not null,
    state int not null
);
create index on {prefix}flag (pool, care_date, flag);
"""
# Visits come by the million and are not kept here.
_KEPT = tuple(
    f"{message.DESCRIPTOR.full_name}/"
    for message in (ev.RiskFlagged, ev.RiskCleared, ev.RiskConfirmed)
)


class FlagTable:
    """The projection."""

    name = "flags"
    tables = _TABLES

    def __init__(self, codec: Codec) -> None:
        self._codec = codec

    async def apply(self, conn: Connection, events: Sequence[FeedEvent], prefix: str) -> None:
        """See `Projection.apply`."""
        for event in events:
            if event.type.startswith(_KEPT):
                message = self._codec.message_clear(event.type, event.payload)
                await _apply_one(conn, message, str(event.recorded_at.date()), prefix)


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which flags are asked for; empty for any."""

    pool: str
    detector: str = ""
    state: int = 0
    first: str = ""
    last: str = ""


class FlagReader:
    """Reads the list."""

    def __init__(self, store: EventStore, runner: ProjectionRunner) -> None:
        self._store = store
        self._runner = runner

    async def page(self, wanted: Wanted, after: _Key, limit: int) -> list[pb.Flag]:
        """By day of care and id; what was recorded before the call counts."""
        head = await self._store.head()
        await self._runner.wait_for(self._store.schema, head.position, CATCH_UP_SECONDS)
        day, flag = after or ("", None)
        rows = await self._store.pool.fetch(
            f"select * from {self._runner.tables}flag where pool = $1"
            " and ($2 = '' or detector = $2) and ($3 = 0 or state = $3)"
            " and ($4 = '' or care_date >= $4) and ($5 = '' or care_date <= $5)"
            " and ($7::uuid is null or (care_date, flag) > ($6, $7))"
            " order by care_date, flag limit $8",
            wanted.pool,
            wanted.detector,
            wanted.state,
            wanted.first,
            wanted.last,
            str(day),
            UUID(str(flag)) if flag else None,
            limit,
        )
        return [_flag(row) for row in rows]

    async def known(self, flags: Sequence[UUID]) -> set[UUID]:
        """Those of the flags that are recorded."""
        rows = await self._store.pool.fetch(
            f"select flag from {self._runner.tables}flag where flag = any($1)", list(flags)
        )
        return {row["flag"] for row in rows}


def _flag(row: Any) -> pb.Flag:
    ruling = Ruling.read(row["ruling"]) if row["ruling"] else None
    seen = {name: str(value) for name, value in ruling.asked.items()} if ruling else {}
    told = {name: value for name, value in row.items() if name not in {"flag", "ruling"}}
    return pb.Flag(flag=str(row["flag"]), seen=seen, recorded=True, **told)


async def _apply_one(conn: Connection, message: Message, known: str, prefix: str) -> None:
    match message:
        case ev.RiskFlagged():
            await conn.execute(
                f"insert into {prefix}flag values"
                " ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
                UUID(message.flag),
                message.detector,
                message.detector_version,
                message.pool,
                message.visit,
                message.person,
                message.provider,
                message.caregiver,
                message.care_date,
                known,
                message.cost_fen,
                message.ruling,
                pb.FLAG_STATE_OPEN,
            )
        case ev.RiskCleared() | ev.RiskConfirmed():
            cleared = isinstance(message, ev.RiskCleared)
            await conn.execute(
                f"update {prefix}flag set state = $2 where flag = $1",
                UUID(message.flag),
                pb.FLAG_STATE_CLEARED if cleared else pb.FLAG_STATE_CONFIRMED,
            )
