"""Dues, accounts, refunds, employers and the yearly collection over real gRPC and PostgreSQL."""

import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from ltci.enrollment.v1 import contribution_service_pb2 as pb
from ltci.enrollment.v1 import contribution_service_pb2_grpc as pb_grpc
from ltci.enrollment.v1 import contribution_types_pb2 as contribution_types
from ltci.enrollment.v1 import enrollment_service_pb2 as enrollment_pb
from ltci.enrollment.v1 import enrollment_service_pb2_grpc as enrollment_grpc
from ltci.enrollment.v1 import enrollment_types_pb2 as types

from kernel.config import ROOT
from kernel.ids import derive, new_id
from kernel.replay import raw_fact
from kernel.rules.pack import Pack
from kernel.rules.ruling import Ruling
from services.enrollment.__main__ import build
from services.enrollment.codec import enrollment_codec
from services.enrollment.replay import DECISIONS
from tests.enrollment.test_service import contribution, coverage, registration, request_id
from tests.support.packs import CHANGZHOU
from tests.support.service import Running, end_of, refused, rows, running, stream_of

CHONGQING = "500000"
CODE, OTHER_CODE = "91320400MA1W000019", "91320400MA1W00002C"
EMPLOYEE, RESIDENT = types.INSURED_GROUP_EMPLOYEE, types.INSURED_GROUP_RESIDENT
ARREARS, GAP = (
    contribution_types.SUSPENSION_CAUSE_ARREARS,
    contribution_types.SUSPENSION_CAUSE_MEDICAL_GAP,
)
PERSON = types.CONTRIBUTION_SOURCE_PERSON
# What Changzhou's texts do not say: when its residents pay.
LAST_DAY = """
[collection]
title = "When contributions of a year are collected"
unit = "first and last day, by group"
[[collection.values]]
effective_from = 2022-01-01
value = { resident = { first = "01-01", last = "02-28" } }
source = "D"
verified = false
citation = { document = "a test", article = "", published = "" }
note = "of a test"
"""


@dataclass(frozen=True)
class Office:
    """Enrollment as a caller sees it, with ways to say what a test is not about."""

    service: Running
    enrollment: Any
    stub: Any
    numbers: list[int] = field(default_factory=lambda: [0])

    async def insure(self, group: Any = RESIDENT, pool: str = CHANGZHOU) -> str:
        self.numbers[0] += 1
        registered = await self.enrollment.RegisterPerson(registration(number=self.numbers[0]))
        who = str(registered.person)
        await self.enrollment.StartCoverage(coverage(who, group=group, pool=pool))
        return who

    async def pay(self, who: str, fen: int = 3000, name: str = "pay", **changes: Any) -> None:
        told = contribution(who, name, amount_fen=fen, **changes)
        await self.enrollment.CollectContribution(told)

    async def determine(self, pool: str = CHANGZHOU, size: int = 0, after: str = "") -> Any:
        return await self.stub.DeterminePoolDues(
            pb.DeterminePoolDuesRequest(
                pool=pool,
                year=2024,
                after_person=after,
                chunk_size=size,
                request_id=str(derive("chunk", after, str(size))),
            )
        )

    async def account(self, who: str, **more: Any) -> Any:
        asked = pb.GetAccountRequest(person=who, pool=CHANGZHOU, year=2024, **more)
        return await self.stub.GetAccount(asked)

    async def reasons(self, who: str, on: str) -> list[str]:
        asked = enrollment_pb.CheckEligibilityRequest(person=who, pool=CHANGZHOU, on_date=on)
        return list((await self.enrollment.CheckEligibility(asked)).reasons)

    async def chunk(self, method: str, size: int = 0, after: str = "") -> Any:
        request = getattr(pb, f"{method}Request")(
            pool=CHANGZHOU,
            year=2024,
            after_person=after,
            chunk_size=size,
            request_id=str(new_id()),
        )
        return await getattr(self.stub, method)(request)


@pytest.fixture
async def office(database_url: str, tmp_path: Path) -> AsyncIterator[Office]:
    rules = tmp_path / "rules"
    for name in ("national", "standards", "320400_changzhou", "500000_chongqing", "national_2026"):
        shutil.copytree(ROOT / "rules" / name, rules / name)
    with (rules / "320400_changzhou" / "enrollment.toml").open("a", encoding="utf-8") as file:
        file.write(LAST_DAY)
    async with running(
        "enrollment", database_url, tmp_path, enrollment_codec, build, rules=rules
    ) as service:
        channel = service.channel
        yield Office(
            service,
            enrollment_grpc.EnrollmentServiceStub(channel),
            pb_grpc.ContributionServiceStub(channel),
        )


