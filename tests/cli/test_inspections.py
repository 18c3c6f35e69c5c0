"""`ltci inspections`, `ltci inspection` and the file that moves cases along."""

import csv
import json
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from uuid import UUID

import pytest
from ltci.provider.v1 import inspection_service_pb2 as pb
from ltci.provider.v1 import inspection_types_pb2 as types

from cli import inspections
from cli.connect import Connection
from cli.imports import run_import
from cli.output import Language, Output
from kernel.config import Settings
from kernel.rules.ruling import FactRef
from services.provider.__main__ import build
from services.provider.codec import provider_codec
from tests.provider.test_inspection_service import alter, flagged, opened
from tests.provider.test_service import (
    CARER,
    CHANGZHOU,
    CODE,
    admission,
    approval,
    price,
    registration,
    upload,
)
from tests.support.service import Running, running

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
CHENGDU = "510100"
CONFIRMED, CLEARED = types.INSPECTION_VERDICT_CONFIRMED, types.INSPECTION_VERDICT_CLEARED


@pytest.fixture
async def service(database_url: str, tmp_path: Path) -> AsyncIterator[Running]:
    async with running("provider", database_url, tmp_path, provider_codec, build) as service:
        yield service


@pytest.fixture
async def connection(
    service: Running, database_url: str, tmp_path: Path
) -> AsyncIterator[Connection]:
    environment = {
        "LTCI_PROVIDER_ADDRESS": service.address,
        "LTCI_KEYS_DATABASE_URL": database_url,
        "LTCI_MASTER_KEY_FILE": str(tmp_path / "master.key"),
        "LTCI_CLOCK_FILE": str(tmp_path / "clock.json"),
    }
    async with Connection(Settings.from_environment(environment)) as connection:
        yield connection


async def test_the_example_moves_one_case_to_a_dismissed_appeal_and_clears_the_other(
    service: Running, connection: Connection, tmp_path: Path
) -> None:
    service.set_day(date(2024, 12, 31))
    for kind in ("providers", "caregivers"):
        await run_import(connection, kind, EXAMPLES / f"{kind}.csv")
    # The rows that open their case themselves; the others go on with what detectors flag.
    with (EXAMPLES / "inspections.csv").open(encoding="utf-8", newline="") as example:
        opening = [row for row in csv.DictReader(example) if row["opened_date"]]
    file = tmp_path / "inspections.csv"
    with file.open("w", encoding="utf-8", newline="") as target:
        table = csv.DictWriter(target, list(opening[0]))
        table.writeheader()
        table.writerows(opening)
    for _ in range(2):  # importing a file again changes nothing
        report = await run_import(connection, "inspections", file)
        assert (report.good, report.bad_rows) == (True, 0)
    await service.caught_up()

    [sampled] = await inspections.found(connection, CHANGZHOU)
    [complained] = await inspections.found(connection, CHENGDU)
    assert (sampled.outcome, complained.outcome) == (CONFIRMED, CLEARED)
    case = await connection.inspections.GetInspection(
        pb.GetInspectionRequest(inspection=sampled.inspection)
    )
    assert [one.hearing_wanted for one in case.statements] == [True]
    assert case.hearings[0].attended
    assert case.appeal.outcome == types.INSPECTION_APPEAL_OUTCOME_DISMISSED
    assert case.closed_date == "2024-07-05"
    assert len(case.letters) == 6  # three, each to the provider and to the carer


async def test_a_row_without_a_cause_is_about_the_case_that_flags_opened(
    service: Running, connection: Connection, tmp_path: Path
) -> None:
    case = await a_case(service, connection)
    row = {
        "pool": CHANGZHOU,
        "social_credit_code": CODE,
        "caregiver_identity_number": CARER.identity_number,
        "noticed_date": "2024-07-02",
        "officer": "inspector-1",
        "answered_date": "2024-07-05",
        "statement": "当日提前结束",
        "decided_date": "2024-07-19",
        "verdict": "cleared",
        "why": "the family asked for it",
        "decided_by": "chief-1;chief-2",
        "reasons": "已核实",
    }
    service.set_day(date(2024, 8, 1))
    file = written(tmp_path / "inspections.csv", row)
    assert (await run_import(connection, "inspections", file)).good
    told = await connection.inspections.GetInspection(pb.GetInspectionRequest(inspection=case))
    assert [one.verdict for one in told.flags] == [CLEARED]

    other = row | {"caregiver_identity_number": ""}
    report = await run_import(connection, "inspections", written(tmp_path / "other.csv", other))
    assert [(one.column, one.reason) for one in report.bad] == [
        ("social_credit_code", "NO_INSPECTION")
    ]
    part = {name: cell for name, cell in row.items() if name != "officer"}
    report = await run_import(connection, "inspections", written(tmp_path / "part.csv", part))
    assert [(one.column, one.reason) for one in report.bad] == [("officer", "REQUIRED")]


async def test_people_and_machines_read_the_list(
    service: Running, connection: Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    case = await a_case(service, connection)
    service.set_day(date(2024, 7, 9))
    await service.caught_up()
    cases = await inspections.found(connection, CHANGZHOU, overdue=True)
    assert [one.inspection for one in cases] == [case]
    inspections.show_list(cases, "2024-07-09", Output.of(Language.EN))
    assert "1 cases, 1 overdue" in capsys.readouterr().out
    inspections.show_list(cases, "2024-07-09", Output.of(Language.ZH))
    assert "共 1 件，其中 1 件超期" in capsys.readouterr().out
    inspections.show_list(cases, "2024-07-09", Output.of(as_json=True))
    [line] = json.loads(capsys.readouterr().out)
    assert (line["state"], line["cause"], line["due_date"]) == ("OPENED", "FLAG", "2024-07-08")


async def test_a_case_is_shown_with_its_evidence_held_against_the_log(
    service: Running,
    connection: Connection,
    database_url: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    case = await a_case(service, connection)
    asked = pb.GetInspectionRequest(inspection=case)
    told = await connection.inspections.GetInspection(asked)
    assert await inspections.differing_elsewhere(connection, told) == []
    inspections.show_case(told, [], Output.of(Language.EN))
    shown = capsys.readouterr().out
    assert "too_short/1" in shown
    assert f"evidence: 5 events, unchanged, sha256 {told.evidence.digest}" in shown.replace(
        "\n", ""
    )

    changed = told.evidence.frozen[2].position
    await alter(database_url, changed)
    told = await connection.inspections.GetInspection(asked)
    inspections.show_case(told, [FactRef("enrollment", 7, "0" * 32)], Output.of(as_json=True))
    evidence = json.loads(capsys.readouterr().out)["evidence"]
    assert (evidence["unchanged"], evidence["changed"]) == (
        False,
        [f"provider:{changed}", "enrollment:7"],
    )


async def a_case(service: Running, connection: Connection) -> str:
    """A case of one flag on a visit of March."""
    desk = connection.provider
    await desk.AdmitProvider(admission())
    await desk.SetPrice(price("bath", 6000, 50))
    await desk.SetPrice(price("hair", 2000, 20))
    carer = await desk.RegisterCaregiver(registration())
    await desk.ApprovePlan(approval())
    visit = await desk.SubmitVisit(upload())
    flag = await flagged(service, visit, caregiver=UUID(carer.caregiver))
    case = await opened(connection.inspections, flag)
    await service.caught_up()
    return case.inspection


def written(path: Path, row: dict[str, str]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(row))
        writer.writeheader()
        writer.writerow(row)
    return path
