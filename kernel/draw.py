"""Draws that an outsider can recompute (可复核的随机抽取). Pure: no clock, no floats.

A draw is fixed by a seed and the names drawn from. The seed's commitment (its SHA-256) is recorded
before anything is drawn with it, the seed itself is told after its day: whoever has both sees that
nobody chose the outcome, and can draw again with any SHA-256.

Each name gets tickets, as many as its weight: ticket `n` of a name is
`SHA-256(seed, NUL, purpose, NUL, name, NUL, n)`, n in decimal from 0. A name's key is the smallest
of its tickets as a number, and names are drawn in the order of their keys. That is a draw without
replacement in which a name of weight 3 is first three times as often as one of weight 1.
"""

import hashlib
from collections.abc import Iterable, Mapping

HEAVIEST = 1_000  # tickets of one name


def commitment(seed: bytes) -> str:
    """What is recorded of a seed before it is used: its SHA-256, 64 hex digits."""
    return hashlib.sha256(seed).hexdigest()


def drawn(seed: bytes, purpose: str, names: Iterable[str]) -> list[str]:
    """All names in the order in which they are drawn, each with the same chance."""
    return drawn_by_weight(seed, purpose, dict.fromkeys(names, 1))


def drawn_by_weight(seed: bytes, purpose: str, weights: Mapping[str, int]) -> list[str]:
    """All names in the order in which they are drawn; one of weight 0 is never drawn.

    ValueError for a weight below 0 or above `HEAVIEST`.
    """
    for name, weight in weights.items():
        if not 0 <= weight <= HEAVIEST:
            raise ValueError(f"{name}: a weight is from 0 to {HEAVIEST}, not {weight}")
    keys = {
        name: min(_ticket(seed, purpose, name, number) for number in range(weight))
        for name, weight in weights.items()
        if weight
    }
    return sorted(keys, key=lambda name: (keys[name], name))


def _ticket(seed: bytes, purpose: str, name: str, number: int) -> bytes:
    return hashlib.sha256(
        b"\0".join([seed, purpose.encode(), name.encode(), str(number).encode()])
    ).digest()
