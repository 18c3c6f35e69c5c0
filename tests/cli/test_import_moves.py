"""Files of who turned out to be one person, and of who moves to another pool."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from ltci.enrollment.v1 import person_service_pb2 as pb

from cli.imports import run_import
from cli.people import person_ids
from cli.replay import feeds_of
from cli.replay.logs import case_events
from tests.cli.test_import_disputes import written
from tests.explain.town import SOMEBODY, Town, town
from tests.support.packs import CHANGZHOU, CHENGDU
from tests.support.people import person

TWIN = person(421)  # born on the same day
STRANGER = person(44)
MERGE = {
    "identity_number": SOMEBODY.identity_number,
    "duplicate_identity_number": TWIN.identity_number,
    "merged_date": "2024-07-01",
    "cause": "a slip at the desk",
}
MOVE = {
    "identity_number": SOMEBODY.identity_number,
    "pool": CHANGZHOU,
    "to_pool": CHENGDU,
    "last_date": "2024-07-31",
    "cause": "moves in with the children",
}


@pytest.fixture
async def living(database_url: str, tmp_path: Path) -> AsyncIterator[Town]:
    async with town(database_url, tmp_path) as living:
        yield living


async def told(living: Town, event: str, number: str = SOMEBODY.identity_number) -> list[Any]:
    """A person's events of a kind."""
    feed = feeds_of(living.connection)["enrollment"]
    (who,) = await person_ids(living.connection, [number])
    return [one async for one in case_events(feed, who) if event in one.type]


async def test_two_registrations_become_one_person_once(living: Town) -> None:
    twin = {
        "identity_number": TWIN.identity_number,
        "full_name": SOMEBODY.full_name,
        "pool": CHANGZHOU,
        "group": "resident",
        "coverage_start_date": "2023-01-01",
        "registered_date": "2023-01-01",
    }
    persons = written(living.folder / "persons.csv", [twin])
    assert (await run_import(living.connection, "persons", persons)).bad_rows == 0
    rows = written(living.folder / "merges.csv", [MERGE])

    for _ in range(2):  # the file again asks for nothing new
        found = await run_import(living.connection, "merges", rows)
        merged = await told(living, "PersonsMerged", TWIN.identity_number)
        assert (found.bad_rows, len(merged)) == (0, 1)

    one = await living.connection.persons.GetMergedPersons(
        pb.GetMergedPersonsRequest(person=living.person)
    )
    numbers = [SOMEBODY.identity_number, TWIN.identity_number]
    assert sorted(one.persons) == sorted(await person_ids(living.connection, numbers))


async def test_a_twin_that_nobody_knows_is_a_bad_row(living: Town) -> None:
    rows = written(living.folder / "merges.csv", [MERGE])

    found = await run_import(living.connection, "merges", rows)

    assert [fault.reason for fault in found.bad] == ["PERSON_UNKNOWN"]
    assert await told(living, "PersonsMerged", TWIN.identity_number) == []


async def test_a_move_ends_here_and_goes_on_there(living: Town) -> None:
    rows = written(living.folder / "moves.csv", [MOVE])

    for _ in range(2):  # the file again asks for nothing new
        found = await run_import(living.connection, "moves", rows)
        assert (found.bad_rows, len(await told(living, "CoverageEnded"))) == (0, 1)

    [accepted] = await told(living, "TransferAccepted")
    assert accepted.pool == CHENGDU


async def test_who_is_not_insured_cannot_move(living: Town) -> None:
    stranger = MOVE | {"identity_number": STRANGER.identity_number}
    rows = written(living.folder / "moves.csv", [stranger, MOVE | {"pool": "999999"}])

    found = await run_import(living.connection, "moves", rows)

    assert {(fault.line, fault.column) for fault in found.bad} == {(2, "pool"), (3, "pool")}
    assert await told(living, "CoverageEnded") == []
