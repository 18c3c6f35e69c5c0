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
from kernel.ids import derive
from kernel.money import yuan
from kernel.refusal import Refused
from kernel.rules.pack import Pack
from kernel.rules.ruling import Ruling, Step, Trace, canonical
from services.assessment.domain import appeal_ruling, notices, objection, review_grading
from services.assessment.domain import dispute_events as d
from services.assessment.domain import events as e
from services.assessment.domain.admission import rule_admission
from services.assessment.domain.applicant import Application
from services.assessment.domain.assignment import rule_assignment
from services.assessment.domain.events import ApplicationKind, AssessorKind
from services.assessment.domain.grade_change import rule_change
from services.assessment.domain.grading import Form, asked_in, differing_items, rule_grade
from services.assessment.domain.grounds import Grounds
from services.assessment.domain.termination import rule_termination
from services.assessment.domain.words import TerminationReason
from services.enrollment.domain import upkeep
from services.enrollment.domain.coverage import Coverage, InsuredGroup, Spell
from services.enrollment.domain.eligibility import Question as Asked
from services.enrollment.domain.eligibility import rule_eligibility
from services.enrollment.domain.life import FactSource
from services.enrollment.domain.transfer import Brought, Concluded, rule_transfer
from services.enrollment.domain.transfer import Question as Moved
from services.payment.domain.benefit import rule_benefit
from services.payment.domain.entitlement import rule_entitlement
from services.payment.domain.facts import (
    Authority,
    CareForm,
    Delivered,
    LifeEventKind,
    PersonFact,
)
from services.payment.domain.merging import case_of
from services.provider.domain import inspection_appeal as case_appeals
from services.provider.domain import inspection_events as case_events
from services.provider.domain.admission import Findings
from services.provider.domain.booking_rule import rule_booking
from services.provider.domain.detection.catalogue import DETECTORS
from services.provider.domain.detection.detector import RiskBasis, rule_risk
from services.provider.domain.evidence import SignalResult, VisitFindings
from services.provider.domain.inspection_notice import of_notice
from services.provider.domain.inspection_ruling import rule_inspection
from services.provider.domain.insured import EntitlementState
from services.provider.domain.plan import CareForm as PlannedForm
from services.provider.domain.quality import MonthCounts, rule_quality
from services.provider.domain.signals import Evident
from services.provider.domain.verdict import (
    Basis,
    ConfirmedBy,
    Dispute,
    DisputeOutcome,
    ItemDone,
    Question,
    rule_visit,
)
from tests.assessment import desk, forms, intake
from tests.assessment import test_grading as grading
from tests.enrollment import test_coverage_life as life
from tests.enrollment import test_dues as dues
from tests.enrollment import test_eligibility as eligibility
from tests.payment import cases as c
from tests.payment import test_held_visits as held
from tests.payment.test_properties import CASES, review
from tests.provider import care, cases, designated, test_booking, test_quality_rules
from tests.provider import test_claim_rules as claiming
from tests.provider.test_verdict import ENDED, GOOD, RESTS
from tests.support.packs import CHANGZHOU, CHENGDU, changed, library, pack

CHONGQING = "500000"
POOLS = st.sampled_from((CHANGZHOU, CHENGDU))
TWIN = derive("test", "twin")
LISHUI, YANTAI = "320117", "370600"
LATE = st.dates(date(2024, 4, 5), date(2024, 8, 1))
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
def contributions_due(draw: st.DrawFn) -> Ruling:
    """In any pool, for a year or an employer's month."""
    pool, year = draw(st.sampled_from(library().pools())), draw(st.integers(2022, 2027))
    group = draw(st.sampled_from(InsuredGroup)).value
    events: list[object] = []
    if draw(st.integers(0, 5)):
        events.append(dues.insured(group, f"{draw(st.integers(2020, 2028))}-03-01", pool))
    month = f"{year}-0{draw(st.integers(1, 9))}" if draw(st.booleans()) else ""
    if month and draw(st.booleans()):
        events.append(dues.declared(month, wage="7000", medical="6500"))
    told = dict.fromkeys(("wage", "pension", "income", "medical_base"), 600000)
    try:
        return dues.ruled(dues.asked(pool, year, month, **told, age=50), *events)
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
        dispute=draw(st.none() | st.builds(
            Dispute, reason=st.just("NOBODY_CAME"), disputed_date=st.just(date(2024, 3, 6)),
            outcome=st.sampled_from(DisputeOutcome),
        )),
        correction=draw(st.sampled_from(("WRONG_TIME", "DEVICE_FAILURE"))),
        corrected_count=draw(st.integers(0, 2)),
    )  # fmt: skip
    if draw(st.booleans()):
        question = replace(question, evident=draw(evidence()))
    rules = draw(st.sampled_from((care.CHANGZHOU, two_signals())))
    basis = Basis(facts=care.as_facts(*facts), pack=rules, code_version="test")
    return rule_visit(question, basis)


