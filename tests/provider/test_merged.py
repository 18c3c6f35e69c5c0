"""Logs are read as one at a start, so that no detector takes an old state for the last word."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, time, timedelta
from itertools import groupby
from uuid import UUID

import pytest
from ltci.enrollment.v1 import events_pb2 as enrollment

from kernel.clock import SHANGHAI
from kernel.eventstore.feed import Feed, FeedBatch, FeedEvent
from services.provider.merged import merged
from services.provider.watch import Heard
from tests.provider.seen_visits import DAY, Log, flags
from tests.provider.test_detectors import lived
from tests.support.packs import CHENGDU

ONE_DAY = timedelta(days=1)


class Told:
    """A log in memory, a batch a day."""

    def __init__(self, source: str, events: Sequence[Heard]) -> None:
        self.source = source
        self.heard = {one.position: one for one in events}
        nine = time(9, tzinfo=SHANGHAI)
        self._events = [_event(one, datetime.combine(one.day, nine)) for one in events]

    async def batches(self, after: int = 0, epoch: str | None = None) -> AsyncIterator[FeedBatch]:
        for _, some in groupby(self._events, key=lambda one: one.recorded_at):
            batch = tuple(one for one in some if one.position > after)
            if batch:
                yield FeedBatch(batch, batch[-1].position, epoch or "")

    async def head(self) -> int:
        return max(self.heard, default=0)


def _event(one: Heard, recorded: datetime) -> FeedEvent:
    nobody = UUID(int=0)
    return FeedEvent(
        one.source, one.position, nobody, 1, "", CHENGDU, "", b"", recorded, b"", "", nobody, ""
    )


def corrected() -> Log:
    """Care after a stay in hospital, and after a death that was reported and taken back."""
    log = Log()
    log.visit("before", day=DAY)
    log.tell("enrollment", lived("ADMISSION", DAY + ONE_DAY), DAY + ONE_DAY)
    log.tell("enrollment", lived("DISCHARGE", DAY + 3 * ONE_DAY), DAY + 3 * ONE_DAY)
    log.visit("home again", day=DAY + 5 * ONE_DAY)
    death = lived("DEATH", DAY + 6 * ONE_DAY)
    log.tell("enrollment", death, DAY + 7 * ONE_DAY)
    taken_back = enrollment.LifeEventWithdrawn(life_event=death.life_event)
    log.tell("enrollment", taken_back, DAY + 8 * ONE_DAY)
    log.visit("alive", day=DAY + 9 * ONE_DAY)
    return log


def feeds(log: Log) -> list[Told]:
    return [
        Told(source, [one for one in log.events if one.source == source])
        for source in ("provider", "enrollment")
    ]


async def read(log: Log) -> list[Heard]:
    """The events as a start reads them."""
    told = {feed.source: feed for feed in feeds(log)}
    followed: list[tuple[Feed, int]] = [(feed, await feed.head()) for feed in told.values()]
    return [
        told[event.source].heard[event.position]
        async for event, _ in merged(followed)
        if event is not None
    ]


async def test_a_start_finds_what_was_found_live_and_no_more() -> None:
    log = corrected()
    assert flags(log.events) == []
    assert flags(await read(log)) == []


async def test_logs_read_one_after_the_other_would_flag_the_living() -> None:
    """Why they are merged: a whole log before the next takes a corrected death for true."""
    one_after_the_other = sorted(corrected().events, key=lambda one: one.source != "provider")
    assert {one.detector for one in flags(one_after_the_other)} == {"after_death"}


@pytest.mark.parametrize("cut", range(0, 18, 3))
async def test_events_come_in_the_order_of_recording_up_to_the_heads(cut: int) -> None:
    log = corrected()
    log.events = log.events[:cut]
    assert await read(log) == sorted(log.events, key=lambda one: one.day)
