"""The closed set of formulas that benefits are computed with (待遇计算公式). Pure: no floats.

A pack names a shape and the figures it works with; there is no code in the data. A new way of
paying is a new typed shape here, with its properties tested. How shapes become money stands in
`benefit.py`.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any

from kernel.money import Rounding
from kernel.rules.figure import Figure
from kernel.rules.ruling import Cited


class Payee(StrEnum):
    """Who receives a component (支付对象)."""

    PROVIDER = "provider"  # 定点护理服务机构
    CARER = "carer"  # 个人护理人员, as a rule a relative


class ProRata(StrEnum):
    """How a part of a month counts (不足月折算)."""

    CALENDAR_DAYS = "calendar_days"  # amount x entitled days / days of the month
    NONE = "none"  # a part of a month counts as a month, once
    PER_DAY = "per_day"  # an amount for each entitled day, at most the month's


class Per(StrEnum):
    """Which days a daily amount is paid for."""

    ENTITLED_DAY = "entitled_day"
    CARE_DAY = "care_day"  # an entitled day with a visit


class CapBasis(StrEnum):
    """What a cap bounds."""

    FUND = "fund"  # what the fund pays, own share excluded
    COST = "cost"  # the cost, own share included


class Of(StrEnum):
    """Which part of the cost counts."""

    ALL = "all"
    LIFE = "life"  # 生活照护
    MEDICAL = "medical"  # 医疗护理


class QuotaPer(StrEnum):
    """The time a quota is for."""

    MONTH = "month"
    WEEK = "week"  # days 1-7, 8-14, 15-21, 22-28, and the rest of the month


@dataclass(frozen=True, kw_only=True)
class Amount:
    """A figure in fen, or a base times per cents (基数 x 比例)."""

    base: Figure
    times: tuple[Figure, ...] = ()

    @property
    def figures(self) -> tuple[Figure, ...]:
        return (self.base, *self.times)


@dataclass(frozen=True, kw_only=True)
class PartOfMonth:
    """How a part of a month cuts an amount or a cap, and the text that says so."""

    rule: ProRata
    clause: Cited
    day_amount: Amount | None = None  # with `per_day`


@dataclass(frozen=True, kw_only=True)
class FlatPerDay:
    """A fixed amount for each day (按日定额)."""

    amount: Amount
    per: Per = Per.ENTITLED_DAY
    month_cap: Amount | None = None
    part: PartOfMonth
    pot: str = ""
    rounding: Rounding = Rounding.HALF_UP


@dataclass(frozen=True, kw_only=True)
class FlatPerMonth:
    """A fixed amount a month, whatever the care cost (月度定额)."""

    amount: Amount
    month_cap: Amount | None = None
    part: PartOfMonth
    pot: str = ""
    rounding: Rounding = Rounding.HALF_UP


@dataclass(frozen=True, kw_only=True)
class RatioOfCost:
    """A share of the eligible cost, up to caps (按比例支付); without a ratio the whole cost."""

    ratio: Figure | None = None
    bonus: Figure | None = None
    of: Of = Of.ALL
    own_per_visit: Amount | None = None
    visit_cap: Amount | None = None
    day_cap: Amount | None = None
    month_cap: Amount | None = None
    cap_basis: CapBasis = CapBasis.FUND
    part: PartOfMonth
    pot: str = "cost"
    rounding: Rounding = Rounding.HALF_UP


@dataclass(frozen=True, kw_only=True)
class HoursTimesPrice:
    """Hours of care within a quota, at a price (按小时支付)."""

    price: Amount
    ratio: Figure | None = None
    bonus: Figure | None = None
    quota: Figure | None = None
    quota_per: QuotaPer = QuotaPer.MONTH
    month_cap: Amount | None = None
    quota_part: PartOfMonth
    part: PartOfMonth
    pot: str = "cost"
    rounding: Rounding = Rounding.HALF_UP


@dataclass(frozen=True, kw_only=True)
class VisitsTimesPrice:
    """Visits within a quota, each at its price by staff (按次支付)."""

    price: Amount
    fund_part: Amount | None = None
    ratio: Figure | None = None
    bonus: Figure | None = None
    quota: Figure | None = None
    quota_per: QuotaPer = QuotaPer.MONTH
    month_cap: Amount | None = None
    quota_part: PartOfMonth
    part: PartOfMonth
    pot: str = "cost"
    rounding: Rounding = Rounding.HALF_UP


Formula = FlatPerDay | FlatPerMonth | RatioOfCost | HoursTimesPrice | VisitsTimesPrice

SHAPES: Mapping[str, type[Formula]] = {
    "flat_per_day": FlatPerDay,
    "flat_per_month": FlatPerMonth,
    "ratio_of_cost": RatioOfCost,
    "hours_times_price": HoursTimesPrice,
    "visits_times_price": VisitsTimesPrice,
}
_OF_OLD_PACKS = "cost_up_to_month_cap"  # kept in stores: ratio_of_cost without a ratio

COST_TYPES = (RatioOfCost, HoursTimesPrice, VisitsTimesPrice)  # they pay for care delivered

_AMOUNTS = frozenset(
    {"amount", "month_cap", "day_cap", "visit_cap", "own_per_visit", "price", "fund_part"}
)
_RATIOS = frozenset({"ratio", "bonus"})
_WORDS: Mapping[str, Callable[[str], StrEnum]] = {
    "per": Per,
    "of": Of,
    "cap_basis": CapBasis,
    "quota_per": QuotaPer,
    "rounding": Rounding,
}


@dataclass(frozen=True, kw_only=True)
class Portion:
    """A payee's part of a component: in proportion, as a number or by a figure."""

    payee: Payee
    part: int | Amount = 1


