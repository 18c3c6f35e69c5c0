"""Runs a worked case of a pack. docs/rules.md says how cases are written."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from kernel.calendar import Month
from kernel.ids import derive
from kernel.money import ZERO, Money, Rounding, total, yuan
from kernel.rules.benefit import (
    YEAR_CAP,
    CareSegment,
    Paid,
    Used,
    Visit,
    amount_of,
    cap_year,
    pay_segment,
)
from kernel.rules.contribution import Base, Contributor, contributions_due
from kernel.rules.dimensions import Who
from kernel.rules.formula import Component, Payee
from kernel.rules.pack import Pack
from kernel.rules.ruling import Fact, FactRef, Ruling, Trace
from services.enrollment.domain import coverage as c
from services.enrollment.domain import life as lf
from services.enrollment.domain.contribution import ContributionCollected, ContributionSource
from services.enrollment.domain.eligibility import Question, rule_eligibility

_ONE_DAY = timedelta(days=1)
_FACTS = {
    "form", "grade", "group", "tier", "statuses", "level", "entitled_days", "eligible_cost_yuan",
    "cost_per_day_yuan", "visits", "paid_earlier_yuan", "first_day", "last_day",
}  # fmt: skip
_VISIT = {"days", "staff", "minutes", "cost_yuan", "medical_cost_yuan"}
_BASES = {f"{base.value}_yuan": base for base in Base}


@dataclass(frozen=True)
class Came:
    """What a case comes to."""

    parts: tuple[tuple[str, str, Money], ...]  # component, payee, amount
    own: Money
    by_segment: tuple[tuple[str, str, Money], ...] = ()  # the same, segment by segment


def benefit(pack: Pack, case: dict[str, Any]) -> Came:
    """The month of a case. Refuses what the rules refuse."""
    month = _month(case)
    used, trace = Used(), Trace()
    parts: dict[tuple[str, Payee], Money] = {}
    covering: dict[tuple[str, Payee], Money] = {}
    each: list[tuple[str, str, Money]] = []
    cost, on = ZERO, month.first
    for components, segment, day in _segments(pack, case, month):
        cost, on = cost + segment.cost, day
        for paid in pay_segment(components, segment, used, trace):
            key = (paid.component, paid.payee)
            parts[key] = parts.get(key, ZERO) + paid.amount
            if paid.covers_cost:
                covering[key] = covering.get(key, ZERO) + paid.amount
            each.append((paid.component, paid.payee.value, paid.amount))
    amounts = _within_year(pack, case, tuple(parts.values()), on, trace)
    found = tuple((name, payee.value, m) for (name, payee), m in zip(parts, amounts, strict=True))
    kept = dict(zip(parts, amounts, strict=True))
    covered = total(min(amount, kept[key]) for key, amount in covering.items())
    return Came(found, max(cost - covered, ZERO), tuple(each))


def _month(case: dict[str, Any]) -> Month:
    return Month.parse(case["month"]) if "month" in case else Month.of(case["day"])


def _within_year(
    pack: Pack, case: dict[str, Any], amounts: tuple[Money, ...], on: date, trace: Trace
) -> Sequence[Money]:
    earlier = [one["paid_earlier_yuan"] for one in _told(case) if "paid_earlier_yuan" in one]
    told = pack.year_cap(on) if earlier else None
    if told is None:
        return amounts
    clause, amount = told
    cap = amount_of(amount, Who(), pack.pool, YEAR_CAP, Rounding.HALF_UP)
    return cap_year(amounts, cap, yuan(earlier[0]), clause, trace)


def _segments(
    pack: Pack, case: dict[str, Any], month: Month
) -> Iterator[tuple[tuple[Component, ...], CareSegment, date]]:
    for facts in _told(case):
        strange = set(facts) - _FACTS
        assert not strange, f"no such facts: {sorted(strange)}"
        first, last = facts.get("first_day", 1), facts.get("last_day", month.days)
        if "day" in case:
            components = pack.components(facts["form"], case["day"])
            yield components, _segment(facts, month, first, last), case["day"]
            continue
        begin, end = date(month.year, month.month, first), date(month.year, month.month, last)
        rules = pack.rules_of_month(facts["form"], begin, end)
        assert len(rules) == 1 or "entitled_days" not in facts, "days of a month that is split"
        ends = [*(one.first - _ONE_DAY for one in rules[1:]), end]
        for one, until in zip(rules, ends, strict=True):
            if one.refused is not None:
                raise one.refused
            yield one.components, _segment(facts, month, one.first.day, until.day), one.first


def _told(case: dict[str, Any]) -> list[dict[str, Any]]:
    return list(case["segments"]) if "segments" in case else [case["facts"]]


def _segment(facts: dict[str, Any], month: Month, first: int, last: int) -> CareSegment:
    days = facts.get("entitled_days", last - first + 1)
    return CareSegment(
        who=Who(
            grade=facts["grade"],
            form=facts["form"],
            group=facts.get("group", ""),
            tier=facts.get("tier", ""),
            level=facts.get("level", ""),
            statuses=frozenset(facts.get("statuses", ())),
        ),
        entitled_days=days,
        days_in_month=month.days,
        visits=tuple(v for v in _visits(facts, first, days) if first <= v.day <= last),
    )


def _visits(facts: dict[str, Any], first: int, days: int) -> Iterator[Visit]:
    told = {"visits", "cost_per_day_yuan", "eligible_cost_yuan"} & set(facts)
    assert len(told) <= 1, f"one way to tell the care, not {sorted(told)}"
    if "cost_per_day_yuan" in facts:
        for day in range(first, first + days):
            yield Visit(day=day, cost=yuan(facts["cost_per_day_yuan"]))
    if "eligible_cost_yuan" in facts:
        yield Visit(day=first, cost=yuan(facts["eligible_cost_yuan"]))
    for visit in facts.get("visits", ()):
        strange = set(visit) - _VISIT
        assert not strange, f"no such entries of a visit: {sorted(strange)}"
        for day in visit["days"]:
            yield Visit(
                day=day,
                cost=yuan(visit.get("cost_yuan", "0")),
                medical=yuan(visit.get("medical_cost_yuan", "0")),
                minutes=visit.get("minutes", 0),
                staff=visit.get("staff", ""),
            )


# --- contributions and eligibility ------------------------------------------------------------


def contribution(pack: Pack, case: dict[str, Any]) -> list[tuple[str, Money]]:
    """What each source owes, in the order of the rule."""
    facts = dict(case["facts"])
    bases = {base: yuan(facts.pop(name)) for name, base in _BASES.items() if name in facts}
    statuses = frozenset(facts.pop("statuses", ()))
    person = Contributor(bases=bases, statuses=statuses, **facts)
    lines = pack.contributions(person.group, case["day"])
    return [(due.source, due.amount) for due in contributions_due(lines, person, Trace())]


def eligibility(pack: Pack, case: dict[str, Any]) -> Ruling:
    """The ruling on a person's eligibility on the day of the case."""
    person = derive("person", "worked case")
    facts = [
        Fact(FactRef("enrollment", place, f"{place:032x}"), event, datetime(2022, 1, 1, tzinfo=UTC))
        for place, event in enumerate(_events(pack.pool, person, case["facts"]), 1)
    ]
    question = Question(person=person, pool=pack.pool, on_date=case["day"])
    return rule_eligibility(question, facts, pack, "test")


