"""A month in segments (待遇分段): days in a row that are paid alike. Pure: no clock, no I/O.

A segment ends where grade, form of care, provider or the figures in force change, or what else
the figures ask for: group of insured, tier, status, level.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from uuid import UUID

from kernel.calendar import Month
from kernel.money import Money, total
from kernel.rules.benefit import CareSegment, Visit
from kernel.rules.dimensions import Who
from kernel.rules.pack import Pack, RulesFrom
from services.payment.domain.counting import Judged
from services.payment.domain.course import Course, State
from services.payment.domain.facts import CareForm, CaseFacts, Delivered, Plan
from services.payment.domain.insured import group_on, insured_as
from services.payment.domain.timeline import Timeline

_ALWAYS_KNOWN = frozenset({"grade", "form", "staff"})


@dataclass(frozen=True, kw_only=True)
class Segment:
    """Days in a row that are paid alike; those in hospital belong to it and are not paid."""

    first: date
    last: date
    grade: int
    form: CareForm
    provider: UUID
    who: Who  # as far as the figures ask
    rules: RulesFrom  # the figures in force on these days
    entitled: tuple[date, ...]
    judged: tuple[Judged, ...]  # on entitled days under the plan in force

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def visits(self) -> tuple[Delivered, ...]:
        """The visits that count."""
        return tuple(one.delivered for one in self.judged if one.counts)

    @property
    def cost(self) -> Money:
        return total(visit.cost for visit in self.visits)

    def care(self, month: Month) -> CareSegment:
        """What of it counts for the formulas."""
        return CareSegment(
            who=self.who,
            entitled_days=len(self.entitled),
            days_in_month=month.days,
            visits=tuple(
                Visit(
                    day=visit.care_date.day,
                    cost=visit.cost,
                    medical=visit.medical_cost,
                    minutes=visit.minutes,
                    staff=visit.staff,
                )
                for visit in self.visits
            ),
        )


@dataclass(frozen=True, slots=True)
class _Day:
    day: date
    entitled: bool
    grade: int
    plan: Plan
    who: Who
    place: int  # which of the month's figures, where they change within the month
    rules: RulesFrom

    @property
    def key(self) -> tuple[int, CareForm, UUID, int, Who]:
        return (self.grade, self.plan.form, self.plan.provider, self.place, self.who)


def segments_of(
    month: Month,
    timeline: Timeline,
    facts: CaseFacts,
    care: Sequence[Judged],
    pack: Pack,
) -> Iterator[Segment]:
    """The segments with a day of entitlement, in order, each with the care of its days."""
    calendar = _Calendar(month, timeline.course(), facts, pack)
    days = [calendar.day(day) for day in month.period.each_day()]
    for key, run in groupby(days, key=lambda one: one.key if one else None):
        together = [one for one in run if one is not None]
        if key is None or not together:
            continue
        entitled = {one.day: one.plan.plan for one in together if one.entitled}
        if not entitled:
            continue
        start = together[0]
        yield Segment(
            first=start.day,
            last=together[-1].day,
            grade=start.grade,
            form=start.plan.form,
            provider=start.plan.provider,
            who=start.who,
            rules=start.rules,
            entitled=tuple(entitled),
            judged=tuple(
                one for one in care if entitled.get(one.delivered.care_date) == one.delivered.plan
            ),
        )


class _Calendar:
    """The days of one month of one case."""

    def __init__(self, month: Month, course: Course, facts: CaseFacts, pack: Pack) -> None:
        self._first, self._last = month.first, month.last
        self._course = course
        self._facts = facts
        self._ends = _ends(facts.whole)
        self._pack = pack
        self._rules: dict[CareForm, tuple[RulesFrom, ...]] = {}
        self._plain: dict[tuple[int, CareForm], Who] = {}

    def day(self, day: date) -> _Day | None:
        """A day with a grade and a plan; None where one of them is missing."""
        standing = self._course.on(day)
        if standing.state is not State.OPEN and standing.state is not State.PAUSED:
            return None
        plan = _plan_on(day, self._facts.on(day).plans, self._ends)
        if plan is None:
            return None
        place, rules = self._rules_on(day, plan.form)
        who = self._who(day, standing.grade, plan, rules.dimensions)
        return _Day(day, standing.state is State.OPEN, standing.grade, plan, who, place, rules)

    def _rules_on(self, day: date, form: CareForm) -> tuple[int, RulesFrom]:
        entries = self._rules.get(form)
        if entries is None:
            entries = self._pack.rules_of_month(form.value, self._first, self._last)
            self._rules[form] = entries
        place = len(entries) - 1
        while entries[place].first > day:
            place -= 1
        return place, entries[place]

    def _who(self, day: date, grade: int, plan: Plan, asked: frozenset[str]) -> Who:
        """Whom figures are looked up for: what they do not ask for is left out, and cannot split.

        Group, tier and statuses are those of the coverage that started or changed last.
        """
        plain = self._plain.get((grade, plan.form))
        if plain is None:
            plain = Who(grade=grade, form=plan.form.value)
            self._plain[grade, plan.form] = plain
        if asked <= _ALWAYS_KNOWN:
            return plain
        latest = insured_as(self._facts.on(day), day)
        return Who(
            grade=grade,
            form=plan.form.value,
            level=plan.level if "level" in asked else "",
            group=group_on(self._facts.on(day), self._pack, day) if "group" in asked else "",
            tier=latest.tier if latest and "tier" in asked else "",
            statuses=frozenset(latest.statuses) if latest and "status" in asked else frozenset(),
        )


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
