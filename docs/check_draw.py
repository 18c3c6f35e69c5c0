"""Draws a day's assessors again with nothing but Python's standard library (独立复核抽取结果).

    ltci draw export 320400 2024-03-05 --reveal -o draws.json
    python docs/check_draw.py draws.json

It shares no code with the system it checks. Whoever kept the commitment that was public before
the draws compares it with the one printed here.
"""

import hashlib
import json
import sys
from pathlib import Path


def order_of(seed: bytes, purpose: str, candidates: list[dict]) -> list[str]:
    """Everybody by the smallest of the own tickets: as many tickets as the weight."""
    keys = {}
    for one in candidates:
        name = one["assessor"]
        tickets = [
            hashlib.sha256(
                b"\0".join([seed, purpose.encode(), name.encode(), str(number).encode()])
            ).digest()
            for number in range(one["weight"])
        ]
        keys[name] = min(tickets)
    return sorted(keys, key=lambda name: (keys[name], name))


def taken(order: list[str], experts: set[str], kept: list[str], people: int, wanted: int) -> list:
    """Experts first, then assessors, then further experts; nobody where they are too few."""
    chosen = list(kept)
    left = [name for name in order if name in experts]
    while len([name for name in chosen if name in experts]) < wanted:
        if not left:
            return []
        chosen.append(left.pop(0))
    rest = [name for name in order if name not in experts] + left
    chosen += rest[: max(0, people - len(chosen))]
    return chosen if len(chosen) >= people else []


def assigned(one: dict, order: list[str]) -> list[str]:
    """Whom the order assigns: those near first, and not the team of the last time again."""
    draw = one["draw"]
    everybody = draw.get("candidates", []) + one.get("assigned", [])
    experts = {
        who["assessor"] for who in everybody if who["assessor_kind"] == "ASSESSOR_KIND_EXPERT"
    }
    near = {who["assessor"] for who in draw.get("candidates", []) if who.get("near")}
    order = [n for n in order if n in near] + [n for n in order if n not in near]
    kept, last = draw.get("kept", []), set(draw.get("last_team", []))
    needs = one["assessors_required"], one.get("experts_required", 0)
    chosen = taken(order, experts, kept, *needs)
    if not chosen or set(chosen) != last:
        return chosen
    for name in reversed([each for each in chosen if each not in kept]):
        others = taken([each for each in order if each != name], experts, kept, *needs)
        if others:
            return others
    return []


def main(path: str) -> int:
    told = json.loads(Path(path).read_text(encoding="utf-8"))
    day = told["day"]
    if not day.get("seed"):
        print("the seed of that day is not told yet")
        return 2
    seed = bytes.fromhex(day["seed"])
    wrong = 0
    if hashlib.sha256(seed).hexdigest() != day["commitment"]:
        print("the seed is not the one that was committed")
        wrong += 1
    if [one["draw"]["number"] for one in told["draws"]] != list(range(1, day["draw_count"] + 1)):
        print("draws are missing")
        wrong += 1
    for one in told["draws"]:
        order = order_of(seed, one["draw"]["purpose"], one["draw"].get("candidates", []))
        who = [each["assessor"] for each in one.get("assigned", [])]
        good = order == one["draw"].get("drawn", []) and assigned(one, order) == who
        wrong += not good
        print(
            f"draw {one['draw']['number']}: {', '.join(who)}: {'as drawn' if good else 'DIFFERS'}"
        )
    print(f"commitment {day['commitment']}: {wrong} differences")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
