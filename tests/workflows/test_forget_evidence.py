"""The evidence of a month's visits, kept until nobody can object, and then forgotten."""

from typing import Any

from temporalio.client import WorkflowHandle

from tests.support.temporal import POOL, Town
from workflows.forget_evidence import ForgetEvidence
from workflows.messages import EvidenceMonth


async def begun(town: Town) -> WorkflowHandle[Any, int]:
    return await town.client.start_workflow(
        ForgetEvidence.run,
        EvidenceMonth(POOL, "2023-12"),
        id=f"evidence/{POOL}/{town.task_queue}",
        task_queue=town.task_queue,
    )


async def test_each_day_of_a_month_is_forgotten_once_nobody_can_object_to_it(town: Town) -> None:
    town.evidence.keep("a", "2023-12-01")
    town.evidence.keep("b", "2023-12-20")
    town.evidence.keep("next month", "2024-01-01")
    handle = await begun(town)
    await town.attribute(handle, "LtciWaitsFor", "OBJECTION_PERIOD")
    await town.pass_until("2024-02-20")

    assert await town.ended(handle) == 2
    assert town.evidence.forgotten == ["a on 2024-01-31", "b on 2024-02-19"]
    assert set(town.evidence.kept) == {"next month"}


async def test_what_an_open_flag_holds_is_kept_until_it_is_free(town: Town) -> None:
    town.evidence.keep("a", "2023-12-01")
    town.evidence.keep("b", "2023-12-01")
    town.evidence.flagged.add("b")
    handle = await begun(town)
    await town.pass_until("2024-02-10")
    await town.attribute(handle, "LtciState", "HELD")
    assert town.evidence.forgotten == ["a on 2024-01-31"]
    town.evidence.flagged.clear()
    await town.pass_until("2024-02-20")

    assert await town.ended(handle) == 2
    assert set(town.evidence.kept) == set()


async def test_a_month_without_evidence_has_nothing_to_wait_for(town: Town) -> None:
    assert await town.ended(await begun(town)) == 0


async def test_where_no_period_is_known_nothing_is_forgotten(town: Town) -> None:
    town.evidence.keep("a", "2023-12-01")
    town.evidence.period_known = False

    assert await town.ended(await begun(town)) == 0
    assert set(town.evidence.kept) == {"a"}
