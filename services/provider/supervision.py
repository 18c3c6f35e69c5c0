"""Runs the detectors beside the service: it follows the logs and records flags (监管).

What it knows it keeps in memory and reads anew at each start: flags are found again and recorded
once, so a kill anywhere loses none and doubles none. It never holds up the service's own work:
between portions it lets others go first.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from datetime import date
from functools import lru_cache, partial
from itertools import chain, repeat
from typing import Any, TypeVar

import asyncpg
import grpc
import grpc.aio
from google.protobuf.message import Message

from kernel.eventstore.codec import Codec
from kernel.eventstore.errors import StoreOverloaded, StoreUnavailable, VersionConflict
from kernel.eventstore.feed import Feed, FeedEvent, LocalFeed, RemoteFeed
from kernel.pack_keeper import PackKeeper
from kernel.refusal import Refused
from kernel.rules.library import PackLibrary
from kernel.rules.ruling import FactRef, fact_digest
from kernel.service import Parts
from services.provider.application.facts import SERVICE
from services.provider.application.flags import Flags
from services.provider.domain.detection.detector import FIGURES, Limits
from services.provider.domain.detection.seen import Suspicion
from services.provider.domain.place import Place
from services.provider.merged import merged
from services.provider.watch import FOLLOWED, Heard, LimitsOf, Watch

log = logging.getLogger(__name__)
_BY_TYPE: Mapping[str, Mapping[str, type[Message]]] = {
    source: {f"{message.DESCRIPTOR.full_name}/1": message for message in messages}
    for source, messages in FOLLOWED.items()
}
_PAUSES = (0.2, 0.5, 1.0, 2.0, 5.0)  # seconds
_PASSING = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    OSError,
    StoreOverloaded,
    StoreUnavailable,
    VersionConflict,
)
_AWAY = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED}
T = TypeVar("T")
_PLANS = "ltci.provider.v1.PlanApproved/1"
Others = Mapping[str, grpc.aio.Channel]
"""The other services that are followed, by name; who opened the channels closes them."""


def limits_of(packs: PackLibrary) -> LimitsOf:
    """The detectors' figures of a pool on a day; None where its rules have none."""

    @lru_cache(maxsize=8192)
    def limits(pool: str, day: date) -> Limits | None:
        try:
            return packs.pack_for(pool).figure(FIGURES, day).numbers()
        except Refused:
            return None

    return limits


class Feeds:
    """The logs that detectors read, and events as they hear them."""

    def __init__(self, parts: Parts, others: Others) -> None:
        self._parts = parts
        self._codec: Codec = parts.codec
        self._others = others
        self._digests: dict[tuple[str, int], str] = {}

    def all(self) -> list[Feed]:
        """The own log, and those of the other services."""
        own = LocalFeed(self._parts.store, SERVICE, tuple(_BY_TYPE[SERVICE]))
        return [
            own,
            *(
                RemoteFeed(channel, source, tuple(_BY_TYPE[source]))
                for source, channel in self._others.items()
            ),
        ]

    async def heard(self, event: FeedEvent) -> Heard:
        """The event as the watch hears it; a plan with its place, as long as its key lives."""
        message = _BY_TYPE[event.source][event.type].FromString(event.payload)
        place = await self._place(event) if event.type == _PLANS else None
        if event.source != SERVICE:
            key = (event.source, event.position)
            self._digests[key] = fact_digest(event.type, event.payload)
        return Heard(event.source, event.position, message, event.recorded_at.date(), place)

    def refs(self, suspicion: Suspicion) -> list[FactRef]:
        """Its facts of other services, as its ruling names them."""
        return [
            FactRef(*key, self._digests[key]) for key in suspicion.positions if key[0] != SERVICE
        ]

    async def _place(self, event: FeedEvent) -> Place | None:
        (recorded,) = await self._parts.store.read_positions([event.position])
        approved: Any = await self._codec.decode(recorded)
        place: Place | None = approved.place
        return place


class Supervisor:
    """Follows the logs for as long as the service runs."""

    def __init__(self, parts: Parts, others: Others) -> None:
        self._feeds = Feeds(parts, others)
        self._flags = Flags(parts.handler, parts.store, PackKeeper(parts.packs, parts.store))
        self._watch = Watch(limits_of(parts.packs))
        self._turn = asyncio.Lock()

    async def run(self) -> None:
        """Until it is cancelled. First all that is recorded, in its order; then what comes."""
        reached = await self.read_once()
        async with asyncio.TaskGroup() as group:
            for feed, position in reached:
                group.create_task(self._follow(feed, position))

    async def read_once(self) -> Sequence[tuple[Feed, int]]:
        """All that is recorded at the call, and no more: the logs, and how far each was read.

        The logs are read as one. One after the other, a person would still be in hospital, or
        dead, on days for which the discharge or the correction is only read later.
        """
        reached = [(feed, await _surely(feed.head)) for feed in self._feeds.all()]
        async with aclosing(merged(reached)) as events:
            async for event, _ in events:
                if event is not None:
                    await self._take([event])
        return reached

    async def _follow(self, feed: Feed, after: int) -> None:
        """To the end of time."""
        following: Any = feed.batches(after)
        async with aclosing(following) as batches:
            async for batch in batches:
                await self._take(batch.events)

    async def _take(self, events: Sequence[FeedEvent]) -> None:
        async with self._turn:
            for event in events:
                heard = await _surely(partial(self._feeds.heard, event))
                for suspicion in self._watch.hear(heard):
                    refs = self._feeds.refs(suspicion)
                    await _surely(partial(self._flags.record, suspicion, refs))
        await asyncio.sleep(0)  # the service's own work goes first


async def _surely(work: Callable[[], Awaitable[T]]) -> T:
    """Tries again where store or service is away: what was heard is not heard twice."""
    for pause in chain(_PAUSES, repeat(_PAUSES[-1])):
        try:
            return await work()
        except grpc.aio.AioRpcError as error:
            if error.code() not in _AWAY:
                raise
            log.warning("the detectors wait for another service: %s", error.code().name)
            await asyncio.sleep(pause)
        except _PASSING as error:
            log.warning("the detectors wait for the store: %s", type(error).__name__)
            await asyncio.sleep(pause)
    raise AssertionError("unreachable")
