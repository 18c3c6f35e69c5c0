"""Which visits count: the latest verdict on each, and none whose payment a flag holds."""

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from random import Random
from uuid import UUID

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from kernel.calendar import Month
from kernel.ids import derive
from kernel.money import Money, yuan
from kernel.rules.pack import Pack
from kernel.rules.ruling import FactRef, Ruling, canonical
from services.payment.domain.benefit import Found, rule_benefit
from services.payment.domain.facts import (
    CareForm,
    CaseFacts,
    ClaimLine,
    Delivered,
    FlagDecided,
    Flagged,
    PersonFact,
    Rejected,
)
from tests.payment import cases as c

HELD, VERDICT = "payment.held_visits", "payment.latest_verdict"
FIRST, SECOND = c.visit("03-04", "80"), c.visit("03-06", "60")


def standing() -> list[PersonFact]:
    """Home visits all through March in Changzhou, where the fund pays their cost."""
    return [c.conclusion("03-01"), c.plan(CareForm.HOME_VISITS)]


def march(*facts: PersonFact) -> Found:
    return c.benefit(c.CHANGZHOU, "03", *standing(), *facts)


def rejected(visit: UUID) -> Rejected:
    return Rejected(ref=c.ref("provider"), visit=visit)


def again(visit: Delivered, cost: str) -> Delivered:
    return replace(visit, ref=c.ref("provider"), cost=yuan(cost))


def flagged(visit: UUID, detector: str = "impossible_travel") -> Flagged:
    flag = derive("flag", detector, "1", str(visit))
    return Flagged(ref=c.ref("provider"), flag=flag, visit=visit, detector=detector)


def decided(flag: Flagged, *, confirmed: bool) -> FlagDecided:
    return FlagDecided(ref=c.ref("provider"), flag=flag.flag, visit=flag.visit, confirmed=confirmed)


def steps(ruling: Ruling, clause: str) -> list[tuple[str, dict[str, str | int]]]:
    return [(step.label, dict(step.inputs)) for step in ruling.steps if step.clause == clause]


# -- the latest verdict ---------------------------------------------------------------------------


def test_a_visit_that_is_rejected_after_all_does_not_count() -> None:
    no = rejected(FIRST.visit)

    found = march(FIRST, SECOND, no)

    assert found.eligible_cost == yuan("60")
    assert steps(found.ruling, VERDICT) == [
        (
            "the latest verdict says that the visit counts",
            {"visit": str(FIRST.visit), "care_date": "2024-03-04", "cost_fen": 8000},
        )
    ]
    assert {FIRST.ref, no.ref} <= set(found.ruling.facts)


def test_a_visit_that_is_delivered_again_counts_with_its_new_cost() -> None:
    no = rejected(FIRST.visit)
    yes = again(FIRST, "90")

    found = march(FIRST, no, yes)

    assert found.eligible_cost == yuan("90")
    assert steps(found.ruling, VERDICT) == []
    assert yes.ref in found.ruling.facts
    assert {FIRST.ref, no.ref}.isdisjoint(found.ruling.facts)


def test_a_later_verdict_may_give_a_visit_another_month() -> None:
    moved = replace(again(FIRST, "80"), care_date=c.day("04-02"))

    assert march(FIRST, moved).eligible_cost == Money(0)
    april = c.benefit(c.CHANGZHOU, "04", *standing(), FIRST, moved)
    assert april.eligible_cost == yuan("80")


def test_a_rejection_of_a_visit_that_was_never_delivered_changes_not_a_byte() -> None:
    facts: list[PersonFact] = [*standing(), FIRST]

    told = c.benefit(c.CHANGZHOU, "03", *facts, rejected(SECOND.visit))

    assert told.ruling.to_bytes() == c.benefit(c.CHANGZHOU, "03", *facts).ruling.to_bytes()


# -- flags ----------------------------------------------------------------------------------------


def test_an_open_flag_holds_the_payment_of_its_visit_and_of_no_other() -> None:
    flag = flagged(FIRST.visit)

    found = march(FIRST, SECOND, flag)

    assert found.eligible_cost == yuan("60")
    assert steps(found.ruling, HELD) == [
        (
            "no open flag holds the payment of the visit",
            {
                "visit": str(FIRST.visit),
                "care_date": "2024-03-04",
                "cost_fen": 8000,
                "detectors": "impossible_travel",
            },
        )
    ]
    assert flag.ref in found.ruling.facts