def refund(who: str, fen: int, cause: str = "OVERPAID", name: str = "refund") -> Any:
    return pb.RefundContributionRequest(
        person=who,
        pool=CHANGZHOU,
        year=2024,
        source=PERSON,
        amount_fen=fen,
        cause=contribution_types.RefundCause.Value(f"REFUND_CAUSE_{cause}"),
        refunded_date="2024-06-30",
        request_id=request_id(f"{name} {who}"),
    )


def employer(**changes: Any) -> Any:
    told: dict[str, Any] = {
        "employer_name": "长江纺织厂",
        "social_credit_code": CODE,
        "pool": CHONGQING,
        "registered_date": "2024-01-01",
        "request_id": request_id("employer"),
    }
    return pb.RegisterEmployerRequest(**(told | changes))


def staff(who: str, name: str = "staff", **changes: Any) -> Any:
    told: dict[str, Any] = {
        "social_credit_code": CODE,
        "person": who,
        "pool": CHONGQING,
        "month": "2024-03",
        "medical_base_fen": 600_000,
        "request_id": request_id(f"{name} {who}"),
    }
    return pb.StaffRow(**(told | changes))


async def test_a_pools_year_is_determined_in_chunks_and_again_changes_nothing(
    office: Office,
) -> None:
    people = sorted([await office.insure() for _ in range(3)])

    first = await office.determine(size=2)
    assert (first.next_after_person, first.due_count, first.due_fen) == (people[1], 2, 6000)
    second = await office.determine(size=2, after=people[1])
    assert (second.next_after_person, second.person_count) == ("", 1)
    head = await office.service.head()
    again = await office.determine(size=2)
    assert again == first
    whole = await office.determine(size=100)
    assert (whole.due_count, whole.due_fen) == (3, 9000)
    assert await office.service.head() == head
    listed = await office.stub.ListDues(pb.ListDuesRequest(pool=CHANGZHOU, year=2024, page_size=2))
    assert [due.person for due in listed.dues] == people[:2]
    assert [due.due_date for due in listed.dues] == ["2024-02-28"] * 2
    rest = await office.stub.ListDues(
        pb.ListDuesRequest(
            pool=CHANGZHOU, year=2024, page_size=2, page_token=listed.next_page_token
        )
    )
    assert [due.person for due in rest.dues] == people[2:]
    assert rest.next_page_token == ""


async def test_a_due_is_decided_again_to_the_same_bytes(office: Office) -> None:
    who = await office.insure()
    asked = pb.DetermineDuesRequest(
        person=who, pool=CHANGZHOU, year=2024, request_id=request_id("due")
    )
    told = await office.stub.DetermineDues(asked)
    assert await office.stub.DetermineDues(asked) == told

    store = office.service.service.parts.store
    [recorded] = [e for e in await store.read_all() if e.type.endswith("ContributionDue/1")]
    ruling = Ruling.parse(told.ruling)
    assert ruling.amounts == {"person": 3000}
    found = await store.get_pack(ruling.pack.partition("@")[2])
    assert found is not None
    events = await store.read_positions([ref.position for ref in ruling.facts])
    facts = [raw_fact("enrollment", event) for event in events]
    assert DECISIONS[recorded.type](recorded.payload, facts, Pack.parse(found[1])) == told.ruling


async def test_an_account_shows_partial_double_and_refunded_money(office: Office) -> None:
    who = await office.insure()
    await office.determine()
    state = contribution_types.AccountState

    async def stands() -> tuple[int, int]:
        [line] = (await office.account(who)).lines
        return line.state, line.balance_fen

    assert await stands() == (state.ACCOUNT_STATE_UNPAID, -3000)
    await office.pay(who, 1000)
    assert await stands() == (state.ACCOUNT_STATE_PARTIAL, -2000)
    assert (await office.account(who)).arrears_fen == 2000
    office.service.set_day(date(2024, 7, 2))
    await office.pay(who, 2000, "rest")
    await office.pay(who, 2000, "twice")
    assert await stands() == (state.ACCOUNT_STATE_PAID_TWICE, 2000)

    too_much = await refused(office.stub.RefundContribution(refund(who, 2001)))
    assert too_much.reason == "REFUND_EXCEEDS_SURPLUS"
    await office.stub.RefundContribution(refund(who, 2000, "PAID_TWICE"))
    await office.stub.RefundContribution(refund(who, 2000, "PAID_TWICE"))
    assert await stands() == (state.ACCOUNT_STATE_PAID, 0)
    ended = await refused(office.stub.RefundContribution(refund(who, 1, "COVERAGE_ENDED", "end")))
    assert ended.reason == "COVERAGE_NOT_ENDED"
    [before] = (await office.account(who, known_at_time=end_of(date(2024, 7, 1)))).lines
    assert (before.paid_fen, before.refunded_fen) == (1000, 0)


