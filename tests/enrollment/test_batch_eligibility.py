"""Eligibility of many at once: the answers of one by one, each with its own outcome."""

import json
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from ltci.enrollment.v1 import eligibility_service_pb2 as batch_pb
from ltci.enrollment.v1 import eligibility_service_pb2_grpc as batch_grpc
from ltci.enrollment.v1 import enrollment_service_pb2 as pb
from ltci.enrollment.v1 import enrollment_service_pb2_grpc as pb_grpc

from cli import eligible_list
from cli.connect import Connection
from cli.imports.patience import problem_of
from cli.output import Failure, Language, Output
from cli.two_times import two_times
from kernel.config import Settings
from services.enrollment.__main__ import build
from services.enrollment.codec import enrollment_codec
from services.enrollment.eligibility_rpc import MOST_QUESTIONS
from tests.enrollment.test_service import (
    Office,
    contribution,
    life_event,
    request_id,
)
from tests.support.packs import CHANGZHOU
from tests.support.people import person, wrong_check_digit
from tests.support.service import TODAY, end_of, refused, running

NOBODY = request_id("nobody")


@pytest.fixture
async def office(database_url: str, tmp_path: Path) -> AsyncIterator[Office]:
    async with running("enrollment", database_url, tmp_path, enrollment_codec, build) as service:
        yield Office(service, pb_grpc.EnrollmentServiceStub(service.channel))


@pytest.fixture
async def people(office: Office) -> list[str]:
    """Paid up, not paid up, dead since March, insured only lately, unknown."""
    office.service.set_day(date(2024, 6, 1))
    found = [await office.insure(number) for number in (1, 2, 3)]
    found.append(await office.insure(4, since="2024-06-01"))
    for who in (found[0], found[2], found[3]):
        await office.stub.CollectContribution(contribution(who))
    office.service.set_day(TODAY)
    await office.stub.ReportLifeEvent(life_event(found[2]))
    return [*found, NOBODY]


def asked(*persons: str, **changes: Any) -> Any:
    questions = [batch_pb.EligibilityQuestion(person=one) for one in persons]
    told: dict[str, Any] = {"pool": CHANGZHOU, "on_date": str(TODAY), "questions": questions}
    return batch_pb.BatchCheckEligibilityRequest(**(told | changes))


async def answered(office: Office, request: Any) -> list[Any]:
    stub: Any = batch_grpc.EligibilityServiceStub(office.service.channel)
    response = await stub.BatchCheckEligibility(request)
    return list(response.answers)


@pytest.mark.parametrize("then", [None, date(2024, 6, 1)], ids=["now", "as known then"])
async def test_many_questions_have_the_answers_of_one_by_one(
    office: Office, people: list[str], then: date | None
) -> None:
    moment = end_of(then) if then else None
    head = await office.service.head()
    one_by_one = [
        await office.stub.CheckEligibility(
            pb.CheckEligibilityRequest(
                person=who, pool=CHANGZHOU, on_date=str(TODAY), known_at_time=moment
            )
        )
        for who in people
    ]
    whole = asked(*people, known_at_time=moment, with_rulings=True)
    assert [one.eligibility for one in await answered(office, whole)] == one_by_one
    short = await answered(office, asked(*people, known_at_time=moment))
    assert [(a.eligibility.eligible, *a.eligibility.reasons) for a in short] == [
        (a.eligible, *a.reasons) for a in one_by_one
    ]
    assert {a.eligibility.ruling for a in short} == {b""}
    assert await office.service.head() == head
    dead = [a.eligibility.person for a in short if "DEAD" in a.eligibility.reasons]
    assert dead == ([] if then else [people[2]])


