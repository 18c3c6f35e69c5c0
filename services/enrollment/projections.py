"""Read models of enrollment: who is insured in a pool, and what was paid for whom.

The tables hold opaque ids, codes, days and amounts: no personal data.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

import asyncpg

from kernel.eventstore.codec import Codec
from kernel.money import Money
from kernel.projection import Connection, FeedEvent, ProjectionRunner
from services.enrollment.domain.contribution import ContributionCollected, ContributionSource
from services.enrollment.domain.coverage import (
    CoverageChanged,
    CoverageEnded,
    CoverageStarted,
    InsuredGroup,
    Spell,
)

CATCH_UP_SECONDS = 10.0


class Insured:
    """The projection: latest coverage by pool and person, and every contribution."""

    name = "insured"
    tables = """
    create table {prefix}coverage (
        pool text not null,
        person uuid not null,
        insured_group text not null,
        start_date date not null,
        end_date date,
        changed_date date,  -- first day in the group, where it is not the start
        primary key (pool, person)
    );
    create table {prefix}contribution (
        position bigint primary key,
        contribution uuid not null,
        person uuid not null,
        pool text not null,
        source text not null,
        amount_fen bigint not null,
        year int not null,
        paid_date date not null
    );
    create index on {prefix}contribution (person, pool, position);
    """

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self._types = {
            codec.type_name(kind)
            for kind in (CoverageStarted, CoverageEnded, CoverageChanged, ContributionCollected)
        }

    async def apply(self, conn: Connection, events: Sequence[FeedEvent], prefix: str) -> None:
        """See `Projection.apply`."""
        told = [
            (event.position, self._codec.decode_clear(event.type, event.payload))
            for event in events
            if event.type in self._types
        ]
        await self._cover(conn, prefix, [event for _, event in told])
        await conn.executemany(
            f"insert into {prefix}contribution (position, contribution, person, pool, source,"
            " amount_fen, year, paid_date) values ($1, $2, $3, $4, $5, $6, $7, $8)",
            [
                (
                    position,
                    event.contribution,
                    event.person,
                    event.pool,
                    event.source.value,
                    event.amount.fen,
                    event.year,
                    event.paid_date,
                )
                for position, event in told
                if isinstance(event, ContributionCollected)
            ],
        )

    async def _cover(self, conn: Connection, prefix: str, events: Sequence[object]) -> None:
        started: dict[tuple[str, UUID], list[Any]] = {}
        ended: list[tuple[str, UUID, date]] = []
        for event in events:
            if isinstance(event, CoverageStarted):
                place = (event.pool, event.person)
                started[place] = [*place, event.group.value, event.start_date, None]
            elif isinstance(event, CoverageEnded):
                place = (event.pool, event.person)
                if place in started:
                    started[place][-1] = event.end_date
                else:
                    ended.append((*place, event.end_date))
        # Ends first: those that are left belong to coverages of earlier batches.
        await conn.executemany(
            f"update {prefix}coverage set end_date = $3 where pool = $1 and person = $2", ended
        )
        await conn.executemany(
            f"insert into {prefix}coverage (pool, person, insured_group, start_date, end_date)"
            " values ($1, $2, $3, $4, $5) on conflict (pool, person) do update set"
            " insured_group = excluded.insured_group, start_date = excluded.start_date,"
            " end_date = excluded.end_date, changed_date = null",
            list(started.values()),
        )
        # Of changes the one with the latest day counts, whenever it became known.
        await conn.executemany(
            f"update {prefix}coverage set insured_group = $3, changed_date = $4"
            " where pool = $1 and person = $2 and start_date <= $4"
            " and coalesce(changed_date, start_date) <= $4",
            [
                (event.pool, event.person, event.group.value, event.change_date)
                for event in events
                if isinstance(event, CoverageChanged)
            ],
        )


class InsuredReader:
    """Pages of the read model, for lists."""

    def __init__(self, pool: asyncpg.Pool, runner: ProjectionRunner, source: str) -> None:
        self._pool = pool
        self._runner = runner
        self._source = source

    async def coverages(
        self, pool: str, *, after: UUID | None, limit: int
    ) -> list[tuple[UUID, Spell]]:
        """The people insured in a pool with their latest spell, ordered by person."""
        rows = await self._pool.fetch(
            "select person, insured_group, start_date, end_date"
            f" from {self._runner.tables}coverage"
            " where pool = $1 and ($2::uuid is null or person > $2) order by person limit $3",
            pool,
            after,
            limit,
        )
        return [
            (
                row["person"],
                Spell(
                    group=InsuredGroup(row["insured_group"]),
                    first=row["start_date"],
                    last=row["end_date"],
                ),
            )
            for row in rows
        ]

    async def contributions(
        self, person: UUID, pool: str, *, after: int, limit: int, upto: int | None = None
    ) -> list[tuple[int, ContributionCollected]]:
        """A person's contributions in a pool in the order they came in, with their positions.

        `upto` is the last position that counts: what was known then is waited for.
        """
        if upto is not None:
            await self._runner.wait_for(self._source, upto, CATCH_UP_SECONDS)
        rows = await self._pool.fetch(
            "select position, contribution, source, amount_fen, year, paid_date"
            f" from {self._runner.tables}contribution"
            " where person = $1 and pool = $2 and position > $3"
            " and ($5::bigint is null or position <= $5) order by position limit $4",
            person,
            pool,
            after,
            limit,
            upto,
        )
        return [
            (
                row["position"],
                ContributionCollected(
                    contribution=row["contribution"],
                    person=person,
                    pool=pool,
                    source=ContributionSource(row["source"]),
                    amount=Money(row["amount_fen"]),
                    year=row["year"],
                    paid_date=row["paid_date"],
                ),
            )
            for row in rows
        ]
