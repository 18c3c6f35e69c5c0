"""A small enrollment office that collects a year's contributions, for processes under test."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from temporalio import activity

from workflows.activities.contributions import (
    Done,
    LastDay,
    Reminded,
    Reminder,
    YearQuestion,
    YearRules,
    YearStep,
)
from workflows.timing import failure


@dataclass
class Collection:
    """People who owe, pay, rest and count again, by number; and what the office was asked."""

    deadlines: list[LastDay] = field(default_factory=list)
    arrears_suspend: bool = True
    people: int = 0
    owing: int = 0
    paying: int = 0  # of those at rest, who have paid and do not count again yet
    unknown_rule: bool = False
    calls: list[str] = field(default_factory=list)
    request_ids: set[str] = field(default_factory=set)

    def activities(self) -> list[Callable[..., Any]]:
        return [
            self.get_contribution_year,
            self.determine_pool_dues,
            self.remind_contributions,
            self.suspend_for_arrears,
            self.resume_after_payment,
        ]

    @activity.defn(name="enrollment.GetContributionYear")
    async def get_contribution_year(self, _asked: YearQuestion) -> YearRules:
        return YearRules(list(self.deadlines), self.arrears_suspend)

    @activity.defn(name="enrollment.DeterminePoolDues")
    async def determine_pool_dues(self, asked: YearStep) -> Done:
        self._note(f"determine {asked.year}", asked.request_id)
        return Done("", 1, self.people, self.people, 0, 3000 * self.people)

    @activity.defn(name="enrollment.RemindContributions")
    async def remind_contributions(self, asked: Reminder) -> Reminded:
        self._note(f"remind {asked.due_date}", asked.request_id)
        return Reminded(self.owing, 3000 * self.owing)

    @activity.defn(name="enrollment.SuspendForArrears")
    async def suspend_for_arrears(self, asked: YearStep) -> Done:
        self._note("suspend", asked.request_id)
        if self.unknown_rule:
            raise failure("FAILED_PRECONDITION", "FIGURE_UNKNOWN", "nobody knows")
        return Done("", 1, self.owing, self.owing)

    @activity.defn(name="enrollment.ResumeAfterPayment")
    async def resume_after_payment(self, asked: YearStep) -> Done:
        self._note("resume", asked.request_id)
        paid, self.paying = self.paying, 0
        self.owing -= paid
        return Done("", 1, paid, paid)

    def _note(self, call: str, request_id: str) -> None:
        assert request_id not in self.request_ids, "every step has an id of its own"
        self.request_ids.add(request_id)
        self.calls.append(call)
