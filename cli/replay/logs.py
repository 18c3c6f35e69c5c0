"""The services' logs as a replay reads them: from the event store itself, or over the feed.

Reading can change nothing: the store is read in sessions that refuse to write, and a feed has
no method that does. Only the store shows the sealed parts and so the whole hash chain; over a
feed the order, the gaps and the versions are what can be checked.
"""

import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import asyncpg
import grpc
from ltci.events.v1 import feed_pb2, feed_pb2_grpc

from kernel.clock import SHANGHAI
from kernel.config import Settings
from kernel.eventstore.envelope import NewEvent, link, microseconds, pack_kind
from kernel.replay import RawFact
from kernel.rpc.channel import connect
from kernel.rpc.errors import explain

SERVICES = ("enrollment", "assessment", "provider", "payment")
PAGE = 1_000  # most positions that one call of the feed answers

Feeds = dict[str, Any]  # EventFeedServiceStub by service


@dataclass(slots=True)  # not frozen: millions are made
class Entry:
    """An event as a replay needs it."""

    fact: RawFact
    stream: str
    version: int
    pool: str
    hash: bytes
    fault: tuple[str, str, str] | None = None  # what, recorded, found: it is not as recorded

    @property
    def position(self) -> int:
        return self.fact.position

    @property
    def type(self) -> str:
        return self.fact.type


@dataclass(frozen=True, slots=True)
class Head:
    """Where a log ends, and which log it is."""

    epoch: str
    position: int


@dataclass(frozen=True, slots=True)
class PackBytes:
    """A kept pack's content; without one, what is wrong and what was found instead."""

    content: bytes | None
    wrong: str = ""
    found: str = ""


class Log(Protocol):
    """One service's log, to read only."""

    service: str

    async def head(self) -> Head: ...
    async def between(self, after: int, upto: int) -> list[Entry]:
        """The events after a position up to and with another, at most PAGE, in order."""

    async def at(self, positions: Sequence[int]) -> list[Entry]:
        """The events at these positions, in order, those that are there."""

    async def streams(self, streams: Sequence[str]) -> dict[str, list[Entry]]:
        """Whole streams, each in its order."""

    def of_types(self, types: Sequence[str]) -> AsyncIterator[Entry]:
        """Every event of these types, in order."""

    async def pack(self, digest: str) -> PackBytes: ...


Logs = Mapping[str, Log]


@asynccontextmanager
async def open_logs(settings: Settings) -> AsyncIterator[Logs]:
    """The four logs: from the database where its address is at hand, else over the feeds."""
    async with AsyncExitStack() as stack:
        if "LTCI_DATABASE_URL" in settings.variables:
            pool = await asyncpg.create_pool(
                settings.database_url,
                min_size=1,
                max_size=4,
                server_settings={
                    "application_name": "ltci replay",
                    "timezone": "UTC",
                    "default_transaction_read_only": "on",
                },
            )
            await stack.enter_async_context(pool)
            yield {service: StoreLog(service, pool) for service in SERVICES}
            return
        feeds: Feeds = {}
        for service, address in settings.service_addresses.items():
            channel = await stack.enter_async_context(connect(address))
            feeds[service] = feed_pb2_grpc.EventFeedServiceStub(channel)
        yield logs_of(feeds)


def logs_of(feeds: Feeds) -> Logs:
    """The logs as their feeds show them."""
    return {service: FeedLog(service, feed) for service, feed in feeds.items()}


def checked(digest: str, content: bytes) -> PackBytes:
    """The content, if it is what its name says."""
    found = hashlib.sha256(content).hexdigest()
    return PackBytes(content) if found == digest else PackBytes(None, "PACK_DIFFERS", found)


# --- Over the feed ----------------------------------------------------------------------------


class FeedLog:
    """A log over gRPC."""

    def __init__(self, service: str, feed: Any) -> None:
        self.service = service
        self._feed = feed

    async def head(self) -> Head:
        head = await self._feed.GetHead(feed_pb2.GetHeadRequest())
        return Head(head.epoch, head.position)

    async def between(self, after: int, upto: int) -> list[Entry]:
        return await self.at(range(after + 1, upto + 1))

    async def at(self, positions: Sequence[int]) -> list[Entry]:
        found: list[Entry] = []
        for begin in range(0, len(positions), PAGE):
            request = feed_pb2.ReadEventsRequest(positions=positions[begin : begin + PAGE])
            answer = await self._feed.ReadEvents(request)
            found += [self._entry(event) for event in answer.events]
        return found

    async def streams(self, streams: Sequence[str]) -> dict[str, list[Entry]]:
        found: dict[str, list[Entry]] = {}
        for stream in streams:
            answer = await self._feed.ReadEvents(feed_pb2.ReadEventsRequest(stream=stream))
            found[stream] = [self._entry(event) for event in answer.events]
        return found

    async def of_types(self, types: Sequence[str]) -> AsyncIterator[Entry]:
        request = feed_pb2.SubscribeEventsRequest(until_head=True, types=types)
        async for batch in self._feed.SubscribeEvents(request):
            for event in batch.events:
                yield self._entry(event)

    async def pack(self, digest: str) -> PackBytes:
        try:
            answer = await self._feed.GetPack(feed_pb2.GetPackRequest(hash=digest))
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.NOT_FOUND:
                raise
            return PackBytes(None, "PACK_MISSING", explain(error).reason)
        return checked(digest, answer.content)

    def _entry(self, event: feed_pb2.RecordedEvent) -> Entry:
        fact = raw_fact(self.service, event)
        return Entry(fact, event.stream, event.version, event.pool, event.hash)


