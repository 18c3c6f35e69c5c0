"""What the fund pays for a person's month of care (待遇核算). Pure: no clock, no I/O.

A month is cut into segments: days in a row with the same grade, form of care, provider and
figures in force, and of what else the figures ask for (group of insured, tier, status, level).
Each segment pays what the pack's components say for its entitled days; a cap on cost is one cap
for the month, which the segments use up in their order. Care counts by the day it was given;
days in hospital and days after the day of death do not count.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from kernel.calendar import Month
from kernel.ids import derive
from kernel.money import ZERO, Money, Rounding, total
from kernel.rules.benefit import (
    YEAR_CAP,
    Paid,
    Used,
    amount_of,
    cap_year,
    pay_segment,
)
from kernel.rules.dimensions import Who
from kernel.rules.formula import Payee
from kernel.rules.pack import Pack
from kernel.rules.ruling import Clause, FactRef, Ruling, Trace
from services.payment.domain.counting import Judged, care_in, explain_care
from services.payment.domain.course import Cause, State
from services.payment.domain.facts import CaseFacts
from services.payment.domain.segments import Segment, segments_of
from services.payment.domain.timeline import ONE_DAY, Timeline

QUESTION = "benefit"
COST_OF_PROVIDER = "cost:"  # in a ruling's amounts: what counts of a provider's care

_DAYS = Clause(
    key="payment.entitled_days",
    citation="days of care decide, not days of entry: design reading",
    verified=False,
)
_COST = Clause(
    key="payment.eligible_cost",
    citation="政策范围内费用: care delivered on entitled days under the plan in force",
    verified=False,
)
_OWN = Clause(
    key="payment.personal_share",
    citation="个人自付: eligible cost less what the fund pays to the provider, never below 0",
    verified=False,
)


@dataclass(frozen=True, kw_only=True)
class BenefitPart:
    """One component and who gets it."""

    component: str
    payee: str  # `persons/{person}` or `providers/{provider}`
    amount: Money


@dataclass(frozen=True, kw_only=True)
class DetermineBenefit:
    """Determine a person's month, in the settlement run of `settled_month`."""

    person: UUID
    pool: str
    month: Month
    settled_month: Month
    facts: CaseFacts
    pack: Pack
    code_version: str
    paid_this_year: Money = ZERO  # by the fund, for the other months of the year


@dataclass(frozen=True, kw_only=True)
class BenefitDetermined:
    benefit: UUID
    person: UUID
    pool: str
    month: Month
    settled_month: Month
    components: tuple[BenefitPart, ...]
    eligible_cost: Money
    fund_share: Money
    personal_share: Money
    ruling: bytes


@dataclass(frozen=True, kw_only=True)
class Benefit:
    """Whether the month was determined: then it is done."""

    determined: bool = False


@dataclass(frozen=True, kw_only=True)
class DeterminedMonth:
    """A month of a person that is done."""

    person: UUID
    month: Month
    settled_month: Month
    fund_share: Money


def benefit_id(pool: str, person: UUID, month: Month) -> UUID:
    """The benefit of a person's month: always the same id."""
    return derive("benefit", pool, str(person), str(month))


def decide(command: DetermineBenefit, benefit: Benefit) -> list[BenefitDetermined]:
    """The benefit; nothing where it was determined before, or where nothing was given or is due."""
    if benefit.determined:
        return []
    found = rule_benefit(
        command.person,
        command.pool,
        command.month,
        facts=command.facts,
        pack=command.pack,
        code_version=command.code_version,
        paid_this_year=command.paid_this_year,
    )
    if not found.fund_share and not found.eligible_cost:
        return []
    return [
        BenefitDetermined(
            benefit=benefit_id(command.pool, command.person, command.month),
            person=command.person,
            pool=command.pool,
            month=command.month,
            settled_month=command.settled_month,
            components=found.components,
            eligible_cost=found.eligible_cost,
            fund_share=found.fund_share,
            personal_share=found.personal_share,
            ruling=found.ruling.to_bytes(),
        )
    ]