def test_a_visit_is_held_while_any_of_its_flags_is_open() -> None:
    cleared, still = flagged(FIRST.visit), flagged(FIRST.visit, "shared_device")
    end = decided(cleared, confirmed=False)

    found = march(FIRST, cleared, still, end)

    assert found.eligible_cost == Money(0)
    assert [told["detectors"] for _, told in steps(found.ruling, HELD)] == ["shared_device"]
    assert still.ref in found.ruling.facts
    assert {cleared.ref, end.ref}.isdisjoint(found.ruling.facts)


def test_a_visit_that_was_cleared_counts_as_if_nothing_had_been() -> None:
    flag = flagged(FIRST.visit)
    facts: list[PersonFact] = [*standing(), FIRST]

    told = c.benefit(c.CHANGZHOU, "03", *facts, flag, decided(flag, confirmed=False))

    assert told.ruling.to_bytes() == c.benefit(c.CHANGZHOU, "03", *facts).ruling.to_bytes()


def test_a_confirmed_flag_keeps_its_visit_out_for_good() -> None:
    flag, other = flagged(FIRST.visit), flagged(FIRST.visit, "shared_device")
    end = decided(flag, confirmed=True)

    found = march(FIRST, SECOND, flag, other, end, decided(other, confirmed=False))

    assert found.eligible_cost == yuan("60")
    assert [label for label, _ in steps(found.ruling, HELD)] == [
        "no flag on the visit was confirmed"
    ]
    assert {flag.ref, end.ref} <= set(found.ruling.facts)
    assert other.ref not in found.ruling.facts


def test_of_two_decisions_on_a_flag_the_later_counts() -> None:
    flag = flagged(FIRST.visit)
    confirmed, cleared = decided(flag, confirmed=True), decided(flag, confirmed=False)

    assert march(FIRST, flag, confirmed, cleared).eligible_cost == yuan("80")


def test_a_flag_touches_neither_the_entitlement_nor_a_cash_benefit() -> None:
    cash: list[PersonFact] = [c.conclusion("03-01"), c.plan(CareForm.FAMILY_CARER), FIRST]
    flag = flagged(FIRST.visit)

    held = c.benefit(c.CHANGZHOU, "03", *cash, flag)

    assert held.components == c.benefit(c.CHANGZHOU, "03", *cash).components
    assert held.fund_share > Money(0)


def test_a_flag_on_a_visit_that_does_not_count_anyway_is_not_told() -> None:
    late = c.visit("02-20", "80")  # before the entitlement

    found = c.benefit(c.CHANGZHOU, "02", *standing(), late, flagged(late.visit))

    assert steps(found.ruling, HELD) == []


@pytest.mark.parametrize("confirmed", [False, True])
def test_a_flag_on_a_rejected_visit_leaves_the_rejection_to_speak(confirmed: bool) -> None:
    flag = flagged(FIRST.visit)

    found = march(FIRST, flag, rejected(FIRST.visit), decided(flag, confirmed=confirmed))

    assert (len(steps(found.ruling, VERDICT)), steps(found.ruling, HELD)) == (1, [])


# -- claims, where a pool pays by them -------------------------------------------------------------


@cache
def by_claims() -> Pack:
    """Changzhou's pack, if it paid visits by their claims."""
    told = json.loads(c.pack(c.CHANGZHOU).content)
    [value] = told["files"]["provider"]["claim_required"]["values"]
    value["value"] = True
    return Pack.parse(canonical(told))


def claimed(visit: UUID, approved: str = "", line: str = "line") -> ClaimLine:
    return ClaimLine(
        ref=c.ref("provider"),
        line=derive("claim_line", line),
        visit=visit,
        approved=yuan(approved) if approved else None,
    )


def by_claim(*facts: PersonFact) -> Found:
    return in_march(by_claims(), [*standing(), *facts])


def in_march(rules: Pack, facts: Sequence[PersonFact]) -> Found:
    return rule_benefit(
        c.PERSON,
        c.CHANGZHOU,
        Month(2024, 3),
        facts=CaseFacts.of(facts),
        pack=rules,
        code_version=c.VERSION,
    )


def test_claims_are_informative_where_the_pool_does_not_ask_for_them() -> None:
    facts: list[PersonFact] = [*standing(), FIRST]

    told = c.benefit(c.CHANGZHOU, "03", *facts, claimed(FIRST.visit, "10"))

    assert told.ruling.to_bytes() == c.benefit(c.CHANGZHOU, "03", *facts).ruling.to_bytes()


