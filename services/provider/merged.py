"""Several logs as one, by the moment of recording, up to where they reach now. Reads only.

Detectors must hear what happened in the order in which it became known: a discharge before the
visits that came after it, a death taken back before the visits of the living.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

from kernel.eventstore.feed import Feed, FeedEvent

Read = tuple[FeedEvent | None, int]  # an event, and the positions passed with it


async def merged(followed: Sequence[tuple[Feed, int]]) -> AsyncGenerator[Read, None]:
    """The events of all logs up to their heads, each with the positions it passed."""
    readers = [_until(feed, head) for feed, head in followed if head]
    waiting: list[tuple[AsyncGenerator[Read, None], Read]] = []
    try:
        for reader in readers:
            first = await anext(reader, None)
            if first is not None:
                waiting.append((reader, first))
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


async def _until(feed: Feed, head: int) -> AsyncGenerator[Read, None]:
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
