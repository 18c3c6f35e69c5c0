"""Checks a request field by field and tells everything that is wrong with it at once.

A check returns the parsed value. Where the field is wrong it returns a harmless stand-in and
remembers the violation; `done()` raises before anybody uses the stand-in. Messages say what
was wrong and what would be right, in English and Chinese, and never repeat the value: it may
be personal.
"""

import datetime as dt
import re
from collections.abc import Collection
from enum import StrEnum
from typing import Any, Protocol, TypeVar
from uuid import UUID

from kernel.calendar import Month
from kernel.identity_numbers import IdentityFault, identity_fault, is_social_credit_code
from kernel.refusal import Invalid, Violation

_NO_UUID = UUID(int=0)
_NO_DATE = dt.date.min
_NO_MONTH = Month(1, 1)
_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_ISO_MONTH = re.compile(r"[0-9]{4}-[0-9]{2}")
_POOL = re.compile(r"[0-9]{6}")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_IDENTITY_WORDS = {
    IdentityFault.LENGTH: (
        "must be 18 characters: 17 digits and a digit or X",
        "应为18位:17位数字加1位数字或X",
    ),
    IdentityFault.BIRTH_DATE: (
        "digits 7 to 14 must be a birth date that exists and is not in the future",
        "第7至14位应为真实且不晚于今天的出生日期",
    ),
    IdentityFault.CHECK_DIGIT: (
        "the last character does not match the others; a digit was probably mistyped",
        "校验码不符,请核对是否有数字录入错误",
    ),
}
D = TypeVar("D", bound=StrEnum)


class WireEnum(Protocol):
    """A generated protobuf enum: its name, and the names of its numbers."""

    @property
    def DESCRIPTOR(self) -> object: ...  # noqa: N802 - protobuf's name
    def Name(self, number: Any) -> str: ...  # noqa: N802 - protobuf's name


