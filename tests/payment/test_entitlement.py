"""Open, changed, paused, resumed, ended: from the days in the facts, whatever their order."""

from datetime import date

from services.payment.domain import entitlement as e
from services.payment.domain.course import Course, Standing, State
from services.payment.domain.facts import CaseFacts, PersonFact
from services.payment.domain.timeline import Timeline
from tests.payment.cases import (
    CHANGZHOU,
    CHENGDU,
    PERSON,
    VERSION,
    admission,
    conclusion,
    day,
    death,
    discharge,
    insured_again,
    moved,
    pack,
    suspended,
    uninsured_after,
    withdrawn,
)
from tests.support.spec import Decider

entitlement = Decider(e.decide, e.evolve, Course())
TODAY = day("06-30")


def review(*facts: PersonFact, today: date = TODAY, pool: str = CHANGZHOU) -> e.ReviewEntitlement:
    return e.ReviewEntitlement(
        person=PERSON,
        pool=pool,
        today=today,
        facts=CaseFacts.of(facts),
        pack=pack(pool),
        code_version=VERSION,
    )


def told(command: e.ReviewEntitlement, *before: e.ReviewEntitlement) -> list[tuple[str, ...]]:
    """The events in short: what, from when, and grade or cause."""
    events = entitlement.after(*before).when(command).events()
    return [
        (
            type(event).__name__.removeprefix("Entitlement"),
            f"{event.effective_date:%m-%d}",
            str(getattr(event, "grade", getattr(event, "cause", ""))),
        )
        for event in events
    ]


FIRST = conclusion("03-01", 3)


def test_benefits_rest_while_the_coverage_rests() -> None:
    rests = suspended("04-10", "05-01")

    assert told(review(FIRST, *rests)) == [
        ("Opened", "03-01", "3"),
        ("Paused", "04-10", "SUSPENDED"),
        ("Resumed", "05-01", ""),
    ]
    assert told(review(FIRST, *suspended("04-10", "04-10"))) == [("Opened", "03-01", "3")]


def test_a_stay_in_hospital_goes_on_when_the_coverage_counts_again() -> None:
    rests = [*suspended("04-10", "05-01"), admission("04-20")]
    before = review(FIRST, *rests)

    assert told(before) == [
        ("Opened", "03-01", "3"),
        ("Paused", "04-10", "SUSPENDED"),
        ("Paused", "05-01", "IN_HOSPITAL"),
    ]
    assert told(before, before) == []


def test_an_eligible_conclusion_opens_from_its_first_day() -> None:
    assert told(review(FIRST)) == [("Opened", "03-01", "3")]


def test_a_conclusion_below_the_pools_grades_opens_nothing() -> None:
    assert told(review(conclusion("03-01", 1, eligible=False))) == []


def test_a_review_without_news_says_nothing() -> None:
    assert told(review(FIRST), review(FIRST)) == []


def test_another_grade_counts_from_its_own_first_day() -> None:
    later = conclusion("05-01", 4)

    assert told(review(FIRST, later), review(FIRST)) == [("Changed", "05-01", "4")]


def test_the_same_grade_again_changes_nothing() -> None:
    assert told(review(FIRST, conclusion("05-01", 3)), review(FIRST)) == []


def test_recovery_ends_it_from_the_month_after() -> None:
    recovered = conclusion("05-01", 1, eligible=False)

    assert told(review(FIRST, recovered), review(FIRST)) == [("Ended", "05-01", "RECOVERED")]


def test_hospital_pauses_from_admission_to_the_day_after_discharge() -> None:
    facts = (FIRST, admission("04-10"), discharge("04-20"))

    assert told(review(*facts), review(FIRST)) == [
        ("Paused", "04-10", "IN_HOSPITAL"),
        ("Resumed", "04-21", ""),
    ]


def test_a_stay_without_discharge_goes_on() -> None:
    timeline = Timeline(CaseFacts.of([FIRST, admission("04-10")]), CHANGZHOU, pack(CHANGZHOU))

    assert State.PAUSED is timeline.on(day("12-31")).state


def test_a_transfer_between_hospitals_is_one_stay() -> None:
    facts = (FIRST, admission("04-10"), discharge("04-20"), admission("04-20"), discharge("04-25"))

    assert told(review(*facts), review(FIRST)) == [
        ("Paused", "04-10", "IN_HOSPITAL"),
        ("Resumed", "04-26", ""),
    ]


def test_a_stay_of_one_day_pauses_one_day() -> None:
    facts = (FIRST, admission("04-10"), discharge("04-10"))

    assert told(review(*facts), review(FIRST)) == [
        ("Paused", "04-10", "IN_HOSPITAL"),
        ("Resumed", "04-11", ""),
    ]