@st.composite
def scores(draw: st.DrawFn) -> Ruling:
    counts = MonthCounts(**{one.name: draw(st.integers(1, 50)) for one in fields(MonthCounts)})
    asked = test_quality_rules.asked(counts=counts)
    return rule_quality(asked)


@st.composite
def bookings(draw: st.DrawFn) -> Ruling:
    opened = replace(
        test_booking.OPENED,
        state=draw(st.sampled_from((*EntitlementState,))),
        cause=draw(st.sampled_from(("", "IN_HOSPITAL"))),
    )
    others = (
        care.REGISTERED,
        replace(care.REGISTERED, registered_date=date(2024, 4, 1)),
        ENDED,
        opened,
    )
    # A form that the pool does not offer has no caps that are known.
    form = draw(st.sampled_from((PlannedForm.HOME_VISITS, PlannedForm.COMMUNITY)))
    plan = replace(care.APPROVED, form=form)
    facts = [plan, *(fact for fact in others if draw(st.booleans()))]
    asked = test_booking.question(
        cost=str(draw(st.integers(1, 3_000))), at_own_cost=draw(st.booleans())
    )
    return rule_booking(asked, (), test_booking.basis(*facts)).ruling


@st.composite
def evidence(draw: st.DrawFn) -> Evident:
    """What was read from the evidence of a visit, good or bad."""
    result = st.none() | st.sampled_from(SignalResult)
    findings = VisitFindings(
        end_distance_m=draw(st.integers(-1, 1_000)),
        accuracy_m=draw(st.integers(0, 400)),
        mocked=draw(st.booleans()),
        clock_skew_seconds=draw(st.integers(-1_200, 1_200)),
        signature=draw(result),
        beacon=draw(result),
        tag=draw(result),
        face=draw(result),
        family_code=draw(result),
    )
    return Evident(findings=findings, digests=("0" * 64,))


@cache
def two_signals() -> Pack:
    """Changzhou's pack with two signals asked for."""
    told = json.loads(pack(CHANGZHOU).content)
    told["files"]["provider"]["visit_signals_min"]["values"][0]["value"] = 2
    return Pack.parse(canonical(told))


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


SEEN = (  # what detectors see, by the names in their rulings
    "admission_date", "death_date", "device", "discharge_date", "effective_date", "end_date",
    "items_minutes", "mean_fen", "mean_grade_hundredths", "minutes", "minutes_both",
    "minutes_of_day", "mocked", "other_carer", "other_visit", "peers_fen", "peers_hundredths",
    "peers_permille", "people", "photo", "revoked_date", "score", "seconds_between",
    "share_permille", "start_date", "strange_items", "usual_permille", "verdict", "way_m",
)  # fmt: skip


@st.composite
def risks(draw: st.DrawFn) -> Ruling:
    """What any detector may have seen."""
    detector = draw(st.sampled_from(list(DETECTORS.values())))
    asked: dict[str, str | int] = {
        "detector": detector.name,
        "detector_version": detector.version,
        "day": "2024-03-04",
        "held_fen": draw(st.integers(0, 100_000)),
        **dict.fromkeys(SEEN, draw(st.integers(0, 600))),
    }
    basis = RiskBasis(pool=CHENGDU, facts=(), pack=pack(CHENGDU), code_version="1")
    return rule_risk(detector, asked, basis, str(derive("visit", "flagged")))


