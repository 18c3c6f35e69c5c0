"""`ltci transfer` and `ltci case` over four real services: what an office does by hand."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from ltci.enrollment.v1 import enrollment_service_pb2 as pb
from ltci.enrollment.v1 import enrollment_types_pb2 as types
from ltci.enrollment.v1 import person_service_pb2 as person_pb
from typer.testing import CliRunner

from cli.__main__ import app
from infra.embedded.postgres import EmbeddedPostgres
from kernel.ids import derive
from tests.explain.town import SOMEBODY, Town, once, town
from tests.support.packs import CHANGZHOU, CHENGDU
from tests.support.postgres import fresh_database
from tests.support.service import set_clock


@pytest.fixture(scope="module")
async def living(
    postgres: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Town]:
    dsn = await fresh_database(postgres)
    async with town(dsn, tmp_path_factory.mktemp("town")) as found:
        yield found


async def ltci(living: Town, *words: str) -> tuple[int, Any]:
    """Exit code and document of a command; services answer while it runs."""
    ran = await asyncio.to_thread(
        CliRunner().invoke, app, [*words, "--json"], env=dict(living.connection.settings.variables)
    )
    return ran.exit_code, json.loads(ran.stdout) if ran.stdout else ran.stderr


async def test_a_person_moves_by_two_commands_and_a_file(living: Town, tmp_path: Path) -> None:
    file = tmp_path / "bundle.json"
    offered = ("transfer", "offer", living.person, CHANGZHOU, CHENGDU, "-o", str(file))
    code, document = await ltci(living, *offered)
    assert (code, document["error"]["reason"]) == (1, "STILL_COVERED")
    await living.connection.enrollment.EndCoverage(
        pb.EndCoverageRequest(
            person=living.person,
            pool=CHANGZHOU,
            end_date="2024-06-20",
            cause="moves",
            request_id=once("moves"),
        )
    )

    code, document = await ltci(living, *offered)
    assert (code, document["person"]) == (0, living.person)
    for _ in range(2):
        code, document = await ltci(living, "transfer", "accept", str(file))
        assert code == 0
        assert document["start_date"] == "2024-06-21"
        assert document["grade_decision"] == "GRADE_REOPENED"
        assert document["grade"] == 3

    told = json.loads(file.read_text())
    told["events"][0]["position"] = "99999"
    file.write_text(json.dumps(told))
    code, document = await ltci(living, "transfer", "accept", str(file))
    assert (code, document["error"]["reason"]) == (1, "EVENT_MISSING")
    file.write_text("{}?")
    code, _ = await ltci(living, "transfer", "accept", str(file))
    assert code == 2
    code, document = await ltci(living, "transfer", "key")
    assert len(document["public_key"]) == 64


async def test_a_case_tells_the_events_of_both_who_are_one(living: Town, tmp_path: Path) -> None:
    twin = await living.connection.enrollment.RegisterPerson(
        pb.RegisterPersonRequest(
            identity_kind=types.IDENTITY_KIND_PASSPORT,
            identity_number="E12345678",
            full_name=SOMEBODY.full_name,
            birth_date=SOMEBODY.birth_date.isoformat(),
            registered_date="2022-01-10",
            request_id=once("passport"),
        )
    )
    merge = person_pb.MergePersonsRequest(
        survivor=living.person,
        duplicate=twin.person,
        merged_date="2024-06-01",
        cause="the same",
        request_id=str(derive("merge")),
    )
    await living.connection.persons.MergePersons(merge)
    set_clock(living.folder / "clock.json", date(2024, 12, 1))

    found: list[set[str]] = []
    for who in (SOMEBODY.identity_number, twin.person):
        # Known by then: the command waits until the index of cases holds all of it.
        code, document = await ltci(living, "case", who, "--known-at", "2024-11-30")
        assert code == 0
        found.append({f"{one['service']}:{one['position']}" for one in document["events"]})
        assert {one["person"] for one in document["events"]} == {living.person, twin.person}
    assert found[0] == found[1]

    await living.connection.enrollment.DecideEligibility(
        pb.DecideEligibilityRequest(
            person=twin.person, pool=CHANGZHOU, on_date="2024-06-10", request_id=once("of both")
        )
    )
    code, report = await ltci(living, "replay", "--case", twin.person)
    assert (code, report["differences"]) == (0, [])
    page = tmp_path / "case.html"
    code, _ = await ltci(living, "dossier", twin.person, "-o", str(page))
    assert code == 0
    assert "goes on as" in page.read_text() or "并档" in page.read_text()
