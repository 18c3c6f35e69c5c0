"""What the detectors find of a generated month: no less than before, and nothing in a clean one.

`python -m benchmarks detect` measures the same on larger pools.
"""

from dataclasses import replace
from datetime import date

import pytest

from benchmarks.detect import Result, detect
from benchmarks.generator.sizes import Fraud, Sizes

MONTH = Sizes(pool="510100", first=date(2025, 3, 1), people=400, fraud=0.02, seed=1)
WELL = 0.9

# Kinds that fall short in so small a pool, with what they reach: recall, and precision where
# anything was flagged. Whoever makes one better raises its floor or takes it out.
SHORT: dict[Fraud, tuple[float, float | None]] = {
    # Of 400 people some thirty are assessed, three by each assessor: nobody is judged by that.
    Fraud.ASSESSOR_DRIFT: (0.0, None),
    Fraud.ASSESSOR_TIED: (0.0, None),
}


@pytest.fixture(scope="module")
def result() -> Result:
    return detect(MONTH)


@pytest.mark.parametrize("kind", list(Fraud))
def test_a_detector_finds_what_is_planted_and_little_else(kind: Fraud, result: Result) -> None:
    [one] = [told for told in result.scores if told.kind == kind]
    recall, precision = SHORT.get(kind, (WELL, WELL))

    assert one.planted
    assert one.recall is not None
    assert one.recall >= recall
    assert (one.precision is None) == (precision is None)
    if precision is not None and one.precision is not None:
        assert one.precision >= precision


def test_assessors_are_found_where_each_sees_enough_people() -> None:
    """Their grades and ties need no visits: a larger pool, and hardly any of them."""
    larger = detect(replace(MONTH, people=5_000), most=100)
    found = {one.kind: (one.recall, one.precision) for one in larger.scores}

    assert found[Fraud.ASSESSOR_DRIFT] == (1.0, 1.0)
    assert found[Fraud.ASSESSOR_TIED] == (1.0, 1.0)


def test_few_clean_visits_are_held(result: Result) -> None:
    assert result.clean_visits > 6_000
    assert result.clean_flagged <= result.clean_visits // 1_000
    assert result.clean_held_fen <= result.clean_cost_fen // 1_000


def test_in_a_month_without_fraud_nothing_is_flagged() -> None:
    clean = detect(replace(MONTH, people=200, fraud=0.0))

    assert clean.visits > 3_000
    assert clean.wrong == []
