"""Waiting for business days inside a workflow, deterministically (业务时间).

The business clock may run faster than the real one, and it stands while the stack is down. A
workflow therefore keeps the mapping it was told, sleeps for the real seconds that it gives, and
asks again when it wakes: where the day has not come yet, it sleeps on. Only then does it act, so
no legal day is ever taken to be over before it is.
"""

import math
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from kernel.clock import SHANGHAI
    from workflows.activities.clock import ClockActivities, ClockReading
    from workflows.timing import CLOCK

SHORTEST = 0.05  # real seconds: a timer that is due now still lets the server breathe
SHORTEST_POLL = 0.5  # real seconds between looks at something that may never change
STANDING = timedelta(minutes=1)  # how often a clock that stands is looked at again


class BusinessTime:
    """The business clock as a workflow knows it. Make it with `BusinessTime.read()`."""

    def __init__(self, reading: ClockReading) -> None:
        self._reading = reading
        self._settings = 0  # how often the clock was set since

    @classmethod
    async def read(cls) -> "BusinessTime":
        """Asks for the mapping, by a local activity: a short mark in the history."""
        return cls(await _reading())

    def now(self) -> datetime:
        """The business instant, in Asia/Shanghai."""
        passed = (workflow.now().timestamp() - self._reading.real_origin) * self._reading.speed
        return datetime.fromtimestamp(self._reading.business_origin + passed, SHANGHAI)

    def today(self) -> date:
        return self.now().date()

    def mark_stale(self) -> None:
        """The clock was set: whoever waits asks for the mapping anew."""
        self._settings += 1

    async def wait_until(self, condition: Callable[[], bool], day: date | None) -> bool:
        """Waits until the condition holds or the business day begins; True where it holds.

        Without a day it waits for the condition alone.
        """
        if day is None:
            await workflow.wait_condition(condition)
            return True
        return await self._wait(condition, datetime.combine(day, time(), SHANGHAI), SHORTEST)

    async def wait_past(self, condition: Callable[[], bool], day: date) -> bool:
        """The same until the day is over: a deadline's last day counts whole."""
        return await self.wait_until(condition, day + timedelta(days=1))

    async def wait_for(self, condition: Callable[[], bool], pause: timedelta) -> bool:
        """The same for a time on the business clock, at least half a real second."""
        return await self._wait(condition, self.now() + pause, SHORTEST_POLL)

    async def _wait(
        self, condition: Callable[[], bool], instant: datetime, at_least: float
    ) -> bool:
        seconds = max(self._seconds_until(instant), at_least)
        while not condition():
            known = self._settings
            with suppress(TimeoutError):
                await workflow.wait_condition(
                    lambda known=known: condition() or self._settings != known,  # type: ignore[misc]
                    timeout=seconds,
                    timeout_summary=f"until {instant.date().isoformat()}",
                )
                if self._settings == known:
                    return True
            self._reading = await _reading()
            if self.now() >= instant:
                return condition()
            seconds = max(self._seconds_until(instant), SHORTEST)
        return True

    def _seconds_until(self, instant: datetime) -> float:
        """Real seconds until the business clock shows the instant, as far as known now."""
        if self._reading.speed <= 0:
            return STANDING.total_seconds()
        seconds = (instant - self.now()).total_seconds() / self._reading.speed
        return math.ceil(seconds * 1000) / 1000  # timers count milliseconds


async def _reading() -> ClockReading:
    return await workflow.execute_local_activity_method(
        ClockActivities.read_clock,
        start_to_close_timeout=CLOCK.attempt,
        retry_policy=CLOCK.retry,
    )


def instant_of(day: date) -> datetime:
    """The begin of a business day, for search attributes."""
    return datetime.combine(day, time(), SHANGHAI).astimezone(UTC)


def end_of(day: date) -> datetime:
    """The last second of a business day, for search attributes: a last day counts whole."""
    return instant_of(day + timedelta(days=1)) - timedelta(seconds=1)
