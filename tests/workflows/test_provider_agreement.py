"""An agreement from its signing to its recorded end."""

from typing import Any

from ltci.provider.v1 import events_pb2 as provider
from temporalio.client import WorkflowHandle

from tests.support.temporal import POOL, Town
from tests.workflows.test_triggers import event
from workflows.messages import Designated, FactNotice
from workflows.provider_agreement import ProviderAgreement
from workflows.wakes import AgreementMoved, wake_of

PROVIDER = "8d4d26d0-4a55-8d0a-9a51-3f1f6a1c2e11"
NOTICE = FactNotice("provider", 3, "ExitRequested")


async def begun(town: Town) -> WorkflowHandle[Any, int]:
    return await town.client.start_workflow(
        ProviderAgreement.run,
        Designated(POOL, PROVIDER),
        id=f"agreement/{PROVIDER}-{town.task_queue}",
        task_queue=town.task_queue,
    )


async def test_each_year_is_appraised_and_the_end_recorded_once_the_last_day_is_over(
    town: Town,
) -> None:
    town.agreements.sign("a", "2025-12-31", year_1="2024-12-31", year_2="2025-12-31")
    handle = await begun(town)
    await town.pass_until("2026-01-01")

    assert await town.ended(handle) == 1
    assert town.agreements.calls == [
        "appraise year 1 on 2025-01-01",
        "appraise year 2 on 2026-01-01",
        "end a on 2026-01-01",
    ]


async def test_a_provider_that_leaves_ends_on_the_day_it_named_three_months_ahead(
    town: Town,
) -> None:
    town.agreements.sign("a", "2024-12-31", year_1="2024-12-31")
    handle = await begun(town)
    await town.attribute(handle, "LtciState", "IN_FORCE")
    await town.pass_until("2024-03-01")
    town.agreements.leave("2024-05-31")
    await handle.signal(ProviderAgreement.progress, NOTICE)
    await town.pass_until("2024-05-31")
    assert town.agreements.calls == []
    await town.pass_until("2024-06-01")

    assert await town.ended(handle) == 1
    assert town.agreements.calls == ["end a on 2024-06-01"]


async def test_the_next_agreement_is_carried_on_after_the_last(town: Town) -> None:
    town.agreements.sign("a", "2024-01-31")
    town.agreements.sign("b", "2024-02-29")
    handle = await begun(town)
    await town.pass_until("2024-03-01")

    assert await town.ended(handle) == 2
    assert town.agreements.calls == ["end a on 2024-02-01", "end b on 2024-03-01"]


async def test_a_clock_that_stood_ends_nothing_before_its_day(town: Town) -> None:
    town.agreements.sign("a", "2024-01-31")
    handle = await begun(town)
    await town.pass_until("2024-01-20")
    await town.set_clock(speed=24.0)
    await handle.signal(ProviderAgreement.clock_changed)
    await town.pass_until("2024-02-01")

    assert await town.ended(handle) == 1
    assert town.agreements.calls == ["end a on 2024-02-01"]


def test_what_moves_an_agreement_wakes_its_process() -> None:
    for message in (
        provider.AgreementSigned(pool=POOL, provider=PROVIDER),
        provider.SanctionImposed(pool=POOL, provider=PROVIDER),
        provider.ExitRequested(pool=POOL, provider=PROVIDER),
    ):
        wake = wake_of(event("provider", 1, message), {})
        assert isinstance(wake, AgreementMoved)
        assert (wake.pool, wake.provider) == (POOL, PROVIDER)
