"""The exception queue of a pool's visits, day by day."""

from typing import Any

from ltci.provider.v1 import events_pb2 as provider
from temporalio.client import WorkflowHandle

from tests.support.temporal import POOL, Town
from tests.workflows.test_triggers import event
from workflows.messages import PoolQueue
from workflows.visit_exceptions import VisitExceptions
from workflows.wakes import PoolServed, wake_of


async def begun(town: Town) -> WorkflowHandle[Any, None]:
    return await town.client.start_workflow(
        VisitExceptions.run,
        PoolQueue(POOL),
        id=f"visit-exceptions/{POOL}",
        task_queue=town.task_queue,
    )


async def test_each_day_what_hangs_is_found_however_much_it_is(town: Town) -> None:
    town.queue.hanging = ["2024-01-03"] * 5 + ["2024-01-05"]
    handle = await begun(town)
    await town.attribute(handle, "LtciState", "EMPTY")
    await town.pass_until("2024-01-06")
    await town.attribute(handle, "LtciState", "OPEN")
    await town.attribute(handle, "LtciWaitsFor", "OFFICER")

    assert town.queue.calls == [
        "open 2 on 2024-01-03",
        "open 2 on 2024-01-03",
        "open 1 on 2024-01-03",
        "open 1 on 2024-01-05",
    ]
    assert len(town.queue.answers) == 6 + 2  # once a day, and twice more on the third


async def test_what_nobody_settles_is_overdue_until_somebody_does(town: Town) -> None:
    town.queue.open = ["2024-01-10"]
    handle = await begun(town)
    await town.pass_until("2024-01-10")  # the last day counts whole
    await town.attribute(handle, "LtciState", "OPEN")
    await town.pass_until("2024-01-11")
    await town.attribute(handle, "LtciState", "OVERDUE")

    town.queue.open.clear()
    await town.pass_until("2024-01-12")
    await town.attribute(handle, "LtciState", "EMPTY")


async def test_a_clock_that_was_set_ahead_is_asked_for_the_day_again(town: Town) -> None:
    handle = await begun(town)
    await town.attribute(handle, "LtciState", "EMPTY")
    town.queue.hanging = ["2024-01-09"]
    await town.set_clock(speed=24.0)
    await handle.signal(VisitExceptions.clock_changed)
    await town.pass_until("2024-01-09")
    await town.attribute(handle, "LtciState", "OPEN")

    assert town.queue.calls == ["open 1 on 2024-01-09"]


async def test_a_refusal_ends_nothing(town: Town) -> None:
    town.queue.refusing = True
    handle = await begun(town)
    await town.attribute(handle, "LtciState", "REFUSED")
    town.queue.refusing, town.queue.open = False, ["2024-01-10"]
    await town.pass_until("2024-01-02")
    await town.attribute(handle, "LtciState", "OPEN")


def test_a_pool_with_a_provider_has_its_visits_looked_through() -> None:
    admitted = provider.ProviderAdmitted(pool=POOL, provider="p")

    assert wake_of(event("provider", 1, admitted), {}) == PoolServed(PoolQueue(POOL))
