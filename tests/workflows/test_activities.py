"""One call to a service an activity: what is asked, what a refusal and an outage become."""

from collections.abc import AsyncIterator
from dataclasses import asdict, replace
from typing import Any

import grpc
import pytest
from ltci.assessment.v1 import appeal_service_pb2 as appeal_pb
from ltci.assessment.v1 import appeal_service_pb2_grpc as appeal_rpc
from ltci.assessment.v1 import assessment_service_pb2 as assessment
from ltci.assessment.v1 import assessment_service_pb2_grpc as assessment_rpc
from ltci.assessment.v1 import assessment_types_pb2, clock_types_pb2
from ltci.assessment.v1 import clock_service_pb2 as clocks
from ltci.assessment.v1 import clock_service_pb2_grpc as clocks_rpc
from ltci.assessment.v1 import dispute_types_pb2 as dispute_types
from ltci.assessment.v1 import review_service_pb2 as review_pb
from ltci.assessment.v1 import review_service_pb2_grpc as review_rpc
from ltci.payment.v1 import payment_service_pb2 as payment
from ltci.payment.v1 import payment_service_pb2_grpc as payment_rpc
from ltci.payment.v1 import payment_types_pb2
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from kernel.refusal import NotFound, Refused
from kernel.rpc import channel
from kernel.rpc.errors import ErrorInterceptor
from workflows import timing
from workflows.activities.assessment import (
    Application,
    ApplicationStep,
    AssessmentActivities,
    ClockNote,
    Deadline,
    RefusalOrder,
)
from workflows.activities.disputes import AppealStanding, DisputeActivities, ReviewStanding
from workflows.activities.payment import (
    Computed,
    Entitlement,
    PaymentActivities,
    Review,
    SettlementStep,
)

PERSON = "5b7b8d3e-0c5f-8d0a-9a51-3f1f6a1c2e10"


class Assessment(assessment_rpc.AssessmentServiceServicer):
    async def GetApplication(self, request: Any, _context: Any) -> Any:  # noqa: N802
        if request.application == "nobody's":
            raise NotFound("application", request.application)
        return assessment.Application(
            application=request.application,
            state=assessment_types_pb2.APPLICATION_STATE_ON_SITE,
            conclusion_due_date="2024-02-12",
        )

    async def RefuseApplication(self, request: Any, _context: Any) -> Any:  # noqa: N802
        assert request.eligibility_ruling.decode() == '{"question":"eligibility"}'
        return assessment.Application(state=assessment_types_pb2.APPLICATION_STATE_REFUSED)

    async def DeliverConclusion(self, _request: Any, _context: Any) -> Any:  # noqa: N802
        raise Refused("IN_PUBLICITY")


class Clocks(clocks_rpc.ClockServiceServicer):
    async def NoteClock(self, request: Any, _context: Any) -> Any:  # noqa: N802
        deadline = clock_types_pb2.Deadline(
            step=request.step,
            due_date="2024-04-16",
            missed=request.notice == clock_types_pb2.CLOCK_NOTICE_MISSED,
        )
        return clocks.Deadlines(application=request.application, deadlines=[deadline])


class Payment(payment_rpc.PaymentServiceServicer):
    """Three chunks of people; the first call for the second chunk fails."""

    def __init__(self) -> None:
        self.chunks: list[tuple[str, str]] = []
        self.review: Any = None

    async def ReviewEntitlement(self, request: Any, _context: Any) -> Any:  # noqa: N802
        self.review = request
        return payment.Entitlement(
            state=payment_types_pb2.ENTITLEMENT_STATE_OPEN, grade=4, valid_until_date="2026-01-09"
        )

    async def DetermineBenefits(self, request: Any, context: Any) -> Any:  # noqa: N802
        self.chunks.append((request.after_person, request.request_id))
        if [after for after, _ in self.chunks] == ["", "500"]:
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "too many wait")
        after = {"": "500", "500": "1000", "1000": ""}[request.after_person]
        return payment.DetermineBenefitsResponse(
            next_after_person=after, case_count=500, benefit_count=400, fund_share_fen=7
        )


class Reviews(review_rpc.ReviewServiceServicer):
    async def GetReview(self, request: Any, _context: Any) -> Any:  # noqa: N802
        return review_pb.Review(
            application=request.application,
            state=review_pb.REVIEW_STATE_UNDER_WAY,
            due_date="2024-02-12",
        )


class Appeals(appeal_rpc.AppealServiceServicer):
    async def GetAppeal(self, request: Any, _context: Any) -> Any:  # noqa: N802
        outcome = (
            dispute_types.APPEAL_OUTCOME_UPHELD
            if request.appeal == "won"
            else dispute_types.APPEAL_OUTCOME_UNSPECIFIED
        )
        return appeal_pb.Appeal(appeal=request.appeal, outcome=outcome, due_date="2024-03-01")


