"""Runs detectors over all history, with only what was known before each event (回溯测试).

The same fold that runs live reads the logs from their beginnings, merged by the moment of
recording. Nothing is recorded, and what comes later cannot be seen.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Collection, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import date
from typing import Any

from kernel.eventstore.feed import Feed, FeedEvent
from kernel.service import Parts
from services.provider.domain.detection.seen import Suspicion
from services.provider.supervision import Feeds, limits_of
from services.provider.watch import Watch

_Read = tuple[FeedEvent | None, int]  # an event, and the positions passed with it
PORTION = 2_000  # events between two answers


@dataclass(frozen=True, kw_only=True)
class Found:
    """What would have been found, and on which day it would have been known."""

    suspicion: Suspicion
    known: date


@dataclass(frozen=True, kw_only=True)
class Progress:
    """A part of the findings, and how far the reading is."""

    found: Sequence[Found]
    read: int
    events: int


async def backtest(parts: Parts, pool: str, detectors: Collection[str]) -> AsyncIterator[Progress]:
    """Over all that is recorded at the call. Other services that are not reached stay unread."""
    feeds = Feeds(parts)
    watch = Watch(limits_of(parts.packs), detectors)
    followed = [(feed, await feed.head()) for feed in feeds.all()]
    total = sum(head for _, head in followed)
    read, found = 0, list[Found]()
    async with aclosing(_merged(followed)) as events:
        async for event, passed in events:
            read += passed
            if event is None:
                continue
            heard = await feeds.heard(event)
            found += [
                Found(suspicion=one, known=heard.day)
                for one in watch.hear(heard)
                if one.pool == pool
            ]
            if read >= PORTION:
                yield Progress(found=found, read=read, events=total)
                read, found = 0, []
    yield Progress(found=found, read=read, events=total)


async def _merged(
    followed: Sequence[tuple[Feed, int]],
) -> AsyncGenerator[_Read, None]:
    """The events of all logs by the moment of recording, each with the positions it passed."""
    readers = [_until(feed, head) for feed, head in followed if head]
    waiting: list[tuple[AsyncGenerator[_Read, None], _Read]] = []
    for reader in readers:
        first = await anext(reader, None)
        if first is not None:
            waiting.append((reader, first))
    try:
        while waiting:
            place = min(range(len(waiting)), key=lambda n: _moment(waiting[n][1][0]))
            reader, told = waiting[place]
            yield told
            following = await anext(reader, None)
            if following is None:
                del waiting[place]
            else:
                waiting[place] = (reader, following)
    finally:
        for reader in readers:
            await reader.aclose()


def _moment(event: FeedEvent | None) -> float:
    return event.recorded_at.timestamp() if event is not None else 0.0


async def _until(feed: Feed, head: int) -> AsyncGenerator[_Read, None]:
    """A feed's events up to a position."""
    before = 0
    following: Any = feed.batches()
    async with aclosing(following) as batches:
        async for batch in batches:
            for event in batch.events:
                if event.position > head:
                    break
                yield event, event.position - before
                before = event.position
            if batch.position >= head:
                if head > before:
                    yield None, head - before
                return
