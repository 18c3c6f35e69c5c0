"""Contributions by the thousand: each row has the fate it would have had alone."""

import asyncio
import weakref
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from ltci.enrollment.v1 import enrollment_service_pb2 as pb
from ltci.enrollment.v1 import enrollment_service_pb2_grpc as pb_grpc
from ltci.enrollment.v1 import enrollment_types_pb2 as types

from cli.imports.patience import problem_of
from kernel.eventstore.handle import Call
from kernel.ids import new_id
from kernel.money import Money
from kernel.refusal import Invalid
from kernel.rpc.validate import Check
from services.enrollment.__main__ import build
from services.enrollment.application.collection import BulkCollection, Row
from services.enrollment.application.contributions import Contributions
from services.enrollment.codec import enrollment_codec
from services.enrollment.contribution_rows import MOST_ROWS, ContributionRows
from services.enrollment.domain.contribution import ContributionCollected, ContributionSource
from services.enrollment.requests import Requests
from tests.enrollment.test_service import (
    Office,
    contribution,
    coverage,
    request_id,
)
from tests.support.packs import CHANGZHOU
from tests.support.people import person, wrong_check_digit
from tests.support.service import TODAY, refused, rows, running, stream_of


@pytest.fixture
async def office(database_url: str, tmp_path: Path) -> AsyncIterator[Office]:
    async with running("enrollment", database_url, tmp_path, enrollment_codec, build) as service:
        yield Office(service, pb_grpc.EnrollmentServiceStub(service.channel))


def paid(number: int = 1, name: str = "pay", **changes: Any) -> Any:
    """A row by identity number, as files carry it."""
    told = {"identity_number": person(number).identity_number, "request_id": f"{name} {number}"}
    told |= changes
    return contribution("", **told | {"request_id": request_id(told["request_id"])})


async def sent(office: Office, *messages: list[Any], validate_only: bool = False) -> list[Any]:
    """The reason told for each row, empty for those taken in, in the order of the rows."""
    asked = [
        pb.ImportContributionsRequest(rows=message, validate_only=validate_only)
        for message in messages
    ]
    results = await rows(office.stub.ImportContributions(stream_of(asked)))
    assert [result.row for result in results] == list(range(sum(map(len, messages))))
    problems = [problem_of(result.status) if result.status.code else None for result in results]
    return [
        "" if p is None else p.violations[0].reason if p.violations else p.reason for p in problems
    ]


async def test_each_row_has_its_own_fate(office: Office) -> None:
    await office.insure(1)
    await office.insure(2)
    head = await office.service.head()
    told = await sent(
        office,
        [
            paid(1),
            paid(1, "check digit", identity_number=wrong_check_digit(person(1).identity_number)),
            paid(3),
            paid(1, "unknown figure", year=2010),
            paid(2),
        ],
        [paid(2, "future", paid_date="2024-07-02"), paid(1, "once more", year=2023)],
    )
    assert told == [
        "",
        "IDENTITY_CHECK_DIGIT",
        "NOT_COVERED",
        "FIGURE_UNKNOWN",
        "",
        "DATE_IN_FUTURE",
        "",
    ]
    assert await office.service.head() == head + 3


async def test_the_same_rows_in_other_messages_add_nothing(office: Office) -> None:
    for number in range(1, 6):
        await office.insure(number)
    file = [paid(number) for number in range(1, 6)]
    assert await sent(office, file) == [""] * 5
    head = await office.service.head()
    assert await sent(office, file[:2], file[2:3], file[3:]) == [""] * 5
    assert await office.service.head() == head


