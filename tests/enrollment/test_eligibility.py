"""Whether somebody is insured and paid up on a day, and why not."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from random import Random

from hypothesis import given as for_all
from hypothesis import strategies as st

from kernel.ids import derive
from kernel.money import yuan
from kernel.rules.ruling import Fact, FactRef, Ruling
from services.enrollment.domain import coverage as c
from services.enrollment.domain import life as lf
from services.enrollment.domain.contribution import ContributionCollected, ContributionSource
from services.enrollment.domain.eligibility import (
    Question,
    asked_in,
    full_months,
    rule_eligibility,
)
from tests.support.packs import CHANGZHOU, CHENGDU, pack

HAINAN = "460000"
PERSON = derive("test", "somebody")
ON = date(2024, 3, 1)


def facts(*events: object) -> list[Fact]:
    known_at = datetime(2024, 1, 1, tzinfo=UTC)
    return [
        Fact(FactRef("enrollment", place, "0" * 32), event, known_at)
        for place, event in enumerate(events, start=1)
    ]


def started(day: date) -> c.CoverageStarted:
    return c.CoverageStarted(
        person=PERSON, pool=CHANGZHOU, group=c.InsuredGroup.RESIDENT, start_date=day
    )


def ended(day: date) -> c.CoverageEnded:
    return c.CoverageEnded(person=PERSON, pool=CHANGZHOU, end_date=day, cause="")


def paid(
    year: int = 2024, source: ContributionSource = ContributionSource.PERSON
) -> ContributionCollected:
    return ContributionCollected(
        contribution=derive("test", str(year), source),
        person=PERSON,
        pool=CHANGZHOU,
        source=source,
        amount=yuan("30"),
        year=year,
        paid_date=date(year, 1, 5),
    )


def died(day: date) -> lf.LifeEventReported:
    return lf.LifeEventReported(
        life_event=derive("test", "death"),
        person=PERSON,
        pool=CHANGZHOU,
        kind=lf.LifeEventKind.DEATH,
        event_date=day,
        source=lf.FactSource.REGISTER,
    )


def ruled(*events: object, pool: str = CHANGZHOU, on: date = ON) -> Ruling:
    return ruled_on(facts(*events), pool=pool, on=on)


def ruled_on(known: Sequence[Fact], pool: str = CHANGZHOU, on: date = ON) -> Ruling:
    question = Question(person=PERSON, pool=pool, on_date=on)
    return rule_eligibility(question, known, pack(pool), "test")


COVERED = started(date(2022, 1, 1))


def test_insured_and_paid_up_is_eligible() -> None:
    ruling = ruled(COVERED, paid())

    assert (ruling.outcome, ruling.reasons) == ("eligible", ())
    assert [step.verdict for step in ruling.steps] == ["met"] * 5


def test_each_condition_not_met_is_a_reason() -> None:
    assert ruled(COVERED).reasons == ("NOT_PAID_UP",)
    assert ruled(paid()).reasons == ("NOT_COVERED",)
    assert ruled(COVERED, paid(), died(date(2024, 2, 29))).reasons == ("DEAD",)
    assert ruled().reasons == ("NOT_COVERED", "NOT_PAID_UP")
    assert ruled().outcome == "not_eligible"


def test_a_group_that_the_pool_does_not_insure_has_no_benefit() -> None:
    minor = c.CoverageStarted(
        person=PERSON, pool=CHANGZHOU, group=c.InsuredGroup.MINOR, start_date=date(2022, 1, 1)
    )

    assert ruled(minor, paid()).reasons == ("GROUP_NOT_INSURED",)


def test_a_scheme_that_pays_from_a_day_on_pays_nobody_before() -> None:
    def reasons(on: date) -> tuple[str, ...]:
        return ruled(started(date(2026, 1, 1)), paid(2026), pool=HAINAN, on=on).reasons

    assert "NOT_BEGUN" in reasons(date(2026, 3, 31))
    assert "NOT_BEGUN" not in reasons(date(2026, 4, 1))


def test_the_day_of_death_and_the_last_day_of_coverage_still_count() -> None:
    assert ruled(COVERED, paid(), died(ON)).reasons == ()
    assert ruled(COVERED, ended(ON), paid()).reasons == ()
    assert ruled(COVERED, ended(date(2024, 2, 29)), paid()).reasons == ("NOT_COVERED",)


def test_a_death_that_was_taken_back_does_not_count() -> None:
    back = lf.LifeEventWithdrawn(life_event=derive("test", "death"), person=PERSON, cause="error")
    assert ruled(COVERED, paid(), died(date(2024, 1, 1)), back).reasons == ()


def test_only_what_the_insured_side_paid_for_that_year_counts() -> None:
    assert ruled(COVERED, paid(source=ContributionSource.EMPLOYER)).reasons == ()
    assert ruled(COVERED, paid(source=ContributionSource.STATE)).reasons == ("NOT_PAID_UP",)
    assert ruled(COVERED, paid(2023)).reasons == ("NOT_PAID_UP",)


def test_chengdu_asks_for_two_years_without_a_gap() -> None:
    long, short = started(date(2022, 3, 1)), started(date(2022, 3, 2))

    assert ruled(long, paid(), pool=CHENGDU).reasons == ()
    assert ruled(short, paid(), pool=CHENGDU).reasons == ("COVERAGE_TOO_SHORT",)
    gap = (COVERED, ended(date(2023, 5, 31)), started(date(2023, 6, 2)))
    assert ruled(*gap, paid(), pool=CHENGDU).reasons == ("COVERAGE_TOO_SHORT",)
    no_gap = (COVERED, ended(date(2023, 5, 31)), started(date(2023, 6, 1)))
    assert ruled(*no_gap, paid(), pool=CHENGDU).reasons == ()


def test_a_ruling_quotes_its_sources_and_can_be_asked_again() -> None:
    ruling = ruled(COVERED, paid(), pool=CHENGDU)

    assert asked_in(ruling) == Question(person=PERSON, pool=CHENGDU, on_date=ON)
    assert ruling.pack == pack(CHENGDU).pin
    assert len(ruling.facts) == 2
    [waiting] = [s for s in ruling.steps if s.clause == "enrollment.continuous_months"]
    assert waiting.inputs == {"months": 26, "months_required": 24}
    assert waiting.verified
    assert Ruling.parse(ruling.to_bytes()) == ruling


@for_all(seed=st.integers(0, 1000))
def test_the_order_in_which_facts_are_brought_does_not_matter(seed: int) -> None:
    known = facts(COVERED, ended(date(2023, 1, 1)), started(date(2023, 1, 2)), paid(), paid(2023))
    shuffled = Random(seed).sample(known, len(known))

    assert ruled_on(shuffled).to_bytes() == ruled_on(known).to_bytes()


def test_a_month_is_full_on_the_same_day_of_the_next() -> None:
    assert full_months(date(2022, 1, 31), date(2022, 2, 27)) == 0
    assert full_months(date(2022, 1, 31), date(2022, 2, 28)) == 1
    assert full_months(date(2022, 3, 1), date(2024, 3, 1)) == 24
    assert full_months(date(2024, 3, 2), date(2024, 3, 1)) == 0
