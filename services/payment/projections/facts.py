"""Facts of the other services, kept where decisions about money can read them at once."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from kernel.calendar import Month
from kernel.projection import Connection, FeedEvent, ProjectionRunner
from kernel.replay import RawFact
from kernel.rules.ruling import FactRef, fact_digest
from services.payment.domain.facts import CaseFacts, PersonFact
from services.payment.incoming import (
    ASSESSMENT,
    ENROLLMENT,
    PROVIDER,
    fact_of,
    fact_types,
    place_of,
)

Known = Mapping[str, int]  # how far each service's facts count


class Facts:
    """The projection: one row a fact, found by person, with its place in its service's log.

    Every coverage is kept, since amounts may depend on the group of insured.
    """

    name = "facts"
    tables = """
    create table {prefix}fact (
        service text not null,
        position bigint not null,
        type text not null,
        payload bytea not null,         -- without a ruling
        digest text not null,           -- of the event as recorded, with its ruling
        recorded_at timestamptz not null,
        person uuid not null,           -- coverage, conclusions, life, plans, care
        pool text not null,             -- empty where the fact counts in every pool
        care_month text,                -- of care delivered
        eligible_from date,             -- of a conclusion that the pool pays for
        primary key (service, position)
    );
    create index on {prefix}fact (person);
    create index on {prefix}fact (pool, person) where eligible_from is not null;
    """

    def __init__(self) -> None:
        self._types = {t for s in (ENROLLMENT, ASSESSMENT, PROVIDER) for t in fact_types(s)}

    async def apply(self, conn: Connection, events: Sequence[FeedEvent], prefix: str) -> None:
        """See `Projection.apply`."""
        await conn.executemany(
            f"insert into {prefix}fact (service, position, type, payload, digest, recorded_at,"
            " person, pool, care_month, eligible_from)"
            " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            [row for event in events if self._counts(event) and (row := _row(event))],
        )

    def _counts(self, event: FeedEvent) -> bool:
        return event.type in self._types


def _row(event: FeedEvent) -> tuple[object, ...] | None:
    place = place_of(event.source, event.type, event.payload)
    if place is None:
        return None
    return (
        event.source,
        event.position,
        event.type,
        place.payload,
        fact_digest(event.type, event.payload),
        event.recorded_at,
        place.person,
        place.pool,
        place.care_month,
        place.eligible_from,
    )


class FactReader:
    """Cases by person, and the people of a pool who may have something to get."""

    def __init__(
        self, pool: asyncpg.Pool, facts: ProjectionRunner, benefits: ProjectionRunner
    ) -> None:
        """`benefits` tells which months of care are determined, and need no facts any more."""
        self._pool = pool
        self._facts = facts
        self._benefits = benefits

    async def wait_for(self, known: Known, timeout: float) -> None:
        """Returns once the feeds have been read so far; TimeoutError otherwise."""
        for service, position in known.items():
            await self._facts.wait_for(service, position, timeout)

    async def standing_facts(
        self, pool: str, persons: Sequence[UUID], known_at: datetime | None = None
    ) -> dict[UUID, CaseFacts]:
        """All that says how these people stand; nothing about their care.

        With a moment, only what the other services had recorded by then.
        """
        rows = await self._pool.fetch(
            "select person, service, position, type, payload, digest"
            f" from {self._facts.tables}fact"
            " where person = any($1) and pool in ($2, '') and service <> $3"
            " and ($4::timestamptz is null or recorded_at <= $4)",
            list(persons),
            pool,
            PROVIDER,
            known_at,
        )
        return _cases(rows, persons)

    async def person_facts(self, pool: str, person: UUID) -> list[PersonFact]:
        """All that is known of a person, care in determined months included."""
        rows = await self._pool.fetch(
            "select person, service, position, type, payload, digest"
            f" from {self._facts.tables}fact where person = $1 and pool in ($2, '')",
            person,
            pool,
        )
        return _facts(rows)[person] if rows else []

    async def undetermined_facts(
        self, pool: str, persons: Sequence[UUID], known: Known
    ) -> dict[UUID, CaseFacts]:
        """All facts that count, in one look; without care in months that are determined."""
        rows = await self._pool.fetch(
            "select person, service, position, type, payload, digest"
            f" from {self._facts.tables}fact as fact"
            " where person = any($1) and pool in ($2, '')"
            " and position <= case service when $3 then $4::bigint when $5 then $6::bigint"
            " when $7 then $8::bigint else 0 end"
            f" and (care_month is null or not exists (select from {self._benefits.tables}benefit"
            " as done where done.pool = $2 and done.person = fact.person"
            " and done.month = fact.care_month))",
            list(persons),
            pool,
            *(ENROLLMENT, known.get(ENROLLMENT, 0)),
            *(ASSESSMENT, known.get(ASSESSMENT, 0)),
            *(PROVIDER, known.get(PROVIDER, 0)),
        )
        return _cases(rows, persons)

    async def recorded(self, refs: Sequence[FactRef]) -> list[RawFact]:
        """These facts as their services recorded them, in the order of service and position."""
        rows = await self._pool.fetch(
            "select service, position, type, payload, recorded_at"
            f" from {self._facts.tables}fact"
            " join unnest($1::text[], $2::bigint[]) as wanted (service, position)"
            " using (service, position) order by service, position",
            [ref.service for ref in refs],
            [ref.position for ref in refs],
        )
        return [RawFact(*row) for row in rows]

    async def people(
        self, pool: str, month: Month, known: Known, *, after: UUID | None, limit: int
    ) -> list[UUID]:
        """Those with an eligible conclusion that has effect by the month, in order of id."""
        rows = await self._pool.fetch(
            f"select distinct person from {self._facts.tables}fact"
            " where pool = $1 and eligible_from <= $2 and position <= $3"
            " and ($4::uuid is null or person > $4) order by person limit $5",
            pool,
            month.last,
            known.get(ASSESSMENT, 0),
            after,
            limit,
        )
        return [row["person"] for row in rows]

    async def people_count(self, pool: str, month: Month, known: Known) -> int:
        """How many `people` there are."""
        count: int = await self._pool.fetchval(
            f"select count(distinct person) from {self._facts.tables}fact"
            " where pool = $1 and eligible_from <= $2 and position <= $3",
            pool,
            month.last,
            known.get(ASSESSMENT, 0),
        )
        return count


def _cases(rows: Sequence[asyncpg.Record], persons: Sequence[UUID]) -> dict[UUID, CaseFacts]:
    facts = _facts(rows)
    return {person: CaseFacts.of(facts.get(person, ())) for person in persons}


def _facts(rows: Sequence[asyncpg.Record]) -> dict[UUID, list[PersonFact]]:
    facts: dict[UUID, list[PersonFact]] = {}
    for row in rows:
        ref = FactRef(row["service"], row["position"], row["digest"])
        found = facts.setdefault(row["person"], [])
        found.append(fact_of(row["type"], row["payload"], ref))
    return facts
