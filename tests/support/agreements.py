"""A provider's agreement as a workflow meets it: a small implementation in memory."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from temporalio import activity

from workflows.activities.provider import AgreementStep, OpenAgreement
from workflows.timing import failure


@dataclass
class Agreements:
    """The agreements of one provider, the open ones first to last, and what was asked of them."""

    today: Callable[[], Awaitable[date]]
    open: list[OpenAgreement] = field(default_factory=list)
    years: dict[int, str] = field(default_factory=dict)  # last day by year of the agreement
    calls: list[str] = field(default_factory=list)

    def sign(self, agreement: str, last_day: str, **years: str) -> None:
        """`year_1="2024-12-31"` is the last day of its first year."""
        self.years = {int(name.removeprefix("year_")): day for name, day in years.items()}
        self.open.append(self._with_year(OpenAgreement(agreement, last_day), 1))

    def leave(self, last_day: str) -> None:
        self.open[0] = replace(self.open[0], last_served_date=last_day)
        self.open[0] = self._with_year(self.open[0], self.open[0].appraisal_year)

    def activities(self) -> list[Callable[..., Any]]:
        return [self.get_open_agreement, self.end_agreement, self.order_appraisal]

    @activity.defn(name="provider.GetOpenAgreement")
    async def get_open_agreement(self, _provider: str) -> OpenAgreement | None:
        return self.open[0] if self.open else None

    @activity.defn(name="provider.EndAgreement")
    async def end_agreement(self, asked: AgreementStep) -> OpenAgreement | None:
        today = await self.today()
        if today <= date.fromisoformat(self.open[0].last_served_date):
            raise failure("FAILED_PRECONDITION", "STILL_IN_FORCE", "it serves")
        self.calls.append(f"end {asked.agreement} on {today}")
        del self.open[0]
        return self.open[0] if self.open else None

    @activity.defn(name="provider.OrderAppraisal")
    async def order_appraisal(self, asked: AgreementStep) -> OpenAgreement | None:
        self.calls.append(f"appraise year {asked.agreement_year} on {await self.today()}")
        self.open[0] = self._with_year(self.open[0], asked.agreement_year + 1)
        return self.open[0]

    def _with_year(self, one: OpenAgreement, year: int) -> OpenAgreement:
        due = self.years.get(year, "")
        if not due or due > one.last_served_date:
            return replace(one, appraisal_year=0, appraisal_due_date="")
        return replace(one, appraisal_year=year, appraisal_due_date=due)
