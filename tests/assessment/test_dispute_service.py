"""Objections, reviews, appeals and reassessments over real gRPC and real PostgreSQL."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from ltci.assessment.v1 import appeal_service_pb2 as appeal_pb
from ltci.assessment.v1 import appeal_service_pb2_grpc as appeal_grpc
from ltci.assessment.v1 import assessment_service_pb2 as pb
from ltci.assessment.v1 import assessment_service_pb2_grpc as pb_grpc
from ltci.assessment.v1 import assessment_types_pb2 as types
from ltci.assessment.v1 import dispute_types_pb2 as dispute_types
from ltci.assessment.v1 import objection_service_pb2 as objection_pb
from ltci.assessment.v1 import objection_service_pb2_grpc as objection_grpc
from ltci.assessment.v1 import reassessment_service_pb2 as reassessment_pb
from ltci.assessment.v1 import reassessment_service_pb2_grpc as reassessment_grpc
from ltci.assessment.v1 import review_service_pb2 as review_pb
from ltci.assessment.v1 import review_service_pb2_grpc as review_grpc

from kernel.replay import raw_fact
from kernel.rules.pack import Pack
from kernel.rules.ruling import Ruling
from services.assessment.__main__ import build
from services.assessment.codec import assessment_codec
from services.assessment.replay import DECISIONS
from tests.assessment import test_service as first_round
from tests.assessment.forms import bedridden
from tests.assessment.test_service import NOBODY, SOMEBODY, pb_score, request_id
from tests.support.packs import CHANGZHOU
from tests.support.people import person, wrong_check_digit
from tests.support.service import refused, running

NAME, CONTACT = "异议人", "13900000000"
WORSE = bedridden(cog_time=0, cog_person=0, cog_space=0, cog_memory=0)


@dataclass(frozen=True)
class Office(first_round.Office):
    """Assessment with everything after the grade. The day is 1 July 2024."""

    objections: Any = None
    reviews: Any = None
    appeals: Any = None
    reassessments: Any = None

    async def public(self) -> str:
        """A conclusion in publicity until 6 July."""
        application = await self.confirmed()
        await self.stub.PublishConclusion(first_round.publish(application))
        return application

    async def delivered(self) -> str:
        """Delivered on 8 July."""
        application = await self.public()
        self.service.set_day(date(2024, 7, 8))
        await self.stub.DeliverConclusion(first_round.deliver(application))
        return application

    async def reviewed(self, application: str, told: dict[str, int]) -> Any:
        """The second round, confirmed."""
        for assessor in ("assessor-5", "expert-5"):
            await self.reviews.RecordReviewForm(form(application, assessor, told))
        for expert in ("expert-6", "expert-7"):
            answer = await self.reviews.ConfirmReview(
                review_pb.ConfirmReviewRequest(
                    application=application,
                    expert=expert,
                    confirmed_date="2024-07-08",
                    request_id=request_id(f"confirm review {expert}"),
                )
            )
        return answer

    async def replayed(self) -> set[str]:
        """Makes every ruling in the log again; the decisions that were."""
        store, made = self.service.service.parts.store, set()
        recorded = {one.position: one for one in await self.service.events_after(0)}
        for event in recorded.values():
            if event.type not in DECISIONS:
                continue
            told = assessment_codec(None).decode_clear(event.type, event.payload)
            ruling = Ruling.parse(told.ruling)
            facts = [raw_fact("assessment", recorded[ref.position]) for ref in ruling.facts]
            assert [fact.ref for fact in facts] == list(ruling.facts)
            kept = await store.get_pack(ruling.pack.partition("@")[2])
            assert kept is not None
            again = DECISIONS[event.type](event.payload, facts, Pack.parse(kept[1]))
            assert again == told.ruling, event.type
            made.add(event.type.rpartition(".")[2].partition("/")[0])
        return made


@pytest.fixture
async def office(database_url: str, tmp_path: Path) -> AsyncIterator[Office]:
    async with running("assessment", database_url, tmp_path, assessment_codec, build) as service:
        yield Office(
            service,
            pb_grpc.AssessmentServiceStub(service.channel),
            objection_grpc.ObjectionServiceStub(service.channel),
            review_grpc.ReviewServiceStub(service.channel),
            appeal_grpc.AppealServiceStub(service.channel),
            reassessment_grpc.ReassessmentServiceStub(service.channel),
        )


def objection(application: str, **changes: Any) -> Any:
    told: dict[str, Any] = {
        "application": application,
        "objector_name": NAME,
        "objector_contact": CONTACT,
        "statement": "能独立上下楼",
        "attacked_clauses": ["assessment_standard.items"],
        "attacked_items": ["adl_stairs"],
        "filed_date": "2024-07-01",
        "request_id": request_id("object"),
    }
    return objection_pb.FileObjectionRequest(**(told | changes))


def objection_decision(told: str, outcome: str, **changes: Any) -> Any:
    fields: dict[str, Any] = {
        "objection": told,
        "outcome": dispute_types.ObjectionOutcome.Value(f"OBJECTION_OUTCOME_{outcome}"),
        "reasoning": "经核查录像",
        "decided_by": ["officer-1"],
        "decided_date": "2024-07-01",
        "request_id": request_id("decide objection"),
    }
    return objection_pb.DecideObjectionRequest(**(fields | changes))


def review_request(application: str, **changes: Any) -> Any:
    told: dict[str, Any] = {
        "application": application,
        "requested_date": "2024-07-08",
        "attacked_items": ["cog_time"],
        "request_id": request_id("review"),
    }
    return review_pb.RequestReviewRequest(**(told | changes))


def form(application: str, assessor: str, told: dict[str, int], **changes: Any) -> Any:
    kind = "EXPERT" if "expert" in assessor else "ASSESSOR"
    fields: dict[str, Any] = {
        "application": application,
        "assessor": assessor,
        "assessor_kind": types.AssessorKind.Value(f"ASSESSOR_KIND_{kind}"),
        "assessed_date": "2024-07-08",
        "scores": [pb_score(item, score) for item, score in told.items()],
        "evidence_hashes": ["0" * 64],
        "place": dispute_types.ASSESSMENT_PLACE_HOME,
        "request_id": request_id(f"review form {assessor}"),
    }
    return review_pb.RecordReviewFormRequest(**(fields | changes))


def step(kind: Any, application: str) -> Any:
    return kind(application=application, request_id=request_id(kind.__name__))


def appeal(application: str, **changes: Any) -> Any:
    told: dict[str, Any] = {
        "application": application,
        "against": dispute_types.APPEAL_AGAINST_CONCLUSION,
        "statement": "评估时正在发热",
        "attacked_items": ["cog_time"],
        "filed_date": "2024-07-08",
        "request_id": request_id("appeal"),
    }
    return appeal_pb.FileAppealRequest(**(told | changes))


def appeal_decision(told: str, **changes: Any) -> Any:
    fields: dict[str, Any] = {
        "appeal": told,
        "outcome": dispute_types.APPEAL_OUTCOME_UPHELD,
        "grade": 4,
        "effective_date": "2024-04-01",
        "panel": ["member-1", "member-2"],
        "decided_date": "2024-07-08",
        "preview_digest": "a" * 64,
        "reasoning": "病历支持更高等级",
        "request_id": request_id("decide appeal"),
    }
    return appeal_pb.DecideAppealRequest(**(fields | changes))


async def test_an_objection_upheld_leads_to_a_review_that_is_delivered_instead(
    office: Office,
) -> None:
    application = await office.public()
    filed = await office.objections.FileObjection(objection(application))
    assert filed.due_date == "2024-07-19"
    office.service.set_day(date(2024, 7, 8))
    held = await refused(office.stub.DeliverConclusion(first_round.deliver(application)))
    assert held.reason == "OBJECTION_OPEN"
    asked = review_pb.GetReviewRequest(application=application)
    review = await office.reviews.GetReview(asked)
    assert (review.state, review.objection_due_date) == (
        review_pb.REVIEW_STATE_OBJECTED,
        "2024-07-19",
    )
    decided = await office.objections.DecideObjection(objection_decision(filed.objection, "UPHELD"))
    assert decided.outcome == dispute_types.OBJECTION_OUTCOME_UPHELD
    told = objection_pb.GetObjectionRequest(objection=filed.objection)
    assert await office.objections.GetObjection(told) == decided

    review = await office.reviewed(application, WORSE)
    assert (review.state, review.ordered) == (review_pb.REVIEW_STATE_CONFIRMED, True)
    assert (review.grade_before, review.grade, review.needs_publicity) == (3, 5, True)
    published = await office.reviews.PublishReview(
        step(review_pb.PublishReviewRequest, application)
    )
    office.service.set_day(date.fromisoformat(published.publicity_end_date).replace(day=14))
    delivered = await office.reviews.DeliverReview(
        step(review_pb.DeliverReviewRequest, application)
    )
    assert delivered.state == review_pb.REVIEW_STATE_DELIVERED
    one = await office.stub.GetApplication(pb.GetApplicationRequest(application=application))
    assert (one.state, one.grade) == (types.APPLICATION_STATE_DELIVERED, 5)
    assert await office.replayed() == {
        "ApplicationAccepted",
        "AssessmentGraded",
        "ObjectionDecided",
        "ReviewGraded",
    }


async def test_who_objects_is_sealed_under_the_own_key(office: Office) -> None:
    number = person(2).identity_number
    application = await office.public()
    await office.objections.FileObjection(objection(application, objector_identity_number=number))
    parts = office.service.service.parts

    [event] = [e for e in await office.service.events_after(0) if "ObjectionFiled" in e.type]

    told = await parts.codec.decode(event)
    assert (told.objector_name, told.objector_contact) == (NAME, CONTACT)
    assert told.objector == parts.keys.person_id("resident", number) != told.person
    clear = parts.codec.decode_clear(event.type, event.payload)
    assert (clear.objector_name, clear.objector_contact, clear.statement) == ("", "", "")
    for row in await parts.store.pool.fetch("select * from assessment.requests"):
        kept = [value for value in row.values() if isinstance(value, bytes)]
        assert not any(NAME.encode() in value or number.encode() in value for value in kept)


async def test_a_review_that_comes_to_the_same_result_is_paid_by_who_asked(
    office: Office,
) -> None:
    application = await office.delivered()
    asked = await office.reviews.RequestReview(review_request(application))
    assert (asked.state, asked.due_date) == (review_pb.REVIEW_STATE_UNDER_WAY, "2024-07-22")
    review = await office.reviewed(application, bedridden())
    assert not review.needs_publicity
    await office.reviews.DeliverReview(step(review_pb.DeliverReviewRequest, application))
    fee = [e for e in await office.service.events_after(0) if "ReviewFeeDecided" in e.type]
    told = assessment_codec(None).decode_clear(fee[0].type, fee[0].payload)
    assert (told.payer, told.fee) == ("applicant", None)
    assert "ReviewFeeDecided" in await office.replayed()


async def test_a_panel_sees_what_it_would_deliver_and_delivers_it(office: Office) -> None:
    application = await office.delivered()
    filed = await office.appeals.FileAppeal(appeal(application))
    assert (filed.told_date, filed.file_by_date) == ("2024-07-08", "")
    before = await office.service.head()
    preview = await office.appeals.PreviewAppeal(
        appeal_pb.PreviewAppealRequest(appeal=filed.appeal, grade=4, effective_date="2024-04-01")
    )
    assert (preview.round, preview.grade_eligible) == (2, True)
    assert (preview.conclusion_date, preview.valid_until_date) == ("2024-07-08", "2026-07-07")
    assert await office.service.head() == before

    decided = await office.appeals.DecideAppeal(appeal_decision(filed.appeal))

    assert (decided.outcome, decided.grade) == (dispute_types.APPEAL_OUTCOME_UPHELD, 4)
    assert await office.appeals.GetAppeal(appeal_pb.GetAppealRequest(appeal=filed.appeal)) == (
        decided
    )
    delivered = [e for e in await office.service.events_after(0) if "Delivered" in e.type][-1]
    told = assessment_codec(None).decode_clear(delivered.type, delivered.payload)
    assert (told.authority, told.round, told.replaces_round) == ("appeal", 2, 1)
    assert "AppealDecided" in await office.replayed()


async def test_a_reassessment_says_in_the_same_append_what_it_leads_to(office: Office) -> None:
    await office.delivered()
    again = first_round.submission(
        "periodic", kind=types.APPLICATION_KIND_PERIODIC, application_date="2024-07-08"
    )
    application = (await office.stub.SubmitApplication(again)).application
    for assessor in ("assessor-8", "expert-8"):
        told = first_round.form(application, assessor, WORSE, assessed_date="2024-07-08")
        await office.stub.RecordOnSite(told)
    for expert in ("expert-8", "expert-9"):
        confirmed = first_round.confirmation(application, expert)
        confirmed.confirmed_date = "2024-07-08"
        await office.stub.ConfirmConclusion(confirmed)
    await office.stub.PublishConclusion(first_round.publish(application, "publish again"))
    office.service.set_day(date(2024, 7, 15))
    await office.stub.DeliverConclusion(first_round.deliver(application, "deliver again"))
    told = [one for one in await office.service.events_after(0) if "letters" not in one.type]
    *_, delivered, concluded = told
    assert (delivered.position + 1, delivered.stream) == (concluded.position, concluded.stream)
    told = assessment_codec(None).decode_clear(concluded.type, concluded.payload)
    assert (told.outcome, told.grade_before, told.grade) == ("continue", 3, 5)
    assert "ReassessmentConcluded" in await office.replayed()


async def test_who_refuses_a_spot_check_is_stopped_after_the_validity(office: Office) -> None:
    application = await office.delivered()
    refusal = reassessment_pb.RefuseReassessmentRequest(
        application=application,
        kind=types.APPLICATION_KIND_SPOT_CHECK,
        refused_date="2024-07-08",
        request_id=request_id("refuse"),
    )
    early = await refused(office.reassessments.RefuseReassessment(refusal))
    assert early.reason == "NOT_ORDERED"
    order = reassessment_pb.OrderSpotCheckRequest(
        person=SOMEBODY,
        pool=CHANGZHOU,
        cause=dispute_types.SPOT_CHECK_CAUSE_COMPLAINT,
        ordered_date="2024-07-08",
        request_id=request_id("spot check"),
    )
    ordered = await office.reassessments.OrderSpotCheck(order)
    assert ordered.due_date == "2024-08-19"

    stop = await office.reassessments.RefuseReassessment(refusal)

    assert stop.effective_date == "2026-04-01"
    assert "ReassessmentConcluded" in await office.replayed()


BAD_INPUT = [
    ("objections", "FileObjection", objection(NOBODY, objector_name=" "), "objector_name"),
    ("objections", "FileObjection", objection(NOBODY, objector_contact=""), "objector_contact"),
    ("objections", "FileObjection", objection(NOBODY, statement=""), "statement"),
    ("objections", "FileObjection", objection("x"), "application"),
    (
        "objections",
        "FileObjection",
        objection(NOBODY, objector_identity_number=wrong_check_digit(person(1).identity_number)),
        "objector_identity_number",
    ),
    ("objections", "FileObjection", objection(NOBODY, filed_date="2025-01-01"), "filed_date"),
    (
        "objections",
        "FileObjection",
        objection(NOBODY, attacked_clauses=["NOT A CLAUSE"]),
        "attacked_clauses[0]",
    ),
    ("objections", "DecideObjection", objection_decision(NOBODY, "UNSPECIFIED"), "outcome"),
    (
        "objections",
        "DecideObjection",
        objection_decision(NOBODY, "UPHELD", decided_by=[]),
        "decided_by",
    ),
    (
        "objections",
        "DecideObjection",
        objection_decision(NOBODY, "UPHELD", decided_by=[person(1).identity_number]),
        "decided_by[0]",
    ),
    ("reviews", "RequestReview", review_request("x"), "application"),
    ("reviews", "RecordReviewForm", form(NOBODY, "a", {}), "scores"),
    ("reviews", "RecordReviewForm", form(NOBODY, "a", WORSE, place=0), "place"),
    (
        "reviews",
        "RecordReviewForm",
        form(NOBODY, "a", WORSE, evidence_hashes=["x"]),
        "evidence_hashes[0]",
    ),
    ("appeals", "FileAppeal", appeal(NOBODY, against=0), "against"),
    ("appeals", "DecideAppeal", appeal_decision(NOBODY, grade=6), "grade"),
    ("appeals", "DecideAppeal", appeal_decision(NOBODY, panel=[]), "panel"),
    ("appeals", "DecideAppeal", appeal_decision(NOBODY, preview_digest="x"), "preview_digest"),
    ("appeals", "DecideAppeal", appeal_decision(NOBODY, reasoning=""), "reasoning"),
    (
        "appeals",
        "PreviewAppeal",
        appeal_pb.PreviewAppealRequest(appeal=NOBODY, grade=3),
        "effective_date",
    ),
    (
        "reassessments",
        "RefuseReassessment",
        reassessment_pb.RefuseReassessmentRequest(
            application=NOBODY,
            kind=types.APPLICATION_KIND_FIRST,
            refused_date="2024-06-01",
            request_id=request_id("bad"),
        ),
        "kind",
    ),
    (
        "stub",
        "OrderReassessment",
        pb.OrderReassessmentRequest(
            person=SOMEBODY,
            pool=CHANGZHOU,
            kind=types.APPLICATION_KIND_SPOT_CHECK,
            due_date="2024-08-01",
            request_id=request_id("own order"),
        ),
        "kind",
    ),
    (
        "reassessments",
        "OrderSpotCheck",
        reassessment_pb.OrderSpotCheckRequest(person=SOMEBODY, pool="999999"),
        "pool",
    ),
]


async def test_bad_input_is_told_by_field(office: Office) -> None:
    for service, method, request, field in BAD_INPUT:
        problem = await refused(getattr(getattr(office, service), method)(request))
        assert problem.code == "INVALID_ARGUMENT", (method, field)
        assert field in [violation.field for violation in problem.violations], (method, field)
        assert all(one.message and one.message_zh for one in problem.violations)


async def test_what_is_not_there_is_not_found(office: Office) -> None:
    office.service.set_day(date(2024, 7, 8))
    for call in (
        office.objections.GetObjection(objection_pb.GetObjectionRequest(objection=NOBODY)),
        office.objections.DecideObjection(objection_decision(NOBODY, "UPHELD")),
        office.appeals.DecideAppeal(appeal_decision(NOBODY)),
        office.appeals.GetAppeal(appeal_pb.GetAppealRequest(appeal=NOBODY)),
        office.reviews.GetReview(review_pb.GetReviewRequest(application=NOBODY)),
    ):
        assert (await refused(call)).code == "NOT_FOUND"
