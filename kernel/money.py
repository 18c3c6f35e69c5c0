"""Money in whole fen (分), and the only ways to divide it. Pure: no clock, no I/O, no floats.

One currency, CNY: what a pool pays is never converted. Sums may be negative, because a
correction is a difference; rounding is mirrored at zero, so that a difference taken back
cancels to the fen.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Self

_YUAN = re.compile(r"(-?)(\d+)(?:\.(\d{1,2}))?", re.ASCII)


class Rounding(StrEnum):
    """What becomes of part of a fen; the rule that divides names it."""

    HALF_UP = "half_up"  # 四舍五入: half a fen away from zero
    DOWN = "down"  # towards zero
    UP = "up"  # away from zero


@dataclass(frozen=True, order=True, slots=True)
class Money:
    """An amount in fen."""

    fen: int

    def __post_init__(self) -> None:
        # bool is an int to Python, and neither a flag nor a float is an amount.
        if type(self.fen) is not int:
            raise TypeError(f"fen are whole numbers, got {self.fen!r}")

    @classmethod
    def yuan(cls, text: str) -> Self:
        """The amount people write as `"12.5"`, `"12.50"` or `"12"` yuan; ValueError otherwise."""
        written = _YUAN.fullmatch(text)
        if written is None:
            raise ValueError(f"not an amount in yuan: {text!r}")
        sign, whole, part = written.groups()
        fen = int(whole) * 100 + int((part or "").ljust(2, "0"))
        return cls(-fen if sign else fen)

    def __add__(self, other: "Money") -> "Money":
        return Money(self.fen + other.fen)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.fen - other.fen)

    def __mul__(self, times: int) -> "Money":
        return Money(self.fen * times)

    __rmul__ = __mul__

    def __neg__(self) -> "Money":
        return Money(-self.fen)

    def __bool__(self) -> bool:
        return self.fen != 0

    def __str__(self) -> str:
        sign = "-" if self.fen < 0 else ""
        return f"{sign}{abs(self.fen) // 100}.{abs(self.fen) % 100:02d}"

    def share(self, rate: Fraction, rounding: Rounding = Rounding.HALF_UP) -> "Money":
        """The amount times the rate, in whole fen; `rounding` says what becomes of the rest."""
        if not isinstance(rate, Fraction):
            raise TypeError(f"a rate is a Fraction, got {rate!r}")
        exact = self.fen * rate
        fen, rest = divmod(abs(exact.numerator), exact.denominator)
        if rounding is Rounding.UP:
            fen += rest > 0
        elif rounding is Rounding.HALF_UP:
            fen += 2 * rest >= exact.denominator
        return Money(-fen if exact < 0 else fen)

    def split(self, parts: Sequence[int]) -> "tuple[Money, ...]":
        """Shares in the proportion of `parts`, which together are this amount to the fen.

        Each share is cut towards zero, then the fen left over go one each to the parts in
        their order, passing over parts of nothing. ValueError where no part is above zero.
        """
        whole = sum(parts)
        if whole <= 0 or min(parts) < 0:
            raise ValueError(f"cannot split by {list(parts)}")
        amount = abs(self.fen)
        shares = [amount * part // whole for part in parts]
        # Fewer fen are left over than there are parts above zero: one round is enough.
        left = amount - sum(shares)
        for place, part in enumerate(parts):
            if left and part:
                shares[place] += 1
                left -= 1
        return tuple(Money(-share if self.fen < 0 else share) for share in shares)


ZERO = Money(0)


def yuan(text: str) -> Money:
    """`Money.yuan`, for tests and tables that write many amounts."""
    return Money.yuan(text)


def total(amounts: Iterable[Money]) -> Money:
    """The sum, `ZERO` of none."""
    return sum(amounts, ZERO)
