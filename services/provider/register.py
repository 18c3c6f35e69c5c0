"""Who is on the register: agreements by operator, caregivers and plans by provider (投影).

No personal data. Readers wait for the log where a missing row would be a wrong answer.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from google.protobuf.message import Message
from ltci.provider.v1 import designation_service_pb2 as pb
from ltci.provider.v1 import events_pb2 as ev

from kernel.eventstore.codec import Codec
from kernel.eventstore.postgres import EventStore
from kernel.projection import Connection, FeedEvent, ProjectionRunner

CATCH_UP_SECONDS = 5.0
_Key = tuple[str | int, ...] | None

_TABLES = """
create table {prefix}agreement (
    agreement uuid primary key,
    provider uuid not null,
    pool text not null,
    operator_name text not null,
    operator_code text not null,
    lines int[] not null,
    start_date text not null,
    end_date text not null
);
create index on {prefix}agreement (pool, operator_code, agreement);
create table {prefix}employed (
    caregiver uuid not null,
    provider uuid not null,
    primary key (provider, caregiver)
);
create table {prefix}taken (
    plan uuid primary key,
    caregiver uuid not null
);
create table {prefix}plan (
    plan uuid primary key,
    person uuid not null,
    pool text not null,
    provider uuid not null,
    start_date text not null,
    end_date text not null default ''
);
create index on {prefix}plan (provider, start_date, plan);
create index on {prefix}plan (pool, start_date, plan);
"""
_PLANS = "select plan, person, pool, provider from {0}plan p where "


class Register:
    """The projection."""

    name = "register"
    tables = _TABLES

    def __init__(self, codec: Codec) -> None:
        self._codec = codec

    async def apply(self, conn: Connection, events: Sequence[FeedEvent], prefix: str) -> None:
        """See `Projection.apply`."""
        for event in events:
            # Visits come by the million and are not kept here.
            if event.type.startswith(_KEPT):
                message = self._codec.message_clear(event.type, event.payload)
                await _apply_one(conn, message, prefix)


class RegisterReader:
    """Reads the register."""

    def __init__(self, store: EventStore, runner: ProjectionRunner) -> None:
        self._store = store
        self._runner = runner

    async def agreements(
        self, pool: str, operator: str, after: _Key, limit: int
    ) -> list[pb.Agreement]:
        """A pool's agreements by id; those of one operator where its code is given."""
        rows = await self._store.pool.fetch(
            f"select * from {self._runner.tables}agreement where pool = $1"
            " and ($2 = '' or operator_code = $2) and ($3::uuid is null or agreement > $3)"
            " order by agreement limit $4",
            pool,
            operator,
            UUID(str(after[0])) if after else None,
            limit,
        )
        return [_agreement(row) for row in rows]

    async def running_plans(self, provider: UUID, day: str) -> list[tuple[UUID, UUID]]:
        """Plan and person of a provider's plans that have not ended before the day, by age."""
        await self.caught_up()
        rows = await self._plans(
            "provider = $1 and (end_date = '' or end_date >= $2) order by start_date, plan",
            provider,
            day,
        )
        return [(row[0], row[1]) for row in rows]

    async def open_plans(
        self, pool: str, day: str, limit: int
    ) -> list[tuple[UUID, UUID, str, UUID]]:
        """Plan, person, pool, provider of a pool's running plans that no caregiver has, by age."""
        await self.caught_up()
        return await self._plans(
            "pool = $1 and start_date <= $2 and (end_date = '' or end_date >= $2)"
            " and not exists (select from {0}taken t where t.plan = p.plan)"
            " order by start_date, plan limit $3",
            pool,
            day,
            limit,
        )

    async def plan(self, plan: UUID) -> tuple[UUID, UUID, str, UUID] | None:
        """Plan, person, pool, provider; None where nobody knows the plan."""
        await self.caught_up()
        rows = await self._plans("plan = $1", plan)
        return rows[0] if rows else None

    async def taken(self, plans: Sequence[UUID], day: str) -> set[tuple[UUID, UUID]]:
        """Plan and caregiver of those plans that a caregiver has and that run on the day."""
        prefix = self._runner.tables
        rows = await self._store.pool.fetch(
            f"select p.plan, t.caregiver from {prefix}plan p join {prefix}taken t using (plan)"
            " where p.plan = any($1) and (p.end_date = '' or p.end_date >= $2)",
            list(plans),
            day,
        )
        return {(row["plan"], row["caregiver"]) for row in rows}

    async def caregivers(self, provider: UUID) -> list[UUID]:
        """Who was ever registered with a provider, by id."""
        rows = await self._store.pool.fetch(
            f"select caregiver from {self._runner.tables}employed where provider = $1"
            " order by caregiver",
            provider,
        )
        return [row["caregiver"] for row in rows]

    async def caught_up(self) -> None:
        head = await self._store.head()
        await self._runner.wait_for(self._store.schema, head.position, CATCH_UP_SECONDS)

    async def _plans(self, where: str, *values: object) -> list[tuple[UUID, UUID, str, UUID]]:
        query = (_PLANS + where).format(self._runner.tables)
        return [tuple(row) for row in await self._store.pool.fetch(query, *values)]


def _agreement(row: Any) -> pb.Agreement:
    told: dict[str, Any] = {k: str(v) if isinstance(v, UUID) else v for k, v in row.items()}
    return pb.Agreement(**told)


_KEPT = tuple(
    f"{message.DESCRIPTOR.full_name}/"
    for message in (
        ev.AgreementSigned,
        ev.CaregiverRegistered,
        ev.CaregiverAssigned,
        ev.PlanApproved,
        ev.PlanEnded,
    )
)


async def _apply_one(conn: Connection, message: Message, prefix: str) -> None:
    match message:
        case ev.AgreementSigned():
            await conn.execute(
                f"insert into {prefix}agreement values ($1, $2, $3, $4, $5, $6, $7, $8)",
                UUID(message.agreement),
                UUID(message.provider),
                message.pool,
                message.operator_name,
                message.operator_code,
                list(message.lines),
                message.start_date,
                message.end_date,
            )
        case ev.CaregiverRegistered():
            await conn.execute(
                f"insert into {prefix}employed values ($1, $2) on conflict do nothing",
                UUID(message.caregiver),
                UUID(message.provider),
            )
        case ev.CaregiverAssigned():
            await conn.execute(
                f"insert into {prefix}taken values ($1, $2)"
                " on conflict (plan) do update set caregiver = excluded.caregiver",
                UUID(message.plan),
                UUID(message.caregiver),
            )
        case ev.PlanApproved():
            await conn.execute(
                f"insert into {prefix}plan values ($1, $2, $3, $4, $5)",
                UUID(message.plan),
                UUID(message.person),
                message.pool,
                UUID(message.provider),
                message.start_date,
            )
        case ev.PlanEnded():
            await conn.execute(
                f"update {prefix}plan set end_date = $2 where plan = $1",
                UUID(message.plan),
                message.end_date,
            )
