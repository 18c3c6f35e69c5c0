"""A pool's exception queue of visits as a workflow meets it: a small implementation in memory."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from temporalio import activity

from workflows.activities.provider import SweepStep, Swept
from workflows.timing import failure


@dataclass
class Queue:
    """Visits that become exceptions on a day, and exceptions by their last day."""

    today: Callable[[], Awaitable[date]]
    hanging: list[str] = field(default_factory=list)  # the day from which each is an exception
    open: list[str] = field(default_factory=list)  # last days
    at_once: int = 2  # visits that one sweep changes
    refusing: bool = False
    calls: list[str] = field(default_factory=list)
    answers: dict[str, Swept] = field(default_factory=dict)  # by request id

    def activities(self) -> list[Callable[..., Any]]:
        return [self.sweep_visits]

    @activity.defn(name="provider.SweepVisits")
    async def sweep_visits(self, asked: SweepStep) -> Swept:
        if asked.request_id in self.answers:
            return self.answers[asked.request_id]
        if self.refusing:
            raise failure("INVALID_ARGUMENT", "UNKNOWN_POOL", "no rules of this pool are loaded")
        today = str(await self.today())
        due = sorted(day for day in self.hanging if day <= today)[: self.at_once]
        for day in due:
            self.hanging.remove(day)
            self.open.append("2024-02-01")
        if due:
            self.calls.append(f"open {len(due)} on {today}")
        self.answers[asked.request_id] = Swept(
            more=len(due) == self.at_once,
            open_count=len(self.open),
            overdue_count=sum(day < today for day in self.open),
            opened_count=len(due),
        )
        return self.answers[asked.request_id]
