"""Two years and more of a region's cases, through every branch that the rules know.

A hundred cases here; `python -m tests.simulation` lives as many as asked for.
"""

from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any

import pytest
from ltci.enrollment.v1 import enrollment_service_pb2 as enrollment
from ltci.payment.v1 import payment_service_pb2 as payment
from ltci.payment.v1 import payment_types_pb2 as payment_types

from cli.replay import replay_everything
from infra.embedded.postgres import EmbeddedPostgres
from tests.simulation.clocks import missed_clocks
from tests.simulation.living import cast, differences, live
from tests.simulation.region import Region, region
from tests.simulation.stories import Life
from tests.support.packs import CHANGZHOU
from tests.support.postgres import fresh_database
from tests.support.service import end_of

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


async def test_no_clock_was_missed_in_silence(lived: tuple[Region, list[Life]]) -> None:
    late, silent, wrongly = await missed_clocks(lived[0])

    assert late >= 3  # assessors who came late, among hundreds that were in time
    assert silent == []
    assert wrongly == []


async def test_a_late_fact_leaves_what_was_known_then(lived: tuple[Region, list[Life]]) -> None:
    """A death, an admission and a won appeal change the past as known now, not as known then."""
    place, lives = lived
    changed = [life for life in lives if life.late]
    assert {life.story for life in changed} == {
        "appeal_won",
        "dies_entitled",
        "in_hospital_and_back",
    }
    for life in changed:
        assert life.late is not None
        about, told = life.late
        day: dict[str, Any] = {
            "person": life.person.id,
            "pool": CHANGZHOU,
            "as_of_date": str(about),
        }
        then = await place.connection.payment.GetEntitlement(
            payment.GetEntitlementRequest(**day, known_at_time=end_of(told - timedelta(days=1)))
        )
        now = await place.connection.payment.GetEntitlement(payment.GetEntitlementRequest(**day))
        assert then.state == payment_types.ENTITLEMENT_STATE_OPEN, life.story
        assert (then.state, then.grade) != (now.state, now.grade), life.story
        if life.story == "dies_entitled":
            asked: dict[str, Any] = {
                "person": life.person.id,
                "pool": CHANGZHOU,
                "on_date": str(about),
            }
            known = enrollment.CheckEligibilityRequest(
                **asked, known_at_time=end_of(told - timedelta(days=1))
            )
            desk = place.connection.enrollment
            assert (await desk.CheckEligibility(known)).eligible
            told_now = await desk.CheckEligibility(enrollment.CheckEligibilityRequest(**asked))
            assert list(told_now.reasons) == ["DEAD"]
