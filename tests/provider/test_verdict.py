"""Whether a visit counts: each condition alone, and what holds for all visits."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from kernel.ids import derive
from kernel.money import total, yuan
from kernel.refusal import NotFound
from kernel.rules.ruling import Ruling
from services.provider.domain.caregiver import CaregiverRegistered
from services.provider.domain.plan import PlanEnded
from services.provider.domain.provider import AgreementSuspended
from services.provider.domain.standing import SanctionMeasure
from services.provider.domain.verdict import (
    Basis,
    ConfirmedBy,
    ItemDone,
    Question,
    medical_cost,
    question_of,
    rule_visit,
    staff_of,
)
from tests.provider import designated
from tests.provider.care import (
    ADMITTED,
    APPROVED,
    CAREGIVER,
    CHANGZHOU,
    PERSON,
    PLAN,
    POOL,
    PROVIDER,
    REGISTERED,
    VISIT,
    as_facts,
    at,
    price,
)

GOOD = Question(
    visit=VISIT,
    plan=PLAN,
    caregiver=CAREGIVER,
    start_time=at("09:00"),
    end_time=at("10:00"),
    distance_m=111,
    items=(ItemDone(item="bath", price=yuan("60")),),
    confirmed_by=ConfirmedBy.FAMILY,
)
FACTS: tuple[object, ...] = (ADMITTED, price(), REGISTERED, APPROVED)
ENDED = PlanEnded(plan=PLAN, person=PERSON, pool=POOL, end_date=date(2024, 3, 3), cause="ENDED")
RESTS = AgreementSuspended(provider=PROVIDER, start_date=date(2024, 3, 4), cause="虚假服务")
ORDER = (
    "PLAN_NOT_IN_FORCE",
    "PROVIDER_SUSPENDED",
    "AGREEMENT_SUSPENDED",
    "AGREEMENT_ENDED",
    "CAREGIVER_NOT_REGISTERED",
    "CAREGIVER_BARRED",
    "CERTIFICATE_REVOKED",
    "TOO_FAR",
    "TOO_SHORT",
    "NOT_CONFIRMED",
)


def ruled(question: Question = GOOD, *events: object) -> Ruling:
    return rule_visit(question, basis(*(events or FACTS)))


def basis(*events: object) -> Basis:
    return Basis(facts=as_facts(*events), pack=CHANGZHOU, code_version="test")


def test_a_visit_that_meets_every_condition_counts() -> None:
    ruling = ruled()

    assert (ruling.outcome, ruling.reasons) == ("delivered", ())
    assert ruling.amounts == {"cost": 6000}
    assert [fact.position for fact in ruling.facts] == [1, 2, 3, 4]
    assert [step.verdict for step in ruling.steps] == ["met"] * 6 + ["computed"]


@pytest.mark.parametrize(
    ("reason", "changes", "events"),
    [
        ("PLAN_NOT_IN_FORCE", {}, (*FACTS, ENDED)),
        ("PLAN_NOT_IN_FORCE", {}, (*FACTS[:3], replace(APPROVED, start_date=date(2024, 3, 5)))),
        ("PROVIDER_SUSPENDED", {}, (*FACTS, RESTS)),
        (
            "PROVIDER_SUSPENDED",
            {},
            (replace(ADMITTED, agreement_end_date=date(2024, 3, 3)), *FACTS[1:]),
        ),
        ("CAREGIVER_NOT_REGISTERED", {}, (ADMITTED, price(), APPROVED)),
        (
            "CAREGIVER_NOT_REGISTERED",
            {},
            (ADMITTED, price(), APPROVED, replace(REGISTERED, registered_date=date(2024, 3, 5))),
        ),
        (
            "CAREGIVER_NOT_REGISTERED",
            {},
            (ADMITTED, price(), APPROVED, replace(REGISTERED, provider=derive("other"))),
        ),
        ("AGREEMENT_SUSPENDED", {}, (*FACTS, designated.SUSPENDED)),
        ("AGREEMENT_ENDED", {}, (*FACTS, designated.TERMINATED)),
        ("CAREGIVER_BARRED", {}, (*FACTS, designated.BARRED)),
        ("CERTIFICATE_REVOKED", {}, (*FACTS, designated.EXAMINED[0], designated.REVOKED)),
        ("TOO_FAR", {"distance_m": 501}, FACTS),
        ("TOO_SHORT", {"end_time": at("09:49")}, FACTS),  # the bath takes 50 minutes
        ("TOO_SHORT", {"end_time": at("09:29")}, (ADMITTED, price(minutes=0), *FACTS[2:])),
        ("NOT_CONFIRMED", {"confirmed_by": None}, FACTS),
        ("NOT_CONFIRMED", {"disputed": True}, FACTS),
    ],
)
def test_one_condition_not_met_is_enough(
    reason: str, changes: dict[str, Any], events: tuple[object, ...]
) -> None:
    ruling = ruled(replace(GOOD, **changes), *events)

    assert ("rejected", (reason,)) == (ruling.outcome, ruling.reasons)
    assert ruling.amounts == {"cost": 6000}  # what is not paid


def test_what_was_over_or_lifted_by_the_day_of_care_does_not_count_against_the_visit() -> None:
    past = (designated.SUSPENDED_A_WEEK, designated.BARRED, designated.RESTORED)
    ruling = ruled(GOOD, *FACTS, *past, *designated.EXAMINED, designated.REVOKED)

    assert ruling.reasons == ()
    assert len(ruling.steps) == len(ruled().steps) + 3


def test_sanctions_of_others_and_milder_ones_leave_no_trace_in_the_ruling() -> None:
    milder = replace(designated.SUSPENDED, measure=SanctionMeasure.TALK)
    strange = replace(designated.SUSPENDED, provider=derive("other"))
    held = replace(designated.BARRED, person=derive("other"))

    assert ruled(GOOD, *FACTS, milder, strange, held).steps == ruled().steps


def test_a_later_agreement_covers_its_own_days() -> None:
    over = replace(ADMITTED, agreement_end_date=date(2024, 1, 31))

    assert ruled(GOOD, over, *FACTS[1:]).reasons == ("PROVIDER_SUSPENDED",)
    assert ruled(GOOD, over, *FACTS[1:], designated.SIGNED).reasons == ()


def test_limits_themselves_are_still_good() -> None:
    edge = replace(GOOD, distance_m=500, end_time=at("09:50"))

    assert ruled(edge).outcome == "delivered"


def test_the_minutes_of_all_items_are_needed() -> None:
    hair = price(item="hair", amount="20", minutes=20)
    both = replace(GOOD, items=(*GOOD.items, ItemDone(item="hair", price=yuan("20"))))

    assert ruled(both, *FACTS, hair).reasons == ("TOO_SHORT",)
    assert ruled(replace(both, end_time=at("10:10")), *FACTS, hair).reasons == ()


def test_the_ruling_names_only_the_facts_it_stood_on() -> None:
    strange = (
        replace(APPROVED, plan=derive("other plan")),
        replace(ADMITTED, provider=derive("other provider")),
        price(item="hair"),
        price(since=date(2024, 3, 5)),
        CaregiverRegistered(**(vars(REGISTERED) | {"caregiver": derive("other carer")})),
    )

    assert [fact.position for fact in ruled(GOOD, *strange, *FACTS).facts] == [6, 7, 8, 9]


def test_a_plan_that_is_not_among_the_facts_cannot_be_judged() -> None:
    with pytest.raises(NotFound):
        ruled(GOOD, ADMITTED, price(), REGISTERED)


questions = st.builds(
    Question,
    visit=st.just(VISIT),
    plan=st.just(PLAN),
    caregiver=st.sampled_from([CAREGIVER, derive("other carer")]),
    start_time=st.dates(date(2023, 12, 1), date(2025, 1, 31)).map(lambda day: at("09:00", day)),
    end_time=st.just(at("10:00")),
    distance_m=st.integers(0, 1000),
    items=st.lists(
        st.builds(ItemDone, item=st.sampled_from(["bath", "hair"]), price=st.just(yuan("60"))),
        min_size=1,
        max_size=2,
        unique_by=lambda done: done.item,
    ).map(tuple),
    confirmed_by=st.sampled_from([None, *ConfirmedBy]),
    disputed=st.booleans(),
).map(lambda q: replace(q, end_time=q.start_time.replace(minute=q.distance_m % 60, hour=10)))
more = st.sets(
    st.sampled_from(
        [
            ENDED,
            RESTS,
            price(item="hair", amount="20", minutes=20),
            designated.SIGNED,
            designated.SUSPENDED,
            designated.SUSPENDED_A_WEEK,
            designated.TERMINATED,
            designated.BARRED,
            designated.EXAMINED[0],
            designated.REVOKED,
        ]
    )
)


@for_all(question=questions, more=more)
def test_a_verdict_can_be_made_again_from_what_its_ruling_names(
    question: Question, more: set[object]
) -> None:
    known = basis(*FACTS, *sorted(more, key=repr))
    ruling = rule_visit(question, known)
    named = tuple(fact for fact in known.facts if fact.ref in ruling.facts)

    again = rule_visit(question_of(Ruling.parse(ruling.to_bytes())), replace(known, facts=named))

    assert ruling.to_bytes() == again.to_bytes()


@for_all(question=questions, more=more)
def test_reasons_come_in_one_order_and_decide_alone(question: Question, more: set[object]) -> None:
    ruling = rule_visit(question, basis(*FACTS, *sorted(more, key=repr)))

    assert [reason for reason in ORDER if reason in ruling.reasons] == list(ruling.reasons)
    assert ("rejected" if ruling.reasons else "delivered") == ruling.outcome
    assert {"cost": total(done.price for done in question.items).fen} == ruling.amounts
    assert len(ruling.reasons) == sum(step.verdict == "not_met" for step in ruling.steps)


def test_the_kind_of_staff_is_what_the_register_says_on_the_day_of_care() -> None:
    nurse = replace(REGISTERED, staff="nurse")
    later = replace(REGISTERED, staff="therapist", registered_date=date(2024, 3, 5))
    elsewhere = replace(REGISTERED, staff="therapist", provider=derive("other"))

    assert staff_of(GOOD, PROVIDER, basis(*FACTS)) == ""
    assert staff_of(GOOD, PROVIDER, basis(*FACTS, nurse, later, elsewhere)) == "nurse"


def test_medical_care_is_told_from_life_care_by_the_price_list() -> None:
    dressing = replace(price("dressing", "25"), medical=True)
    both = replace(GOOD, items=(*GOOD.items, ItemDone(item="dressing", price=yuan("25"))))

    assert medical_cost(GOOD, PROVIDER, basis(*FACTS)) == yuan("0")
    assert medical_cost(both, PROVIDER, basis(*FACTS, dressing)) == yuan("25")
