"""Whole imports against real services: good rows are kept, bad ones leave nothing."""

import asyncio
import csv
import json
import os
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import grpc
import pytest
from ltci.assessment.v1 import assessment_service_pb2 as assessment
from ltci.assessment.v1 import assessment_service_pb2_grpc as assessment_rpc
from ltci.bank.v1 import bank_service_pb2_grpc as bank_rpc
from ltci.enrollment.v1 import enrollment_service_pb2 as enrollment
from ltci.enrollment.v1 import enrollment_service_pb2_grpc as enrollment_rpc
from ltci.type.v1 import bulk_pb2

from cli.connect import Connection, NoStack, running_settings
from cli.imports import ImportProgress, ImportReport, ImportStopped, run_import
from cli.imports.faults import Fault
from cli.imports.progress import Tally
from cli.output import Failure
from infra.bank.books import Books
from infra.bank.rpc import BankServicer
from kernel.clock import Clock
from kernel.config import ROOT, Settings
from kernel.refusal import Refused
from kernel.rpc.server import RunningServer, start_server
from services.enrollment.__main__ import build
from services.enrollment.codec import enrollment_codec
from services.provider.__main__ import build as build_provider
from services.provider.codec import provider_codec
from tests.support.people import person, wrong_check_digit
from tests.support.postgres import free_port
from tests.support.service import Running, running, set_clock

EXAMPLES = ROOT / "examples"


