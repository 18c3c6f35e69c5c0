"""The fund's ledger, added up by pool and account."""

from collections.abc import Sequence

import asyncpg

from kernel.eventstore.codec import Codec
from kernel.money import Money
from kernel.projection import Connection, FeedEvent, ProjectionRunner
from services.payment.domain.ledger import LedgerPosted, Posting


class Balances:
    """The projection: sums of debits and credits, and how many entries they come from."""

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
    """

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self._type = codec.type_name(LedgerPosted)

    async def apply(self, conn: Connection, events: Sequence[FeedEvent], prefix: str) -> None:
        """See `Projection.apply`."""
        sums: dict[tuple[str, str], tuple[int, int]] = {}
        counts: dict[str, int] = {}
        for event in events:
            if event.type != self._type:
                continue
            posted: LedgerPosted = self._codec.decode_clear(event.type, event.payload)
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
        postings = [
            Posting(
                account=row["account"],
                debit=Money(row["debit_fen"]),
                credit=Money(row["credit_fen"]),
            )
            for row in rows
        ]
        return postings, count or 0