async def test_who_does_not_pay_rests_and_counts_again_the_month_after(office: Office) -> None:
    owes, pays, in_time = [await office.insure() for _ in range(3)]
    await office.determine()
    await office.pay(pays)
    opened = await office.stub.OpenContributionYear(
        pb.OpenContributionYearRequest(pool=CHANGZHOU, year=2024, request_id=request_id("open"))
    )
    [deadline] = opened.deadlines
    assert (deadline.due_date, list(deadline.groups)) == ("2024-02-28", [RESIDENT])
    assert deadline.reminder_date == "2024-02-08"  # ten working days before
    assert opened.arrears_suspend
    reminded = await office.stub.RemindContributions(
        pb.RemindContributionsRequest(
            pool=CHANGZHOU, year=2024, due_date="2024-02-28", request_id=request_id("remind")
        )
    )
    assert (reminded.person_count, reminded.owed_fen) == (2, 6000)

    assert (await office.chunk("SuspendForArrears", size=1)).changed_count == 1
    assert (await office.chunk("SuspendForArrears")).changed_count == 2  # one was at rest already
    assert await office.reasons(owes, "2024-03-01") == ["SUSPENDED", "NOT_PAID_UP"]
    assert await office.reasons(pays, "2024-03-01") == []
    assert (await office.chunk("ResumeAfterPayment")).changed_count == 0

    await office.pay(owes, paid_date="2024-06-10")
    await office.pay(in_time, paid_date="2024-02-20")  # in time, and told late
    assert (await office.chunk("ResumeAfterPayment")).changed_count == 2
    assert (await office.chunk("ResumeAfterPayment")).person_count == 0
    assert await office.reasons(owes, "2024-06-30") == ["SUSPENDED"]
    assert await office.reasons(owes, "2024-07-01") == []
    assert await office.reasons(in_time, "2024-03-01") == []

    [line] = (
        await office.stub.GetPoolAccount(pb.GetPoolAccountRequest(pool=CHANGZHOU, year=2024))
    ).lines
    assert (line.group, line.source, line.person_count) == (RESIDENT, PERSON, 3)
    assert (line.due_fen, line.paid_fen, line.owed_fen, line.surplus_fen) == (9000, 9000, 0, 0)


async def test_coverage_changes_rests_and_counts_again(office: Office) -> None:
    who = await office.insure(EMPLOYEE)
    await office.pay(who)
    changed = await office.enrollment.ChangeCoverage(
        enrollment_pb.ChangeCoverageRequest(
            person=who,
            pool=CHANGZHOU,
            group=RESIDENT,
            change_date="2024-03-01",
            statuses=["severely_disabled"],
            request_id=request_id("change"),
        )
    )
    assert (changed.group, list(changed.statuses)) == (RESIDENT, ["severely_disabled"])
    rest: dict[str, Any] = {"person": who, "pool": CHANGZHOU, "cause": GAP}
    suspended = await office.enrollment.SuspendCoverage(
        enrollment_pb.SuspendCoverageRequest(
            **rest, from_date="2024-05-01", request_id=request_id("rest")
        )
    )
    assert suspended.suspended_from_date == "2024-05-01"
    assert await office.reasons(who, "2024-05-01") == ["SUSPENDED"]
    resumed = await office.enrollment.ResumeCoverage(
        enrollment_pb.ResumeCoverageRequest(
            **rest, resume_date="2024-06-01", request_id=request_id("again")
        )
    )
    assert resumed.suspended_from_date == ""
    assert await office.reasons(who, "2024-06-01") == []
    await office.service.caught_up()
    listed = await office.enrollment.ListPersons(enrollment_pb.ListPersonsRequest(pool=CHANGZHOU))
    assert [one.group for one in listed.coverages] == [RESIDENT]
    nothing_owed = await refused(
        office.enrollment.SuspendCoverage(
            enrollment_pb.SuspendCoverageRequest(
                person=who,
                pool=CHANGZHOU,
                cause=ARREARS,
                year=2024,
                from_date="2024-06-01",
                request_id=request_id("arrears"),
            )
        )
    )
    assert nothing_owed.reason == "NOT_IN_ARREARS"


