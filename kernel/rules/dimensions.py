"""On what a figure may depend: grade, group, tier, form, staff, level, status, age. Pure.

A figure's table is nested by its dimensions, outermost first; `any` catches the rest. Of
several statuses that hold at once the best counts, or the lowest: they are never added.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeVar

from kernel.money import Money
from kernel.refusal import Refused
from kernel.rules.figure import Figure, FigureUnknown

FORMS = (
    "home_visits",  # 居家上门护理
    "family_carer",  # 亲情/个人护理, instead of visits
    "home_agency",  # 机构上门护理
    "institution",  # 养老机构护理
    "hospital",  # 医疗机构护理 (专护)
    "community",  # 社区日间护理
    "carer_beside",  # a carer and visits together (居家护理组合)
)
GROUPS = ("employee", "retiree", "flexible", "resident", "minor")
STAFF = ("care_worker", "medical_carer", "nurse", "specialist_nurse", "therapist", "family")
LEVELS = ("level_1", "level_2", "level_3", "nursing_home", "community", "village")
STATUSES = (
    "age_60",
    "age_70",
    "age_80",
    "state_supported",  # 特困
    "poor",  # 低保
    "medical_aid",  # 医疗救助
    "severely_disabled",  # 重度残疾
    "poor_severely_disabled",
    "dementia",  # 失智
    "student",
    "preschool",
    "family_planning",  # 计划生育家庭
    "exempt",
    "served_1_month",
    "served_6_months",
    "takes_cash",
    "trained_carer",
)
ANY = "any"
UNKNOWN = "unknown"  # a cell that was not found

_CLOSED = {
    "grade": tuple("0123456"),
    "group": GROUPS,
    "form": FORMS,
    "staff": STAFF,
    "level": LEVELS,
}
DIMENSIONS = (*_CLOSED, "tier", "status", "age")
_BAND = re.compile(r"(\d+)-(\d*)", re.ASCII)
T = TypeVar("T", Money, Fraction, int)
Leaf = Callable[[Any], T]


@dataclass(frozen=True, kw_only=True, slots=True)
class Who:
    """Whom and what a figure is asked for; empty where it is not known."""

    grade: int | None = None
    group: str = ""
    tier: str = ""
    form: str = ""
    level: str = ""
    staff: str = ""
    statuses: frozenset[str] = frozenset()
    age: int | None = None

    def told(self, dimension: str) -> str:
        """The key in a table of that dimension."""
        value = getattr(self, dimension)
        return "" if value is None else str(value)


class Without(Refused):
    """The table has no cell for this person or care: the scheme has no amount for it."""

    def __init__(self, dimension: str, told: str, component: str) -> None:
        super().__init__(
            f"{dimension.upper()}_WITHOUT_AMOUNT", component=component, **{dimension: told}
        )


def money(told: Any) -> Money:
    """An amount in fen, not below zero."""
    if type(told) is not int or told < 0:
        raise ValueError(f"wanted whole fen, not below 0, got {told!r}")
    return Money(told)


def rate(told: Any) -> Fraction:
    """A share written `"0.75"`, not below zero."""
    if not isinstance(told, str) or "/" in told:
        raise ValueError(f'wanted a rate as text ("0.75"), got {told!r}')
    share = Fraction(told)
    if share < 0:
        raise ValueError(f"a rate below 0: {told!r}")
    return share


def whole(told: Any) -> int:
    """A count of minutes, visits or months."""
    if type(told) is not int or told < 0:
        raise ValueError(f"wanted a whole number, not below 0, got {told!r}")
    return told


def look_up(figure: Figure, who: Who, leaf: Leaf[T], *, pool: str, asked_by: str) -> T:
    """The figure's value for these people and this care.

    Refuses FIGURE_UNKNOWN for a cell that is not known, and `<DIMENSION>_WITHOUT_AMOUNT` for
    one that is not there.
    """

    def descend(value: Any, by: tuple[str, ...], path: str) -> T:
        if value == UNKNOWN and isinstance(value, str):
            raise FigureUnknown(path, pool)
        if not by:
            return leaf(value)
        dimension, rest = by[0], by[1:]
        keys = _keys(value, dimension, who)
        if not keys:
            held = ",".join(sorted(who.statuses)) if dimension == "status" else who.told(dimension)
            raise Without(dimension, held, asked_by)
        found = [descend(value[key], rest, f"{path}.{key}") for key in keys]
        return min(found) if figure.combine == "lowest" else max(found)

    return descend(figure.value, figure.dimensions, figure.key)


def _keys(value: Mapping[str, Any], dimension: str, who: Who) -> list[str]:
    if dimension == "status":
        held = [status for status in sorted(who.statuses) if status in value]
        return [*held, ANY] if ANY in value else held
    if dimension == "age":
        within = [band for band in value if band != ANY and _in_band(who.age, band)]
    else:
        told = who.told(dimension)
        within = [told] if told in value else []
    return within or ([ANY] if ANY in value else [])


def _in_band(age: int | None, band: str) -> bool:
    written = _BAND.fullmatch(band)
    if written is None or age is None:
        return False
    first, last = written.groups()
    return int(first) <= age and (not last or age <= int(last))


def asked_of(figure: Figure, who: Who) -> dict[str, str | int]:
    """What the figure depends on, for the inputs of a step."""
    told: dict[str, str | int] = {}
    for dimension in figure.dimensions:
        if dimension == "status":
            told[dimension] = ",".join(sorted(who.statuses))
        else:
            value = getattr(who, dimension)
            told[dimension] = "" if value is None else value
    return told


def cells(figure: Figure) -> Iterator[Any]:
    """Every cell of the figure's table, or its one value."""

    def walk(value: Any, depth: int) -> Iterator[Any]:
        if depth:
            for item in value.values():
                yield from walk(item, depth - 1)
        else:
            yield value

    yield from walk(figure.value, len(figure.dimensions))


def check_table(figure: Figure, leaf: Leaf[T], statuses: frozenset[str]) -> None:
    """ValueError where the table is not nested as `by` says, or a key or cell cannot be."""
    if "status" in figure.dimensions and not figure.combine:
        raise ValueError('a table by status says combine = "best" or "lowest"')
    _check(figure.value, figure.dimensions, leaf, statuses)


def _check(value: Any, by: tuple[str, ...], leaf: Leaf[T], statuses: frozenset[str]) -> None:
    if value == UNKNOWN and isinstance(value, str):
        return
    if not by:
        leaf(value)
        return
    if not isinstance(value, dict) or not value:
        raise ValueError(f"wanted a table by {by[0]}, got {value!r}")
    for key, item in value.items():
        _check_key(key, by[0], statuses)
        _check(item, by[1:], leaf, statuses)


def _check_key(key: str, dimension: str, statuses: frozenset[str]) -> None:
    if key == ANY or dimension == "tier":
        return
    if dimension == "age":
        if _BAND.fullmatch(key) is None:
            raise ValueError(f'no band of years (0-40, 41-): "{key}"')
        return
    allowed = (*STATUSES, *sorted(statuses)) if dimension == "status" else _CLOSED[dimension]
    if key not in allowed:
        raise ValueError(f'no such {dimension} "{key}"; there are {", ".join(allowed)}')
