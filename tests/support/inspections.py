"""Cases of a town, kept in memory: what workflows ask about them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from temporalio import activity

from workflows.activities.inspections import (
    FlagStep,
    InspectionCall,
    InspectionClock,
    InspectionStanding,
)
from workflows.timing import failure


@dataclass
class InspectionDesk:
    """Answers as the service would, and notes what it was asked."""

    today: Callable[[], Awaitable[date]]
    cases: dict[str, InspectionStanding] = field(default_factory=dict)
    decided_flags: set[str] = field(default_factory=set)
    calls: list[str] = field(default_factory=list)

    def set_case(self, inspection: str, **changes: Any) -> InspectionStanding:
        known = self.cases.get(inspection) or InspectionStanding(inspection, "OPENED")
        self.cases[inspection] = replace(known, **changes)
        return self.cases[inspection]

    def activities(self) -> list[Callable[..., Any]]:
        return [
            self.open_inspection,
            self.get_inspection,
            self.close_inspection,
            self.note_inspection_clock,
        ]

    def workflow_ids(self) -> list[str]:
        return [f"inspection/{inspection}" for inspection in self.cases]

    @activity.defn(name="provider.OpenInspection")
    async def open_inspection(self, asked: FlagStep) -> InspectionStanding:
        if asked.flag in self.decided_flags:
            raise failure("FAILED_PRECONDITION", "FLAG_DECIDED", "somebody was faster")
        self.calls.append(f"open for {asked.flag}")
        return self.set_case(f"case of {asked.flag}")

    @activity.defn(name="provider.GetInspection")
    async def get_inspection(self, inspection: str) -> InspectionStanding:
        return self.cases[inspection]

    @activity.defn(name="provider.CloseInspection")
    async def close_inspection(self, asked: InspectionCall) -> InspectionStanding:
        now, today = self.cases[asked.inspection], await self.today()
        if now.state == "CLOSED":
            return now
        if today <= date.fromisoformat(now.appeal_by_date):
            raise failure("FAILED_PRECONDITION", "APPEAL_PERIOD_OPEN", "it can be appealed")
        self.calls.append(f"close on {today}")
        return self.set_case(asked.inspection, state="CLOSED", outcome="CONFIRMED", due_date="")

    @activity.defn(name="provider.NoteInspectionClock")
    async def note_inspection_clock(self, asked: InspectionClock) -> InspectionStanding:
        self.calls.append(f"{asked.step} {asked.note} on {await self.today()}")
        return self.cases[asked.inspection]
