"""Payments are asked about until every one is proven."""

from typing import Any

from temporalio.client import WorkflowHandle

from tests.support.temporal import POOL, Instruction, Town
from workflows.messages import Batch, Paid
from workflows.pay_instructions import PayInstructions


async def paying(town: Town, *fates: list[str]) -> WorkflowHandle[Any, Paid]:
    """A batch whose instructions have these fates, one after the other."""
    town.instructions = {f"{n}": Instruction(list(fate)) for n, fate in enumerate(fates)}
    return await town.client.start_workflow(
        PayInstructions.run,
        Batch(town.task_queue, POOL),
        id=f"payment/{town.task_queue}",
        task_queue=town.task_queue,
    )


async def test_a_batch_the_bank_books_at_once_ends_at_once(town: Town) -> None:
    handle = await paying(town, ["PAID"], ["PAID"])

    assert await town.ended(handle) == Paid(town.task_queue, 2, 0, 300_000)


async def test_an_unknown_payment_is_enquired_the_next_day_and_found_paid(town: Town) -> None:
    handle = await paying(town, ["PAID"], ["UNKNOWN", "PAID"])
    await town.attribute(handle, "LtciState", "WITH_THE_BANK")

    await town.pass_until("2024-01-02")

    assert (await town.ended(handle)).paid_count == 2
    assert town.calls == ["enquire on 2024-01-01", "send on 2024-01-01", "enquire on 2024-01-02"]


async def test_a_payment_the_bank_never_got_is_sent_again_after_the_enquiry(town: Town) -> None:
    handle = await paying(town, ["UNKNOWN", "INSTRUCTED", "PAID"])
    await town.attribute(handle, "LtciState", "WITH_THE_BANK")

    await town.pass_until("2024-01-02")

    assert (await town.ended(handle)).paid_count == 1
    assert town.calls[-2:] == ["enquire on 2024-01-02", "send on 2024-01-02"]


async def test_a_returned_payment_waits_for_a_new_account_and_is_reissued(town: Town) -> None:
    handle = await paying(town, ["SENT", "RETURNED"])
    await town.attribute(handle, "LtciState", "WITH_THE_BANK")
    await town.pass_until("2024-01-03")
    await town.attribute(handle, "LtciState", "WAITING_ACCOUNT")

    await town.pass_until("2024-02-01")
    town.accounts_corrected = True
    await town.pass_until("2024-02-06")  # it looks every five days at the least

    assert await town.ended(handle) == Paid(town.task_queue, 1, 1, 150_000)


async def test_waiting_for_payees_is_asked_about_ever_more_rarely(town: Town) -> None:
    handle = await paying(town, ["INSTRUCTED"] * 100)
    await town.attribute(handle, "LtciState", "WAITING_ACCOUNT")

    await town.pass_until("2024-01-31")

    days = [call.removeprefix("enquire on ") for call in town.calls if "enquire" in call]
    assert days == [f"2024-01-{day:02}" for day in (1, 2, 4, 7, 11, 16, 21, 26, 31)]
    await handle.terminate()


async def test_a_batch_that_waits_long_goes_on_in_a_new_run(town: Town) -> None:
    town.instructions = {"0": Instruction(["INSTRUCTED"] * 1_000)}
    handle = await town.client.start_workflow(
        PayInstructions.run,
        Batch(town.task_queue, POOL, rounds=40, interval_days=5),
        id=f"payment/{town.task_queue}",
        task_queue=town.task_queue,
    )
    first = (await town.described(handle)).execution.run_id
    await town.attribute(handle, "LtciState", "WAITING_ACCOUNT")

    await town.pass_until("2026-12-01")  # more than 200 rounds

    assert (await town.described(handle)).execution.run_id != first
    await town.client.get_workflow_handle(handle.id).terminate()
