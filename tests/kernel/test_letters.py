"""A letter says what its ruling says, in two languages, and the same letter is the same bytes."""

import json
import re
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from kernel.letters import issued
from kernel.letters.compose import (
    FactTold,
    LetterDamaged,
    Matter,
    compose,
    letter_id,
    read,
)
from kernel.letters.issued import IssueLetter, Letter, LetterIssued
from kernel.letters.phrases import phrases
from kernel.rules.pack import Pack
from kernel.rules.reading import PackInvalid
from kernel.rules.ruling import FactRef, Ruling, canonical
from tests.assessment import test_grading as grading
from tests.assessment.forms import bedridden, scores
from tests.explain.made import eligibilities, entitlements, grades, procedures
from tests.support.packs import CHANGZHOU, pack
from tests.support.spec import Decider

CHINESE = re.compile(r"[\u4e00-\u9fff]")
DAY = date(2024, 7, 8)
GRADE = grading.ruled(bedridden())
NO_BENEFIT = grading.ruled(scores())
FACT = FactTold(
    ref=FactRef("assessment", 4, "0" * 32),
    event="OnSiteAssessed",
    about="2024-04-01",
    known="2024-04-01T09:00+08:00",
    says={"assessor": "a-1", "assessor_kind": "expert"},
)
any_ruling = st.one_of(grades(), procedures(), entitlements(), eligibilities())


def matter(*rulings: Ruling, kind: str = "conclusion", **changed: Any) -> Matter:
    told = rulings or (GRADE,)
    fields: dict[str, Any] = {
        "kind": kind,
        "letter": letter_id(kind, "test"),
        "person": grading.PERSON,
        "pool": told[0].pool,
        "application": grading.APPLICATION,
        "decision": "ConclusionDelivered",
        "decision_digest": "0" * 32,
        "rulings": told,
        "recorded": told[0],
        "facts": (FACT,),
        "officer": "desk-7",
        "issued_date": DAY,
    }
    return Matter(**(fields | changed))


def document(of: Matter, found: Pack | None = None) -> dict[str, Any]:
    letter = compose(of, found or pack(of.pool))
    return read(letter.document, letter.hash)


def pairs(told: Any) -> list[dict[str, str]]:
    """Every text of a document that stands in both languages."""
    if isinstance(told, dict):
        if set(told) == {"zh", "en"}:
            return [told]
        return [pair for value in told.values() for pair in pairs(value)]
    return [pair for value in told for pair in pairs(value)] if isinstance(told, list) else []


@settings(max_examples=40, deadline=None)
@for_all(any_ruling, st.sampled_from(sorted(phrases().kinds)))
def test_a_letter_of_any_ruling_says_all_in_both_languages(ruling: Ruling, kind: str) -> None:
    told = document(matter(ruling, kind=kind))

    for pair in pairs({name: value for name, value in told.items() if name != "to"}):
        for lang, text in pair.items():
            assert "{" not in text, text
            assert bool(text) == bool(pair["zh"]), (lang, pair)
    for text in [*told["outcomes"], *told["changes"], *(one["text"] for one in told["grounds"])]:
        assert CHINESE.search(text["zh"]), text
        assert not CHINESE.search(text["en"]), text
    assert [one["clause"] for one in told["grounds"]] == [step.clause for step in ruling.steps]
    for one in told["grounds"]:
        assert one["mark"]["zh"], "says whether its text was read"
    assert told["remedies"]
    assert told["officer"] == "desk-7"
    assert told["office"]["zh"]


@settings(max_examples=25, deadline=None)
@for_all(any_ruling)
def test_a_letter_composed_twice_is_the_same_bytes(ruling: Ruling) -> None:
    of = matter(ruling)

    first, again = compose(of, pack(of.pool)), compose(of, Pack.parse(pack(of.pool).content))

    assert first == again
    assert canonical(json.loads(first.document)) == first.document


@pytest.mark.parametrize("kind", sorted(phrases().kinds))
def test_every_kind_of_letter_has_its_own_head_and_number(kind: str) -> None:
    told = document(matter(kind=kind))
    one = phrases().kinds[kind]

    assert told["title"] == {"zh": one.title.zh, "en": one.title.en}
    assert f"{one.mark}〔2024〕" in told["number"]["zh"]
    assert f" {one.code}-2024-" in told["number"]["en"]
    assert len({k.code for k in phrases().kinds.values()}) == len(phrases().kinds)
    assert set(one.remedies) <= set(phrases().remedies)


