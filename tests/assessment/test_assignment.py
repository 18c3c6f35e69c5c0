"""Who may be drawn, whom a draw takes, and that anybody can draw again."""

import json
from dataclasses import replace
from datetime import date
from functools import partial
from typing import Any

import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from kernel.draw import commitment, drawn_by_weight
from kernel.ids import derive
from kernel.refusal import Invalid, NotFound, Refused
from kernel.rules.pack import Pack
from kernel.rules.ruling import Ruling, canonical
from services.assessment.domain import assessor as p
from services.assessment.domain import assignment as a
from services.assessment.domain import body as b
from services.assessment.domain import draws
from services.assessment.domain import events as e
from services.assessment.domain import words as w
from services.assessment.domain.applicant import Applicant, evolve
from services.assessment.domain.decider import decide as decide_all
from services.assessment.domain.team import Team, choose
from tests.assessment.forms import bedridden
from tests.assessment.intake import (
    APPLICATION,
    PERSON,
    SEED,
    circumstances,
    designated,
    listed,
    registered,
)
from tests.assessment.test_admission import LATER, submit
from tests.assessment.test_differences import accepted, applicant, confirm, form, graded
from tests.support.packs import CHANGZHOU, pack
from tests.support.spec import Decider

PACK = pack(CHANGZHOU)
TODAY = LATER
DAY = draws.DrawDay(commitment=commitment(SEED))
REASON = w.ExclusionReason
SHELTER = derive("test", "provider")
NAMES = ("a", "b", "c", "expert-1", "expert-2")


def around(register: Any = NAMES, **changed: Any) -> a.Circumstances:
    found: a.Circumstances = circumstances(register, today=TODAY, **changed)
    return found


def assign(
    known: a.Circumstances,
    applicant: Applicant = accepted.state,
    day: draws.DrawDay = DAY,
    which: w.AssignmentRound = w.AssignmentRound.FIRST,
) -> tuple[list[e.AssessorsAssigned], list[draws.DrawMade]]:
    wish = a.AssignAssessors(application=APPLICATION, assignment_round=which)
    return a.assign(wish, applicant.applications[APPLICATION], applicant, day, known, PACK)


def names(event: e.AssessorsAssigned | e.AssessorReplaced) -> list[str]:
    return [one.assessor for one in event.assigned]


def test_an_expert_and_an_assessor_are_drawn_and_the_draw_is_whole() -> None:
    [event], [made] = assign(around(recent={"a": 3}))

    kinds = [one.assessor_kind for one in event.assigned]
    assert kinds == [w.AssessorKind.EXPERT, w.AssessorKind.ASSESSOR]
    draw = event.draw
    weights = {one.assessor: one.weight for one in draw.candidates}
    assert weights == {"a": 1, "b": 4, "c": 4, "expert-1": 4, "expert-2": 4}
    assert list(draw.drawn) == drawn_by_weight(SEED, draw.purpose, weights)
    assert draw.commitment == commitment(SEED)
    assert (made.number, made.purpose) == (1, f"assign/{APPLICATION}/1")
    assert list(made.assigned) == names(event)
    ruling = Ruling.parse(event.ruling)
    again = a.rule_assignment(a.asked_in(ruling), (), PACK, ruling.code_version)
    assert again.to_bytes() == event.ruling
    after = evolve(accepted.state, event)
    assert assign(around(), after) == ([], [])


EXCLUDED = [
    (REASON.BARRED, listed("a", p.AssessorBarred(
        assessor="a", pool=CHANGZHOU, start_date=TODAY, end_date=TODAY, cause="x")), {}),
    (REASON.BODY_NOT_IN_FORCE, replace(listed("a"), body=b.Body()), {}),
    (REASON.SAME_PERSON, listed("a", person=PERSON), {}),
    (REASON.TIED, listed("a", p.TieDeclared(
        assessor="a", pool=CHANGZHOU, tie_kind=w.TieKind.RELATIVE, provider=None,
        tied_person=PERSON, declared_date=TODAY)), {}),
    (REASON.SERVES_PERSON, listed("a", p.TieDeclared(
        assessor="a", pool=CHANGZHOU, tie_kind=w.TieKind.EMPLOYER, provider=SHELTER,
        tied_person=None, declared_date=TODAY)), {"providers": frozenset({SHELTER})}),
    (REASON.RECUSED, listed("a"), {"recused": frozenset({"a"})}),
    (REASON.DAY_FULL, listed("a"), {}),
]  # fmt: skip


