"""Read models (投影): tables that follow events, and can be dropped and made again.

What it promises:

* every event is applied once: the tables and how far they reach move in one transaction, also
  where several copies of a service run the same projection;
* an event that cannot be applied stops the projection of its source, loudly: it is tried again
  with growing pauses, `failed` says so, and nothing is skipped;
* a rebuild makes new tables beside the old ones while both follow the feed, swaps them at one
  stroke when the new ones have caught up, and loses nothing;
* a projection whose tables are defined otherwise than before is built anew at the start.

Each generation of tables has its own prefix. SQL says `{prefix}person`; `runner.tables` is the
prefix that counts now, for readers: `f"select … from {runner.tables}person"`.
"""

import asyncio
import hashlib
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Protocol

from asyncpg.pool import PoolConnectionProxy
from eventsourcing.persistence import OperationalError

from kernel.eventstore.connections import Pool, is_lost
from kernel.eventstore.errors import HistoryDiffers
from kernel.eventstore.feed import Feed, FeedBatch, FeedEvent

__all__ = ["Connection", "FeedEvent", "Projection", "ProjectionRunner", "insert"]

Connection = PoolConnectionProxy
log = logging.getLogger(__name__)

_PAUSE_SECONDS = (0.2, 0.5, 1.0, 2.0, 5.0, 15.0)
_WATCH_SECONDS = 2.0
_SWAP_SECONDS = 10.0
_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_WORTH_COPYING = 20  # rows
_LONGEST_NAME = 30  # PostgreSQL cuts identifiers at 63

_TABLES = """
create table if not exists {schema}.projection_generations (
    name text primary key,
    current int not null,
    definition bytea not null
);
create table if not exists {schema}.projection_checkpoints (
    name text not null,
    generation int not null,
    source text not null,
    epoch text not null default '',
    position bigint not null default 0,
    primary key (name, generation, source)
);
"""


class Projection(Protocol):
    """One read model: its tables, and what an event does to them.

    `tables` is SQL with `{prefix}` before every table name, and no names for indexes.
    `apply` gets events of one source in their order, inside the transaction that also moves
    the checkpoint; it folds them and writes through this connection only.
    """

    name: str
    tables: str

    async def apply(self, conn: Connection, events: Sequence[FeedEvent], prefix: str) -> None:
        """Brings the tables with this prefix up to date with the events."""
        ...


