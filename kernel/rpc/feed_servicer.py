"""Offers a service's events to every reader in one order: the wire side of the event store.

Readers get the clear part of an event. The sealed part never leaves the service.
"""

from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

import grpc
from ltci.events.v1 import feed_pb2, feed_pb2_grpc

from kernel.clock import Clock
from kernel.eventstore.envelope import Cursor, Recorded
from kernel.eventstore.errors import HistoryDiffers
from kernel.refusal import NotFound
from kernel.rpc.around import Context
from kernel.rpc.paging import page_of
from kernel.rpc.two_times import as_of, known_at
from kernel.rpc.validate import Check

LARGEST_BATCH = 500
LARGEST_BATCH_BYTES = 1024 * 1024  # far below what readers accept in one message
MOST_POSITIONS = 1000


class FeedStore(Protocol):
    """What the feed needs of an event store."""

    @property
    def clock(self) -> Clock: ...
    async def read_stream(self, stream: UUID, *, after: int = 0) -> list[Recorded]: ...
    async def read_all(
        self,
        after: int = 0,
        *,
        limit: int = LARGEST_BATCH,
        types: Sequence[str] = (),
        upto: int | None = None,
    ) -> list[Recorded]: ...
    async def read_positions(self, positions: Sequence[int]) -> list[Recorded]: ...
    async def head(self) -> Cursor: ...
    async def position_at(self, instant: datetime) -> int: ...
    def subscribe(
        self, after: int, *, epoch: UUID | None = None
    ) -> AsyncIterator[Sequence[Recorded]]: ...
    async def get_pack(self, hash: str) -> tuple[str, bytes] | None: ...  # noqa: A002 - its name


class CaseFinder(Protocol):
    """Knows which events are about a person: each service's own projection does."""

    async def __call__(
        self,
        person: UUID,
        *,
        after: int,
        limit: int,
        upto: int | None = None,
        as_of: date | None = None,
    ) -> Sequence[int]:
        """At most `limit` positions above `after`, in order, up to and with `upto`.

        `as_of` leaves out events about later days; those about no day stay.
        """


