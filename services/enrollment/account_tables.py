"""Read models of dues and arrears: who owes what in a pool's year, who rests, who is employed.

Opaque ids, codes, days and amounts only. What was paid stands in the tables of `Insured`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import asyncpg

from kernel.calendar import Month
from kernel.eventstore.codec import Codec
from kernel.money import Money
from kernel.projection import Connection, FeedEvent, ProjectionRunner
from services.enrollment.domain.account import (
    OWN_SOURCES,
    ContributionDue,
    ContributionRefunded,
)
from services.enrollment.domain.coverage import CoverageResumed, CoverageSuspended, InsuredGroup
from services.enrollment.domain.employer import StaffDeclared

CATCH_UP_SECONDS = 10.0
_OWN = sorted(source.value for source in OWN_SOURCES)


class AccountTables:
    """The projection: newest dues by time and employer, refunds, suspensions, staff."""

    name = "accounts"
    tables = """
    create table {prefix}due (
        pool text not null,
        year int not null,
        person uuid not null,
        month text not null,           -- empty for the year
        employer text not null,        -- empty where none declared the person
        position bigint not null,      -- of the newest determination
        due uuid not null,
        insured_group text not null,
        due_date date,
        primary key (pool, year, person, month, employer)
    );
    create table {prefix}share (
        pool text not null,
        year int not null,
        person uuid not null,
        month text not null,
        employer text not null,
        source text not null,
        amount_fen bigint not null,
        primary key (pool, year, person, month, employer, source)
    );
    create table {prefix}refund (
        position bigint primary key,
        pool text not null,
        year int not null,
        person uuid not null,
        source text not null,
        amount_fen bigint not null
    );
    create index on {prefix}refund (pool, year, person);
    create table {prefix}suspension (
        suspension uuid primary key,
        pool text not null,
        year int not null,
        person uuid not null,
        resumed boolean not null
    );
    create index on {prefix}suspension (pool, year, person);
    create table {prefix}staff (
        employer uuid not null,
        month text not null,
        person uuid not null,
        pool text not null,
        primary key (employer, month, person)
    );
    """

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        kinds = (
            ContributionDue,
            ContributionRefunded,
            CoverageSuspended,
            CoverageResumed,
            StaffDeclared,
        )
        self._types = {codec.type_name(kind) for kind in kinds}

    async def apply(self, conn: Connection, events: Sequence[FeedEvent], prefix: str) -> None:
        """See `Projection.apply`."""
        told = [
            (event.position, self._codec.decode_clear(event.type, event.payload))
            for event in events
            if event.type in self._types
        ]
        await self._due(conn, prefix, [t for t in told if isinstance(t[1], ContributionDue)])
        await conn.executemany(
            f"insert into {prefix}refund values ($1, $2, $3, $4, $5, $6)",
            [
                (position, e.pool, e.year, e.person, e.source.value, e.amount.fen)
                for position, e in told
                if isinstance(e, ContributionRefunded)
            ],
        )
        await conn.executemany(
            f"insert into {prefix}suspension values ($1, $2, $3, $4, false)",
            [
                (e.suspension, e.pool, e.year, e.person)
                for _, e in told
                if isinstance(e, CoverageSuspended)
            ],
        )
        await conn.executemany(
            f"update {prefix}suspension set resumed = true where suspension = $1",
            [(e.suspension,) for _, e in told if isinstance(e, CoverageResumed)],
        )
        await conn.executemany(
            f"insert into {prefix}staff values ($1, $2, $3, $4) on conflict do nothing",
            [
                (e.employer, str(e.month), e.person, e.pool)
                for _, e in told
                if isinstance(e, StaffDeclared)
            ],
        )

    async def _due(
        self, conn: Connection, prefix: str, told: Sequence[tuple[int, ContributionDue]]
    ) -> None:
        newest = {_key(due): (position, due) for position, due in told}
        await conn.executemany(
            f"insert into {prefix}due values ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
            " on conflict (pool, year, person, month, employer) do update set"
            " position = excluded.position, due = excluded.due,"
            " insured_group = excluded.insured_group, due_date = excluded.due_date",
            [
                (*key, position, due.due, due.group.value, due.due_date)
                for key, (position, due) in newest.items()
            ],
        )
        await conn.executemany(
            f"delete from {prefix}share where (pool, year, person, month, employer)"
            " = ($1, $2, $3, $4, $5)",
            list(newest),
        )
        await conn.executemany(
            f"insert into {prefix}share values ($1, $2, $3, $4, $5, $6, $7)",
            [
                (*key, share.source.value, share.amount.fen)
                for key, (_, due) in newest.items()
                for share in due.shares
            ],
        )


def _key(due: ContributionDue) -> tuple[str, int, UUID, str, str]:
    return (due.pool, due.year, due.person, *due.time)


@dataclass(frozen=True, kw_only=True)
class PoolLine:
    """What a group owes and has paid by one source."""

    group: InsuredGroup
    source: str
    persons: int
    due: Money
    paid: Money
    owed: Money
    surplus: Money


class AccountReader:
    """Lists, sums and who is next, from the read models."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        accounts: ProjectionRunner,
        insured: ProjectionRunner,
        source: str,
    ) -> None:
        self._pool = pool
        self._accounts = accounts
        self._insured = insured
        self._source = source

    async def wait_for(self, position: int) -> None:
        """Returns once both read models hold what the log holds up to a position."""
        for runner in (self._accounts, self._insured):
            await runner.wait_for(self._source, position, CATCH_UP_SECONDS)

    async def insured_after(self, pool: str, after: UUID | None, limit: int) -> list[UUID]:
        """People who are or were insured in a pool, in the order of ids."""
        rows = await self._pool.fetch(
            f"select person from {self._insured.tables}coverage where pool = $1"
            " and ($2::uuid is null or person > $2) order by person limit $3",
            pool,
            after,
            limit,
        )
        return [row["person"] for row in rows]

    async def staff_after(
        self, employer: UUID, month: Month, after: UUID | None, limit: int
    ) -> list[UUID]:
        """Those whom an employer declared for a month, in the order of ids."""
        rows = await self._pool.fetch(
            f"select person from {self._accounts.tables}staff where employer = $1 and month = $2"
            " and ($3::uuid is null or person > $3) order by person limit $4",
            employer,
            str(month),
            after,
            limit,
        )
        return [row["person"] for row in rows]

    async def resting_after(
        self, pool: str, year: int, after: UUID | None, limit: int
    ) -> list[UUID]:
        """Those who rest for arrears of a year, in the order of ids."""
        rows = await self._pool.fetch(
            f"select distinct person from {self._accounts.tables}suspension where pool = $1"
            " and year = $2 and not resumed and ($3::uuid is null or person > $3)"
            " order by person limit $4",
            pool,
            year,
            after,
            limit,
        )
        return [row["person"] for row in rows]

    async def owing_after(
        self, pool: str, year: int, before: date, after: UUID | None, limit: int
    ) -> list[tuple[UUID, date, Money]]:
        """Who should have paid before a day and owes: since which last day, and how much."""
        rows = await self._pool.fetch(
            self._OWING.format(accounts=self._accounts.tables, insured=self._insured.tables),
            pool,
            year,
            before,
            after,
            limit,
            _OWN,
        )
        return [(row["person"], row["due_date"], Money(row["owed_fen"])) for row in rows]

    async def owing(self, pool: str, year: int, due_date: date) -> tuple[int, Money]:
        """How many owe something that is to be paid by a last day, and how much together."""
        row = await self._pool.fetchrow(
            "select count(*) as persons, coalesce(sum(owed_fen), 0)::bigint as owed_fen from ("
            + self._OWING.format(accounts=self._accounts.tables, insured=self._insured.tables)
            + ") owing where due_date = $7",
            pool,
            year,
            date.max,
            None,
            2**31,
            _OWN,
            due_date,
        )
        return (row["persons"], Money(row["owed_fen"])) if row else (0, Money(0))

    _OWING = """
        select owed.person, owed.due_date,
            owed.due_fen - coalesce(paid.fen, 0) + coalesce(back.fen, 0) as owed_fen
        from (
            select d.person, min(d.due_date) as due_date, sum(s.amount_fen)::bigint as due_fen
            from {accounts}due d join {accounts}share s using (pool, year, person, month, employer)
            where d.pool = $1 and d.year = $2 and d.due_date < $3 and s.source = any($6)
                and ($4::uuid is null or d.person > $4)
            group by d.person
        ) owed
        left join lateral (
            select sum(c.amount_fen)::bigint as fen from {insured}contribution c
            where c.person = owed.person and c.pool = $1 and c.year = $2 and c.source = any($6)
        ) paid on true
        left join lateral (
            select sum(r.amount_fen)::bigint as fen from {accounts}refund r
            where r.person = owed.person and r.pool = $1 and r.year = $2 and r.source = any($6)
        ) back on true
        where owed.due_fen - coalesce(paid.fen, 0) + coalesce(back.fen, 0) > 0
        order by owed.person limit $5
    """

    async def positions(
        self,
        pool: str,
        year: int,
        *,
        person: UUID | None,
        after: tuple[UUID, str, str] | None,
        limit: int,
    ) -> list[tuple[tuple[UUID, str, str], int]]:
        """Keys and positions of the newest dues, ordered by person, month and employer."""
        rows = await self._pool.fetch(
            "select person, month, employer, position"
            f" from {self._accounts.tables}due where pool = $1 and year = $2"
            " and ($3::uuid is null or person = $3)"
            " and ($4::uuid is null or (person, month, employer) > ($4, $5, $6))"
            " order by person, month, employer limit $7",
            pool,
            year,
            person,
            *(after or (None, "", "")),
            limit,
        )
        return [((row["person"], row["month"], row["employer"]), row["position"]) for row in rows]

    async def sums(self, pool: str, year: int) -> list[PoolLine]:
        """Due, paid and owed by group and source, of people for whom a due was determined."""
        rows = await self._pool.fetch(
            self._SUMS.format(accounts=self._accounts.tables, insured=self._insured.tables),
            pool,
            year,
        )
        return [
            PoolLine(
                group=InsuredGroup(row["insured_group"]),
                source=row["source"],
                persons=row["persons"],
                due=Money(row["due_fen"]),
                paid=Money(row["paid_fen"]),
                owed=Money(row["owed_fen"]),
                surplus=Money(row["surplus_fen"]),
            )
            for row in rows
        ]

    _SUMS = """
        with one as (  -- of several determinations of a year, the group of the newest
            select distinct on (person) person, insured_group from {accounts}due
            where pool = $1 and year = $2 order by person, position desc
        ), moved as (
            select person, source, amount_fen as due, 0 as paid from {accounts}share
            where pool = $1 and year = $2
            union all
            select person, source, 0, amount_fen from {insured}contribution
            where pool = $1 and year = $2
            union all
            select person, source, 0, -amount_fen from {accounts}refund
            where pool = $1 and year = $2
        ), line as (
            select one.insured_group, moved.source, moved.person,
                sum(moved.due) as due, sum(moved.paid) as paid
            from one join moved using (person)
            group by one.insured_group, moved.source, moved.person
        )
        select insured_group, source, count(*) as persons,
            sum(due)::bigint as due_fen, sum(paid)::bigint as paid_fen,
            sum(greatest(due - paid, 0))::bigint as owed_fen,
            sum(greatest(paid - due, 0))::bigint as surplus_fen
        from line group by insured_group, source order by insured_group, source
    """
