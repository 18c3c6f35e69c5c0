"""Reviews and appeals of a town, kept in memory: what workflows ask about them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

from temporalio import activity

from workflows.activities.assessment import ApplicationStep
from workflows.activities.disputes import AppealStanding, ReviewStanding
from workflows.timing import failure


@dataclass
class DisputeDesk:
    """Answers as the service would, and notes what it was asked."""

    today: Callable[[], Awaitable[date]]
    reviews: dict[str, ReviewStanding] = field(default_factory=dict)
    appeals: dict[str, AppealStanding] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)

    def set_review(self, application: str, **changes: Any) -> ReviewStanding:
        known = self.reviews.get(application) or ReviewStanding(application, "NONE")
        self.reviews[application] = replace(known, **changes)
        return self.reviews[application]

    def activities(self) -> list[Callable[..., Any]]:
        return [self.get_review, self.publish_review, self.deliver_review, self.get_appeal]

    def workflow_ids(self) -> list[str]:
        reviews = [f"review/{application}/2" for application in self.reviews]
        return reviews + [f"appeal/{appeal}" for appeal in self.appeals]

    @activity.defn(name="assessment.GetReview")
    async def get_review(self, application: str) -> ReviewStanding:
        return self.reviews[application]

    @activity.defn(name="assessment.PublishReview")
    async def publish_review(self, asked: ApplicationStep) -> ReviewStanding:
        today = await self.today()
        self.calls.append(f"publish on {today}")
        end = str(today + timedelta(days=6))
        return self.set_review(asked.application, state="PUBLISHED", publicity_end_date=end)

    @activity.defn(name="assessment.DeliverReview")
    async def deliver_review(self, asked: ApplicationStep) -> ReviewStanding:
        now, today = self.reviews[asked.application], await self.today()
        if now.publicity_end_date and today <= date.fromisoformat(now.publicity_end_date):
            raise failure("FAILED_PRECONDITION", "IN_PUBLICITY", "people may still see it")
        self.calls.append(f"deliver on {today}")
        return self.set_review(asked.application, state="DELIVERED")

    @activity.defn(name="assessment.GetAppeal")
    async def get_appeal(self, appeal: str) -> AppealStanding:
        return self.appeals[appeal]
