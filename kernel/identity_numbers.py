"""Numbers with a check of their own: identity numbers (公民身份号码), credit codes (信用代码).

Pure: it computes, it looks nothing up. The division at the head of a number is that of first
registration and may be abolished since, so it is not compared with today's list.
Source: GB 11643-1999 (identity numbers), GB 32100-2015 (unified social credit codes).
"""

import re
from datetime import date
from enum import StrEnum
from operator import mul

_IDENTITY_FORM = re.compile(r"[0-9]{17}[0-9X]")
_IDENTITY_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_IDENTITY_CHECKS = "10X98765432"
_CREDIT_CHARACTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # without I, O, S, V, Z
_CREDIT_FORM = re.compile(rf"[{_CREDIT_CHARACTERS}]{{18}}")
_CREDIT_WEIGHTS = tuple(pow(3, place, 31) for place in range(17))


class IdentityFault(StrEnum):
    """What is wrong with an identity number; the value is the reason told to the caller."""

    LENGTH = "IDENTITY_LENGTH"
    BIRTH_DATE = "IDENTITY_BIRTH_DATE"
    CHECK_DIGIT = "IDENTITY_CHECK_DIGIT"


def identity_fault(number: str, *, today: date | None = None) -> IdentityFault | None:
    """The first fault of an 18-character identity number, None where it is sound.

    Holds for residents and for the residence permits of Hong Kong, Macau and Taiwan (prefixes
    81, 82, 83), which follow the same rule. With `today`, a birth in the future is a fault.
    """
    if not _IDENTITY_FORM.fullmatch(number):
        return IdentityFault.LENGTH
    born = _civil_day(number[6:14])
    if born is None or (today is not None and born > today):
        return IdentityFault.BIRTH_DATE
    if number[17] != identity_check_character(number[:17]):
        return IdentityFault.CHECK_DIGIT
    return None


def identity_check_character(digits: str) -> str:
    """The eighteenth character that belongs to the first seventeen digits."""
    if len(digits) != len(_IDENTITY_WEIGHTS):
        raise ValueError("the check character follows seventeen digits")
    weighed = sum(map(mul, map(int, digits), _IDENTITY_WEIGHTS))
    return _IDENTITY_CHECKS[weighed % 11]


def birth_date(number: str) -> date:
    """The birth date in a sound identity number. Refuses (ValueError) where there is none."""
    born = _civil_day(number[6:14])
    if born is None:
        raise ValueError("the number holds no birth date")
    return born


def is_social_credit_code(code: str) -> bool:
    """Whether an organisation's unified social credit code has the form and its check."""
    return bool(_CREDIT_FORM.fullmatch(code)) and code[17] == credit_check_character(code[:17])


def credit_check_character(characters: str) -> str:
    """The eighteenth character that belongs to the first seventeen."""
    values = (_CREDIT_CHARACTERS.index(character) for character in characters)
    weighed = sum(v * w for v, w in zip(values, _CREDIT_WEIGHTS, strict=True))
    return _CREDIT_CHARACTERS[-weighed % 31]


def _civil_day(digits: str) -> date | None:
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))
    except ValueError:
        return None
