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
from kernel.ids import derive
from kernel.money import yuan
from kernel.refusal import Refused
from kernel.rules.pack import Pack
from kernel.rules.ruling import Ruling, Step, Trace, canonical
from services.assessment.domain.events import AssessorKind
from services.assessment.domain.grading import asked_in, rule_grade
from services.enrollment.domain import upkeep
from services.enrollment.domain.coverage import Coverage, InsuredGroup, Spell
from services.enrollment.domain.eligibility import Question as Asked
from services.enrollment.domain.eligibility import rule_eligibility
from services.enrollment.domain.life import FactSource
from services.enrollment.domain.transfer import Brought, Concluded, rule_transfer
from services.enrollment.domain.transfer import Question as Moved
from services.payment.domain.benefit import rule_benefit
from services.payment.domain.entitlement import rule_entitlement
from services.payment.domain.facts import CareForm, LifeEventKind, PersonFact
from services.payment.domain.merging import case_of
from services.provider.domain.verdict import Basis, ConfirmedBy, ItemDone, Question, rule_visit
from tests.assessment import test_grading as grading
from tests.enrollment import test_eligibility as eligibility
from tests.payment import cases as c
from tests.payment.test_properties import CASES, review
from tests.provider import care
from tests.provider.test_verdict import ENDED, GOOD, RESTS
from tests.support.packs import CHANGZHOU, CHENGDU, library, pack

POOLS = st.sampled_from((CHANGZHOU, CHENGDU))
TWIN = derive("test", "twin")
LISHUI, YANTAI = "320117", "370600"
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
    for source in draw(st.lists(st.sampled_from(FactSource), max_size=2, unique=True)):
        died = eligibility.died(on + timedelta(days=draw(st.integers(-5, 5))))
        events.append(replace(died, life_event=derive("life", source), source=source))
    try:
        return eligibility.ruled(*events, pool=pool, on=on)
    except Refused:
        reject()


@st.composite
def transfers(draw: st.DrawFn) -> Ruling:
    """Into a pool that takes over months and grades, takes over neither, or does not say."""
    on = date(2024, 6, 1)
    concluded = Concluded(
        application=derive("application"), grade=draw(st.integers(0, 5)),
        conclusion_date=date(2023, 6, 1), effective_date=date(2023, 7, 1),
        valid_until_date=on + timedelta(days=draw(st.integers(-30, 30))),
    )  # fmt: skip
    first = date(2022, 1, 1)
    spell = Spell(group=InsuredGroup.RESIDENT, first=first, last=date(2024, 5, 31))
    brought = Brought(
        coverage=Coverage(spells=(spell,)),
        conclusions=(concluded,) if draw(st.integers(0, 3)) else (),
    )
    asked = Moved(
        person=eligibility.PERSON, transfer=derive("transfer"), from_pool=CHENGDU,
        to_pool=CHANGZHOU, on_date=on, manifest_hash="0" * 64, event_count=4,
    )  # fmt: skip
    known = draw(st.sampled_from((None, True, False)))
    return rule_transfer(asked, brought, taking_over(known), "test").ruling


@cache
def taking_over(known: bool | None) -> Pack:
    """Changzhou's pack with an answer to what no pool's text says yet."""
    told = json.loads(pack(CHANGZHOU).content)
    for file, name in (
        ("enrollment", "counts_transferred_months"),
        ("assessment", "accepts_transferred_grade"),
    ):
        if known is not None:
            like = json.loads(json.dumps(told["files"]["enrollment"]["arrears_suspend"]))
            value = like["values"][0] | {"value": known}
            told["files"][file][name] = like | {"values": [value]}
    return Pack.parse(canonical(told))


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
    "transfer": transfers(),
    "grade": grades(),
    "visit": visits(),
    "entitlement": entitlements(),
    "benefit": benefits(),
}
EVENTS = {
    "eligibility": "EligibilityDecided",
    "transfer": "TransferAccepted",
    "grade": "AssessmentGraded",
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
    if question in {"entitlement", "benefit"}:
        yield from resting(question)
        yield from merged(question)
    if question == "entitlement":
        yield entitlement(CHANGZHOU, [c.conclusion("02-01"), c.admission("03-04")], c.day("03-05"))
    if question != "eligibility":
        return
    twin = replace(eligibility.started(date(2021, 1, 1)), person=TWIN)
    one = upkeep.PersonsMerged(
        person=TWIN, survivor=eligibility.PERSON, duplicate=TWIN,
        merged_date=date(2024, 1, 1), cause="the same",
    )  # fmt: skip
    yield eligibility.ruled(eligibility.COVERED, twin, one)
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


def resting(question: str) -> Iterator[Ruling]:
    """Every cause to rest: where the pool excludes it, does not, or does not say."""
    causes = ("moved_abroad", "work_injury_began", "third_party_began", "other_benefit_began")
    pools = (CHANGZHOU, LISHUI, YANTAI)
    for pool, kind in product(pools, map(LifeEventKind, causes)):
        told: list[PersonFact] = [
            c.conclusion("02-01"),
            c.plan(CareForm.HOME_VISITS),
            c.life(kind, "03-04"),
        ]
        if question == "entitlement":
            yield entitlement(pool, told, c.day("03-05"))
        else:
            with suppress(Refused):
                yield c.benefit(pool, "03", *told).ruling


def merged(question: str) -> Iterator[Ruling]:
    """A duplicate's case, which is over, and one that goes on with the facts of both."""
    own: list[PersonFact] = [c.conclusion("02-01"), c.plan(CareForm.HOME_VISITS)]
    for person in (c.PERSON, TWIN):
        case = case_of(person, {c.PERSON: own, TWIN: [*own, c.merged(TWIN, c.PERSON, "04-10")]})
        if question == "entitlement":
            asked = review(CHANGZHOU, [])
            yield rule_entitlement(replace(asked, person=person, facts=case), c.day("04-11"))
        else:
            yield rule_benefit(
                person, CHANGZHOU, Month(2024, 4), facts=case, pack=pack(CHANGZHOU),
                code_version="test",
            ).ruling  # fmt: skip


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
