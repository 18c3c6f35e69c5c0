"""Claim lines as they stand, and what finds them again: flags by visit, visits by day (投影).

No personal data. The matcher waits until these tables hold what it reads of the log; everybody
else may find them a moment behind.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from google.protobuf.message import Message
from ltci.provider.v1 import claim_service_pb2 as pb
from ltci.provider.v1 import events_pb2 as ev

from kernel.calendar import Month
from kernel.eventstore.codec import Codec
from kernel.eventstore.postgres import EventStore
from kernel.projection import Connection, FeedEvent, ProjectionRunner

LINES = (ev.ClaimLineMatched, ev.ClaimLineRefused)
VERDICTS = (ev.ServiceDelivered, ev.ServiceRejected)
FLAGS = (ev.RiskFlagged, ev.RiskCleared, ev.RiskConfirmed)
CATCH_UP_SECONDS = 30.0
_NEVER = "9999-12-31"  # sorts behind every day
_Key = tuple[str | int, ...] | None
PersonMonth = tuple[str, UUID | None, Month, UUID | None]
"""Pool, person and month of a stream of lines; of a line without a person, its id."""

_TABLES = """
create table {prefix}line (
    line uuid primary key,
    claim uuid not null,
    provider uuid not null,
    pool text not null,
    month text not null,
    person uuid,
    visit uuid,
    care_date text not null,
    outcome int not null,
    reasons text[] not null,
    asked_fen bigint not null,
    adjusted_fen bigint not null,
    approved_fen bigint not null,
    due_date text not null
);
create index on {prefix}line (pool, month, provider, due_date, line);
create index on {prefix}line (person, care_date);
create index on {prefix}line (visit);
create table {prefix}flag (
    flag uuid primary key,
    visit uuid not null,
    raised bigint not null,        -- position of the flag
    decided bigint,                -- position of what was decided about it last
    confirmed boolean not null default false
);
create index on {prefix}flag (visit);
create table {prefix}care (
    visit uuid primary key,
    person uuid not null,
    pool text not null,
    care_date text not null,
    position bigint not null       -- of the latest verdict
);
create index on {prefix}care (person, care_date);
"""
_LINE_COLUMNS = (
    *("line", "claim", "provider", "pool", "month", "person", "visit", "care_date"),
    *("outcome", "reasons", "asked_fen", "adjusted_fen", "approved_fen", "due_date"),
)


class ClaimLines:
    """The projection."""

    name = "claims"
    tables = _TABLES

    def __init__(self, codec: Codec) -> None:
        self._codec = codec

    async def apply(self, conn: Connection, events: Sequence[FeedEvent], prefix: str) -> None:
        """See `Projection.apply`."""
        lines: dict[str, tuple[object, ...]] = {}
        care: dict[str, tuple[object, ...]] = {}
        flags: list[tuple[UUID, UUID, int]] = []
        ends: list[tuple[UUID, int, bool]] = []
        for event in events:
            if event.type not in FOLLOWED:
                continue
            message: Any = self._codec.message_clear(event.type, event.payload)
            if isinstance(message, LINES):
                lines[message.line] = _line_row(message)
            elif isinstance(message, VERDICTS):
                about = (UUID(message.visit), UUID(message.person))
                care[message.visit] = (*about, message.pool, message.care_date, event.position)
            elif not message.visit:
                continue  # a flag on a provider or an assessor
            elif isinstance(message, ev.RiskFlagged):
                flags.append((UUID(message.flag), UUID(message.visit), event.position))
            else:
                confirmed = isinstance(message, ev.RiskConfirmed)
                ends.append((UUID(message.flag), event.position, confirmed))
        if lines:
            await conn.executemany(_upsert(prefix), list(lines.values()))
        if care:
            # Visits come by the million: one statement for all of a batch.
            await conn.execute(
                f"insert into {prefix}care select * from unnest($1::uuid[], $2::uuid[],"
                " $3::text[], $4::text[], $5::bigint[]) on conflict (visit)"
                " do update set care_date = excluded.care_date, position = excluded.position",
                *(list(column) for column in zip(*care.values(), strict=True)),
            )
        await conn.executemany(
            f"insert into {prefix}flag values ($1, $2, $3) on conflict do nothing", flags
        )
        await conn.executemany(
            f"update {prefix}flag set decided = $2, confirmed = $3 where flag = $1", ends
        )


class ClaimReader:
    """Reads the tables."""

    def __init__(self, store: EventStore, runner: ProjectionRunner) -> None:
        self._store = store
        self._runner = runner

    async def reached(self, position: int) -> None:
        """Returns once the tables hold the log up to a position."""
        await self._runner.wait_for(self._store.schema, position, CATCH_UP_SECONDS)

    async def visits_on(
        self, days: Sequence[tuple[UUID, str]]
    ) -> Mapping[tuple[UUID, str], Sequence[UUID]]:
        """The visits of persons' days that were decided on, by id."""
        found: dict[tuple[UUID, str], list[UUID]] = {}
        if not days:
            return found
        rows = await self._rows(
            "select person, care_date, visit from {0}care join unnest($1::uuid[], $2::text[])"
            " as asked (person, care_date) using (person, care_date) order by visit",
            [person for person, _ in days],
            [day for _, day in days],
        )
        for row in rows:
            found.setdefault((row["person"], row["care_date"]), []).append(row["visit"])
        return found

    async def flags_on(self, visits: Sequence[UUID]) -> Mapping[UUID, Sequence[UUID]]:
        """The flags on these visits, cleared ones too."""
        found: dict[UUID, list[UUID]] = {}
        if visits:
            for row in await self._rows(
                "select visit, flag from {0}flag where visit = any($1) order by flag", visits
            ):
                found.setdefault(row["visit"], []).append(row["flag"])
        return found

    async def standing(self, visits: Sequence[UUID]) -> Mapping[UUID, tuple[int, frozenset[int]]]:
        """By visit, the position of its latest verdict, and those of the flags that matter."""
        rows = await self._rows(
            "select care.visit, care.position, coalesce(array_agg(flag.raised)"
            " filter (where flag.raised is not null and"
            " (flag.decided is null or flag.confirmed)), '{{}}')"
            " || coalesce(array_agg(flag.decided) filter (where flag.confirmed), '{{}}') as flags"
            " from {0}care as care left join {0}flag as flag using (visit)"
            " where care.visit = any($1) group by care.visit, care.position",
            visits,
        )
        return {row["visit"]: (row["position"], frozenset(row["flags"])) for row in rows}

    async def months_with(
        self, visits: Sequence[UUID], days: Sequence[tuple[UUID, str]]
    ) -> list[PersonMonth]:
        """The months with lines about these visits, or about persons' days."""
        rows = await self._rows(
            "select distinct pool, person, month from {0}line where visit = any($1)"
            " and person is not null"
            " union select line.pool, person, line.month from {0}line as line"
            " join unnest($2::uuid[], $3::text[]) as asked (person, care_date)"
            " using (person, care_date)",
            visits,
            [person for person, _ in days],
            [day for _, day in days],
        )
        return [(row["pool"], row["person"], Month.parse(row["month"]), None) for row in rows]

    async def page(
        self,
        pool: str,
        month: Month,
        provider: UUID | None,
        outcome: int,
        after: _Key,
        limit: int,
    ) -> list[pb.ClaimLine]:
        """Lines by provider, due day and id."""
        last_provider, due, line = after or ("", "", None)
        rows = await self._rows(
            "select * from {0}line where pool = $1 and month = $2"
            " and ($3::uuid is null or provider = $3) and ($4 = 0 or outcome = $4)"
            " and ($7::uuid is null or (provider, due_date, line) > ($5::uuid, $6, $7))"
            " order by provider, due_date, line limit $8",
            pool,
            str(month),
            provider,
            outcome,
            UUID(str(last_provider)) if last_provider else None,
            str(due),
            UUID(str(line)) if line else None,
            limit,
        )
        return [_line(row) for row in rows]

    async def sums(self, pool: str, month: Month, provider: UUID | None) -> list[pb.ClaimSum]:
        """What lines come to, by outcome."""
        rows = await self._rows(
            "select outcome, count(*) as line_count, sum(asked_fen)::bigint as asked_fen,"
            " sum(adjusted_fen)::bigint as adjusted_fen,"
            " sum(approved_fen)::bigint as approved_fen from {0}line where pool = $1"
            " and month = $2 and ($3::uuid is null or provider = $3)"
            " group by outcome order by outcome",
            pool,
            str(month),
            provider,
        )
        return [pb.ClaimSum(**row) for row in rows]

    async def reasons(self, pool: str, month: Month, provider: UUID | None) -> list[pb.ClaimReason]:
        """How often each reason occurs, most frequent first."""
        rows = await self._rows(
            "select reason, count(*) as line_count,"
            " sum(asked_fen - approved_fen)::bigint as withheld_fen"
            " from {0}line, unnest(reasons) as reason where pool = $1 and month = $2"
            " and ($3::uuid is null or provider = $3)"
            " group by reason order by count(*) desc, reason",
            pool,
            str(month),
            provider,
        )
        return [pb.ClaimReason(**row) for row in rows]

    async def _rows(self, query: str, *values: object) -> list[Any]:
        return list(await self._store.pool.fetch(query.format(self._runner.tables), *values))


