"""The clocks of objection, review and appeal, one test a rule."""

from tests.support.temporal import Town
from workflows.activities.disputes import AppealStanding
from workflows.messages import Reviewed

APPLICATION, APPEAL = "application", "appeal"


async def test_an_objection_dismissed_in_time_ends_it(town: Town) -> None:
    town.disputes.set_review(APPLICATION, state="OBJECTED", objection_due_date="2024-01-15")
    handle = await town.start_review(APPLICATION)
    await town.attribute(handle, "LtciWaitsFor", "OBJECTION_DECISION")
    await town.pass_until("2024-01-15")  # the last day
    await town.attribute(handle, "LtciState", "OBJECTED")

    town.disputes.set_review(APPLICATION, state="NONE")
    await town.move_on(handle, "ObjectionDecided")

    assert await town.ended(handle) == Reviewed(APPLICATION, "NONE")
    assert town.disputes.calls == []


async def test_what_nobody_decides_is_overdue_and_goes_on(town: Town) -> None:
    town.disputes.set_review(APPLICATION, state="OBJECTED", objection_due_date="2024-01-15")
    handle = await town.start_review(APPLICATION)
    await town.pass_until("2024-01-16")
    await town.attribute(handle, "LtciState", "OVERDUE")

    town.disputes.set_review(APPLICATION, state="UNDER_WAY", due_date="2024-01-30")
    await town.move_on(handle, "ReviewOrdered")
    await town.attribute(handle, "LtciWaitsFor", "REVIEW_FORMS")
    await town.pass_until("2024-01-31")
    await town.attribute(handle, "LtciState", "OVERDUE")


async def test_another_eligible_result_is_public_before_it_is_delivered(town: Town) -> None:
    town.disputes.set_review(APPLICATION, state="GRADED", due_date="2024-01-30")
    handle = await town.start_review(APPLICATION)
    await town.attribute(handle, "LtciWaitsFor", "EXPERTS")
    town.disputes.set_review(APPLICATION, state="CONFIRMED", grade=5, needs_publicity=True)
    await town.move_on(handle, "ReviewConfirmed")
    await town.attribute(handle, "LtciState", "PUBLISHED")
    await town.pass_until("2024-01-07")  # the last day of publicity
    assert town.disputes.calls == ["publish on 2024-01-01"]

    await town.pass_until("2024-01-08")

    assert await town.ended(handle) == Reviewed(APPLICATION, "DELIVERED", 5)
    assert town.disputes.calls[1:] == ["deliver on 2024-01-08"]


async def test_a_result_that_needs_no_publicity_is_delivered_at_once(town: Town) -> None:
    town.disputes.set_review(APPLICATION, state="CONFIRMED", grade=1)
    handle = await town.start_review(APPLICATION)
    assert await town.ended(handle) == Reviewed(APPLICATION, "DELIVERED", 1)
    assert town.disputes.calls == ["deliver on 2024-01-01"]


async def test_news_that_were_lost_are_found_by_looking_again(town: Town) -> None:
    town.disputes.set_review(APPLICATION, state="UNDER_WAY", due_date="2024-01-30")
    handle = await town.start_review(APPLICATION)
    await town.attribute(handle, "LtciState", "UNDER_WAY")
    town.disputes.set_review(APPLICATION, state="DELIVERED")  # and nobody tells
    await town.pass_until("2024-01-07")
    assert (await town.ended(handle)).state == "DELIVERED"


async def test_an_appeal_is_reminded_of_and_escalated(town: Town) -> None:
    town.disputes.appeals[APPEAL] = AppealStanding(APPEAL, decided=False, due_date="2024-02-29")
    handle = await town.start_appeal(APPEAL)
    await town.attribute(handle, "LtciWaitsFor", "PANEL")
    await town.pass_until("2024-03-01")
    await town.attribute(handle, "LtciState", "OVERDUE")

    town.disputes.appeals[APPEAL] = AppealStanding(APPEAL, decided=True, outcome="UPHELD")
    await town.move_on(handle, "AppealDecided")

    assert await town.ended(handle) == "UPHELD"


async def test_an_appeal_without_a_known_time_waits_for_its_panel(town: Town) -> None:
    town.disputes.appeals[APPEAL] = AppealStanding(APPEAL, decided=False)
    handle = await town.start_appeal(APPEAL)
    await town.attribute(handle, "LtciState", "FILED")
    await town.pass_until("2024-06-01")
    await town.attribute(handle, "LtciState", "FILED")
    town.disputes.appeals[APPEAL] = AppealStanding(APPEAL, decided=True, outcome="DISMISSED")
    await town.pass_until("2024-06-07")
    assert await town.ended(handle) == "DISMISSED"