class Check:
    """Gathers the violations of one request."""

    def __init__(self, at: str = "") -> None:
        """`at` is the path of what is checked inside its request: `questions[3].`."""
        self._violations: list[Violation] = []
        self._at = at

    def done(self) -> None:
        """Raises `Invalid` with every violation found, in the order of the checks."""
        if self._violations:
            raise Invalid(self._violations)

    def fail(self, field: str, reason: str, message: str, message_zh: str) -> None:
        """Adds a violation that the caller found by itself."""
        self._violations.append(Violation(self._at + field, reason, message, message_zh))

    def require(self, field: str, value: object) -> bool:
        """Whether there is a value at all; `REQUIRED` where not."""
        if value not in ("", None, b"", (), []):
            return True
        self.fail(field, "REQUIRED", "must be given", "必填")
        return False

    def text(self, field: str, value: str, *, max: int = 200, required: bool = True) -> str:  # noqa: A002 - reads as the rule it is
        """The text without spaces around it, at most `max` characters."""
        stripped = value.strip()
        if required and not self.require(field, stripped):
            return ""
        if len(stripped) > max:
            self.fail(
                field, "TOO_LONG", f"must be at most {max} characters long", f"不得超过{max}个字符"
            )
        if _CONTROL.search(stripped):
            self.fail(
                field, "CONTROL_CHARACTER", "must not hold control characters", "不得含有控制字符"
            )
        return stripped

    def pattern(self, field: str, value: str, pattern: str, what: str, what_zh: str) -> str:
        """The text, which must match the whole pattern; `what` says the right form in words."""
        if self.require(field, value) and not re.fullmatch(pattern, value):
            self.fail(field, "WRONG_FORM", f"must be {what}", f"应为{what_zh}")
        return value

    def uuid(self, field: str, value: str) -> UUID:
        """The id; only the lower-case form with hyphens, so that one id has one spelling."""
        if not self.require(field, value):
            return _NO_UUID
        try:
            parsed = UUID(value)
        except ValueError:
            parsed = _NO_UUID
        if str(parsed) != value or parsed == _NO_UUID:
            self.fail(
                field,
                "NOT_A_UUID",
                "must be a UUID in lower case with hyphens",
                "应为小写并带连字符的UUID",
            )
            return _NO_UUID
        return parsed

    def optional_uuid(self, field: str, value: str) -> UUID | None:
        return self.uuid(field, value) if value else None

    def date(self, field: str, value: str) -> dt.date:
        """The civil day, written 2024-03-01."""
        if not self.require(field, value):
            return _NO_DATE
        try:
            if _ISO_DATE.fullmatch(value):
                return dt.date.fromisoformat(value)
        except ValueError:
            pass  # a day like 2024-02-30: told below
        self.fail(
            field,
            "NOT_A_DATE",
            "must be a day of the calendar, written like 2024-03-01",
            "应为真实日期,格式如2024-03-01",
        )
        return _NO_DATE

    def optional_date(self, field: str, value: str) -> dt.date | None:
        return self.date(field, value) if value else None

    def month(self, field: str, value: str) -> Month:
        """The month, written 2024-03."""
        if not self.require(field, value):
            return _NO_MONTH
        try:
            if _ISO_MONTH.fullmatch(value):
                return Month.parse(value)
        except ValueError:
            pass  # a month like 2024-13: told below
        self.fail(
            field,
            "NOT_A_MONTH",
            "must be a month, written like 2024-03",
            "应为月份,格式如2024-03",
        )
        return _NO_MONTH

    def optional_month(self, field: str, value: str) -> Month | None:
        return self.month(field, value) if value else None

    def not_future(self, field: str, day: dt.date, today: dt.date) -> None:
        """Facts are told after they happened; today counts as happened."""
        if day > today:
            self.fail(field, "DATE_IN_FUTURE", "must not be after today", "不得晚于今天")

    def in_order(self, field: str, first: dt.date, last: dt.date) -> None:
        """A period's last day is not before its first; both belong to it."""
        if _NO_DATE not in {first, last} and last < first:
            self.fail(
                field,
                "ENDS_BEFORE_START",
                "must not be before the first day of the period",
                "不得早于期间的起始日",
            )

    def positive_fen(self, field: str, value: int) -> int:
        """An amount in fen, at least 1."""
        return self.positive(field, value)

    def non_negative_fen(self, field: str, value: int) -> int:
        """An amount in fen, at least 0."""
        if value < 0:
            self.fail(field, "NEGATIVE_AMOUNT", "must not be negative", "不得为负数")
        return value

    def positive(self, field: str, value: int) -> int:
        """A count or quantity, at least 1."""
        if value <= 0:
            self.fail(field, "NOT_POSITIVE", "must be more than zero", "应大于零")
        return value

    def between(self, field: str, value: int, low: int, high: int) -> int:
        """A number in a range, both ends in."""
        if not low <= value <= high:
            self.fail(
                field,
                "OUT_OF_RANGE",
                f"must be between {low} and {high}",
                f"应在{low}至{high}之间",
            )
        return value

    def one_of(self, field: str, value: str, allowed: Collection[str]) -> str:
        """One of a small set of words."""
        if self.require(field, value) and value not in allowed:
            words = ", ".join(sorted(allowed))
            self._unknown(field, words)
        return value

    def enum(self, field: str, number: int, wire: WireEnum, domain: type[D]) -> D:
        """The domain's value for a number of a proto enum; zero means it was not given.

        Domain values are the proto's names without their prefix, in lower case.
        """
        prefix = _enum_prefix(wire)
        try:
            name = wire.Name(number).removeprefix(prefix).lower()
            if self.require(field, None if number == 0 else name):
                return domain(name)
        except ValueError:
            self._unknown(field, ", ".join(prefix + member.value.upper() for member in domain))
        return next(iter(domain))

    def pool(self, field: str, value: str, known: Collection[str] | None = None) -> str:
        """A pooling area (统筹地区): six digits, one of those known where these are given."""
        if self.require(field, value) and (
            not _POOL.fullmatch(value) or (known is not None and value not in known)
        ):
            self.fail(
                field,
                "UNKNOWN_POOL",
                "must be the six-digit code of a pooling area whose rules are loaded",
                "应为已加载规则的统筹地区的六位代码",
            )
        return value

    def identity_number(self, field: str, value: str, *, today: dt.date | None = None) -> str:
        """An identity number with its check (GB 11643), the last letter in upper case."""
        number = value.strip().upper()
        if not self.require(field, number):
            return ""
        fault = identity_fault(number, today=today)
        if fault is not None:
            self.fail(field, fault.value, *_IDENTITY_WORDS[fault])
        return number

    def social_credit_code(self, field: str, value: str) -> str:
        """An organisation's unified social credit code with its check (GB 32100)."""
        code = value.strip().upper()
        if self.require(field, code) and not is_social_credit_code(code):
            self.fail(
                field,
                "SOCIAL_CREDIT_CODE_CHECK",
                "must be 18 characters whose last one matches the others; one was probably"
                " mistyped",
                "应为18位统一社会信用代码且校验码相符,请核对录入",
            )
        return code

    def _unknown(self, field: str, words: str) -> None:
        self.fail(field, "UNKNOWN_VALUE", f"must be one of: {words}", f"应为以下之一:{words}")


def _enum_prefix(wire: WireEnum) -> str:
    """`CoverageGroup` → `COVERAGE_GROUP_`."""
    name = str(getattr(wire.DESCRIPTOR, "name", ""))
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).upper() + "_"
