"""What is paid in for a person, by source (筹资). Pure: no clock, no I/O, no floats."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from kernel.money import Money, Rounding
from kernel.refusal import Refused
from kernel.rules.benefit import amount_of
from kernel.rules.dimensions import Who, asked_of, look_up, rate
from kernel.rules.figure import Figure
from kernel.rules.formula import Amount, Source
from kernel.rules.ruling import Scalar, Trace

SOURCES_OF_MONEY = ("person", "employer", "medical_fund", "state", "lottery", "donation")

FLAT = "a fixed contribution"
RATE = "rate of the contribution"
BASE = "base of the contribution"
FLOOR = "floor of the base"
CEILING = "ceiling of the base"
SHARE = "rate times base"
CONTRIBUTION_LABELS = (FLAT, RATE, BASE, FLOOR, CEILING, SHARE)


class Base(StrEnum):
    """What of a person a rate is taken of."""

    WAGE = "wage"  # 工资
    PENSION = "pension"  # 基本养老金
    INCOME = "income"
    MEDICAL_BASE = "medical_base"  # 医保缴费基数


class PerTime(StrEnum):
    MONTH = "month"
    YEAR = "year"


@dataclass(frozen=True, kw_only=True)
class FlatPerYear:
    """A fixed amount a year (定额筹资)."""

    amount: Amount


@dataclass(frozen=True, kw_only=True)
class RateOfBase:
    """A rate of the person's own or of a published base (按费率筹资), within floor and ceiling."""

    rate: Figure
    base: Base | None = None
    base_amount: Amount | None = None
    floor: Amount | None = None
    ceiling: Amount | None = None
    per: PerTime = PerTime.MONTH
    rounding: Rounding = Rounding.HALF_UP


@dataclass(frozen=True, kw_only=True)
class Line:
    """One source's contribution, and the text that asks for it."""

    source: str
    rule: FlatPerYear | RateOfBase
    clause: Figure
    pool: str


@dataclass(frozen=True, kw_only=True)
class Contributor:
    """A person as far as contributions depend on it; bases are of the time of the rule."""

    group: str
    tier: str = ""
    age: int | None = None
    statuses: frozenset[str] = frozenset()
    bases: Mapping[Base, Money] = field(default_factory=dict)

    @property
    def who(self) -> Who:
        return Who(group=self.group, tier=self.tier, age=self.age, statuses=self.statuses)


@dataclass(frozen=True, kw_only=True)
class Due:
    """What one source owes for the time of its rule."""

    source: str
    per: PerTime
    amount: Money


def contributions_due(
    lines: tuple[Line, ...], person: Contributor, trace: Trace
) -> tuple[Due, ...]:
    """What each source owes, in the order of the rule.

    Refuses FIGURE_UNKNOWN, BASE_MISSING where the person's wage or pension is not told, and
    `<DIMENSION>_WITHOUT_AMOUNT`.
    """
    return tuple(_due(line, person, trace) for line in lines)


def _due(line: Line, person: Contributor, trace: Trace) -> Due:
    match line.rule:
        case FlatPerYear(amount=amount):
            owed = _amount(line, amount, person, FLAT, trace)
            return Due(source=line.source, per=PerTime.YEAR, amount=owed)
        case RateOfBase() as rule:
            base = _base(line, rule, person, trace)
            share = look_up(rule.rate, person.who, rate, pool=line.pool, asked_by=line.source)
            trace.computed(
                rule.rate, f"{line.source}: {RATE}", asked_of(rule.rate, person.who), str(share)
            )
            owed = base.share(share, rule.rounding)
            inputs: dict[str, Scalar] = {"base_fen": base.fen, "rate": str(share)}
            trace.computed(line.clause, f"{line.source}: {SHARE}", inputs, owed.fen)
            return Due(source=line.source, per=rule.per, amount=owed)


def _base(line: Line, rule: RateOfBase, person: Contributor, trace: Trace) -> Money:
    if rule.base_amount is not None:
        base = _amount(line, rule.base_amount, person, BASE, trace)
    else:
        told = person.bases.get(rule.base) if rule.base else None
        if told is None:
            raise Refused("BASE_MISSING", base=str(rule.base), source=line.source, pool=line.pool)
        base = told
        inputs: dict[str, Scalar] = {"base": str(rule.base)}
        trace.computed(line.clause, f"{line.source}: {BASE}", inputs, base.fen)
    if rule.floor is not None:
        base = max(base, _amount(line, rule.floor, person, FLOOR, trace))
    if rule.ceiling is not None:
        base = min(base, _amount(line, rule.ceiling, person, CEILING, trace))
    return base


def _amount(line: Line, amount: Amount, person: Contributor, label: str, trace: Trace) -> Money:
    found = amount_of(amount, person.who, line.pool, line.source, Rounding.HALF_UP)
    inputs = asked_of(amount.base, person.who)
    trace.computed(amount.base, f"{line.source}: {label}", inputs, found.fen)
    return found


# --- reading ----------------------------------------------------------------------------------


def read_lines(clause: Figure, source: Source, pool: str) -> tuple[Line, ...]:
    """The lines of a group's contributions; ValueError where the figure tells none."""
    if not isinstance(clause.value, list) or not all(isinstance(x, dict) for x in clause.value):
        raise ValueError("contributions are a list of sources with their shapes")
    return tuple(_line(dict(told), clause, source, pool) for told in clause.value)


def _line(told: dict[str, Any], clause: Figure, source: Source, pool: str) -> Line:
    payer, shape = told.pop("source", None), told.pop("shape", None)
    if payer not in SOURCES_OF_MONEY:
        raise ValueError(f"no such source {payer!r}; there are {', '.join(SOURCES_OF_MONEY)}")
    if shape == "flat_per_year":
        _only(shape, told, {"amount"})
        rule: FlatPerYear | RateOfBase = FlatPerYear(amount=source.amount(told["amount"], "amount"))
    elif shape == "rate_of_base":
        rule = _rate_of_base(shape, told, source)
    else:
        raise ValueError(f"no such shape {shape!r}; there are flat_per_year, rate_of_base")
    return Line(source=payer, rule=rule, clause=clause, pool=pool)


def _rate_of_base(shape: str, told: dict[str, Any], source: Source) -> RateOfBase:
    _only(shape, told, {"rate", "base", "base_amount", "floor", "ceiling", "per", "rounding"})
    if ("base" in told) == ("base_amount" in told) or "rate" not in told:
        raise ValueError("rate_of_base has a rate, and a base or a base_amount")
    amounts = {
        name: source.amount(told[name], name)
        for name in ("base_amount", "floor", "ceiling")
        if name in told
    }
    return RateOfBase(
        rate=source.figure("rates", told["rate"]),
        base=Base(told["base"]) if "base" in told else None,
        per=PerTime(told.get("per", "month")),
        rounding=Rounding(told.get("rounding", "half_up")),
        **amounts,
    )


def _only(shape: str, told: dict[str, Any], known: set[str]) -> None:
    strange = sorted(set(told) - known)
    if strange:
        raise ValueError(f"{shape} has no {', '.join(strange)}; it has {', '.join(sorted(known))}")
