"""Files of sanctions: a provider is suspended and its people are handed over, once."""

from collections.abc import AsyncIterator

import pytest
from ltci.provider.v1 import provider_service_pb2 as pb

from cli.imports import ImportReport, run_import
from cli.providers import providers
from infra.embedded.postgres import EmbeddedPostgres
from tests.cli.test_import_disputes import written
from tests.explain.town import CODE, Town, town
from tests.support.packs import CHANGZHOU
from tests.support.postgres import fresh_database
from tests.support.temporal import eventually

OTHER, STRANGER = "52320402MA1EXAMP1T", "52320402MA1EXAMP2X"
SUSPENSION = {
    "social_credit_code": CODE,
    "pool": CHANGZHOU,
    "measure": "suspend",
    "start_date": "2024-06-01",
    "end_date": "2024-11-30",
    "cause": "care not given as agreed",
    "article": "医保办发〔2024〕21号",
    "handover_date": "2024-06-01",
    "receivers": OTHER,
}


@pytest.fixture(scope="module")
async def living(
    postgres: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Town]:
    """A person with a plan of one provider, and another provider beside."""
    folder = tmp_path_factory.mktemp("sanctions")
    async with town(await fresh_database(postgres), folder) as living:
        body = {
            "pool": CHANGZHOU,
            "provider_name": "the other",
            "social_credit_code": OTHER,
            "agreement_start_date": "2024-01-01",
            "agreement_end_date": "2026-12-31",
        }
        rows = written(living.folder / "providers.csv", [body])
        assert (await run_import(living.connection, "providers", rows)).bad_rows == 0
        yield living


async def imported(living: Town, **changed: str) -> ImportReport:
    rows = written(living.folder / "sanctions.csv", [SUSPENSION | changed])
    return await run_import(living.connection, "sanctions", rows)


async def plans(living: Town) -> list[pb.Plan]:
    answer = await living.connection.provider.ListPlans(
        pb.ListPlansRequest(person=living.person, pool=CHANGZHOU)
    )
    return list(answer.plans)


@pytest.mark.parametrize(
    ("changed", "column", "reason"),
    [
        ({"social_credit_code": STRANGER}, "social_credit_code", "PROVIDER_UNKNOWN"),
        ({"receivers": STRANGER}, "social_credit_code", "PROVIDER_UNKNOWN"),
        ({"measure": "talk", "end_date": ""}, "handover_date", "PROVIDER_SERVES"),
        ({"receivers": ""}, "receivers", "REQUIRED"),
        ({"handover_date": "2024-05-01"}, "handover_date", "ENDS_BEFORE_START"),
    ],
)
async def test_what_cannot_be_done_is_told_with_its_column(
    living: Town, changed: dict[str, str], column: str, reason: str
) -> None:
    found = await imported(living, **changed)

    assert [(fault.column, fault.reason) for fault in found.bad] == [(column, reason)]
    assert len(await plans(living)) == 1


async def test_the_people_of_a_suspended_provider_are_handed_over_once(living: Town) -> None:
    for _ in range(2):  # the file again asks for nothing new
        assert (await imported(living)).bad_rows == 0
        # The list may be a moment behind the log.
        old, new = await eventually(lambda: plans(living), lambda seen: len(seen) > 1)
        assert (old.end_date, new.start_date) == ("2024-05-31", "2024-06-01")
        assert new.provider == (await providers(living.connection, CHANGZHOU))[OTHER]
