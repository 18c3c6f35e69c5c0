"""Fictitious people with sound identity numbers. Any likeness is chance.

The names are those of textbooks; the numbers are made here, digit by digit, and belong to
nobody: their sequence numbers are far above those that offices give out in one day.
"""

from dataclasses import dataclass
from datetime import date

from kernel.identity_numbers import identity_check_character

_SURNAMES = "王李张刘陈杨赵黄周吴"
_GIVEN = ("试一", "试二", "试三", "试四", "试五", "试六", "试七")


@dataclass(frozen=True, kw_only=True)
class TestPerson:
    """Somebody who does not exist."""

    __test__ = False  # no test, whatever pytest makes of the name

    identity_number: str
    full_name: str
    birth_date: date


def person(number: int) -> TestPerson:
    """The n-th person: always the same one, and another for each number below 42 000."""
    born = date(1930 + number % 30, 1 + number % 12, 1 + number % 28)
    digits = f"110105{born:%Y%m%d}{900 + number // 420 % 100:03d}"
    return TestPerson(
        identity_number=digits + identity_check_character(digits),
        full_name=_SURNAMES[number % 10] + _GIVEN[number % 7],
        birth_date=born,
    )


def wrong_check_digit(identity_number: str) -> str:
    """The number with its last character off by one: the commonest slip of a pen."""
    right = identity_number[17]
    return identity_number[:17] + ("0" if right != "0" else "1")
