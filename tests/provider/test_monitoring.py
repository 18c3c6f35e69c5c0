"""Complaints, monitoring and the quality score over real gRPC and real PostgreSQL."""

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from ltci.provider.v1 import complaint_service_pb2 as complaint_pb
from ltci.provider.v1 import (
    complaint_service_pb2_grpc,
    monitoring_service_pb2_grpc,
    provider_service_pb2_grpc,
)
from ltci.provider.v1 import monitoring_service_pb2 as pb
from ltci.provider.v1 import provider_service_pb2 as providers
from ltci.provider.v1 import supervision_types_pb2 as types

from kernel.rules.pack import Pack
from kernel.rules.ruling import Ruling
from services.provider.__main__ import build
from services.provider.codec import provider_codec
from services.provider.domain.quality import asked_in, rule_quality
from tests.provider.test_service import (
    CHANGZHOU,
    FAR_AWAY,
    NEXT_DOOR,
    admission,
    approval,
    price,
    registration,
    request_id,
    upload,
)
from tests.support.service import Running, refused, running

WORDS = "护理员没有来"


@pytest.fixture
async def provider(database_url: str, tmp_path: Path) -> AsyncIterator[Running]:
    async with running("provider", database_url, tmp_path, provider_codec, build) as service:
        yield service


@pytest.fixture
def stub(provider: Running) -> Any:
    return provider_service_pb2_grpc.ProviderServiceStub(provider.channel)


@pytest.fixture
def desk(provider: Running) -> Any:
    return complaint_service_pb2_grpc.ComplaintServiceStub(provider.channel)


@pytest.fixture
def monitor(provider: Running) -> Any:
    return monitoring_service_pb2_grpc.MonitoringServiceStub(provider.channel)


@pytest.fixture
async def plan(stub: Any) -> providers.Plan:
    await stub.AdmitProvider(admission())
    await stub.SetPrice(price("bath", 6000, 50))
    await stub.SetPrice(price("hair", 2000, 20))
    await stub.RegisterCaregiver(registration())
    approved: providers.Plan = await stub.ApprovePlan(approval())
    return approved


def complaint(name: str = "complaint", **changes: Any) -> complaint_pb.FileComplaintRequest:
    told: dict[str, Any] = {
        "pool": CHANGZHOU,
        "channel": types.COMPLAINT_CHANNEL_HOTLINE,
        "words": WORDS,
        "filed_date": "2024-03-05",
        "request_id": request_id(name),
    }
    return complaint_pb.FileComplaintRequest(**(told | changes))


async def test_a_complaint_goes_its_way_with_its_clocks(
    provider: Running, stub: Any, desk: Any, plan: providers.Plan
) -> None:
    visit = await stub.SubmitVisit(upload())
    provider.set_day(date(2024, 3, 5))
    before = await provider.head()
    filed = await desk.FileComplaint(complaint(visit=visit.visit, contact="138 0000 0000"))

    assert (filed.provider, filed.state) == (plan.provider, complaint_pb.COMPLAINT_STATE_FILED)
    assert filed.caregiver != ""
    assert (filed.due_date, filed.anonymous, filed.words) == ("2024-03-26", False, "")
    [event] = await provider.events_after(before)
    assert WORDS.encode() not in event.payload
    assert b"138 0000" not in event.payload

    provider.set_day(date(2024, 3, 27))
    late = complaint_pb.ListComplaintsRequest(pool=CHANGZHOU, overdue=True)
    assert [c.complaint for c in (await desk.ListComplaints(late)).complaints] == [filed.complaint]
    asked = complaint_pb.AcceptComplaintRequest(
        complaint=filed.complaint, request_id=request_id("accept")
    )
    accepted = await desk.AcceptComplaint(asked)
    assert accepted.due_date == "2024-06-24"
    assert list((await desk.ListComplaints(late)).complaints) == []

    answer = complaint_pb.AnswerComplaintRequest(
        complaint=filed.complaint,
        outcome=types.COMPLAINT_OUTCOME_SUBSTANTIATED,
        reasons="查实",
        request_id=request_id("answer"),
    )
    answered = await desk.AnswerComplaint(answer)
    assert answered.state == complaint_pb.COMPLAINT_STATE_ANSWERED
    whole = await desk.GetComplaint(
        complaint_pb.GetComplaintRequest(complaint=filed.complaint, with_words=True)
    )
    assert (whole.words, whole.contact, whole.reasons) == (WORDS, "138 0000 0000", "查实")
    done = complaint_pb.ListComplaintsRequest(
        pool=CHANGZHOU, state=complaint_pb.COMPLAINT_STATE_ANSWERED
    )
    assert len((await desk.ListComplaints(done)).complaints) == 1


async def test_an_anonymous_complaint_names_nobody(
    provider: Running, desk: Any, plan: providers.Plan
) -> None:
    filed = await desk.FileComplaint(complaint(provider=plan.provider))
    assert filed.anonymous