async def test_a_row_that_came_alone_before_is_known_and_the_other_way_round(
    office: Office,
) -> None:
    await office.insure(1)
    alone = await office.stub.CollectContribution(paid(1))
    head = await office.service.head()
    assert await sent(office, [paid(1)]) == [""]
    assert await sent(office, [paid(1, "in bulk")]) == [""]
    assert await office.service.head() == head + 1
    repeated = await office.stub.CollectContribution(paid(1))
    later = await office.stub.CollectContribution(paid(1, "in bulk"))
    assert repeated == alone
    assert await office.service.head() == head + 1
    assert later.contribution != alone.contribution
    assert (later.person, later.amount_fen) == (alone.person, alone.amount_fen)


async def test_alone_and_in_bulk_the_same_event_is_kept(office: Office) -> None:
    await office.insure(1)
    await office.insure(2)
    head = await office.service.head()
    await office.stub.CollectContribution(paid(1))
    await sent(office, [paid(2)])
    one, two = await office.service.events_after(head)
    codec = office.service.service.parts.codec
    first: ContributionCollected = codec.decode_clear(one.type, one.payload)
    second: ContributionCollected = codec.decode_clear(two.type, two.payload)
    assert second == replace(first, contribution=second.contribution, person=second.person)
    assert (one.type, one.category, one.pool) == (two.type, two.category, two.pool)
    assert (two.meta.actor, two.meta.code_version) == (one.meta.actor, one.meta.code_version)
    assert two.meta.request_id == UUID(request_id("pay 2"))


async def test_a_request_id_used_for_something_else_is_refused_wherever_it_was_used(
    office: Office,
) -> None:
    for number in (1, 2):
        await office.insure(number)
    await sent(office, [paid(1)])
    head = await office.service.head()
    someone_else = person(2).identity_number
    others: list[dict[str, Any]] = [
        {"amount_fen": 1},
        {"year": 2023},
        {"pool": "500000"},
        {"identity_number": someone_else},
    ]
    for other in others:
        assert await sent(office, [paid(1, **other)]) == ["REQUEST_ID_REUSED"]
        problem = await refused(office.stub.CollectContribution(paid(1, **other)))
        assert problem.reason == "REQUEST_ID_REUSED"
    assert await office.service.head() == head


async def test_one_request_id_twice_in_a_message_counts_once(office: Office) -> None:
    await office.insure(1)
    head = await office.service.head()
    again, other = paid(1), paid(1, year=2023)
    assert await sent(office, [paid(1), again, other]) == ["", "", "REQUEST_ID_REUSED"]
    assert await office.service.head() == head + 1


async def test_rows_for_the_same_person_and_year_are_all_kept(office: Office) -> None:
    await office.insure(1)
    head = await office.service.head()
    twelve = [paid(1, f"month {month}") for month in range(12)]
    assert await sent(office, twelve[:5], twelve[5:7], twelve[7:]) == [""] * 12
    events = await office.service.events_after(head)
    assert [event.version for event in events] == list(range(1, 13))


async def test_the_same_file_sent_by_two_at_once_is_kept_once(office: Office) -> None:
    for number in range(1, 21):
        await office.insure(number)
    head = await office.service.head()
    file = [[paid(number) for number in range(first, first + 5)] for first in (1, 6, 11, 16)]
    told = await asyncio.gather(*(sent(office, *file) for _ in range(3)))
    assert told == [[""] * 20] * 3
    assert await office.service.head() == head + 20


async def test_checking_says_the_same_and_keeps_nothing(office: Office) -> None:
    await office.insure(1)
    await sent(office, [paid(1, "before")])
    head = await office.service.head()
    file = [paid(1), paid(2), paid(1, "before", year=2023), paid(1, "wrong", amount_fen=0)]
    checked = await sent(office, file, validate_only=True)
    assert await office.service.head() == head
    assert checked == ["", "NOT_COVERED", "REQUEST_ID_REUSED", "NOT_POSITIVE"]
    assert await sent(office, file) == checked


async def test_what_was_refused_is_taken_in_once_the_facts_allow_it(office: Office) -> None:
    who = await office.register(1)
    assert await sent(office, [paid(1)]) == ["NOT_COVERED"]
    await office.stub.StartCoverage(coverage(who))
    assert await sent(office, [paid(1)]) == [""]


