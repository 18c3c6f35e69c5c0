"""Rulings of every kind, drawn at random, and the places in the code that their steps come from."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
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
from services.assessment.domain.admission import rule_admission
from services.assessment.domain.assignment import rule_assignment
from services.assessment.domain.events import ApplicationKind, AssessorKind
from services.assessment.domain.grade_change import rule_change
from services.assessment.domain.grading import Form, asked_in, differing_items, rule_grade
from services.assessment.domain.termination import rule_termination
from services.assessment.domain.words import TerminationReason
from services.enrollment.domain.coverage import InsuredGroup
from services.enrollment.domain.eligibility import Question as Asked
from services.enrollment.domain.eligibility import rule_eligibility
from services.payment.domain.entitlement import rule_entitlement
from services.payment.domain.facts import CareForm, PersonFact
from services.provider.domain.verdict import Basis, ConfirmedBy, ItemDone, Question, rule_visit
from tests.assessment import intake
from tests.assessment import test_grading as grading
from tests.enrollment import test_eligibility as eligibility
from tests.payment import cases as c
from tests.payment.test_properties import CASES, review
from tests.provider import care
from tests.provider.test_verdict import ENDED, GOOD, RESTS
from tests.support.packs import CHANGZHOU, CHENGDU, library, pack

CHONGQING = "500000"
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
        form = replace(asked.form or Form.of(first), assessor_kind=kind)
        alone = replace(asked, form=form)
        return rule_grade(alone, [], pack(ruling.pool), "test")

    second = grading.form(told, "b")
    differing = differing_items([Form.of(first), Form.of(second)])
    if differing and first.assessor != "b":
        return grading.settled(first, second, draw(st.sampled_from(differing)))
    return ruling


@st.composite
def admissions(draw: st.DrawFn) -> Ruling:
    """In Changzhou, and in Chongqing where a gate stands before the application."""
    pool = draw(st.sampled_from((CHANGZHOU, CHONGQING)))
    stated = draw(st.sampled_from(((), ("NOT_COVERED",), ("OTHER",), ("PERSON_UNKNOWN", "OTHER"))))
    asked = intake.question(
        pool=pool,
        kind=draw(st.sampled_from(ApplicationKind)),
        application_date=date(2024, 6, 3),
        disabled_since_date=draw(st.dates(date(2023, 9, 1), date(2024, 3, 1))),
        last_ended_date=draw(st.none() | st.dates(date(2023, 9, 1), date(2024, 3, 1))),
        self_grade=draw(st.sampled_from("ADEG")),
        stated=stated,
    )
    return rule_admission(asked, [], pack(pool), "test")


@st.composite
def assignments(draw: st.DrawFn) -> Ruling:
    names = draw(st.permutations(("expert-1", "expert-2", "a", "b", "c")))
    last = draw(st.frozensets(st.sampled_from(names), max_size=2))
    some = names[: draw(st.integers(0, 5))]
    return rule_assignment(intake.wish(some, last=last), [], pack(CHANGZHOU), "test")


@st.composite
def grade_changes(draw: st.DrawFn) -> Ruling:
    grade = st.integers(0, 5)
    asked = intake.changed_grade(draw(grade), draw(grade), pool=draw(POOLS))
    return rule_change(asked, [], pack(asked.pool), "test")


@st.composite
def terminations(draw: st.DrawFn) -> Ruling:
    listed = draw(st.booleans())
    asked = intake.broken_off(draw(st.sampled_from(TerminationReason)))
    rules = pack(CHANGZHOU) if listed else without_reasons()
    return rule_termination(asked, [], rules, "test")


@st.composite
def visits(draw: st.DrawFn) -> Ruling:
    facts: list[object] = [care.APPROVED]
    others = (care.ADMITTED, care.price(), care.REGISTERED, ENDED, RESTS)
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
    "admission": admissions(),
    "assignment": assignments(),
    "grade_change": grade_changes(),
    "termination": terminations(),
    "visit": visits(),
    "entitlement": entitlements(),
    "benefit": benefits(),
}
EVENTS = {
    "eligibility": "EligibilityDecided",
    "grade": "AssessmentGraded",
    "admission": "ApplicationRefused",
    "assignment": "AssessorsAssigned",
    "grade_change": "GradeChanged",
    "termination": "AssessmentTerminated",
    "visit": "ServiceRejected",
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


@cache
def without_reasons() -> Pack:
    """Changzhou's pack without a reason to break an assessment off."""
    told = json.loads(pack(CHANGZHOU).content)
    told["files"]["assessment"]["termination_reasons"]["values"][0]["value"] = []
    return Pack.parse(canonical(told))


def _draw(strategy: st.SearchStrategy[Ruling]) -> list[Ruling]:
    made: list[Ruling] = []

    @DRAWN
    @for_all(strategy)
    def keep(ruling: Ruling) -> None:
        made.append(ruling)

    keep()
    return made
