"""The fund's ledger, added up by pool and account, and line by line for moments of the past."""

from collections.abc import Sequence
from datetime import date

import asyncpg

from kernel.eventstore.codec import Codec
from kernel.money import Money
from kernel.projection import Connection, FeedEvent, ProjectionRunner, insert
from services.payment.domain.ledger import LedgerPosted, Posting

_LINE_COLUMNS = ("pool", "position", "line", "posted_date", "account", "debit_fen", "credit_fen")


class Balances:
    """The projection: sums of debits and credits, and the lines they come from.

    The sums answer for now; what was known at a moment, or counts up to a day, is added up from
    the lines.
    """

    name = "balances"
    tables = """
    create table {prefix}account (
        pool text not null,
        account text not null,
        debit_fen bigint not null,
        credit_fen bigint not null,
        primary key (pool, account)
    );
    create table {prefix}fund (
        pool text primary key,
        entry_count bigint not null
    );
    create table {prefix}line (
        pool text not null,
        position bigint not null,      -- of the entry
        line smallint not null,        -- its place in the entry, from 0
        posted_date date not null,
        account text not null,
        debit_fen bigint not null,
        credit_fen bigint not null,
        primary key (pool, position, line)
    );
    """

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self._type = codec.type_name(LedgerPosted)

    async def apply(self, conn: Connection, events: Sequence[FeedEvent], prefix: str) -> None:
        """See `Projection.apply`."""
        told: list[tuple[int, LedgerPosted]] = [
            (event.position, self._codec.decode_clear(event.type, event.payload))
            for event in events
            if event.type == self._type
        ]
        sums: dict[tuple[str, str], tuple[int, int]] = {}
        counts: dict[str, int] = {}
        for _, posted in told:
            counts[posted.pool] = counts.get(posted.pool, 0) + 1
            for line in posted.postings:
                debit, credit = sums.get((posted.pool, line.account), (0, 0))
                after = (debit + line.debit.fen, credit + line.credit.fen)
                sums[posted.pool, line.account] = after
        await conn.executemany(
            f"insert into {prefix}account as kept (pool, account, debit_fen, credit_fen)"
            " values ($1, $2, $3, $4) on conflict (pool, account) do update"
            " set debit_fen = kept.debit_fen + excluded.debit_fen,"
            " credit_fen = kept.credit_fen + excluded.credit_fen",
            [(*place, debit, credit) for place, (debit, credit) in sums.items()],
        )
        await conn.executemany(
            f"insert into {prefix}fund as kept (pool, entry_count) values ($1, $2)"
            " on conflict (pool) do update"
            " set entry_count = kept.entry_count + excluded.entry_count",
            list(counts.items()),
        )
        lines = [line for position, posted in told for line in _lines(position, posted)]
        await insert(conn, f"{prefix}line", _LINE_COLUMNS, lines)


def _lines(position: int, posted: LedgerPosted) -> list[tuple[object, ...]]:
    entry = posted.pool, position
    return [
        (*entry, place, posted.posted_date, line.account, line.debit.fen, line.credit.fen)
        for place, line in enumerate(posted.postings)
    ]


class BalanceReader:
    """A fund's balances."""

    def __init__(self, pool: asyncpg.Pool, runner: ProjectionRunner, source: str) -> None:
        self._pool = pool
        self._runner = runner
        self._source = source

    async def wait_for(self, position: int, timeout: float) -> None:
        """Returns once the service's own log has been read so far; TimeoutError otherwise."""
        await self._runner.wait_for(self._source, position, timeout)

    async def balances(self, pool: str) -> tuple[Sequence[Posting], int]:
        """Every account's sums in the order of names, and the number of entries."""
        async with (
            self._pool.acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            rows = await connection.fetch(
                f"select account, debit_fen, credit_fen from {self._runner.tables}account"
                " where pool = $1 order by account",
                pool,
            )
            count = await connection.fetchval(
                f"select entry_count from {self._runner.tables}fund where pool = $1", pool
            )
        return [_posting(row) for row in rows], count or 0

    async def balances_at(
        self, pool: str, *, as_of: date | None, upto: int | None
    ) -> tuple[Sequence[Posting], int]:
        """The same from the entries that count on a day or before, up to a position."""
        rows = await self._pool.fetch(
            "select account, sum(debit_fen)::bigint as debit_fen,"
            " sum(credit_fen)::bigint as credit_fen, count(*) filter (where line = 0) as entries"
            f" from {self._runner.tables}line where pool = $1"
            " and ($2::bigint is null or position <= $2)"
            " and ($3::date is null or posted_date <= $3) group by account order by account",
            pool,
            upto,
            as_of,
        )
        return [_posting(row) for row in rows], sum(row["entries"] for row in rows)


def _posting(row: asyncpg.Record) -> Posting:
    return Posting(
        account=row["account"],
        debit=Money(row["debit_fen"]),
        credit=Money(row["credit_fen"]),
    )