@dataclass(frozen=True, kw_only=True)
class Component:
    """One part of a benefit (待遇项目): what is paid, to whom, and the texts it rests on.

    The amounts, the formula and the rule for parts of a month are cited apart, because
    they often come from different texts, of which some were read and some were not.
    """

    name: str
    pool: str
    formula: Formula
    portions: tuple[Portion, ...]
    formula_clause: Cited
    form_clause: Cited = field(compare=False)  # where nothing that is paid changes

    @property
    def figures(self) -> tuple[Figure, ...]:
        """Every figure that the amounts are looked up in."""
        return tuple(_figures_in(self))

    @property
    def dimensions(self) -> frozenset[str]:
        """What the amounts depend on."""
        return frozenset(name for figure in self.figures for name in figure.dimensions)

    @property
    def shape(self) -> str:
        return shape_of(self.formula)


def shape_of(formula: Formula) -> str:
    """The name packs use for it."""
    return next(name for name, kind in SHAPES.items() if kind is type(formula))


def _figures_in(told: Any) -> Iterator[Figure]:
    if isinstance(told, Amount):
        yield from told.figures
    elif isinstance(told, Figure):
        yield told
    elif isinstance(told, tuple):
        for one in told:
            yield from _figures_in(one)
    elif isinstance(told, Component):
        yield from _figures_in(told.portions)
        yield from _figures_in(told.formula)
    elif isinstance(told, PartOfMonth):
        yield from _figures_in(told.day_amount)
    elif isinstance(told, Portion):
        yield from _figures_in(told.part)
    elif isinstance(told, Formula):
        for one in fields(told):
            yield from _figures_in(getattr(told, one.name))


# --- reading ----------------------------------------------------------------------------------


class Source:
    """Where names in a formula are looked up: `(kind, name) -> figure`, kinds as in a pack."""

    def __init__(
        self,
        get: Callable[[str, str], Figure],
        part_month: Callable[[], Figure],
        *,
        shares: str = "ratios",
    ) -> None:
        self._get = get
        self._part_month = part_month
        self._shares = shares

    def amount(self, told: Any, where: str) -> Amount:
        """A name, or `{ base = "...", times = ["..."] }`."""
        if isinstance(told, str):
            return Amount(base=self._get("amounts", told))
        if not isinstance(told, dict) or set(told) != {"base", "times"}:
            raise ValueError(f"{where}: wanted a name, or base and times, got {told!r}")
        times = tuple(self._get(self._shares, name) for name in told["times"])
        return Amount(base=self._get("amounts", told["base"]), times=times)

    def figure(self, kind: str, name: Any) -> Figure:
        if not isinstance(name, str):
            raise ValueError(f"wanted the name of one of {kind}, got {name!r}")  # noqa: TRY004
        return self._get(kind, name)

    @property
    def part_month(self) -> Figure:
        return self._part_month()


