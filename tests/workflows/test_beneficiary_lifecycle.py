"""The years of one person, one test a rule."""

from datetime import timedelta

from tests.support.temporal import POOL, Town, eventually
from workflows import beneficiary_lifecycle
from workflows.messages import Carried, FactNotice

PERSON = "person"


async def entitled(town: Town) -> str:
    """Applied on 1 January, concluded on the 10th, delivered on the 17th: valid for two years."""
    application = await town.apply(PERSON, "2024-01-01")
    await town.attribute(town.assessment(application), "LtciState", "ACCEPTED")
    await town.pass_until("2024-01-10")
    await town.confirm(application, 4, "2024-01-10")
    await town.attribute(town.assessment(application), "LtciState", "PUBLISHED")
    await town.pass_until("2024-01-17")
    await town.story(PERSON, "ENTITLED", step="assessment delivered")
    return application


async def test_a_life_from_entitlement_over_hospital_and_reassessment_to_its_end(
    town: Town,
) -> None:
    await entitled(town)

    await town.pass_until("2024-03-05")
    await town.live(PERSON, "ADMISSION", "2024-03-04")
    assert (await town.story(PERSON, "PAUSED")).waits_for == "DISCHARGE"
    await town.pass_until("2024-03-20")
    await town.live(PERSON, "DISCHARGE", "2024-03-19")
    await town.story(PERSON, "ENTITLED")

    await town.pass_until("2025-11-20")
    again = await town.apply(PERSON, "2025-11-20")
    await town.attribute(town.assessment(again), "LtciState", "ACCEPTED")
    assert (await town.story(PERSON)).assessments == [again]
    await town.confirm(again, 5, "2025-11-25")
    await town.attribute(town.assessment(again), "LtciState", "PUBLISHED")
    await town.pass_until("2025-12-01")
    story = await town.story(PERSON, "ENTITLED", step="grade 5")
    assert story.next_deadline == "2027-09-25"  # 60 days before 2027-11-24

    await town.pass_until("2026-05-05")
    await town.live(PERSON, "DEATH", "2026-05-04")
    assert await town.ended(town.lifecycle(PERSON)) == "ENDED"


async def test_the_periodic_reassessment_is_ordered_once_60_days_before_validity_ends(
    town: Town,
) -> None:
    await entitled(town)  # valid until 9 January 2026

    await town.pass_until("2025-11-09")
    assert (await town.story(PERSON)).next_deadline == "2025-11-10"
    assert town.ordered == []
    await town.pass_until("2025-11-10")
    await town.story(PERSON, step="periodic reassessment ordered")
    await town.pass_until("2025-12-31")

    [order] = town.ordered
    assert (order.person, order.due_date) == (PERSON, "2026-01-09")


async def test_the_periodic_reassessment_is_ordered_on_the_day_that_payment_tells(
    town: Town,
) -> None:
    town.reassess_before = timedelta(days=90)
    await entitled(town)

    await town.pass_until("2025-10-10")  # 91 days before 2026-01-09
    assert town.ordered == []
    await town.pass_until("2025-10-11")
    await town.story(PERSON, step="periodic reassessment ordered")
    assert [order.due_date for order in town.ordered] == ["2026-01-09"]


async def test_an_entitlement_ends_the_day_after_its_conclusion_was_last_valid(
    town: Town,
) -> None:
    await entitled(town)

    await town.pass_until("2026-01-09")
    await town.story(PERSON, "ENTITLED")
    await town.pass_until("2026-01-10")

    assert await town.ended(town.lifecycle(PERSON)) == "ENDED"
    assert "VALIDITY_EXPIRED" in (await town.story(PERSON)).steps[-1]


async def test_a_refused_application_ends_the_lifecycle_after_a_last_review(town: Town) -> None:
    town.insured = False

    await town.apply(PERSON, "2024-01-01")

    assert await town.ended(town.lifecycle(PERSON)) == "REFUSED"
    assert len(town.reviews) == 1


async def test_a_withdrawn_application_ends_the_lifecycle(town: Town) -> None:
    await town.apply(PERSON, "2024-01-01", missing_papers=True)
    await town.story(PERSON, "ASSESSING")

    await town.pass_until("2024-01-17")

    assert await town.ended(town.lifecycle(PERSON)) == "WITHDRAWN"


async def test_a_grade_that_gives_nothing_ends_the_lifecycle(town: Town) -> None:
    application = await town.apply(PERSON, "2024-01-01")
    await town.attribute(town.assessment(application), "LtciState", "ACCEPTED")

    await town.confirm(application, 2, "2024-01-01")

    assert await town.ended(town.lifecycle(PERSON)) == "NOT_ELIGIBLE_GRADE"


