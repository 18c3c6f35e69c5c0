"""The events of a service in order, from a position on: its own, or another's over the wire.

A reader gets every event once, in the order of positions, in batches, and goes on for ever:
`async for batch in feed.batches(after=position)`. Sources differ, batches do not. A reader
whose history is not the log's (restored, replaced) is stopped with `HistoryDiffers` rather
than going on silently.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

import grpc
import grpc.aio
from ltci.events.v1 import feed_pb2, feed_pb2_grpc

from kernel.clock import SHANGHAI
from kernel.eventstore.envelope import Recorded
from kernel.eventstore.errors import HistoryDiffers
from kernel.eventstore.postgres import EventStore

log = logging.getLogger(__name__)

_PAUSE_SECONDS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
_PASSING = {
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
    grpc.StatusCode.CANCELLED,  # by the server, on its way down
}
_HEAD_SECONDS = 10.0
_WORTH_TELLING = 5  # attempts without an answer, some four seconds


@dataclass(frozen=True, slots=True)
class FeedEvent:
    """An event as its readers see it: without personal fields. Instants in Asia/Shanghai."""

    source: str
    position: int
    stream: UUID
    version: int
    category: str
    pool: str
    type: str
    payload: bytes
    recorded_at: datetime
    hash: bytes
    traceparent: str
    request_id: UUID
    actor: str


@dataclass(frozen=True, slots=True)
class FeedBatch:
    """Events, and how far they reach: beyond the last one where a filter left some out."""

    events: tuple[FeedEvent, ...]
    position: int
    epoch: str


class Feed(Protocol):
    """The events of one source."""

    @property
    def source(self) -> str: ...

    def batches(self, after: int = 0, epoch: str | None = None) -> AsyncIterator[FeedBatch]:
        """Batches of the events after a position, without end; waits for new ones."""
        ...

    async def head(self) -> int:
        """The highest position; 0 while there is no event."""
        ...


class LocalFeed:
    """The feed of a store in this process. The source is named after its schema."""

    def __init__(
        self, store: EventStore, source: str | None = None, types: Sequence[str] = ()
    ) -> None:
        self.source = source or store.schema
        self._store = store
        self._types = frozenset(types)

    async def batches(self, after: int = 0, epoch: str | None = None) -> AsyncIterator[FeedBatch]:
        """See `Feed.batches`."""
        own = (await self._store.head()).epoch
        if epoch and UUID(epoch) != own:
            raise HistoryDiffers(f"the log of {self.source} is of epoch {own}, not {epoch}")
        # Closed on the way out: a subscription must not outlive its reader.
        following: Any = self._store.subscribe(after, epoch=own)
        async with aclosing(following) as subscription:
            async for recorded in subscription:
                wanted = [r for r in recorded if not self._types or r.type in self._types]
                yield FeedBatch(
                    events=tuple([event_of(self.source, event) for event in wanted]),
                    position=recorded[-1].position,
                    epoch=str(own),
                )

    async def head(self) -> int:
        """See `Feed.head`."""
        cursor = await self._store.head()
        return cursor.position


class RemoteFeed:
    """The feed of another service, over `ltci.events.v1`. Reconnects for as long as it takes."""

    def __init__(self, channel: grpc.aio.Channel, source: str, types: Sequence[str] = ()) -> None:
        self.source = source
        self._stub: Any = feed_pb2_grpc.EventFeedServiceStub(channel)
        self._types = tuple(types)

    async def batches(self, after: int = 0, epoch: str | None = None) -> AsyncIterator[FeedBatch]:
        """See `Feed.batches`. A batch that comes twice, after a lost connection, is left out."""
        position, failures = after, 0
        while True:
            request = feed_pb2.SubscribeEventsRequest(
                after_position=position, epoch=epoch or "", types=self._types
            )
            call = self._stub.SubscribeEvents(request)
            try:
                async for response in call:
                    failures = 0
                    batch = self._batch(response, position)
                    position, epoch = batch.position, batch.epoch or epoch
                    yield batch
            except grpc.aio.AioRpcError as error:
                if error.code() == grpc.StatusCode.FAILED_PRECONDITION:
                    raise HistoryDiffers(f"{self.source}: {error.details()}") from error
                if error.code() not in _PASSING:
                    raise
                if failures == _WORTH_TELLING:
                    log.warning("the feed of %s is away: %s", self.source, error.code().name)
            finally:
                call.cancel()
            await asyncio.sleep(_PAUSE_SECONDS[min(failures, len(_PAUSE_SECONDS) - 1)])
            failures += 1

    async def head(self) -> int:
        """See `Feed.head`."""
        head = await self._stub.GetHead(feed_pb2.GetHeadRequest(), timeout=_HEAD_SECONDS)
        return int(head.position)

    def _batch(self, response: feed_pb2.SubscribeEventsResponse, after: int) -> FeedBatch:
        events = [
            event_of_wire(self.source, event) for event in response.events if event.position > after
        ]
        last = events[-1].position if events else after
        if not self._types and events and events[0].position != after + 1:
            # Positions have no gaps: a hole would be lost facts.
            raise HistoryDiffers(f"{self.source} went from {after} to {events[0].position}")
        return FeedBatch(tuple(events), max(last, response.position), response.epoch)


def event_of(source: str, recorded: Recorded) -> FeedEvent:
    """A stored event as its readers see it; the sealed part stays at home."""
    return FeedEvent(
        source=source,
        position=recorded.position,
        stream=recorded.stream,
        version=recorded.version,
        category=recorded.category,
        pool=recorded.pool,
        type=recorded.type,
        payload=recorded.payload,
        recorded_at=recorded.recorded_at.astimezone(SHANGHAI),
        hash=recorded.hash,
        traceparent=recorded.meta.traceparent,
        request_id=recorded.meta.request_id,
        actor=recorded.meta.actor,
    )


def event_of_wire(source: str, event: feed_pb2.RecordedEvent) -> FeedEvent:
    """An event from the wire, the same as its service's own readers see it."""
    return FeedEvent(
        source=source,
        position=event.position,
        stream=UUID(event.stream),
        version=event.version,
        category=event.category,
        pool=event.pool,
        type=event.type,
        payload=event.payload,
        recorded_at=event.recorded_time.ToDatetime(tzinfo=SHANGHAI),
        hash=event.hash,
        traceparent=event.traceparent,
        request_id=UUID(event.request_id),
        actor=event.actor,
    )
