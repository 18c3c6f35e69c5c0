"""Follows the services' feeds and tells workflows what concerns them.

A service only appends events; from its feed workflows are started and signalled, under ids made
from business keys. What it promises:

* every event that matters is delivered at least once: the checkpoint moves after a delivery, in
  PostgreSQL, and a repetition finds the same workflow and changes nothing there;
* a workflow hears of the events of one service in their order; different workflows are told
  side by side;
* a fact about one of several who are one person concerns the cases of all of them;
* a fact about somebody who never applied wakes nobody; who applied once is reviewed again for
  every later fact, also after the lifecycle ended.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import asyncpg

from kernel import measuring
from kernel.eventstore.connections import is_lost
from kernel.eventstore.feed import Feed, FeedBatch, FeedEvent
from workflows.notes import Notes
from workflows.telling import Order, Teller, pauses
from workflows.wakes import Applied, Concerned, One, Wake, addressed, wake_of

TOLD_AT_ONCE = 32  # workflows that are told side by side
SKIPPED_UNNOTED = 1_000  # positions without an event of ours before the checkpoint moves
_log = logging.getLogger(__name__)


class Triggers:
    """Follows all feeds side by side."""

    def __init__(self, teller: Teller, notes: Notes, feeds: Sequence[Feed]) -> None:
        self._teller = teller
        self._notes = notes
        self._feeds = feeds
        self._heads: dict[str, int] = {}
        self._noted: dict[str, int] = {}
        self._reached: dict[str, int] = {}  # delivered; notes may stay behind
        self._free = asyncio.Semaphore(TOLD_AT_ONCE)

    async def run(self) -> None:
        """Follows until it is cancelled. Ends with an error where a feed's history differs."""
        starts = {feed.source: await self._notes.checkpoint(feed.source) for feed in self._feeds}
        self._noted = {source: position for source, (position, _) in starts.items()}
        self._heads, self._reached = dict(self._noted), dict(self._noted)
        async with asyncio.TaskGroup() as group:
            for feed in self._feeds:
                group.create_task(self._follow(feed, *starts[feed.source]))

    async def lag(self) -> dict[str, int]:
        """How many events of each feed are not delivered yet; feeds without any are left out."""
        behind = {
            feed.source: await feed.head() - self._reached.get(feed.source, 0)
            for feed in self._feeds
        }
        return {source: count for source, count in behind.items() if count > 0}

    async def tell_lag(self) -> None:
        """Puts the same where the collector reads it."""
        behind = await self.lag()
        for feed in self._feeds:
            measuring.tell_lag("workflows", "triggers", feed.source, behind.get(feed.source, 0))

    async def _follow(self, feed: Feed, position: int, epoch: str | None) -> None:
        async for batch in feed.batches(after=position, epoch=epoch):
            await _while_database_is_away(lambda batch=batch: self._take(feed.source, batch))  # type: ignore[misc]

    async def _take(self, source: str, batch: FeedBatch) -> None:
        """Delivers a batch, then notes that it was."""
        # First: who applies from here on is told that facts up to here may have passed unheard.
        self._heads[source] = max(batch.position, self._heads.get(source, 0))
        wakes = [(event, wake_of(event, self._heads)) for event in batch.events]
        orders = await self._orders([(event, wake) for event, wake in wakes if wake is not None])
        async with asyncio.TaskGroup() as group:
            for told in orders.values():
                group.create_task(self._tell_in_order(told))
        self._reached[source] = batch.position
        if batch.events or batch.position - self._noted.get(source, 0) >= SKIPPED_UNNOTED:
            await self._notes.move(source, batch.epoch, batch.position)
            self._noted[source] = batch.position

    async def _orders(
        self, wakes: Sequence[tuple[FeedEvent, Wake]]
    ) -> Mapping[str, Sequence[Order]]:
        """What to tell, by workflow, in the order of events."""
        applied = [(w.person, w.pool) for _, w in wakes if isinstance(w, Applied)]
        if applied:
            await self._notes.add_applied(applied)
        ones = [(w.person, w.other) for _, w in wakes if isinstance(w, One)]
        if ones:
            await self._notes.add_one(ones)
        concerned = {w.person for _, w in wakes if isinstance(w, Concerned | One)}
        cases = await self._notes.cases_of(concerned) if concerned else {}
        orders: dict[str, list[Order]] = defaultdict(list)
        for event, wake in wakes:
            for workflow_id, told in addressed(wake, cases):
                orders[workflow_id].append(Order(workflow_id, told, event))
        return orders

    async def _tell_in_order(self, orders: Sequence[Order]) -> None:
        async with self._free:
            for order in orders:
                await self._teller.tell(order)


async def _while_database_is_away(deliver: Callable[[], Any]) -> None:
    """Tries a delivery again where our own notes could not be read or written."""
    for pause in pauses():
        try:
            await deliver()
            return
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            if not is_lost(error):
                raise
            _log.warning("the database is away: %s", type(error).__name__)
            await asyncio.sleep(pause)