def evolve(_benefit: Benefit, _event: BenefitDetermined) -> Benefit:
    """Once determined, a month is not determined again."""
    return Benefit(determined=True)


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a month comes to, and why."""

    components: tuple[BenefitPart, ...]
    eligible_cost: Money
    fund_share: Money
    personal_share: Money
    ruling: Ruling


def months_due(facts: CaseFacts, pool: str, pack: Pack, *, upto: Month) -> tuple[Month, ...]:
    """The months up to and with `upto` in which the person is entitled on any day, in order.

    In the others nothing can be due, and no care can count.
    """
    course = Timeline(facts, pool, pack).course()
    ends = [*course.days[1:], upto.last + ONE_DAY]
    months: set[Month] = set()
    for (first, standing), end in zip(course.turns, ends, strict=False):
        month, last = Month.of(first), Month.of(min(end - ONE_DAY, upto.last))
        while standing.state is State.OPEN and month <= last:
            months.add(month)
            month = month.next()
    return tuple(sorted(months))


def rule_benefit(
    person: UUID,
    pool: str,
    month: Month,
    *,
    facts: CaseFacts,
    pack: Pack,
    code_version: str,
    paid_this_year: Money = ZERO,
) -> Found:
    """The benefit of one month of care, from the facts of the case alone.

    `paid_this_year` is what was determined for the other months of the calendar year; it counts
    where the pool caps a year. Refuses FIGURE_UNKNOWN, and GRADE_WITHOUT_AMOUNT and the like,
    where the pack does not say what to pay.
    """
    trace = Trace()
    asked: dict[str, str | int] = {"month": str(month)}
    if pack.mentions("payment.year_cap"):
        asked["paid_this_year_fen"] = paid_this_year.fen
    care = care_in(month, facts.whole, pack)
    timeline = Timeline(facts, pool, pack)
    bill = _Bill(person, month, trace)
    for segment in segments_of(month, timeline, facts, care, pack):
        _explain(segment, timeline, month, trace)
        bill.add(segment)
    bill.cap_year(pack, paid_this_year)
    parts = bill.parts
    covered = bill.covered
    own = max(bill.eligible_cost - covered, ZERO)
    trace.computed(
        _OWN,
        "eligible cost less what the fund pays to the provider",
        {"eligible_cost_fen": bill.eligible_cost.fen, "to_providers_fen": covered.fen},
        own.fen,
    )
    fund = total(part.amount for part in parts)
    return Found(
        components=parts,
        eligible_cost=bill.eligible_cost,
        fund_share=fund,
        personal_share=own,
        ruling=Ruling(
            question=QUESTION,
            subject=str(person),
            pool=pool,
            asked=asked,
            outcome="due" if fund else "nothing_due",
            reasons=tuple(bill.reasons),
            amounts=_amounts(bill, parts, fund, own),
            facts=_refs(facts, care, bill.besides),
            pack=pack.pin,
            steps=trace.steps,
            code_version=code_version,
        ),
    )


# --- Money ------------------------------------------------------------------------------------


class _Bill:
    """Adds up the segments of one month."""

    def __init__(self, person: UUID, month: Month, trace: Trace) -> None:
        self._person = person
        self._month = month
        self._trace = trace
        self._parts: dict[tuple[str, str], Money] = {}
        self._covering: dict[tuple[str, str], Money] = {}  # of the parts, what pays for the cost
        self._used = Used()
        self._last = month.last
        self.cost_of: dict[UUID, Money] = {}  # by provider
        self.eligible_cost = ZERO
        self.reasons: list[str] = []
        self.besides: list[FactRef] = []  # what keeps visits out, or gives their cost

    @property
    def parts(self) -> tuple[BenefitPart, ...]:
        return tuple(
            BenefitPart(component=component, payee=payee, amount=amount)
            for (component, payee), amount in self._parts.items()
            if amount
        )

    @property
    def covered(self) -> Money:
        """What of the cost the fund pays: by the cost, or by a fixed amount to the provider."""
        return total(min(amount, self._parts[key]) for key, amount in self._covering.items())

    def add(self, segment: Segment) -> None:
        self.eligible_cost += segment.cost
        self.besides += [ref for one in segment.judged for ref in one.because]
        before = self.cost_of.get(segment.provider, ZERO)
        self.cost_of[segment.provider] = before + segment.cost
        if not segment.rules.offered or not segment.rules.known():
            self._trace.not_met(_DAYS, "the pool offers the form", {"form": segment.form.value})
            self.reasons.append("FORM_NOT_OFFERED")
        self._last = segment.last
        components = segment.rules.known()
        for paid in pay_segment(components, segment.care(self._month), self._used, self._trace):
            key = (paid.component, self._payee(paid, segment))
            self._parts[key] = self._parts.get(key, ZERO) + paid.amount
            if paid.covers_cost:
                self._covering[key] = self._covering.get(key, ZERO) + paid.amount

    def cap_year(self, pack: Pack, paid_this_year: Money) -> None:
        """Cuts the parts to what the year's cap leaves, where the pool has one."""
        if not any(self._parts.values()):
            return
        told = pack.year_cap(self._last)
        if told is None:
            return
        clause, amount = told
        cap = amount_of(amount, Who(), pack.pool, YEAR_CAP, Rounding.HALF_UP)
        parts = cap_year(list(self._parts.values()), cap, paid_this_year, clause, self._trace)
        self._parts = dict(zip(self._parts, parts, strict=True))

    def _payee(self, paid: Paid, segment: Segment) -> str:
        if paid.payee is Payee.CARER:
            # A carer's money goes to the family's account, kept under the person cared for.
            return f"persons/{self._person}"
        return f"providers/{segment.provider}"


