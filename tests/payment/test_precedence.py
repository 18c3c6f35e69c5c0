"""Which conclusion counts: reviews, won appeals, stops, and the order in which they come."""

from datetime import date, timedelta
from functools import reduce
from random import Random

import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from services.payment.domain import entitlement as e
from services.payment.domain.course import Course, Standing, State
from services.payment.domain.facts import Authority, CaseFacts, Conclusion, PersonFact
from services.payment.domain.precedence import counting_on, reigns
from services.payment.domain.timeline import Timeline
from tests.payment import cases as c
from tests.payment.test_properties import review

FIRST = c.conclusion("02-01", 3, concluded="01-15", valid_until="06-14")
APPEAL, REVIEW = Authority.APPEAL, Authority.REVIEW


def on(when: str, *facts: PersonFact, today: str = "2030-01-01") -> Standing:
    case = CaseFacts.of(facts)
    timeline = Timeline(case, c.CHANGZHOU, c.pack(c.CHANGZHOU), today=c.day(today))
    return timeline.course().on(c.day(when))


def opened(grade: int) -> Standing:
    return Standing(state=State.OPEN, grade=grade)


def ended(cause: str) -> Standing:
    return Standing(state=State.ENDED, cause=cause)


def test_a_review_sets_the_first_conclusion_aside_from_the_same_day() -> None:
    second = c.again(FIRST, REVIEW, "02-01", 5, decided="02-20")
    assert on("02-01", FIRST, second) == on("05-01", FIRST, second) == opened(5)


def test_a_review_that_counts_later_lets_the_first_stand_until_then() -> None:
    second = c.again(FIRST, REVIEW, "03-01", 5, decided="02-20")
    assert on("02-29", FIRST, second) == opened(3)
    assert on("03-01", FIRST, second) == opened(5)


def test_a_review_without_benefit_ends_what_the_first_conclusion_gave() -> None:
    second = c.again(FIRST, REVIEW, "02-01", 1, decided="02-20", eligible=False)
    assert on("02-01", FIRST, second) == ended("RECOVERED")


def test_a_won_appeal_counts_from_its_day_even_before_the_first_conclusion() -> None:
    won = c.again(FIRST, APPEAL, "01-20", 4, decided="04-10")
    assert on("01-20", FIRST, won) == on("02-10", FIRST, won) == opened(4)


def test_an_appeal_ranks_over_the_review_it_goes_against() -> None:
    second = c.again(FIRST, REVIEW, "03-01", 1, decided="02-20", eligible=False)
    won = c.again(FIRST, APPEAL, "02-01", 4, decided="05-10", round=3)
    assert on("03-15", FIRST, second, won) == opened(4)


def test_who_refuses_a_reassessment_is_paid_until_the_month_after_the_validity() -> None:
    stop = c.stopped(FIRST, "07-01", refused="05-10")
    assert on("06-30", FIRST, stop) == opened(3)
    assert on("07-01", FIRST, stop) == ended("REASSESSMENT_REFUSED")


def test_a_refusal_after_the_validity_opens_nothing_again() -> None:
    stop = c.stopped(FIRST, "08-01", refused="07-10")
    assert on("06-15", FIRST, stop) == on("07-31", FIRST, stop) == ended("VALIDITY_EXPIRED")


def test_a_stop_yields_to_a_newer_assessment() -> None:
    stop = c.stopped(FIRST, "07-01", refused="05-10")
    newer = c.conclusion("07-01", 5, concluded="06-03")
    assert on("07-01", FIRST, stop, newer) == opened(5)


def test_a_won_appeal_against_a_stop_lifts_it() -> None:
    stop = c.stopped(FIRST, "07-01", refused="05-10")
    won = c.again(FIRST, APPEAL, "07-01", 3, decided="09-02")
    assert on("07-01", FIRST, stop, won) == on("12-01", FIRST, stop, won) == opened(3)


def test_a_later_stop_and_the_end_of_validity_leave_a_won_appeal_in_force() -> None:
    won = c.again(FIRST, APPEAL, "02-01", 4, decided="04-10")
    stop = c.stopped(FIRST, "07-01", refused="05-10")
    for when in ("07-01", "12-31", "2027-06-01"):  # valid until 9 April 2026 by itself
        assert on(when, FIRST, won, stop) == opened(4)


@pytest.mark.parametrize(
    "newer",
    [
        c.conclusion("09-01", 1, concluded="08-10", eligible=False),
        c.again(
            c.conclusion("08-01", 3, concluded="07-10"),
            REVIEW,
            "09-01",
            1,
            decided="08-20",
            eligible=False,
        ),
        c.again(FIRST, APPEAL, "09-01", 1, decided="08-20", eligible=False, round=3),
    ],
    ids=["assessment", "review", "appeal"],
)
def test_a_newer_decision_of_people_ends_what_an_appeal_established(newer: Conclusion) -> None:
    won = c.again(FIRST, APPEAL, "02-01", 4, decided="04-10")
    assert on("08-31", FIRST, won, newer) == opened(4)
    assert on("09-01", FIRST, won, newer) == ended("RECOVERED")


