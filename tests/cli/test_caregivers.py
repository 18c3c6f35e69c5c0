"""Results of examinations from a file, and who can take a plan: on the running service."""

import csv
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from ltci.provider.v1 import caregiver_service_pb2 as pb
from ltci.provider.v1 import provider_service_pb2_grpc as care_grpc
from ltci.provider.v1 import provider_types_pb2 as types

from cli.connect import Connection
from cli.imports import run_import
from cli.match import ask, show, told
from cli.output import Failure, Language, Output
from kernel.config import Settings
from services.provider.__main__ import build
from services.provider.codec import provider_codec
from tests.provider.test_service import (
    CARER,
    HOME,
    admission,
    approval,
    registration,
    request_id,
)
from tests.support.people import person
from tests.support.service import Running, running


@pytest.fixture
async def service(database_url: str, tmp_path: Path) -> AsyncIterator[Running]:
    async with running("provider", database_url, tmp_path, provider_codec, build) as service:
        yield service


@pytest.fixture
async def connection(service: Running) -> AsyncIterator[Connection]:
    clock = str(service.folder / "clock.json")
    async with Connection(Settings({"LTCI_CLOCK_FILE": clock})) as connection:
        connection._channels["provider"] = service.channel
        yield connection


def results(path: Path, *rows: tuple[str, str, str, str, str]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("identity_number", "level", "passed", "certificate", "exam_date"))
        writer.writerows(rows)
    return path


async def test_examination_results_come_from_a_file_and_each_bad_row_is_told(
    connection: Connection, service: Running, tmp_path: Path
) -> None:
    stub: Any = care_grpc.ProviderServiceStub(service.channel)
    await stub.AdmitProvider(admission())
    carer = await stub.RegisterCaregiver(registration())
    number = CARER.identity_number
    file = results(
        tmp_path / "results.csv",
        (number, "five", "yes", "CZ-1", "2023-05-01"),
        (number, "four", "no", "", "2024-05-01"),
        (number, "two", "yes", "CZ-2", "2024-05-01"),
        (number, "four", "yes", "", "2024-05-01"),
        (person(9).identity_number, "five", "yes", "CZ-3", "2024-05-01"),
    )

    report = await run_import(connection, "examination-results", file)

    assert (report.recorded, report.bad_rows) == (2, 3)
    assert sorted((fault.line, fault.column) for fault in report.bad)[:2] == [
        (4, "level"),
        (5, "certificate"),
    ]
    record = await connection.caregivers.GetCaregiver(
        pb.GetCaregiverRequest(caregiver=carer.caregiver)
    )
    assert [one.level for one in record.certificates] == [types.CAREGIVER_LEVEL_FIVE]
    before = await service.head()
    again = await run_import(connection, "examination-results", file)
    assert (again.recorded, await service.head()) == (2, before)


async def test_a_match_is_told_in_words_and_for_machines(
    connection: Connection, service: Running, capsys: pytest.CaptureFixture[str]
) -> None:
    stub: Any = care_grpc.ProviderServiceStub(service.channel)
    await stub.AdmitProvider(admission())
    carer = await stub.RegisterCaregiver(registration())
    plan = await stub.ApprovePlan(approval())
    await connection.caregivers.SetProfile(
        pb.SetProfileRequest(
            caregiver=carer.caregiver,
            skills=["older.06"],
            place=HOME,
            minutes_a_week=600,
            start_date="2024-01-01",
            request_id=request_id("profile"),
        )
    )

    answer = await ask(connection, pb.MatchCaregiversRequest(plan=plan.plan, minutes_a_week=60))

    [match] = told(answer)["plans"]
    assert match["candidates"][0]["caregiver"] == carer.caregiver
    assert match["candidates"][0]["load_permille"] == 100
    show(answer, Output.of(Language.EN))
    assert "order: skills missing, level, distance, load, id" in capsys.readouterr().out
    with pytest.raises(Failure):
        await ask(connection, pb.MatchCaregiversRequest(plan=request_id("nobody")))
