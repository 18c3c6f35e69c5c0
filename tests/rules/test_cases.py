"""Runs the worked cases that stand beside each pack: `rules/*/cases/*.toml`."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from kernel.calendar import Month
from kernel.money import Money, yuan
from kernel.refusal import Refused
from kernel.rules.formula import Component, evaluate
from kernel.rules.library import PackLibrary
from kernel.rules.ruling import Trace

RULES = Path(__file__).parents[2] / "rules"
LIBRARY = PackLibrary(RULES)


def cases() -> list[Any]:
    return [
        pytest.param(path.parents[1].name[:6], case, id=f"{path.parents[1].name}: {case['name']}")
        for path in sorted(RULES.glob("*/cases/*.toml"))
        for case in tomllib.loads(path.read_text())["cases"]
    ]


def payments(pool: str, case: dict[str, Any]) -> list[tuple[Component, Money]]:
    facts, day = case["facts"], case["day"]
    cost, month = yuan(facts["eligible_cost_yuan"]), Month.of(day).days
    return [
        (one, evaluate(one, facts["grade"], facts["entitled_days"], month, cost, Trace()))
        for one in LIBRARY.pack_for(pool).components(facts["form"], day)
    ]


@pytest.mark.parametrize(("pool", "case"), cases())
def test_case(pool: str, case: dict[str, Any]) -> None:
    if "refused" in case:
        with pytest.raises(Refused) as refused:
            payments(pool, case)
        assert refused.value.reason == case["refused"]
        return
    # The arithmetic ends in the result, so no case can say one thing and expect another.
    expected = [
        (one["component"], one["payee"], one["arithmetic"].rpartition("= ")[2])
        for one in case["expected"]
    ]
    assert expected == [(one.name, one.payee.value, str(fen)) for one, fen in payments(pool, case)]


@pytest.mark.parametrize("pool", LIBRARY.pools())
def test_every_pool_has_worked_cases(pool: str) -> None:
    assert sum(case.values[0] == pool for case in cases()) >= 5