@st.composite
def inspections(draw: st.DrawFn) -> Ruling:
    """Also with what the decider would refuse: a ruling says so."""
    flags = [cases.ONE, cases.TWO][: draw(st.integers(0, 2))]
    steps: list[Any] = [cases.opening(*flags)]
    if draw(st.integers(0, 3)):
        steps.append(cases.noticing())
        if draw(st.booleans()):
            steps.append(cases.answering(hearing_wanted=draw(st.booleans())))
        if draw(st.booleans()):
            steps.append(cases.hearing())
    _, events = cases.after(*steps)
    words = st.sampled_from(case_events.InspectionVerdict)
    asked = cases.question(
        *((one, draw(words)) for one in flags),
        decided_by=draw(st.sampled_from((cases.PANEL, cases.PANEL[:1], ("chief-1", "detectors")))),
        decided_date=draw(st.sampled_from((date(2024, 3, 20), cases.DECIDED, date(2024, 5, 1)))),
    )
    if not flags:
        asked = replace(asked, outcome=draw(words))
    kept = flags[draw(st.integers(0, 1)) :]  # the first may not be what it was
    return rule_inspection(asked, cases.basis(events, *(kept or flags)))


@st.composite
def inspection_appeals(draw: st.DrawFn) -> Ruling:
    _, events = cases.decided((cases.ONE, cases.CONFIRMED), (cases.TWO, cases.CONFIRMED))
    filed = cases.appealing(filed_date=draw(st.sampled_from((cases.APPEALED, date(2024, 4, 24)))))
    told = case_events.InspectionAppealed(**vars(filed), pool=care.POOL)
    upheld = draw(st.booleans())
    outcomes = case_events.InspectionAppealOutcome
    question = case_appeals.Question(
        inspection=cases.CASE,
        outcome=outcomes.UPHELD if upheld else outcomes.DISMISSED,
        flags=(cases.ONE.flag,) if upheld else (),
        decided_by=draw(st.sampled_from((cases.OTHERS, cases.OTHERS[:1], cases.PANEL))),
        decided_date=draw(st.sampled_from((cases.APPEAL_DECIDED, date(2024, 6, 10)))),
    )
    kept = (cases.ONE, cases.TWO)[: draw(st.integers(1, 2))]
    return case_appeals.rule_appeal(question, cases.basis([*events, told], *kept))


@st.composite
def inspection_notices(draw: st.DrawFn) -> Ruling:
    """Told by its letters only."""
    flags = [cases.ONE, cases.TWO][: draw(st.integers(0, 2))]
    cause = draw(st.sampled_from(case_events.InspectionCause))
    case, _ = cases.after(cases.opening(*flags, cause=cause), cases.noticing())
    assert case.noticed is not None
    facts = [(cases.fact(10 + n, one).ref, one) for n, one in enumerate(flags)]
    return of_notice(case.noticed, case, facts, care.CHANGZHOU, "test")


@st.composite
def claims(draw: st.DrawFn) -> Ruling:
    """A line of a drawn month; some are wrong in more ways than the month alone makes them."""
    known, lines = draw(claiming.cases())
    table = [(grounds, line) for grounds, line, _ in claiming.REFUSED.values()]
    table += [(grounds, line) for grounds, line, _, _ in claiming.REDUCED.values()]
    grounds, asked = draw(st.sampled_from([*table, *((known, line) for line in lines)]))
    events, _ = claiming.match(grounds, asked)
    return Ruling.parse(events[-1].ruling)


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
    for fact in facts:
        if isinstance(fact, Delivered) and not draw(st.integers(0, 3)):
            extra += draw(st.sampled_from(LATER))(fact)
    return c.benefit(pool, str(month), *facts, *extra).ruling


def _flagged(visit: Delivered) -> list[PersonFact]:
    return [held.flagged(visit.visit)]


def _confirmed(visit: Delivered) -> list[PersonFact]:
    flag = held.flagged(visit.visit)
    return [flag, held.decided(flag, confirmed=True)]


def _rejected(visit: Delivered) -> list[PersonFact]:
    return [held.rejected(visit.visit)]


LATER = (_flagged, _confirmed, _rejected)  # what becomes of a delivered visit