async def test_what_was_taken_in_stays_so_when_the_coverage_is_gone(office: Office) -> None:
    who = await office.insure(1)
    await sent(office, [paid(1)])
    end = pb.EndCoverageRequest(
        person=who, pool=CHANGZHOU, end_date="2023-12-31", request_id=request_id("end")
    )
    await office.stub.EndCoverage(end)
    assert await sent(office, [paid(1), paid(1, "late")]) == ["", "NOT_COVERED"]


async def test_a_message_with_too_many_rows_is_refused(office: Office) -> None:
    message = pb.ImportContributionsRequest(rows=[paid(1)] * (MOST_ROWS + 1))
    problem = await refused(rows(office.stub.ImportContributions(stream_of([message]))))
    assert [(v.field, v.reason) for v in problem.violations] == [("rows", "OUT_OF_RANGE")]


async def test_what_was_paid_in_bulk_is_listed_and_counts(office: Office) -> None:
    who = await office.insure(1)
    await sent(office, [paid(1, f"month {month}") for month in range(30)])
    await office.service.caught_up()
    listed = await office.stub.ListContributions(
        pb.ListContributionsRequest(person=who, pool=CHANGZHOU, page_size=100)
    )
    assert len(listed.contributions) == 30
    assert {c.source for c in listed.contributions} == {types.CONTRIBUTION_SOURCE_PERSON}
    question = pb.CheckEligibilityRequest(person=who, pool=CHANGZHOU, on_date=str(TODAY))
    assert (await office.stub.CheckEligibility(question)).eligible


async def test_a_refusal_that_is_kept_does_not_keep_the_rows_alive(office: Office) -> None:
    parts = office.service.service.parts
    unknown = ContributionCollected(
        contribution=new_id(),
        person=new_id(),
        pool=CHANGZHOU,
        source=ContributionSource.PERSON,
        amount=Money(1),
        year=2024,
        paid_date=TODAY,
    )
    held, refused_rows = weakref.ref(unknown), [Row(Call(new_id(), b"", "test"), unknown)]
    del unknown
    outcomes = await BulkCollection(parts, Contributions(parts)).collect(refused_rows)
    refused_rows.clear()
    assert [str(outcome) for outcome in outcomes] == ["NOT_COVERED (pool=320400, year=2024)"]
    assert held() is None


ODD: list[dict[str, Any]] = [
    {},
    {"identity_number": person(1).identity_number.lower()},
    {"identity_number": f" {person(1).identity_number}"},
    {"identity_number": "", "person": request_id("somebody")},
    {"person": request_id("somebody")},
    {"identity_number": ""},
    {"request_id": request_id("x").upper()},
    {"request_id": "00000000-0000-0000-0000-000000000000"},
    {"request_id": ""},
    {"source": 0},
    {"source": 99},
    {"amount_fen": -1},
    {"amount_fen": 0},
    {"year": 1999},
    {"year": 2101},
    {"pool": "32040"},
    {"pool": ""},
    {"paid_date": "2024-2-1"},
    {"paid_date": "20240201"},
    {"paid_date": "2024-02-30"},
    {"paid_date": str(date.max)},
    {"paid_date": ""},
]


async def test_the_fast_reader_takes_what_the_checks_take(office: Office) -> None:
    parts = office.service.service.parts
    requests = Requests(parts.keys, parts.packs, parts.clock)
    reader = ContributionRows(parts, requests, BulkCollection(parts, Contributions(parts)))
    for odd in ODD:
        asked = contribution("", **({"identity_number": person(1).identity_number} | odd))
        check = Check()
        wanted = requests.contribution(check, asked)
        check.uuid("request_id", asked.request_id)
        plain = reader._plain(asked, parts.clock.today())
        try:
            check.done()
        except Invalid:
            assert plain is None, odd
        else:
            assert plain == wanted if not odd else plain in {None, wanted}, odd
