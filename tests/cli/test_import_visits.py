"""Imports of disputes and corrections of visits, and the queue as people read it."""

import csv
import json
from collections.abc import AsyncIterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from ltci.provider.v1 import provider_service_pb2 as visits
from ltci.provider.v1 import provider_service_pb2_grpc as visits_grpc

from cli import exceptions
from cli.connect import Connection
from cli.imports import ImportReport, run_import
from cli.output import Failure, Language, Output
from kernel.config import Settings
from services.provider.__main__ import without_detectors as quiet
from services.provider.codec import provider_codec
from tests.provider.test_exception_service import OTHER_CARER
from tests.provider.test_service import (
    CARED_FOR,
    CHANGZHOU,
    admission,
    approval,
    price,
    registration,
    upload,
)
from tests.support.people import person
from tests.support.service import Running, running

START = "2024-03-04T09:00:00+08:00"
DISPUTE = {
    "identity_number": CARED_FOR.identity_number,
    "pool": CHANGZHOU,
    "start_time": START,
    "reason": "NOBODY_CAME",
    "statement": "那天没有人来",
    "disputed_by": "family",
    "disputed_date": "2024-03-06",
}
FOUND = {
    "outcome": "not_upheld",
    "found_by": "CALLED_BACK",
    "settled_by": "officer-2",
    "settled_date": "2024-03-06",
}
CORRECTION = {
    "identity_number": CARED_FOR.identity_number,
    "pool": CHANGZHOU,
    "start_time": START,
    "reason": "WRONG_TIME",
    "explanation": "晚到了十分钟",
    "right_start_time": "2024-03-04T09:10:00+08:00",
    "right_end_time": "",
    "caregiver_identity_number": OTHER_CARER.identity_number,
    "corrected_by": "officer-1",
    "approved_by": "",
    "corrected_date": "2024-03-06",
}


@pytest.fixture
async def provider(database_url: str, tmp_path: Path) -> AsyncIterator[Running]:
    async with running("provider", database_url, tmp_path, provider_codec, quiet) as service:
        service.set_day(date(2024, 3, 6))
        stub: Any = visits_grpc.ProviderServiceStub(service.channel)
        await stub.AdmitProvider(admission())
        await stub.SetPrice(price("bath", 6000, 50))
        await stub.SetPrice(price("hair", 2000, 20))
        await stub.RegisterCaregiver(registration())
        await stub.RegisterCaregiver(
            registration("register other", identity_number=OTHER_CARER.identity_number)
        )
        await stub.ApprovePlan(approval())
        await stub.SubmitVisit(upload())
        await service.caught_up()
        yield service


@pytest.fixture
async def connection(provider: Running) -> AsyncIterator[Connection]:
    known = provider.service.parts.settings.variables
    variables = {**known, "LTCI_PROVIDER_ADDRESS": provider.address}
    async with Connection(Settings.from_environment(variables)) as connection:
        yield connection


