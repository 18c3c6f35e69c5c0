"""Recent pages of a log, read once for all who follow it.

A service's own projections and the readers of its feed are mostly at the same place. What was
recorded stays, so a full page can be handed to each of them. Pages end at fixed positions, so
that readers who fell apart at the end of the log meet again.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Sequence
from typing import Protocol

from kernel.eventstore.envelope import Recorded

PAGE = 500
KEPT = 4  # pages


class ReadLog(Protocol):
    """Reads the log after a position, so many events at most."""

    def __call__(self, after: int, *, limit: int) -> Awaitable[list[Recorded]]: ...


class Pages:
    """The pages that were read last."""

    def __init__(self, read: ReadLog) -> None:
        self._read = read
        self._kept: OrderedDict[int, list[Recorded]] = OrderedDict()
        self._under_way: dict[int, asyncio.Task[list[Recorded]]] = {}

    async def after(self, position: int) -> Sequence[Recorded]:
        """The events after a position up to the end of its page, or of the log."""
        kept = self._kept.get(position)
        if kept is not None:
            return kept
        another = self._under_way.get(position)
        if another is not None:
            events = await asyncio.shield(another)  # it is the other's, whoever gives up
            if len(events) == _room(position):
                return events
            # The log may have grown since the other one began to read.
        reading = self._under_way[position] = asyncio.create_task(self._page(position))
        reading.add_done_callback(lambda task: self._ended(position, task))
        return await asyncio.shield(reading)

    def forget(self) -> None:
        """The log may be another one now."""
        self._kept.clear()

    def _ended(self, position: int, task: asyncio.Task[list[Recorded]]) -> None:
        if self._under_way.get(position) is task:
            del self._under_way[position]
        if not task.cancelled():
            task.exception()  # told to those who wait; nobody may be left

    async def _page(self, position: int) -> list[Recorded]:
        limit = _room(position)
        events = await self._read(position, limit=limit)
        if len(events) == limit:
            self._kept[position] = events
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return events


def _room(position: int) -> int:
    """How many events the page holds after a position."""
    return PAGE - position % PAGE