@st.composite
def procedures(draw: st.DrawFn) -> Ruling:
    """What the letters of an application rest on."""
    found, day = pack(draw(POOLS)), draw(st.dates(date(2024, 1, 1), date(2025, 12, 31)))
    one = Application(
        application=grading.APPLICATION,
        person=grading.PERSON,
        pool=found.pool,
        kind=e.ApplicationKind.FIRST,
        application_date=day,
        state=e.ApplicationState.ACCEPTED,
        disabled_since=day,
        submitted=e.ApplicationSubmitted(
            application=grading.APPLICATION,
            person=grading.PERSON,
            pool=found.pool,
            kind=e.ApplicationKind.FIRST,
            application_date=day,
            disabled_since_date=day,
            missing_papers=(),
            agent_name="",
        ),
        supplement_due=draw(st.none() | st.just(day)),
        confirmed={"x": day, "y": day},
    )
    about: dict[str, Any] = {"application": one.application, "person": one.person}
    later = day + timedelta(days=draw(st.integers(1, 60)))
    reasons = ("NOT_COVERED", "NOT_PAID_UP")[: draw(st.integers(1, 2))]
    papers = ("record", "card")[: draw(st.integers(1, 2))]
    events: list[tuple[Any, Any]] = [
        (
            notices.of_acceptance,
            e.ApplicationAccepted(**about, accepted_date=day, conclusion_due_date=later),
        ),
        (
            notices.of_supplement,
            e.SupplementRequested(**about, missing_papers=papers, due_date=later),
        ),
        (
            notices.of_refusal,
            e.ApplicationRefused(
                **about, reasons=reasons, eligibility_decision=None, refused_date=later
            ),
        ),
        (
            notices.of_withdrawal,
            e.ApplicationWithdrawn(**about, withdrawn_date=later, deemed=draw(st.booleans())),
        ),
        (
            notices.of_conclusion,
            e.ConclusionDelivered(
                **about,
                pool=found.pool,
                kind=one.kind,
                grade=3,
                grade_eligible=True,
                conclusion_date=day,
                effective_date=later,
                valid_until_date=later,
                delivered_date=later,
            ),
        ),
        (
            notices.of_review,
            e.ConclusionDelivered(
                **about,
                pool=found.pool,
                kind=one.kind,
                grade=3,
                grade_eligible=True,
                conclusion_date=day,
                effective_date=later,
                valid_until_date=later,
                delivered_date=later,
            ),
        ),
    ]
    rule, event = draw(st.sampled_from(events))
    ruling: Ruling = rule(event, one, found, "test")
    return ruling


@st.composite
def objections(draw: st.DrawFn) -> Ruling:
    """Also with what the decider would refuse: a ruling says so."""
    filed, decided = draw(st.dates(date(2024, 3, 20), date(2024, 4, 5))), draw(LATE)
    told = desk.public()
    told.do(desk.object_to())
    facts = desk.facts_of(told, d.ObjectionFiled, e.ConclusionPublished, e.OnSiteAssessed)
    facts = desk.with_change(facts, d.ObjectionFiled, filed_date=filed)
    question = objection.Question(
        objection=desk.OBJECTION,
        application=desk.FIRST,
        person=desk.PERSON,
        pool=CHANGZHOU,
        outcome=draw(st.sampled_from(d.ObjectionOutcome)),
        decided_by=(draw(st.sampled_from(("officer-1", "assessor-1"))),),
        decided_date=decided,
    )
    return objection.rule(question, facts, pack(CHANGZHOU), "test")


@st.composite
def reviews(draw: st.DrawFn) -> Ruling:
    told = desk.delivered(told=draw(st.sampled_from((forms.bedridden(), forms.scores()))))
    told.do(desk.ask_review(), desk.second_form("assessor-5"))
    kind = draw(st.sampled_from(AssessorKind))
    scores = draw(st.sampled_from((forms.bedridden(), forms.scores())))
    person = draw(st.sampled_from(("expert-5", "assessor-1")))
    form = Form(assessor=person, assessor_kind=kind, assessed_date=date(2024, 4, 10), scores=scores)
    question = review_grading.Question(
        application=desk.FIRST, person=desk.PERSON, pool=CHANGZHOU, form=form
    )
    wanted = [e.AssessmentGraded, e.OnSiteAssessed]
    if draw(st.booleans()):
        wanted.append(d.ReviewAssessed)
    facts = desk.facts_of(told, *wanted)
    return review_grading.rule(question, facts, pack(CHANGZHOU), "test")