def _events(pool: str, person: Any, facts: dict[str, Any]) -> Iterator[object]:
    strange = set(facts) - {
        "group", "insured_since", "insured_until", "dead_on", "paid_years", "sources",
    }  # fmt: skip
    assert not strange, f"no such facts: {sorted(strange)}"
    if "insured_since" in facts:
        yield c.CoverageStarted(
            person=person,
            pool=pool,
            group=c.InsuredGroup(facts["group"]),
            start_date=facts["insured_since"],
        )
    if "insured_until" in facts:
        yield c.CoverageEnded(
            person=person, pool=pool, end_date=facts["insured_until"], cause="worked case"
        )
    for year in facts.get("paid_years", ()):
        for source in facts.get("sources", ("person",)):
            yield ContributionCollected(
                contribution=derive("contribution", str(year), source),
                person=person,
                pool=pool,
                source=ContributionSource(source),
                amount=Money(1),
                year=year,
                paid_date=date(year, 1, 1),
            )
    if "dead_on" in facts:
        yield lf.LifeEventReported(
            life_event=derive("life", "worked case"),
            person=person,
            pool=pool,
            kind=lf.LifeEventKind.DEATH,
            event_date=facts["dead_on"],
            source=lf.FactSource.REGISTER,
        )


__all__ = ["Came", "Paid", "benefit", "contribution", "eligibility"]
