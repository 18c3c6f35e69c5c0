"""Lists of providers, plans and visits, and who a plan belongs to (投影). No personal data.

Lists may be a moment behind the log; `owners` waits for the log before it says that a plan
does not exist.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from google.protobuf.message import Message
from ltci.provider.v1 import events_pb2 as ev
from ltci.provider.v1 import provider_service_pb2 as pb
from ltci.provider.v1 import provider_types_pb2 as types

from kernel.calendar import Month
from kernel.eventstore.codec import Codec
from kernel.eventstore.postgres import EventStore
from kernel.projection import Connection, FeedEvent, ProjectionRunner

CATCH_UP_SECONDS = 5.0
KNOWN_OWNERS = 100_000
_Key = tuple[str | int, ...] | None

_TABLES = """
create table {prefix}provider (
    provider uuid primary key,
    pool text not null,
    provider_name text not null,
    social_credit_code text not null,
    agreement_start_date text not null,
    agreement_end_date text not null,
    suspended_from_date text not null default ''
);
create index on {prefix}provider (pool, provider);
create table {prefix}plan (
    plan uuid primary key,
    person uuid not null,
    pool text not null,
    provider uuid not null,
    form int not null,
    start_date text not null,
    end_date text not null default ''
);
create index on {prefix}plan (person, pool, start_date, plan);
create table {prefix}visit (
    visit uuid primary key,
    plan uuid,
    person uuid,
    pool text,
    start_time text,
    end_time text,
    state int not null,
    cost_fen bigint,
    reasons text[],
    recorded_start_time text
);
create index on {prefix}visit (person, pool, start_time, visit);
create index on {prefix}visit (pool, start_time, visit) where state in (1, 2);
"""

# A visit is told in pieces: each batch brings those it has, and the rest stays as it was.
_VISIT_COLUMNS = (
    "plan",
    "person",
    "pool",
    "start_time",
    "end_time",
    "state",
    "cost_fen",
    "reasons",
    "recorded_start_time",
)


class Lists:
    """The projection."""

    name = "lists"
    tables = _TABLES

    def __init__(self, codec: Codec) -> None:
        self._codec = codec

    async def apply(self, conn: Connection, events: Sequence[FeedEvent], prefix: str) -> None:
        """See `Projection.apply`."""
        visits: dict[str, dict[str, Any]] = {}
        for event in events:
            message = self._codec.message_clear(event.type, event.payload)
            piece = visit_piece(message)
            if piece:
                # Pieces of one visit come in their order, and the last verdict counts.
                visits.setdefault(_visit_of(message), {}).update(piece)
            else:
                await _apply_one(conn, message, prefix)
        rows = [(UUID(name), *map(piece.get, _VISIT_COLUMNS)) for name, piece in visits.items()]
        if rows:
            await conn.executemany(_upsert(prefix), rows)


def visit_piece(message: Message) -> dict[str, Any]:
    """What an event says of a visit, by column; empty where it is about something else."""
    match message:
        case ev.VisitStarted():
            return {
                "plan": UUID(message.plan),
                "person": UUID(message.person),
                "pool": message.pool,
                "start_time": message.start_time,
                "recorded_start_time": message.start_time,
                "state": types.VISIT_STATE_STARTED,
            }
        case ev.VisitEnded():
            return {
                "end_time": message.end_time,
                "cost_fen": sum(item.price_fen for item in message.items),
                "state": types.VISIT_STATE_ENDED,
            }
        case ev.ServiceDelivered():
            # No reason of an earlier verdict stays.
            return {"state": types.VISIT_STATE_DELIVERED, "reasons": []}
        case ev.ServiceRejected():
            return {"state": types.VISIT_STATE_REJECTED, "reasons": list(message.reasons)}
        case ev.VisitCorrected():
            return {
                "start_time": message.start_time,
                "end_time": message.end_time,
                "cost_fen": sum(item.price_fen for item in message.items),
            }
        case _:
            return {}


class ListReader:
    """Reads the lists, page by page."""

    def __init__(self, store: EventStore, runner: ProjectionRunner) -> None:
        self._store = store
        self._runner = runner
        self._owners: OrderedDict[UUID, tuple[str, UUID]] = OrderedDict()

    async def providers(self, pool: str, after: _Key, limit: int) -> list[pb.Provider]:
        """Ordered by id."""
        rows = await self._rows(
            "select * from {}provider where pool = $1 and ($2::uuid is null or provider > $2)"
            " order by provider limit $3",
            pool,
            UUID(str(after[0])) if after else None,
            limit,
        )
        return [pb.Provider(**_texts(row)) for row in rows]

    async def plans(self, person: UUID, pool: str, after: _Key, limit: int) -> list[pb.Plan]:
        """Ordered by first day and id."""
        day, plan = after or ("", None)
        rows = await self._rows(
            "select * from {}plan where person = $1 and pool = $2"
            " and ($4::uuid is null or (start_date, plan) > ($3, $4))"
            " order by start_date, plan limit $5",
            person,
            pool,
            str(day),
            UUID(str(plan)) if plan else None,
            limit,
        )
        return [pb.Plan(**_texts(row)) for row in rows]

    async def visits(
        self, person: UUID, pool: str, month: Month | None, after: _Key, limit: int
    ) -> list[pb.Visit]:
        """Ordered by start and id; what was recorded before the call counts."""
        await self._caught_up()
        time, visit = after or ("", None)
        rows = await self._rows(
            "select * from {}visit where person = $1 and pool = $2"
            " and ($5::uuid is null or (start_time, visit) > ($4, $5))"
            " and ($3::text is null or start_time like $3 || '%')"
            " order by start_time, visit limit $6",
            person,
            pool,
            str(month) if month else None,
            str(time),
            UUID(str(visit)) if visit else None,
            limit,
        )
        return [pb.Visit(**_texts(row)) for row in rows]

    async def hanging(
        self, pool: str, until: str, after: tuple[str, UUID] | None, limit: int
    ) -> list[tuple[UUID, UUID, UUID, str]]:
        """Visit, plan, person, start of visits that began until then and are not decided.

        By start and id.
        """
        time, visit = after or ("", None)
        rows = await self._rows(
            "select visit, plan, person, start_time from {}visit"
            " where pool = $1 and state in (1, 2) and start_time <= $2"
            " and ($4::uuid is null or (start_time, visit) > ($3, $4))"
            " order by start_time, visit limit $5",
            pool,
            until,
            time,
            visit,
            limit,
        )
        return [(row[0], row[1], row[2], row[3]) for row in rows]

    async def owners(self, plans: Sequence[UUID]) -> Mapping[UUID, tuple[str, UUID]]:
        """Pool and person by plan; those missing do not exist."""
        await self._learn([plan for plan in plans if plan not in self._owners])
        unknown = [plan for plan in plans if plan not in self._owners]
        if unknown:
            await self._caught_up()
            await self._learn(unknown)
        return {plan: self._owners[plan] for plan in plans if plan in self._owners}

    async def _learn(self, plans: Sequence[UUID]) -> None:
        if not plans:
            return
        rows = await self._rows("select plan, pool, person from {}plan where plan = any($1)", plans)
        while len(self._owners) > KNOWN_OWNERS:
            self._owners.popitem(last=False)
        self._owners.update({row["plan"]: (row["pool"], row["person"]) for row in rows})

    async def _caught_up(self) -> None:
        head = await self._store.head()
        await self._runner.wait_for(self._store.schema, head.position, CATCH_UP_SECONDS)

    async def _rows(self, query: str, *values: object) -> list[Any]:
        return list(await self._store.pool.fetch(query.format(self._runner.tables), *values))


async def _apply_one(conn: Connection, message: Message, prefix: str) -> None:
    match message:
        case ev.ProviderAdmitted():
            await conn.execute(
                f"insert into {prefix}provider values ($1, $2, $3, $4, $5, $6)",
                UUID(message.provider),
                message.pool,
                message.provider_name,
                message.social_credit_code,
                message.agreement_start_date,
                message.agreement_end_date,
            )
        case ev.AgreementSuspended():
            await conn.execute(
                f"update {prefix}provider set suspended_from_date = $2 where provider = $1"
                " and (suspended_from_date = '' or suspended_from_date > $2)",
                UUID(message.provider),
                message.start_date,
            )
        case ev.PlanApproved():
            await conn.execute(
                f"insert into {prefix}plan values ($1, $2, $3, $4, $5, $6)",
                UUID(message.plan),
                UUID(message.person),
                message.pool,
                UUID(message.provider),
                message.form,
                message.start_date,
            )
        case ev.PlanEnded():
            await conn.execute(
                f"update {prefix}plan set end_date = $2 where plan = $1",
                UUID(message.plan),
                message.end_date,
            )
        case _:
            return  # prices and caregivers have no list


def _visit_of(message: Message) -> str:
    name: str = message.visit  # type: ignore[attr-defined]  # every event with a piece has it
    return name


def _upsert(prefix: str) -> str:
    kept = ", ".join(f"{c} = coalesce(excluded.{c}, v.{c})" for c in _VISIT_COLUMNS)
    return (
        f"insert into {prefix}visit as v (visit, {', '.join(_VISIT_COLUMNS)})"
        f" values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
        f" on conflict (visit) do update set {kept}"
    )


def _texts(row: Any) -> dict[str, Any]:
    """A row as the fields of its message: ids as text, nothing for what is not known yet."""
    return {
        name: str(value) if isinstance(value, UUID) else value
        for name, value in row.items()
        if value is not None
    }