async def test_a_complaint_is_about_somebody_known(
    provider: Running, desk: Any, plan: providers.Plan
) -> None:
    before = await provider.head()
    nobody = await refused(desk.FileComplaint(complaint()))
    assert nobody.code == "INVALID_ARGUMENT"
    unknown = await refused(desk.FileComplaint(complaint(visit=request_id("no visit"))))
    assert unknown.code == "NOT_FOUND"
    assert await provider.head() == before


async def test_the_watch_shows_what_goes_on_now(
    provider: Running, stub: Any, monitor: Any, plan: providers.Plan
) -> None:
    carer = (await stub.RegisterCaregiver(registration("again"))).caregiver
    provider.set_day(date(2024, 3, 4))  # nine in the morning; four hours make a visit overlong
    start = {
        "plan": plan.plan,
        "caregiver": carer,
        "place": NEXT_DOOR,
    }
    await stub.StartVisit(
        providers.StartVisitRequest(
            **start, start_time="2024-03-04T04:30:00+08:00", request_id=request_id("long")
        )
    )
    await provider.caught_up()
    frame = await monitor.ListWatches(pb.ListWatchesRequest(pool=CHANGZHOU))
    [row] = frame.watches
    assert (row.going_on_count, row.overlong_count, row.to_confirm_count) == (1, 1, 0)
    assert frame.overlong_minutes == 240

    visit = (
        await stub.ListVisits(providers.ListVisitsRequest(person=plan.person, pool=CHANGZHOU))
    ).visits[0]
    await stub.EndVisit(
        providers.EndVisitRequest(
            visit=visit.visit,
            end_time="2024-03-04T06:00:00+08:00",
            items=["bath"],
            request_id=request_id("end"),
        )
    )
    await stub.SubmitVisit(
        upload(
            "today", start_time="2024-03-04T06:30:00+08:00", end_time="2024-03-04T08:00:00+08:00"
        )
    )
    await provider.caught_up()
    [row] = (await monitor.ListWatches(pb.ListWatchesRequest(pool=CHANGZHOU))).watches
    assert (row.going_on_count, row.overlong_count, row.to_confirm_count) == (0, 0, 1)
    assert (row.delivered_count, row.rejected_count, row.flagged_count) == (1, 0, 0)


async def test_a_month_is_counted_and_scored(
    provider: Running, stub: Any, desk: Any, monitor: Any, plan: providers.Plan
) -> None:
    for day in range(4, 8):
        told: dict[str, Any] = {
            "start_time": f"2024-03-0{day}T09:00:00+08:00",
            "end_time": f"2024-03-0{day}T10:30:00+08:00",
        }
        if day == 7:
            told["place"] = FAR_AWAY
        await stub.SubmitVisit(upload(f"visit {day}", **told))
    filed = await desk.FileComplaint(complaint(provider=plan.provider))
    name = filed.complaint
    await desk.AcceptComplaint(
        complaint_pb.AcceptComplaintRequest(complaint=name, request_id=request_id("accept"))
    )
    await desk.AnswerComplaint(
        complaint_pb.AnswerComplaintRequest(
            complaint=name,
            outcome=types.COMPLAINT_OUTCOME_SUBSTANTIATED,
            reasons="查实",
            request_id=request_id("answer"),
        )
    )
    asked = pb.GetProviderMonthRequest(provider=plan.provider, month="2024-03")
    month = await monitor.GetProviderMonth(asked)
    counts = {(one.name, one.key): one.total for one in month.counts}
    assert counts[("visit", "delivered")] == 3
    assert counts[("visit", "rejected")] == counts[("reason", "TOO_FAR")] == 1
    assert counts[("minutes", "0090")] == 4
    assert counts[("complaint", "substantiated")] == 1
    assert ("complaint", "open") not in counts
    assert sum(n for (kind, _), n in counts.items() if kind == "caregiver_minutes") == 270
    assert not month.HasField("score")

    score = await monitor.ScoreProvider(
        pb.ScoreProviderRequest(
            provider=plan.provider, month="2024-03", request_id=request_id("score")
        )
    )
    assert (score.points, score.visit_count) == (300 + 100 + 200 + 250, 4)
    ruling = Ruling.parse(score.ruling)
    pack = Pack.parse(await _pack(provider, ruling))
    assert rule_quality(asked_in(ruling, pack)).to_bytes() == score.ruling
    assert (await monitor.GetProviderMonth(asked)).score == score


async def test_a_month_that_goes_on_has_no_score(monitor: Any, plan: providers.Plan) -> None:
    asked = pb.ScoreProviderRequest(
        provider=plan.provider, month="2024-07", request_id=request_id("early")
    )
    assert (await refused(monitor.ScoreProvider(asked))).reason == "MONTH_NOT_OVER"


async def _pack(provider: Running, told: Ruling) -> bytes:
    found = await provider.service.parts.store.get_pack(told.pack.partition("@")[2])
    assert found is not None
    return found[1]
