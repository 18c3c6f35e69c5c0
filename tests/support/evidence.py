"""A small provider that keeps evidence of visits, for processes under test."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from temporalio import activity

from workflows.activities.evidence import EvidenceQuestion, EvidenceStep, Kept
from workflows.timing import failure

PERIOD = timedelta(days=60)
ONE_DAY = timedelta(days=1)


@dataclass
class EvidenceRoom:
    """Visits by the day of their evidence; which flags hold; what was asked, and when."""

    today: Callable[[], Awaitable[date]]
    kept: dict[str, date] = field(default_factory=dict)  # visit -> day
    flagged: set[str] = field(default_factory=set)
    period_known: bool = True
    forgotten: list[str] = field(default_factory=list)  # "visit on day"
    answers: dict[str, int] = field(default_factory=dict)  # by request id

    def keep(self, visit: str, day: str) -> None:
        self.kept[visit] = date.fromisoformat(day)

    def activities(self) -> list[Callable[..., Any]]:
        return [self.get_kept_evidence, self.forget_evidence]

    @activity.defn(name="provider.GetKeptEvidence")
    async def get_kept_evidence(self, asked: EvidenceQuestion) -> Kept:
        if not self.period_known:
            raise failure("FAILED_PRECONDITION", "FIGURE_UNKNOWN", "no period")
        up_to = date.fromisoformat(asked.up_to_date)
        over = min(up_to, await self.today() - PERIOD - ONE_DAY)
        due = [visit for visit, day in self.kept.items() if day <= over]
        waiting = [day for day in self.kept.values() if over < day <= up_to]
        held = self.flagged.intersection(due)
        return Kept(
            due_count=len(due) - len(held),
            held_count=len(held),
            waiting_count=len(waiting),
            due_date=f"{min(waiting) + PERIOD + ONE_DAY}" if waiting else "",
            over_date=f"{over}",
        )

    @activity.defn(name="provider.ForgetEvidence")
    async def forget_evidence(self, asked: EvidenceStep) -> int:
        if asked.request_id in self.answers:
            return self.answers[asked.request_id]
        over, today = date.fromisoformat(asked.up_to_date), await self.today()
        assert over <= today - PERIOD - ONE_DAY, "the period runs"
        due = sorted(v for v, day in self.kept.items() if day <= over and v not in self.flagged)
        self.forgotten += [f"{visit} on {today}" for visit in due]
        for visit in due:
            del self.kept[visit]
        self.answers[asked.request_id] = len(due)
        return len(due)