def page_key(line: pb.ClaimLine) -> tuple[str, str, str]:
    """The place of a line in its list."""
    return line.provider, line.due_date or _NEVER, line.line


def outcome_of(message: Message) -> pb.ClaimOutcome.ValueType:
    """How a line came out, by its event."""
    if isinstance(message, ev.ClaimLineRefused):
        return pb.CLAIM_OUTCOME_REFUSED
    reasons = message.reasons  # type: ignore[attr-defined]  # the other event has them too
    return pb.CLAIM_OUTCOME_PARTIAL if reasons else pb.CLAIM_OUTCOME_MATCHED


FOLLOWED = tuple(f"{m.DESCRIPTOR.full_name}/1" for m in (*LINES, *VERDICTS, *FLAGS))


def _line_row(message: Any) -> tuple[object, ...]:
    return (
        UUID(message.line),
        UUID(message.claim),
        UUID(message.provider),
        message.pool,
        message.month,
        UUID(message.person) if message.person else None,
        UUID(message.visit) if message.visit else None,
        message.care_date,
        outcome_of(message),
        list(message.reasons),
        message.asked_fen,
        message.adjusted_fen,
        getattr(message, "approved_fen", 0),
        message.due_date or _NEVER,
    )


def _upsert(prefix: str) -> str:
    changing = ("visit", "care_date", "outcome", "reasons", "adjusted_fen", "approved_fen")
    kept = ", ".join(f"{column} = excluded.{column}" for column in (*changing, "due_date"))
    places = ", ".join(f"${n}" for n in range(1, len(_LINE_COLUMNS) + 1))
    return (
        f"insert into {prefix}line ({', '.join(_LINE_COLUMNS)}) values ({places})"
        f" on conflict (line) do update set {kept}"
    )


def _line(row: Any) -> pb.ClaimLine:
    told = {
        name: str(value) if isinstance(value, UUID) else value
        for name, value in row.items()
        if value is not None
    }
    return pb.ClaimLine(**told | {"due_date": told["due_date"].replace(_NEVER, "")})
