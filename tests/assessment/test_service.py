"""Assessment over real gRPC and real PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from ltci.assessment.v1 import assessment_service_pb2 as pb
from ltci.assessment.v1 import assessment_service_pb2_grpc as pb_grpc
from ltci.assessment.v1 import assessment_types_pb2 as types
from ltci.events.v1 import feed_pb2, feed_pb2_grpc

from kernel.ids import derive
from kernel.replay import raw_fact
from kernel.rules.pack import Pack
from kernel.rules.ruling import Ruling, fact_digest
from services.assessment.__main__ import build
from services.assessment.codec import assessment_codec
from services.assessment.replay import DECISIONS
from tests.assessment.forms import bedridden, scores
from tests.support.packs import CHANGZHOU, CHENGDU
from tests.support.people import person, wrong_check_digit
from tests.support.service import Running, end_of, refused, running

SOMEBODY = str(derive("test", "somebody"))
NOBODY = str(derive("test", "nobody"))
AGENT = "代办人"


@dataclass(frozen=True)
class Office:
    """Assessment as a caller sees it."""

    service: Running
    stub: Any

    async def graded(self, name: str = "submit") -> str:
        """An application with two forms that agree: grade 3."""
        application = (await self.stub.SubmitApplication(submission(name))).application
        for assessor in ("assessor-1", "expert-1"):
            await self.stub.RecordOnSite(form(application, assessor))
        return str(application)

    async def confirmed(self, name: str = "submit") -> str:
        application = await self.graded(name)
        for expert in ("expert-1", "expert-2"):
            await self.stub.ConfirmConclusion(confirmation(application, expert))
        return application


def request_id(name: str) -> str:
    return str(derive("test", name))


@pytest.fixture
async def office(database_url: str, tmp_path: Path) -> AsyncIterator[Office]:
    async with running("assessment", database_url, tmp_path, assessment_codec, build) as service:
        yield Office(service, pb_grpc.AssessmentServiceStub(service.channel))


def submission(name: str = "submit", **changes: Any) -> Any:
    told: dict[str, Any] = {
        "person": SOMEBODY,
        "pool": CHANGZHOU,
        "kind": types.APPLICATION_KIND_FIRST,
        "application_date": "2024-03-04",
        "disabled_since_date": "2023-01-01",
        "agent_name": AGENT,
        "request_id": request_id(name),
    }
    return pb.SubmitApplicationRequest(**(told | changes))


def form(application: str, assessor: str, told: dict[str, int] | None = None, **c: Any) -> Any:
    kind = types.ASSESSOR_KIND_EXPERT if "expert" in assessor else types.ASSESSOR_KIND_ASSESSOR
    fields: dict[str, Any] = {
        "application": application,
        "assessor": assessor,
        "assessor_kind": kind,
        "assessed_date": "2024-03-18",
        "scores": [pb_score(item, score) for item, score in (told or bedridden()).items()],
        "evidence_hashes": ["0" * 64],
        "request_id": request_id(f"form {application} {assessor}"),
    }
    return pb.RecordOnSiteRequest(**(fields | c))


def pb_score(item: str, score: int) -> Any:
    return types.ItemScore(item=item, score=score)


def confirmation(application: str, expert: str) -> Any:
    return pb.ConfirmConclusionRequest(
        application=application,
        expert=expert,
        confirmed_date="2024-03-25",
        request_id=request_id(f"confirm {application} {expert}"),
    )


def publish(application: str, name: str = "publish") -> Any:
    return pb.PublishConclusionRequest(application=application, request_id=request_id(name))


def deliver(application: str, name: str = "deliver") -> Any:
    return pb.DeliverConclusionRequest(application=application, request_id=request_id(name))


async def test_an_application_goes_from_submission_to_delivery(office: Office) -> None:
    submitted = await office.stub.SubmitApplication(submission())

    assert submitted.application == str(derive("application", request_id("submit")))
    assert submitted.state == types.APPLICATION_STATE_ACCEPTED
    assert (submitted.reminder_date, submitted.conclusion_due_date) == ("2024-04-01", "2024-04-16")
    application = await office.confirmed()
    published = await office.stub.PublishConclusion(publish(application))
    assert published.publicity_end_date == "2024-07-06"
    early = await refused(office.stub.DeliverConclusion(deliver(application)))
    assert (early.code, early.reason) == ("FAILED_PRECONDITION", "IN_PUBLICITY")

    office.service.set_day(date(2024, 7, 7))
    delivered = await office.stub.DeliverConclusion(deliver(application))

    assert delivered.state == types.APPLICATION_STATE_DELIVERED
    assert (delivered.grade, delivered.grade_eligible) == (3, True)
    assert (delivered.conclusion_date, delivered.valid_until_date) == ("2024-03-25", "2026-03-24")
    assert (
        await office.stub.GetApplication(pb.GetApplicationRequest(application=application))
        == delivered
    )


async def test_publishing_and_delivering_again_changes_nothing(office: Office) -> None:
    application = await office.confirmed()
    published = await office.stub.PublishConclusion(publish(application))
    office.service.set_day(date(2024, 7, 7))
    head = await office.service.head()
    assert await office.stub.PublishConclusion(publish(application, "again")) == published
    assert await office.service.head() == head
    delivered = await office.stub.DeliverConclusion(deliver(application))
    head = await office.service.head()
    assert await office.stub.DeliverConclusion(deliver(application, "once more")) == delivered
    assert await office.service.head() == head


async def test_an_application_is_shown_as_it_was_known_then(office: Office) -> None:
    submitted = await office.stub.SubmitApplication(submission())
    office.service.set_day(date(2024, 7, 3))
    for assessor in ("assessor-1", "expert-1"):
        graded = await office.stub.RecordOnSite(form(submitted.application, assessor))
    office.service.set_day(date(2024, 7, 10))

    async def known(day: int) -> Any:
        return await office.stub.GetApplication(
            pb.GetApplicationRequest(
                application=submitted.application, known_at_time=end_of(date(2024, 7, day))
            )
        )

    assert [await known(day) for day in (1, 2, 3, 9)] == [submitted, submitted, graded, graded]
    for moment, code in [(date(2024, 6, 30), "NOT_FOUND"), (date(2024, 7, 10), "INVALID_ARGUMENT")]:
        request = pb.GetApplicationRequest(
            application=submitted.application, known_at_time=end_of(moment)
        )
        assert (await refused(office.stub.GetApplication(request))).code == code


async def test_a_grade_can_be_made_again_from_its_forms(office: Office) -> None:
    await office.graded()

    [event] = [
        one
        for one in await office.service.events_after(0)
        if one.type == "ltci.assessment.v1.AssessmentGraded/1"
    ]

    [recorded] = [one for one in await office.service.events_after(0) if one.version == 3]
    graded = assessment_codec(None).decode_clear(event.type, event.payload)
    ruling = Ruling.parse(graded.ruling)
    assert [(ref.position, ref.digest) for ref in ruling.facts] == [
        (recorded.position, fact_digest(recorded.type, recorded.payload))
    ]
    assert ruling.asked["assessor"] == "expert-1"
    feed: Any = feed_pb2_grpc.EventFeedServiceStub(office.service.channel)
    pack = await feed.GetPack(feed_pb2.GetPackRequest(hash=ruling.pack.partition("@")[2]))
    facts = [raw_fact("assessment", recorded)]
    redo = DECISIONS[event.type]
    assert redo(event.payload, facts, Pack.parse(pack.content)) == graded.ruling


async def test_forms_that_differ_are_told_by_item(office: Office) -> None:
    application = (await office.stub.SubmitApplication(submission())).application
    await office.stub.RecordOnSite(form(application, "assessor-1"))

    told = await office.stub.RecordOnSite(form(application, "expert-1", bedridden(adl_bathing=5)))

    [difference] = told.differences
    assert difference.item == "adl_bathing"
    assert not difference.HasField("settled_score")
    assert {one.assessor: one.score for one in difference.scores} == {
        "assessor-1": 0,
        "expert-1": 5,
    }
    assert told.state == types.APPLICATION_STATE_ON_SITE


async def test_only_one_of_many_applications_at_once_is_taken(office: Office) -> None:
    calls = [office.stub.SubmitApplication(submission(f"race {n}")) for n in range(8)]

    outcomes = await asyncio.gather(*calls, return_exceptions=True)

    assert sum(not isinstance(outcome, BaseException) for outcome in outcomes) == 1
    assert await office.service.head() == 3  # submitted, accepted, its letter


async def test_an_id_told_by_one_copy_of_the_service_is_known_to_the_other(
    office: Office, database_url: str
) -> None:
    copy = running("assessment", database_url, office.service.folder, assessment_codec, build)
    async with copy as other:
        stub: Any = pb_grpc.AssessmentServiceStub(other.channel)
        submitted = await office.stub.SubmitApplication(submission())
        found = await stub.GetApplication(
            pb.GetApplicationRequest(application=submitted.application)
        )

    assert found == submitted


async def test_a_person_may_apply_in_another_pool(office: Office) -> None:
    await office.stub.SubmitApplication(submission())
    problem = await refused(office.stub.SubmitApplication(submission("same pool")))
    assert problem.reason == "APPLICATION_RUNNING"

    other = await office.stub.SubmitApplication(submission("other pool", pool=CHENGDU))

    assert other.pool == CHENGDU


async def test_overdue_papers_withdraw_an_application(office: Office) -> None:
    awaited = await office.stub.SubmitApplication(
        submission(application_date="2024-06-28", missing_papers=["medical record"])
    )
    assert awaited.supplement_due_date == "2024-07-05"

    def withdrawal(day: str) -> Any:
        return pb.WithdrawApplicationRequest(
            application=awaited.application,
            withdrawn_date=day,
            deemed=True,
            request_id=request_id(f"withdraw {day}"),
        )

    office.service.set_day(date(2024, 7, 5))
    problem = await refused(office.stub.WithdrawApplication(withdrawal("2024-07-05")))
    assert (problem.reason, problem.metadata["due_date"]) == ("NOT_OVERDUE", "2024-07-05")
    office.service.set_day(date(2024, 7, 6))
    withdrawn = await office.stub.WithdrawApplication(withdrawal("2024-07-06"))
    assert withdrawn.state == types.APPLICATION_STATE_WITHDRAWN


async def test_a_refusal_keeps_its_reasons(office: Office) -> None:
    application = (await office.stub.SubmitApplication(submission())).application

    gone = await office.stub.RefuseApplication(
        pb.RefuseApplicationRequest(
            application=application,
            reasons=["NOT_COVERED", "NOT_PAID_UP"],
            eligibility_decision=NOBODY,
            request_id=request_id("refuse"),
        )
    )

    assert gone.state == types.APPLICATION_STATE_REFUSED
    assert list(gone.reasons) == ["NOT_COVERED", "NOT_PAID_UP"]


async def test_applications_are_listed_page_by_page(office: Office) -> None:
    people = [str(derive("test", str(n))) for n in range(3)]
    made = [
        await office.stub.SubmitApplication(
            submission(f"list {n}", person=who, application_date=f"2024-03-0{4 + n}")
        )
        for n, who in enumerate(people)
    ]
    await office.service.caught_up()

    first = await office.stub.ListApplications(
        pb.ListApplicationsRequest(pool=CHANGZHOU, page_size=2)
    )
    rest = await office.stub.ListApplications(
        pb.ListApplicationsRequest(pool=CHANGZHOU, page_size=2, page_token=first.next_page_token)
    )
    own = await office.stub.ListApplications(
        pb.ListApplicationsRequest(pool=CHANGZHOU, person=people[1])
    )

    assert [*first.applications, *rest.applications] == made
    assert rest.next_page_token == ""
    assert list(own.applications) == [made[1]]


async def test_a_reassessment_is_ordered_once(office: Office) -> None:
    def order(name: str) -> Any:
        return pb.OrderReassessmentRequest(
            person=SOMEBODY,
            pool=CHANGZHOU,
            kind=types.APPLICATION_KIND_PERIODIC,
            due_date="2026-03-24",
            cause="validity ends",
            request_id=request_id(name),
        )

    first = await office.stub.OrderReassessment(order("order"))
    again = await office.stub.OrderReassessment(order("again"))

    assert (again, first.due_date) == (first, "2026-03-24")
    assert await office.service.head() == 1


async def test_names_of_agents_are_sealed(office: Office) -> None:
    number = person(1).identity_number
    await office.stub.SubmitApplication(submission(person="", identity_number=number))
    await office.service.caught_up()

    [submitted, *_] = await office.service.events_after(0)

    decoded = await office.service.service.parts.codec.decode(submitted)
    assert decoded.agent_name == AGENT
    assert decoded.person == office.service.service.parts.keys.person_id("resident", number)
    pool = office.service.service.parts.store.pool
    for table in ("events", "requests"):
        for row in await pool.fetch(f"select * from assessment.{table}"):
            kept = [value for value in row.values() if isinstance(value, bytes)]
            assert not any(AGENT.encode() in value or number.encode() in value for value in kept)


# -- bad input ----------------------------------------------------------------------------------

BAD_INPUT = [
    (
        "SubmitApplication",
        submission(person="", identity_number=wrong_check_digit(person(1).identity_number)),
        "identity_number",
        "IDENTITY_CHECK_DIGIT",
    ),
    ("SubmitApplication", submission(person=""), "person", "REQUIRED"),
    (
        "SubmitApplication",
        submission(identity_number=person(1).identity_number),
        "identity_number",
        "ONE_OF_TWO",
    ),
    ("SubmitApplication", submission(pool="999999"), "pool", "UNKNOWN_POOL"),
    ("SubmitApplication", submission(kind=0), "kind", "REQUIRED"),
    (
        "SubmitApplication",
        submission(application_date="2024-07-02"),
        "application_date",
        "DATE_IN_FUTURE",
    ),
    (
        "SubmitApplication",
        submission(missing_papers=["x", ""]),
        "missing_papers[1]",
        "REQUIRED",
    ),
    ("SubmitApplication", submission(request_id=""), "request_id", "REQUIRED"),
    ("RecordOnSite", form("x", "expert-1"), "application", "NOT_A_UUID"),
    ("RecordOnSite", form(NOBODY, "expert-1", scores=[]), "scores", "REQUIRED"),
    (
        "RecordOnSite",
        form(NOBODY, person(1).identity_number),
        "assessor",
        "PERSONAL",
    ),
    (
        "RecordOnSite",
        form(NOBODY, "expert-1", evidence_hashes=["photo.jpg"]),
        "evidence_hashes[0]",
        "WRONG_FORM",
    ),
    (
        "RefuseApplication",
        pb.RefuseApplicationRequest(application=NOBODY, request_id=NOBODY),
        "reasons",
        "REQUIRED",
    ),
    (
        "RefuseApplication",
        pb.RefuseApplicationRequest(
            application=NOBODY, reasons=["NOT_COVERED", "no money"], request_id=NOBODY
        ),
        "reasons[1]",
        "WRONG_FORM",
    ),
    (
        "OrderReassessment",
        pb.OrderReassessmentRequest(
            person=NOBODY,
            pool=CHANGZHOU,
            kind=types.APPLICATION_KIND_FIRST,
            due_date="2026-01-01",
            request_id=NOBODY,
        ),
        "kind",
        "NO_REASSESSMENT",
    ),
    ("GetApplication", pb.GetApplicationRequest(application="X"), "application", "NOT_A_UUID"),
    ("ListApplications", pb.ListApplicationsRequest(pool="1"), "pool", "UNKNOWN_POOL"),
]


@pytest.mark.parametrize(
    ("method", "request_message", "field", "reason"),
    BAD_INPUT,
    ids=[f"{method} {field} {reason}" for method, _, field, reason in BAD_INPUT],
)
async def test_bad_input_is_told_by_field_and_stores_nothing(
    office: Office, method: str, request_message: Any, field: str, reason: str
) -> None:
    problem = await refused(getattr(office.stub, method)(request_message))

    assert (problem.code, problem.reason) == ("INVALID_ARGUMENT", reason)
    assert [(v.field, v.reason) for v in problem.violations] == [(field, reason)]
    assert all(v.message and v.message_zh for v in problem.violations)
    assert problem.domain == "assessment.ltci"
    assert await office.service.head() == 0


async def test_a_wrong_score_is_told_by_its_place(office: Office) -> None:
    application = (await office.stub.SubmitApplication(submission())).application
    head = await office.service.head()

    problem = await refused(
        office.stub.RecordOnSite(form(application, "expert-1", scores(adl_bowel=7)))
    )

    assert problem.code == "INVALID_ARGUMENT"
    assert [(v.field, v.reason) for v in problem.violations] == [
        ("scores[3].score", "SCORE_NOT_ALLOWED")
    ]
    assert await office.service.head() == head


async def test_an_application_that_never_was_is_not_found(office: Office) -> None:
    asked = [
        office.stub.GetApplication(pb.GetApplicationRequest(application=NOBODY)),
        office.stub.PublishConclusion(publish(NOBODY)),
    ]
    for call in asked:
        problem = await refused(call)
        assert (problem.code, problem.reason) == ("NOT_FOUND", "APPLICATION_UNKNOWN")


async def test_a_request_id_used_for_something_else_is_refused(office: Office) -> None:
    await office.stub.SubmitApplication(submission())

    problem = await refused(
        office.stub.SubmitApplication(submission(application_date="2024-03-05"))
    )

    assert (problem.code, problem.reason) == ("ALREADY_EXISTS", "REQUEST_ID_REUSED")
    assert await office.service.head() == 3  # submitted, accepted, its letter


async def test_what_is_too_large_or_no_message_is_refused(office: Office) -> None:
    raw = office.service.channel.unary_unary(
        "/ltci.assessment.v1.AssessmentService/SubmitApplication",
        request_serializer=bytes,
        response_deserializer=bytes,
    )
    valid = submission().SerializeToString()
    agent = AGENT.encode()

    not_text = await refused(raw(valid.replace(agent, b"\xff" * len(agent))))
    cut_off = await refused(raw(valid[:-1]))
    too_large = await refused(raw(submission(agent_name="x" * 5_000_000).SerializeToString()))

    assert (not_text.code, not_text.reason) == ("INVALID_ARGUMENT", "MALFORMED_REQUEST")
    assert [violation.field for violation in not_text.violations] == ["agent_name"]
    assert cut_off.reason == "MALFORMED_REQUEST"
    assert too_large.code == "RESOURCE_EXHAUSTED"
    assert await office.service.head() == 0