def read_formula(clause: Figure, source: Source) -> Formula:
    """The formula a component's figure tells; ValueError where it tells none."""
    told = dict(clause.table())
    shape = told.pop("shape", None)
    if shape == _OF_OLD_PACKS:
        shape, told = "ratio_of_cost", _as_ratio(told)
    kind = SHAPES.get(shape) if isinstance(shape, str) else None
    if kind is None:
        raise ValueError(f"no such shape {shape!r}; there are {', '.join(SHAPES)}")
    default = source.part_month
    rule, day_amount = told.pop("part_month", None), told.pop("day_amount", None)
    if "rounding" not in told:
        told["rounding"] = default.table()["rounding"]
    names = {one.name for one in fields(kind)} - {"part", "quota_part"}
    strange = sorted(set(told) - names)
    if strange:
        raise ValueError(f"{shape} has no {', '.join(strange)}; it has {', '.join(sorted(names))}")
    given: dict[str, Any] = {name: _read(name, value, source) for name, value in told.items()}
    given["part"] = _part(kind, clause, default, rule, day_amount, source)
    if kind in {HoursTimesPrice, VisitsTimesPrice}:
        quota_rule = default.table().get("quota", ProRata.NONE)
        given["quota_part"] = PartOfMonth(rule=ProRata(quota_rule), clause=default)
    try:
        formula: Formula = kind(**given)
    except TypeError as error:
        raise ValueError(f"{shape}: {error}") from error
    _check(formula)
    return formula


def _as_ratio(told: dict[str, Any]) -> dict[str, Any]:
    amount = told.pop("amount", None)
    return {**told, "month_cap": amount}


def _read(name: str, value: Any, source: Source) -> Any:
    if name in _AMOUNTS:
        return source.amount(value, name)
    if name in _RATIOS:
        return source.figure("ratios", value)
    if name == "quota":
        return source.figure("quotas", value)
    if name in _WORDS:
        return _WORDS[name](value)
    if name == "pot" and isinstance(value, str) and value:
        return value
    raise ValueError(f"{name}: cannot be {value!r}")


def _part(
    kind: type[Formula],
    clause: Figure,
    default: Figure,
    rule: Any,
    day_amount: Any,
    source: Source,
) -> PartOfMonth:
    if (rule == ProRata.PER_DAY) != (day_amount is not None):
        raise ValueError('part_month = "per_day" and day_amount go together')
    if rule is None:
        told = default.table()["flat" if kind is FlatPerMonth else "cap"]
        return PartOfMonth(rule=ProRata(told), clause=default)
    amount = None if day_amount is None else source.amount(day_amount, "day_amount")
    return PartOfMonth(rule=ProRata(rule), clause=clause, day_amount=amount)


def _check(formula: Formula) -> None:
    if isinstance(formula, VisitsTimesPrice) and formula.fund_part and formula.ratio:
        raise ValueError("the fund's part of a visit is fund_part or a ratio of the price")
    if isinstance(formula, RatioOfCost | HoursTimesPrice | VisitsTimesPrice):
        if formula.bonus and not formula.ratio:
            raise ValueError("bonus points are added to a ratio")
        if formula.ratio is None and isinstance(formula, RatioOfCost):
            bounded = formula.month_cap or formula.day_cap or formula.visit_cap
            if not (bounded or formula.own_per_visit):
                raise ValueError("ratio_of_cost has a ratio, a cap or an own share")


def read_portions(told: Mapping[str, Any], source: Source) -> tuple[Portion, ...]:
    """Who receives a component: `payee`, or a `split` of several."""
    if ("payee" in told) == ("split" in told):
        raise ValueError("a component of a form has a payee or a split")
    if "payee" in told:
        return (Portion(payee=Payee(told["payee"])),)
    portions = tuple(_portion(one, source) for one in told["split"])
    payees = [portion.payee for portion in portions]
    if len(payees) < 2 or len(set(payees)) != len(payees):
        raise ValueError("a split has two payees or more, each once")
    return portions


def _portion(told: Mapping[str, Any], source: Source) -> Portion:
    if set(told) != {"payee", "part"}:
        raise ValueError("each part of a split has payee and part")
    part = told["part"]
    if type(part) is int and part > 0:
        return Portion(payee=Payee(told["payee"]), part=part)
    if type(part) is int:
        raise ValueError(f"a part of a split is above 0, got {part}")
    return Portion(payee=Payee(told["payee"]), part=source.amount(part, "part"))
