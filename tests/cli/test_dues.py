"""Employer lists from files, and what a pool's year owes, as the command line tells it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from ltci.enrollment.v1 import enrollment_service_pb2 as pb
from typer.testing import CliRunner

from cli import dues
from cli.__main__ import app
from cli.connect import Connection
from cli.imports import run_import
from cli.output import Language, Output
from cli.people import person_id
from services.enrollment.__main__ import build
from services.enrollment.codec import enrollment_codec
from tests.cli.test_import_services import connected, insured, paid, written
from tests.support.people import person
from tests.support.service import Running, running

CODE, UNKNOWN = "91320400MA1W000019", "91320400MA1W00002C"
CHONGQING = "500000"


@pytest.fixture
async def office(database_url: str, tmp_path: Path) -> AsyncIterator[Running]:
    async with running("enrollment", database_url, tmp_path, enrollment_codec, build) as service:
        yield service


@pytest.fixture
async def connection(office: Running) -> AsyncIterator[Connection]:
    async with connected(office.folder / "clock.json", enrollment=office.channel) as connection:
        yield connection


def employed(number: int, **other: str) -> dict[str, str]:
    return {
        "social_credit_code": CODE,
        "identity_number": person(number).identity_number,
        "pool": CHONGQING,
        "month": "2024-03",
        "medical_base_yuan": "6000.00",
    } | other


async def test_employers_and_their_staff_come_from_files_with_every_bad_row_told(
    connection: Connection, tmp_path: Path
) -> None:
    people = [insured(n, pool=CHONGQING, group="employee") for n in (1, 2)]
    await run_import(connection, "persons", written(tmp_path / "p.csv", people))
    employers = [
        {
            "social_credit_code": CODE,
            "employer_name": "长江纺织厂",
            "pool": CHONGQING,
            "registered_date": "2024-01-01",
        },
        {
            "social_credit_code": CODE[:-1] + "0",
            "employer_name": "错码厂",
            "pool": CHONGQING,
            "registered_date": "2024-01-01",
        },
    ]
    report = await run_import(connection, "employers", written(tmp_path / "e.csv", employers))
    assert [(f.line, f.column, f.reason) for f in report.bad] == [
        (3, "social_credit_code", "SOCIAL_CREDIT_CODE_CHECK")
    ]

    rows = [
        employed(1),
        employed(2, medical_base_yuan="", wage_yuan="5000"),
        employed(3),  # not insured anywhere
        employed(1, social_credit_code=UNKNOWN),
        employed(2, month="2024-13"),
        employed(2, month="2024-04", medical_base_yuan=""),
    ]
    file = written(tmp_path / "s.csv", [{"wage_yuan": "", **row} for row in rows])
    report = await run_import(connection, "staff", file)
    again = await run_import(connection, "staff", file)

    assert (report.recorded, report.bad_rows) == (2, 4)
    assert sorted((f.line, f.column, f.reason) for f in report.bad) == [
        (4, "identity_number", "NOT_COVERED"),
        (5, "social_credit_code", "EMPLOYER_UNKNOWN"),
        (6, "month", "NOT_A_MONTH"),
        (7, "medical_base_yuan", "REQUIRED"),
    ]
    assert again.as_json() == report.as_json()


async def test_the_year_of_a_pool_is_told_by_group_and_source(
    connection: Connection, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    people = [insured(1), insured(2, group="employee"), insured(3, group="minor")]
    await run_import(connection, "persons", written(tmp_path / "p.csv", people))
    payments = [paid(1), paid(2, amount_yuan="40.00")]
    await run_import(connection, "contributions", written(tmp_path / "c.csv", payments))
    counted: list[int] = []

    done = await dues.determine(connection, "320400", 2024, counted.append)
    told = dues.told_pool("320400", 2024, await dues.pool_account(connection, "320400", 2024))

    assert (done.due_count, counted) == (2, [3])
    assert [(one.reason, one.about) for one in done.not_determined] == [
        ("FIGURE_UNKNOWN", "enrollment.contributions.minor")
    ]
    assert [
        (line["group"], line["due_fen"], line["paid_fen"], line["owed_fen"], line["surplus_fen"])
        for line in told["lines"]
    ] == [("employee", 3000, 4000, 0, 1000), ("resident", 3000, 3000, 0, 0)]

    output = Output.of(Language.ZH)
    dues.show_pool("320400", 2024, await dues.pool_account(connection, "320400", 2024), output)
    dues.show_determined(done, output)
    assert "城乡居民" in capsys.readouterr().out


async def test_one_account_is_told_with_its_balance(
    connection: Connection, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await run_import(connection, "persons", written(tmp_path / "p.csv", [insured(1)]))
    [listed] = await _persons(connection)
    await dues.determine(connection, "320400", 2024, lambda _: None)

    account = await dues.account(connection, await person_id(connection, listed), "320400", 2024)
    [line] = dues.told_person(account)["lines"]

    assert (line["due_fen"], line["balance_fen"], line["state"]) == (3000, -3000, "unpaid")
    dues.show_person(account, Output.of(Language.EN))
    assert "-30.00" in capsys.readouterr().out


async def _settled(connection: Connection) -> None:
    """The lists hold what was recorded: sums wait for it."""
    await dues.pool_account(connection, "320400", 2024)


async def _persons(connection: Connection) -> list[str]:
    await _settled(connection)
    listed = await connection.enrollment.ListPersons(pb.ListPersonsRequest(pool="320400"))
    return [coverage.person for coverage in listed.coverages]


def test_the_commands_say_what_they_are_for() -> None:
    for command in (["dues"], ["import", "staff"], ["import", "employers"]):
        told = CliRunner().invoke(app, [*command, "--help"])
        assert told.exit_code == 0, told.output
