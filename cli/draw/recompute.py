"""Draws a day's draws again, from what `ltci draw export` wrote. Pure: no clock, no I/O.

`docs/check_draw.py` does the same with nothing but the standard library.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kernel.draw import commitment, drawn_by_weight
from services.assessment.domain.team import Team, choose


@dataclass(frozen=True)
class Fault:
    """Where a day of draws is not what its seed gives."""

    where: str  # "draw 3", "commitment"
    told: str
    found: str


def faults(told: Mapping[str, Any]) -> list[Fault]:
    """What differs; nothing where every draw comes out again. ValueError before the seed is told.

    KeyError or TypeError for what is no exported day.
    """
    day, draws = told["day"], told["draws"]
    if not day.get("seed"):
        raise ValueError("the seed of that day is not told yet")
    seed = bytes.fromhex(day["seed"])
    found = _differing("commitment", day["commitment"], commitment(seed))
    numbers = [draw["draw"]["number"] for draw in draws]
    found += _differing("numbers", list(range(1, day["draw_count"] + 1)), numbers)
    for one in draws:
        found += _of_draw(one, seed, day["commitment"])
    return found


def _of_draw(one: Mapping[str, Any], seed: bytes, committed: str) -> list[Fault]:
    draw = one["draw"]
    where = f"draw {draw['number']}"
    candidates = draw.get("candidates", [])
    weights = {each["assessor"]: each["weight"] for each in candidates}
    order = drawn_by_weight(seed, draw["purpose"], weights)
    assigned = one.get("assigned", [])
    experts = {
        each["assessor"]
        for each in (*candidates, *assigned)
        if each["assessor_kind"] == "ASSESSOR_KIND_EXPERT"
    }
    team = Team(
        drawn=tuple(order),
        experts=frozenset(experts),
        near=frozenset(each["assessor"] for each in candidates if each.get("near")),
        kept=tuple(draw.get("kept", [])),
        last=frozenset(draw.get("last_team", [])),
    )
    chosen = choose(team, one["assessors_required"], one.get("experts_required", 0))
    return [
        *_differing(f"{where}, commitment", committed, draw["commitment"]),
        *_differing(f"{where}, order", draw.get("drawn", []), order),
        *_differing(
            f"{where}, assigned", [each["assessor"] for each in assigned], list(chosen or ())
        ),
    ]


def _differing(where: str, told: object, found: object) -> list[Fault]:
    return [] if told == found else [Fault(where, str(told), str(found))]
