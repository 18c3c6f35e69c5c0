"""A Temporal workflow with nothing but activities, signals and timers, to measure others against.

Its module imports little: every run of a workflow in the sandbox imports it anew.
"""

import asyncio
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta

from temporalio import activity, workflow

ATTEMPT = timedelta(seconds=10)
A_DAY = timedelta(days=1)


class Steps:
    """How many activities each case has done: people act when a process waits for them."""

    def __init__(self) -> None:
        self._done: Counter[str] = Counter()
        self._waiting: dict[str, tuple[int, asyncio.Future[None]]] = {}

    def done(self, case: str) -> None:
        self._done[case] += 1
        wanted, future = self._waiting.get(case, (0, None))
        if future is not None and self._done[case] >= wanted:
            del self._waiting[case]
            future.set_result(None)

    async def reached(self, case: str, count: int) -> None:
        if self._done[case] < count:
            future = asyncio.get_running_loop().create_future()
            self._waiting[case] = count, future
            await future


@dataclass(frozen=True)
class Part:
    """What is waited for, "signal", "timer" or "" for nothing, and how many activities follow."""

    waits_for: str
    activities: int


@dataclass(frozen=True)
class Case:
    name: str
    parts: list[Part]
    timer_seconds: float


class BareServices:
    def __init__(self) -> None:
        self.steps = Steps()

    @activity.defn(name="bare.Step")
    async def step(self, case: str) -> None:
        self.steps.done(case)


@workflow.defn(name="Bare")
class Bare:
    """Activities, signals that are waited for with a timer, timers: and nothing else."""

    def __init__(self) -> None:
        self._signals = 0

    @workflow.run
    async def run(self, case: Case) -> None:
        for part in case.parts:
            if part.waits_for == "timer":
                await workflow.sleep(case.timer_seconds)
            elif part.waits_for:
                await workflow.wait_condition(lambda: self._signals > 0, timeout=A_DAY)
                self._signals -= 1
            for _ in range(part.activities):
                await workflow.execute_activity_method(
                    BareServices.step, case.name, start_to_close_timeout=ATTEMPT
                )

    @workflow.signal
    def signal(self, _number: int) -> None:
        self._signals += 1