@pytest.mark.parametrize(("reason", "one", "told"), EXCLUDED, ids=[r.value for r, *_ in EXCLUDED])
def test_whom_the_rules_leave_out(reason: w.ExclusionReason, one: a.Registered, told: Any) -> None:
    register = {name: listed(name) for name in NAMES} | {"a": one}
    full = reason is REASON.DAY_FULL
    day = replace(DAY, load={"a": PACK.integer("assessment.assessor_daily_limit", TODAY)})
    [event], _ = assign(around(register, **told), day=day if full else DAY)
    assert [(x.assessor, x.reason) for x in event.draw.exclusions] == [("a", reason)]
    assert "a" not in {one.assessor for one in event.draw.candidates}


def test_who_works_for_another_provider_is_not_left_out() -> None:
    tie = EXCLUDED[4][1]
    [event], _ = assign(around({name: listed(name) for name in NAMES} | {"a": tie}))
    assert event.draw.exclusions == ()


def test_a_review_is_by_other_people_than_the_first() -> None:
    reviewers = around((*NAMES, "expert"))
    with pytest.raises(Refused) as caught:
        assign(reviewers, graded.state, which=w.AssignmentRound.REVIEW)
    assert caught.value.reason == "NOT_CONCLUDED"
    concluded = graded.after(confirm("expert-1"), confirm("expert-3")).state
    [event], _ = assign(reviewers, concluded, which=w.AssignmentRound.REVIEW)
    left_out = {x.assessor: x.reason for x in event.draw.exclusions}
    assert left_out == dict.fromkeys(("a", "expert", "expert-1"), REASON.EARLIER_ROUND)


def test_too_few_are_told_and_nothing_is_drawn() -> None:
    for register in (("a", "b"), ("expert-1",), ()):
        with pytest.raises(Refused) as caught:
            assign(around(register))
        assert caught.value.reason == "ASSESSORS_SHORT"


def test_when_people_are_assigned() -> None:
    states = {
        "NOT_ACCEPTED": applicant.after(submit(missing_papers=("x",))),
        "ASSESSED_ALREADY": accepted.after(form("a", bedridden())),
        "CONCLUDED_ALREADY": graded,
    }
    for reason, decider in states.items():
        with pytest.raises(Refused) as caught:
            assign(around(), decider.state)
        assert caught.value.reason == reason


def test_only_those_assigned_record_forms() -> None:
    [event], _ = assign(around())
    expert, lay = names(event)
    assigned = accepted.given(event)
    others = [name for name in NAMES if name not in {expert, lay}]
    assigned.when(form(others[0], bedridden())).then_refused("NOT_ASSIGNED", assessor=others[0])
    as_other = form(lay, bedridden(), assessor_kind=e.AssessorKind.EXPERT)
    assigned.when(as_other).then_refused("NOT_ASSIGNED", assigned_as="assessor")
    assert len(assigned.when(form(lay, bedridden())).events()) == 1


def test_the_next_one_takes_the_place_of_who_refuses() -> None:
    [event], [made] = assign(around())
    expert, lay = names(event)
    after, day = evolve(accepted.state, event), draws.evolve(DAY, made)
    wish = a.ReplaceAssessor(
        application=APPLICATION, assessor=lay, replacement_cause=w.ReplacementCause.REFUSED
    )
    one = after.applications[APPLICATION]

    [replaced], [second] = a.replace_one(wish, one, after, day, around(), PACK)

    assert names(replaced)[0] == expert
    assert names(replaced)[1] not in {expert, lay}
    assert replaced.draw.kept == (expert,)
    assert (second.number, len(second.assigned)) == (2, 1)
    excluded = {x.assessor for x in replaced.draw.exclusions}
    assert excluded == {expert, lay}
    ruling = Ruling.parse(replaced.ruling)
    again = a.rule_assignment(a.asked_in(ruling), (), PACK, ruling.code_version)
    assert again.to_bytes() == replaced.ruling
    later = evolve(after, replaced)
    with pytest.raises(Refused) as caught:
        a.replace_one(wish, later.applications[APPLICATION], later, day, around(), PACK)
    assert caught.value.reason == "NOT_ASSIGNED"


