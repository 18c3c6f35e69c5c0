"""Makes the histories that must replay for ever: `python -m tests.replay.record`.

Run it only when a process changed on purpose, under `workflow.patched`: then add the new
history beside the old one, under a new name. It writes nothing over what is there.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from temporalio.client import WorkflowHandle

from tests.support.temporal import POOL, Instruction, Town, skipping_server
from workflows.activities.contributions import LastDay
from workflows.activities.disputes import AppealStanding
from workflows.contribution_year import ContributionYear
from workflows.forget_evidence import ForgetEvidence
from workflows.inspect_flag import InspectFlag
from workflows.inspection import Inspection
from workflows.messages import (
    Batch,
    Carried,
    Designated,
    EvidenceMonth,
    FactNotice,
    FlagCase,
    InspectionCase,
    PoolMonth,
    PoolQueue,
    PoolYear,
)
from workflows.pay_instructions import PayInstructions
from workflows.provider_agreement import ProviderAgreement
from workflows.settle_month import SettleMonth
from workflows.visit_exceptions import VisitExceptions

HISTORIES = Path(__file__).parent / "histories"
PERSON = "5b7b8d3e-0c5f-8d0a-9a51-3f1f6a1c2e10"
DAY = "2024-01-01"


async def a_life(town: Town) -> dict[str, WorkflowHandle[Any, Any]]:
    """Entitled, paused, resumed, reassessed, ended by death."""
    first = await town.apply(PERSON, DAY)
    await town.attribute(town.assessment(first), "LtciState", "ACCEPTED")
    await town.pass_until("2024-01-10")
    await town.confirm(first, 4, "2024-01-10")
    await town.attribute(town.assessment(first), "LtciState", "PUBLISHED")
    await town.pass_until("2024-03-05")
    await town.live(PERSON, "ADMISSION", "2024-03-04")
    await town.story(PERSON, "PAUSED")
    await town.pass_until("2024-03-20")
    await town.live(PERSON, "DISCHARGE", "2024-03-19")
    await town.story(PERSON, "ENTITLED")
    await town.pass_until("2025-11-20")
    again = await town.apply(PERSON, "2025-11-20")
    await town.attribute(town.assessment(again), "LtciState", "ACCEPTED")
    await town.confirm(again, 5, "2025-11-25")
    await town.attribute(town.assessment(again), "LtciState", "PUBLISHED")
    await town.pass_until("2025-12-05")
    await town.story(PERSON, "ENTITLED", step="grade 5")
    await town.live(PERSON, "DEATH", "2025-12-04")
    await town.ended(town.lifecycle(PERSON))
    return {"lifecycle-to-death": town.lifecycle(PERSON), "published": town.assessment(first)}


async def an_expiry(town: Town) -> dict[str, WorkflowHandle[Any, Any]]:
    """A run that goes on for another, orders the reassessment and ends without one."""
    carried = Carried(
        entitlement="OPEN",
        grade=4,
        valid_until="2024-04-30",
        shown="ENTITLED",
        since=DAY,
        seen={"enrollment": 7},
    )
    handle = await town.start_lifecycle(PERSON, carried)
    await town.tell(PERSON, FactNotice("enrollment", 7, "LifeEventReported DEATH"))
    await town.story(PERSON, "ENTITLED")
    await town.pass_until("2024-05-01")
    await town.ended(handle)
    return {"lifecycle-expired": handle}


async def a_refusal(town: Town) -> dict[str, WorkflowHandle[Any, Any]]:
    town.insured = False
    application = await town.apply(PERSON, DAY)
    await town.ended(town.lifecycle(PERSON))
    return {"lifecycle-refused": town.lifecycle(PERSON), "refused": town.assessment(application)}


async def missing_papers(town: Town) -> dict[str, WorkflowHandle[Any, Any]]:
    handle = await town.start_assessment(town.submit(PERSON, DAY, missing_papers=True))
    await town.pass_until("2024-01-17")
    await town.ended(handle)
    return {"deemed-withdrawn": handle}


async def an_overdue_assessment(town: Town) -> dict[str, WorkflowHandle[Any, Any]]:
    application = town.submit(PERSON, DAY)
    handle = await town.start_assessment(application)
    await town.pass_until("2024-02-20")
    await town.attribute(handle, "LtciState", "OVERDUE")
    await town.set_clock(speed=24.0)
    await handle.signal("clock_changed")
    await town.confirm(application, 1, "2024-02-20")
    await town.ended(handle)
    return {"overdue": handle}


async def clocks_kept(town: Town) -> dict[str, WorkflowHandle[Any, Any]]:
    """Reminded of, stopped, run again, confirmed, public, objected to, delivered late."""
    town.reassess_before = timedelta(days=90)
    application = await town.apply(PERSON, DAY)
    handle = town.assessment(application)
    await town.attribute(handle, "LtciState", "ACCEPTED")
    await town.pass_until("2024-02-01")
    await town.pause(application, "IN_HOSPITAL")
    await town.attribute(handle, "LtciState", "PAUSED")
    await town.pass_until("2024-02-20")
    await town.resume(application)
    await town.attribute(handle, "LtciState", "ACCEPTED")
    await town.pass_until("2024-02-25")
    town.objections.add(application)
    await town.confirm(application, 4, "2024-02-25")
    await town.attribute(handle, "LtciState", "PUBLISHED")
    await town.pass_until("2024-03-11")
    await town.attribute(handle, "LtciState", "OVERDUE")
    town.objections.clear()
    await town.progress(application, "ObjectionDecided")
    await town.ended(handle)
    await town.story(PERSON, "ENTITLED")
    await town.live(PERSON, "DEATH", "2024-03-12")
    await town.ended(town.lifecycle(PERSON))
    return {"clocks-kept": handle, "lifecycle-with-clocks": town.lifecycle(PERSON)}


async def a_missed_clock(town: Town) -> dict[str, WorkflowHandle[Any, Any]]:
    application = town.submit(PERSON, DAY)
    handle = await town.start_assessment(application)
    await town.pass_until("2024-02-20")
    await town.attribute(handle, "LtciState", "OVERDUE")
    await town.set_clock(speed=24.0)
    await handle.signal("clock_changed")
    await town.confirm(application, 1, "2024-02-20")
    await town.ended(handle)
    return {"clocks-missed": handle}


async def papers_reminded_of(town: Town) -> dict[str, WorkflowHandle[Any, Any]]:
    handle = await town.start_assessment(town.submit(PERSON, DAY, missing_papers=True))
    await town.pass_until("2024-01-17")
    await town.ended(handle)
    return {"clocks-papers": handle}


async def a_month(town: Town) -> dict[str, WorkflowHandle[Any, Any]]:
    handle = await town.client.start_workflow(
        SettleMonth.run,
        PoolMonth(POOL, "2023-12"),
        id=f"settlement/{POOL}/2023-12",
        task_queue=town.task_queue,
    )
    await town.ended(handle)
    return {"settled": handle}


async def a_year_of_contributions(town: Town) -> dict[str, WorkflowHandle[Any, Any]]:
    """Determined, reminded, suspended, and counting again after payment."""
    office = town.collection
    office.deadlines = [LastDay("2024-02-28", "2024-02-08")]
    office.people, office.owing = 5, 2
    handle = await town.client.start_workflow(
        ContributionYear.run,
        PoolYear(POOL, 2024),
        id=f"contributions/{POOL}/2024",
        task_queue=town.task_queue,
    )
    await town.pass_until("2024-02-29")
    await town.attribute(handle, "LtciState", "RESTING")
    office.paying = 1
    await town.pass_until("2025-02-02")
    await town.ended(handle)
    return {"year-collected": handle}


async def payments(town: Town) -> dict[str, WorkflowHandle[Any, Any]]:
    """One paid, one unknown and found, one returned and reissued."""
    fates = [["PAID"], ["UNKNOWN", "PAID"], ["SENT", "RETURNED"]]
    town.instructions = {f"{n}": Instruction(fate) for n, fate in enumerate(fates)}
    handle = await town.client.start_workflow(
        PayInstructions.run, Batch("batch", POOL), id="payment/batch", task_queue=town.task_queue
    )
    await town.pass_until("2024-01-20")
    town.accounts_corrected = True
    await town.pass_until("2024-01-30")
    await town.ended(handle)
    return {"paid": handle}


async def a_review(town: Town) -> dict[str, WorkflowHandle[Any, Any]]:
    """An objection upheld late, a review by others, public and delivered."""
    town.disputes.set_review(PERSON, state="OBJECTED", objection_due_date="2024-01-15")
    handle = await town.start_review(PERSON)
    await town.pass_until("2024-01-16")
    await town.attribute(handle, "LtciState", "OVERDUE")
    town.disputes.set_review(
        PERSON, state="UNDER_WAY", objection_due_date="", due_date="2024-01-30"
    )
    await town.move_on(handle, "ReviewOrdered")
    await town.attribute(handle, "LtciWaitsFor", "REVIEW_FORMS")
    town.disputes.set_review(PERSON, state="CONFIRMED", grade=5, needs_publicity=True)
    await town.move_on(handle, "ReviewConfirmed")
    await town.attribute(handle, "LtciState", "PUBLISHED")
    await town.pass_until("2024-01-23")
    await town.ended(handle)
    return {"reviewed": handle}


async def an_appeal(town: Town) -> dict[str, WorkflowHandle[Any, Any]]:
    """Decided after a reminder."""
    town.disputes.appeals[PERSON] = AppealStanding(PERSON, decided=False, due_date="2024-02-29")
    handle = await town.start_appeal(PERSON)
    await town.pass_until("2024-02-27")
    town.disputes.appeals[PERSON] = AppealStanding(PERSON, decided=True, outcome="UPHELD")
    await town.move_on(handle, "AppealDecided")
    await town.ended(handle)
    return {"appealed": handle}


async def agreements(town: Town) -> dict[str, WorkflowHandle[Any, Any]]:
    """A year appraised, an exit asked for, its day come, the next agreement to its term."""
    provider = "8d4d26d0-4a55-8d0a-9a51-3f1f6a1c2e11"
    town.agreements.sign("second", "2025-12-31")
    town.agreements.sign("first", "2025-06-30", year_1="2024-12-31")
    town.agreements.open.reverse()
    handle = await town.client.start_workflow(
        ProviderAgreement.run,
        Designated(POOL, provider),
        id=f"agreement/{provider}",
        task_queue=town.task_queue,
    )
    await town.pass_until("2025-02-01")
    town.agreements.leave("2025-04-30")
    await handle.signal(ProviderAgreement.progress, FactNotice("provider", 3, "ExitRequested"))
    await town.pass_until("2026-01-01")
    await town.ended(handle)
    return {"agreement": handle}


async def evidence_of_a_month(town: Town) -> dict[str, WorkflowHandle[Any, Any]]:
    """Waited for, forgotten but for what a flag holds, and that once it is free."""
    town.evidence.keep("a", "2023-12-01")
    town.evidence.keep("b", "2023-12-01")
    town.evidence.flagged.add("b")
    handle = await town.client.start_workflow(
        ForgetEvidence.run,
        EvidenceMonth(POOL, "2023-12"),
        id=f"evidence/{POOL}/2023-12",
        task_queue=town.task_queue,
    )
    await town.pass_until("2024-02-10")
    await town.attribute(handle, "LtciState", "HELD")
    town.evidence.flagged.clear()
    await town.pass_until("2024-02-20")
    await town.ended(handle)
    return {"evidence-forgotten": handle}


async def a_queue(town: Town) -> dict[str, WorkflowHandle[Any, Any]]:
    """Empty, more than one sweep takes, overdue, settled; it goes on for ever."""
    town.queue.hanging = ["2024-01-03"] * 3
    handle = await town.client.start_workflow(
        VisitExceptions.run,
        PoolQueue(POOL),
        id=f"visit-exceptions/{POOL}",
        task_queue=town.task_queue,
    )
    await town.pass_until("2024-01-04")
    await town.attribute(handle, "LtciState", "OPEN")
    await town.pass_until("2024-02-02")
    await town.attribute(handle, "LtciState", "OVERDUE")
    await town.set_clock(speed=24.0)
    await handle.signal("clock_changed")
    town.queue.open.clear()
    await town.pass_until("2024-02-05")
    await town.attribute(handle, "LtciState", "EMPTY")
    return {"queue": handle}


async def a_flag(town: Town) -> dict[str, WorkflowHandle[Any, Any]]:
    handle = await town.client.start_workflow(
        InspectFlag.run, FlagCase("flag", POOL), id="flag/flag", task_queue=town.task_queue
    )
    await town.ended(handle)
    return {"flag-in-case": handle}


async def a_case(town: Town) -> dict[str, WorkflowHandle[Any, Any]]:
    """Told late, not answered, decided, appealed and won."""
    desk = town.inspections
    desk.set_case(PERSON, due_date="2024-01-08")
    handle = await town.client.start_workflow(
        Inspection.run,
        InspectionCase(PERSON, POOL),
        id=f"inspection/{PERSON}",
        task_queue=town.task_queue,
    )
    await town.pass_until("2024-01-09")
    await town.attribute(handle, "LtciState", "OVERDUE")
    desk.set_case(PERSON, state="NOTICED", due_date="2024-02-12", respond_by_date="2024-01-23")
    await town.move_on(handle, "InspectionNoticed")
    await town.attribute(handle, "LtciWaitsFor", "STATEMENT")
    await town.pass_until("2024-01-24")
    await town.attribute(handle, "LtciWaitsFor", "DECISION")
    desk.set_case(PERSON, state="DECIDED", due_date="", appeal_by_date="2024-02-15")
    await town.move_on(handle, "InspectionDecided")
    await town.attribute(handle, "LtciWaitsFor", "APPEAL")
    desk.set_case(PERSON, state="APPEALED", due_date="2024-03-15")
    await town.move_on(handle, "InspectionAppealed")
    await town.attribute(handle, "LtciWaitsFor", "APPEAL_DECISION")
    await town.pass_until("2024-03-01")
    desk.set_case(PERSON, state="CLOSED", outcome="CLEARED", due_date="")
    await town.move_on(handle, "InspectionClosed")
    await town.ended(handle)
    return {"case-appealed": handle}


async def a_case_unappealed(town: Town) -> dict[str, WorkflowHandle[Any, Any]]:
    """Decided against somebody who did not appeal: closed when the time is over."""
    town.inspections.set_case(PERSON, state="DECIDED", appeal_by_date="2024-01-15")
    handle = await town.client.start_workflow(
        Inspection.run,
        InspectionCase(PERSON, POOL),
        id=f"inspection/{PERSON}",
        task_queue=town.task_queue,
    )
    await town.pass_until("2024-01-16")
    await town.ended(handle)
    return {"case-closed": handle}


STORIES = (
    a_life,
    an_expiry,
    a_refusal,
    missing_papers,
    an_overdue_assessment,
    clocks_kept,
    a_missed_clock,
    papers_reminded_of,
    a_month,
    a_year_of_contributions,
    payments,
    a_review,
    an_appeal,
    agreements,
    evidence_of_a_month,
    a_queue,
    a_flag,
    a_case,
    a_case_unappealed,
)


@asynccontextmanager
async def _town() -> AsyncIterator[Town]:
    async with skipping_server(identity="recorder") as server, Town.found(server) as town:
        yield town


async def record(folder: Path) -> None:
    """Lives every story once and keeps the histories that are not there yet."""
    for story in STORIES:
        async with _town() as town:
            for name, handle in (await story(town)).items():
                file = folder / f"{name}.json"
                if file.exists():
                    continue
                history = json.loads((await handle.fetch_history()).to_json())
                file.write_text(json.dumps(history, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(record(HISTORIES))