def written(path: Path, rows: Sequence[dict[str, str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def faults(report: ImportReport) -> list[tuple[int, str, str]]:
    return [(fault.line, fault.column, fault.reason) for fault in report.bad]


async def the_visit(connection: Connection, provider: Running) -> visits.Visit:
    await provider.caught_up()
    keys = provider.service.parts.keys
    name = str(keys.person_id("resident", CARED_FOR.identity_number))
    asked = visits.ListVisitsRequest(person=name, pool=CHANGZHOU)
    [visit] = (await connection.provider.ListVisits(asked)).visits
    return visit


async def test_a_dispute_is_imported_and_its_outcome_when_people_found_it(
    connection: Connection, provider: Running, tmp_path: Path
) -> None:
    first = await run_import(connection, "disputed-visits", written(tmp_path / "a.csv", [DISPUTE]))
    assert (first.recorded, first.bad_rows) == (1, 0)
    held = await the_visit(connection, provider)
    assert list(held.reasons) == ["DISPUTED"]

    both = written(tmp_path / "b.csv", [DISPUTE | FOUND])
    assert (await run_import(connection, "disputed-visits", both)).good
    assert list((await the_visit(connection, provider)).reasons) == []
    before = await provider.head()
    assert (await run_import(connection, "disputed-visits", both)).good
    assert before == await provider.head()


async def test_a_correction_is_imported_and_once_also_where_the_start_moved(
    connection: Connection, provider: Running, tmp_path: Path
) -> None:
    file = written(tmp_path / "c.csv", [CORRECTION])
    assert (await run_import(connection, "visit-corrections", file)).good
    corrected = await the_visit(connection, provider)
    assert corrected.start_time == "2024-03-04T09:10:00+08:00"
    assert corrected.recorded_start_time == START

    before = await provider.head()
    assert (await run_import(connection, "visit-corrections", file)).good
    assert before == await provider.head()


async def test_bad_rows_are_told_by_their_column_and_leave_nothing(
    connection: Connection, provider: Running, tmp_path: Path
) -> None:
    before = await provider.head()
    nobody = person(9).identity_number
    disputes = [
        DISPUTE | {"identity_number": nobody},
        DISPUTE | {"start_time": "2024-03-04T09:01:00+08:00"},
        DISPUTE | {"reason": "BORED"},
        DISPUTE | {"disputed_by": "neighbour"},
    ]
    report = await run_import(connection, "disputed-visits", written(tmp_path / "a.csv", disputes))
    assert sorted(faults(report)) == [
        (2, "start_time", "NO_VISIT"),
        (3, "start_time", "NO_VISIT"),
        (4, "reason", "UNKNOWN_VALUE"),
        (5, "disputed_by", "UNKNOWN_VALUE"),
    ]
    nothing = {"right_start_time": "", "caregiver_identity_number": ""}
    corrections = [
        CORRECTION | nothing,
        CORRECTION | {"approved_by": "officer-1"},
        CORRECTION | {"right_end_time": "2024-03-04T08:00:00+08:00"},
    ]
    report = await run_import(
        connection, "visit-corrections", written(tmp_path / "b.csv", corrections)
    )
    assert sorted(faults(report)) == [
        (2, "right_end_time", "NOTHING_CHANGED"),
        (3, "approved_by", "SAME_PERSON"),
        (4, "right_end_time", "ENDS_BEFORE_START"),
    ]
    assert before == await provider.head()


async def test_what_was_found_is_told_whole(
    connection: Connection, provider: Running, tmp_path: Path
) -> None:
    half = written(tmp_path / "a.csv", [DISPUTE | FOUND | {"settled_by": ""}])
    report = await run_import(connection, "disputed-visits", half)
    assert faults(report) == [(2, "settled_by", "REQUIRED")]


async def test_people_and_machines_read_the_queue(
    connection: Connection, provider: Running, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await run_import(connection, "disputed-visits", written(tmp_path / "a.csv", [DISPUTE]))
    await provider.caught_up()
    exceptions.show(await exceptions.found(connection, CHANGZHOU), Output.of(Language.EN))
    assert "1 exceptions, 0 overdue" in capsys.readouterr().out
    assert await exceptions.found(connection, CHANGZHOU, overdue=True) == []
    assert await exceptions.found(connection, CHANGZHOU, kind="not_ended") == []

    provider.set_day(date(2024, 3, 21))
    late = await exceptions.found(connection, CHANGZHOU, kind="disputed", overdue=True)
    exceptions.show(late, Output.of(Language.ZH))
    assert "其中 1 项超期" in capsys.readouterr().out
    exceptions.show(late, Output.of(Language.EN, as_json=True))
    [told] = json.loads(capsys.readouterr().out)
    assert (told["kind"], told["outcome"], told["overdue"]) == ("disputed", "", True)
    with pytest.raises(Failure):
        await exceptions.found(connection, CHANGZHOU, kind="strange")
