"""A case from its opening to its end, one test a way through it."""

from typing import Any

from ltci.provider.v1 import events_pb2 as provider
from temporalio.client import WorkflowHandle

from tests.support.temporal import POOL, Town
from tests.workflows.test_triggers import Feed, event, followed, following, notes
from workflows.inspection import Inspection
from workflows.messages import FactNotice, FlagCase, InspectionCase
from workflows.notes import Notes
from workflows.telling_supervision import tell
from workflows.wakes import wake_of
from workflows.wakes_supervision import CaseMoved, Flagged

__all__ = ["notes"]
CASE = "2f0d8c1e-0c5f-8d0a-9a51-3f1f6a1c2e12"


async def begun(town: Town, **changes: Any) -> WorkflowHandle[Any, str]:
    """A case of today, to be noticed by the eighth and decided by the end of the month."""
    town.inspections.set_case(CASE, due_date="2024-01-08", **changes)
    return await town.client.start_workflow(
        Inspection.run,
        InspectionCase(CASE, POOL),
        id=f"inspection/{CASE}",
        task_queue=town.task_queue,
    )


def told_of(town: Town, workflow_id: str) -> WorkflowHandle[Any, str]:
    return town.client.get_workflow_handle(workflow_id)


async def noticed(town: Town, handle: WorkflowHandle[Any, str]) -> None:
    town.inspections.set_case(
        CASE, state="NOTICED", due_date="2024-01-31", respond_by_date="2024-01-18"
    )
    await town.move_on(handle, "InspectionNoticed")


async def decided(town: Town, handle: WorkflowHandle[Any, str]) -> None:
    town.inspections.set_case(CASE, state="DECIDED", due_date="", appeal_by_date="2024-02-15")
    await town.move_on(handle, "InspectionDecided")


async def test_a_case_that_is_cleared_ends_at_once(town: Town) -> None:
    handle = await begun(town)
    await town.attribute(handle, "LtciWaitsFor", "NOTICE")
    town.inspections.set_case(CASE, state="CLOSED", outcome="CLEARED", due_date="")
    await town.move_on(handle, "InspectionClosed")

    assert await town.ended(handle) == "CLEARED"
    assert town.inspections.calls == []


async def test_a_confirmed_case_is_closed_once_the_time_to_appeal_is_over(town: Town) -> None:
    handle = await begun(town)
    await noticed(town, handle)
    await town.attribute(handle, "LtciWaitsFor", "STATEMENT")
    await town.pass_until("2024-01-19")  # the time to answer is over
    await town.attribute(handle, "LtciWaitsFor", "DECISION")
    await decided(town, handle)
    await town.attribute(handle, "LtciWaitsFor", "APPEAL")
    await town.pass_until("2024-02-15")  # the last day to appeal counts whole
    assert town.inspections.calls == []
    await town.pass_until("2024-02-16")

    assert await town.ended(handle) == "CONFIRMED"
    assert town.inspections.calls == ["close on 2024-02-16"]


async def test_an_answer_ends_the_wait_for_it(town: Town) -> None:
    handle = await begun(town)
    await noticed(town, handle)
    await town.attribute(handle, "LtciWaitsFor", "STATEMENT")
    town.inspections.set_case(CASE, answered=True)
    await town.move_on(handle, "StatementFiled")
    await town.attribute(handle, "LtciWaitsFor", "DECISION")

    seen = await handle.query(Inspection.standing)
    assert seen is not None
    assert seen.answered


async def test_an_appeal_that_is_won_ends_the_case_as_cleared(town: Town) -> None:
    handle = await begun(town)
    await decided(town, handle)
    await town.attribute(handle, "LtciWaitsFor", "APPEAL")
    town.inspections.set_case(CASE, state="APPEALED", due_date="2024-02-29")
    await town.move_on(handle, "InspectionAppealed")
    await town.attribute(handle, "LtciWaitsFor", "APPEAL_DECISION")
    await town.pass_until("2024-02-20")  # its time to appeal is over, and nothing is closed
    assert town.inspections.calls == []
    town.inspections.set_case(CASE, state="CLOSED", outcome="CLEARED", due_date="")
    await town.move_on(handle, "InspectionClosed")

    assert await town.ended(handle) == "CLEARED"


