"""What the triggers remember, in PostgreSQL: how far they read, and who ever applied."""

from collections import defaultdict
from collections.abc import Iterable

import asyncpg

from kernel.eventstore.connections import Pool

_TABLES = """
create schema if not exists triggers;
create table if not exists triggers.checkpoint (
    source text primary key,
    epoch text not null,
    position bigint not null
);
create table if not exists triggers.applied (
    person text not null,
    pool text not null,
    primary key (person, pool)
);
create table if not exists triggers.one (
    person text not null,
    other text not null,
    primary key (person, other)
);
"""
_TABLES_LOCK = 0x6C746369  # two workers that start together make the tables once


class Notes:
    """The triggers' checkpoints, cases, and who is one person."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @classmethod
    async def open(cls, dsn: str) -> "Notes":
        pool = await asyncpg.create_pool(dsn, min_size=1, max_size=6)
        async with pool.acquire() as connection, connection.transaction():
            await connection.execute("select pg_advisory_xact_lock($1)", _TABLES_LOCK)
            await connection.execute(_TABLES)
        return cls(pool)

    async def checkpoint(self, source: str) -> tuple[int, str | None]:
        """Position and epoch; 0 and None before the first."""
        row = await self._pool.fetchrow(
            "select position, epoch from triggers.checkpoint where source = $1", source
        )
        return (row["position"], row["epoch"]) if row else (0, None)

    async def move(self, source: str, epoch: str, position: int) -> None:
        await self._pool.execute(
            """
            insert into triggers.checkpoint (source, epoch, position) values ($1, $2, $3)
            on conflict (source) do update set epoch = $2, position = case
                when checkpoint.epoch = $2 then greatest(checkpoint.position, $3) else $3 end
            """,
            source,
            epoch,
            position,
        )

    async def add_applied(self, cases: Iterable[tuple[str, str]]) -> None:
        """Notes (person, pool) pairs."""
        await self._pool.executemany(
            "insert into triggers.applied values ($1, $2) on conflict do nothing", list(cases)
        )

    async def add_one(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Notes that these are, or were, one person: telling both once too often harms nobody."""
        both = [way for one, other in pairs for way in ((one, other), (other, one))]
        await self._pool.executemany(
            "insert into triggers.one values ($1, $2) on conflict do nothing", both
        )

    async def cases_of(self, persons: Iterable[str]) -> dict[str, list[tuple[str, str]]]:
        """The (person, pool) pairs that a fact about each of these people concerns.

        Where the person applied, and of those who are one person each where any of them did;
        people without a case are left out.
        """
        found: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for row in await self._pool.fetch(
            """
            with recursive one (person, other) as (
                select asked, asked from unnest($1::text[]) as asked
                union select one.person, further.other
                from one join triggers.one as further on further.person = one.other
            ), pools as (
                select distinct one.person, applied.pool
                from one join triggers.applied as applied on applied.person = one.other
            )
            select one.person, one.other, pools.pool from one join pools using (person)
            order by one.other, pools.pool
            """,
            list(persons),
        ):
            found[row["person"]].append((row["other"], row["pool"]))
        return found

    async def close(self) -> None:
        await self._pool.close()
