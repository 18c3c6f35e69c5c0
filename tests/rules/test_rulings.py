"""A ruling has one spelling, and comes back from it."""

from collections.abc import Callable
from datetime import date

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from kernel.rules.ruling import Clause, FactRef, Ruling, Step, Trace, canonical, fact_digest

TEXTS = st.text(max_size=20)
SCALARS = TEXTS | st.integers() | st.booleans()
TABLES = st.dictionaries(TEXTS, SCALARS, max_size=4)
STEPS = st.builds(
    Step,
    clause=TEXTS,
    label=TEXTS,
    inputs=TABLES,
    output=SCALARS,
    verdict=st.sampled_from(["met", "not_met", "computed"]),
    citation=TEXTS,
    verified=st.booleans(),
)
FACTS = st.builds(
    FactRef, st.sampled_from(["enrollment", "provider"]), st.integers(1, 9), st.sampled_from("ab")
)
RULINGS = st.builds(
    Ruling,
    question=TEXTS,
    subject=TEXTS,
    pool=TEXTS,
    asked=TABLES,
    outcome=TEXTS,
    reasons=st.lists(TEXTS, max_size=3).map(tuple),
    amounts=st.dictionaries(TEXTS, st.integers(), max_size=3),
    facts=st.lists(FACTS, max_size=6).map(tuple),
    pack=TEXTS,
    steps=st.lists(STEPS, max_size=3).map(tuple),
    code_version=TEXTS,
)


def a_ruling(facts: tuple[FactRef, ...] = (), **asked: str) -> Ruling:
    return Ruling(
        question="entitled",
        subject="a person",
        pool="510100",
        asked=asked,
        outcome="granted",
        facts=facts,
        pack="510100@hash",
        code_version="1",
    )


@for_all(ruling=RULINGS)
def test_a_ruling_comes_back_from_its_bytes(ruling: Ruling) -> None:
    again = Ruling.parse(ruling.to_bytes())

    assert again == ruling
    assert again.to_bytes() == ruling.to_bytes()
    assert again.digest() == ruling.digest()


@for_all(data=st.data(), facts=st.lists(FACTS, max_size=6))
def test_the_order_in_which_facts_were_gathered_does_not_show(
    data: st.DataObject, facts: list[FactRef]
) -> None:
    shuffled = data.draw(st.permutations(facts))

    assert a_ruling(tuple(facts)).to_bytes() == a_ruling(tuple(shuffled)).to_bytes()


def test_the_bytes_are_sorted_dense_and_utf_8() -> None:
    assert canonical({"b": [1, True], "a": "失能"}) == '{"a":"失能","b":[1,true]}'.encode()


@pytest.mark.parametrize("value", [1.5, None, date(2024, 1, 1), b"x", {1: "one"}, {"a": [0.0]}])
def test_only_strings_whole_numbers_and_flags_are_spelled(value: object) -> None:
    with pytest.raises(TypeError):
        canonical(value)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda raw: raw.replace(b'"asked"', b' "asked"'),
        lambda raw: raw.replace(b"granted", b"granted\\u0041"),
        lambda raw: raw.replace(b'"amounts":{}', b'"amounts":{"a":1.0}'),
        lambda raw: raw.replace(b'"amounts":{}', b'"amounts":{"a":null}'),
        lambda raw: raw.replace(b'"outcome"', b'"outcame"'),
        lambda _: b"[]",
        lambda _: b"",
    ],
)
def test_another_spelling_is_refused(spoil: Callable[[bytes], bytes]) -> None:
    with pytest.raises(ValueError):
        Ruling.parse(spoil(a_ruling().to_bytes()))


def test_a_fact_is_named_by_its_type_and_payload() -> None:
    digest = fact_digest("ltci.payment.v1.BenefitPaid/1", b"payload")

    assert len(digest) == 32
    assert digest != fact_digest("ltci.payment.v1.BenefitPaid/2", b"payload")
    assert digest != fact_digest("ltci.payment.v1.BenefitPaid/1", b"Payload")


def test_a_trace_is_verified_as_long_as_every_step_is() -> None:
    read = Clause(key="a", citation="医保发〔2023〕29号", verified=True)
    recalled = Clause(key="b", citation="recalled", verified=False)
    trace = Trace()

    trace.met(read, "in time", {"days": 3})
    assert (
        trace.check(holds=False, clause=read, label="two experts", inputs={"experts": 1}) is False
    )
    assert trace.verified
    trace.computed(recalled, "grade", {"adl": 3}, 5)

    assert not trace.verified
    assert [step.verdict for step in trace.steps] == ["met", "not_met", "computed"]
    assert [step.output for step in trace.steps] == [True, False, 5]


def test_there_is_no_fourth_verdict() -> None:
    with pytest.raises(ValueError, match="verdict"):
        Step(
            clause="a",
            label="b",
            inputs={},
            output=1,
            verdict="maybe",  # type: ignore[arg-type]
            citation="c",
            verified=True,
        )