async def test_a_later_application_starts_the_lifecycle_again(town: Town) -> None:
    town.insured = False
    await town.apply(PERSON, "2024-01-01")
    await town.ended(town.lifecycle(PERSON))

    town.insured = True
    await town.pass_until("2024-08-01")
    await town.apply(PERSON, "2024-08-01")

    assert (await town.story(PERSON, "ASSESSING")).since == "2024-08-01"


async def test_the_same_notice_again_changes_nothing(town: Town) -> None:
    await entitled(town)
    notice = await town.live(PERSON, "ADMISSION", "2024-01-16")
    story = await town.story(PERSON, "PAUSED")
    reviews = len(town.reviews)

    for _ in range(3):
        await town.tell(PERSON, notice)
    await town.live(PERSON, "DISCHARGE", "2024-01-16")

    after = await town.story(PERSON, "ENTITLED")
    assert after.steps[:-1] == story.steps
    assert len(town.reviews) == reviews + 1


async def test_payment_is_asked_how_far_all_feeds_had_been_followed(town: Town) -> None:
    await entitled(town)
    town.positions["provider"] = 40

    await town.tell(PERSON, FactNotice("assessment", 4_000, "PlanApproved", heads={"provider": 40}))
    town.positions["assessment"] = 4_000
    await town.live(PERSON, "ADMISSION", "2024-01-16")
    await town.story(PERSON, "PAUSED")

    assert {"assessment": 4_000, "provider": 40} in [review.known for review in town.reviews]


async def test_a_payment_service_that_is_away_is_waited_for(town: Town) -> None:
    await entitled(town)
    town.away = 5

    await town.live(PERSON, "ADMISSION", "2024-01-16")
    await town.pass_until("2024-01-18")

    await town.story(PERSON, "PAUSED")


async def test_a_late_fact_after_the_end_is_reviewed_and_ends_again(town: Town) -> None:
    await entitled(town)
    await town.live(PERSON, "DEATH", "2024-01-16")
    await town.ended(town.lifecycle(PERSON))
    reviews = len(town.reviews)

    await town.live(PERSON, "DISCHARGE", "2024-01-15")

    assert await town.ended(town.lifecycle(PERSON)) == "ENDED"
    assert len(town.reviews) == reviews + 1


async def test_a_new_run_keeps_the_state(town: Town) -> None:
    carried = Carried(
        entitlement="OPEN",
        grade=4,
        valid_until="2026-01-09",
        shown="ENTITLED",
        since="2024-01-17",
        reassessment_ordered_for="2026-01-09",
        seen={"enrollment": 7},
        steps=["2024-01-17 entitlement open"],
    )
    handle = await town.start_lifecycle(PERSON, carried)
    await town.attribute(handle, "LtciState", "ENTITLED")

    story = await town.story(PERSON, "ENTITLED")

    assert (story.since, story.next_deadline) == ("2024-01-17", "2026-01-10")
    assert story.steps == carried.steps
    await town.tell(PERSON, FactNotice("enrollment", 7, "LifeEventReported DEATH"))
    assert (await town.story(PERSON)).steps == carried.steps
    assert town.reviews == []


async def test_a_long_run_hands_over_to_a_new_one(
    town: Town,
) -> None:
    await entitled(town)
    before = await town.described(town.lifecycle(PERSON))
    first = await town.story(PERSON)

    await town.many_facts(PERSON, beneficiary_lifecycle.FACTS_A_RUN)

    after = await eventually(
        lambda: town.described(town.lifecycle(PERSON)),
        lambda seen: seen.execution.run_id != before.execution.run_id,
    )
    story = await town.story(PERSON, "ENTITLED")
    assert after.execution.workflow_id == before.execution.workflow_id
    assert (story.pool, story.since) == (POOL, first.since)
    assert story.steps[: len(first.steps)] == first.steps
    await town.attribute(town.lifecycle(PERSON), "LtciState", "ENTITLED")


async def test_a_delivery_nobody_told_of_is_reviewed_after_five_days(town: Town) -> None:
    application = await town.apply(PERSON, "2024-01-01")
    await town.attribute(town.assessment(application), "LtciState", "ACCEPTED")
    town.deaf = True
    await town.confirm(application, 2, "2024-01-01")
    await town.story(PERSON, "ASSESSING", step="assessment delivered")

    await town.pass_until("2024-01-07")

    assert await town.ended(town.lifecycle(PERSON)) == "NOT_ELIGIBLE_GRADE"


async def test_an_assessment_that_is_not_its_child_is_followed_to_its_end(town: Town) -> None:
    application = town.submit(PERSON, "2024-01-01")
    await town.start_assessment(application)
    notice = FactNotice("assessment", 1, "ApplicationSubmitted", application, "2024-01-01")
    town.positions["assessment"] = 1
    await town.tell(PERSON, notice)
    await town.story(PERSON, "ASSESSING")

    await town.withdraw(application)

    await town.pass_until("2024-01-03")
    assert await town.ended(town.lifecycle(PERSON)) == "WITHDRAWN"
