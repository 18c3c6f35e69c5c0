"""A month from the freeze to the closing."""

import pytest
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from tests.support.temporal import POOL, Town
from workflows.messages import PoolMonth, Settled
from workflows.settle_month import SettleMonth


async def test_a_month_is_frozen_computed_and_closed_in_this_order(town: Town) -> None:
    settled = await town.client.execute_workflow(
        SettleMonth.run,
        PoolMonth(POOL, "2023-12"),
        id=f"settlement/{POOL}/{town.task_queue}",
        task_queue=town.task_queue,
    )

    assert town.calls == ["freeze 2023-12", "determine 2023-12", "close 2023-12"]
    assert settled == Settled("batch", 1200, 1100, 900, 165_000_000)


async def test_a_settled_month_is_not_settled_again(town: Town) -> None:
    async def settle() -> Settled:
        return await town.client.execute_workflow(
            SettleMonth.run,
            PoolMonth(POOL, "2023-12"),
            id=f"settlement/{POOL}/{town.task_queue}",
            task_queue=town.task_queue,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
        )

    await settle()

    with pytest.raises(WorkflowAlreadyStartedError):
        await settle()