@st.composite
def fees(draw: st.DrawFn) -> Ruling:
    known = {"review_fee": ({"home": 20000, "institution": 15000}, "2022-01-01")}
    rules = changed(CHANGZHOU, "assessment", known) if draw(st.booleans()) else pack(CHANGZHOU)
    told = desk.delivered(pack=rules)
    told.do(desk.ask_review())
    scores = forms.bedridden(cog_time=0, cog_person=0, cog_space=0, cog_memory=0)
    return Ruling.read(
        told.do(
            *desk.second_round(
                draw(st.sampled_from((scores, forms.bedridden()))),
                place=draw(st.sampled_from(d.AssessmentPlace)),
            )
        )[-1].ruling
    )


@st.composite
def appeals(draw: st.DrawFn) -> Ruling:
    limits = {"appeal_days": ({"days": 30, "kind": "calendar"}, "2022-01-01")}
    open_ended = {"appeal_decision_days": ({"days": 30, "kind": "calendar"}, "2040-01-01")}
    figures = draw(st.sampled_from(({}, limits, open_ended)))
    rules = changed(CHANGZHOU, "assessment", figures) if figures else pack(CHANGZHOU)
    told = desk.delivered(pack=rules)
    told.do(desk.ask_review(), *desk.second_round())
    told.do(desk.appeal_against(d.AppealAgainst.CONCLUSION, date(2024, 4, 30)))
    facts = appeal_ruling.facts_for(desk.APPEAL, Grounds(facts=tuple(told.facts)))
    filed = draw(st.dates(date(2024, 4, 20), date(2024, 5, 20)))
    facts = desk.with_change(facts, d.AppealFiled, filed_date=filed)
    upheld = draw(st.booleans())
    question = appeal_ruling.Question(
        appeal=desk.APPEAL,
        application=desk.FIRST,
        person=desk.PERSON,
        pool=CHANGZHOU,
        outcome=d.AppealOutcome.UPHELD if upheld else d.AppealOutcome.DISMISSED,
        grade=draw(st.integers(0, 5)) if upheld else None,
        effective_date=date(2024, 4, 1) if upheld else None,
        panel=draw(st.sampled_from((("m-1", "m-2"), ("m-1",), ("m-1", "expert-1")))),
        decided_date=draw(LATE),
        preview_digest="",
    )
    return appeal_ruling.rule(question, facts, rules, "test")


@st.composite
def reassessments(draw: st.DrawFn) -> Ruling:
    pool = draw(POOLS)
    told = desk.delivered(pack=pack(pool), pool=pool)
    if draw(st.booleans()):
        return Ruling.read(told.do(desk.refuse_reassessment())[-1].ruling)
    worse = forms.bedridden(cog_time=0, cog_person=0, cog_space=0, cog_memory=0)
    scores = draw(st.sampled_from((forms.bedridden(), forms.scores(), worse)))
    return Ruling.read(desk.reassess(told, scores)[-1].ruling)


