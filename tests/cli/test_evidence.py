"""`ltci evidence`: what is kept of a visit, exported while it is there, proven when it is gone."""

import csv
import json
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from cli.connect import Connection
from cli.evidence import is_proven, run_evidence
from cli.imports.run import run_import
from cli.output import Failure, Output
from services.provider.__main__ import without_detectors as quiet
from services.provider.codec import provider_codec
from tests.cli.test_import_services import EXAMPLES, connected, written
from tests.support.service import Running, running

EVIDENCE = {
    "accuracy_m": "25",
    "mocked": "no",
    "end_latitude": "31.811011",
    "end_longitude": "119.974000",
    "beacon": "bedside-7",
    "tag": "",
    "family_code": "802417",
    "face": "matched",
    "photos": f"{'ab' * 32}:00000000000000ff;{'cd' * 32}",
    "device": "D-0001",
    "offline": "yes",
    "signature": "",
}


@pytest.fixture
async def provider(database_url: str, tmp_path: Path) -> AsyncIterator[tuple[Running, Connection]]:
    async with (
        running("provider", database_url, tmp_path, provider_codec, quiet) as service,
        connected(tmp_path / "clock.json", provider=service.channel) as connection,
    ):
        service.set_day(date(2026, 1, 2))
        for kind in ("providers", "prices", "caregivers", "plans"):
            await run_import(connection, kind, EXAMPLES / f"{kind}.csv")
        yield service, connection


def first_visit() -> dict[str, str]:
    with (EXAMPLES / "visits.csv").open(encoding="utf-8", newline="") as source:
        return next(csv.DictReader(source))


async def visit_of(service: Running) -> str:
    """The one visit with evidence."""
    [kept] = [e for e in await service.events_after(0) if ".EvidenceKept/" in e.type]
    return str(provider_codec(None).decode_clear(kept.type, kept.payload).visit)


async def test_a_file_of_visits_may_bring_evidence_and_a_visit_without_any_stays_itself(
    provider: tuple[Running, Connection], tmp_path: Path
) -> None:
    service, connection = provider
    plain, rich = first_visit(), first_visit() | {"end_time": "2024-03-01T09:06:00+08:00"}
    await run_import(connection, "visits", written(tmp_path / "plain.csv", [plain]))
    head = await service.head()
    empty = dict.fromkeys(EVIDENCE, "")
    file = written(tmp_path / "rich.csv", [plain | empty, rich | EVIDENCE])
    report = await run_import(connection, "visits", file)

    assert (report.recorded, report.bad) == (2, [])
    kinds = [e.type.rpartition(".")[2] for e in await service.events_after(head)]
    assert kinds.count("VisitStarted/1") == kinds.count("EvidenceKept/1") == 1
    [event] = [e for e in await service.events_after(head) if "EvidenceKept" in e.type]
    kept = await service.service.parts.codec.decode(event)
    assert kept.evidence.start.family_code == "802417"
    assert [photo.perceptual_hash for photo in kept.findings.photos] == [255, 0]
    assert (kept.findings.end_distance_m >= 0, kept.findings.offline) == (True, True)


@pytest.mark.parametrize(
    ("column", "cell", "reason"),
    [
        ("accuracy_m", "good", "NOT_A_WHOLE_NUMBER"),
        ("mocked", "maybe", "UNKNOWN_VALUE"),
        ("end_longitude", "", "REQUIRED"),
        ("face", "smiling", "UNKNOWN_VALUE"),
        ("photos", "abcd", "NOT_PHOTOS"),
        ("signature", "abcd", "NOT_HEXADECIMAL"),
        ("device", "no spaces", "WRONG_FORM"),
    ],
)
async def test_a_bad_cell_of_the_evidence_is_told_by_its_column(
    column: str, cell: str, reason: str, provider: tuple[Running, Connection], tmp_path: Path
) -> None:
    service, connection = provider
    head = await service.head()
    file = written(tmp_path / "bad.csv", [first_visit() | EVIDENCE | {column: cell}])
    report = await run_import(connection, "visits", file)

    assert [(fault.column, fault.reason) for fault in report.bad] == [(column, reason)]
    assert all("802417" not in (fault.message + fault.value) for fault in report.bad)
    assert head == await service.head()


async def test_an_exported_evidence_is_proven_by_its_digest_after_it_was_forgotten(
    provider: tuple[Running, Connection],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    service, connection = provider
    file = written(tmp_path / "visits.csv", [first_visit() | EVIDENCE])
    await run_import(connection, "visits", file)
    visit, out = await visit_of(service), Output.of(as_json=True)
    exported = tmp_path / "evidence.json"
    assert await run_evidence(connection, visit, out, export=exported)
    assert all(is_proven(part) for part in json.loads(exported.read_text())["parts"])
    await service.service.parts.keys.destroy_all([UUID(visit)])
    capsys.readouterr()

    assert await run_evidence(connection, visit, out, check=exported)
    told: Any = json.loads(capsys.readouterr().out)
    [part] = told["evidence"]
    assert (part["readable"], part["proven"], told["state"]) == (False, True, "delivered")
    assert part["findings"]["face"] == "SIGNAL_RESULT_MATCHED"
    with pytest.raises(Failure, match="no evidence to export"):
        await run_evidence(connection, visit, out, export=tmp_path / "again.json")

    exported.write_text(exported.read_text().replace("802417", "802418"))
    assert not await run_evidence(connection, visit, out, check=exported)
    exported.write_text("no JSON")
    with pytest.raises(Failure, match="no exported evidence"):
        await run_evidence(connection, visit, out, check=exported)
