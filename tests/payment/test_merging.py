"""Persons who turned out to be one: paid once a day, and each as before where it was wrong."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from random import Random
from typing import Any
from uuid import UUID

from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from kernel.calendar import Month
from kernel.ids import derive
from kernel.money import Money, yuan
from kernel.rules.ruling import FactRef
from services.payment.domain import entitlement as e
from services.payment.domain.benefit import rule_benefit
from services.payment.domain.course import Standing, State
from services.payment.domain.facts import CareForm, CaseFacts, LifeEvent, PersonFact
from services.payment.domain.merging import case_of, named_in
from services.payment.domain.timeline import Timeline
from tests.payment import cases as c
from tests.payment.test_properties import facts_of

ANNE, TWIN, THIRD = c.PERSON, derive("person", "twin"), derive("person", "third")
MERGE = c.merged(TWIN, ANNE, "05-01")
Told = Mapping[UUID, Sequence[Any]]


def standing(owned: Told, person: UUID, on: str) -> Standing:
    return Timeline(case(owned, person), c.CHANGZHOU, c.pack(c.CHANGZHOU)).on(c.day(on))


def case(owned: Told, person: UUID) -> CaseFacts:
    return case_of(person, owned)


def test_of_two_entitlements_the_duplicates_ends_with_the_merge() -> None:
    owned: Told = {ANNE: [c.conclusion("03-01", 3)], TWIN: [c.conclusion("03-01", 4), MERGE]}

    assert standing(owned, TWIN, "04-30") == Standing(state=State.OPEN, grade=4)
    assert standing(owned, TWIN, "05-01") == Standing(state=State.ENDED, cause="MERGED")
    assert standing(owned, ANNE, "04-30").grade == 3
    assert standing(owned, ANNE, "05-01").state is State.OPEN


def test_an_entitlement_of_the_duplicate_goes_on_for_the_survivor() -> None:
    owned: Told = {ANNE: [], TWIN: [c.conclusion("03-01", 4), MERGE]}

    assert standing(owned, ANNE, "04-30").state is State.NONE
    assert standing(owned, ANNE, "05-01") == Standing(state=State.OPEN, grade=4)


def test_the_newest_conclusion_counts_whoever_it_was_told_of() -> None:
    older = [c.conclusion("02-01", 5), MERGE]
    assert standing({ANNE: [c.conclusion("03-01", 3)], TWIN: older}, ANNE, "05-01").grade == 3


def test_a_death_or_a_stay_told_of_one_holds_for_both() -> None:
    owned: Told = {
        ANNE: [c.conclusion("03-01", 3)],
        TWIN: [c.admission("04-10"), c.discharge("04-12"), c.death("06-10"), MERGE],
    }
    assert standing(owned, ANNE, "04-11").cause == "IN_HOSPITAL"
    assert standing(owned, ANNE, "06-11").cause == "DEATH"


def test_the_insurance_of_either_is_that_of_both() -> None:
    ended = [c.conclusion("03-01", 3), c.insured_again("01-01"), c.uninsured_after("04-30")]
    assert standing({ANNE: ended, TWIN: [MERGE]}, ANNE, "05-01").cause == "COVERAGE_ENDED"
    insured = [c.insured_again("01-01"), MERGE]
    assert standing({ANNE: ended, TWIN: insured}, ANNE, "05-01").state is State.OPEN


def test_nothing_rests_while_the_coverage_of_either_does_not() -> None:
    own = [c.conclusion("03-01", 3), c.insured_again("01-01"), *c.suspended("05-10")]
    twin = [c.insured_again("01-01"), MERGE]
    assert standing({ANNE: own, TWIN: [MERGE]}, ANNE, "05-10").cause == "SUSPENDED"
    assert standing({ANNE: own, TWIN: twin}, ANNE, "05-10").state is State.OPEN
    both = [*twin, *c.suspended("05-20", number=2)]
    assert standing({ANNE: own, TWIN: both}, ANNE, "05-19").state is State.OPEN
    assert standing({ANNE: own, TWIN: both}, ANNE, "05-20").cause == "SUSPENDED"


def test_a_merge_into_one_who_is_merged_later_goes_all_the_way_up() -> None:
    owned: Told = {
        ANNE: [],
        TWIN: [MERGE],
        THIRD: [c.conclusion("03-01", 4), c.merged(THIRD, TWIN, "04-01")],
    }
    assert standing(owned, THIRD, "04-01").cause == "MERGED"
    assert standing(owned, TWIN, "04-30").grade == 4
    assert standing(owned, TWIN, "05-01").cause == "MERGED"
    assert standing(owned, ANNE, "05-01").grade == 4


def paid(owned: Told, person: UUID, month: int) -> Money:
    found = rule_benefit(
        person,
        c.CHANGZHOU,
        Month(2024, month),
        facts=case(owned, person),
        pack=c.pack(c.CHANGZHOU),
        code_version=c.VERSION,
    )
    return found.eligible_cost


def test_care_counts_once_for_the_one_whose_case_it_is_on_the_day() -> None:
    care = [
        c.plan(CareForm.HOME_VISITS),
        *(c.visit(f"05-{n:02d}", "10") for n in range(1, 31)),
        c.conclusion("03-01", 3),
        c.merged(TWIN, ANNE, "05-11"),
    ]
    owned: Told = {ANNE: [c.conclusion("03-01", 3)], TWIN: care}
    assert (paid(owned, TWIN, 5), paid(owned, ANNE, 5)) == (yuan("100"), yuan("200"))


BOTH = st.tuples(facts_of(c.CHANGZHOU), facts_of(c.CHANGZHOU), st.integers(0, 120))


def rulings(owned: Told, person: UUID) -> list[bytes]:
    review = e.ReviewEntitlement(
        person=person,
        pool=c.CHANGZHOU,
        today=c.day("06-30"),
        facts=case(owned, person),
        pack=c.pack(c.CHANGZHOU),
        code_version=c.VERSION,
    )
    return [e.rule_entitlement(review, day).to_bytes() for day in review.timeline.course().days]


@settings(deadline=None, max_examples=40)
@for_all(BOTH)
def test_merged_and_split_the_rulings_are_as_before_to_the_byte(
    told: tuple[list[PersonFact], list[PersonFact], int],
) -> None:
    anne, twin, day = told
    merge = replace(MERGE, merged_date=c.day("02-01") + timedelta(days=day))
    before: Told = {ANNE: anne, TWIN: twin}
    after: Told = {ANNE: anne, TWIN: [*twin, merge, c.split(TWIN, ANNE)]}

    for person in (ANNE, TWIN):
        assert rulings(after, person) == rulings(before, person)


@settings(deadline=None, max_examples=40)
@for_all(BOTH, st.randoms(use_true_random=False))
def test_the_order_of_facts_around_a_merge_does_not_change_the_end(
    told: tuple[list[PersonFact], list[PersonFact], int], random: Random
) -> None:
    anne, twin, day = told
    said = {(one.source, one.report.thing) for one in anne if isinstance(one, LifeEvent)}
    twin = [
        one
        for one in twin
        if not isinstance(one, LifeEvent) or (one.source, one.report.thing) not in said
    ]
    facts = [(ANNE, fact) for fact in anne] + [(TWIN, fact) for fact in twin]
    facts.append((TWIN, replace(MERGE, merged_date=c.day("02-01") + timedelta(days=day))))
    ends = []
    for _ in range(2):
        random.shuffle(facts)
        owned: dict[UUID, list[PersonFact]] = {ANNE: [], TWIN: []}
        for place, (who, fact) in enumerate(facts, start=1):
            ref = FactRef(fact.ref.service, place, fact.ref.digest)
            owned[who].append(replace(fact, ref=ref))
        ends.append([_course(owned, person) for person in (ANNE, TWIN)])

    assert ends[0] == ends[1]


@settings(deadline=None, max_examples=40)
@for_all(BOTH)
def test_no_day_is_open_under_two_ids_from_the_merge_on(
    told: tuple[list[PersonFact], list[PersonFact], int],
) -> None:
    anne, twin, day = told
    merge = replace(MERGE, merged_date=c.day("02-01") + timedelta(days=day))
    owned: Told = {ANNE: anne, TWIN: [*twin, merge]}
    own = Timeline(case(owned, TWIN), c.CHANGZHOU, c.pack(c.CHANGZHOU))
    for n in range(day, 150):
        on: date = c.day("02-01") + timedelta(days=n)
        assert not own.on(on).runs
        assert own.course().on(on) == own.on(on)


def test_the_merge_names_whose_facts_are_needed() -> None:
    assert named_in({ANNE: [MERGE]}) == {ANNE, TWIN}
    assert named_in({ANNE: [c.conclusion("03-01")]}) == frozenset()


def _course(owned: Told, person: UUID) -> object:
    return Timeline(case(owned, person), c.CHANGZHOU, c.pack(c.CHANGZHOU)).course()