KINDS: dict[str, st.SearchStrategy[Ruling]] = {
    "eligibility": eligibilities(),
    "transfer": transfers(),
    "contribution_due": contributions_due(),
    "grade": grades(),
    "admission": admissions(),
    "assignment": assignments(),
    "grade_change": grade_changes(),
    "termination": terminations(),
    "procedure": procedures(),
    "objection": objections(),
    "review_grade": reviews(),
    "review_fee": fees(),
    "appeal": appeals(),
    "reassessment": reassessments(),
    "visit": visits(),
    "booking": bookings(),
    "designation": designations(),
    "quality": scores(),
    "claim": claims(),
    "risk": risks(),
    "inspection": inspections(),
    "inspection_appeal": inspection_appeals(),
    "inspection_notice": inspection_notices(),
    "entitlement": entitlements(),
    "benefit": benefits(),
}
EVENTS = {  # of those that are recorded: a procedure is told by its letters only
    "eligibility": "EligibilityDecided",
    "transfer": "TransferAccepted",
    "contribution_due": "ContributionDue",
    "grade": "AssessmentGraded",
    "admission": "ApplicationRefused",
    "assignment": "AssessorsAssigned",
    "grade_change": "GradeChanged",
    "termination": "AssessmentTerminated",
    "objection": "ObjectionDecided",
    "review_grade": "ReviewGraded",
    "review_fee": "ReviewFeeDecided",
    "appeal": "AppealDecided",
    "reassessment": "ReassessmentConcluded",
    "visit": "ServiceRejected",
    "booking": "VisitBooked",
    "designation": "DesignationReviewed",
    "quality": "QualityScored",
    "claim": "ClaimLineRefused",
    "risk": "RiskFlagged",
    "inspection": "InspectionDecided",
    "inspection_appeal": "InspectionAppealDecided",
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
    if question == "claim":
        yield claiming.without_plan()
        yield claiming.claimed_twice()
    if question == "benefit":
        for later in LATER:
            yield held.march(held.FIRST, *later(held.FIRST)).ruling
        line = held.claimed(held.FIRST.visit, "70")
        yield held.by_claim(held.FIRST, held.SECOND, line).ruling
    if question == "entitlement":
        first = c.conclusion("02-01")
        yield entitlement(CHANGZHOU, [first, c.admission("03-04")], c.day("03-05"))
        deaths = [c.death("03-04", "hospital"), c.death("03-06", "register")]
        yield entitlement(CHANGZHOU, [first, *deaths], c.day("03-05"))
        won = c.again(first, Authority.APPEAL, "02-01", 4, decided="04-10")
        yield entitlement(CHANGZHOU, [first, won], c.day("03-05"))
        stop = c.stopped(first, "05-01", refused="04-10")
        yield entitlement(CHANGZHOU, [first, stop], c.day("05-05"))
    if question == "contribution_due":
        yield from certain_dues()
    if question != "eligibility":
        return
    twin = replace(eligibility.started(date(2021, 1, 1)), person=TWIN)
    one = upkeep.PersonsMerged(
        person=TWIN, survivor=eligibility.PERSON, duplicate=TWIN,
        merged_date=date(2024, 1, 1), cause="the same",
    )  # fmt: skip
    yield eligibility.ruled(eligibility.COVERED, twin, one)
    yield from changed_and_resting()
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


def certain_dues() -> Iterator[Ruling]:
    """Every pool's groups in every year, a last day to pay, and people whom somebody else pays."""
    told = dict.fromkeys(("wage", "pension", "income", "medical_base"), 600000)
    for pool, year, group in product(library().pools(), (2023, 2025, 2026), InsuredGroup):
        for month in ("", f"{year}-06"):
            with suppress(Refused):
                events = [dues.insured(group.value, "2021-01-01", pool)]
                yield dues.ruled(dues.asked(pool, year, month, **told, age=50), *events)
    resident = dues.insured("resident")
    yield dues.ruled(dues.asked(CHANGZHOU), resident, by=dues.with_last_day())
    for payer in ("state", "nobody"):
        by = dues.with_payers({"severely_disabled": payer})
        supported = dues.insured("resident", "2022-01-01", CHANGZHOU, "severely_disabled")
        yield dues.ruled(dues.asked(CHANGZHOU), supported, by=by)


def changed_and_resting() -> Iterator[Ruling]:
    """A change with and without a transition, suspensions, and what was determined to be paid."""
    covered, changed = life.COVERED, life.changed("2024-03-01")
    rests = life.suspended("2024-04-01"), life.resumed("2024-04-01", "2024-05-01")
    yield life.on("2024-06-01", covered, life.PAID, changed, *rests)
    yield life.on("2024-04-10", covered, life.PAID, *rests)
    yield life.on("2024-04-10", covered, life.PAID, *rests[:1])
    by = dues.changed_pack("transition_months", {"any": 6})
    yield life.on("2024-06-01", covered, life.PAID, changed, by=by)
    for amount in ("10", "30"):
        yield life.on("2024-06-01", covered, dues.due(), dues.paid(amount))
    supported = dues.insured("resident", "2022-01-01", CHANGZHOU, "severely_disabled")
    for payer in ("state", "nobody"):
        yield life.on("2024-06-01", supported, by=dues.with_payers({"severely_disabled": payer}))


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
