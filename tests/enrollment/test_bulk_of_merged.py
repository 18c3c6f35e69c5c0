"""Files and lists about persons who are one: each row and question as if it had come alone."""

from typing import Any

from ltci.enrollment.v1 import eligibility_service_pb2 as batch_pb
from ltci.enrollment.v1 import eligibility_service_pb2_grpc as batch_grpc
from ltci.enrollment.v1 import enrollment_service_pb2 as pb
from ltci.enrollment.v1 import enrollment_types_pb2 as types
from ltci.enrollment.v1 import person_service_pb2 as person_pb

from cli.imports.patience import problem_of
from tests.enrollment.test_persons import Office, office, rid
from tests.enrollment.test_service import contribution, coverage
from tests.support.packs import CHANGZHOU
from tests.support.people import person
from tests.support.service import rows, stream_of

__all__ = ["office"]
ON = "2024-06-01"


async def sent(office: Office, *told: Any, validate_only: bool = False) -> list[str]:
    message = pb.ImportContributionsRequest(rows=told, validate_only=validate_only)
    results = await rows(office.stub.ImportContributions(stream_of([message])))
    return [problem_of(one.status).reason if one.status.code else "" for one in results]


async def answers(office: Office, **question: str) -> Any:
    stub: Any = batch_grpc.EligibilityServiceStub(office.service.channel)
    asked = batch_pb.BatchCheckEligibilityRequest(
        pool=CHANGZHOU,
        on_date=ON,
        questions=[batch_pb.EligibilityQuestion(**question)],
        with_rulings=True,
    )
    (answer,) = (await stub.BatchCheckEligibility(asked)).answers
    return answer.eligibility


async def paid_for(office: Office, who: str) -> list[tuple[str, int]]:
    await office.service.caught_up()
    asked = pb.ListContributionsRequest(person=who, pool=CHANGZHOU)
    listed = await office.stub.ListContributions(asked)
    return [(one.person, one.amount_fen) for one in listed.contributions]


def row(who: str, amount_fen: int) -> Any:
    return contribution(who, amount_fen=amount_fen, request_id=rid(f"row {who} {amount_fen}"))


async def test_a_file_takes_what_is_paid_under_the_other_id(office: Office) -> None:
    anne, twin = await office.same()
    stranger = await office.register(3)
    await office.stub.StartCoverage(coverage(anne))
    told = [row(anne, 100), row(twin, 200), row(stranger, 300)]
    refused = ["", "NOT_COVERED", "NOT_COVERED"]
    assert await sent(office, *told, validate_only=True) == refused
    assert await sent(office, *told) == refused

    await office.merge(anne, twin)
    head = await office.service.head()
    assert await sent(office, *told, validate_only=True) == ["", "", "NOT_COVERED"]
    assert await office.service.head() == head
    assert await sent(office, *told) == ["", "", "NOT_COVERED"]
    assert await paid_for(office, anne) == [(anne, 100), (twin, 200)]
    head = await office.service.head()
    assert await sent(office, *told) == ["", "", "NOT_COVERED"]
    await office.stub.CollectContribution(told[1])  # known, also where it comes alone
    assert await office.service.head() == head


async def test_a_list_has_the_answers_of_one_by_one(office: Office) -> None:
    anne, twin = await office.same()
    await office.stub.StartCoverage(coverage(anne))
    await office.stub.CollectContribution(contribution(anne))
    await office.merge(anne, twin)

    for who in (anne, twin):
        answer = await answers(office, person=who)
        assert answer.eligible
        assert answer == await office.eligibility(who)


async def test_a_file_and_a_list_find_the_person_by_any_paper(office: Office) -> None:
    passport = await office.register(
        1,
        identity_kind=types.IDENTITY_KIND_PASSPORT,
        identity_number="E12345678",
        birth_date=person(1).birth_date.isoformat(),
    )
    number = person(1).identity_number
    await office.people.AddIdentity(
        person_pb.AddIdentityRequest(
            person=passport,
            identity_kind=types.IDENTITY_KIND_RESIDENT,
            identity_number=number,
            added_date="2024-05-01",
            cause="naturalised",
            request_id=rid("add"),
        )
    )
    await office.stub.StartCoverage(coverage(passport))

    assert await sent(office, contribution("", identity_number=number)) == [""]
    assert await paid_for(office, passport) == [(passport, 3000)]
    assert await answers(office, identity_number=number) == await office.eligibility(passport)
