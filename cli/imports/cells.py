"""Reads single cells of an import: text as people write it, value as services take it.

Pure. Every reader returns a harmless stand-in where the text is wrong and tells the check what
would be right; amounts and degrees never pass through a float.
"""

import re
from collections.abc import Callable
from datetime import datetime

from kernel.clock import SHANGHAI
from kernel.rpc.validate import Check, WireEnum

Reader = Callable[[Check, str, str], object]

LARGEST_FEN = 10**15  # ten trillion yuan: more is a slip, and all services can hold it
MICRO = 1_000_000
START_OF_TIME = datetime(1, 1, 2, tzinfo=SHANGHAI)  # a day after the first: UTC can hold it
END_OF_TIME = datetime(9999, 12, 30, tzinfo=SHANGHAI)
_YUAN = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?")
_DEGREES = re.compile(r"(-?)([0-9]{1,3})(?:\.([0-9]+))?")
_PHOTO = re.compile(r"([0-9a-fA-F]{64})(:([0-9a-fA-F]{16}))?")
_WHOLE = re.compile(r"[0-9]{1,9}")
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})"
)


def text(longest: int = 200) -> Reader:
    """Words, at most so many characters."""
    return lambda check, column, cell: check.text(column, cell, max=longest, required=False)


def identity_number(check: Check, column: str, cell: str) -> object:
    """An identity number with its check (GB 11643)."""
    return check.identity_number(column, cell)


def any_identity_number(check: Check, column: str, cell: str) -> object:
    """The number of an identity paper whose kind stands in another column."""
    return check.text(column, cell, max=40).upper()


def credit_code(check: Check, column: str, cell: str) -> object:
    """An organisation's unified social credit code (GB 32100)."""
    return check.social_credit_code(column, cell)


def pool(check: Check, column: str, cell: str) -> object:
    """A pooling area; whether its rules are loaded is known to the services."""
    return check.pool(column, cell)


def day(check: Check, column: str, cell: str) -> object:
    """A civil day."""
    return check.date(column, cell)


def month(check: Check, column: str, cell: str) -> object:
    """A month, written 2024-03."""
    return check.month(column, cell)


def instant(check: Check, column: str, cell: str) -> object:
    """A moment with its offset, in the pools' time and to the second."""
    try:
        if _INSTANT.fullmatch(cell):
            return datetime.fromisoformat(cell).astimezone(SHANGHAI).replace(microsecond=0)
    except (ValueError, OverflowError):
        pass  # a moment like 2024-02-30T25:00+08:00: told below
    check.fail(
        column,
        "NOT_AN_INSTANT",
        "must be a date and time with offset, written like 2024-03-01T09:30:00+08:00",
        "应为带时区的日期时间,格式如2024-03-01T09:30:00+08:00",
    )
    return START_OF_TIME


def word(wire: WireEnum, prefix: str) -> Reader:
    """One of an enumeration's words in lower case: the proto's names without their prefix."""
    numbers = {
        name.removeprefix(prefix).lower(): number
        for name, number in wire.items()  # type: ignore[attr-defined]
        if number != 0
    }

    def read(check: Check, column: str, cell: str) -> object:
        return numbers[cell] if check.one_of(column, cell, numbers) in numbers else 0

    return read


def one_of(*words: str) -> Reader:
    """One of a few words."""

    def read(check: Check, column: str, cell: str) -> object:
        return check.one_of(column, cell, words)

    return read


def yuan(least_fen: int = 0) -> Reader:
    """An amount in yuan, exactly in fen; `least_fen` is 1 where nothing is no amount."""

    def read(check: Check, column: str, cell: str) -> object:
        written = _YUAN.fullmatch(cell)
        if written is None:
            return _wrong(check, column, _NOT_AN_AMOUNT)
        sign, whole, part = written[1], written[2], written[3] or ""
        if len(part) > 2:
            return _wrong(check, column, _TOO_MANY_DECIMALS[2])
        fen = int(whole[:20]) * 100 + int(part.ljust(2, "0"))
        if sign and fen:
            return _wrong(check, column, _NEGATIVE)
        if fen < least_fen:
            return _wrong(check, column, _NOT_POSITIVE)
        if fen > LARGEST_FEN:
            return _wrong(check, column, _TOO_LARGE)
        return fen

    return read


