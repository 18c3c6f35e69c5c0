"""The one who writes: all appends of a process, gathered into as few commits as possible.

What arrives while a commit is on its way goes into the next one, so an idle store answers at
once and a busy one shares the price of a durable commit among hundreds of appends.

Normally one process writes a log. It knows the heads of its streams, judges a batch in memory
and sends rows and the position it expects in one statement. Where another process was faster,
the same batch is judged again with the log locked, from what the database says.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from uuid import UUID

import asyncpg

from kernel import telemetry
from kernel.clock import Clock
from kernel.eventstore.bulk import chunks, copy_rows
from kernel.eventstore.connections import Connection, Patience, is_lost
from kernel.eventstore.draft import (
    Draft,
    Head,
    Kind,
    RequestRow,
    UnknownKind,
    Verdict,
    repeated,
)
from kernel.eventstore.envelope import Append, Appended, Repeated, pack_kind
from kernel.eventstore.errors import StoreOverloaded, StoreUnavailable, VersionConflict

BATCH_EVENTS = 500
BATCH_BYTES = 256 * 1024
WAITING_APPENDS = 4096  # more than that wait: StoreOverloaded
KNOWN_HEADS = 100_000
ROOM = 100_000  # positions that must have a partition ahead of the log's end

WriteRows = Callable[[Connection, Draft, Sequence[UUID]], Awaitable[str]]


class Pending:
    """An append on its way; without a future it is one of a chunk that is waited for as a whole."""

    __slots__ = ("append", "caller", "count", "future", "sent", "size", "verdict")

    def __init__(
        self,
        append: Append,
        future: asyncio.Future[Appended | Repeated] | None = None,
        caller: str = "",
    ) -> None:
        self.append = append
        self.future = future
        self.caller = caller  # whose span the commit is part of, where spans are collected
        self.count = sum([len(part.events) for part in append.streams])
        self.size = 0 if future is None else _bytes_of(append)
        self.verdict: Verdict | None = None
        # What was last sent for it, to know it again after a lost connection.
        self.sent: tuple[Appended, datetime] | None = None

    @property
    def settled(self) -> bool:
        """Whether it has its answer, or nobody waits for one any more."""
        return self.verdict is not None if self.future is None else self.future.done()

    def resolve(self, verdict: Verdict) -> None:
        if self.settled:  # its caller has gone; what was kept stays kept
            return
        if self.future is None:
            self.verdict = verdict
            return
        if isinstance(verdict, Exception):
            self.future.set_exception(verdict)
        else:
            self.future.set_result(verdict)


class Chunk:
    """Appends of an import that go into one commit, each with an outcome of its own."""

    __slots__ = ("finished", "pending")

    def __init__(self, pending: list[Pending], finished: asyncio.Future[None]) -> None:
        self.pending = pending
        self.finished = finished


Told = tuple[Pending, Verdict]


def _bytes_of(append: Append) -> int:
    return sum([len(event.payload) for part in append.streams for event in part.events])


def _caller() -> str:
    return telemetry.current_traceparent() if telemetry.exporting() else ""


def _span_of(batch: Iterable[Pending]) -> AbstractContextManager[object]:
    """The commit's span: under the first caller's, linked to those of the others."""
    callers = list(dict.fromkeys(pending.caller for pending in batch if pending.caller))
    if not callers:
        return nullcontext()
    return telemetry.detail("commit", parent_traceparent=callers[0], links=callers[1:])


class Kinds:
    """The numbers of (type, category, pool), as far as this process has met them."""

    def __init__(self) -> None:
        self.numbers: dict[Kind, tuple[int, bytes]] = {}
        self.names: dict[int, Kind] = {}

    def learn(self, rows: Iterable[asyncpg.Record]) -> None:
        for number, *names in rows:
            kind = (names[0], names[1], names[2])
            self.numbers[kind] = (number, pack_kind(*kind))
            self.names[number] = kind


class _Log:
    """The log's end as this writer left it, and where its last partition ends."""

    __slots__ = ("partition_end", "position", "recorded_at", "room")

    def __init__(self, row: asyncpg.Record) -> None:
        self.position: int = row["last_position"]
        self.recorded_at: datetime = row["last_recorded_at"]
        self.partition_end: int = row["partition_end"]
        self.room = min(ROOM, row["partition_size"] // 2)


class Writer:
    """Owns the writing connection. `append` waits for the commit that holds the append."""

    def __init__(
        self,
        connect: Callable[[], Awaitable[Connection]],
        schema: str,
        clock: Clock,
        kinds: Kinds,
        committed: Callable[[], None],
    ) -> None:
        self._connect = connect
        self._schema = schema
        self._clock = clock
        self._kinds = kinds
        self._committed = committed
        self._queue: deque[Pending] = deque()
        self._imports: deque[Chunk] = deque()
        self._wake = asyncio.Event()
        self._closing = False
        self._connection: Connection | None = None
        self._log: _Log | None = None  # None: only the database knows
        self._contended = False  # whether another process wrote since our last commit
        self._heads: OrderedDict[UUID, Head] = OrderedDict()
        self._kinds_missing: list[Kind] = []
        self._now = asyncio.get_running_loop().time
        self._import_after = 0.0
        self._task = asyncio.create_task(self._run(), name=f"writer of {schema}")

    async def append(self, append: Append) -> Appended | Repeated:
        """Returns when the append is durable. Once sent it is kept even if the caller goes."""
        if len(self._queue) >= WAITING_APPENDS:
            raise StoreOverloaded(f"{WAITING_APPENDS} appends wait already")
        self._refuse_when_closed()
        future: asyncio.Future[Appended | Repeated] = asyncio.get_running_loop().create_future()
        self._queue.append(Pending(append, future, _caller()))
        self._wake.set()
        return await future

    async def load(self, appends: Sequence[Append]) -> list[Appended | Repeated]:
        """An import, one commit a chunk; appends of people at their desks pass between.

        Stops after the chunk in which an append was refused and raises that refusal; the same
        appends, given again, go on from there.
        """
        answers: list[Appended | Repeated] = []
        for chunk in chunks(appends):
            for answer in await self._keep_chunk(chunk):
                if isinstance(answer, Exception):
                    raise answer
                answers.append(answer)
        return answers

    async def load_each(self, appends: Sequence[Append]) -> list[Verdict]:
        """The same import, in which a refused append holds up no other: the outcome of each."""
        return [v for chunk in chunks(appends) for v in await self._keep_chunk(chunk)]

    async def _keep_chunk(self, appends: Sequence[Append]) -> list[Verdict]:
        self._refuse_when_closed()
        finished: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        chunk = Chunk([Pending(append) for append in appends], finished)
        chunk.pending[0].caller = _caller()
        self._imports.append(chunk)
        self._wake.set()
        await finished
        return [p.verdict for p in chunk.pending if p.verdict is not None]

    async def close(self) -> None:
        """Finishes what waits, then ends."""
        self._closing = True
        self._wake.set()
        await self._task
        await self._disconnect()

    def _refuse_when_closed(self) -> None:
        if self._closing:
            raise StoreUnavailable("the store is closed")

    # -- taking turns ----------------------------------------------------------------------

    async def _run(self) -> None:
        while True:
            if self._imports and (self._closing or self._now() >= self._import_after):
                await self._import(self._imports.popleft())
            elif batch := self._take():
                await self._surely(batch, self._commit)
            elif self._closing and not self._imports:
                return
            else:
                await self._rest()
                continue
            # Callers that just got their answer often bring the next append: let them.
            await asyncio.sleep(0)

    async def _rest(self) -> None:
        """Until something is to do."""
        self._wake.clear()
        pause = self._import_after - self._now() if self._imports else None
        try:
            async with asyncio.timeout(pause):
                await self._wake.wait()
        except TimeoutError:
            return

    def _take(self) -> list[Pending]:
        """The next batch: what waits, up to a size, without those whose callers gave up."""
        batch: list[Pending] = []
        events = size = 0
        queue = self._queue
        while queue and events < BATCH_EVENTS and size < BATCH_BYTES:
            pending = queue.popleft()
            if not pending.settled:
                batch.append(pending)
                events += max(1, pending.count)
                size += pending.size
        return batch

    async def _import(self, chunk: Chunk) -> None:
        began = self._now()
        await self._surely(chunk.pending, self._commit_import)
        if not chunk.finished.done():
            chunk.finished.set_result(None)
        if self._queue:
            # Others are at work: leave them twice the time this chunk has held the log.
            self._import_after = self._now() + 2 * (self._now() - began)

    async def _surely(
        self, batch: list[Pending], commit: Callable[[list[Pending]], Awaitable[None]]
    ) -> None:
        """Commits through lost connections: the request ids keep a resent append from doubling."""
        patience = Patience()
        while batch:
            try:
                with _span_of(batch):
                    await commit(batch)
            except UnknownKind as unknown:
                self._kinds_missing.append(unknown.kind)
                self._log = None  # what the broken off transaction did to it is undone
            except Exception as error:  # noqa: BLE001 - each append gets its own answer
                await self._disconnect()
                if is_lost(error):
                    if not await patience.wait():
                        self._fail(batch, StoreUnavailable(f"the database is gone: {error}"))
                elif len(batch) == 1:
                    self._fail(batch, error)
                else:
                    # One of them cannot be stored; alone each finds its own fate.
                    for pending in batch:
                        await self._surely([pending], commit)
            else:
                self._committed()
            batch = [p for p in batch if not p.settled]

    def _fail(self, batch: Iterable[Pending], error: Exception) -> None:
        for pending in batch:
            pending.resolve(error)

    # -- committing ------------------------------------------------------------------------

    async def _commit(self, batch: list[Pending]) -> None:
        connection = await self._connected()
        if self._log is not None and not self._contended:
            batch = await self._commit_at_once(connection, self._log, batch)
        if batch:
            await self._commit_locked(connection, batch, self._insert)

    async def _commit_import(self, chunk: list[Pending]) -> None:
        connection = await self._connected()

        async def copy(connection: Connection, draft: Draft, _new: Sequence[UUID]) -> str:
            return await copy_rows(connection, self._schema, draft)

        await self._commit_locked(connection, chunk, copy)

    async def _commit_at_once(
        self, connection: Connection, log: _Log, batch: list[Pending]
    ) -> list[Pending]:
        """Judges from memory and writes in one round trip; returns those it was not sure of."""
        new_streams = await self._meet(connection, batch)
        await self._make_room(connection, log, batch)
        draft, verdicts, conflicts = self._judge(log, batch, {})
        if not draft.requests:
            return batch
        try:
            status = await self._insert(connection, draft, new_streams)
        except asyncpg.UniqueViolationError:
            return batch  # a request, or a stream, that is known after all
        if status != "kept":
            self._contended = status == "stale"
            return batch
        self._keep(log, draft)
        for pending, verdict in verdicts:
            pending.resolve(verdict)
        return [pending for pending, _ in conflicts]

    async def _commit_locked(
        self, connection: Connection, batch: list[Pending], write: WriteRows
    ) -> None:
        """Judges and writes with the log locked, from what the database says."""
        async with connection.transaction():
            row = await connection.fetchrow(f"SELECT * FROM {self._schema}.lock_log()")
            log = self._see(row)
            known = await self._known_requests(connection, batch)
            await self._fetch_heads(
                connection, {part.stream for p in batch for part in p.append.streams}
            )
            await self._make_room(connection, log, batch)
            draft, verdicts, conflicts = self._judge(log, batch, known)
            if draft.requests:
                await write(connection, draft, ())
        self._keep(log, draft)
        for pending, verdict in (*verdicts, *conflicts):
            pending.resolve(verdict)

    def _see(self, row: asyncpg.Record | None) -> _Log:
        """Where the log is now, and whether someone else has moved it."""
        if row is None:
            raise StoreUnavailable("the log has lost its one row")
        log, before = _Log(row), self._log
        self._contended = before is not None and before.position != log.position
        if before is None or self._contended:
            self._heads.clear()
        self._log = log
        return log

    def _judge(
        self, log: _Log, batch: list[Pending], known: dict[UUID, RequestRow]
    ) -> tuple[Draft, list[Told], list[Told]]:
        """The draft, what each append is told once it is kept, and those refused by version.

        A refused version is told only with the log locked: the request may be a repeated one.
        """
        instant = max(self._clock.now(), log.recorded_at)
        draft = Draft(log.position, instant, self._heads, self._kinds.numbers)
        verdicts: list[Told] = []
        conflicts: list[Told] = []
        for pending in batch:
            verdict = self._judge_one(draft, pending, known)
            told = conflicts if isinstance(verdict, VersionConflict) else verdicts
            told.append((pending, verdict))
        return draft, verdicts, conflicts

    def _judge_one(self, draft: Draft, pending: Pending, known: dict[UUID, RequestRow]) -> Verdict:
        earlier = known.get(pending.append.request_id)
        if earlier is None:
            verdict = draft.judge(pending.append)
            if isinstance(verdict, Appended):
                pending.sent = (verdict, draft.recorded_at)
            return verdict
        _, _, _, first, last, recorded_at = earlier
        if pending.sent == (Appended(first, last), recorded_at):
            return pending.sent[0]  # our own commit, whose answer was lost on the way
        return repeated(pending.append, earlier)

    def _keep(self, log: _Log, draft: Draft) -> None:
        """The draft is durable: the log's end and the heads move."""
        if not draft.requests:
            return
        log.position, log.recorded_at = draft.position, draft.recorded_at
        heads = self._heads
        for stream, head in draft.heads.items():
            heads[stream] = head
            heads.move_to_end(stream)
        while len(heads) > KNOWN_HEADS:
            heads.popitem(last=False)  # the one not used for longest

    # -- statements ------------------------------------------------------------------------

    async def _insert(
        self, connection: Connection, draft: Draft, new_streams: Sequence[UUID]
    ) -> str:
        events = list(zip(*draft.events, strict=True)) or [()] * 10
        _, _, streams, versions, kinds, payloads, sealed, keys, metas, hashes = events
        ids, fingerprints, answers, firsts, lasts, _ = zip(*draft.requests, strict=True)
        status: str = await connection.fetchval(
            f"SELECT {self._schema}.append($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, "
            "$12, $13, $14, $15, $16)",
            draft.start,
            draft.recorded_at,
            new_streams,
            streams,
            versions,
            kinds,
            payloads,
            sealed,
            keys,
            metas,
            hashes,
            ids,
            fingerprints,
            answers,
            firsts,
            lasts,
        )
        return status

    async def _meet(self, connection: Connection, batch: list[Pending]) -> list[UUID]:
        """Learns the heads it does not know; returns the streams it takes for new ones.

        That these are new is checked by the commit itself, which saves a round trip.
        """
        heads = self._heads
        new: dict[UUID, None] = {}
        unknown: set[UUID] = set()
        for pending in batch:
            for part in pending.append.streams:
                stream = part.stream
                if stream in heads or stream in new:
                    continue
                if part.expected_version == 0:
                    new[stream] = None
                else:
                    unknown.add(stream)
        if unknown:
            await self._fetch_heads(connection, unknown)
        return [stream for stream in new if stream not in unknown]

    async def _fetch_heads(self, connection: Connection, streams: Iterable[UUID]) -> None:
        rows = await connection.fetch(
            "SELECT wanted.stream, head.version, head.hash FROM unnest($1::uuid[]) AS wanted "
            f"(stream) CROSS JOIN LATERAL (SELECT version, hash FROM {self._schema}.events "
            "WHERE events.stream = wanted.stream ORDER BY version DESC LIMIT 1) AS head",
            list(streams),
        )
        for stream, version, chain in rows:
            self._heads[stream] = (version, chain)

    async def _known_requests(
        self, connection: Connection, batch: list[Pending]
    ) -> dict[UUID, RequestRow]:
        rows = await connection.fetch(
            "SELECT request_id, fingerprint, answer, first_position, last_position, recorded_at "
            f"FROM {self._schema}.requests WHERE request_id = ANY($1)",
            [pending.append.request_id for pending in batch],
        )
        return {row[0]: (row[0], row[1], row[2], row[3], row[4], row[5]) for row in rows}

    async def _number(self, connection: Connection, kind: Kind) -> None:
        """Gives a kind its number. Rare: a service has some dozens of them."""
        table = f"{self._schema}.kinds"
        await connection.execute(
            f"INSERT INTO {table} (type, category, pool) VALUES ($1, $2, $3) "
            "ON CONFLICT DO NOTHING",
            *kind,
        )
        self._kinds.learn(
            await connection.fetch(
                f"SELECT id, type, category, pool FROM {table} "
                "WHERE (type, category, pool) = ($1, $2, $3)",
                *kind,
            )
        )

    async def _make_room(self, connection: Connection, log: _Log, batch: list[Pending]) -> None:
        """Partitions for the batch and some more, made before they are needed."""
        count = sum(pending.count for pending in batch)
        if log.position + count + log.room >= log.partition_end:
            log.partition_end = await connection.fetchval(
                f"SELECT {self._schema}.extend($1)", log.position + count + log.room
            )

    # -- the connection --------------------------------------------------------------------

    async def _connected(self) -> Connection:
        if self._connection is None or self._connection.is_closed():
            await self._disconnect()
            self._connection = await self._connect()
        while self._kinds_missing:
            await self._number(self._connection, self._kinds_missing.pop())
        return self._connection

    async def _disconnect(self) -> None:
        """Forgets all: who wrote meanwhile, and what became of our commit, the log knows."""
        connection, self._connection = self._connection, None
        self._log = None
        self._heads.clear()
        if connection is not None:
            connection.terminate()
