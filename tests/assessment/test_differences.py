"""Forms that differ, grades that experts change, assessments broken off."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from typing import Any

import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from kernel.refusal import Invalid, Refused
from kernel.rules.ruling import Ruling
from services.assessment.domain import conclusion, grade_change, on_site, termination
from services.assessment.domain import decider as d
from services.assessment.domain import events as e
from services.assessment.domain import words as w
from services.assessment.domain.applicant import Applicant, Application, Recorded, evolve
from services.assessment.domain.assessor import Assessor, AssessorBarred
from services.assessment.domain.assessor import evolve as evolve_assessor
from services.assessment.domain.grading import asked_in, rule_grade
from tests.assessment.forms import bedridden, items
from tests.assessment.intake import APPLICATION, PERSON, facts, registered
from tests.assessment.test_admission import LATER, submit
from tests.support.packs import CHANGZHOU, pack
from tests.support.spec import Decider

PACK = pack(CHANGZHOU)
VISIT = LATER + timedelta(days=10)


def decide(command: d.Command, applicant: Applicant) -> Sequence[Recorded]:
    """As the service does: the forms and settlements on record are the facts."""
    if isinstance(command, on_site.RecordOnSite | on_site.SettleItem):
        one = applicant.applications[APPLICATION]
        forms = {n: assessed(n, dict(told.scores)) for n, told in one.forms.items()}
        settled = dict(one.settled)
        if isinstance(command, on_site.RecordOnSite):
            forms.pop(command.assessor, None)
        else:
            settled.pop(command.item, None)
        command = replace(command, earlier=facts(*forms.values(), *settled.values()))
    return d.decide(command, applicant, PACK)


def assessed(name: str, scores: dict[str, int]) -> e.OnSiteAssessed:
    command = form(name, scores)
    return e.OnSiteAssessed(
        application=APPLICATION,
        person=PERSON,
        assessor=name,
        assessor_kind=command.assessor_kind,
        assessed_date=VISIT,
        scores=command.scores,
        evidence_hashes=(),
    )


def form(name: str, scores: dict[str, int], **changed: Any) -> on_site.RecordOnSite:
    expert = name.startswith("expert")
    told: dict[str, Any] = {
        "application": APPLICATION,
        "assessor": name,
        "assessor_kind": e.AssessorKind.EXPERT if expert else e.AssessorKind.ASSESSOR,
        "assessed_date": VISIT,
        "scores": items(scores),
        "evidence_hashes": (),
        "code_version": "test",
    }
    return on_site.RecordOnSite(**(told | changed))


def settle(item: str, score: int, **changed: Any) -> on_site.SettleItem:
    told: dict[str, Any] = {
        "application": APPLICATION,
        "item": item,
        "score": score,
        "reason": "seen together",
        "settled_by": w.SettledBy.AGREEMENT,
        "assessor": "a",
        "settled_date": VISIT,
        "code_version": "test",
    }
    return on_site.SettleItem(**(told | changed))


def confirm(expert: str, **changed: Any) -> conclusion.ConfirmConclusion:
    day = VISIT + timedelta(days=2)
    return conclusion.ConfirmConclusion(
        application=APPLICATION, expert=expert, confirmed_date=day, **changed
    )


def change(grade: int, **changed: Any) -> grade_change.ChangeGrade:
    told: dict[str, Any] = {
        "application": APPLICATION,
        "grade": grade,
        "reason": "the film shows more",
        "expert": "expert-9",
        "changed_date": VISIT + timedelta(days=1),
        "code_version": "test",
    }
    return grade_change.ChangeGrade(**(told | changed))


def terminate(reason: w.TerminationReason, **changed: Any) -> termination.TerminateAssessment:
    told: dict[str, Any] = {"terminated_date": VISIT, "note": "", "code_version": "test"}
    return termination.TerminateAssessment(
        application=APPLICATION, reason=reason, **(told | changed)
    )


applicant: Decider[d.Command, Applicant, Recorded] = Decider(decide, evolve, Applicant())
accepted = applicant.after(submit())
OTHER = bedridden(adl_bathing=5, cog_time=0)
differing = accepted.after(form("a", bedridden()), form("expert", OTHER))
graded = accepted.after(form("a", bedridden()), form("expert", bedridden()))


def state_of(decider: Decider[d.Command, Applicant, Recorded]) -> Application:
    return decider.state.applications[APPLICATION]


# -- settlements ----------------------------------------------------------------------------------


def test_the_last_open_item_grades_the_person() -> None:
    [settled] = differing.when(settle("adl_bathing", 5)).events()
    assert isinstance(settled, e.ItemSettled)
    expert = settle("cog_time", 0, assessor="expert", settled_by=w.SettledBy.EXPERT)

    _, grade = differing.after(settle("adl_bathing", 5)).when(expert).events()

    assert isinstance(grade, e.AssessmentGraded)
    ruling = Ruling.parse(grade.ruling)
    assert (ruling.asked["settled_item"], ruling.asked["settled_by"]) == ("cog_time", "expert")
    assert ruling.reasons == ()
    totals = [step.inputs for step in ruling.steps if "adl_bathing" in step.inputs]
    assert totals[0]["adl_bathing"] == 5


def test_a_form_put_right_settles_as_well() -> None:
    after = differing.after(settle("adl_bathing", 5), form("expert", bedridden(adl_bathing=5)))
    assert (state_of(after).state, state_of(after).grade) == ("graded", 3)


def test_who_may_settle_and_what() -> None:
    differing.when(settle("adl_stairs", 0)).then_refused("NOT_DIFFERING", item="adl_stairs")
    differing.when(settle("cog_time", 0, assessor="z")).then_refused("NOT_ON_SITE")
    as_expert = settle("cog_time", 0, settled_by=w.SettledBy.EXPERT)
    differing.when(as_expert).then_refused("NOT_AN_EXPERT", assessor="a")
    graded.when(settle("cog_time", 0)).then_refused("CONCLUDED_ALREADY")
    accepted.after(terminate(w.TerminationReason.DEATH)).when(settle("cog_time", 0)).then_refused(
        "NOT_ACCEPTED"
    )
    once = settle("adl_bathing", 5)
    differing.after(once).when(once).then()
    for bad, field in ((settle("walking", 0), "item"), (settle("adl_bathing", 3), "score")):
        with pytest.raises(Invalid) as caught:
            differing.when(bad).events()
        assert [violation.field for violation in caught.value.violations] == [field]


def test_a_settled_grade_can_be_asked_again() -> None:
    other = settle("cog_time", 1)
    _, grade = differing.after(settle("adl_bathing", 0)).when(other).events()
    assert isinstance(grade, e.AssessmentGraded)
    ruling = Ruling.parse(grade.ruling)
    known = facts(
        assessed("a", bedridden()),
        assessed("expert", OTHER),
        state_of(differing.after(settle("adl_bathing", 0))).settled["adl_bathing"],
    )
    again = rule_grade(asked_in(ruling), known, PACK, ruling.code_version)
    assert again.to_bytes() == grade.ruling


CLEAR = bedridden(cog_person=0, cog_space=0, cog_memory=1)  # grade 3; without cog_time grade 5
COMMANDS: tuple[d.Command, ...] = (
    form("a", CLEAR),
    form("expert", CLEAR | {"adl_bathing": 5, "cog_time": 0}),
    settle("adl_bathing", 5),
    settle("cog_time", 0, settled_by=w.SettledBy.EXPERT, assessor="expert"),
    confirm("expert-1"),
    confirm("expert-2"),
)


@settings(max_examples=40, deadline=None)
@for_all(order=st.permutations(COMMANDS + COMMANDS[:3]))
def test_whatever_order_facts_come_in_the_end_is_the_same(order: list[d.Command]) -> None:
    """What cannot be taken yet is brought again, as people do, until nothing is left."""
    left, decider = list(order), accepted
    for _ in range(len(order) * len(COMMANDS)):
        waiting = []
        for command in left:
            try:
                decider = decider.after(command)
            except Refused as refused:
                done = {"SAME_EXPERT_TWICE", "CONCLUDED_ALREADY"}
                if refused.reason not in done:
                    waiting.append(command)
        left = waiting
        if not left:
            break
    one = state_of(decider)
    assert left == []
    assert (one.state, one.grade, one.grade_eligible) == ("confirmed", 5, True)
    assert (one.conclusion, one.assessed) == (VISIT + timedelta(days=2), VISIT)
    assert {item: told.score for item, told in one.settled.items()} == {
        "adl_bathing": 5,
        "cog_time": 0,
    }


# -- a grade changed ------------------------------------------------------------------------------


def test_an_experts_grade_counts_and_both_are_kept() -> None:
    after = graded.after(confirm("expert-1"), change(4))
    one = state_of(after)
    assert (one.grade, one.grade_eligible) == (4, True)
    assert one.changed is not None
    assert (one.changed.computed_grade, one.changed.grade) == (3, 4)
    # The expert who confirmed before confirmed another grade.
    confirmed = after.after(confirm("expert-1"), confirm("expert-2"))
    assert (state_of(confirmed).state, state_of(confirmed).grade) == ("confirmed", 4)
    again = after.after(change(5, expert="expert-8"))
    assert state_of(again).changed == state_of(again).changed
    assert state_of(again).changed.computed_grade == 3  # type: ignore[union-attr]


def test_a_grade_without_benefit_is_so_after_a_change_too() -> None:
    [changed] = graded.when(change(1)).events()
    assert isinstance(changed, e.GradeChanged)
    ruling = Ruling.parse(changed.ruling)
    assert (ruling.outcome, ruling.reasons) == ("grade_1", ("GRADE_NOT_ELIGIBLE",))
    assert not state_of(graded.after(change(1))).grade_eligible
    question = grade_change.asked_in(ruling)
    again = grade_change.rule_change(question, (), PACK, ruling.code_version)
    assert again.to_bytes() == changed.ruling


def test_when_a_grade_may_be_changed() -> None:
    accepted.when(change(4)).then_refused("NOT_GRADED")
    graded.when(change(3)).then_refused("GRADE_UNCHANGED", grade="3")
    graded.after(change(4)).when(change(4)).then()
    confirmed = graded.after(confirm("expert-1"), confirm("expert-2"))
    confirmed.when(change(4)).then_refused("CONCLUDED_ALREADY")
    with pytest.raises(Invalid):
        graded.when(change(6)).events()
    with pytest.raises(Invalid):
        graded.when(change(4, changed_date=LATER)).events()


def test_whom_the_database_bars_or_knows_as_no_expert_does_nothing() -> None:
    lay = evolve_assessor(Assessor(), registered("a"))
    expert = evolve_assessor(Assessor(), registered("expert-1"))
    barred = evolve_assessor(
        expert,
        AssessorBarred(
            assessor="expert-1", pool=CHANGZHOU, start_date=LATER, end_date=None, cause="x"
        ),
    )
    for known, reason in ((lay, "NOT_AN_EXPERT"), (barred, "ASSESSOR_BARRED")):
        graded.when(change(4, registered=known)).then_refused(reason)
        graded.when(confirm("expert-1", registered=known)).then_refused(reason)
        as_expert = form("expert", bedridden(), registered=known)
        accepted.when(as_expert).then_refused(reason)
    assert len(graded.when(confirm("expert-1", registered=expert)).events()) == 1


# -- broken off -----------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", w.TerminationReason)
def test_an_assessment_is_broken_off_for_each_reason_of_the_list(
    reason: w.TerminationReason,
) -> None:
    for before in (applicant.after(submit(missing_papers=("x",))), accepted, differing, graded):
        after = before.after(terminate(reason))
        assert state_of(after).state == "terminated"
        assert after.state.running is None
        after.when(terminate(reason)).then()
        after.when(confirm("expert-1")).then_refused("NOT_GRADED")
        after.when(form("b", bedridden())).then_refused(
            "NOT_ACCEPTED" if state_of(before).grade is None else "CONCLUDED_ALREADY"
        )


def test_after_the_conclusion_nothing_is_broken_off() -> None:
    confirmed = graded.after(confirm("expert-1"), confirm("expert-2"))
    confirmed.when(terminate(w.TerminationReason.DEATH)).then_refused("CONCLUDED_ALREADY")
    with pytest.raises(Invalid):
        accepted.when(
            terminate(w.TerminationReason.DEATH, terminated_date=date(2024, 6, 1))
        ).events()


def test_a_termination_can_be_decided_again() -> None:
    [event] = accepted.when(terminate(w.TerminationReason.UNREACHABLE)).events()
    assert isinstance(event, e.AssessmentTerminated)
    ruling = Ruling.parse(event.ruling)
    rule = partial(termination.rule_termination, facts=(), pack=PACK, code_version="test")
    assert rule(termination.asked_in(ruling)).to_bytes() == event.ruling
