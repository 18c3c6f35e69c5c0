"""Runs the worked cases that stand beside each pack: `rules/*/cases/*.toml`."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from kernel.refusal import Refused
from kernel.rules.pack import Pack
from tests.rules import worked
from tests.rules.arithmetic import computed, result

RULES = Path(__file__).parents[2] / "rules"
FOLDERS = sorted(path.parent for path in RULES.glob("*/pool.toml"))
_KEYS = {
    "name", "kind", "day", "month", "citation", "facts", "segments", "expected", "own", "refused",
    "refused_key", "outcome", "reasons", "key", "value", "note",
}  # fmt: skip


def told(folder: Path) -> list[tuple[str, dict[str, Any]]]:
    files = sorted(folder.glob("cases/*.toml"))
    return [(path.stem, one) for path in files for one in tomllib.loads(path.read_text())["cases"]]


def cases() -> list[Any]:
    return [
        pytest.param(folder, case, id=f"{folder.name}: {file}: {case['name']}")
        for folder in FOLDERS
        for file, case in told(folder)
    ]


@cache
def pack_in(folder: Path) -> Pack:
    return Pack.load(folder)


@pytest.mark.parametrize(("folder", "case"), cases())
def test_case(folder: Path, case: dict[str, Any]) -> None:
    assert not set(case) - _KEYS, f"no such entries: {sorted(set(case) - _KEYS)}"
    pack, run = pack_in(folder), RUNS[case.get("kind", "benefit")]
    if "refused" not in case:
        run(pack, case)
        return
    with pytest.raises(Refused) as refused:
        run(pack, case)
    assert refused.value.reason == case["refused"]
    if "refused_key" in case:
        key = refused.value.facts["key"]  # of the figure, or of the cell that is not known
        assert key == case["refused_key"] or key.startswith(case["refused_key"] + ".")


def run_benefit(pack: Pack, case: dict[str, Any]) -> None:
    came = worked.benefit(pack, case)
    wanted = [
        (one["component"], one["payee"], str(result(one["arithmetic"]))) for one in expected(case)
    ]
    # A month in several segments may be told part by part for each of them.
    parts = came.by_segment if len(wanted) == len(came.by_segment) else came.parts
    assert wanted == [(component, payee, str(amount)) for component, payee, amount in parts]
    if "own" in case:
        assert str(result(case["own"]["arithmetic"])) == str(came.own)


def run_contribution(pack: Pack, case: dict[str, Any]) -> None:
    due = worked.contribution(pack, case)
    assert [(one["source"], str(result(one["arithmetic"]))) for one in expected(case)] == [
        (source, str(amount)) for source, amount in due
    ]


def run_eligibility(pack: Pack, case: dict[str, Any]) -> None:
    ruling = worked.eligibility(pack, case)
    assert (ruling.outcome, list(ruling.reasons)) == (case.get("outcome"), case.get("reasons", []))


def run_figure(pack: Pack, case: dict[str, Any]) -> None:
    assert pack.figure(case["key"], case["day"]).value == case.get("value")


def expected(case: dict[str, Any]) -> list[dict[str, Any]]:
    # A refused case has no expectation; the run before this refuses.
    return list(case.get("expected", []))


RUNS = {
    "benefit": run_benefit,
    "contribution": run_contribution,
    "eligibility": run_eligibility,
    "figure": run_figure,
}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_every_pool_has_worked_cases_and_says_where_they_stand(folder: Path) -> None:
    found = [case for _, case in told(folder)]
    assert len(found) >= 5
    assert all(case.get("citation") for case in found)


@pytest.mark.parametrize(
    ("arithmetic", "fen"),
    [
        ("1077.00", 107700),
        ("min(90.00 × 0.75, 60.00) × 31 = 60.00 × 31 = 1860.00", 186000),
        ("600.00 × 17 / 31 = 10200.00 / 31 = 329.0322… = 329.03", 32903),
        ("smaller of 1320.00 and 1500.00 = 1320.00", 132000),
        ("8000.00 × 0.15 % = 12.00", 1200),
        ("down((100.00 - 0.01) / 3) = 33.33", 3333),
    ],
)
def test_the_arithmetic_of_a_case_is_computed_again(arithmetic: str, fen: int) -> None:
    assert result(arithmetic).fen == fen


@pytest.mark.parametrize("wrong", ["2 × 3.00 = 6.01", "min(1.00, 2.00 = 1.00", "1 × × 2 = 2.00"])
def test_arithmetic_that_is_wrong_is_not_taken(wrong: str) -> None:
    with pytest.raises(ValueError):
        result(wrong)


def test_words_are_not_computed() -> None:
    assert computed("0 entitled days") is None
