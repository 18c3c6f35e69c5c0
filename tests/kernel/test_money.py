"""What money must never do: lose a fen, make one, or become a fraction."""

from fractions import Fraction

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from kernel.money import ZERO, Money, Rounding, total, yuan

AMOUNTS = st.integers(-(10**12), 10**12).map(Money)
RATES = st.fractions(0, 1)
PARTS = st.lists(st.integers(0, 1000), min_size=1, max_size=12).filter(any)


@for_all(amount=AMOUNTS, parts=PARTS)
def test_no_fen_is_lost_or_made_in_a_split(amount: Money, parts: list[int]) -> None:
    assert amount == total(amount.split(parts))


@for_all(amount=AMOUNTS, parts=PARTS)
def test_each_share_of_a_split_is_within_a_fen_of_its_proportion(
    amount: Money, parts: list[int]
) -> None:
    for share, part in zip(amount.split(parts), parts, strict=True):
        assert abs(share.fen - Fraction(amount.fen * part, sum(parts))) <= 1


@for_all(amount=AMOUNTS, parts=PARTS)
def test_a_part_of_nothing_gets_nothing(amount: Money, parts: list[int]) -> None:
    shares = amount.split(parts)

    assert all(share == ZERO for share, part in zip(shares, parts, strict=True) if part == 0)


def test_the_remainder_goes_to_the_first_parts_in_order() -> None:
    assert (Money(4), Money(3), Money(3)) == Money(10).split([1, 1, 1])
    assert (Money(0), Money(1), Money(1), Money(0)) == Money(2).split([0, 1, 1, 1])


@pytest.mark.parametrize("parts", [[], [0, 0], [2, -1]])
def test_a_split_among_nobody_is_refused(parts: list[int]) -> None:
    with pytest.raises(ValueError, match="cannot split"):
        Money(10).split(parts)


@for_all(amount=AMOUNTS, rate=RATES)
def test_half_up_is_the_nearest_fen_and_halves_go_away_from_zero(
    amount: Money, rate: Fraction
) -> None:
    exact = amount.fen * rate
    share = amount.share(rate)

    assert abs(share.fen - exact) <= Fraction(1, 2)
    if abs(share.fen - exact) == Fraction(1, 2):
        assert abs(share.fen) > abs(exact)


@for_all(amount=AMOUNTS, rate=RATES)
def test_down_and_up_enclose_the_exact_share(amount: Money, rate: Fraction) -> None:
    exact = abs(amount.fen * rate)
    down, up = amount.share(rate, Rounding.DOWN), amount.share(rate, Rounding.UP)

    assert abs(down.fen) <= exact <= abs(up.fen)
    assert abs(up.fen) - abs(down.fen) == (exact.denominator != 1)


@for_all(amount=AMOUNTS, rate=RATES, rounding=st.sampled_from(Rounding))
def test_a_difference_taken_back_cancels_to_the_fen(
    amount: Money, rate: Fraction, rounding: Rounding
) -> None:
    assert amount.share(rate, rounding) + (-amount).share(rate, rounding) == ZERO


@for_all(one=AMOUNTS, other=AMOUNTS, rate=RATES)
def test_a_larger_amount_never_has_a_smaller_share(
    one: Money, other: Money, rate: Fraction
) -> None:
    small, large = min(one, other), max(one, other)

    assert small.share(rate) <= large.share(rate)


@for_all(amount=AMOUNTS)
def test_an_amount_is_read_back_as_it_is_written(amount: Money) -> None:
    assert amount == yuan(str(amount))


@pytest.mark.parametrize(
    ("written", "fen"), [("12.50", 1250), ("12.5", 1250), ("12", 1200), ("-0.01", -1), ("0", 0)]
)
def test_yuan_as_people_write_them(written: str, fen: int) -> None:
    assert Money(fen) == Money.yuan(written)


@pytest.mark.parametrize("written", ["", "12.505", "1,200", " 1", "1e3", ".5", "１２", "1.", "--1"])
def test_anything_else_is_no_amount(written: str) -> None:
    with pytest.raises(ValueError, match="not an amount"):
        yuan(written)


@pytest.mark.parametrize("fen", [1.0, True, "1", None])
def test_only_whole_numbers_are_fen(fen: object) -> None:
    with pytest.raises(TypeError, match="whole"):
        Money(fen)  # type: ignore[arg-type]


def test_a_rate_is_never_a_float() -> None:
    with pytest.raises(TypeError, match="Fraction"):
        Money(100).share(0.7)  # type: ignore[arg-type]


def test_money_adds_multiplies_and_compares() -> None:
    assert yuan("-1.05") == yuan("1.95") - yuan("3")
    assert yuan("7.50") == 3 * yuan("2.50") == yuan("2.50") * 3
    assert yuan("1") < yuan("1.01")
    assert not ZERO
    assert str(Money(-5)) == "-0.05"