def test_a_letter_says_what_was_against_the_person_and_what_would_change_it() -> None:
    good, bad = document(matter(GRADE)), document(matter(NO_BENEFIT))

    assert (good["good"], good["reasons"], good["changes"]) == (True, [], [])
    assert bad["good"] is False
    assert bad["reasons"][0]["zh"] == "等级不在待遇范围 (GRADE_NOT_ELIGIBLE)"
    [against] = [one for one in bad["grounds"] if one["takes_away"]]
    assert against["clause"] == "assessment.eligible_grades"
    assert bad["changes"]


def test_the_last_day_to_ask_for_a_review_is_counted_by_the_pack() -> None:
    [review, appeal] = document(matter())["remedies"]

    assert review["until"] == "2024-07-15"  # five working days from Monday, 8 July
    assert "2024年7月15日" in review["text"]["zh"]
    assert "5 working days" in review["text"]["en"]
    assert "not read" in review["basis"]["en"]
    assert appeal["until"] == ""
    assert "询问" in appeal["text"]["zh"]


def with_pool_figure(name: str, value: object) -> Pack:
    """Changzhou's pack with a figure that no text was found for yet."""
    told = json.loads(pack(CHANGZHOU).content)
    figure = json.loads(json.dumps(told["files"]["pool"]["settlement_day"]))
    figure["values"][0]["value"] = value
    told["files"]["pool"][name] = figure
    return Pack.parse(canonical(told))


def test_an_office_that_the_pack_names_is_named() -> None:
    found = with_pool_figure("office", {"name_zh": "某中心", "name_en": "a centre"})

    known, unknown = document(matter(), found), document(matter())

    assert (known["office"], known["office_known"]) == ({"zh": "某中心", "en": "a centre"}, True)
    assert "某中心" in known["remedies"][0]["text"]["zh"]
    assert unknown["office_known"] is False
    assert unknown["office"]["zh"] == "常州市医疗保障经办机构"
    with pytest.raises(PackInvalid, match="name_en"):
        with_pool_figure("office", {"name_zh": "某中心"})


def test_a_period_to_object_counts_once_a_pack_knows_it() -> None:
    found = with_pool_figure("objection_days", {"days": 10, "kind": "calendar"})
    of = matter(kind="entitlement_paused")

    assert document(of, found)["remedies"][0]["until"] == "2024-07-18"
    assert document(of)["remedies"][0]["until"] == ""


def test_a_reason_without_words_is_not_passed_over() -> None:
    told = document(matter(replace(NO_BENEFIT, reasons=("LOCAL_RULE_7",))))

    assert any("LOCAL_RULE_7" in note["zh"] for note in told["notes"])
    assert len(document(matter(NO_BENEFIT))["notes"]) == 1  # on texts that were not read


def test_a_letter_about_somebody_who_died_goes_to_the_family() -> None:
    of = matter(replace(NO_BENEFIT, reasons=("DEATH",)))

    assert "家属" in document(of)["to"]["zh"]
    assert "{name}" in document(of)["to"]["zh"]
    assert "你" not in document(of)["opening"]["zh"]


def test_bytes_that_are_not_what_the_hash_names_are_no_letter() -> None:
    letter = compose(matter(), pack(CHANGZHOU))

    with pytest.raises(LetterDamaged):
        read(letter.document.replace("3级".encode(), "2级".encode()), letter.hash)


def test_a_letter_is_issued_once_and_stays_as_it_was_written() -> None:
    letters: Decider[IssueLetter, Letter, LetterIssued] = Decider(
        issued.decide, issued.evolve, Letter()
    )
    first = compose(matter(), pack(CHANGZHOU))
    other = compose(matter(NO_BENEFIT), pack(CHANGZHOU))

    letters.when(IssueLetter(told=first)).then(first)
    letters.given(first).when(IssueLetter(told=other)).then()


def test_both_languages_of_every_phrase_say_something_of_their_own() -> None:
    found = phrases()
    texts = [*found.lines.items(), *found.page.items()]
    for name, kind in found.kinds.items():
        texts += [(name, kind.title), (name, kind.opening)]
    for name, remedy in found.remedies.items():
        texts += [(name, remedy.title), (name, remedy.known), (name, remedy.unknown)]
    for name, text in texts:
        assert text.en.strip(), name
        assert not CHINESE.search(text.en), name
        if name not in {"number", "name_blank"}:
            assert CHINESE.search(text.zh), name
        assert name == "number" or text.places == _places(text.zh) == _places(text.en), name


def _places(text: str) -> set[str]:
    return set(re.findall(r"\{([a-z_]+)\}", text))


def test_a_letter_of_no_known_kind_is_not_written() -> None:
    with pytest.raises(KeyError, match="greeting"):
        compose(matter(kind="greeting"), pack(CHANGZHOU))
