"""A pool's year from the first determination to the last back payment."""

from typing import Any

from temporalio.client import WorkflowHandle

from tests.support.temporal import POOL, Town
from workflows.activities.contributions import LastDay
from workflows.contribution_year import ContributionYear
from workflows.messages import Collected, PoolYear

LAST_DAY = LastDay("2024-02-28", "2024-02-08")


async def opened(town: Town) -> WorkflowHandle[Any, Collected]:
    return await town.client.start_workflow(
        ContributionYear.run,
        PoolYear(POOL, 2024),
        id=f"contributions/{POOL}/2024/{town.task_queue}",
        task_queue=town.task_queue,
    )


async def test_a_pool_that_knows_no_last_day_waits_for_none(town: Town) -> None:
    town.collection.people = 3

    collected = await town.ended(await opened(town))

    assert collected == Collected(3, 0, 9000, 0, 0, 0)
    assert town.collection.calls == ["determine 2024"]


async def test_reminded_suspended_and_counting_again_after_payment(town: Town) -> None:
    office = town.collection
    office.deadlines, office.people, office.owing = [LAST_DAY], 5, 2
    handle = await opened(town)
    await town.attribute(handle, "LtciWaitsFor", "REMINDER")
    assert office.calls == ["determine 2024"]

    await town.pass_until("2024-02-08")
    await town.attribute(handle, "LtciWaitsFor", "LAST_DAY_TO_PAY")
    await town.pass_until("2024-02-28")
    assert office.calls == ["determine 2024", "remind 2024-02-28"]  # the last day counts whole
    await town.pass_until("2024-02-29")
    await town.attribute(handle, "LtciState", "RESTING")
    assert office.calls[2:] == ["determine 2024", "suspend"]

    office.paying = 1
    await town.pass_until("2024-03-01")
    await town.attribute(handle, "LtciWaitsFor", "BACK_PAYMENTS")
    await town.pass_until("2025-02-02")
    collected = await town.ended(handle)

    assert (collected.reminded_count, collected.suspended_count, collected.resumed_count) == (
        2,
        2,
        1,
    )
    assert office.calls[4:] == ["resume"] * 12  # on the first of each month, March to February


async def test_where_the_rules_do_not_suspend_nobody_rests(town: Town) -> None:
    office = town.collection
    office.deadlines, office.owing, office.arrears_suspend = [LAST_DAY], 2, False
    handle = await opened(town)

    await town.pass_until("2024-02-29")
    assert (await town.ended(handle)).suspended_count == 0
    assert "suspend" not in office.calls


async def test_a_year_opened_after_its_last_day_goes_on_from_there(town: Town) -> None:
    office = town.collection
    office.deadlines, office.owing, office.unknown_rule = [LastDay("2023-12-20")], 2, True

    collected = await town.ended(await opened(town))

    assert office.calls == ["determine 2024", "determine 2024", "suspend"]
    assert (collected.reminded_count, collected.suspended_count) == (0, 0)