def test_death_ends_it_the_day_after() -> None:
    assert told(review(FIRST, death("04-10")), review(FIRST)) == [("Ended", "04-11", "DEATH")]


def test_death_before_the_first_day_never_lets_it_open() -> None:
    assert told(review(FIRST, death("02-10"))) == [("Ended", "03-01", "DEATH")]


def test_a_death_taken_back_opens_it_again() -> None:
    wrong = death("04-10")

    assert told(review(FIRST, wrong, withdrawn(wrong)), review(FIRST, wrong)) == [
        ("Opened", "04-11", "3")
    ]


def test_validity_ends_it_only_once_today_is_beyond() -> None:
    short = conclusion("03-01", valid_until="05-15")

    assert told(review(short, today=day("05-15")), review(short, today=day("05-01"))) == []
    assert told(review(short, today=day("05-16")), review(short, today=day("05-15"))) == [
        ("Ended", "05-16", "VALIDITY_EXPIRED")
    ]


def test_a_conclusion_reached_in_time_leaves_no_gap() -> None:
    short = conclusion("03-01", 3, valid_until="05-15")
    next_one = conclusion("06-01", 4, concluded="05-10")

    assert told(review(short, next_one)) == [("Opened", "03-01", "3"), ("Changed", "06-01", "4")]


def test_a_conclusion_reached_too_late_opens_it_again() -> None:
    short = conclusion("03-01", 3, valid_until="05-15")
    next_one = conclusion("06-01", 4, concluded="05-20")

    assert told(review(short, next_one)) == [
        ("Opened", "03-01", "3"),
        ("Ended", "05-16", "VALIDITY_EXPIRED"),
        ("Opened", "06-01", "4"),
    ]


def test_moving_away_ends_it_in_the_pool_that_was_left() -> None:
    gone = moved("04-10", CHANGZHOU)

    assert told(review(FIRST, gone), review(FIRST)) == [("Ended", "04-11", "MOVED_AWAY")]
    assert told(review(FIRST, gone, pool=CHENGDU), review(FIRST, pool=CHENGDU)) == []


def test_coverage_that_ends_takes_it_along_and_brings_it_back() -> None:
    facts = (FIRST, uninsured_after("04-30"), insured_again("06-01"))

    assert told(review(*facts), review(FIRST)) == [
        ("Ended", "05-01", "COVERAGE_ENDED"),
        ("Opened", "06-01", "3"),
    ]


def test_coverage_that_starts_again_the_next_day_leaves_no_gap() -> None:
    facts = (FIRST, uninsured_after("04-30"), insured_again("05-01"))

    assert told(review(*facts), review(FIRST)) == []


def test_a_late_stay_is_added_to_the_past() -> None:
    """Known after the death was: the days before it are put right, what was said stays."""
    late = (admission("04-01"), discharge("04-03"))

    assert told(review(FIRST, death("04-10"), *late), review(FIRST, death("04-10"))) == [
        ("Paused", "04-01", "IN_HOSPITAL"),
        ("Resumed", "04-04", ""),
    ]


def test_a_grade_that_becomes_known_late_reaches_into_a_stay() -> None:
    stay = (admission("05-10"), discharge("05-20"))
    late = conclusion("05-01", 4)

    assert told(review(FIRST, late, *stay), review(FIRST, *stay)) == [
        ("Changed", "05-01", "4"),
        ("Changed", "05-10", "4"),
        ("Changed", "05-21", "4"),
    ]


def test_the_ruling_says_why() -> None:
    command = review(FIRST, death("04-10"))
    [_, ended] = entitlement.when(command).events()

    ruling = e.rule_entitlement(command, ended.effective_date)

    assert ended.ruling == ruling.to_bytes()
    assert (ruling.outcome, ruling.reasons) == ("ended", ("DEATH",))
    assert ruling.asked == {"on_date": "2024-04-11", "today": "2024-06-30"}
    assert ruling.steps[-1].clause == "payment.ends_with_death"


def test_a_course_holds_each_standing_until_the_next() -> None:
    opened, changed = (Standing(state=State.OPEN, grade=grade) for grade in (3, 4))
    course = Course().turned(day("03-01"), opened).turned(day("05-01"), changed)

    assert [course.on(day(text)).state for text in ("02-29", "03-01", "05-01")] == [
        State.NONE,
        State.OPEN,
        State.OPEN,
    ]
    assert course.on(day("12-31")).grade == 4
