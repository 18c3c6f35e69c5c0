"""The legal clocks of an assessment, one test a rule."""

from tests.support.temporal import Town
from workflows.messages import FactNotice, Outcome


async def test_who_is_not_insured_is_refused(town: Town) -> None:
    town.insured = False
    application = town.submit("person", "2024-01-01")

    outcome = await town.ended(await town.start_assessment(application))

    assert outcome == Outcome(application, "REFUSED")
    assert town.calls == ["refuse ['NOT_COVERED'] by decision"]


async def test_an_assessment_that_is_broken_off_ends_the_process(town: Town) -> None:
    application = town.submit("person", "2024-01-01")
    handle = await town.start_assessment(application)
    await town.attribute(handle, "LtciWaitsFor", "ON_SITE_ASSESSMENT")

    town.set_application(application, state="TERMINATED")
    await town.progress(application, "AssessmentTerminated")

    assert await town.ended(handle) == Outcome(application, "TERMINATED")
    assert town.calls == []


async def test_papers_that_never_come_withdraw_the_application_the_day_after_the_last(
    town: Town,
) -> None:
    application = town.submit("person", "2024-01-01", missing_papers=True)
    handle = await town.start_assessment(application)

    await town.pass_until("2024-01-16")
    await town.attribute(handle, "LtciWaitsFor", "MISSING_PAPERS")
    assert town.calls == []

    await town.pass_until("2024-01-17")
    assert (await town.ended(handle)).state == "WITHDRAWN"
    assert town.calls == ["withdraw deemed=True on 2024-01-17"]


async def test_papers_that_come_in_time_let_the_assessment_go_on(town: Town) -> None:
    application = town.submit("person", "2024-01-01", missing_papers=True)
    handle = await town.start_assessment(application)
    await town.attribute(handle, "LtciWaitsFor", "MISSING_PAPERS")

    await town.supply(application)

    await town.attribute(handle, "LtciWaitsFor", "ON_SITE_ASSESSMENT")
    await town.pass_until("2024-01-20")
    assert town.calls == []


async def test_an_overdue_assessment_is_marked_and_goes_on(town: Town) -> None:
    application = town.submit("person", "2024-01-01")
    handle = await town.start_assessment(application)

    await town.pass_until("2024-02-12")  # the 42nd day, the last
    await town.attribute(handle, "LtciState", "ACCEPTED")
    await town.attribute(handle, "LtciWaitsFor", "ON_SITE_ASSESSMENT")
    await town.attribute(handle, "LtciDeadline", "2024-02-12T15:59:59+00:00")  # the end of that day
    assert town.notes() == ["CONCLUSION REMINDED, due 2024-02-12: on 2024-01-31"]

    await town.pass_until("2024-02-13")
    await town.attribute(handle, "LtciState", "OVERDUE")
    await town.attribute(handle, "LtciWaitsFor", "OPERATOR")
    await town.pass_until("2024-03-20")
    assert town.notes()[1:] == ["CONCLUSION MISSED, due 2024-02-12: on 2024-02-13"]

    await town.confirm(application, 1, "2024-03-20")
    assert (await town.ended(handle)).state == "DELIVERED"


async def test_missing_papers_are_reminded_of_before_their_last_day(town: Town) -> None:
    application = town.submit("person", "2024-01-01", missing_papers=True)
    handle = await town.start_assessment(application)

    await town.pass_until("2024-01-17")
    assert (await town.ended(handle)).state == "WITHDRAWN"
    assert town.notes() == ["SUPPLEMENT REMINDED, due 2024-01-16: on 2024-01-13"]


async def test_a_clock_that_stands_is_waited_for_and_missed_by_nobody(town: Town) -> None:
    application = town.submit("person", "2024-01-01")
    handle = await town.start_assessment(application)
    await town.attribute(handle, "LtciState", "ACCEPTED")
    await town.pass_until("2024-01-20")
    await town.pause(application, "IN_HOSPITAL")
    await town.attribute(handle, "LtciState", "PAUSED")
    await town.attribute(handle, "LtciWaitsFor", "IN_HOSPITAL")
    await town.attribute(handle, "LtciDeadline", "")

    await town.pass_until("2024-03-20")
    await town.attribute(handle, "LtciState", "PAUSED")
    assert town.notes() == []
    await town.resume(application)
    await town.attribute(handle, "LtciState", "ACCEPTED")
    await town.attribute(handle, "LtciDeadline", "2024-04-12T15:59:59+00:00")  # sixty days later

    await town.pass_until("2024-04-13")
    await town.attribute(handle, "LtciState", "OVERDUE")
    assert town.notes() == [
        "CONCLUSION REMINDED, due 2024-04-12: on 2024-03-31",
        "CONCLUSION MISSED, due 2024-04-12: on 2024-04-13",
    ]