async def test_a_notice_that_nobody_sends_is_reminded_of_and_noted(town: Town) -> None:
    handle = await begun(town)
    await town.pass_until("2024-01-09")
    await town.attribute(handle, "LtciState", "OVERDUE")
    assert town.inspections.calls == [
        "NOTICE REMINDED on 2024-01-05",
        "NOTICE MISSED on 2024-01-09",
    ]

    await noticed(town, handle)  # late, and it goes on
    await town.attribute(handle, "LtciState", "NOTICED")


async def test_a_decision_that_is_late_is_noted(town: Town) -> None:
    handle = await begun(town)
    await noticed(town, handle)
    await town.pass_until("2024-02-01")
    await town.attribute(handle, "LtciState", "OVERDUE")
    assert town.inspections.calls == [
        "DECISION REMINDED on 2024-01-28",
        "DECISION MISSED on 2024-02-01",
    ]


async def test_a_flag_is_put_into_a_case_once(town: Town) -> None:
    wake = Flagged(FlagCase("f-1", POOL))
    for _ in range(2):
        await tell(town.client, town.task_queue, wake)
    handle = told_of(town, "flag/f-1")
    assert await town.ended(handle) == "case of f-1"
    await tell(town.client, town.task_queue, wake)  # after it has ended
    assert town.inspections.calls == ["open for f-1"]


async def test_a_flag_that_was_decided_needs_no_case(town: Town) -> None:
    town.inspections.decided_flags.add("f-2")
    await tell(town.client, town.task_queue, Flagged(FlagCase("f-2", POOL)))
    handle = told_of(town, "flag/f-2")
    assert await town.ended(handle) == ""


async def test_an_appeal_after_the_end_begins_the_case_again(town: Town) -> None:
    town.inspections.set_case(CASE, state="CLOSED", outcome="CONFIRMED")
    case, notice = InspectionCase(CASE, POOL), FactNotice("provider", 3, "InspectionOpened")
    await tell(town.client, town.task_queue, CaseMoved(case, notice, begins=True))
    handle = told_of(town, f"inspection/{CASE}")
    assert await town.ended(handle) == "CONFIRMED"

    town.inspections.set_case(CASE, state="APPEALED", outcome="", due_date="2024-02-29")
    late = FactNotice("provider", 9, "InspectionAppealed")
    await tell(town.client, town.task_queue, CaseMoved(case, late, begins=True))
    await town.attribute(handle, "LtciWaitsFor", "APPEAL_DECISION")
    # What moves nobody's process is let go.
    gone = CaseMoved(InspectionCase("nobody", POOL), late)
    await tell(town.client, town.task_queue, gone)


def test_what_happens_in_a_case_wakes_its_process() -> None:
    flag = wake_of(event("provider", 1, provider.RiskFlagged(flag="f", pool=POOL)), {})
    assert flag == Flagged(FlagCase("f", POOL))
    begins = {provider.InspectionOpened: True, provider.InspectionAppealed: True} | dict.fromkeys(
        (
            provider.InspectionNoticed,
            provider.StatementFiled,
            provider.InspectionDecided,
            provider.InspectionClosed,
        ),
        False,
    )
    for kind, expected in begins.items():
        wake = wake_of(event("provider", 2, kind(inspection=CASE, pool=POOL)), {})
        assert isinstance(wake, CaseMoved)
        assert (wake.workflow_id, wake.begins) == (f"inspection/{CASE}", expected)


async def test_the_feed_carries_a_flag_to_its_case_and_the_case_to_its_end(
    town: Town, notes: Notes
) -> None:
    case: dict[str, Any] = {"inspection": CASE, "pool": POOL}
    town.inspections.set_case(CASE, state="CLOSED", outcome="CLEARED")
    feed = Feed(
        "provider",
        provider.RiskFlagged(flag="f-3", pool=POOL),
        provider.InspectionOpened(**case),
        provider.InspectionClosed(**case),
    )
    async with following(town, notes, feed):
        await followed(notes, "provider", 3)

    assert await town.ended(told_of(town, "flag/f-3")) == "case of f-3"
    assert await town.ended(told_of(town, f"inspection/{CASE}")) == "CLEARED"
