"""`ltci clocks`: what runs, what is overdue, who was in time; for people and for machines."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from ltci.assessment.v1 import assessment_service_pb2 as apb
from ltci.assessment.v1 import assessment_service_pb2_grpc as apb_grpc
from ltci.assessment.v1 import clock_types_pb2 as types
from typer.testing import CliRunner

from cli import clocks
from cli.__main__ import app
from cli.connect import Connection
from cli.output import Language, Output
from kernel.config import Settings
from services.assessment.__main__ import build
from services.assessment.codec import assessment_codec
from tests.assessment.test_service import submission
from tests.support.packs import CHANGZHOU
from tests.support.service import running


@pytest.fixture
async def connection(database_url: str, tmp_path: Path) -> AsyncIterator[Connection]:
    """One application that is overdue, and one whose papers are awaited."""
    async with running("assessment", database_url, tmp_path, assessment_codec, build) as service:
        service.set_day(date(2024, 4, 18))
        stub: apb_grpc.AssessmentServiceAsyncStub = apb_grpc.AssessmentServiceStub(service.channel)
        await stub.SubmitApplication(submission("one"))
        other = submission("two", person="", application_date="2024-04-15", missing_papers=["x"])
        other.person = "0b0f2c6a-4a3c-8a59-9a3e-7d4f4f0e3c11"
        told: apb.Application = await stub.SubmitApplication(other)
        assert told.supplement_due_date == "2024-04-22"
        await service.caught_up()
        environment = {
            "LTCI_ASSESSMENT_ADDRESS": service.address,
            "LTCI_CLOCK_FILE": str(tmp_path / "clock.json"),
        }
        async with Connection(Settings.from_environment(environment)) as connection:
            yield connection


async def test_people_read_what_runs_and_what_is_overdue(
    connection: Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    told = await clocks.found(connection, CHANGZHOU)
    clocks.show_clocks(told, Output.of(Language.EN))
    english = capsys.readouterr().out
    assert "2 clocks, 1 overdue" in english
    [overdue] = [line for line in english.splitlines() if "OVERDUE" in line]
    assert overdue.split()[-3:] == ["OVERDUE", "2024-04-16", "-2"]
    clocks.show_clocks(told, Output.of(Language.ZH))
    assert "评估结论" in capsys.readouterr().out
    assert len(await clocks.found(connection, CHANGZHOU, overdue=True)) == 1
    assert len(await clocks.found(connection, "", every=True)) == 4


async def test_machines_read_one_document(
    connection: Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    told = await clocks.found(connection, CHANGZHOU, overdue=True)
    clocks.show_clocks(told, Output.of(Language.EN, as_json=True))
    [clock] = json.loads(capsys.readouterr().out)
    assert (clock["step"], clock["state"]) == ("CONCLUSION", "OVERDUE")
    assert (clock["pool"], clock["working_days_left_count"]) == (CHANGZHOU, -2)

    period = date(2024, 1, 1), date(2024, 12, 31)
    counted = await clocks.punctual(connection, CHANGZHOU, *period)
    clocks.show_punctuality(counted, Output.of(Language.EN, as_json=True))
    steps = {one["step"]: one for one in json.loads(capsys.readouterr().out)["steps"]}
    assert steps["COMPLETENESS_CHECK"]["in_time_basis_points"] == 10_000
    assert steps["CONCLUSION"]["overdue_count"] == 1
    clocks.show_punctuality(counted, Output.of(Language.EN))
    assert "100.00 %" in capsys.readouterr().out


async def test_the_command_finds_the_service_by_its_address(connection: Connection) -> None:
    told = await asyncio.to_thread(
        CliRunner().invoke,
        app,
        ["clocks", "--punctuality", "--to", "2024-12-31", "--lang", "zh"],
        env=dict(connection.settings.variables),
    )
    assert told.exit_code == 0, told.output
    assert "全部统筹区 2024-01-02 至 2024-12-31" in told.output


async def test_a_clock_is_stopped_for_a_lawful_reason_and_runs_again(
    connection: Connection,
) -> None:
    told = await clocks.found(connection, CHANGZHOU)
    waiting = next(one for one in told if one.state == types.CLOCK_STATE_RUNNING)
    stop = [waiting.application, "IN_HOSPITAL", "--from", "2024-04-16"]

    stands = await called(connection, "pause", *stop)
    again = await called(connection, "pause", *stop)  # changes nothing
    runs = await called(connection, "resume", waiting.application, "--on", "2024-04-18")

    assert "stands: IN_HOSPITAL" in stands.output
    assert again.output == stands.output
    assert "missing papers: 2024-04-24" in runs.output
    assert "stands" not in runs.output


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (["pause", "APPLICATION", "TIRED", "--from", "2024-04-16"], "REASON_NOT_LAWFUL"),
        (["pause", "APPLICATION", "IN_HOSPITAL", "--from", "soon"], "--from"),
        (["resume", "APPLICATION", "--on", "2024-04-16", "--step", "NAP"], "CONCLUSION"),
        (["resume", "APPLICATION", "--on", "2024-04-16"], "NOT_PAUSED"),
    ],
)
async def test_what_cannot_be_stopped_is_told(
    connection: Connection, wrong: list[str], told: str
) -> None:
    listed = await clocks.found(connection, CHANGZHOU)
    waiting = next(one for one in listed if one.state == types.CLOCK_STATE_RUNNING)
    words = [waiting.application if word == "APPLICATION" else word for word in wrong]

    refused = await called(connection, *words)

    assert refused.exit_code != 0
    assert told in refused.output


async def called(connection: Connection, *words: str) -> Any:
    return await asyncio.to_thread(
        CliRunner().invoke,
        app,
        ["clock", *words, "--lang", "en"],
        env=dict(connection.settings.variables),
    )


def test_the_command_explains_itself() -> None:
    told = CliRunner().invoke(app, ["clocks", "--help"])
    assert told.exit_code == 0
    assert "评估时限" in told.output