# -- the choice from the order --------------------------------------------------------------------

PEOPLE = st.permutations(NAMES)


def team(drawn: Any, **changed: Any) -> Team:
    told: dict[str, Any] = {
        "drawn": tuple(drawn),
        "experts": frozenset(name for name in NAMES if name.startswith("expert")),
        "near": frozenset(),
    }
    return Team(**(told | changed))


@settings(max_examples=60)
@for_all(
    drawn=PEOPLE,
    many=st.integers(0, 5),
    near=st.frozensets(st.sampled_from(NAMES)),
    last=st.frozensets(st.sampled_from(NAMES), max_size=2),
)
def test_a_choice_is_full_and_never_the_last_one_again(
    drawn: list[str], many: int, near: frozenset[str], last: frozenset[str]
) -> None:
    one = team(drawn[:many], near=near & set(drawn[:many]), last=last)
    chosen = choose(one, 2, 1)
    if chosen is None:
        experts = [name for name in one.drawn if name in one.experts]
        assert many < 2 or not experts or set(one.drawn) == last or len(one.drawn) <= 2
        return
    assert len(set(chosen)) == 2
    assert set(chosen) & one.experts
    assert set(chosen) <= set(one.drawn)
    assert frozenset(chosen) != last


def test_those_near_come_first_and_the_order_counts() -> None:
    drawn = ("b", "expert-2", "a", "expert-1", "c")
    assert choose(team(drawn), 2, 1) == ("expert-2", "b")
    near = frozenset({"a", "expert-1"})
    assert choose(team(drawn, near=near), 2, 1) == ("expert-1", "a")
    assert choose(team(drawn, near=near, last=near), 2, 1) == ("expert-1", "b")
    assert choose(team(("expert-2", "expert-1")), 2, 1) == ("expert-2", "expert-1")


# -- seeds ----------------------------------------------------------------------------------------

drawing: Any = Decider(draws.decide, draws.evolve, draws.DrawDay())
COMMIT = draws.CommitDrawSeed(pool=CHANGZHOU, drawn_date=TODAY, seed=SEED, today=TODAY)
REVEAL = draws.RevealDrawSeed(pool=CHANGZHOU, drawn_date=TODAY, seed=SEED, today=date(2024, 6, 4))


def test_a_seed_is_committed_once_before_and_told_after_its_day() -> None:
    drawing.when(REVEAL).then_refused("NOT_COMMITTED")
    committed = drawing.after(COMMIT)
    assert committed.state.commitment == commitment(SEED)
    committed.when(COMMIT).then()
    committed.when(replace(REVEAL, today=TODAY)).then_refused("DAY_NOT_OVER")
    [told] = committed.when(REVEAL).events()
    assert commitment(bytes.fromhex(told.seed)) == committed.state.commitment
    committed.after(REVEAL).when(REVEAL).then()
    with pytest.raises(Invalid):
        drawing.when(replace(COMMIT, today=date(2024, 6, 4))).events()


# -- the registers --------------------------------------------------------------------------------

bodies: Any = Decider(partial(b.decide, pack=PACK), b.evolve, b.Body())
people: Any = Decider(partial(p.decide, pack=PACK), p.evolve, p.Assessor())


def designate(*, delivers: bool = False, runs: bool = False, **changed: Any) -> b.DesignateBody:
    return b.DesignateBody(told=designated(**changed), delivers_care=delivers, runs_scheme=runs)


def suspend(day: date) -> b.SuspendBody:
    told = designated()
    return b.SuspendBody(
        told=b.AssessmentBodySuspended(
            body=told.body, pool=told.pool, start_date=day, cause="quality"
        )
    )


def restore(day: date) -> b.RestoreBody:
    told = designated()
    return b.RestoreBody(
        told=b.AssessmentBodyRestored(body=told.body, pool=told.pool, start_date=day, cause="ok")
    )


def test_a_body_that_cares_or_runs_the_scheme_does_not_assess() -> None:
    bodies.when(designate(delivers=True)).then_refused("NOT_INDEPENDENT", also="delivers_care")
    bodies.when(designate(runs=True)).then_refused("NOT_INDEPENDENT", also="runs_scheme")
    young = designate(operating_since_date=date(2022, 10, 2))
    bodies.when(young).then_refused("OPERATING_TOO_SHORT", months_required="3")
    bodies.when(designate()).then(designated())
    bodies.after(designate()).when(designate()).then()
    overlapping = designate(agreement_start_date=date(2024, 12, 31))
    bodies.after(designate()).when(overlapping).then_refused("AGREEMENT_RUNNING")