async def test_papers_whose_time_stands_withdraw_nothing(town: Town) -> None:
    application = town.submit("person", "2024-01-01", missing_papers=True)
    handle = await town.start_assessment(application)
    await town.attribute(handle, "LtciWaitsFor", "MISSING_PAPERS")
    await town.pass_until("2024-01-10")
    await town.pause(application, "PAPERS_FROM_ELSEWHERE")
    await town.attribute(handle, "LtciState", "PAUSED")

    await town.pass_until("2024-02-10")
    assert town.calls == []
    await town.resume(application)
    await town.attribute(handle, "LtciState", "SUPPLEMENT_REQUESTED")

    await town.pass_until("2024-02-17")
    assert (await town.ended(handle)).state == "WITHDRAWN"
    assert town.calls == ["withdraw deemed=True on 2024-02-17"]


async def test_a_conclusion_that_cannot_be_delivered_is_escalated_and_tried_again(
    town: Town,
) -> None:
    application = town.submit("person", "2024-01-01")
    handle = await town.start_assessment(application)
    await town.attribute(handle, "LtciState", "ACCEPTED")
    await town.pass_until("2024-01-10")
    town.objections.add(application)
    await town.confirm(application, 4, "2024-01-10")
    await town.attribute(handle, "LtciState", "PUBLISHED")

    await town.pass_until("2024-01-20")
    await town.attribute(handle, "LtciWaitsFor", "DELIVERY")
    await town.pass_until("2024-01-24")
    await town.attribute(handle, "LtciState", "OVERDUE")
    assert town.notes() == [
        "DELIVERY REMINDED, due 2024-01-23: on 2024-01-22",
        "DELIVERY MISSED, due 2024-01-23: on 2024-01-24",
    ]
    assert await town.count(handle, "assessment.DeliverConclusion") < 15  # a day apart

    town.objections.clear()
    await town.progress(application, "ObjectionDecided")
    assert (await town.ended(handle)).state == "DELIVERED"


async def test_an_eligible_conclusion_is_public_for_its_days_before_it_is_delivered(
    town: Town,
) -> None:
    application = town.submit("person", "2024-01-01")
    handle = await town.start_assessment(application)
    await town.attribute(handle, "LtciState", "ACCEPTED")
    await town.pass_until("2024-01-10")
    await town.confirm(application, 4, "2024-01-10")

    await town.attribute(handle, "LtciState", "PUBLISHED")
    await town.pass_until("2024-01-16")  # the last day of publicity
    assert town.calls == ["publish on 2024-01-10"]

    await town.pass_until("2024-01-17")
    outcome = await town.ended(handle)
    assert outcome == Outcome(
        application, "DELIVERED", 4, eligible=True, conclusion_date="2024-01-10"
    )
    assert town.calls == ["publish on 2024-01-10", "deliver on 2024-01-17"]


async def test_a_conclusion_that_gives_nothing_is_delivered_at_once(town: Town) -> None:
    application = town.submit("person", "2024-01-01")
    handle = await town.start_assessment(application)
    await town.attribute(handle, "LtciState", "ACCEPTED")

    await town.confirm(application, 2, "2024-01-01")

    outcome = await town.ended(handle)
    assert outcome == Outcome(
        application, "DELIVERED", 2, eligible=False, conclusion_date="2024-01-01"
    )
    assert town.calls == ["deliver on 2024-01-01"]


async def test_a_withdrawal_ends_it_at_any_time(town: Town) -> None:
    application = town.submit("person", "2024-01-01")
    handle = await town.start_assessment(application)
    await town.attribute(handle, "LtciState", "ACCEPTED")
    await town.pass_until("2024-01-09")

    await town.withdraw(application)

    assert (await town.ended(handle)).state == "WITHDRAWN"


async def test_news_that_was_lost_is_found_by_looking_again(town: Town) -> None:
    application = town.submit("person", "2024-01-01")
    handle = await town.start_assessment(application)
    await town.attribute(handle, "LtciState", "ACCEPTED")

    town.set_application(application, state="WITHDRAWN")  # and nobody tells

    await town.pass_until("2024-01-07")
    assert (await town.ended(handle)).state == "WITHDRAWN"


async def test_news_that_come_before_the_process_are_seen_by_its_first_look(town: Town) -> None:
    application = town.submit("person", "2024-01-01")
    town.set_application(application, state="CONFIRMED", grade=1, conclusion_date="2024-01-01")

    handle = await town.start_assessment(application)

    assert (await town.ended(handle)).state == "DELIVERED"


async def test_the_same_news_twice_are_one(town: Town) -> None:
    application = town.submit("person", "2024-01-01")
    town.positions["assessment"] = 1
    handle = await town.start_assessment(application)
    await town.attribute(handle, "LtciState", "ACCEPTED")
    notice = FactNotice("assessment", 1, "OnSiteAssessed", application)
    for _ in range(3):
        await handle.signal("progress", notice)
    await town.attribute(handle, "LtciState", "ACCEPTED")

    await town.withdraw(application)

    assert (await town.ended(handle)).state == "WITHDRAWN"
    looks = await town.count(handle, "assessment.GetApplication")
    assert looks <= 3  # the first, after the news, after the withdrawal
