"""Facts of the other services, kept where decisions about money can read them at once."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from uuid import UUID

import asyncpg

from kernel.calendar import Month
from kernel.projection import Connection, FeedEvent, ProjectionRunner
from kernel.replay import RawFact
from kernel.rules.ruling import FactRef, fact_digest
from services.payment.domain.facts import CaseFacts, PersonFact
from services.payment.domain.merging import Owned, case_of, named_in
from services.payment.incoming import (
    ASSESSMENT,
    CLAIM_LINES,
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
        care_month text,                -- of a verdict on care, a flag on it, or a claim for it
        visit uuid,                     -- the visit that these are about
        eligible_from date,             -- of a conclusion that the pool pays for
        merged_into uuid,               -- of the merge of a duplicate: who stays
        primary key (service, position)
    );
    create index on {prefix}fact (person);
    create index on {prefix}fact (pool, person) where eligible_from is not null;
    create index on {prefix}fact (person) where merged_into is not null;
    create index on {prefix}fact (visit) where visit is not null;
    """

    def __init__(self) -> None:
        self._types = {t for s in (ENROLLMENT, ASSESSMENT, PROVIDER) for t in fact_types(s)}

    async def apply(self, conn: Connection, events: Sequence[FeedEvent], prefix: str) -> None:
        """See `Projection.apply`."""
        await conn.executemany(
            f"insert into {prefix}fact (service, position, type, payload, digest, recorded_at,"
            " person, pool, care_month, visit, eligible_from, merged_into)"
            " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
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
        place.visit,
        place.eligible_from,
        place.merged_into,
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

        async def of(who: Sequence[UUID]) -> Sequence[asyncpg.Record]:
            rows: Sequence[asyncpg.Record] = await self._pool.fetch(
                "select person, service, position, type, payload, digest"
                f" from {self._facts.tables}fact"
                " where person = any($1) and pool in ($2, '') and service <> $3"
                " and ($4::timestamptz is null or recorded_at <= $4)",
                list(who),
                pool,
                PROVIDER,
                known_at,
            )
            return rows

        return await _cases(persons, of, of)

    async def person_facts(self, pool: str, person: UUID) -> Owned:
        """All that is known of a person and of others who are one with them, by person.

        Care in determined months included.
        """

        async def of(who: Sequence[UUID]) -> Sequence[asyncpg.Record]:
            rows: Sequence[asyncpg.Record] = await self._pool.fetch(
                "select person, service, position, type, payload, digest"
                f" from {self._facts.tables}fact where person = any($1) and pool in ($2, '')",
                list(who),
                pool,
            )
            return rows

        own = _owned(await of([person]), [person])
        return {**await _everybody(named_in(own), of), **own}

    async def undetermined_facts(
        self, pool: str, persons: Sequence[UUID], known: Known, *, claims: bool
    ) -> dict[UUID, CaseFacts]:
        """All facts that count, in one look; without care in months that are determined.

        A visit of such a month stays out also where a later verdict gives it another day: it may
        have been paid there. Of others who are one with them, all care: their months may be
        determined for themselves. Lines of claims are read only where they count: as many as
        there are visits.
        """
        fact, done = f"{self._facts.tables}fact", f"{self._benefits.tables}benefit"

        async def of(who: Sequence[UUID], *, others: bool) -> Sequence[asyncpg.Record]:
            rows: Sequence[asyncpg.Record] = await self._pool.fetch(
                "select person, service, position, type, payload, digest"
                f" from {fact} as fact"
                " where person = any($1) and pool in ($2, '')"
                " and position <= case service when $3 then $4::bigint when $5 then $6::bigint"
                " when $7 then $8::bigint else 0 end"
                " and ($9 or care_month is null or not exists (select from"
                f" {fact} as told join {done} as done on done.month = told.care_month"
                " where told.visit = fact.visit and done.pool = $2"
                " and done.person = fact.person)) and ($10 or type <> all($11))",
                list(who),
                pool,
                *(ENROLLMENT, known.get(ENROLLMENT, 0)),
                *(ASSESSMENT, known.get(ASSESSMENT, 0)),
                *(PROVIDER, known.get(PROVIDER, 0)),
                others,
                claims,
                CLAIM_LINES,
            )
            return rows

        return await _cases(persons, partial(of, others=False), partial(of, others=True))

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
        """Those with an eligible conclusion that has effect by the month, in order of id.

        Also those with whom such a one was ever merged, by what is known.
        """
        rows = await self._pool.fetch(
            f"select person from ({self._people_with_effect()}) as found"
            " where $5::uuid is null or person > $5 order by person limit $6",
            *_bounds(pool, month, known),
            after,
            limit,
        )
        return [row["person"] for row in rows]

    async def people_count(self, pool: str, month: Month, known: Known) -> int:
        """How many `people` there are."""
        count: int = await self._pool.fetchval(
            f"select count(*) from ({self._people_with_effect()}) as found",
            *_bounds(pool, month, known),
        )
        return count

    def _people_with_effect(self) -> str:
        """A query for the people of a month: pool, its last day, and what is known."""
        fact = f"{self._facts.tables}fact"
        return (
            "with recursive above (person, survivor) as ("
            f" select person, merged_into from {fact}"
            " where merged_into is not null and position <= $4"
            f" union select above.person, fact.merged_into from {fact} as fact"
            " join above on fact.person = above.survivor"
            " where fact.merged_into is not null and fact.position <= $4"
            f"), concluded as (select distinct person from {fact}"
            " where pool = $1 and eligible_from <= $2 and position <= $3)"
            " select person from concluded"
            " union select above.survivor from above join concluded using (person)"
        )


def _bounds(pool: str, month: Month, known: Known) -> tuple[object, ...]:
    return (pool, month.last, known.get(ASSESSMENT, 0), known.get(ENROLLMENT, 0))


_Asks = Callable[[Sequence[UUID]], Awaitable[Sequence[asyncpg.Record]]]


async def _cases(
    persons: Sequence[UUID], of_themselves: _Asks, of_others: _Asks
) -> dict[UUID, CaseFacts]:
    """The cases, with the facts of others who are one with them."""
    owned = _owned(await of_themselves(persons), persons)
    merged = named_in(owned)
    if not merged:
        return {person: CaseFacts.of(owned[person]) for person in persons}
    # Of who is one with others, all facts of all: also where some were asked about themselves.
    everybody = await _everybody(merged, of_others)
    return {person: case_of(person, {**everybody, person: owned[person]}) for person in persons}


async def _everybody(merged: frozenset[UUID], asks: _Asks) -> dict[UUID, list[PersonFact]]:
    """The facts of these, and of all whom the merges among their facts name."""
    found: dict[UUID, list[PersonFact]] = {}
    while missing := sorted(merged - set(found)):
        found |= _owned(await asks(missing), missing)
        merged = named_in(found)
    return found


def _owned(rows: Sequence[asyncpg.Record], persons: Sequence[UUID]) -> dict[UUID, list[PersonFact]]:
    facts: dict[UUID, list[PersonFact]] = {person: [] for person in persons}
    for row in rows:
        ref = FactRef(row["service"], row["position"], row["digest"])
        facts[row["person"]].append(fact_of(row["type"], row["payload"], ref))
    return facts