def test_an_agreement_rests_goes_on_and_ends() -> None:
    with pytest.raises(NotFound):
        bodies.when(suspend(TODAY)).events()
    there = bodies.after(designate())
    there.when(restore(TODAY)).then_refused("NOT_SUSPENDED")
    there.when(suspend(date(2025, 1, 1))).then_refused("AGREEMENT_OVER")
    resting = there.after(suspend(date(2024, 6, 1)))
    resting.when(suspend(date(2024, 6, 1))).then()
    assert not resting.state.in_force(TODAY)
    going = resting.after(restore(TODAY))
    going.when(restore(TODAY)).then()
    assert [going.state.in_force(date(2024, 6, day)) for day in (1, 2, 3)] == [False, False, True]
    end = b.EndBody(
        told=b.AssessmentBodyEnded(
            body=designated().body, pool=CHANGZHOU, end_date=TODAY, cause="asked"
        )
    )
    ended = going.after(end)
    ended.when(end).then()
    assert not ended.state.in_force(date(2024, 6, 4))
    later = designate(agreement_start_date=date(2025, 1, 1), agreement_end_date=date(2025, 12, 31))
    assert ended.after(later).state.in_force(date(2025, 6, 1))


def register(name: str = "a", **changed: Any) -> p.RegisterAssessor:
    return p.RegisterAssessor(**(vars(registered(name)) | changed))


def test_who_may_be_on_the_register() -> None:
    people.when(register()).then(registered("a"))
    people.after(register()).when(register()).then()
    refusals: list[tuple[p.RegisterAssessor, str]] = [
        (register(practice_since_date=date(2021, 3, 2)), "EXPERIENCE_TOO_SHORT"),
        (register("expert-1", title=w.ProfessionalTitle.JUNIOR), "TITLE_TOO_LOW"),
        (register(examined_date=None), "NOT_EXAMINED"),
        (register(trained_date=date(2024, 1, 1)), "NOT_EXAMINED"),
        (register(body=None), "BODY_NOT_IN_FORCE"),
        (register(body_in_force=False), "BODY_NOT_IN_FORCE"),
    ]
    for command, reason in refusals:
        people.when(command).then_refused(reason)
    assert len(people.when(register("expert-1", body=None)).events()) == 1
    people.after(register()).when(register(person=SHELTER)).then_refused("ANOTHER_PERSON")


def test_a_bar_holds_from_day_to_day_until_restored() -> None:
    bar = p.BarAssessor(
        told=p.AssessorBarred(
            assessor="a", pool=CHANGZHOU, start_date=date(2024, 6, 1), end_date=None, cause="x"
        )
    )
    back = p.RestoreAssessor(
        told=p.AssessorRestored(assessor="a", pool=CHANGZHOU, start_date=TODAY, cause="over")
    )
    with pytest.raises(NotFound):
        people.when(bar).events()
    there = people.after(register())
    there.when(back).then_refused("NOT_BARRED")
    barred = there.after(bar)
    barred.when(bar).then()
    restored = barred.after(back)
    restored.when(back).then()
    held = [restored.state.barred_on(date(2024, 6, day)) for day in (1, 2, 3)]
    assert held == [True, True, False]
    tie = p.DeclareTie(
        told=p.TieDeclared(
            assessor="a", pool=CHANGZHOU, tie_kind=w.TieKind.OTHER, provider=None,
            tied_person=PERSON, declared_date=TODAY,
        )
    )  # fmt: skip
    there.after(tie).when(tie).then()
    assert there.after(tie).state.people == {PERSON}


def test_a_pool_may_ask_for_a_draw_in_every_case() -> None:
    content = json.loads(PACK.content)
    content["files"]["assessment"]["assignment_required"]["values"][0]["value"] = True
    strict = Pack.parse(canonical(content))
    with pytest.raises(Refused) as caught:
        decide_all(form("a", bedridden()), accepted.state, strict)
    assert caught.value.reason == "NOT_ASSIGNED"