async def test_what_is_wrong_with_one_question_does_not_spoil_the_rest(
    office: Office, people: list[str]
) -> None:
    number = person(1).identity_number
    questions = [
        batch_pb.EligibilityQuestion(identity_number=number),
        batch_pb.EligibilityQuestion(identity_number=wrong_check_digit(number)),
        batch_pb.EligibilityQuestion(person="somebody"),
        batch_pb.EligibilityQuestion(),
        batch_pb.EligibilityQuestion(person=people[1], identity_number=number),
        batch_pb.EligibilityQuestion(person=people[0]),
    ]
    first, *bad, last = await answered(office, asked(questions=questions))
    assert first == last
    assert first.eligibility.eligible
    violations = [problem_of(answer.status).violations[0] for answer in bad]
    assert [(v.field, v.reason) for v in violations] == [
        ("questions[1].identity_number", "IDENTITY_CHECK_DIGIT"),
        ("questions[2].person", "NOT_A_UUID"),
        ("questions[3].person", "REQUIRED"),
        ("questions[4].identity_number", "ONE_OF_TWO"),
    ]
    # A pool that has not said how long one must be insured.
    unknown = await answered(office, asked(people[0], "somebody", pool="320100"))
    assert [problem_of(answer.status).reason for answer in unknown] == [
        "FIGURE_UNKNOWN",
        "NOT_A_UUID",
    ]


async def test_what_all_questions_share_is_refused_at_once(office: Office) -> None:
    stub: Any = batch_grpc.EligibilityServiceStub(office.service.channel)
    many = [NOBODY] * (MOST_QUESTIONS + 1)
    request = asked(*many, pool="999999", on_date="2024-07-02", known_at_time=end_of(TODAY))
    problem = await refused(stub.BatchCheckEligibility(request))
    assert [(v.field, v.reason) for v in problem.violations] == [
        ("pool", "UNKNOWN_POOL"),
        ("on_date", "DATE_IN_FUTURE"),
        ("questions", "OUT_OF_RANGE"),
        ("known_at_time", "TIME_IN_FUTURE"),
    ]
    assert await answered(office, asked()) == []


async def test_a_list_is_answered_row_by_row(
    office: Office, people: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = wrong_check_digit(person(1).identity_number)
    file = tmp_path / "list.csv"
    file.write_text(
        "identity_number,person\n"
        f"{person(1).identity_number},\n{wrong},\n,{people[2]}\n,{people[1]},x\n,{NOBODY}\n"
    )
    settings = Settings({"LTCI_CLOCK_FILE": str(office.service.folder / "clock.json")})
    async with Connection(settings) as connection:
        connection._channels["enrollment"] = office.service.channel
        times = two_times(connection.clock(), str(TODAY))
        told = {}
        for form in ("csv", "json", "table"):
            output = Output.of(Language.EN, as_json=form == "json")
            answers = eligible_list.ask_all(connection, file, CHANGZHOU, times)
            counts = await eligible_list.tell(
                answers, CHANGZHOU, times, output, as_csv=form == "csv"
            )
            told[form] = capsys.readouterr().out
            assert eligible_list.exit_code(counts) == 1
        connection._channels.clear()  # it belongs to somebody else
    lines = told["csv"].splitlines()
    masked = "*" * 14 + person(1).identity_number[-4:]
    assert lines[1] == f"2,{masked},{people[0]},yes,"
    assert lines[2] == f"3,{'*' * 14}{wrong[-4:]},,,IDENTITY_CHECK_DIGIT"
    assert lines[3] == f"4,{people[2]},{people[2]},no,DEAD"
    assert lines[4] == "5,,,,ROW_TOO_LONG"
    assert lines[5].startswith(f"6,{NOBODY},{NOBODY},no,NOT_COVERED")
    document = json.loads(told["json"])
    assert (document["eligible"], document["not_eligible"], document["unanswered"]) == (1, 2, 2)
    assert "1 eligible, 2 not eligible, 2 without an answer" in told["table"]
    assert person(1).identity_number not in "".join(told.values())


def test_a_file_takes_the_place_of_the_person() -> None:
    file = Path("list.csv")
    assert eligible_list.one_of_two("1", CHANGZHOU, None) == ("1", CHANGZHOU)
    assert eligible_list.one_of_two(CHANGZHOU, None, file) == ("", CHANGZHOU)
    for wrong in (("1", None, None), ("1", CHANGZHOU, file), (None, None, file)):
        with pytest.raises(Failure):
            eligible_list.one_of_two(*wrong)
