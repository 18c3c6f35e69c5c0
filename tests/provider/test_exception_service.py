"""Disputes, corrections and the exception queue over real gRPC and real PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from ltci.provider.v1 import events_pb2
from ltci.provider.v1 import exception_service_pb2 as pb
from ltci.provider.v1 import exception_service_pb2_grpc as pb_grpc
from ltci.provider.v1 import exception_types_pb2 as types
from ltci.provider.v1 import provider_service_pb2 as visits
from ltci.provider.v1 import provider_service_pb2_grpc as visits_grpc
from ltci.provider.v1 import provider_types_pb2 as provider_types
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from kernel.replay import raw_fact
from kernel.rules.pack import Pack
from kernel.rules.ruling import Ruling
from services.provider.__main__ import without_detectors as quiet
from services.provider.codec import provider_codec
from services.provider.replay import DECISIONS
from tests.provider.test_service import (
    CHANGZHOU,
    NEXT_DOOR,
    admission,
    approval,
    price,
    registration,
    request_id,
    upload,
)
from tests.support.letters import letters_in, same_append
from tests.support.people import person
from tests.support.service import Running, end_of, refused, running
from workflows.activities.provider import ProviderActivities, SweepStep, Swept

BEGUN = date(2024, 3, 6)
OTHER_CARER = person(4)
DELIVERED, REJECTED = provider_types.VISIT_STATE_DELIVERED, provider_types.VISIT_STATE_REJECTED


@pytest.fixture
async def provider(database_url: str, tmp_path: Path) -> AsyncIterator[Running]:
    async with running("provider", database_url, tmp_path, provider_codec, quiet) as service:
        service.set_day(BEGUN)
        yield service


@pytest.fixture
def stub(provider: Running) -> Any:
    return visits_grpc.ProviderServiceStub(provider.channel)


@pytest.fixture
def queue(provider: Running) -> Any:
    return pb_grpc.ExceptionServiceStub(provider.channel)


@pytest.fixture
async def carer(stub: Any) -> str:
    """A provider with prices and two caregivers, and a person with a plan."""
    await stub.AdmitProvider(admission())
    await stub.SetPrice(price("bath", 6000, 50))
    await stub.SetPrice(price("hair", 2000, 20))
    registered = await stub.RegisterCaregiver(registration())
    await stub.RegisterCaregiver(
        registration("register other", identity_number=OTHER_CARER.identity_number)
    )
    await stub.ApprovePlan(approval())
    return str(registered.caregiver)


def dispute(visit: str, name: str = "dispute", **changes: Any) -> pb.DisputeVisitRequest:
    told: dict[str, Any] = {
        "visit": visit,
        "reason": "NOBODY_CAME",
        "statement": "那天没有人来",
        "disputed_by": provider_types.CONFIRMED_BY_FAMILY,
        "disputed_date": "2024-03-06",
        "request_id": request_id(name),
    }
    return pb.DisputeVisitRequest(**(told | changes))


def correction(visit: str, name: str = "correction", **changes: Any) -> pb.CorrectVisitRequest:
    told: dict[str, Any] = {
        "visit": visit,
        "reason": "WRONG_CAREGIVER",
        "explanation": "换了一位护理员",
        "caregiver_identity_number": OTHER_CARER.identity_number,
        "corrected_by": "officer-1",
        "corrected_date": "2024-03-06",
        "request_id": request_id(name),
    }
    return pb.CorrectVisitRequest(**(told | changes))


def settlement(
    one: pb.Exception, outcome: "types.ExceptionOutcome.ValueType", **changes: Any
) -> pb.SettleExceptionRequest:
    told: dict[str, Any] = {
        "visit": one.visit,
        "exception": one.exception,
        "outcome": outcome,
        "reason": "CALLED_BACK",
        "settled_by": "officer-2",
        "settled_date": "2024-03-06",
        "request_id": request_id("settle"),
    }
    return pb.SettleExceptionRequest(**(told | changes))


async def begin(stub: Any, plan: str, carer: str, name: str = "start", day: int = 4) -> str:
    begun = await stub.StartVisit(
        visits.StartVisitRequest(
            plan=plan,
            caregiver=carer,
            start_time=f"2024-03-{day:02d}T09:00:00+08:00",
            place=NEXT_DOOR,
            request_id=request_id(name),
        )
    )
    return str(begun.visit)


def sweep(name: str) -> pb.SweepVisitsRequest:
    return pb.SweepVisitsRequest(pool=CHANGZHOU, request_id=request_id(name))


async def listed(provider: Running, queue: Any, **asked: Any) -> list[pb.Exception]:
    await provider.caught_up()
    told = await queue.ListExceptions(pb.ListExceptionsRequest(pool=CHANGZHOU, **asked))
    return list(told.exceptions)


async def test_a_disputed_visit_is_held_and_counts_again_where_the_dispute_is_not_right(
    provider: Running, stub: Any, queue: Any, carer: str
) -> None:
    visit = await stub.SubmitVisit(upload())
    held = await queue.DisputeVisit(dispute(visit.visit))

    assert (held.visit.state, list(held.visit.reasons)) == (REJECTED, ["DISPUTED"])
    assert held.dispute_reason == "NOBODY_CAME"
    [one] = await listed(provider, queue)
    assert (one.kind, one.due_date) == (types.EXCEPTION_KIND_DISPUTED, "2024-03-20")
    assert held == await queue.DisputeVisit(dispute(visit.visit))

    done = await queue.SettleException(settlement(one, types.EXCEPTION_OUTCOME_NOT_UPHELD))
    assert (done.visit.state, list(done.visit.reasons)) == (DELIVERED, [])
    assert await listed(provider, queue) == []
    [settled] = await listed(provider, queue, settled=True)
    assert (settled.outcome, settled.settled_by) == (
        types.EXCEPTION_OUTCOME_NOT_UPHELD,
        "officer-2",
    )
    [shown] = (
        await stub.ListVisits(visits.ListVisitsRequest(person=visit.person, pool=CHANGZHOU))
    ).visits
    assert shown == done.visit == await stub.GetVisit(visits.GetVisitRequest(visit=visit.visit))


async def test_what_is_said_against_a_visit_is_sealed(
    provider: Running, stub: Any, queue: Any, carer: str
) -> None:
    visit = await stub.SubmitVisit(upload())
    await queue.DisputeVisit(dispute(visit.visit))

    [event] = [e for e in await provider.events_after(0) if "VisitDisputed" in e.type]
    assert event.sealed is not None
    assert "那天没有人来".encode() not in event.payload


async def test_the_time_to_object_runs_from_the_day_the_verdict_was_known(
    provider: Running, stub: Any, queue: Any, carer: str
) -> None:
    provider.set_day(date(2024, 3, 20))  # uploaded sixteen days late
    visit = await stub.SubmitVisit(upload())
    provider.set_day(date(2024, 4, 20))

    problem = await refused(
        queue.DisputeVisit(dispute(visit.visit, "late", disputed_date="2024-04-20"))
    )
    assert (problem.reason, problem.metadata["last_date"]) == ("DISPUTE_TOO_LATE", "2024-04-19")
    held = await queue.DisputeVisit(dispute(visit.visit, disputed_date="2024-04-19"))
    assert held.visit.state == REJECTED


async def test_a_corrected_visit_is_decided_anew_and_the_original_stays(
    provider: Running, stub: Any, queue: Any, carer: str
) -> None:
    visit = await stub.SubmitVisit(upload())
    known_before = end_of(BEGUN)
    provider.set_day(date(2024, 3, 8))
    corrected = await queue.CorrectVisit(correction(visit.visit))

    assert (corrected.visit.state, corrected.corrected_count) == (DELIVERED, 1)
    assert corrected.correction_reason == "WRONG_CAREGIVER"
    before = await queue.GetVisitRecord(
        pb.GetVisitRecordRequest(visit=visit.visit, known_at_time=known_before)
    )
    assert (before.corrected_count, before.visit) == (0, visit)
    again = correction(visit.visit, "again")
    assert (await refused(queue.CorrectVisit(again))).reason == "NOTHING_CHANGED"


async def test_more_money_by_a_correction_needs_two_people(
    provider: Running, stub: Any, queue: Any, carer: str
) -> None:
    visit = await stub.SubmitVisit(upload(items=["bath"]))
    more = correction(
        visit.visit, reason="WRONG_ITEM", caregiver_identity_number="", items=["bath", "hair"]
    )
    waits = await queue.CorrectVisit(more)
    assert (waits.visit.cost_fen, waits.corrected_count) == (6000, 0)
    [one] = await listed(provider, queue, kind=types.EXCEPTION_KIND_CORRECTION)

    approve = settlement(one, types.EXCEPTION_OUTCOME_APPROVED)
    alone = settlement(
        one,
        types.EXCEPTION_OUTCOME_APPROVED,
        settled_by="officer-1",
        request_id=request_id("alone"),
    )
    assert (await refused(queue.SettleException(alone))).reason == "SAME_PERSON"
    done = await queue.SettleException(approve)
    assert (done.visit.cost_fen, done.corrected_count) == (8000, 1)
    await provider.caught_up()
    counted = await queue.GetExceptionCounts(
        pb.GetExceptionCountsRequest(
            pool=CHANGZHOU, first_date="2024-03-01", last_date="2024-03-31"
        )
    )
    [count] = counted.counts
    assert (count.correction_count, count.corrected_visit_count) == (1, 1)


async def test_a_visit_that_never_ended_frees_its_plan_and_is_told_by_a_correction(
    provider: Running, stub: Any, queue: Any, carer: str
) -> None:
    [plan] = (await stub.ListPlans(await plans_of(provider, stub))).plans
    hangs = await begin(stub, plan.plan, carer)
    await provider.caught_up()
    swept = await queue.SweepVisits(sweep("first"))
    assert (swept.opened_count, swept.open_count, swept.more) == (1, 1, False)
    [one] = await listed(provider, queue)
    assert (one.kind, one.visit, one.overdue) == (types.EXCEPTION_KIND_NOT_ENDED, hangs, False)
    other = await begin(stub, plan.plan, carer, "next", day=6)
    assert other != hangs

    missing = await refused(
        queue.CorrectVisit(correction(hangs, "bare", reason="FORGOT_TO_CHECK_OUT"))
    )
    assert [violation.field for violation in missing.violations] == ["end_time", "items"]
    told = await queue.CorrectVisit(
        correction(
            hangs,
            reason="FORGOT_TO_CHECK_OUT",
            caregiver_identity_number="",
            end_time="2024-03-04T10:00:00+08:00",
            items=["bath"],
            approved_by="officer-2",
        )
    )
    assert told.visit.state == provider_types.VISIT_STATE_ENDED
    assert told.exceptions[0].outcome == types.EXCEPTION_OUTCOME_CORRECTED
    counted = await stub.ConfirmVisit(
        visits.ConfirmVisitRequest(
            visit=hangs,
            confirmed_by=provider_types.CONFIRMED_BY_FAMILY,
            request_id=request_id("confirm"),
        )
    )
    assert (counted.state, counted.cost_fen) == (DELIVERED, 6000)


async def plans_of(provider: Running, stub: Any) -> visits.ListPlansRequest:
    await provider.caught_up()
    visit = await stub.SubmitVisit(upload("for its person"))
    return visits.ListPlansRequest(person=visit.person, pool=CHANGZHOU)


async def test_what_nobody_confirms_runs_out_of_time_and_is_decided(
    provider: Running, stub: Any, queue: Any, carer: str
) -> None:
    [plan] = (await stub.ListPlans(await plans_of(provider, stub))).plans
    visit = await begin(stub, plan.plan, carer)
    await stub.EndVisit(
        visits.EndVisitRequest(
            visit=visit,
            end_time="2024-03-04T10:00:00+08:00",
            items=["bath"],
            request_id=request_id("end"),
        )
    )
    await provider.caught_up()
    assert (await queue.SweepVisits(sweep("too early"))).opened_count == 0
    provider.set_day(date(2024, 3, 12))
    assert (await queue.SweepVisits(sweep("in time"))).opened_count == 1
    assert (await queue.SweepVisits(sweep("twice"))).opened_count == 0
    provider.set_day(date(2024, 3, 27))
    [one] = await listed(provider, queue, overdue=True)
    assert (one.kind, one.due_date, one.overdue) == (
        types.EXCEPTION_KIND_NOT_CONFIRMED,
        "2024-03-26",
        True,
    )
    swept = await queue.SweepVisits(sweep("late"))
    assert (swept.lapsed_count, swept.open_count, swept.overdue_count) == (1, 0, 0)
    told = await queue.GetVisitRecord(pb.GetVisitRecordRequest(visit=visit))
    assert told.exceptions[0].outcome == types.EXCEPTION_OUTCOME_LAPSED
    assert told.visit.state in {DELIVERED, REJECTED}
    assert await listed(provider, queue) == []


async def test_a_late_confirmation_settles_the_exception(
    provider: Running, stub: Any, queue: Any, carer: str
) -> None:
    [plan] = (await stub.ListPlans(await plans_of(provider, stub))).plans
    visit = await begin(stub, plan.plan, carer)
    await provider.caught_up()
    await queue.SweepVisits(sweep("not ended"))
    await stub.EndVisit(
        visits.EndVisitRequest(
            visit=visit,
            end_time="2024-03-04T10:00:00+08:00",
            items=["bath"],
            request_id=request_id("end"),
        )
    )
    provider.set_day(date(2024, 3, 12))
    await provider.caught_up()
    await queue.SweepVisits(sweep("not confirmed"))
    await stub.ConfirmVisit(
        visits.ConfirmVisitRequest(
            visit=visit,
            confirmed_by=provider_types.CONFIRMED_BY_PERSON,
            request_id=request_id("confirm"),
        )
    )

    told = await queue.GetVisitRecord(pb.GetVisitRecordRequest(visit=visit))
    assert [one.outcome for one in told.exceptions] == [
        types.EXCEPTION_OUTCOME_ENDED,
        types.EXCEPTION_OUTCOME_CONFIRMED,
    ]


async def test_later_verdicts_can_be_made_again(
    provider: Running, stub: Any, queue: Any, carer: str
) -> None:
    visit = await stub.SubmitVisit(upload())
    before = await provider.head()
    await queue.CorrectVisit(correction(visit.visit))
    await queue.DisputeVisit(dispute(visit.visit))
    [one] = await listed(provider, queue)
    await queue.SettleException(settlement(one, types.EXCEPTION_OUTCOME_UPHELD))
    store = provider.service.parts.store
    decisions = [e for e in await store.read_all(before) if e.type in DECISIONS]
    assert len(decisions) == 3

    for decision in decisions:
        kind: Any = events_pb2.ServiceRejected
        if "Delivered" in decision.type:
            kind = events_pb2.ServiceDelivered
        message = kind.FromString(decision.payload)
        ruling = Ruling.parse(message.ruling)
        found = await store.read_positions([fact.position for fact in ruling.facts])
        kept = await store.get_pack(ruling.pack.partition("@")[2])
        assert kept is not None
        facts = [raw_fact("provider", event) for event in found]
        redone = DECISIONS[decision.type](decision.payload, facts, Pack.parse(kept[1]))
        assert message.ruling == redone


BAD: dict[str, tuple[dict[str, Any], str, str]] = {
    "unknown reason": ({"reason": "BORED"}, "UNKNOWN_VALUE", "reason"),
    "no code": ({"reason": "nobody came"}, "WRONG_FORM", "reason"),
    "nobody disputes": ({"disputed_by": 0}, "REQUIRED", "disputed_by"),
    "tomorrow": ({"disputed_date": "2024-03-07"}, "DATE_IN_FUTURE", "disputed_date"),
    "no such day": ({"disputed_date": "2024-02-30"}, "NOT_A_DATE", "disputed_date"),
    "too many words": ({"statement": "x" * 2001}, "TOO_LONG", "statement"),
}


@pytest.mark.parametrize("case", BAD)
async def test_a_bad_dispute_is_refused_by_field_and_nothing_is_stored(
    case: str, provider: Running, stub: Any, queue: Any, carer: str
) -> None:
    changes, reason, field = BAD[case]
    visit = await stub.SubmitVisit(upload())
    before = await provider.head()

    problem = await refused(queue.DisputeVisit(dispute(visit.visit, **changes)))

    assert (problem.code, problem.reason) == ("INVALID_ARGUMENT", reason)
    assert [violation.field for violation in problem.violations] == [field]
    assert before == await provider.head()


BAD_CORRECTIONS: dict[str, tuple[dict[str, Any], str, str]] = {
    "unknown reason": ({"reason": "NOBODY_CAME"}, "UNKNOWN_VALUE", "reason"),
    "no words": ({"explanation": " "}, "REQUIRED", "explanation"),
    "two caregivers": ({"caregiver": request_id("x")}, "ONE_OF_TWO", "caregiver"),
    "no officer": ({"corrected_by": ""}, "REQUIRED", "corrected_by"),
    "ends before": (
        {"end_time": "2024-03-04T08:00:00+08:00"},
        "ENDS_BEFORE_START",
        "end_time",
    ),
    "not listed": ({"items": ["bath", "massage"]}, "ITEM_NOT_LISTED", "items[1]"),
}


@pytest.mark.parametrize("case", BAD_CORRECTIONS)
async def test_a_bad_correction_is_refused_by_field_and_nothing_is_stored(
    case: str, provider: Running, stub: Any, queue: Any, carer: str
) -> None:
    changes, reason, field = BAD_CORRECTIONS[case]
    visit = await stub.SubmitVisit(upload())
    before = await provider.head()

    problem = await refused(queue.CorrectVisit(correction(visit.visit, **changes)))

    assert (problem.code, problem.reason) == ("INVALID_ARGUMENT", reason)
    assert [violation.field for violation in problem.violations] == [field]
    assert before == await provider.head()


async def test_what_is_not_there_is_not_found(queue: Any, carer: str) -> None:
    nobody = request_id("nobody's visit")

    assert (await refused(queue.DisputeVisit(dispute(nobody)))).reason == "VISIT_UNKNOWN"
    assert (await refused(queue.CorrectVisit(correction(nobody)))).reason == "VISIT_UNKNOWN"
    asked = pb.GetVisitRecordRequest(visit=nobody)
    assert (await refused(queue.GetVisitRecord(asked))).reason == "VISIT_UNKNOWN"


async def test_the_queue_is_read_page_by_page(
    provider: Running, stub: Any, queue: Any, carer: str
) -> None:
    for day in (4, 5):
        visit = await stub.SubmitVisit(
            upload(
                f"visit {day}",
                start_time=f"2024-03-0{day}T09:00:00+08:00",
                end_time=f"2024-03-0{day}T10:30:00+08:00",
            )
        )
        await queue.DisputeVisit(dispute(visit.visit, f"dispute {day}"))
    await provider.caught_up()
    asked = pb.ListExceptionsRequest(pool=CHANGZHOU, page_size=1)
    first = await queue.ListExceptions(asked)
    asked.page_token = first.next_page_token
    second = await queue.ListExceptions(asked)

    found = [*first.exceptions, *second.exceptions]
    assert len({one.exception for one in found}) == 2
    assert second.next_page_token == ""


async def test_of_two_starts_in_the_same_instant_one_is_refused(
    provider: Running, stub: Any, carer: str
) -> None:
    [plan] = (await stub.ListPlans(await plans_of(provider, stub))).plans
    started = await asyncio.gather(
        *(begin(stub, plan.plan, carer, f"start {n}") for n in range(8)), return_exceptions=True
    )

    assert sum(isinstance(one, str) for one in started) == 1
    events = [event.type.partition("/")[0] for event in await provider.events_after(0)]
    assert events.count("ltci.provider.v1.VisitTurnTaken") == 1


async def test_a_disputes_outcome_is_told_to_the_person_in_the_same_append(
    provider: Running, stub: Any, queue: Any, carer: str
) -> None:
    visit = await stub.SubmitVisit(upload())
    await queue.DisputeVisit(dispute(visit.visit))
    [one] = await listed(provider, queue)
    asked = settlement(one, types.EXCEPTION_OUTCOME_NOT_UPHELD)
    await queue.SettleException(asked)
    await queue.SettleException(asked)

    events = await provider.service.parts.store.read_all(0)
    [letter] = letters_in(events)
    assert letter.event.kind == "visit_dispute_outcome"
    assert letter.event.person == visit.person
    assert letter.document["good"]
    assert "ServiceDelivered" in same_append(events, letter)
    grounds = " ".join(ground["text"]["en"] for ground in letter.document["grounds"])
    assert "people decided that this is not right" in grounds


async def test_the_process_sweeps_over_the_wire(
    provider: Running, stub: Any, queue: Any, carer: str
) -> None:
    [plan] = (await stub.ListPlans(await plans_of(provider, stub))).plans
    await begin(stub, plan.plan, carer)
    await provider.caught_up()
    sweep_visits = ProviderActivities(provider.channel).sweep_visits
    step = SweepStep(CHANGZHOU, request_id("sweep"))

    first = await ActivityEnvironment().run(sweep_visits, step)
    again = await ActivityEnvironment().run(sweep_visits, step)

    assert first == again == Swept(more=False, open_count=1, overdue_count=0, opened_count=1)
    with pytest.raises(ApplicationError, match="pool"):
        await ActivityEnvironment().run(sweep_visits, SweepStep("999999", request_id("nowhere")))
