"""From scores to a grade, and why."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from kernel.ids import derive
from kernel.refusal import Invalid
from kernel.rules.ruling import Fact, FactRef, Ruling
from services.assessment.domain.events import AssessorKind, ItemScore, OnSiteAssessed
from services.assessment.domain.grading import (
    Form,
    Question,
    Settlement,
    asked_in,
    check_scores,
    grade_in,
    rule_grade,
)
from services.assessment.domain.words import SettledBy
from tests.assessment.forms import bedridden, items, scores
from tests.support.packs import CHANGZHOU, CHENGDU, pack

STANDARD = pack(CHANGZHOU).standard()
DAY = date(2024, 4, 1)
APPLICATION, PERSON = derive("test", "application"), derive("test", "somebody")

any_scores = st.fixed_dictionaries(
    {item.code: st.sampled_from(item.scores) for item in STANDARD.items}
)


def form(told: dict[str, int], assessor: str = "a", **changed: Any) -> OnSiteAssessed:
    fields: dict[str, Any] = {
        "application": APPLICATION,
        "person": PERSON,
        "assessor": assessor,
        "assessor_kind": AssessorKind.EXPERT,
        "assessed_date": DAY,
        "scores": items(told),
        "evidence_hashes": (),
    }
    return OnSiteAssessed(**(fields | changed))


def ruled(told: dict[str, int], *earlier: OnSiteAssessed, pool: str = CHANGZHOU) -> Ruling:
    question = Question(
        application=APPLICATION, person=PERSON, pool=pool, form=Form.of(form(told, "b"))
    )
    facts = [
        Fact(FactRef("assessment", place, "0" * 32), event, datetime(2024, 4, 1, tzinfo=UTC))
        for place, event in enumerate(earlier or [form(told)], start=1)
    ]
    return rule_grade(question, facts, pack(pool), "test")


def settled(first: OnSiteAssessed, second: OnSiteAssessed, item: str, score: int = 0) -> Ruling:
    """After two forms that differ, this item is settled."""
    settlement = Settlement(
        item=item,
        score=score,
        settled_by=SettledBy.EXPERT,
        assessor="b",
        settled_date=DAY,
    )
    question = Question(
        application=APPLICATION, person=PERSON, pool=CHANGZHOU, settlement=settlement
    )
    facts = [
        Fact(FactRef("assessment", place, "0" * 32), event, datetime(2024, 4, 1, tzinfo=UTC))
        for place, event in enumerate((first, second), start=1)
    ]
    return rule_grade(question, facts, pack(CHANGZHOU), "test")


@pytest.mark.parametrize(
    ("told", "grade"),
    [
        (scores(), 0),
        (scores(adl_stairs=5), 1),
        (scores(cog_time=0, cog_person=0, cog_space=0, cog_memory=2), 1),
        (scores(adl_walking=0, adl_transfer=0, adl_stairs=0), 2),
        (bedridden(), 3),
        (bedridden(per_vision=0, per_hearing=0, per_communication=2), 4),
        (bedridden(cog_time=0, cog_person=0, cog_space=0, cog_memory=0), 5),
    ],
)
def test_levels_combine_to_the_grade(told: dict[str, int], grade: int) -> None:
    assert grade_in(ruled(told)) == grade


def test_the_pool_says_which_grades_it_pays_for() -> None:
    moderate = scores(adl_walking=0, adl_transfer=0, adl_stairs=0)

    assert ruled(moderate, pool=CHANGZHOU).reasons == ()
    assert ruled(moderate, pool=CHENGDU).reasons == ("GRADE_NOT_ELIGIBLE",)
    assert ruled(bedridden(), pool=CHENGDU).reasons == ()


def test_a_ruling_shows_every_sum_and_its_source() -> None:
    ruling = ruled(bedridden())

    outputs = [(step.label.partition(":")[0], step.output) for step in ruling.steps[3:]]
    assert [output for _, output in outputs] == [0, 3, 16, 0, 12, 0, 3, True]
    assert len(ruling.steps[3].inputs) == 10
    assert not ruling.verified  # the bands and the table were not read in the annex
    assert Ruling.parse(ruling.to_bytes()) == ruling


@for_all(told=any_scores)
def test_every_form_has_a_grade_and_can_be_asked_again(told: dict[str, int]) -> None:
    ruling = ruled(told)

    assert 0 <= grade_in(ruling) <= 5
    form_asked = asked_in(ruling).form
    assert form_asked is not None
    assert form_asked.scores == told
    assert asked_in(Ruling.parse(ruling.to_bytes())) == asked_in(ruling)


@for_all(told=any_scores, place=st.integers(0, 16))
def test_losing_an_ability_never_lowers_the_grade(told: dict[str, int], place: int) -> None:
    item = STANDARD.items[place]
    worse = told | {item.code: min(item.scores)}

    assert grade_in(ruled(worse)) >= grade_in(ruled(told))


def test_one_form_too_few_or_no_expert_is_a_reason() -> None:
    told = scores()
    layman = form(told, "b", assessor_kind=AssessorKind.ASSESSOR)
    question = Question(
        application=APPLICATION, person=PERSON, pool=CHANGZHOU, form=Form.of(layman)
    )

    ruling = rule_grade(question, [], pack(CHANGZHOU), "test")

    assert ruling.reasons == ("ASSESSORS_MISSING", "EXPERT_MISSING", "GRADE_NOT_ELIGIBLE")
    assert ruled(told, form(scores(adl_bathing=0))).reasons[0] == "FORMS_DISAGREE"


def test_what_is_wrong_with_a_form_is_told_item_by_item() -> None:
    told = list(items(scores()))
    told[3] = ItemScore(item="adl_bowel", score=7)
    told[5] = ItemScore(item="adl_flying", score=0)
    told[6] = told[0]

    with pytest.raises(Invalid) as caught:
        check_scores(told, STANDARD)

    assert [(v.field, v.reason) for v in caught.value.violations] == [
        ("scores[3].score", "SCORE_NOT_ALLOWED"),
        ("scores[5].item", "UNKNOWN_ITEM"),
        ("scores[6].item", "ITEM_TWICE"),
        ("scores", "ITEMS_MISSING"),
    ]
    assert "adl_toilet, adl_walking" in caught.value.violations[-1].message
