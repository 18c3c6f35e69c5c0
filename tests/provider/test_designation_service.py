"""Designation, sanctions, handing over and people's records over real gRPC and PostgreSQL."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from ltci.provider.v1 import caregiver_service_pb2 as cg
from ltci.provider.v1 import caregiver_service_pb2_grpc as cg_grpc
from ltci.provider.v1 import designation_service_pb2 as dg
from ltci.provider.v1 import designation_service_pb2_grpc as dg_grpc
from ltci.provider.v1 import events_pb2
from ltci.provider.v1 import provider_service_pb2 as pb
from ltci.provider.v1 import provider_service_pb2_grpc as pb_grpc
from ltci.provider.v1 import provider_types_pb2 as types
from ltci.provider.v1 import sanction_service_pb2 as sn
from ltci.provider.v1 import sanction_service_pb2_grpc as sn_grpc
from temporalio.testing import ActivityEnvironment

from kernel.replay import raw_fact
from kernel.rules.pack import Pack
from kernel.rules.ruling import Ruling
from services.provider.__main__ import build
from services.provider.codec import provider_codec
from services.provider.replay import DECISIONS
from tests.provider.test_service import (
    CARER,
    CHANGZHOU,
    CODE,
    HOME,
    NEXT_DOOR,
    approval,
    code_like,
    price,
    registration,
    request_id,
    upload,
)
from tests.support.people import person
from tests.support.service import Running, refused, running
from workflows.activities.provider import AgreementStep, OpenAgreement, ProviderActivities

BOSS, HEAD = person(21), person(22)


@dataclass(frozen=True)
class Desk:
    """The service with a stub for each of its concerns."""

    running: Running
    care: Any
    designation: Any
    sanction: Any
    carers: Any


@pytest.fixture
async def desk(database_url: str, tmp_path: Path) -> AsyncIterator[Desk]:
    async with running("provider", database_url, tmp_path, provider_codec, build) as service:
        channel = service.channel
        yield Desk(
            service,
            pb_grpc.ProviderServiceStub(channel),
            dg_grpc.DesignationServiceStub(channel),
            sn_grpc.SanctionServiceStub(channel),
            cg_grpc.CaregiverServiceStub(channel),
        )


def application(name: str = "apply", **changes: Any) -> dg.ApplyForDesignationRequest:
    told: dict[str, Any] = {
        "pool": CHANGZHOU,
        "provider_name": "常州安心护理站",
        "social_credit_code": CODE,
        "body_kind": "medical_institution",
        "lines": [types.SERVICE_LINE_HOME_VISITS, types.SERVICE_LINE_ASSISTIVE_DEVICES],
        "operating_since_date": "2020-01-01",
        "legal_representative_identity_number": BOSS.identity_number,
        "head_identity_number": HEAD.identity_number,
        "application_date": "2024-01-08",
        "request_id": request_id(name),
    }
    return dg.ApplyForDesignationRequest(**(told | changes))


def review(name: str, applied: dg.Designation, **findings: bool) -> dg.ReviewDesignationRequest:
    found = dict.fromkeys(
        (
            "registered",
            "staff_qualified",
            "premises",
            "systems",
            "can_connect",
            "no_recent_violation",
        ),
        True,
    )
    return dg.ReviewDesignationRequest(
        application=applied.application,
        review_date="2024-01-15",
        findings=dg.Findings(**(found | findings)),
        request_id=request_id(f"review {name}"),
    )


def signing(name: str, applied: dg.Designation, **changes: Any) -> dg.SignAgreementRequest:
    told: dict[str, Any] = {
        "application": applied.application,
        "operator_name": "某保险公司常州分公司",
        "operator_code": code_like(7),
        "lines": [types.SERVICE_LINE_HOME_VISITS],
        "start_date": "2024-02-01",
        "end_date": "2026-01-31",
        "signed_date": "2024-01-29",
        "request_id": request_id(f"sign {name}"),
    }
    return dg.SignAgreementRequest(**(told | changes))


async def designated(desk: Desk, name: str = "first", code: str = CODE) -> dg.Agreement:
    """A body that went the whole way."""
    applied = await desk.designation.ApplyForDesignation(
        application(f"apply {name}", social_credit_code=code)
    )
    await desk.designation.ReviewDesignation(review(name, applied))
    published = await desk.designation.PublishDesignation(
        dg.PublishDesignationRequest(
            application=applied.application,
            publicity_start_date="2024-01-16",
            request_id=request_id(f"publish {name}"),
        )
    )
    assert published.publicity_end_date == "2024-01-23"
    agreement: dg.Agreement = await desk.designation.SignAgreement(signing(name, applied))
    return agreement


async def caring(desk: Desk) -> pb.Plan:
    """A designated provider with prices, a caregiver and a plan."""
    await designated(desk)
    await desk.care.SetPrice(price("bath", 6000, 50))
    await desk.care.SetPrice(price("hair", 2000, 20))
    await desk.care.RegisterCaregiver(registration())
    plan: pb.Plan = await desk.care.ApprovePlan(approval())
    return plan


def sanction(provider: str, name: str = "sanction", **changes: Any) -> sn.ImposeSanctionRequest:
    told: dict[str, Any] = {
        "provider": provider,
        "measure": types.SANCTION_MEASURE_SUSPEND,
        "start_date": "2024-03-04",
        "cause": "虚假服务",
        "article": "Art. 39",
        "request_id": request_id(name),
    }
    return sn.ImposeSanctionRequest(**(told | changes))


async def test_a_body_is_designated_and_then_serves(desk: Desk) -> None:
    plan = await caring(desk)
    visit = await desk.care.SubmitVisit(upload())

    assert visit.state == types.VISIT_STATE_DELIVERED
    standing = await desk.designation.GetStanding(
        dg.GetStandingRequest(provider=plan.provider, on_date="2026-02-01")
    )
    assert (standing.serves, standing.reason) == (False, "AGREEMENT_NOT_IN_FORCE")
    await desk.running.caught_up()
    for operator, count in (("", 1), (code_like(7), 1), (code_like(8), 0)):
        listed = await desk.designation.ListAgreements(
            dg.ListAgreementsRequest(pool=CHANGZHOU, operator_code=operator)
        )
        assert len(listed.agreements) == count
    [agreement] = standing.agreements
    assert agreement.lines == [types.SERVICE_LINE_HOME_VISITS]


async def test_a_body_that_lacks_something_is_told_why_and_cannot_sign(desk: Desk) -> None:
    applied = await desk.designation.ApplyForDesignation(application())
    told = await desk.designation.ReviewDesignation(
        review("lacking", applied, systems=False, can_connect=False)
    )

    assert told.state == dg.DESIGNATION_STATE_REFUSED
    assert list(told.reasons) == ["SYSTEMS_MISSING", "CANNOT_CONNECT"]
    problem = await refused(desk.designation.SignAgreement(signing("early", applied)))
    assert problem.reason == "NOT_PUBLISHED"
    found = await desk.designation.GetDesignation(
        dg.GetDesignationRequest(application=applied.application)
    )
    assert found == told


async def test_a_review_stands_on_recorded_bars_and_can_be_made_again(desk: Desk) -> None:
    agreement = await designated(desk)
    bar = await desk.sanction.BarPerson(
        sn.BarPersonRequest(
            identity_number=HEAD.identity_number,
            provider=agreement.provider,
            role=types.BARRED_ROLE_HEAD,
            start_date="2024-01-10",
            months=60,
            cause="骗取基金",
            article="Art. 45",
            request_id=request_id("bar the head"),
        )
    )
    assert bar.end_date == "2029-01-09"
    applied = await desk.designation.ApplyForDesignation(
        application("other", social_credit_code=code_like(3))
    )
    before = await desk.running.head()
    told = await desk.designation.ReviewDesignation(review("other", applied))

    assert list(told.reasons) == ["MANAGER_BARRED"]
    store = desk.running.service.parts.store
    [event] = await store.read_all(before)
    message = events_pb2.DesignationReviewed.FromString(event.payload)
    ruling = Ruling.parse(message.ruling)
    found = await store.read_positions([fact.position for fact in ruling.facts])
    kept = await store.get_pack(ruling.pack.partition("@")[2])
    assert kept is not None
    facts = [raw_fact("provider", one) for one in found]
    assert len(facts) == 2
    redone = DECISIONS[event.type](event.payload, facts, Pack.parse(kept[1]))
    assert message.ruling == redone


async def test_a_suspension_counts_by_the_day_of_care(desk: Desk) -> None:
    plan = await caring(desk)
    standing = await desk.sanction.ImposeSanction(sanction(plan.provider))
    before = upload("before", start_time="2024-03-03T09:00:00+08:00")
    before.end_time = "2024-03-03T10:30:00+08:00"

    assert (await desk.care.SubmitVisit(before)).state == types.VISIT_STATE_DELIVERED
    assert list((await desk.care.SubmitVisit(upload())).reasons) == ["AGREEMENT_SUSPENDED"]
    someone = approval("other", identity_number=person(3).identity_number)
    someone.start_date = "2024-04-01"
    assert (await refused(desk.care.ApprovePlan(someone))).reason == "AGREEMENT_SUSPENDED"
    await desk.sanction.LiftSanction(
        sn.LiftSanctionRequest(
            provider=plan.provider,
            sanction=standing.sanctions[0].sanction,
            lifted_date="2024-04-01",
            cause="已整改",
            request_id=request_id("lift"),
        )
    )
    assert (await desk.care.ApprovePlan(someone)).start_date == "2024-04-01"
    late = upload("late", start_time="2024-04-01T09:00:00+08:00")
    late.end_time = "2024-04-01T10:30:00+08:00"
    assert (await desk.care.SubmitVisit(late)).state == types.VISIT_STATE_DELIVERED


async def test_a_barred_caregiver_and_a_revoked_certificate_do_not_count(desk: Desk) -> None:
    plan = await caring(desk)
    record = await desk.carers.RecordExamination(examination())
    await desk.carers.RevokeCertificate(
        cg.RevokeCertificateRequest(
            caregiver=record.caregiver,
            level=types.CAREGIVER_LEVEL_FIVE,
            revoked_date="2024-03-01",
            cause="违规取得",
            request_id=request_id("revoke"),
        )
    )
    bar = sn.BarPersonRequest(
        person=record.caregiver,
        provider=plan.provider,
        role=types.BARRED_ROLE_STAFF,
        start_date="2024-03-04",
        months=3,
        cause="伪造记录",
        article="Art. 45",
        request_id=request_id("bar"),
    )
    barred = await desk.sanction.BarPerson(bar)

    visit = await desk.care.SubmitVisit(upload())

    assert list(visit.reasons) == ["CAREGIVER_BARRED", "CERTIFICATE_REVOKED"]
    restore = sn.RestorePersonRequest(
        person=record.caregiver,
        bar=barred.bar,
        restored_date=barred.end_date,
        request_id=request_id("restore early"),
    )
    assert (await refused(desk.sanction.RestorePerson(restore))).reason == "TERM_NOT_OVER"
    restore.restored_date = "2024-06-10"
    restore.request_id = request_id("restore")
    assert (await desk.sanction.RestorePerson(restore)).restored_date == "2024-06-10"
    bar.months, bar.request_id = 13, request_id("bar too long")
    assert (await refused(desk.sanction.BarPerson(bar))).reason == "TERM_OUTSIDE_RANGE"


async def test_people_of_a_provider_that_stopped_are_handed_over_in_order(desk: Desk) -> None:
    plan = await caring(desk)
    for number in (4, 5):
        request = approval(f"plan {number}", identity_number=person(number).identity_number)
        request.start_date = f"2024-02-{number + 10}"
        await desk.care.ApprovePlan(request)
    other = await designated(desk, "second", code_like(3))
    asked = sn.HandOverPlansRequest(
        provider=plan.provider,
        handover_date="2024-03-04",
        receivers=[sn.Receiver(provider=other.provider, places_count=2)],
        request_id=request_id("too early"),
    )
    assert (await refused(desk.sanction.HandOverPlans(asked))).reason == "PROVIDER_SERVES"
    await desk.sanction.ImposeSanction(sanction(plan.provider))
    asked.request_id = request_id("hand over")

    told = await desk.sanction.HandOverPlans(asked)

    assert told.moved[0].plan == plan.plan
    assert [len(told.moved), [one.reason for one in told.without_provider]] == [
        2,
        ["NO_PLACE_LEFT"],
    ]
    assert told == await desk.sanction.HandOverPlans(asked)
    await desk.running.caught_up()
    listed = await desk.care.ListPlans(pb.ListPlansRequest(person=plan.person, pool=CHANGZHOU))
    assert [(one.provider, one.start_date, one.end_date) for one in listed.plans] == [
        (plan.provider, "2024-02-01", "2024-03-03"),
        (other.provider, "2024-03-04", ""),
    ]
    asked.request_id = request_id("the last one")
    rest = await desk.sanction.HandOverPlans(asked)
    assert [one.plan for one in rest.moved] == [one.plan for one in told.without_provider]


def examination(name: str = "exam", **changes: Any) -> cg.RecordExaminationRequest:
    told: dict[str, Any] = {
        "identity_number": CARER.identity_number,
        "level": types.CAREGIVER_LEVEL_FIVE,
        "passed": True,
        "certificate": "CZ-2023-0001",
        "exam_date": "2023-05-01",
        "request_id": request_id(name),
    }
    return cg.RecordExaminationRequest(**(told | changes))


def profile(caregiver: str, **changes: Any) -> cg.SetProfileRequest:
    told: dict[str, Any] = {
        "caregiver": caregiver,
        "skills": ["life.bath"],
        "place": NEXT_DOOR,
        "minutes_a_week": 600,
        "start_date": "2024-01-01",
        "request_id": request_id(f"profile {caregiver}"),
    }
    return cg.SetProfileRequest(**(told | changes))


async def test_caregivers_are_matched_to_plans_with_what_puts_them_in_order(desk: Desk) -> None:
    plan = await caring(desk)
    near = await desk.carers.RecordExamination(examination())
    second = registration("second", identity_number=person(31).identity_number)
    far = await desk.care.RegisterCaregiver(second)
    third = registration("third", identity_number=person(32).identity_number)
    new = await desk.care.RegisterCaregiver(third)
    await desk.carers.SetProfile(profile(near.caregiver))
    await desk.carers.SetProfile(profile(far.caregiver, place=HOME))

    asked = cg.MatchCaregiversRequest(plan=plan.plan, items=["life.bath"], minutes_a_week=300)
    [match] = (await desk.carers.MatchCaregivers(asked)).plans

    first, last = match.candidates
    assert (first.caregiver, first.level, first.distance_m, first.load_permille) == (
        near.caregiver,
        types.CAREGIVER_LEVEL_FIVE,
        111,
        500,
    )
    assert (last.caregiver, last.level, last.distance_m) == (far.caregiver, 0, 0)
    assert [(one.caregiver, one.reason) for one in match.left_out] == [
        (new.caregiver, "NO_PROFILE")
    ]
    of_pool = cg.MatchCaregiversRequest(pool=CHANGZHOU, items=["life.bath"], minutes_a_week=300)
    assert [one.plan for one in (await desk.carers.MatchCaregivers(of_pool)).plans] == [plan.plan]
    record = await desk.carers.AssignCaregiver(
        cg.AssignCaregiverRequest(
            caregiver=near.caregiver,
            plan=plan.plan,
            minutes_a_week=400,
            start_date="2024-02-01",
            request_id=request_id("assign"),
        )
    )
    assert record.assigned_minutes == 400
    assert not (await desk.carers.MatchCaregivers(of_pool)).plans
    [match] = (await desk.carers.MatchCaregivers(asked)).plans
    assert [one.caregiver for one in match.candidates] == [far.caregiver]


async def test_a_relative_is_trained_and_engaged(desk: Desk) -> None:
    plan = await caring(desk)
    carer = await desk.care.RegisterCaregiver(
        registration("kin", identity_number=person(33).identity_number, staff="family")
    )
    engage = cg.EngageFamilyCarerRequest(
        caregiver=carer.caregiver,
        person=plan.person,
        provider=plan.provider,
        relation="child",
        employed=True,
        start_date="2024-02-01",
        request_id=request_id("engage"),
    )
    assert (await refused(desk.carers.EngageFamilyCarer(engage))).reason == "TRAINING_MISSING"
    await desk.carers.RecordTraining(
        cg.RecordTrainingRequest(
            caregiver=carer.caregiver,
            course="居家照护",
            minutes=480,
            completed_date="2024-01-20",
            request_id=request_id("train"),
        )
    )
    assert list((await desk.carers.EngageFamilyCarer(engage)).family_of) == [plan.person]


async def test_an_agreement_runs_its_course(desk: Desk) -> None:
    agreement = await designated(desk)
    names = {"provider": agreement.provider, "agreement": agreement.agreement}
    order = dg.OrderAppraisalRequest(**names, agreement_year=1, request_id=request_id("appraisal"))
    end = dg.EndAgreementRequest(**names, request_id=request_id("end"))
    assert (await refused(desk.designation.OrderAppraisal(order))).reason == "NOT_DUE"
    assert (await refused(desk.designation.EndAgreement(end))).reason == "STILL_IN_FORCE"
    desk.running.set_day(date(2025, 2, 1))
    assert (await desk.designation.OrderAppraisal(order)).agreements[0].appraisal_year == 2
    recorded = dg.RecordAppraisalRequest(
        **names,
        agreement_year=1,
        appraised_date="2025-02-01",
        points=91,
        passed=True,
        request_id=request_id("result"),
    )
    await desk.designation.RecordAppraisal(recorded)
    leave = dg.RequestExitRequest(
        provider=agreement.provider,
        request_date="2025-02-01",
        exit_date="2025-04-30",
        cause="停业",
        request_id=request_id("leave early"),
    )
    assert (await refused(desk.designation.RequestExit(leave))).reason == "NOTICE_TOO_SHORT"
    leave.exit_date, leave.request_id = "2025-05-01", request_id("leave")
    assert (await desk.designation.RequestExit(leave)).exit_date == "2025-05-01"
    desk.running.set_day(date(2025, 5, 1))
    asked = ActivityEnvironment().run
    process = ProviderActivities(desk.running.channel)
    assert await asked(process.get_open_agreement, agreement.provider) == OpenAgreement(
        agreement.agreement, "2025-04-30"
    )
    step = AgreementStep(agreement.provider, agreement.agreement, request_id("end it"))
    assert await asked(process.end_agreement, step) is None
    ended = await desk.designation.EndAgreement(end)
    assert [(one.ended, one.last_served_date) for one in ended.agreements] == [(True, "2025-04-30")]
    assert ended.reason == "AGREEMENT_ENDED"


BAD = [
    ("designation", "ApplyForDesignation", application(body_kind="Bank"), "body_kind"),
    ("designation", "ApplyForDesignation", application(lines=[]), "lines"),
    ("designation", "ApplyForDesignation", application(lines=[99]), "lines[0]"),
    (
        "designation",
        "ApplyForDesignation",
        application(application_date="2024-07-02"),
        "application_date",
    ),
    (
        "designation",
        "ApplyForDesignation",
        application(head_identity_number="1"),
        "head_identity_number",
    ),
    ("designation", "ReviewDesignation", dg.ReviewDesignationRequest(), "findings"),
    (
        "designation",
        "SignAgreement",
        signing("bad", dg.Designation(), operator_name=""),
        "operator_code",
    ),
    ("designation", "ListAgreements", dg.ListAgreementsRequest(pool="1"), "pool"),
    (
        "sanction",
        "ImposeSanction",
        sanction(request_id("p"), measure=types.SANCTION_MEASURE_CORRECT),
        "end_date",
    ),
    (
        "sanction",
        "ImposeSanction",
        sanction(request_id("p"), measure=types.SANCTION_MEASURE_TERMINATE, end_date="2024-05-01"),
        "end_date",
    ),
    ("sanction", "BarPerson", sn.BarPersonRequest(months=0), "months"),
    (
        "sanction",
        "HandOverPlans",
        sn.HandOverPlansRequest(receivers=[sn.Receiver()]),
        "receivers[0].places_count",
    ),
    ("carers", "RecordExamination", examination(certificate=" "), "certificate"),
    ("carers", "RecordExamination", examination(exam_date="2024-07-02"), "exam_date"),
    ("carers", "SetProfile", profile("x", skills=["沐浴"]), "skills[0]"),
    ("carers", "EngageFamilyCarer", cg.EngageFamilyCarerRequest(relation="pet"), "relation"),
    ("carers", "MatchCaregivers", cg.MatchCaregiversRequest(), "plan"),
]


async def test_bad_input_is_told_by_field(desk: Desk) -> None:
    """One service for the whole table: nothing of it is recorded."""
    before = await desk.running.head()
    for concern, method, request, field in BAD:
        problem = await refused(getattr(getattr(desk, concern), method)(request))
        assert problem.code == "INVALID_ARGUMENT", (method, field)
        assert field in {one.field for one in problem.violations}, (method, field)
    assert before == await desk.running.head()


async def test_who_nobody_knows_is_not_found(desk: Desk) -> None:
    nobody = request_id("nobody")
    for call in (
        desk.designation.GetDesignation(dg.GetDesignationRequest(application=nobody)),
        desk.designation.GetStanding(dg.GetStandingRequest(provider=nobody)),
        desk.sanction.ImposeSanction(sanction(nobody)),
        desk.carers.GetCaregiver(cg.GetCaregiverRequest(caregiver=nobody)),
        desk.carers.RecordExamination(examination()),
        desk.carers.MatchCaregivers(cg.MatchCaregiversRequest(plan=nobody)),
    ):
        assert (await refused(call)).code == "NOT_FOUND"