def raw_fact(service: str, event: feed_pb2.RecordedEvent) -> RawFact:
    """An event of a feed as a fact."""
    return RawFact(
        service,
        event.position,
        event.type,
        event.payload,
        event.recorded_time.ToDatetime(tzinfo=SHANGHAI),
    )


async def case_events(feed: Any, person: str) -> AsyncIterator[feed_pb2.RecordedEvent]:
    """A service's events about one person, in order."""
    token = ""
    while True:
        request = feed_pb2.ListCaseEventsRequest(person=person, page_size=PAGE, page_token=token)
        answer = await feed.ListCaseEvents(request)
        for event in answer.events:
            yield event
        token = answer.next_page_token
        if not token:
            return


# --- From the event store ---------------------------------------------------------------------

_COLUMNS = "position, stream, version, kind_id, payload, sealed, key_id, meta, recorded_at, hash"


class StoreLog:
    """A log in its database, in sessions that cannot write. It checks each event's hash."""

    def __init__(self, service: str, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        self.service = service
        self._pool = pool
        self._kinds: dict[int, tuple[str, str, bytes]] = {}  # type, pool, as it enters the hash

    async def head(self) -> Head:
        row = await self._pool.fetchrow(f"select epoch, last_position from {self.service}.log")
        assert row is not None  # noqa: S101 - a log has this one row
        return Head(str(row["epoch"]), row["last_position"])

    async def between(self, after: int, upto: int) -> list[Entry]:
        rows = await self._rows("position > $1 and position <= $2 order by position", after, upto)
        return await self._chained(rows)

    async def at(self, positions: Sequence[int]) -> list[Entry]:
        wanted = list(positions)
        rows = await self._rows("position = any($1) order by position", wanted)
        return [self._entry(row) for row in rows]

    async def streams(self, streams: Sequence[str]) -> dict[str, list[Entry]]:
        found: dict[str, list[Entry]] = {stream: [] for stream in streams}
        for row in await self._rows("stream = any($1) order by stream, version", list(streams)):
            found[str(row["stream"])].append(self._entry(row))
        return found

    async def of_types(self, types: Sequence[str]) -> AsyncIterator[Entry]:
        after = 0
        while True:
            rows = await self._rows(
                f"position > $1 and kind_id in (select id from {self.service}.kinds"
                f" where type = any($2)) order by position limit {PAGE}",
                after,
                list(types),
            )
            for row in rows:
                yield self._entry(row)
            if len(rows) < PAGE:
                return
            after = rows[-1]["position"]

    async def pack(self, digest: str) -> PackBytes:
        content = await self._pool.fetchval(
            f"select content from {self.service}.packs where hash = $1", digest
        )
        if content is None:
            return PackBytes(None, "PACK_MISSING", "PACK_UNKNOWN")
        return checked(digest, content)

    async def _rows(self, where: str, *arguments: object) -> list[asyncpg.Record]:
        rows = await self._pool.fetch(
            f"select {_COLUMNS} from {self.service}.events where {where}", *arguments
        )
        if any(row[3] not in self._kinds for row in rows):
            for kind in await self._pool.fetch(
                f"select id, type, category, pool from {self.service}.kinds"
            ):
                told = pack_kind(kind["type"], kind["category"], kind["pool"])
                self._kinds[kind["id"]] = (kind["type"], kind["pool"], told)
        return rows

    def _entry(self, row: asyncpg.Record, fault: tuple[str, str, str] | None = None) -> Entry:
        position, stream, version, kind_id, payload, _, _, _, recorded_at, chain = row
        event_type, pool, _ = self._kinds[kind_id]
        fact = RawFact(self.service, position, event_type, payload, recorded_at)
        return Entry(fact, str(stream), version, pool, chain, fault)

    async def _chained(self, rows: Sequence[asyncpg.Record]) -> list[Entry]:
        """The events, each held against its predecessor in its stream (hash chain, 哈希链)."""
        before = {(row[1], row[2]): (row[0], row[9]) for row in rows}
        missing = [
            (row[1], row[2] - 1)
            for row in rows
            if row[2] > 1 and (row[1], row[2] - 1) not in before
        ]
        if missing:
            for row in await self._pool.fetch(
                "select e.stream, e.version, e.position, e.hash"
                " from unnest($1::uuid[], $2::int[]) as w (stream, version)"
                f" join {self.service}.events e using (stream, version)",
                [stream for stream, _ in missing],
                [version for _, version in missing],
            ):
                before[row[0], row[1]] = (row[2], row[3])
        return [self._entry(row, self._fault(row, before)) for row in rows]

    def _fault(
        self, row: asyncpg.Record, before: Mapping[tuple[object, int], tuple[int, bytes]]
    ) -> tuple[str, str, str] | None:
        position, stream, version, kind_id, payload, sealed, key_id, meta, recorded_at, chain = row
        at, previous = before.get((stream, version - 1), (0, b""))
        if version > 1 and not at:
            return "EVENT_MISSING", f"version {version - 1} of stream {stream}", "nothing"
        if at >= position:
            return "ORDER_DIFFERS", f"version {version - 1} before", f"at position {at}"
        event_type, _, kind = self._kinds[kind_id]
        event = NewEvent(event_type, payload, sealed, key_id)
        expected = link(
            previous, stream.bytes, version, kind, event, meta, microseconds(recorded_at)
        )
        return None if expected == chain else ("CHAIN_BROKEN", chain.hex(), expected.hex())
