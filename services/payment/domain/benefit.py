"""What the fund pays for a person's month of care (待遇核算). Pure: no clock, no I/O.

A month is cut into segments: days in a row with the same grade, form of care, provider and
figures in force. Each segment pays what the pack's components say for its entitled days; a cap
on cost is one cap for the month, which the segments use up in their order. Care counts by the
day it was given; days in hospital and days after the day of death do not count.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from itertools import groupby
from uuid import UUID

from kernel.calendar import Month
from kernel.ids import derive
from kernel.money import ZERO, Money, total
from kernel.rules.formula import Component, CostUpToMonthCap, Payee, evaluate
from kernel.rules.pack import FormNotOffered, Pack
from kernel.rules.ruling import Clause, FactRef, Ruling, Trace
from services.payment.domain.course import Course, State
from services.payment.domain.facts import CareForm, CaseFacts, Delivered, Plan
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
    person: UUID, pool: str, month: Month, *, facts: CaseFacts, pack: Pack, code_version: str
) -> Found:
    """The benefit of one month of care, from the facts of the case alone.

    Refuses FIGURE_UNKNOWN and GRADE_WITHOUT_AMOUNT, where the pack does not say what to pay.
    """
    trace = Trace()
    deliveries = [d for d in facts.deliveries if d.care_date in month]
    timeline = Timeline(facts, pool, pack)
    bill = _Bill(person, month, trace)
    for segment in _segments(month, timeline, facts.plans, _ends(facts), deliveries, pack):
        _explain(segment, timeline, month, trace)
        bill.add(segment, _components(pack, segment.form, month)[segment.rules].components)
    parts = bill.parts
    # A fixed amount to the provider pays for its visits too; one to the carer does not.
    to_providers = total(part.amount for part in parts if part.payee.startswith("providers/"))
    own = max(bill.eligible_cost - to_providers, ZERO)
    trace.computed(
        _OWN,
        "eligible cost less what the fund pays to the provider",
        {"eligible_cost_fen": bill.eligible_cost.fen, "to_providers_fen": to_providers.fen},
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
            asked={"month": str(month)},
            outcome="due" if fund else "nothing_due",
            reasons=tuple(bill.reasons),
            amounts=_amounts(bill, parts, fund, own),
            facts=_refs(facts, deliveries),
            pack=pack.pin,
            steps=trace.steps,
            code_version=code_version,
        ),
    )


# --- Segments ---------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class _Segment:
    """Days in a row that are paid alike; those in hospital belong to it and are not paid."""

    first: date
    last: date
    grade: int
    form: CareForm
    provider: UUID
    rules: int  # which of the month's figures, where they change within the month
    entitled: tuple[date, ...]
    visits: tuple[Delivered, ...]  # on entitled days under the plan in force

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def cost(self) -> Money:
        return total(visit.cost for visit in self.visits)


@dataclass(frozen=True, slots=True)
class _Day:
    day: date
    entitled: bool
    grade: int
    plan: Plan
    rules: int

    @property
    def key(self) -> tuple[int, CareForm, UUID, int]:
        return (self.grade, self.plan.form, self.plan.provider, self.rules)


def _segments(
    month: Month,
    timeline: Timeline,
    plans: Sequence[Plan],
    ends: dict[UUID, date],
    deliveries: Sequence[Delivered],
    pack: Pack,
) -> Iterator[_Segment]:
    course = timeline.course()
    days = [_day(day, course, plans, ends, pack) for day in month.period.each_day()]
    for key, run in groupby(days, key=lambda one: one.key if one else None):
        together = [one for one in run if one is not None]
        if key is None or not together:
            continue
        entitled = {one.day: one.plan.plan for one in together if one.entitled}
        if not entitled:
            continue
        grade, form, provider, rules = key
        yield _Segment(
            first=together[0].day,
            last=together[-1].day,
            grade=grade,
            form=form,
            provider=provider,
            rules=rules,
            entitled=tuple(entitled),
            visits=tuple(d for d in deliveries if entitled.get(d.care_date) == d.plan),
        )


def _day(
    day: date, course: Course, plans: Sequence[Plan], ends: dict[UUID, date], pack: Pack
) -> _Day | None:
    """A day with a grade and a plan; None where one of them is missing."""
    standing = course.on(day)
    if standing.state not in {State.OPEN, State.PAUSED}:
        return None
    plan = _plan_on(day, plans, ends)
    if plan is None:
        return None
    rules = _rules_on(day, pack, plan.form)
    return _Day(day, standing.state is State.OPEN, standing.grade, plan, rules)


def _plan_on(day: date, plans: Sequence[Plan], ends: dict[UUID, date]) -> Plan | None:
    """The plan in force: of several, the one that started last."""
    in_force = [plan for plan in plans if plan.start_date <= day <= ends.get(plan.plan, date.max)]
    return in_force[-1] if in_force else None


def _ends(facts: CaseFacts) -> dict[UUID, date]:
    """The last day of each plan that has one; told twice, the earlier counts."""
    ends: dict[UUID, date] = {}
    for end in facts.plan_ends:
        ends.setdefault(end.plan, end.end_date)
    return ends


@dataclass(frozen=True)
class _Rules:
    """What a form of care pays from a day of the month on."""

    first: date
    components: tuple[Component, ...]
    offered: bool


@lru_cache(maxsize=1024)
def _components(pack: Pack, form: CareForm, month: Month) -> tuple[_Rules, ...]:
    """The figures of a form in a month: one entry, or more where they change within it."""
    rules: list[_Rules] = []
    for day in month.period.each_day():
        try:
            components, offered = pack.components(form.value, day), True
        except FormNotOffered:
            components, offered = (), False
        if not rules or (rules[-1].components, rules[-1].offered) != (components, offered):
            rules.append(_Rules(day, components, offered))
    return tuple(rules)


def _rules_on(day: date, pack: Pack, form: CareForm) -> int:
    entries = _components(pack, form, Month.of(day))
    return max(place for place, entry in enumerate(entries) if entry.first <= day)


# --- Money ------------------------------------------------------------------------------------


class _Bill:
    """Adds up the segments of one month."""

    def __init__(self, person: UUID, month: Month, trace: Trace) -> None:
        self._person = person
        self._month = month
        self._trace = trace
        self._parts: dict[tuple[str, str], Money] = {}
        self.cost_of: dict[UUID, Money] = {}  # by provider
        self.eligible_cost = ZERO
        self.cost_share = ZERO  # what the fund pays of the cost, all segments together
        self.reasons: list[str] = []

    @property
    def parts(self) -> tuple[BenefitPart, ...]:
        return tuple(
            BenefitPart(component=component, payee=payee, amount=amount)
            for (component, payee), amount in self._parts.items()
            if amount
        )

    def add(self, segment: _Segment, components: Sequence[Component]) -> None:
        cost = segment.cost
        self.eligible_cost += cost
        self.cost_of[segment.provider] = self.cost_of.get(segment.provider, ZERO) + cost
        if not components:
            self._trace.not_met(_DAYS, "the pool offers the form", {"form": segment.form.value})
            self.reasons.append("FORM_NOT_OFFERED")
        left = cost  # of this segment's cost, what no component has paid yet
        for component in components:
            amount = self._amount(component, segment, left)
            if isinstance(component.formula, CostUpToMonthCap):
                left -= amount
                self.cost_share += amount
            key = (component.name, self._payee(component, segment))
            self._parts[key] = self._parts.get(key, ZERO) + amount

    def _amount(self, component: Component, segment: _Segment, cost: Money) -> Money:
        amount = evaluate(
            component,
            segment.grade,
            len(segment.entitled),
            self._month.days,
            cost,
            self._trace,
        )
        formula = component.formula
        if not isinstance(formula, CostUpToMonthCap) or not self.cost_share:
            return amount
        cap = formula.cap[segment.grade]
        room = max(cap - self.cost_share, ZERO)
        shared = min(amount, room)
        self._trace.computed(
            component.amounts_clause,
            f"{component.name}: one cap for the month, what earlier days left of it",
            {
                "amount_fen": amount.fen,
                "cap_fen": cap.fen,
                "used_fen": self.cost_share.fen,
            },
            shared.fen,
        )
        return shared

    def _payee(self, component: Component, segment: _Segment) -> str:
        if component.payee is Payee.CARER:
            # A carer's money goes to the family's account, kept under the person cared for.
            return f"persons/{self._person}"
        return f"providers/{segment.provider}"


def _explain(segment: _Segment, timeline: Timeline, month: Month, trace: Trace) -> None:
    """Why these days count, how many they are, and what was delivered on them."""
    timeline.on(segment.entitled[0], trace)
    paused = segment.days - len(segment.entitled)
    if paused:
        days = (segment.first + timedelta(days=n) for n in range(segment.days))
        timeline.on(next(day for day in days if day not in segment.entitled), trace)
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
            "hospital_days": paused,
        },
        len(segment.entitled),
    )
    trace.computed(_COST, "cost of the visits", {"visits": len(segment.visits)}, segment.cost.fen)
    if segment.last < month.last and timeline.on(segment.last + ONE_DAY).state is State.ENDED:
        timeline.on(segment.last + ONE_DAY, trace)


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


def _refs(facts: CaseFacts, deliveries: Sequence[Delivered]) -> tuple[FactRef, ...]:
    visits = tuple(delivered.ref for delivered in deliveries)
    return (*facts.standing_refs, *facts.plan_refs, *visits)
