"""Draws: the same for everybody who has the seed, and fair."""

import hashlib

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from kernel.draw import commitment, drawn, drawn_by_weight

SEED = bytes(32)
NAMES = st.lists(st.text(min_size=1, max_size=8), unique=True, max_size=12)


@for_all(names=NAMES, seed=st.binary(min_size=1, max_size=32))
def test_the_order_in_which_names_were_told_does_not_matter(names: list[str], seed: bytes) -> None:
    assert drawn(seed, "p", names) == drawn(seed, "p", reversed(names))


@for_all(names=NAMES)
def test_everybody_is_drawn_once(names: list[str]) -> None:
    assert sorted(drawn(SEED, "p", names)) == sorted(names)


def test_an_outsider_finds_the_same_order_with_nothing_but_sha256() -> None:
    names = ["a", "b", "c", "d"]

    def ticket(name: str) -> str:
        return hashlib.sha256(SEED + b"\0assign\0" + name.encode() + b"\x000").hexdigest()

    assert drawn(SEED, "assign", names) == sorted(names, key=ticket)
    assert commitment(SEED) == hashlib.sha256(SEED).hexdigest()


def test_another_purpose_is_another_draw() -> None:
    names = [str(number) for number in range(20)]

    assert drawn(SEED, "one", names) != drawn(SEED, "other", names)


def test_weight_is_chance() -> None:
    weights = {"light": 1, "heavy": 3, "never": 0}
    first = [drawn_by_weight(number.to_bytes(4, "big"), "p", weights)[0] for number in range(2_000)]

    assert "never" not in first
    assert 1_400 < first.count("heavy") < 1_600  # three in four


def test_a_weight_that_is_none_is_told() -> None:
    with pytest.raises(ValueError, match="a weight is from 0"):
        drawn_by_weight(SEED, "p", {"one": -1})
