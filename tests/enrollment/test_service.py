"""Enrollment over real gRPC and real PostgreSQL."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from ltci.enrollment.v1 import enrollment_service_pb2 as pb
from ltci.enrollment.v1 import enrollment_service_pb2_grpc as pb_grpc
from ltci.enrollment.v1 import enrollment_types_pb2 as types
from ltci.events.v1 import feed_pb2, feed_pb2_grpc

from kernel.ids import derive
from kernel.replay import raw_fact
from kernel.rpc.call import fingerprint
from kernel.rules.pack import Pack
from kernel.rules.ruling import Ruling, fact_digest
from services.enrollment.__main__ import build
from services.enrollment.codec import enrollment_codec
from services.enrollment.replay import DECISIONS
from tests.support.packs import CHANGZHOU, CHENGDU
from tests.support.people import person, wrong_check_digit
from tests.support.service import Running, end_of, refused, rows, running, stream_of

RESIDENT = types.INSURED_GROUP_RESIDENT
FROM_PERSON = types.CONTRIBUTION_SOURCE_PERSON
SOMEBODY = person(1)


@dataclass(frozen=True)
class Office:
    """Enrollment as a caller sees it, with short ways to say what a test is not about."""

    service: Running
    stub: Any

    async def register(self, number: int = 1) -> str:
        registered = await self.stub.RegisterPerson(registration(number=number))
        return str(registered.person)

    async def insure(self, number: int = 1, since: str = "2022-01-01") -> str:
        who = await self.register(number)
        await self.stub.StartCoverage(coverage(who, start_date=since))
        return who


def request_id(name: str) -> str:
    return str(derive("test", name))


@pytest.fixture
async def office(database_url: str, tmp_path: Path) -> AsyncIterator[Office]:
    async with running("enrollment", database_url, tmp_path, enrollment_codec, build) as service:
        yield Office(service, pb_grpc.EnrollmentServiceStub(service.channel))


def registration(name: str = "register", number: int = 1, **changes: Any) -> Any:
    who = person(number)
    told: dict[str, Any] = {
        "identity_kind": types.IDENTITY_KIND_RESIDENT,
        "identity_number": who.identity_number,
        "full_name": who.full_name,
        "registered_date": "2022-01-10",
        "request_id": request_id(f"{name} {number}"),
    }
    return pb.RegisterPersonRequest(**(told | changes))


def coverage(who: str, name: str = "cover", **changes: Any) -> Any:
    told: dict[str, Any] = {
        "person": who,
        "pool": CHANGZHOU,
        "group": RESIDENT,
        "start_date": "2022-01-01",
        "request_id": request_id(f"{name} {who}"),
    }
    return pb.StartCoverageRequest(**(told | changes))


def contribution(who: str, name: str = "pay", **changes: Any) -> Any:
    told: dict[str, Any] = {
        "person": who,
        "pool": CHANGZHOU,
        "source": FROM_PERSON,
        "amount_fen": 3000,
        "year": 2024,
        "paid_date": "2024-01-05",
        "request_id": request_id(f"{name} {who}"),
    }
    return pb.CollectContributionRequest(**(told | changes))


def life_event(who: str, name: str = "life", **changes: Any) -> Any:
    told: dict[str, Any] = {
        "person": who,
        "pool": CHANGZHOU,
        "kind": types.LIFE_EVENT_KIND_DEATH,
        "event_date": "2024-03-01",
        "source": types.FACT_SOURCE_REGISTER,
        "request_id": request_id(name),
    }
    return pb.ReportLifeEventRequest(**(told | changes))


# -- persons ------------------------------------------------------------------------------------


async def test_callers_see_a_masked_identity_number(office: Office) -> None:
    who = await office.register()

    found = await office.stub.GetPerson(pb.GetPersonRequest(person=who))

    assert found.full_name == SOMEBODY.full_name
    assert found.birth_date == SOMEBODY.birth_date.isoformat()
    assert found.identity_number_masked == "*" * 14 + SOMEBODY.identity_number[14:]


async def test_registering_again_finds_the_same_person_and_records_nothing(office: Office) -> None:
    who = await office.register()
    head = await office.service.head()

    again = await office.stub.RegisterPerson(registration("again"))

    assert (again.person, await office.service.head()) == (who, head)
    problem = await refused(office.stub.RegisterPerson(registration("other", full_name="另一个")))
    assert (problem.code, problem.reason) == ("FAILED_PRECONDITION", "PERSON_DIFFERS")
    assert await office.service.head() == head


async def test_nothing_personal_is_stored_in_clear(office: Office) -> None:
    await office.insure()
    by_number = contribution("", identity_number=SOMEBODY.identity_number)
    await office.stub.CollectContribution(by_number)
    await office.service.caught_up()
    personal = [
        SOMEBODY.identity_number.encode(),
        SOMEBODY.full_name.encode(),
        SOMEBODY.birth_date.isoformat().encode(),
        # Whoever tried all numbers would find the one that makes this hash.
        fingerprint(by_number),
        fingerprint(registration()),
    ]

    pool = office.service.service.parts.store.pool
    tables = await pool.fetch("select tablename from pg_tables where schemaname = 'enrollment'")
    kept = [
        value if isinstance(value, bytes) else str(value).encode()
        for table in tables
        for row in await pool.fetch(f"select * from enrollment.{table['tablename']}")
        for value in row.values()
    ]

    assert len(kept) > 100
    assert [value for value in kept if any(one in value for one in personal)] == []


async def test_a_person_whose_key_is_destroyed_reads_as_empty(office: Office) -> None:
    who = await office.register()
    await office.service.service.parts.keys.destroy(UUID(who))

    erased = await office.stub.GetPerson(pb.GetPersonRequest(person=who))

    assert (erased.full_name, erased.birth_date, erased.identity_number_masked) == ("", "", "")
    assert erased.registered_date == "2022-01-10"
    again = await office.stub.RegisterPerson(registration("back"))
    assert (again.person, again.full_name) == (who, SOMEBODY.full_name)


async def test_the_birth_date_agrees_with_the_identity_number(office: Office) -> None:
    problem = await refused(office.stub.RegisterPerson(registration(birth_date="1950-01-01")))

    [violation] = problem.violations
    assert (violation.field, violation.reason) == ("birth_date", "BIRTH_DATE_DIFFERS")


async def test_a_passport_has_no_check_but_needs_a_birth_date(office: Office) -> None:
    passport: dict[str, Any] = {
        "identity_kind": types.IDENTITY_KIND_PASSPORT,
        "identity_number": "e1234567",
    }
    problem = await refused(office.stub.RegisterPerson(registration(**passport)))
    assert [v.field for v in problem.violations] == ["birth_date"]

    found = await office.stub.RegisterPerson(registration(**passport, birth_date="1950-01-01"))

    assert found.identity_number_masked == "****4567"


# -- coverage and contributions -----------------------------------------------------------------


async def test_a_coverage_starts_ends_and_is_listed(office: Office) -> None:
    people = sorted([await office.insure(number) for number in (1, 2, 3)])
    end = pb.EndCoverageRequest(
        person=people[0], pool=CHANGZHOU, end_date="2024-06-30", request_id=request_id("end")
    )
    ended = await office.stub.EndCoverage(end)
    await office.service.caught_up()

    first = await office.stub.ListPersons(pb.ListPersonsRequest(pool=CHANGZHOU, page_size=2))
    rest = await office.stub.ListPersons(
        pb.ListPersonsRequest(pool=CHANGZHOU, page_size=2, page_token=first.next_page_token)
    )

    assert [c.person for c in (*first.coverages, *rest.coverages)] == people
    assert first.coverages[0] == ended
    assert (ended.end_date, rest.next_page_token) == ("2024-06-30", "")
    other = pb.ListPersonsRequest(pool=CHENGDU, page_token=first.next_page_token)
    assert (await refused(office.stub.ListPersons(other))).reason == "WRONG_PAGE_TOKEN"


async def test_only_somebody_registered_can_be_insured(office: Office) -> None:
    problem = await refused(office.stub.StartCoverage(coverage(request_id("nobody"))))

    assert (problem.code, problem.reason) == ("NOT_FOUND", "PERSON_UNKNOWN")


async def test_a_contribution_names_its_person_by_id_or_by_number(office: Office) -> None:
    who = await office.insure()
    number = SOMEBODY.identity_number

    by_id = await office.stub.CollectContribution(contribution(who))
    by_number = await office.stub.CollectContribution(
        contribution("", "number", identity_number=number)
    )
    both = await refused(
        office.stub.CollectContribution(contribution(who, "both", identity_number=number))
    )
    neither = await refused(office.stub.CollectContribution(contribution("", "neither")))

    assert by_number.person == by_id.person == who
    assert by_id.contribution == str(derive("contribution", request_id(f"pay {who}")))
    assert (both.violations[0].field, both.reason) == ("identity_number", "ONE_OF_TWO")
    assert (neither.violations[0].field, neither.reason) == ("person", "REQUIRED")
    await office.service.caught_up()
    listed = await office.stub.ListContributions(
        pb.ListContributionsRequest(person=who, pool=CHANGZHOU)
    )
    assert list(listed.contributions) == [by_id, by_number]


async def test_a_contribution_without_coverage_is_refused(office: Office) -> None:
    who = await office.register()

    problem = await refused(office.stub.CollectContribution(contribution(who)))

    assert (problem.code, problem.reason) == ("FAILED_PRECONDITION", "NOT_COVERED")


# -- life events --------------------------------------------------------------------------------


async def test_a_report_is_kept_once_and_can_be_taken_back(office: Office) -> None:
    who = await office.register()
    reported = await office.stub.ReportLifeEvent(life_event(who))
    head = await office.service.head()

    same = await office.stub.ReportLifeEvent(life_event(who, "same"))
    assert (same, await office.service.head()) == (reported, head)
    withdrawal = pb.WithdrawLifeEventRequest(
        life_event=reported.life_event, person=who, cause="error", request_id=request_id("back")
    )
    assert (await office.stub.WithdrawLifeEvent(withdrawal)).withdrawn


async def test_the_stronger_of_two_contradicting_sources_counts(office: Office) -> None:
    who = await office.insure()
    await office.stub.CollectContribution(contribution(who))
    provider = {"source": types.FACT_SOURCE_PROVIDER}
    await office.stub.ReportLifeEvent(life_event(who, "seen dead", **provider))
    told = life_event(who, "registered", event_date="2024-03-09")
    assert (await office.stub.ReportLifeEvent(told)).event_date == "2024-03-09"

    asked = pb.CheckEligibilityRequest(person=who, pool=CHANGZHOU, on_date="2024-03-05")
    assert (await office.stub.CheckEligibility(asked)).eligible
    found = life_event(
        who, "found", kind=types.LIFE_EVENT_KIND_FOUND_ALIVE, event_date="2024-04-01"
    )
    await office.stub.ReportLifeEvent(found)
    asked.on_date = "2024-05-01"
    answer = await office.stub.CheckEligibility(asked)
    assert answer.eligible
    weighed = [s for s in Ruling.parse(answer.ruling).steps if s.clause.endswith("precedence")]
    assert [(step.output, step.inputs["aside_source"]) for step in weighed] == [
        ("register", "provider")
    ]


async def test_a_death_is_not_denied_but_the_person_found_alive(office: Office) -> None:
    who = await office.register()
    problem = await refused(office.stub.ReportLifeEvent(life_event(who, denied=True)))
    assert [v.reason for v in problem.violations] == ["REPORT_FOUND_ALIVE"]


# -- eligibility --------------------------------------------------------------------------------


async def test_a_recorded_decision_can_be_made_again_from_its_facts(office: Office) -> None:
    who = await office.insure()
    await office.stub.CollectContribution(contribution(who))
    await office.stub.ReportLifeEvent(life_event(who, event_date="2024-06-30"))
    asked: dict[str, Any] = {"person": who, "pool": CHANGZHOU, "on_date": "2024-06-30"}

    checked = await office.stub.CheckEligibility(pb.CheckEligibilityRequest(**asked))
    head = await office.service.head()
    decided = await office.stub.DecideEligibility(
        pb.DecideEligibilityRequest(**asked, request_id=request_id("decide"))
    )

    assert (checked.decision, checked.ruling) == ("", decided.ruling)
    assert decided.decision == str(derive("eligibility", request_id("decide")))
    assert (decided.eligible, list(decided.reasons)) == (True, [])
    [event] = await office.service.events_after(head)
    ruling = Ruling.parse(decided.ruling)
    feed: Any = feed_pb2_grpc.EventFeedServiceStub(office.service.channel)
    pack = await feed.GetPack(feed_pb2.GetPackRequest(hash=ruling.pack.partition("@")[2]))
    store = office.service.service.parts.store
    facts = await store.read_positions([ref.position for ref in ruling.facts])
    assert [ref.digest for ref in ruling.facts] == [fact_digest(f.type, f.payload) for f in facts]
    redo = DECISIONS[event.type]
    known = [raw_fact("enrollment", fact) for fact in facts]
    assert redo(event.payload, known, Pack.parse(pack.content)) == decided.ruling


async def test_a_decision_does_not_rest_on_earlier_decisions(office: Office) -> None:
    who = await office.insure()
    asked: dict[str, Any] = {"person": who, "pool": CHANGZHOU, "on_date": "2024-06-30"}

    first = await office.stub.DecideEligibility(
        pb.DecideEligibilityRequest(**asked, request_id=request_id("first"))
    )
    second = await office.stub.DecideEligibility(
        pb.DecideEligibilityRequest(**asked, request_id=request_id("second"))
    )

    assert (first.ruling, list(first.reasons)) == (second.ruling, ["NOT_PAID_UP"])
    assert first.decision != second.decision


async def test_a_persons_events_are_found_by_the_person(office: Office) -> None:
    who, other = await office.insure(1), await office.insure(2)
    await office.stub.ReportLifeEvent(life_event(who))
    await office.service.caught_up()
    feed: Any = feed_pb2_grpc.EventFeedServiceStub(office.service.channel)

    story = await feed.ListCaseEvents(feed_pb2.ListCaseEventsRequest(person=who))

    assert [event.category for event in story.events] == ["person", "coverage", "life"]
    assert other != who


# -- as known then ------------------------------------------------------------------------------

ON_JUNE_30: dict[str, Any] = {"pool": CHANGZHOU, "on_date": "2024-06-30"}


@pytest.fixture
async def late(office: Office) -> str:
    """Somebody paid up on July 1, whose death in May is reported on September 2."""
    who = await office.insure()
    await office.stub.CollectContribution(contribution(who))
    office.service.set_day(date(2024, 9, 2))
    await office.stub.ReportLifeEvent(life_event(who, event_date="2024-05-20"))
    return who


JULY_1, AUGUST_1, OCTOBER_1 = date(2024, 7, 1), date(2024, 8, 1), date(2024, 10, 1)


async def test_a_late_fact_leaves_what_was_known_then_untouched(office: Office) -> None:
    who = await office.insure()
    await office.stub.CollectContribution(contribution(who))
    decide = pb.DecideEligibilityRequest(person=who, **ON_JUNE_30, request_id=request_id("then"))
    decided = await office.stub.DecideEligibility(decide)

    office.service.set_day(date(2024, 9, 2))
    await office.stub.ReportLifeEvent(life_event(who, event_date="2024-05-20"))
    office.service.set_day(OCTOBER_1)

    asked: dict[str, Any] = {"person": who, **ON_JUNE_30}
    now = await office.stub.CheckEligibility(pb.CheckEligibilityRequest(**asked))
    then = await office.stub.CheckEligibility(
        pb.CheckEligibilityRequest(**asked, known_at_time=end_of(AUGUST_1))
    )
    assert list(now.reasons) == ["DEAD"]
    assert (then.eligible, then.ruling) == (True, decided.ruling)


async def test_what_was_known_before_a_contribution_came_in_is_that_nothing_was_paid(
    office: Office,
) -> None:
    who = await office.insure()
    office.service.set_day(AUGUST_1)
    await office.stub.CollectContribution(contribution(who))
    asked: dict[str, Any] = {"person": who, **ON_JUNE_30}
    listed: dict[str, Any] = {"person": who, "pool": CHANGZHOU}
    await office.service.caught_up()

    for moment, reasons, count in [
        (end_of(date(2024, 6, 30)), ["NOT_COVERED", "NOT_PAID_UP"], 0),
        (end_of(JULY_1), ["NOT_PAID_UP"], 0),
        (None, [], 1),
    ]:
        found = await office.stub.CheckEligibility(
            pb.CheckEligibilityRequest(**asked, known_at_time=moment)
        )
        page = await office.stub.ListContributions(
            pb.ListContributionsRequest(**listed, known_at_time=moment)
        )
        assert (list(found.reasons), len(page.contributions)) == (reasons, count)


async def test_a_person_was_not_known_before_the_registration(office: Office) -> None:
    who = await office.register()
    office.service.set_day(AUGUST_1)

    then = pb.GetPersonRequest(person=who, known_at_time=end_of(JULY_1))
    before = pb.GetPersonRequest(person=who, known_at_time=end_of(date(2024, 6, 30)))

    now = await office.stub.GetPerson(pb.GetPersonRequest(person=who))
    assert await office.stub.GetPerson(then) == now
    assert (await refused(office.stub.GetPerson(before))).code == "NOT_FOUND"


async def test_a_story_is_cut_by_the_day_and_by_what_was_known(office: Office, late: str) -> None:
    feed: Any = feed_pb2_grpc.EventFeedServiceStub(office.service.channel)
    office.service.set_day(OCTOBER_1)

    async def told(**times: Any) -> list[str]:
        request = feed_pb2.ListCaseEventsRequest(person=late, page_size=2, **times)
        story: list[str] = []
        while True:
            page = await feed.ListCaseEvents(request)
            story += [event.category for event in page.events]
            request.page_token = page.next_page_token
            if not page.next_page_token:
                return story

    await office.service.caught_up()
    # Insured from 2022-01-01, registered 2022-01-10, paid 2024-01-05, dead 2024-05-20.
    assert await told() == ["person", "coverage", "contributions", "life"]
    assert await told(known_at_time=end_of(AUGUST_1)) == ["person", "coverage", "contributions"]
    assert await told(known_at_time=end_of(date(2024, 6, 30))) == []
    assert await told(as_of_date="2024-05-19") == ["person", "coverage", "contributions"]
    assert await told(as_of_date="2024-05-20") == ["person", "coverage", "contributions", "life"]
    assert await told(as_of_date="2022-01-09") == ["coverage"]
    assert await told(as_of_date="2024-05-20", known_at_time=end_of(AUGUST_1)) == [
        "person",
        "coverage",
        "contributions",
    ]


async def test_a_moment_that_has_not_come_or_is_none_is_bad_input(office: Office) -> None:
    who = await office.register()
    feed: Any = feed_pb2_grpc.EventFeedServiceStub(office.service.channel)
    tomorrow, nonsense = end_of(date(2024, 7, 2)), Timestamp(seconds=10**15)
    calls: list[tuple[Any, Any]] = [
        (office.stub.GetPerson, pb.GetPersonRequest(person=who)),
        (office.stub.CheckEligibility, pb.CheckEligibilityRequest(person=who, **ON_JUNE_30)),
        (office.stub.ListContributions, pb.ListContributionsRequest(person=who, pool=CHANGZHOU)),
        (feed.ListCaseEvents, feed_pb2.ListCaseEventsRequest(person=who)),
    ]

    for method, request in calls:
        for moment, reason in [(tomorrow, "TIME_IN_FUTURE"), (nonsense, "NOT_AN_INSTANT")]:
            request.known_at_time.CopyFrom(moment)
            problem = await refused(method(request))
            assert problem.code == "INVALID_ARGUMENT"
            assert [(v.field, v.reason) for v in problem.violations] == [("known_at_time", reason)]
            assert problem.violations[0].message_zh
    request = feed_pb2.ListCaseEventsRequest(person=who, as_of_date="2024-02-30")
    problem = await refused(feed.ListCaseEvents(request))
    assert [(v.field, v.reason) for v in problem.violations] == [("as_of_date", "NOT_A_DATE")]


# -- imports ------------------------------------------------------------------------------------


def import_row(number: int, **changes: Any) -> Any:
    return pb.PersonRow(
        person=registration("import", number, **changes),
        coverage=pb.StartCoverageRequest(pool=CHANGZHOU, group=RESIDENT, start_date="2022-01-01"),
    )


async def test_each_row_of_an_import_stands_alone(office: Office) -> None:
    bad = wrong_check_digit(person(3).identity_number)
    messages = [
        pb.ImportPersonsRequest(rows=[import_row(1), import_row(2)]),
        pb.ImportPersonsRequest(rows=[import_row(3, identity_number=bad), import_row(4)]),
    ]

    results = await rows(office.stub.ImportPersons(stream_of(messages)))

    assert [result.row for result in results] == [0, 1, 2, 3]
    assert [result.status.code for result in results] == [0, 0, 3, 0]
    assert "person.identity_number" in results[2].status.message
    assert await office.service.head() == 6
    again = await rows(office.stub.ImportPersons(stream_of(messages)))
    assert [result.name for result in again] == [result.name for result in results]
    assert await office.service.head() == 6
    [event] = await office.service.service.parts.store.read_positions([2])
    assert event.category == "coverage"


async def test_rows_that_are_only_checked_leave_nothing(office: Office) -> None:
    who = await office.insure(1)
    head = await office.service.head()
    differing = import_row(1, full_name="另一个")

    checked = await rows(
        office.stub.ImportPersons(
            stream_of(
                [pb.ImportPersonsRequest(rows=[import_row(2), differing], validate_only=True)]
            )
        )
    )
    paid = await rows(
        office.stub.ImportContributions(
            stream_of([pb.ImportContributionsRequest(rows=[contribution(who)], validate_only=True)])
        )
    )

    assert [result.status.code for result in (*checked, *paid)] == [0, 9, 0]
    assert await office.service.head() == head
    meant = stream_of([pb.ImportContributionsRequest(rows=[contribution(who)])])
    [result] = await rows(office.stub.ImportContributions(meant))
    assert result.name.startswith("contributions/")
    assert await office.service.head() == head + 1


# -- bad input ----------------------------------------------------------------------------------

NOBODY = str(derive("test", "nobody"))
BAD_INPUT = [
    (
        "RegisterPerson",
        registration(identity_number=wrong_check_digit(SOMEBODY.identity_number)),
        "identity_number",
        "IDENTITY_CHECK_DIGIT",
    ),
    ("RegisterPerson", registration(identity_number="1"), "identity_number", "IDENTITY_LENGTH"),
    ("RegisterPerson", registration(full_name=" "), "full_name", "REQUIRED"),
    ("RegisterPerson", registration(full_name="长" * 101), "full_name", "TOO_LONG"),
    ("RegisterPerson", registration(identity_kind=9), "identity_kind", "UNKNOWN_VALUE"),
    (
        "RegisterPerson",
        registration(registered_date="2024-07-02"),
        "registered_date",
        "DATE_IN_FUTURE",
    ),
    ("RegisterPerson", registration(request_id="1"), "request_id", "NOT_A_UUID"),
    ("StartCoverage", coverage(NOBODY, pool="999999"), "pool", "UNKNOWN_POOL"),
    ("StartCoverage", coverage(NOBODY, start_date="2024-02-30"), "start_date", "NOT_A_DATE"),
    ("StartCoverage", coverage("somebody"), "person", "NOT_A_UUID"),
    ("StartCoverage", coverage(NOBODY, statuses=["rich"]), "statuses", "UNKNOWN_VALUE"),
    ("CollectContribution", contribution(NOBODY, amount_fen=-1), "amount_fen", "NOT_POSITIVE"),
    ("CollectContribution", contribution(NOBODY, amount_fen=0), "amount_fen", "NOT_POSITIVE"),
    ("CollectContribution", contribution(NOBODY, year=1999), "year", "OUT_OF_RANGE"),
    ("CollectContribution", contribution(NOBODY, source=0), "source", "REQUIRED"),
    (
        "ReportLifeEvent",
        life_event(NOBODY, event_date="2024-07-02"),
        "event_date",
        "DATE_IN_FUTURE",
    ),
    (
        "DecideEligibility",
        pb.DecideEligibilityRequest(
            person=NOBODY, pool=CHANGZHOU, on_date="2024-07-02", request_id=NOBODY
        ),
        "on_date",
        "DATE_IN_FUTURE",
    ),
    ("ListPersons", pb.ListPersonsRequest(pool=""), "pool", "REQUIRED"),
    (
        "ListPersons",
        pb.ListPersonsRequest(pool=CHANGZHOU, page_size=-1),
        "page_size",
        "OUT_OF_RANGE",
    ),
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
    assert problem.domain == "enrollment.ltci"
    assert await office.service.head() == 0


async def test_all_that_is_wrong_is_told_at_once(office: Office) -> None:
    problem = await refused(office.stub.CollectContribution(pb.CollectContributionRequest()))

    fields = ["person", "pool", "source", "amount_fen", "year", "paid_date", "request_id"]
    assert [violation.field for violation in problem.violations] == fields


async def test_a_request_id_used_for_something_else_is_refused(office: Office) -> None:
    await office.register()
    head = await office.service.head()

    problem = await refused(
        office.stub.RegisterPerson(registration(number=1, registered_date="2022-01-11"))
    )

    assert (problem.code, problem.reason) == ("ALREADY_EXISTS", "REQUEST_ID_REUSED")
    assert await office.service.head() == head


async def test_what_is_too_large_or_no_message_is_refused(office: Office) -> None:
    path = "/ltci.enrollment.v1.EnrollmentService/RegisterPerson"
    raw = office.service.channel.unary_unary(
        path, request_serializer=bytes, response_deserializer=bytes
    )
    valid = registration().SerializeToString()
    name = SOMEBODY.full_name.encode()
    broken = valid.replace(name, b"\xff" * len(name))

    not_text = await refused(raw(broken))
    cut_off = await refused(raw(valid[:-1]))
    too_large = await refused(raw(registration(address="x" * 5_000_000).SerializeToString()))

    assert (not_text.code, not_text.reason) == ("INVALID_ARGUMENT", "MALFORMED_REQUEST")
    assert [violation.field for violation in not_text.violations] == ["full_name"]
    assert (cut_off.code, cut_off.reason) == ("INVALID_ARGUMENT", "MALFORMED_REQUEST")
    assert too_large.code == "RESOURCE_EXHAUSTED"
    assert await office.service.head() == 0


async def test_the_business_day_decides_what_is_in_the_future(office: Office) -> None:
    tomorrow = registration(registered_date="2024-07-02")
    assert (await refused(office.stub.RegisterPerson(tomorrow))).reason == "DATE_IN_FUTURE"

    office.service.set_day(date(2024, 7, 2))

    assert (await office.stub.RegisterPerson(tomorrow)).registered_date == "2024-07-02"
