"""Rulings of every kind, drawn at random, and the places in the code that their steps come from."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, fields, replace
from datetime import date, timedelta
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, reject, settings
from hypothesis import given as for_all
from hypothesis import strategies as st

from kernel.calendar import Month
from kernel.config import ROOT
from kernel.money import yuan
from kernel.refusal import Refused
from kernel.rules.pack import Pack
from kernel.rules.ruling import Ruling, Step, Trace, canonical
from services.assessment.domain.events import AssessorKind
from services.assessment.domain.grading import asked_in, rule_grade
from services.enrollment.domain.coverage import InsuredGroup
from services.enrollment.domain.eligibility import Question as Asked
from services.enrollment.domain.eligibility import rule_eligibility
from services.payment.domain.entitlement import rule_entitlement
from services.payment.domain.facts import CareForm, PersonFact
from services.provider.domain.admission import Findings
from services.provider.domain.verdict import Basis, ConfirmedBy, ItemDone, Question, rule_visit
from tests.assessment import test_grading as grading
from tests.enrollment import test_eligibility as eligibility
from tests.payment import cases as c
from tests.payment.test_properties import CASES, review
from tests.provider import care, designated
from tests.provider.test_verdict import ENDED, GOOD, RESTS
from tests.support.packs import CHANGZHOU, CHENGDU, library, pack

POOLS = st.sampled_from((CHANGZHOU, CHENGDU))
ANY_DAY = st.dates(date(2023, 1, 1), date(2028, 12, 31))
RULING = str(ROOT / "kernel" / "rules" / "ruling.py")
Site = tuple[str, int]  # file and line


@dataclass
class Seen:
    """The steps that rulings made, and where in the code."""

    steps: list[Step] = field(default_factory=list)
    sites: set[Site] = field(default_factory=set)


@contextmanager
def watched() -> Iterator[Seen]:
    """Every step that any trace gets meanwhile."""
    seen, add = Seen(), Trace._add

    def noted(self: Trace, *arguments: Any) -> None:
        add(self, *arguments)
        seen.steps.append(self.steps[-1])
        frame = sys._getframe(1)
        while frame.f_code.co_filename == RULING and frame.f_back is not None:
            frame = frame.f_back
        file = Path(frame.f_code.co_filename)
        seen.sites.add((str(file.relative_to(ROOT)), frame.f_lineno))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Trace, "_add", noted)
        yield seen


@st.composite
def eligibilities(draw: st.DrawFn) -> Ruling:
    """In any pool: what a pool does not know yet makes no ruling."""
    pool, on = draw(st.sampled_from(library().pools())), draw(ANY_DAY)
    events: list[object] = []
    if draw(st.integers(0, 4)):
        start = on - timedelta(days=draw(st.integers(-30, 3000)))
        group = draw(st.sampled_from(InsuredGroup))
        events.append(replace(eligibility.started(start), group=group))
        if not draw(st.integers(0, 3)):
            events.append(eligibility.ended(start + timedelta(days=draw(st.integers(0, 3000)))))
    if draw(st.booleans()):
        events.append(eligibility.paid(on.year))
    if not draw(st.integers(0, 3)):
        events.append(eligibility.died(on + timedelta(days=draw(st.integers(-5, 5)))))
    try:
        return eligibility.ruled(*events, pool=pool, on=on)
    except Refused:
        reject()


@st.composite
def grades(draw: st.DrawFn) -> Ruling:
    told = draw(grading.any_scores)
    other = told if draw(st.booleans()) else draw(grading.any_scores)
    kind = draw(st.sampled_from(AssessorKind))
    first = grading.form(other, draw(st.sampled_from("ab")), assessor_kind=kind)
    ruling = grading.ruled(told, first, pool=draw(POOLS))
    if draw(st.booleans()):
        asked = asked_in(ruling)
        alone = replace(asked, form=replace(asked.form, assessor_kind=kind))
        return rule_grade(alone, [], pack(ruling.pool), "test")
    return ruling


@st.composite
def visits(draw: st.DrawFn) -> Ruling:
    facts: list[object] = [care.APPROVED]
    others: tuple[object, ...] = (
        care.ADMITTED,
        care.price(),
        care.REGISTERED,
        ENDED,
        RESTS,
        *designated.EXAMINED,
        designated.REVOKED,
        designated.SUSPENDED,
        designated.SUSPENDED_A_WEEK,
        designated.TERMINATED,
        designated.BARRED,
        designated.RESTORED,
    )
    facts += [fact for fact in others if draw(st.booleans())]
    minutes = draw(st.integers(0, 120))
    question: Question = replace(
        GOOD,
        end_time=GOOD.start_time + timedelta(minutes=minutes),
        distance_m=draw(st.integers(0, 5_000)),
        items=(ItemDone(item="bath", price=yuan("60")),),
        confirmed_by=draw(st.none() | st.sampled_from(ConfirmedBy)),
        disputed=draw(st.booleans()),
    )
    basis = Basis(facts=care.as_facts(*facts), pack=care.CHANGZHOU, code_version="test")
    return rule_visit(question, basis)


@st.composite
def designations(draw: st.DrawFn) -> Ruling:
    applied = replace(
        designated.APPLIED,
        body_kind=draw(st.sampled_from(("medical_institution", "bank"))),
        operating_since_date=draw(st.sampled_from((date(2020, 1, 1), date(2023, 12, 1)))),
    )
    facts = [applied, *(one for one in (designated.HEAD_BARRED,) if draw(st.booleans()))]
    found = Findings(**{one.name: draw(st.booleans()) for one in fields(Findings)})
    return designated.ruled(replace(designated.REVIEW, findings=found), *facts)


@st.composite
def entitlements(draw: st.DrawFn) -> Ruling:
    pool, facts = draw(CASES)
    days = review(pool, facts).timeline.course().days
    return entitlement(pool, facts, draw(st.sampled_from((*days, date(2024, 7, 1)))))


def entitlement(pool: str, facts: list[PersonFact], day: date) -> Ruling:
    return rule_entitlement(review(pool, facts), day)


@st.composite
def benefits(draw: st.DrawFn) -> Ruling:
    pool, facts = draw(CASES)
    month = Month(2024, draw(st.integers(2, 6)))
    extra: list[PersonFact] = []
    if draw(st.integers(0, 9)) == 0:  # a form that neither pool offers
        extra.append(c.plan(CareForm.COMMUNITY, "02-01"))
        facts = [fact for fact in facts if not isinstance(fact, type(extra[0]))]
    return c.benefit(pool, str(month), *facts, *extra).ruling


KINDS: dict[str, st.SearchStrategy[Ruling]] = {
    "eligibility": eligibilities(),
    "grade": grades(),
    "visit": visits(),
    "designation": designations(),
    "entitlement": entitlements(),
    "benefit": benefits(),
}
EVENTS = {
    "eligibility": "EligibilityDecided",
    "grade": "AssessmentGraded",
    "visit": "ServiceRejected",
    "designation": "DesignationReviewed",
    "entitlement": "EntitlementPaused",
    "benefit": "BenefitDetermined",
}

DRAWN = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,  # the same cases each time: a clause is reached, or the test says so
    database=None,
    phases=(Phase.generate,),
    suppress_health_check=list(HealthCheck),
)


@cache
def drawn() -> tuple[dict[str, list[Ruling]], Seen]:
    """Rulings of every kind, and everything that was seen while they were made."""
    rulings: dict[str, list[Ruling]] = {}
    with watched() as seen:
        for question, strategy in KINDS.items():
            rulings[question] = [*_draw(strategy), *certain(question)]
    return rulings, seen


def certain(question: str) -> Iterator[Ruling]:
    """What chance may miss: every pool's own conditions, and a stay in hospital."""
    if question == "entitlement":
        yield entitlement(CHANGZHOU, [c.conclusion("02-01"), c.admission("03-04")], c.day("03-05"))
    if question != "eligibility":
        return
    ways = product(library().pools(), (5, 4000), (2024, 2026, 2028), InsuredGroup)
    for pool, days, year, group in ways:
        on = date(year, 6, 1)
        covered = replace(eligibility.started(on - timedelta(days=days)), group=group)
        with suppress(Refused):  # what a pool does not know yet makes no ruling
            yield eligibility.ruled(covered, eligibility.paid(year), pool=pool, on=on)

    on = date(2024, 6, 1)
    for days in (5, 300):
        known = eligibility.facts(eligibility.started(on - timedelta(days=days)))
        asked = Asked(person=eligibility.PERSON, pool=CHANGZHOU, on_date=on)
        yield rule_eligibility(asked, known, waiting(180), "test")


def waiting(days: int) -> Pack:
    """Changzhou's pack with a waiting time, which no pool's text has yet."""
    told = json.loads(pack(CHANGZHOU).content)
    figures = told["files"]["enrollment"]
    figure = json.loads(json.dumps(figures["continuous_months"]))
    figures["waiting_days"] = figure | {"values": [figure["values"][0] | {"value": days}]}
    return Pack.parse(canonical(told))


def _draw(strategy: st.SearchStrategy[Ruling]) -> list[Ruling]:
    made: list[Ruling] = []

    @DRAWN
    @for_all(strategy)
    def keep(ruling: Ruling) -> None:
        made.append(ruling)

    keep()
    return made