def test_facts_of_life_count_whoever_decided() -> None:
    won = c.again(FIRST, APPEAL, "02-01", 4, decided="04-10")
    assert on("08-01", FIRST, won, c.death("07-10")) == ended("DEATH")
    assert on("08-01", FIRST, won, c.moved("07-10")) == ended("MOVED_AWAY")
    # The panel spoke after the move, of the time before it.
    assert on("04-01", FIRST, won, c.moved("03-10")) == ended("MOVED_AWAY")
    assert on("08-01", FIRST, won, c.uninsured_after("07-10")) == ended("COVERAGE_ENDED")


def test_a_ruling_says_that_an_appeal_outranks() -> None:
    won = c.again(FIRST, APPEAL, "02-01", 4, decided="04-10")
    command = review(c.CHANGZHOU, [FIRST, won])
    steps = [step.clause for step in e.rule_entitlement(command, c.day("03-01")).steps]
    assert steps[0] == "payment.appeal_outranks"
    assert "payment.validity" not in steps


# Properties ------------------------------------------------------------------------------------

DAYS = st.integers(0, 500).map(lambda n: f"{c.day('01-15') + timedelta(days=n)}")
MONTHS = st.integers(2, 12).map(lambda month: f"2024-{month:02d}-01")


@st.composite
def conclusions(draw: st.DrawFn) -> list[Conclusion]:
    """First rounds, some with a review, an appeal and a stop, of any days."""
    found: list[Conclusion] = []
    for effective in draw(st.lists(MONTHS, min_size=1, max_size=3, unique=True)):
        eligible = draw(st.booleans()) or not found
        first = c.conclusion(
            effective,
            draw(st.integers(2, 5)) if eligible else 1,
            eligible=eligible,
            valid_until=draw(DAYS),
            concluded=draw(DAYS),
        )
        found.append(first)
        for number, authority in enumerate(draw(st.lists(st.sampled_from((REVIEW, APPEAL)))), 2):
            eligible = draw(st.booleans())
            grade = draw(st.integers(2, 5)) if eligible else 1
            found.append(
                c.again(
                    first,
                    authority,
                    draw(DAYS),
                    grade,
                    decided=draw(DAYS),
                    eligible=eligible,
                    round=number,
                )
            )
        if draw(st.booleans()):
            found.append(c.stopped(first, draw(DAYS), refused=draw(DAYS)))
    return found


def course(facts: list[Conclusion]) -> Course:
    return review(c.CHANGZHOU, list(facts)).timeline.course()


@settings(deadline=None)
@for_all(conclusions(), MONTHS, DAYS)
def test_no_automatic_event_touches_what_an_appeal_established(
    facts: list[Conclusion], effective: str, refused: str
) -> None:
    later = c.stopped(facts[0], effective, refused=refused)
    before, after = CaseFacts.of(facts).conclusions, CaseFacts.of([*facts, later]).conclusions
    without, with_it = course(facts), course([*facts, later])
    for n in range(0, 720, 15):
        day = date(2024, 1, 1) + timedelta(days=n)
        counting = counting_on(before, day)
        if counting is not None and counting.authority is APPEAL:
            assert counting_on(after, day) is counting
            assert with_it.on(day) == without.on(day)
            assert counting.eligible == (without.on(day).state is State.OPEN)


@settings(deadline=None)
@for_all(conclusions(), st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_matter(facts: list[Conclusion], random: Random) -> None:
    shuffled = list(facts)
    random.shuffle(shuffled)
    ends = []
    for order in (facts, shuffled):
        recorded, known = Course(), []
        for fact in order:
            known.append(fact)
            events = e.decide(review(c.CHANGZHOU, list(known)), recorded)
            recorded = reduce(e.evolve, events, recorded)
        ends.append(recorded)
    assert ends[0] == ends[1] == course(facts)


@settings(deadline=None)
@for_all(conclusions())
def test_the_answer_for_a_day_is_the_course(facts: list[Conclusion]) -> None:
    command = review(c.CHANGZHOU, list(facts))
    found = command.timeline.course()
    for n in range(0, 720, 7):
        day = date(2024, 1, 1) + timedelta(days=n)
        assert found.on(day) == command.timeline.on(day)


@settings(deadline=None)
@for_all(conclusions())
def test_ordinary_conclusions_alone_count_as_they_always_did(facts: list[Conclusion]) -> None:
    plain = CaseFacts.of(f for f in facts if f.authority is Authority.ORDINARY).conclusions
    assert [reign.conclusion for reign in reigns(plain)] == list(plain)
    assert [reign.first for reign in reigns(plain)] == [one.effective_date for one in plain]