@pytest.fixture
async def served() -> AsyncIterator[tuple[grpc.aio.Channel, Payment]]:
    server = grpc.aio.server(interceptors=[ErrorInterceptor("test")])
    servicer = Payment()  # type: ignore[abstract]
    assessment_rpc.add_AssessmentServiceServicer_to_server(
        Assessment(),  # type: ignore[abstract]
        server,
    )
    review_rpc.add_ReviewServiceServicer_to_server(Reviews(), server)  # type: ignore[abstract]
    appeal_rpc.add_AppealServiceServicer_to_server(Appeals(), server)  # type: ignore[abstract]
    clocks_rpc.add_ClockServiceServicer_to_server(Clocks(), server)  # type: ignore[abstract]
    payment_rpc.add_PaymentServiceServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    connection = channel.connect(f"127.0.0.1:{port}")
    yield connection, servicer
    await connection.close()
    await server.stop(None)


async def failure_of(method: Any, asked: object) -> ApplicationError:
    with pytest.raises(ApplicationError) as caught:
        await ActivityEnvironment().run(method, asked)
    return caught.value


Served = tuple[grpc.aio.Channel, Payment]


async def test_an_application_is_told_in_plain_words(served: Served) -> None:
    told = await ActivityEnvironment().run(
        AssessmentActivities(served[0]).get_application, "application"
    )

    assert told == Application("application", "ON_SITE", conclusion_due_date="2024-02-12")


async def test_a_review_and_an_appeal_are_told_in_plain_words(served: Served) -> None:
    disputes = DisputeActivities(served[0])
    run = ActivityEnvironment().run
    assert await run(disputes.get_review, "a") == ReviewStanding(
        "a", "UNDER_WAY", due_date="2024-02-12"
    )
    assert await run(disputes.get_appeal, "won") == AppealStanding(
        "won", decided=True, outcome="UPHELD", due_date="2024-03-01"
    )
    assert not (await run(disputes.get_appeal, "open")).decided


async def test_a_note_of_a_clock_tells_the_deadlines_after_it(served: Served) -> None:
    note = ClockNote("application", "CONCLUSION", "MISSED", PERSON)

    told = await ActivityEnvironment().run(AssessmentActivities(served[0]).note_clock, note)

    assert told == [Deadline("CONCLUSION", "2024-04-16", missed=True)]


async def test_a_refusal_is_named_by_its_reason_and_never_repeated(served: Served) -> None:
    step = ApplicationStep("application", PERSON)

    error = await failure_of(AssessmentActivities(served[0]).deliver_conclusion, step)

    assert (error.type, error.non_retryable) == ("IN_PUBLICITY", True)
    assert error.details == ("FAILED_PRECONDITION",)


async def test_a_refusal_of_an_application_carries_the_ruling_that_its_letter_tells(
    served: Served,
) -> None:
    order = RefusalOrder("application", ["DEAD"], PERSON, PERSON, '{"question":"eligibility"}')

    told = await ActivityEnvironment().run(
        AssessmentActivities(served[0]).refuse_application, order
    )

    assert told.state == "REFUSED"


async def test_what_is_not_there_is_a_refusal_too(served: Served) -> None:
    error = await failure_of(AssessmentActivities(served[0]).get_application, "nobody's")

    assert (error.type, error.non_retryable) == ("APPLICATION_UNKNOWN", True)


async def test_a_service_that_is_away_is_asked_again() -> None:
    async with channel.connect("127.0.0.1:1") as nobody:
        error = await failure_of(AssessmentActivities(nobody).get_application, "application")

    assert (error.type, error.non_retryable) == ("UNAVAILABLE", False)
    assert error.next_retry_delay is None


def test_a_fault_is_given_time_to_be_mended() -> None:
    error = timing.failure("INTERNAL", "INTERNAL", "something went wrong")

    assert (error.non_retryable, error.next_retry_delay) == (False, timing.AFTER_A_FAULT)


async def test_a_review_names_how_far_the_feeds_were_read(served: Served) -> None:
    connection, servicer = served
    review = Review(PERSON, "320400", {"enrollment": 9, "assessment": 4}, PERSON)

    told = await ActivityEnvironment().run(PaymentActivities(connection).review_entitlement, review)

    assert told == Entitlement("OPEN", 4, valid_until_date="2026-01-09")
    known = [(one.service, one.position) for one in servicer.review.known]
    assert known == [("assessment", 4), ("enrollment", 9)]


async def test_a_month_goes_on_at_the_chunk_where_it_broke_off(served: Served) -> None:
    connection, servicer = served
    activities = PaymentActivities(connection)
    step = SettlementStep("320400", "2024-01", PERSON)
    beats: list[Any] = []
    first = ActivityEnvironment()
    first.on_heartbeat = lambda *told: beats.append(told)

    with pytest.raises(ApplicationError):
        await first.run(activities.determine_benefits, step)
    again = ActivityEnvironment()
    again.info = replace(again.info, heartbeat_details=beats[-1])
    told = await again.run(activities.determine_benefits, step)

    assert told == Computed("", 3, 1500, 1200, 21)
    assert [after for after, _ in servicer.chunks] == ["", "500", "500", "1000"]
    assert servicer.chunks[1] == servicer.chunks[2]  # the same request id
    assert len({request_id for _, request_id in servicer.chunks}) == 3
    assert asdict(Computed("500", 1, 500, 400, 7)) == beats[-1][0]