def written(path: Path, rows: Sequence[dict[str, str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def insured(number: int, **other: str) -> dict[str, str]:
    someone = person(number)
    return {
        "identity_number": someone.identity_number,
        "full_name": someone.full_name,
        "pool": "320400",
        "group": "resident",
        "coverage_start_date": "2020-01-01",
        "registered_date": "2024-01-02",
    } | other


def paid(number: int, **other: str) -> dict[str, str]:
    return {
        "identity_number": person(number).identity_number,
        "pool": "320400",
        "source": "person",
        "amount_yuan": "30.00",
        "year": "2024",
        "paid_date": "2024-01-02",
    } | other


@asynccontextmanager
async def connected(clock_file: Path, **channels: grpc.aio.Channel) -> AsyncIterator[Connection]:
    async with Connection(Settings({"LTCI_CLOCK_FILE": str(clock_file)})) as connection:
        connection._channels.update(channels)
        yield connection
        connection._channels.clear()  # they belong to somebody else


@asynccontextmanager
async def listening(name: str, add: Any, folder: Path) -> AsyncIterator[Connection]:
    """A connection to one service that a test made."""
    server = await start_server(name, "127.0.0.1:0", add)
    variables = {
        f"LTCI_{name.upper()}_ADDRESS": f"127.0.0.1:{server.port}",
        "LTCI_CLOCK_FILE": str(folder / "clock.json"),
    }
    try:
        async with Connection(Settings(variables)) as connection:
            yield connection
    finally:
        await server.stop(grace=0)


@pytest.fixture
async def office(database_url: str, tmp_path: Path) -> AsyncIterator[Running]:
    async with running("enrollment", database_url, tmp_path, enrollment_codec, build) as service:
        yield service


@pytest.fixture
async def connection(office: Running) -> AsyncIterator[Connection]:
    async with connected(office.folder / "clock.json", enrollment=office.channel) as connection:
        yield connection


MISTYPED = wrong_check_digit(person(11).identity_number)
BAD_PERSONS = [
    (insured(11, identity_number=MISTYPED), "IDENTITY_CHECK_DIGIT"),
    (insured(12, pool="999999"), "UNKNOWN_POOL"),
    (insured(13, group="royalty"), "UNKNOWN_VALUE"),
    (insured(14, coverage_start_date="2024-07-02"), "DATE_IN_FUTURE"),
    (insured(15, full_name=""), "REQUIRED"),
    (insured(16, full_name="名" * 101), "TOO_LONG"),
]  # fmt: skip


async def test_bad_rows_leave_nothing_and_good_ones_are_kept(
    office: Running, connection: Connection, tmp_path: Path
) -> None:
    rows = [insured(1), *(row for row, _ in BAD_PERSONS), insured(2)]
    report = await run_import(connection, "persons", written(tmp_path / "p.csv", rows))
    assert (report.rows, report.recorded, report.bad_rows) == (8, 2, len(BAD_PERSONS))
    by_line = {fault.line: fault.reason for fault in report.bad}
    assert by_line == {line: reason for line, (_, reason) in enumerate(BAD_PERSONS, start=3)}
    streams = {event.stream for event in await office.events_after(0)}
    assert len(streams) == 4  # a person and a coverage for each of the two


async def test_a_fault_found_by_the_service_names_the_column_of_the_file(
    connection: Connection, tmp_path: Path
) -> None:
    file = written(tmp_path / "p.csv", [insured(1, pool="999999")])
    report = await run_import(connection, "persons", file)
    assert [(f.column, f.value) for f in report.bad] == [("pool", "999999")]


async def test_importing_again_adds_no_event(
    office: Running, connection: Connection, tmp_path: Path
) -> None:
    people = written(tmp_path / "p.csv", [insured(n) for n in range(1, 6)])
    money = written(tmp_path / "c.csv", [paid(1), paid(1), paid(2)])
    for kind, file in (("persons", people), ("contributions", money)):
        assert (await run_import(connection, kind, file)).good
    head = await office.head()
    for kind, file in (("persons", people), ("contributions", money)):
        assert (await run_import(connection, kind, file)).good
    assert await office.head() == head


async def test_two_contributions_alike_are_both_recorded(
    office: Running, connection: Connection, tmp_path: Path
) -> None:
    await run_import(connection, "persons", written(tmp_path / "p.csv", [insured(1)]))
    head = await office.head()
    await run_import(connection, "contributions", written(tmp_path / "c.csv", [paid(1), paid(1)]))
    assert await office.head() == head + 2


async def test_all_or_nothing_keeps_nothing_where_one_row_is_bad(
    office: Running, connection: Connection, tmp_path: Path
) -> None:
    await run_import(connection, "persons", written(tmp_path / "p.csv", [insured(1)]))
    head = await office.head()
    # The second is well written: only the service knows that the person is not insured.
    file = written(tmp_path / "c.csv", [paid(1), paid(2)])
    report = await run_import(connection, "contributions", file, all_or_nothing=True)
    assert (report.rows, report.recorded, report.bad_rows) == (2, 0, 1)
    assert [(fault.line, fault.reason) for fault in report.bad] == [(3, "NOT_COVERED")]
    assert await office.head() == head
    good = written(tmp_path / "good.csv", [paid(1)])
    report = await run_import(connection, "contributions", good, all_or_nothing=True)
    assert (report.rows, report.recorded) == (1, 1)
    assert await office.head() == head + 1


async def test_many_rows_go_in_several_messages(connection: Connection, tmp_path: Path) -> None:
    file = written(tmp_path / "p.csv", [insured(n) for n in range(1, 451)])
    report = await run_import(connection, "persons", file)
    assert (report.recorded, report.bad_rows) == (450, 0)


async def test_the_example_people_are_all_recorded(office: Running, connection: Connection) -> None:
    for kind, count in (("persons", 45), ("contributions", 140)):
        office.set_day(date(2024, 1, 2))
        report = await run_import(connection, kind, EXAMPLES / f"{kind}.csv")
        assert report.recorded >= count
        assert {fault.reason for fault in report.bad} <= {"DATE_IN_FUTURE"}


async def test_rows_of_the_future_wait_for_their_day(
    office: Running, connection: Connection, tmp_path: Path
) -> None:
    office.set_day(date(2024, 3, 1))
    days = ("2024-03-05", "2024-03-01", "2024-02-01", "2024-03-03")
    file = written(tmp_path / "p.csv", [insured(n, registered_date=d) for n, d in enumerate(days)])
    progress = ImportProgress()
    work = asyncio.create_task(
        run_import(connection, "persons", file, follow=True, progress=progress)
    )
    await progress.wait_until(date(2024, 3, 2))
    assert (progress.recorded, progress.reached) == (2, date(2024, 3, 2))
    office.set_day(date(2024, 3, 4))
    await progress.wait_until(date(2024, 3, 4))
    assert (progress.recorded, progress.reached) == (3, date(2024, 3, 4))
    office.set_day(date(2024, 3, 5))
    report = await work
    assert (report.recorded, report.bad_rows, progress.reached) == (4, 0, date.max)


async def test_an_import_may_stay_behind_another(
    office: Running, connection: Connection, tmp_path: Path
) -> None:
    other = ImportProgress()
    other.expect([date(2024, 1, 2)])
    file = written(tmp_path / "p.csv", [insured(1)])
    work = asyncio.create_task(run_import(connection, "persons", file, follow=True, after=(other,)))
    await asyncio.sleep(0.2)
    assert not work.done()
    assert await office.head() == 0
    other.acknowledge([date(2024, 1, 2)])
    assert (await work).recorded == 1


# -- care -----------------------------------------------------------------------------------


async def test_the_example_care_is_recorded_and_bad_visits_leave_nothing(
    database_url: str, tmp_path: Path
) -> None:
    async with (
        running("provider", database_url, tmp_path, provider_codec, build_provider) as service,
        connected(tmp_path / "clock.json", provider=service.channel) as connection,
    ):
        service.set_day(date(2026, 1, 2))
        for kind in ("providers", "prices", "caregivers", "plans"):
            report = await run_import(connection, kind, EXAMPLES / f"{kind}.csv")
            assert (kind, report.bad) == (kind, [])
        with (EXAMPLES / "visits.csv").open(encoding="utf-8", newline="") as source:
            good, *others = list(csv.DictReader(source))[:40]
        bad = [
            {**good, "identity_number": MISTYPED},
            {**good, "latitude": "31.8110001"},
            {**good, "end_time": good["start_time"]},
            {**good, "items": "XX"},
            {**good, "identity_number": person(5).identity_number},
            {**good, "end_time": "2026-01-02T23:00:00+08:00"},
        ]
        head = await service.head()
        file = written(tmp_path / "bad.csv", bad)
        report = await run_import(connection, "visits", file)
        assert (report.recorded, report.bad_rows) == (0, len(bad))
        reasons = {fault.line: (fault.column, fault.reason) for fault in report.bad}
        assert reasons[2] == ("identity_number", "IDENTITY_CHECK_DIGIT")
        assert reasons[3] == ("latitude", "TOO_MANY_DECIMALS")
        assert reasons[4] == ("end_time", "ENDS_BEFORE_START")
        assert reasons[5] == ("items", "ITEM_NOT_LISTED")
        assert reasons[6] == ("identity_number", "PLAN_UNKNOWN")
        assert reasons[7] == ("end_time", "TIME_IN_FUTURE")
        assert await service.head() == head
        mixed = written(tmp_path / "mixed.csv", [good, bad[3], *others])
        report = await run_import(connection, "visits", mixed, all_or_nothing=True)
        assert (report.recorded, report.bad_rows) == (0, 1)
        assert await service.head() == head
        report = await run_import(connection, "visits", mixed)
        assert (report.recorded, report.bad_rows) == (40, 1)
        head = await service.head()
        await run_import(connection, "visits", mixed)
        assert await service.head() == head


# -- a service that falters -----------------------------------------------------------------


@dataclass
class Faltering(enrollment_rpc.EnrollmentServiceServicer):
    """Answers every row once, but breaks streams and postpones rows on the way."""

    breaks: int
    seen: list[str] = field(default_factory=list)

    async def ImportContributions(  # noqa: N802 - the name in the proto
        self, request_iterator: Any, context: Any
    ) -> AsyncIterator[enrollment.ImportContributionsResponse]:
        first = 0
        async for message in request_iterator:
            if self.breaks and first:
                self.breaks -= 1
                await context.abort(grpc.StatusCode.UNAVAILABLE, "restarting")
            yield enrollment.ImportContributionsResponse(results=self._results(message.rows, first))
            first += len(message.rows)

    def _results(self, rows: Any, first: int) -> Iterator[bulk_pb2.RowResult]:
        for place, row in enumerate(rows, start=first):
            result = bulk_pb2.RowResult(row=place)
            if row.year == 2023 and row.request_id not in self.seen:
                result.status.code = grpc.StatusCode.RESOURCE_EXHAUSTED.value[0]
            self.seen.append(row.request_id)
            yield result


async def test_broken_streams_and_postponed_rows_are_sent_again_under_the_same_id(
    tmp_path: Path,
) -> None:
    service = Faltering(breaks=3)  # type: ignore[abstract]  # it has the one method that is called

    def add(server: grpc.aio.Server) -> Sequence[str]:
        enrollment_rpc.add_EnrollmentServiceServicer_to_server(service, server)
        return []

    rows = [paid(n, year="2023" if n % 100 == 0 else "2024") for n in range(1, 10_001)]
    async with listening("enrollment", add, tmp_path) as connection:
        file = written(tmp_path / "c.csv", rows)
        report = await run_import(connection, "contributions", file)
    assert (report.rows, report.recorded, report.bad_rows) == (10_000, 10_000, 0)
    assert len(set(service.seen)) == 10_000
    assert service.breaks == 0


async def test_a_service_that_stays_away_ends_the_import_with_a_clear_word(tmp_path: Path) -> None:
    for kind, row in (("contributions", paid(1)), ("bank-accounts", None)):
        variables = {
            f"LTCI_{name}_ADDRESS": f"127.0.0.1:{free_port()}" for name in ("ENROLLMENT", "BANK")
        }
        file = written(tmp_path / "c.csv", [row]) if row else EXAMPLES / "bank_accounts.csv"
        async with Connection(Settings(variables)) as connection:
            with pytest.raises(ImportStopped) as caught:
                await run_import(connection, kind, file, patience=0.3)
        assert caught.value.reason == "UNAVAILABLE"
        assert caught.value.report.recorded == 0


# -- steps, one call each -------------------------------------------------------------------


@dataclass
class AssessmentDesk(assessment_rpc.AssessmentServiceServicer):
    """Notes every call in the order it came; refuses to confirm for one expert."""

    calls: list[tuple[str, str, str]] = field(default_factory=list)
    requests: set[str] = field(default_factory=set)

    def _note(self, step: str, request: Any, day: str) -> assessment.Application:
        self.requests.add(request.request_id)
        name = getattr(request, "application", "") or f"of {request.identity_number}"
        self.calls.append((name, step, day))
        return assessment.Application(application=name)

    async def SubmitApplication(self, request: Any, _context: Any) -> assessment.Application:  # noqa: N802 - proto
        return self._note("submit", request, request.application_date)

    async def WithdrawApplication(self, request: Any, _context: Any) -> assessment.Application:  # noqa: N802 - proto
        return self._note("withdraw", request, request.withdrawn_date)

    async def RecordOnSite(self, request: Any, _context: Any) -> assessment.Application:  # noqa: N802 - proto
        assert len(request.scores) == 17
        return self._note("on site", request, request.assessed_date)

    async def ConfirmConclusion(self, request: Any, _context: Any) -> assessment.Application:  # noqa: N802 - proto
        if request.expert == "late":
            raise Refused("SAME_EXPERT_TWICE")
        return self._note("confirm", request, request.confirmed_date)


@asynccontextmanager
async def assessing(folder: Path) -> AsyncIterator[tuple[Connection, AssessmentDesk]]:
    desk = AssessmentDesk()  # type: ignore[abstract]  # it has the methods that are called

    def add(server: grpc.aio.Server) -> Sequence[str]:
        assessment_rpc.add_AssessmentServiceServicer_to_server(desk, server)
        return []

    async with listening("assessment", add, folder) as connection:
        yield connection, desk


async def test_an_application_goes_step_by_step(tmp_path: Path) -> None:
    set_clock(tmp_path / "clock.json", date(2026, 1, 2))
    async with assessing(tmp_path) as (connection, desk):
        report = await run_import(connection, "applications", EXAMPLES / "applications.csv")
        assert (report.recorded, report.bad_rows) == (51, 0)
        first = len(desk.requests)
        await run_import(connection, "applications", EXAMPLES / "applications.csv")
    assert len(desk.requests) == first == len(desk.calls) / 2
    for name in {name for name, _, _ in desk.calls}:
        mine = [step for whose, step, _ in desk.calls if whose == name]
        assert mine[0] == "submit"
        assert set(mine[1:]) <= {"submit", "withdraw", "on site", "confirm"}
    whole = [step for whose, step, _ in desk.calls if whose == "of 32040219410305101X"][:5]
    assert whole == ["submit", "on site", "on site", "confirm", "confirm"]


async def test_each_step_waits_for_its_own_day(tmp_path: Path) -> None:
    # Three people apply on 5 February 2024, the next on the 6th; on site is on the 14th.
    clock = tmp_path / "clock.json"
    set_clock(clock, date(2024, 2, 5))
    progress = ImportProgress()
    async with assessing(tmp_path) as (connection, desk):
        file = EXAMPLES / "applications.csv"
        work = asyncio.create_task(
            run_import(connection, "applications", file, follow=True, progress=progress)
        )
        await progress.wait_until(date(2024, 2, 5))
        assert [day for _, _, day in desk.calls] == ["2024-02-05"] * 3
        assert progress.reached == date(2024, 2, 5)
        set_clock(clock, date(2024, 2, 14))
        await progress.wait_until(date(2024, 2, 14))
        assert [step for _, step, day in desk.calls if day == "2024-02-14"].count("on site") == 6
        set_clock(clock, date(2026, 1, 2))
        report = await work
    assert (report.recorded, report.bad_rows) == (51, 0)
    days = [day for _, _, day in desk.calls]
    assert max(days[:3]) <= "2024-02-05"


async def test_after_a_refused_step_the_next_ones_are_not_tried(tmp_path: Path) -> None:
    set_clock(tmp_path / "clock.json", date(2026, 1, 2))
    with (EXAMPLES / "applications.csv").open(encoding="utf-8", newline="") as source:
        row = next(csv.DictReader(source))
    file = written(tmp_path / "a.csv", [{**row, "confirming_expert_1": "late"}])
    async with assessing(tmp_path) as (connection, desk):
        report = await run_import(connection, "applications", file)
    assert [(f.line, f.reason) for f in report.bad] == [(2, "SAME_EXPERT_TWICE")]
    assert "confirmation, confirming_expert_1" in report.bad[0].message
    assert [step for _, step, _ in desk.calls] == ["submit", "on site", "on site"]


async def test_the_bank_learns_how_to_treat_accounts(tmp_path: Path) -> None:
    books = Books(tmp_path / "bank.sqlite")
    servicer = BankServicer(books, Clock())

    def add(server: grpc.aio.Server) -> Sequence[str]:
        bank_rpc.add_BankServiceServicer_to_server(servicer, server)
        return []

    async with listening("bank", add, tmp_path) as connection:
        for _ in range(2):
            report = await run_import(connection, "bank_accounts", EXAMPLES / "bank_accounts.csv")
            assert (report.recorded, report.bad_rows) == (4, 0)
    await servicer.close()


async def test_what_a_pool_asks_beside_the_usual_columns_reaches_the_events(
    database_url: str, tmp_path: Path
) -> None:
    async with (
        running("provider", database_url, tmp_path, provider_codec, build_provider) as service,
        connected(tmp_path / "clock.json", provider=service.channel) as connection,
    ):
        service.set_day(date(2026, 1, 2))
        beside = {
            "prices": {"care": "medical"},
            "caregivers": {"staff": "nurse"},
            "plans": {"provider_level": "level_2"},
        }
        for kind in ("providers", *beside):
            with (EXAMPLES / f"{kind}.csv").open(encoding="utf-8", newline="") as source:
                rows = [{**row, **beside.get(kind, {})} for row in csv.DictReader(source)]
            file = written(tmp_path / f"{kind}.csv", rows)
            assert (await run_import(connection, kind, file)).good
        told = [
            await service.service.parts.codec.decode(one)
            for one in await service.service.parts.store.read_all(limit=500)
        ]
        for name, value in (("medical", True), ("staff", "nurse"), ("provider_level", "level_2")):
            assert {getattr(event, name) for event in told if hasattr(event, name)} == {value}


# -- the command ----------------------------------------------------------------------------


async def ltci_import(
    office: Running, server: RunningServer, *arguments: str
) -> tuple[int, str, str]:
    """The command as a process of its own, as people and other systems run it."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "from cli.imports import app; app()",
        *arguments,
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "LANG": "zh_CN.UTF-8",
            "LTCI_ENROLLMENT_ADDRESS": f"127.0.0.1:{server.port}",
            "LTCI_CLOCK_FILE": str(office.folder / "clock.json"),
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


@pytest.fixture
async def door(office: Running) -> AsyncIterator[RunningServer]:
    """The service on a port whose number is known."""
    server = await start_server("enrollment", "127.0.0.1:0", office.service.registration.add)
    yield server
    await server.stop(grace=0)


async def test_the_command_answers_with_its_exit_code_and_one_document(
    office: Running, door: RunningServer, tmp_path: Path
) -> None:
    good = str(written(tmp_path / "good.csv", [insured(1)]))
    mixed = str(written(tmp_path / "mixed.csv", [insured(2), insured(3, pool="999999")]))
    bad = str(written(tmp_path / "bad.csv", [insured(4, pool="")]))
    assert (await ltci_import(office, door, "persons", good))[0] == 0
    code, out, _ = await ltci_import(
        office, door, "persons", mixed, "--json", "--report", str(tmp_path / "report.csv")
    )
    told = json.loads(out)
    assert (code, told["rows"], told["recorded"], told["bad_rows"]) == (1, 2, 1, 1)
    assert told["faults"][0]["reason"] == "UNKNOWN_POOL"
    assert "UNKNOWN_POOL" in (tmp_path / "report.csv").read_text(encoding="utf-8-sig")
    code, out, err = await ltci_import(office, door, "persons", bad)
    assert code == 2
    assert "必填" in out
    code, out, err = await ltci_import(office, door, "persons", str(tmp_path / "none.csv"))
    assert (code, out) == (2, "")
    assert "none.csv" in err
    assert "Traceback" not in err
    code, out, err = await ltci_import(office, door, "persons", good, "--patience", "0", "--json")
    assert code == 0


def test_where_no_stack_runs_the_command_says_how_to_start_one(tmp_path: Path) -> None:
    with pytest.raises(NoStack) as caught:
        running_settings(tmp_path, {})
    assert "ltci up" in caught.value.en
    # A stack that was killed leaves its addresses behind, but not its lock.
    (tmp_path / "stack.json").write_text(json.dumps({"LTCI_BANK_ADDRESS": "127.0.0.1:1"}))
    (tmp_path / "lock").touch()
    with pytest.raises(NoStack):
        running_settings(tmp_path, {})
    found = running_settings(tmp_path, {"LTCI_BANK_ADDRESS": "127.0.0.1:2", "LTCI_DATA": "x"})
    assert found.bank_address == "127.0.0.1:2"


async def test_an_unknown_kind_is_told_with_the_known_ones(tmp_path: Path) -> None:
    async with Connection(Settings({})) as connection:
        with pytest.raises(Failure) as caught:
            await run_import(connection, "people", tmp_path / "p.csv")
    assert "persons" in caught.value.right


def test_a_report_keeps_the_first_thousand_faults_and_tells_them_all() -> None:
    told: list[Fault] = []
    report = ImportReport(kind="persons", file="p.csv")
    tally = Tally(report, ImportProgress(), told.append)
    for line in range(1, 1502):
        tally.bad([Fault(line=line, column="", reason="R", message="", message_zh="")])
    assert (report.bad_rows, len(report.bad), len(told)) == (1501, 1000, 1501)