class ProjectionRunner:
    """Keeps one projection up with the feeds it follows."""

    def __init__(
        self,
        pool: Pool,
        schema: str,
        projection: Projection,
        feeds: Feed | Sequence[Feed],
        *,
        on_position: Callable[[str, int], None] = lambda _source, _position: None,
    ) -> None:
        """`on_position` hears of every step: where lag is measured."""
        if not _NAME.fullmatch(projection.name) or len(projection.name) > _LONGEST_NAME:
            raise ValueError(f"{projection.name!r} is no name for a projection")
        listed = list(feeds) if isinstance(feeds, Sequence) else [feeds]
        self._feeds: Mapping[str, Feed] = {feed.source: feed for feed in listed}
        if len(self._feeds) != len(listed):
            raise ValueError(f"projection {projection.name} follows one source twice")
        self._pool = pool
        self._schema = schema
        self._projection = projection
        self._on_position = on_position
        self._definition = hashlib.sha256(projection.tables.encode()).digest()
        self._current: _Generation | None = None
        self._swapped = asyncio.Event()
        self._opening = asyncio.Lock()

    @property
    def name(self) -> str:
        return self._projection.name

    @property
    def tables(self) -> str:
        """The prefix of the tables that count now; ask anew for every query."""
        return self._generation.prefix

    @property
    def failed(self) -> str | None:
        """Why the projection does not get on, or None: health."""
        if self._current is None:
            return None
        return next(iter(self._current.failures.values()), None)

    def position(self, source: str) -> int:
        """How far the tables reach in a source."""
        return self._generation.positions[source]

    async def open(self) -> None:
        """Makes the tables where they are missing or defined otherwise; `run` does it too."""
        async with self._opening:
            if self._current is None:
                self._current = await self._opened()

    async def run(self) -> None:
        """Follows the feeds until cancelled."""
        await self.open()
        try:
            while True:
                self._swapped.clear()
                self._generation.start()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._swapped.wait(), _WATCH_SECONDS)
                await self._notice_swap()
        finally:
            await self._generation.stop()

    async def wait_for(self, source: str, position: int, timeout: float) -> None:
        """Returns once the tables reach a position of a source; TimeoutError otherwise."""
        await self.open()
        async with asyncio.timeout(timeout):
            while (generation := self._generation).positions[source] < position:
                await generation.moved(source, position)
                if generation.stopped and generation is self._current:
                    await asyncio.sleep(0.05)  # nobody runs it now; perhaps soon

    async def lag(self) -> dict[str, int]:
        """How many events each source has that the tables do not hold yet."""
        heads = {source: await feed.head() for source, feed in self._feeds.items()}
        return {source: max(0, head - self.position(source)) for source, head in heads.items()}

    async def caught_up(self, timeout: float) -> None:
        """Returns once the tables hold what the feeds held at the call: before serving."""
        async with asyncio.timeout(timeout):
            for source, feed in self._feeds.items():
                await self.wait_for(source, await feed.head(), timeout)

    async def rebuild(self, grace_seconds: float = _SWAP_SECONDS) -> None:
        """Builds the tables anew from the first event, swaps, and drops the old ones.

        Readers keep the old tables until the swap, and may finish queries on them for
        `grace_seconds` more. Refuses (RuntimeError) while another rebuild of it runs.
        """
        await self.open()
        key = f"{self._schema}.{self._projection.name}"
        async with self._pool.acquire() as guard:
            free = await guard.fetchval("select pg_try_advisory_lock(hashtextextended($1, 0))", key)
            if not free:
                raise RuntimeError(f"projection {key} is being rebuilt already")
            try:
                await self._rebuild(grace_seconds)
            finally:
                await guard.execute("select pg_advisory_unlock(hashtextextended($1, 0))", key)

    async def _rebuild(self, grace_seconds: float) -> None:
        old = self._generation
        async with self._pool.acquire() as connection, connection.transaction():
            number = await self._next_number(connection)
            new = await self._made(connection, number)
        new.start()
        try:
            await new.caught_up_with(old)
            while not await self._swap(old, new):
                await new.caught_up_with(old)
        except BaseException:
            await new.stop()
            await self._drop(new)
            raise
        self._current = new
        running = old.running
        await old.stop()
        if not running:
            await new.stop()
        self._swapped.set()
        await asyncio.sleep(grace_seconds)
        await self._drop(old)

    async def _swap(self, old: "_Generation", new: "_Generation") -> bool:
        """Makes the new tables the ones that count, if they reach as far as the old ones."""
        name = self._projection.name
        with suppress(TimeoutError):
            async with self._pool.acquire() as connection, connection.transaction():
                # Holds the old ones still until the new ones have come up to them.
                rows = await connection.fetch(
                    f"select source, position from {self._schema}.projection_checkpoints"
                    " where name = $1 and generation = $2 order by source for update",
                    name,
                    old.number,
                )
                async with asyncio.timeout(_SWAP_SECONDS):
                    for row in rows:
                        if row["source"] in self._feeds:
                            await new.moved(row["source"], row["position"])
                await connection.execute(
                    f"update {self._schema}.projection_generations set current = $2"
                    " where name = $1",
                    name,
                    new.number,
                )
            return True
        return False

    @property
    def _generation(self) -> "_Generation":
        if self._current is None:
            raise RuntimeError(f"projection {self._projection.name} was not opened")
        return self._current

    async def _opened(self) -> "_Generation":
        stale: list[_Generation] = []
        async with self._pool.acquire() as connection, connection.transaction():
            # Several copies of a service start at once.
            await connection.execute(
                "select pg_advisory_xact_lock(hashtextextended($1, 1))", self._schema
            )
            await connection.execute(_TABLES.replace("{schema}", self._schema))
            row = await connection.fetchrow(
                f"select current, definition from {self._schema}.projection_generations"
                " where name = $1",
                self._projection.name,
            )
            if row is not None and row["definition"] == self._definition:
                return await self._made(connection, row["current"])
            generation = await self._made(connection, await self._next_number(connection))
            await connection.execute(
                f"insert into {self._schema}.projection_generations (name, current, definition)"
                " values ($1, $2, $3) on conflict (name) do update"
                " set current = excluded.current, definition = excluded.definition",
                self._projection.name,
                generation.number,
                self._definition,
            )
            if row is not None:
                log.warning("projection %s is defined anew: rebuilding", self._projection.name)
                stale.append(self._of(row["current"]))
        for generation_before in stale:
            await self._drop(generation_before)
        return generation

    async def _next_number(self, connection: Connection) -> int:
        """A generation that never was; what a rebuild that was killed left behind stays unused."""
        number: int = await connection.fetchval(
            f"select coalesce(max(n), 0) + 1 from ("
            f" select generation as n from {self._schema}.projection_checkpoints where name = $1"
            f" union all select current from {self._schema}.projection_generations"
            " where name = $1) as known",
            self._projection.name,
        )
        return number

    def _of(self, number: int) -> "_Generation":
        return _Generation(
            self._pool,
            self._schema,
            self._projection,
            number,
            self._feeds,
            self._on_position,
        )

    async def _made(self, connection: Connection, number: int) -> "_Generation":
        """The generation with its tables and checkpoints, made where they are missing."""
        generation = self._of(number)
        known = {
            row["source"]: row["position"]
            for row in await connection.fetch(
                f"select source, position from {self._schema}.projection_checkpoints"
                " where name = $1 and generation = $2",
                self._projection.name,
                number,
            )
        }
        if not known:
            sql = self._projection.tables.replace("{prefix}", generation.prefix)
            if sql.strip():  # one that keeps no tables has a checkpoint all the same
                await connection.execute(sql.replace("{schema}", self._schema))
        await connection.executemany(
            f"insert into {self._schema}.projection_checkpoints (name, generation, source)"
            " values ($1, $2, $3) on conflict do nothing",
            [(self._projection.name, number, source) for source in self._feeds],
        )
        generation.positions.update({s: known[s] for s in self._feeds if s in known})
        return generation

    async def _notice_swap(self) -> None:
        """Follows a swap that another copy of this service made."""
        try:
            row = await self._pool.fetchrow(
                f"select current, definition from {self._schema}.projection_generations"
                " where name = $1",
                self._projection.name,
            )
            mine = self._generation
            if row is None or row["current"] == mine.number:
                return
            if row["definition"] != self._definition:
                mine.failures["definition"] = "another version of this projection took over"
                return
            async with self._pool.acquire() as connection:
                self._current = await self._made(connection, row["current"])
            await mine.stop()
        except Exception as error:
            if not _passes(error):
                raise
            log.warning("projection %s: no word from the database", self._projection.name)

    async def _drop(self, generation: "_Generation") -> None:
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(
                f"delete from {self._schema}.projection_checkpoints"
                " where name = $1 and generation = $2",
                self._projection.name,
                generation.number,
            )
            tables = await connection.fetch(
                "select format('%I.%I', schemaname, tablename) as name from pg_tables"
                " where schemaname = $1 and starts_with(tablename, $2)",
                self._schema,
                generation.prefix.rpartition(".")[2],
            )
            for table in tables:
                await connection.execute(f"drop table if exists {table['name']} cascade")