async def test_an_employers_month_is_due_for_those_it_declared(office: Office) -> None:
    insured = await office.insure(EMPLOYEE, CHONGQING)
    stranger = await office.insure(EMPLOYEE)  # insured elsewhere
    await office.stub.RegisterEmployer(employer())
    await office.stub.RegisterEmployer(employer(request_id=request_id("again")))
    differs = await refused(
        office.stub.RegisterEmployer(employer(employer_name="另", request_id=request_id("other")))
    )
    assert differs.reason == "EMPLOYER_DIFFERS"

    sent = pb.ImportStaffRequest(
        rows=[
            staff(insured),
            staff(stranger),
            staff(insured, "unknown", social_credit_code=OTHER_CODE),
            staff(insured, "base", medical_base_fen=0),
        ]
    )
    results = await rows(office.stub.ImportStaff(stream_of([sent])))
    assert [result.status.code == 0 for result in results] == [True, False, False, False]
    assert await rows(office.stub.ImportStaff(stream_of([sent]))) == results

    asked = pb.DetermineEmployerDuesRequest(
        social_credit_code=CODE, month="2024-03", request_id=request_id("month")
    )
    chunk = await office.stub.DetermineEmployerDues(asked)
    assert (chunk.person_count, chunk.due_count, list(chunk.not_determined)) == (1, 1, [])
    assert chunk.due_fen > 0
    missing = pb.DetermineEmployerDuesRequest(
        social_credit_code=OTHER_CODE, month="2024-03", request_id=request_id("nobody")
    )
    assert (await refused(office.stub.DetermineEmployerDues(missing))).code == "NOT_FOUND"
    # An employee of Chongqing pays by the month: the year says so instead of guessing.
    year = await office.determine(CHONGQING)
    assert [one.reason for one in year.not_determined] == ["NOTHING_BY_YEAR"]


NOBODY = str(derive("nobody"))
BAD_INPUT: list[tuple[str, Any, str, str]] = [
    ("RegisterEmployer", employer(social_credit_code="91"), "social_credit_code",
     "SOCIAL_CREDIT_CODE_CHECK"),
    ("RegisterEmployer", employer(employer_name=""), "employer_name", "REQUIRED"),
    ("RegisterEmployer", employer(registered_date="2024-07-02"), "registered_date",
     "DATE_IN_FUTURE"),
    ("RefundContribution", refund(NOBODY, 0), "amount_fen", "NOT_POSITIVE"),
    ("OpenContributionYear",
     pb.OpenContributionYearRequest(pool=CHANGZHOU, year=1999, request_id=NOBODY), "year",
     "OUT_OF_RANGE"),
    ("DeterminePoolDues",
     pb.DeterminePoolDuesRequest(pool=CHANGZHOU, year=2024, chunk_size=-1, request_id=NOBODY),
     "chunk_size", "OUT_OF_RANGE"),
    ("DetermineDues",
     pb.DetermineDuesRequest(person=NOBODY, pool="1", year=2024, request_id=NOBODY), "pool",
     "UNKNOWN_POOL"),
    ("ListDues", pb.ListDuesRequest(pool=CHANGZHOU, year=2024, page_size=-1), "page_size",
     "OUT_OF_RANGE"),
]  # fmt: skip


async def test_bad_input_is_told_by_field_and_stores_nothing(office: Office) -> None:
    for method, request, at, reason in BAD_INPUT:
        problem = await refused(getattr(office.stub, method)(request))
        assert [(v.field, v.reason) for v in problem.violations] == [(at, reason)], method
        assert all(v.message and v.message_zh for v in problem.violations)
    rest = enrollment_pb.SuspendCoverageRequest(
        person=NOBODY, pool=CHANGZHOU, cause=GAP, year=2024, from_date="2024-01-01",
        request_id=NOBODY,
    )  # fmt: skip
    assert (await refused(office.enrollment.SuspendCoverage(rest))).reason == "NOT_ASKED"
    assert await office.service.head() == 0
