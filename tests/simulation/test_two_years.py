"""Two years and more of a region's cases, through every branch that the rules know.

A hundred cases here; `python -m tests.simulation` lives as many as asked for.
"""

from collections.abc import AsyncIterator
from datetime import date

import pytest

from cli.replay import replay_everything
from infra.embedded.postgres import EmbeddedPostgres
from tests.simulation.living import cast, differences, live
from tests.simulation.region import Region, region
from tests.simulation.stories import Life
from tests.support.postgres import fresh_database

BEGINS, ENDS = date(2024, 1, 2), date(2026, 3, 15)
CASES = 100


@pytest.fixture(scope="module")
async def lived(
    postgres: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[Region, list[Life]]]:
    dsn = await fresh_database(postgres)
    async with region(dsn, tmp_path_factory.mktemp("region"), BEGINS) as place:
        lives = cast(place, CASES)
        await live(place, lives, BEGINS, ENDS)
        yield place, lives


async def test_every_case_ends_as_its_story_says(lived: tuple[Region, list[Life]]) -> None:
    assert await differences(lived[1]) == []


async def test_every_decision_comes_out_the_same_again(lived: tuple[Region, list[Life]]) -> None:
    report = await replay_everything(lived[0].connection.settings)

    assert sum(report.decisions.values()) > CASES
    assert report.differences == []
