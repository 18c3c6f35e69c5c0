"""The event store of one service, in a schema of its own in PostgreSQL.

`append` is durable when it returns. Reads go through a pool and outlive a restart of the
database. What the store promises stands in the package's docstring.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from importlib import resources
from time import perf_counter
from uuid import UUID

import asyncpg

from kernel import telemetry
from kernel.clock import Clock
from kernel.eventstore.connections import Connection, Patience, PlainConnection, Pool, is_lost
from kernel.eventstore.envelope import (
    Append,
    Appended,
    Cursor,
    Recorded,
    Repeated,
    unpack_meta,
)
from kernel.eventstore.errors import HistoryDiffers, RequestReused, StoreUnavailable
from kernel.eventstore.pages import PAGE, Pages
from kernel.eventstore.signals import Bell, Ear, wait_for
from kernel.eventstore.writer import Kinds, Writer

PARTITION_SIZE = 16_777_216
LAYOUT = 1
_END = 2**63 - 1
_LAST_VERSION = 2**31 - 1
_COLUMNS = "position, stream, version, kind_id, payload, sealed, key_id, meta, recorded_at, hash"

# Halves the log until one position is left: some twenty looks at the primary key, however long
# the log. Ordering by recorded_at would read all that was recorded before or after.
_POSITION_AT = """
WITH RECURSIVE between (low, high) AS (
  SELECT 0::bigint, last_position FROM {schema}.log
  UNION ALL
  SELECT CASE WHEN event.recorded_at <= $1 THEN event.position ELSE low END,
         CASE WHEN event.recorded_at <= $1 THEN high ELSE event.position - 1 END
  FROM between CROSS JOIN LATERAL (
    SELECT position, recorded_at FROM {schema}.events WHERE position = (low + high + 1) / 2
  ) AS event
  WHERE low < high
)
SELECT low FROM between WHERE low = high
"""

_SESSION = {"application_name": "ltci", "timezone": "UTC"}
_WRITING = {
    **_SESSION,
    # A writer that hangs must neither stop the log nor wait for ever.
    "lock_timeout": "10s",
    "idle_in_transaction_session_timeout": "10s",
    # Its plans are made once, often on empty tables: they must not scan what will grow.
    "enable_seqscan": "off",
    "synchronous_commit": "on",
}
_NOTIFYING = {**_SESSION, "synchronous_commit": "off"}


Clear = tuple[int, str, bytes]  # version, type and clear payload of an event


class EventStore:
    """One service's log: append, read, follow. Make it with `open`."""

    pool: Pool
    schema: str
    clock: Clock  # the one that events are recorded by

    def __init__(self, dsn: str, schema: str, pool: Pool, clock: Clock) -> None:
        self.schema = schema
        self.pool = pool
        self.clock = clock
        self._measured = {"store": schema}
        self._dsn = dsn
        self._kinds = Kinds()
        channel = f"{schema}.log"
        self._pages = Pages(self.read_all)
        self._bell = Bell(self._connect_bell, channel)
        self._ear = Ear(self._connect_ear, channel)
        self._writer = Writer(self._connect_writer, schema, clock, self._kinds, self._bell.ring)

    @classmethod
    async def open(
        cls,
        dsn: str,
        schema: str,
        *,
        clock: Clock,
        pool_size: int = 8,
        partition_size: int = PARTITION_SIZE,
    ) -> "EventStore":
        """The store in this schema; makes what is missing. The database must answer now."""
        if not schema.isidentifier() or schema != schema.lower():
            raise ValueError(f"{schema!r} is no name for a schema")
        pool = await asyncpg.create_pool(
            dsn,
            min_size=1,
            max_size=pool_size,
            connection_class=PlainConnection,
            server_settings=_SESSION,
        )
        await _lay_out(pool, schema, partition_size)
        return cls(dsn, schema, pool, clock)

    async def close(self) -> None:
        """Finishes the appends that wait, then lets go of the database."""
        await self._writer.close()
        await self._bell.close()
        await self._ear.close()
        await self.pool.close()

    # -- writing ---------------------------------------------------------------------------

    async def append(self, append: Append) -> Appended | Repeated:
        """Keeps the append, or tells what its request was told before.

        Refuses with VersionConflict, RequestReused, StoreOverloaded; StoreUnavailable means
        the outcome is unknown, and asking again with the same request id is safe.
        """
        begun = perf_counter()
        outcome = await self._writer.append(append)
        telemetry.APPEND_SECONDS.record(perf_counter() - begun, self._measured)
        return outcome

    async def bulk_append(self, appends: Sequence[Append]) -> list[Appended | Repeated]:
        """Many appends with the guarantees of one each; commits in chunks, see bulk.py."""
        return await self._writer.load(appends)

    async def bulk_outcomes(
        self, appends: Sequence[Append]
    ) -> list[Appended | Repeated | Exception]:
        """The same, but none is held up by another: what is refused is told in its place."""
        return await self._writer.load_each(appends)

    async def find_request(self, request_id: UUID, fingerprint: bytes) -> Repeated | None:
        """What the request was told, if it was obeyed before; RequestReused if it was another."""
        rows = await self._read(
            f"SELECT fingerprint, answer, last_position FROM {self.schema}.requests "
            "WHERE request_id = $1",
            request_id,
        )
        if not rows:
            return None
        if rows[0]["fingerprint"] != fingerprint:
            raise RequestReused(request_id)
        return Repeated(rows[0]["answer"], rows[0]["last_position"])

    async def find_requests(self, ids: Sequence[UUID]) -> dict[UUID, tuple[bytes, Repeated]]:
        """Fingerprints and answers of those of the requests that were obeyed before."""
        rows = await self._read(
            "SELECT request_id, fingerprint, answer, last_position "
            f"FROM {self.schema}.requests WHERE request_id = ANY($1)",
            ids,
        )
        return {row[0]: (row[1], Repeated(row[2], row[3])) for row in rows}

    # -- reading ---------------------------------------------------------------------------

    async def read_stream(
        self,
        stream: UUID,
        *,
        after: int = 0,
        upto: int | None = None,
        upto_position: int | None = None,
    ) -> list[Recorded]:
        """The stream's events after that version, in order; none where there is no stream.

        `upto` is the last version to give, `upto_position` the last position in the log.
        """
        return await self._events(
            "stream = $1 AND version > $2 AND version <= $3 AND position <= $4 ORDER BY version",
            stream,
            after,
            _LAST_VERSION if upto is None else upto,
            _END if upto_position is None else upto_position,
        )

    async def read_streams(
        self,
        streams: Sequence[UUID],
        *,
        upto_position: int | None = None,
        without: Sequence[str] = (),
    ) -> dict[UUID, list[Recorded]]:
        """Streams by their ids, whole or up to a position; those that do not exist are empty.

        Events of the types in `without` are left out: those that are large and not asked for.
        """
        found: dict[UUID, list[Recorded]] = {stream: [] for stream in streams}
        where = "stream = ANY($1) AND position <= $2"
        arguments = [list(found), _END if upto_position is None else upto_position]
        if without:
            where += (
                f" AND kind_id NOT IN (SELECT id FROM {self.schema}.kinds WHERE type = ANY($3))"
            )
            arguments.append(list(without))
        for event in await self._events(f"{where} ORDER BY stream, version", *arguments):
            found[event.stream].append(event)
        return found

    async def read_clear(
        self, streams: Sequence[UUID], *, without: Sequence[str] = ()
    ) -> dict[UUID, list[Clear]]:
        """Of streams only what their states are folded from: for thousands of them at once.

        Streams that do not exist have no entry. Only for streams without personal data.
        """
        rows = await self._read(
            f"SELECT stream, version, kind_id, payload FROM {self.schema}.events "
            "WHERE stream = ANY($1) AND kind_id NOT IN "
            f"(SELECT id FROM {self.schema}.kinds WHERE type = ANY($2)) ORDER BY stream, version",
            streams,
            without,
        )
        names = self._kinds.names
        if any(row[2] not in names for row in rows):
            await self._learn_kinds()
        found: dict[UUID, list[Clear]] = {}
        for stream, version, kind, payload in rows:
            found.setdefault(stream, []).append((version, names[kind][0], payload))
        return found

    async def read_all(
        self,
        after: int = 0,
        *,
        limit: int = PAGE,
        types: Sequence[str] = (),
        upto: int | None = None,
    ) -> list[Recorded]:
        """The log after a position, in order, up to and with `upto`; of these types only."""
        bounds = (after, _END if upto is None else upto, limit)
        if not types:
            return await self._events(
                "position > $1 AND position <= $2 ORDER BY position LIMIT $3", *bounds
            )
        return await self._events(
            "position > $1 AND position <= $2 AND kind_id IN "
            f"(SELECT id FROM {self.schema}.kinds WHERE type = ANY($4)) "
            "ORDER BY position LIMIT $3",
            *bounds,
            list(types),
        )

    async def read_positions(self, positions: Sequence[int]) -> list[Recorded]:
        """The events at these positions, in the log's order."""
        return await self._events("position = ANY($1) ORDER BY position", list(positions))

    async def head(self) -> Cursor:
        """Where the log ends now."""
        rows = await self._read(
            f"SELECT epoch, last_position, hash FROM {self.schema}.log "
            f"LEFT JOIN {self.schema}.events ON position = last_position"
        )
        return Cursor(rows[0]["epoch"], rows[0]["last_position"], rows[0]["hash"] or b"")

    async def position_at(self, instant: datetime) -> int:
        """The last position recorded at or before a business instant; 0 where there is none.

        Positions and recorded moments rise together, so this one number says what was known.
        """
        rows = await self._read(_POSITION_AT.replace("{schema}", self.schema), instant)
        position: int = rows[0][0]
        return position

    async def subscribe(
        self, after: int, *, epoch: UUID | None = None
    ) -> AsyncIterator[Sequence[Recorded]]:
        """The log after a position, in batches of 500 at most, and on as it grows, for ever.

        Raises HistoryDiffers where this is not the history the position is from.
        """
        with self.listening() as news:
            epoch = await self._same_history(after, epoch)
            while True:
                batch = await self._pages.after(after)
                if batch:
                    ends_page = batch[-1].position % PAGE == 0
                    after = batch[-1].position
                    yield batch
                    if ends_page:
                        continue
                if not await wait_for(news):
                    await self._same_history(after, epoch)

    def listening(self) -> AbstractContextManager[asyncio.Event]:
        """An event that is set whenever the log may have grown."""
        return self._ear.listening()

    # -- rule packs ------------------------------------------------------------------------

    async def put_pack(self, hash: str, pool: str, content: bytes) -> None:  # noqa: A002
        """Keeps a rule pack under its hash; what is there stays."""
        await self._read(
            f"INSERT INTO {self.schema}.packs (hash, pool, content) VALUES ($1, $2, $3) "
            "ON CONFLICT DO NOTHING",
            hash,
            pool,
            content,
        )

    async def get_pack(self, hash: str) -> tuple[str, bytes] | None:  # noqa: A002
        """The rule pack of that hash: its pool and its content."""
        rows = await self._read(
            f"SELECT pool, content FROM {self.schema}.packs WHERE hash = $1", hash
        )
        return (rows[0]["pool"], rows[0]["content"]) if rows else None

    # -- inside ----------------------------------------------------------------------------

    async def _same_history(self, after: int, epoch: UUID | None) -> UUID:
        self._pages.forget()
        [log] = await self._read(f"SELECT epoch, last_position FROM {self.schema}.log")
        found: UUID = log["epoch"]
        if epoch not in {None, found} or after > log["last_position"]:
            raise HistoryDiffers(
                f"the cursor is at {after} of {epoch}, the log at {log['last_position']} of {found}"
            )
        return found

    async def _events(self, where: str, *arguments: object) -> list[Recorded]:
        rows = await self._read(
            f"SELECT {_COLUMNS} FROM {self.schema}.events WHERE {where}", *arguments
        )
        names = self._kinds.names
        if any(row[3] not in names for row in rows):
            await self._learn_kinds()
        return [_recorded(row, *names[row[3]]) for row in rows]

    async def _learn_kinds(self) -> None:
        self._kinds.learn(
            await self._read(f"SELECT id, type, category, pool FROM {self.schema}.kinds")
        )

    async def _read(self, query: str, *arguments: object) -> list[asyncpg.Record]:
        """Runs what may be run twice, again and again while the database is away."""
        patience = Patience()
        while True:
            try:
                return await self.pool.fetch(query, *arguments)
            except Exception as error:
                if not is_lost(error) or self.pool.is_closing():
                    raise
                if not await patience.wait():
                    raise StoreUnavailable(f"the database is gone: {error}") from error

    async def _connect_writer(self) -> Connection:
        return await asyncpg.connect(self._dsn, server_settings=_WRITING, command_timeout=15)

    async def _connect_bell(self) -> Connection:
        return await asyncpg.connect(self._dsn, server_settings=_NOTIFYING, command_timeout=15)

    async def _connect_ear(self) -> Connection:
        return await asyncpg.connect(self._dsn, server_settings=_SESSION)


async def _lay_out(pool: Pool, schema: str, partition_size: int) -> None:
    """Makes the schema where it is missing; of several processes one does it."""
    source = resources.files("kernel.eventstore").joinpath("schema.sql")
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 1))", schema)
        if await connection.fetchval("SELECT to_regclass($1)", f"{schema}.log") is not None:
            layout = await connection.fetchval(f"SELECT layout FROM {schema}.log")
            if layout != LAYOUT:
                raise StoreUnavailable(f"layout {layout} of {schema} is not known to this code")
            return
        await connection.execute(source.read_text().replace("{schema}", schema))
        await connection.execute(
            f"INSERT INTO {schema}.log (layout, partition_size) VALUES ($1, $2)",
            LAYOUT,
            partition_size,
        )
        await connection.execute(f"SELECT {schema}.extend(1)")


def _recorded(row: asyncpg.Record, event_type: str, category: str, pool: str) -> Recorded:
    position, stream, version, _, payload, sealed, key_id, meta, recorded_at, chain = row
    return Recorded(
        position,
        stream,
        version,
        category,
        pool,
        event_type,
        payload,
        sealed,
        key_id,
        unpack_meta(meta),
        recorded_at,
        chain,
    )