class FeedServicer(feed_pb2_grpc.EventFeedServiceServicer):
    """`EventFeedService` over one event store; `cases` answers for a person's events."""

    def __init__(self, store: FeedStore, cases: CaseFinder | None = None) -> None:
        self._store = store
        self._cases = cases

    async def SubscribeEvents(  # noqa: N802 - the name in the proto
        self, request: feed_pb2.SubscribeEventsRequest, _context: Context
    ) -> AsyncIterator[feed_pb2.SubscribeEventsResponse]:
        after, epoch = _subscription(request)
        head = await self._store.head()
        if (epoch is not None and epoch != head.epoch) or after > head.position:
            raise HistoryDiffers(f"this log is {head.epoch} and ends at {head.position}")
        async for batch in self._caught_up(after, head, request.types):
            yield batch
        if request.until_head:
            return
        wanted = frozenset(request.types)
        async for events in self._store.subscribe(head.position, epoch=head.epoch):
            if not events:
                continue
            chosen = [event for event in events if not wanted or event.type in wanted]
            for batch in _batches(chosen, events[-1].position, head.epoch):
                yield batch

    async def ReadEvents(  # noqa: N802 - the name in the proto
        self, request: feed_pb2.ReadEventsRequest, _context: Context
    ) -> feed_pb2.ReadEventsResponse:
        check = Check()
        stream = check.optional_uuid("stream", request.stream)
        check.between("positions", len(request.positions), 0, MOST_POSITIONS)
        if not request.positions:
            check.require("stream", request.stream)
        check.done()
        if stream is not None:
            events = await self._store.read_stream(stream)
        else:
            events = await self._store.read_positions(sorted(set(request.positions)))
        wanted = frozenset(request.positions)
        chosen = [e for e in events if not wanted or e.position in wanted]
        return feed_pb2.ReadEventsResponse(events=map(on_the_wire, chosen))

    async def ListCaseEvents(  # noqa: N802 - the name in the proto
        self, request: feed_pb2.ListCaseEventsRequest, context: Context
    ) -> feed_pb2.ListCaseEventsResponse:
        if self._cases is None:
            await context.abort(grpc.StatusCode.UNIMPLEMENTED, "this service lists no cases")
        check = Check()
        person = check.uuid("person", request.person)
        day = as_of(check, request)
        moment = known_at(check, request, self._store.clock)
        check.done()
        page = page_of(request)
        after = int(page.after[0]) if page.after else 0
        upto = None if moment is None else await self._store.position_at(moment)
        found = await self._cases(person, after=after, limit=page.size + 1, upto=upto, as_of=day)
        given = list(found[: page.size])
        return feed_pb2.ListCaseEventsResponse(
            events=map(on_the_wire, await self._store.read_positions(given)),
            next_page_token=page.next_token([given[-1]]) if len(found) > page.size else "",
        )

    async def GetHead(  # noqa: N802 - the name in the proto
        self, _request: feed_pb2.GetHeadRequest, _context: Context
    ) -> feed_pb2.Head:
        head = await self._store.head()
        return feed_pb2.Head(position=head.position, epoch=str(head.epoch))

    async def GetPack(  # noqa: N802 - the name in the proto
        self, request: feed_pb2.GetPackRequest, _context: Context
    ) -> feed_pb2.Pack:
        check = Check()
        check.pattern(
            "hash", request.hash, "[0-9a-f]{64}", "64 hexadecimal digits", "64位十六进制数"
        )
        check.done()
        found = await self._store.get_pack(request.hash)
        if found is None:
            raise NotFound("pack", request.hash)
        pool, content = found
        return feed_pb2.Pack(hash=request.hash, pool=pool, content=content)

    async def _caught_up(
        self, after: int, head: Cursor, types: Sequence[str]
    ) -> AsyncIterator[feed_pb2.SubscribeEventsResponse]:
        """Batches up to the head; at least one, so that a reader learns where it stands."""
        while True:
            events = await self._store.read_all(
                after, limit=LARGEST_BATCH, types=tuple(types), upto=head.position
            )
            more = len(events) == LARGEST_BATCH
            after = events[-1].position if more else head.position
            for batch in _batches(events, after, head.epoch):
                yield batch
            if not more:
                return


def on_the_wire(recorded: Recorded) -> feed_pb2.RecordedEvent:
    """The event for readers: without its sealed part."""
    event = feed_pb2.RecordedEvent(
        position=recorded.position,
        stream=str(recorded.stream),
        version=recorded.version,
        category=recorded.category,
        pool=recorded.pool,
        type=recorded.type,
        payload=recorded.payload,
        hash=recorded.hash,
        traceparent=recorded.meta.traceparent,
        request_id=str(recorded.meta.request_id),
        actor=recorded.meta.actor,
    )
    event.recorded_time.FromDatetime(recorded.recorded_at)
    return event


def _subscription(request: feed_pb2.SubscribeEventsRequest) -> tuple[int, UUID | None]:
    check = Check()
    if request.after_position < 0:
        check.fail("after_position", "OUT_OF_RANGE", "must not be negative", "不得为负数")
    epoch = check.optional_uuid("epoch", request.epoch)
    check.between("types", len(request.types), 0, 200)
    check.done()
    return request.after_position, epoch


def _batches(
    events: Sequence[Recorded], position: int, epoch: UUID
) -> Iterator[feed_pb2.SubscribeEventsResponse]:
    """The events in messages of bounded size; only the last says the position reached."""
    batch = feed_pb2.SubscribeEventsResponse(epoch=str(epoch))
    size = 0
    for event in events:
        if batch.events and (
            size + len(event.payload) > LARGEST_BATCH_BYTES or len(batch.events) == LARGEST_BATCH
        ):
            batch.position = batch.events[-1].position
            yield batch
            batch, size = feed_pb2.SubscribeEventsResponse(epoch=str(epoch)), 0
        batch.events.append(on_the_wire(event))
        size += len(event.payload)
    batch.position = position
    yield batch
