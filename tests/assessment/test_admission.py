"""Whether an application is taken, one test a rule; and the self-assessment form before it."""

from datetime import date
from functools import partial
from itertools import product
from typing import Any

import pytest

from kernel.ids import derive
from kernel.refusal import Invalid
from kernel.rules.ruling import Ruling
from services.assessment.domain import decider as d
from services.assessment.domain import events as e
from services.assessment.domain import submission, termination
from services.assessment.domain import words as w
from services.assessment.domain.admission import asked_in, rule_admission
from services.assessment.domain.applicant import Applicant, Recorded, evolve
from services.assessment.domain.self_assessment import grade_of
from services.assessment.domain.service_point import ServicePoint, ServicePointRegistered
from tests.assessment.intake import APPLICATION, ON, PERSON, facts, form, question
from tests.support.packs import CHANGZHOU, pack
from tests.support.spec import Decider

CHONGQING, WENCHENG = "500000", "330328"  # the first asks for the self-assessment form
LATER = date(2024, 6, 3)
SECOND = derive("test", "second")
STANDARD = pack(CHANGZHOU).standard()


def applicant(pool: str) -> Decider[d.Command, Applicant, Recorded]:
    return Decider(partial(d.decide, pack=pack(pool)), evolve, Applicant())


def submit(pool: str = CHANGZHOU, **changed: Any) -> submission.SubmitApplication:
    told: dict[str, Any] = {
        "application": APPLICATION,
        "person": PERSON,
        "pool": pool,
        "kind": e.ApplicationKind.FIRST,
        "application_date": LATER,
        "disabled_since_date": date(2023, 1, 1),
        "missing_papers": (),
        "agent_name": "",
    }
    around = {key: changed.pop(key) for key in ("recheck", "point", "today") if key in changed}
    return submission.SubmitApplication(told=e.ApplicationSubmitted(**(told | changed)), **around)


def recheck(*dependent: str) -> submission.Recheck:
    return submission.Recheck(items=form(*dependent), operator="op-1", rechecked_date=LATER)


SEVERE = ("feeding", "continence", "bathing", "dressing")


@pytest.mark.parametrize(
    ("a", "b", "grade"),
    [(0, 0, "A"), (1, 0, "B"), (0, 2, "B"), (1, 1, "C"), (0, 3, "C"), (2, 0, "D"), (1, 2, "D"),
     (3, 0, "E"), (2, 1, "E"), (2, 2, "E"), (1, 3, "E"), (3, 1, "F"), (3, 2, "F"), (2, 3, "F"),
     (3, 3, "G"), (0, 1, "B")],
)  # fmt: skip
def test_each_pair_of_counts_has_its_grade(a: int, b: int, grade: str) -> None:
    dependent = (*("feeding", "continence", "bathing")[:a], *("dressing", "toilet", "transfer")[:b])
    assert grade_of(form(*dependent), STANDARD, "self_assessment") == grade


def test_the_table_covers_all_sixteen_pairs_once() -> None:
    assert STANDARD.self_assessment is not None
    assert set(STANDARD.self_assessment.grades) == set(product(range(4), repeat=2))


def test_a_form_in_part_is_told_item_by_item() -> None:
    odd = w.SelfAssessmentItem(item="walking", answer=w.SelfCare.PARTLY)
    with pytest.raises(Invalid) as caught:
        grade_of((*form()[:5], form()[0], odd), STANDARD, "items")
    assert [(v.field, v.reason) for v in caught.value.violations] == [
        ("items[5].item", "ITEM_TWICE"),
        ("items[6].item", "UNKNOWN_ITEM"),
        ("items", "ITEMS_MISSING"),
    ]


def test_only_a_pool_with_a_gate_asks_for_the_form() -> None:
    assert len(applicant(CHANGZHOU).when(submit()).events()) == 2
    with pytest.raises(Invalid) as caught:
        applicant(CHONGQING).when(submit(CHONGQING)).events()
    assert [(v.field, v.reason) for v in caught.value.violations] == [
        ("self_assessment", "REQUIRED")
    ]
    periodic = submit(CHONGQING, kind=e.ApplicationKind.PERIODIC)
    assert len(applicant(CHONGQING).when(periodic).events()) == 2


def test_below_the_gate_an_application_is_refused_on_record() -> None:
    command = submit(CHONGQING, self_assessment=form("feeding"), today=date(2024, 6, 5))
    told, refused = applicant(CHONGQING).when(command).events()

    assert isinstance(told, e.ApplicationSubmitted)
    assert told.self_grade == "B"
    assert isinstance(refused, e.ApplicationRefused)
    assert refused.reasons == ("SELF_ASSESSMENT_BELOW_GATE",)
    assert refused.refused_date == date(2024, 6, 5)
    high = submit(CHONGQING, self_assessment=form(*SEVERE))
    assert isinstance(applicant(CHONGQING).when(high).events()[-1], e.ApplicationAccepted)