def _explain(segment: Segment, timeline: Timeline, month: Month, trace: Trace) -> None:
    """Why these days count, how many they are, and what was delivered on them."""
    timeline.on(segment.entitled[0], trace)
    resting = {day: timeline.on(day).cause for day in _resting(segment)}
    first_of_cause = {cause: day for day, cause in reversed(resting.items())}
    for day in sorted(first_of_cause.values()):
        timeline.on(day, trace)
    in_hospital = sum(cause == Cause.IN_HOSPITAL for cause in resting.values())
    elsewhere = len(resting) - in_hospital
    trace.computed(
        _DAYS,
        "entitled days with one grade, form and provider",
        {
            "first": f"{segment.first}",
            "last": f"{segment.last}",
            "grade": segment.grade,
            "form": segment.form.value,
            "provider": f"{segment.provider}",
            "days": segment.days,
            "hospital_days": in_hospital,
            **({"resting_days": elsewhere} if elsewhere else {}),
            **_told(segment.who),
        },
        len(segment.entitled),
    )
    explain_care(segment.judged, trace)
    trace.computed(_COST, "cost of the visits", {"visits": len(segment.visits)}, segment.cost.fen)
    if segment.last < month.last and timeline.on(segment.last + ONE_DAY).state is State.ENDED:
        timeline.on(segment.last + ONE_DAY, trace)


def _resting(segment: Segment) -> Iterator[date]:
    """The days of the segment that are not paid."""
    if segment.days == len(segment.entitled):
        return
    entitled = set(segment.entitled)
    for n in range(segment.days):
        day = segment.first + timedelta(days=n)
        if day not in entitled:
            yield day


def _told(who: Who) -> dict[str, str]:
    """What else the figures asked for, where they did."""
    told = {"group": who.group, "tier": who.tier, "level": who.level}
    told["statuses"] = ",".join(sorted(who.statuses))
    return {name: text for name, text in told.items() if text}


def _amounts(bill: _Bill, parts: Sequence[BenefitPart], fund: Money, own: Money) -> dict[str, int]:
    amounts = {
        "eligible_cost": bill.eligible_cost.fen,
        "fund_share": fund.fen,
        "personal_share": own.fen,
    }
    amounts |= {f"{part.component}:{part.payee}": part.amount.fen for part in parts}
    return amounts | {
        f"{COST_OF_PROVIDER}providers/{provider}": cost.fen
        for provider, cost in bill.cost_of.items()
        if cost
    }


def _refs(
    facts: CaseFacts, care: Sequence[Judged], besides: Sequence[FactRef]
) -> tuple[FactRef, ...]:
    visits = tuple(one.delivered.ref for one in care)
    return (*facts.standing_refs, *facts.plan_refs, *visits, *besides)