def degrees(limit: int) -> Reader:
    """Degrees of latitude (limit 90) or longitude (180), exactly in millionths."""

    def read(check: Check, column: str, cell: str) -> object:
        written = _DEGREES.fullmatch(cell)
        if written is None:
            return _wrong(check, column, _NOT_DEGREES)
        sign, whole, part = written[1], written[2], written[3] or ""
        if len(part) > 6:
            return _wrong(check, column, _TOO_MANY_DECIMALS[6])
        microdegrees = int(whole) * MICRO + int(part.ljust(6, "0"))
        check.between(column, microdegrees // MICRO, 0, limit)
        return -microdegrees if sign else microdegrees

    return read


def whole(least: int, most: int) -> Reader:
    """A whole number in a range, both ends in."""

    def read(check: Check, column: str, cell: str) -> object:
        if not _WHOLE.fullmatch(cell):
            return _wrong(check, column, _NOT_WHOLE)
        return check.between(column, int(cell), least, most)

    return read


def hexadecimal(size: int) -> Reader:
    """So many bytes, written as hexadecimal digits."""

    def read(check: Check, column: str, cell: str) -> object:
        if not re.fullmatch(rf"[0-9a-fA-F]{{{2 * size}}}", cell):
            check.fail(
                column,
                "NOT_HEXADECIMAL",
                f"must be {2 * size} hexadecimal digits",
                f"应为{2 * size}位十六进制数字",
            )
            return b""
        return bytes.fromhex(cell)

    return read


def photos(check: Check, column: str, cell: str) -> object:
    """Photos by hash, with semicolons between them: SHA-256, then a colon and 16 digits if any."""
    found: list[tuple[bytes, int]] = []
    for part in (one.strip() for one in cell.split(";") if one.strip()):
        written = _PHOTO.fullmatch(part)
        if written is None:
            check.fail(column, *_NOT_PHOTOS)
            return ()
        found.append((bytes.fromhex(written[1]), int(written[3] or "0", 16)))
    return tuple(found)


def several(check: Check, column: str, cell: str) -> object:
    """Codes with semicolons between them."""
    parts = tuple(part.strip() for part in cell.split(";") if part.strip())
    for part in parts:
        check.text(column, part, max=100)
    return parts


def _wrong(check: Check, column: str, words: tuple[str, str, str]) -> int:
    check.fail(column, *words)
    return 0


_NOT_AN_AMOUNT = (
    "NOT_AN_AMOUNT",
    "must be an amount in yuan, written like 1234.50: no separators, no currency sign",
    "应为以元为单位的金额,格式如1234.50,不带千位分隔符和货币符号",
)
_NEGATIVE = ("NEGATIVE_AMOUNT", "must not be negative", "不得为负数")
_NOT_POSITIVE = ("NOT_POSITIVE", "must be more than zero", "应大于零")
_TOO_LARGE = (
    "OUT_OF_RANGE",
    f"must be at most {LARGEST_FEN // 100} yuan",
    f"不得超过{LARGEST_FEN // 100}元",
)
_NOT_DEGREES = (
    "NOT_DEGREES",
    "must be decimal degrees, written like 31.811000",
    "应为十进制度数,格式如31.811000",
)
_NOT_WHOLE = (
    "NOT_A_WHOLE_NUMBER",
    "must be a whole number in digits, at most nine",
    "应为不超过九位数字的整数",
)
_NOT_PHOTOS = (
    "NOT_PHOTOS",
    "must be SHA-256 hashes of 64 digits with semicolons between, or hash:16-digit perceptual hash",
    "应为以分号分隔的64位十六进制SHA-256值,可各附冒号和16位感知哈希值",
)
_TOO_MANY_DECIMALS = {
    places: (
        "TOO_MANY_DECIMALS",
        f"must have at most {places} decimals",
        f"小数不得超过{places}位",
    )
    for places in (2, 6)
}