async def insert(
    conn: Connection, table: str, columns: Sequence[str], rows: Sequence[Sequence[object]]
) -> None:
    """Adds rows to a projection's table (`f"{prefix}name"`): by COPY where they are many."""
    if len(rows) >= _WORTH_COPYING:
        schema, _, name = table.partition(".")
        await conn.copy_records_to_table(name, schema_name=schema, columns=columns, records=rows)
    elif rows:
        places = ", ".join(f"${n}" for n in range(1, len(columns) + 1))
        await conn.executemany(
            f"insert into {table} ({', '.join(columns)}) values ({places})", rows
        )


def _passes(error: Exception) -> bool:
    """Whether the database or a service was merely away."""
    return is_lost(error) or isinstance(error, OperationalError)


class _Retired(Exception):  # noqa: N818 - a generation that is gone is no error
    """The tables were dropped: another generation counts now."""


class _Generation:
    """One set of tables and what keeps it up with the feeds: one task a source."""

    def __init__(
        self,
        pool: Pool,
        schema: str,
        projection: Projection,
        number: int,
        feeds: Mapping[str, Feed],
        on_position: Callable[[str, int], None],
    ) -> None:
        self.number = number
        self.prefix = f"{schema}.{projection.name}__{number}__"
        self.positions = dict.fromkeys(feeds, 0)
        self.failures: dict[str, str] = {}
        self._pool = pool
        self._schema = schema
        self._projection = projection
        self._feeds = feeds
        self._on_position = on_position
        self.stopped = False
        self._tasks: list[asyncio.Task[None]] = []
        self._passing: set[str] = set()  # sources that failed for want of a connection
        self._steps = asyncio.Condition()

    @property
    def running(self) -> bool:
        return bool(self._tasks)

    def start(self) -> None:
        """Starts following; silent where it does already."""
        if not self._tasks:
            self.stopped = False
            self._tasks = [
                asyncio.create_task(self._follow(feed), name=f"{self.prefix}{source}")
                for source, feed in self._feeds.items()
            ]

    async def stop(self) -> None:
        tasks, self._tasks, self.stopped = self._tasks, [], True
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        async with self._steps:
            self._steps.notify_all()  # whoever waits looks which generation counts now

    async def moved(self, source: str, position: int) -> None:
        """Returns once a source is at a position, or this generation stopped."""
        async with self._steps:
            await self._steps.wait_for(lambda: self.positions[source] >= position or self.stopped)

    async def caught_up_with(self, other: "_Generation") -> None:
        """Returns once every source is where the other one has it, or this one stopped."""
        for source in self.positions:
            await self.moved(source, other.positions[source])

    async def _follow(self, feed: Feed) -> None:
        failures = 0
        while True:
            before = self.positions[feed.source]
            try:
                await self._read(feed)
                raise HistoryDiffers(f"the feed of {feed.source} ended")
            except _Retired:
                return
            except Exception as error:
                failures = 0 if self.positions[feed.source] > before else failures
                self.failures[feed.source] = f"{type(error).__name__}: {error}"
                if _passes(error):
                    self._passing.add(feed.source)
                log.exception(
                    "projection %s stopped at position %d of %s",
                    self._projection.name,
                    self.positions[feed.source],
                    feed.source,
                )
            await asyncio.sleep(_PAUSE_SECONDS[min(failures, len(_PAUSE_SECONDS) - 1)])
            failures += 1

    async def _read(self, feed: Feed) -> None:
        """Applies the feed from the checkpoint on, until something fails."""
        position, epoch = await self._checkpoint(self._pool, feed.source)
        await self._reached(feed.source, position)
        if feed.source in self._passing:
            self._passing.discard(feed.source)
            self.failures.pop(feed.source, None)
        # Closed on the way out: a subscription must not outlive its reader.
        batches: Any = feed.batches(position, epoch or None)
        try:
            async for batch in batches:
                await self._apply_carefully(feed.source, batch)
                self.failures.pop(feed.source, None)
        finally:
            await batches.aclose()

    async def _apply_carefully(self, source: str, batch: FeedBatch) -> None:
        """Applies a batch; where that fails, event by event, to name the one that fails."""
        try:
            await self._apply(source, batch)
        except (_Retired, HistoryDiffers):
            raise
        except Exception as error:
            if len(batch.events) < 2 or _passes(error):
                raise
            log.warning("projection %s: a batch failed, going one by one", self._projection.name)
            for event in batch.events:
                await self._apply(source, FeedBatch((event,), event.position, batch.epoch))

    async def _apply(self, source: str, batch: FeedBatch) -> None:
        """The events and the checkpoint, in one transaction."""
        async with self._pool.acquire() as connection, connection.transaction():
            position, epoch = await self._checkpoint(connection, source, lock=True)
            if epoch and batch.epoch and epoch != batch.epoch:
                raise HistoryDiffers(f"{source} is of epoch {batch.epoch}, not {epoch}")
            if position < self.positions[source]:
                raise HistoryDiffers(f"the checkpoint in {source} was set back to {position}")
            # Another copy of this service may have been here first.
            fresh = [event for event in batch.events if event.position > position]
            if fresh:
                await self._projection.apply(connection, fresh, self.prefix)
            position = max(position, batch.position)
            await connection.execute(
                f"update {self._schema}.projection_checkpoints set position = $4, epoch = $5"
                " where name = $1 and generation = $2 and source = $3",
                self._projection.name,
                self.number,
                source,
                position,
                batch.epoch or epoch,
            )
        await self._reached(source, position)

    async def _checkpoint(
        self, connection: "Pool | Connection", source: str, *, lock: bool = False
    ) -> tuple[int, str]:
        row = await connection.fetchrow(
            f"select position, epoch from {self._schema}.projection_checkpoints"
            " where name = $1 and generation = $2 and source = $3" + (" for update" * lock),
            self._projection.name,
            self.number,
            source,
        )
        if row is None:
            raise _Retired
        return row["position"], row["epoch"]

    async def _reached(self, source: str, position: int) -> None:
        async with self._steps:
            self.positions[source] = position
            self._steps.notify_all()
        self._on_position(source, position)
