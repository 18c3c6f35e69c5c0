"""Runs detectors over all history, with only what was known before each event (回溯测试).

The same fold that runs live reads the logs from their beginnings, merged by the moment of
recording. Nothing is recorded, and what comes later cannot be seen.
"""

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import date

from kernel.service import Parts
from services.provider.domain.detection.seen import Suspicion
from services.provider.merged import merged
from services.provider.supervision import Feeds, Others, limits_of
from services.provider.watch import Watch

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


async def backtest(
    parts: Parts, others: Others, pool: str, detectors: Collection[str]
) -> AsyncIterator[Progress]:
    """Over all that is recorded at the call. Without a service that is away it does not begin:

    what its facts would have told or ruled out would be missing.
    """
    feeds = Feeds(parts, others)
    watch = Watch(limits_of(parts.packs), detectors)
    followed = [(feed, await feed.head()) for feed in feeds.all()]
    total = sum(head for _, head in followed)
    read, found = 0, list[Found]()
    async with aclosing(merged(followed)) as events:
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