def test_a_visit_counts_at_what_its_claim_approves() -> None:
    line = claimed(FIRST.visit, "70")

    found = by_claim(FIRST, SECOND, line)

    assert found.eligible_cost == yuan("70")
    assert [
        (step.verdict, dict(step.inputs), step.output)
        for step in found.ruling.steps
        if step.clause == "provider.claim_required"
    ] == [
        ("not_met", {"visits": 1, "cost_fen": 6000}, False),
        ("computed", {"visits": 1, "cost_fen": 8000}, 7000),
    ]
    assert line.ref in found.ruling.facts


def test_the_newest_event_of_a_line_counts() -> None:
    first, refused = claimed(FIRST.visit, "80"), claimed(FIRST.visit)
    other = claimed(FIRST.visit, "75", line="other")

    assert by_claim(FIRST, first, refused).eligible_cost == Money(0)
    assert by_claim(FIRST, first, refused, other).eligible_cost == yuan("75")


def test_no_claim_brings_more_than_the_visit_costs() -> None:
    assert by_claim(FIRST, claimed(FIRST.visit, "80"), again(FIRST, "60")).eligible_cost == yuan(
        "60"
    )


def test_a_claim_frees_no_visit_that_is_held() -> None:
    found = by_claim(FIRST, claimed(FIRST.visit, "80"), flagged(FIRST.visit))

    assert found.eligible_cost == Money(0)
    assert len(steps(found.ruling, HELD)) == 1


# -- whatever the order ---------------------------------------------------------------------------


@st.composite
def streams(draw: st.DrawFn) -> list[list[PersonFact]]:
    """What was recorded, a list a stream: verdicts of each visit, each flag with its decisions."""
    found: list[list[PersonFact]] = [[fact] for fact in standing()]
    for number in range(draw(st.integers(1, 4))):
        visit = c.visit("03-11", "50", number=number)
        verdicts: list[PersonFact] = []
        for counts in draw(st.lists(st.booleans(), min_size=1, max_size=3)):
            cost = f"{draw(st.integers(1, 90))}"
            verdicts.append(again(visit, cost) if counts else rejected(visit.visit))
        found.append(verdicts)
        for name in draw(st.sets(st.sampled_from(("x", "y")), max_size=1)):
            outcomes = draw(st.lists(st.sampled_from(("", "30", "70")), min_size=1, max_size=3))
            found.append([claimed(visit.visit, one, f"{number}{name}") for one in outcomes])
        for detector in draw(st.sets(st.sampled_from(("a", "b", "c")), max_size=2)):
            flag = flagged(visit.visit, detector)
            ends = draw(st.lists(st.booleans(), max_size=2))
            found.append([flag, *(decided(flag, confirmed=end) for end in ends)])
    return found


def woven(told: list[list[PersonFact]], random: Random) -> list[PersonFact]:
    """One log of all: each stream keeps its order, and between them any order may be."""
    left = [list(stream) for stream in told]
    log: list[PersonFact] = []
    while left := [stream for stream in left if stream]:
        log.append(random.choice(left).pop(0))
    return c.rearranged(log)


@for_all(streams(), st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_change_the_month(
    told: list[list[PersonFact]], random: Random
) -> None:
    months = []
    for _ in range(2):
        log = woven(told, random)
        read = list(log)
        random.shuffle(read)  # nor does the order in which facts are read
        months.append((c.benefit(c.CHANGZHOU, "03", *read), in_march(by_claims(), read)))

    for one, other in zip(*months, strict=True):
        assert (one.components, one.eligible_cost) == (other.components, other.eligible_cost)
        assert [step.inputs for step in one.ruling.steps] == [s.inputs for s in other.ruling.steps]


@for_all(streams(), st.randoms(use_true_random=False))
def test_a_month_stands_on_the_facts_it_names_alone(
    told: list[list[PersonFact]], random: Random
) -> None:
    log = woven(told, random)
    for rules in (c.pack(c.CHANGZHOU), by_claims()):
        ruling = in_march(rules, log).ruling
        named: set[FactRef] = set(ruling.facts)

        again = in_march(rules, [fact for fact in log if fact.ref in named])

        assert again.ruling.to_bytes() == ruling.to_bytes()
