"""Imports of objections, reviews and appeals: a row finds its application and takes its steps."""

import csv
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from ltci.events.v1 import feed_pb2
from ltci.payment.v1 import payment_service_pb2 as payment
from ltci.payment.v1 import payment_types_pb2 as payment_types

from cli.connect import Connection
from cli.imports import ImportReport, run_import
from cli.imports.items import Item, Items
from cli.imports.kinds import KINDS
from cli.imports.kinds.assessment import ITEMS
from cli.imports.table import CsvTable
from tests.assessment.forms import scores
from tests.explain.town import SOMEBODY, Town, once, town
from tests.support.packs import CHANGZHOU
from tests.support.people import person

NOBODY = person(9).identity_number
OBJECTION = {
    "identity_number": SOMEBODY.identity_number,
    "pool": CHANGZHOU,
    "filed_date": "2024-07-20",
    "objector_name": "许邻居",
    "objector_contact": "13911110000",
    "grounds": "看见他自己下楼",
    "decided_date": "2024-07-25",
    "outcome": "dismissed",
    "decided_by": "clerk-1",
    "reasons": "已走访核实",
}
REVIEW = {
    "identity_number": SOMEBODY.identity_number,
    "pool": CHANGZHOU,
    "requested_date": "2024-08-01",
    "assessed_date": "2024-08-01",
    "place": "home",
    "assessor": "assessor-5",
    "expert": "expert-5",
    **{item: str(scores()[item]) for item in ITEMS},
    "confirming_expert_1": "expert-6",
    "confirming_expert_2": "expert-7",
    "confirmed_date": "2024-08-01",
}
APPEAL = {
    "identity_number": SOMEBODY.identity_number,
    "pool": CHANGZHOU,
    "against": "conclusion",
    "filed_date": "2024-08-01",
    "grounds": "平时卧床",
    "decided_date": "2024-08-01",
    "panel": "panel-1;panel-2",
    "outcome": "upheld",
    "grade": "4",
    "effective_date": "2024-05-01",
    "reasons": "补充材料可信",
}
GOOD = {"objections": OBJECTION, "reviews": REVIEW, "appeals": APPEAL}


@pytest.fixture
async def living(database_url: str, tmp_path: Path) -> AsyncIterator[Town]:
    async with town(database_url, tmp_path) as living:
        yield living


def written(path: Path, rows: Sequence[dict[str, str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def read(name: str, row: dict[str, str], folder: Path) -> Item | set[tuple[str, str]]:
    """The row's item, or the columns and reasons of its faults."""
    kind = KINDS[name]
    with (
        CsvTable(written(folder / f"{name}.csv", [row]), kind.required, kind.optional) as table,
        Items(kind, None) as items,
    ):
        (only,) = table.rows()
        assert not isinstance(only, list)
        found = items.item(only)
        if isinstance(found, Item):
            return found
        return {(fault.column, fault.reason) for fault in found}


def found(report: ImportReport) -> list[tuple[int, str, str]]:
    return [(fault.line, fault.column, fault.reason) for fault in report.bad]


async def head(connection: Connection) -> int:
    return int((await connection.feed("assessment").GetHead(feed_pb2.GetHeadRequest())).position)


async def test_rows_of_an_appeal_are_decided_as_previewed_and_once(
    living: Town, tmp_path: Path
) -> None:
    connection = living.connection
    stranger = {**APPEAL, "identity_number": NOBODY}
    file = written(tmp_path / "a.csv", [APPEAL, stranger])

    report = await run_import(connection, "appeals", file)

    assert (report.recorded, report.bad_rows) == (1, 1)
    assert found(report) == [(3, "identity_number", "NO_APPLICATION")]
    told = await connection.payment.ReviewEntitlement(
        payment.ReviewEntitlementRequest(
            person=living.person,
            pool=CHANGZHOU,
            known=[payment_types.KnownUpTo(service="assessment", position=await head(connection))],
            request_id=once("after"),
        )
    )
    assert told.grade == 4
    before = await head(connection)
    again = await run_import(connection, "appeals", file)
    assert (again.recorded, again.bad_rows) == (1, 1)
    assert await head(connection) == before
    other = written(tmp_path / "b.csv", [{**APPEAL, "grade": "5"}])
    assert found(await run_import(connection, "appeals", other)) == [
        (2, "outcome", "DECIDED_ALREADY")
    ]


async def test_a_review_goes_step_by_step_and_its_refusals_name_the_column(
    living: Town, tmp_path: Path
) -> None:
    connection = living.connection
    open_row = {name: REVIEW[name] for name in ("identity_number", "pool", "requested_date")}
    report = await run_import(connection, "reviews", written(tmp_path / "r.csv", [open_row]))
    assert report.good
    before = await head(connection)

    report = await run_import(connection, "reviews", written(tmp_path / "r.csv", [REVIEW]))

    assert (report.recorded, found(report)) == (1, [])
    done = await head(connection)
    assert done > before
    report = await run_import(connection, "reviews", written(tmp_path / "r.csv", [REVIEW]))
    assert report.good
    assert await head(connection) == done
    late = written(tmp_path / "late.csv", [OBJECTION])
    assert found(await run_import(connection, "objections", late)) == [
        (2, "filed_date", "NOT_IN_PUBLICITY")
    ]


@pytest.mark.parametrize(
    ("kind", "changed", "faults"),
    [
        ("objections", {"objector_name": ""}, {("objector_name", "REQUIRED")}),
        ("objections", {"outcome": ""}, {("outcome", "REQUIRED")}),
        ("objections", {"outcome": "refused"}, {("outcome", "UNKNOWN_VALUE")}),
        ("reviews", {"expert": ""}, {("expert", "REQUIRED")}),
        (
            "reviews",
            dict.fromkeys(("assessed_date", "place", "assessor", "expert", *ITEMS), ""),
            {("confirmed_date", "STEP_MISSING")},
        ),
        ("appeals", {"grade": ""}, {("grade", "REQUIRED")}),
        ("appeals", {"grade": "6"}, {("grade", "OUT_OF_RANGE")}),
        ("appeals", {"panel": "", "reasons": ""}, {("panel", "REQUIRED"), ("reasons", "REQUIRED")}),
    ],
)
def test_a_step_comes_whole_or_not_at_all(
    kind: str, changed: dict[str, str], faults: set[tuple[str, str]], tmp_path: Path
) -> None:
    assert read(kind, {**GOOD[kind], **changed}, tmp_path) == faults


@pytest.mark.parametrize("kind", GOOD)
def test_a_row_keeps_its_name_when_more_of_its_steps_are_filled_in(
    kind: str, tmp_path: Path
) -> None:
    whole = read(kind, GOOD[kind], tmp_path)
    first = {name: cell for name, cell in GOOD[kind].items() if name in KINDS[kind].identity}
    began = read(kind, first, tmp_path)

    assert isinstance(whole, Item)
    assert isinstance(began, Item)
    assert began.step_request_id() == whole.step_request_id()
    assert len(began.steps) == 1 < len(whole.steps)