def test_the_operators_check_counts_and_both_grades_are_kept() -> None:
    on_the_spot = submit(CHONGQING, self_assessment=form("feeding"), recheck=recheck(*SEVERE))
    after = applicant(CHONGQING).after(on_the_spot).state.applications[APPLICATION]
    assert (after.state, after.self_grade) == ("accepted", "B")
    assert after.rechecked is not None
    assert after.rechecked.self_grade == "F"

    taken = applicant(CHONGQING).after(submit(CHONGQING, self_assessment=form(*SEVERE)))
    later = submission.RecheckSelfAssessment(
        application=APPLICATION, recheck=recheck("feeding"), today=LATER
    )
    rechecked, refused = taken.when(later).events()
    assert isinstance(rechecked, e.SelfAssessmentRechecked)
    assert isinstance(refused, e.ApplicationRefused)
    taken.after(later).when(later).then()
    other = submission.RecheckSelfAssessment(
        application=APPLICATION, recheck=recheck(*SEVERE), today=LATER
    )
    taken.after(later).when(other).then_refused("CONCLUDED_ALREADY")


def test_an_officers_reasons_are_of_the_pools_list_or_of_enrollment() -> None:
    taken = applicant(CHANGZHOU).after(submit())

    def refuse(*reasons: str, decision: bool = False) -> submission.RefuseApplication:
        return submission.RefuseApplication(
            application=APPLICATION,
            reasons=reasons,
            eligibility_decision=PERSON if decision else None,
            today=LATER,
        )

    [refused] = taken.when(refuse("WORK_INJURY_ALLOWANCE", "NOT_COVERED")).events()
    assert isinstance(refused, e.ApplicationRefused)
    ruling = Ruling.parse(refused.ruling)
    assert ruling.reasons == refused.reasons == ("WORK_INJURY_ALLOWANCE", "NOT_COVERED")
    assert [step.verdict for step in ruling.steps] == ["met", "met", "met", "not_met", "not_met"]
    with pytest.raises(Invalid) as caught:
        taken.when(refuse("NOT_COVERED", "DISLIKED", "RED_HAIR")).events()
    assert [(v.field, v.reason) for v in caught.value.violations] == [
        ("reasons[1]", "NOT_A_REASON_HERE"),
        ("reasons[2]", "NOT_A_REASON_HERE"),
    ]
    # What enrollment decided is said in enrollment's own words.
    assert len(taken.when(refuse("DISLIKED", decision=True)).events()) == 1


@pytest.mark.parametrize("pool", [CHANGZHOU, WENCHENG])
def test_a_pools_own_reasons_stand_beside_the_national_ones(pool: str) -> None:
    own = set(pack(pool).texts("assessment.refusal_reasons", LATER))
    national = set(pack(CHONGQING).texts("assessment.refusal_reasons", LATER))
    assert national < own
    assert {"MEDICAL_STATUS_FROZEN", "THIRD_PARTY_LIABLE", "NOT_IN_POOL"} <= own - national


def test_an_assessment_broken_off_counts_for_the_six_months() -> None:
    broken = applicant(CHANGZHOU).after(
        submit(),
        termination.TerminateAssessment(
            application=APPLICATION,
            reason=w.TerminationReason.ASSESSMENT_REFUSED,
            terminated_date=date(2024, 6, 20),
            note="",
        ),
    )
    early = submit(application=SECOND, application_date=date(2024, 12, 19))
    _, refused = broken.when(early).events()
    assert isinstance(refused, e.ApplicationRefused)
    assert refused.reasons == ("TOO_SOON_AFTER_LAST",)
    late = submit(application=SECOND, application_date=date(2024, 12, 20))
    assert isinstance(broken.when(late).events()[-1], e.ApplicationAccepted)


def test_a_service_point_must_be_one_of_the_pool_and_open() -> None:
    point = ServicePointRegistered(
        service_point=SECOND,
        pool=CHANGZHOU,
        code="T-1",
        point_name="镇服务点",
        level=w.ServicePointLevel.TOWN,
        point_kind=w.ServicePointKind.FIXED,
        division="320402",
        opened_date=date(2024, 6, 4),
    )
    for known in (None, ServicePoint(), ServicePoint(registered=point)):
        with pytest.raises(Invalid):
            applicant(CHANGZHOU).when(submit(service_point=SECOND, point=known)).events()


def test_every_question_of_admission_can_be_asked_again() -> None:
    asked = question(
        last_ended_date=ON, self_grade="E", stated=("OTHER", "DEAD"), eligibility_decision=SECOND
    )
    ruling = rule_admission(asked, facts(), pack(CHANGZHOU), "test")
    assert asked_in(Ruling.parse(ruling.to_bytes())) == asked
    assert asked_in(rule_admission(question(), (), pack(CHANGZHOU), "test")) == question()
