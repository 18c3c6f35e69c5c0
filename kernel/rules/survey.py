"""What a pack can do and what it lacks: the shapes it uses, and what it needs to go live. Pure."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from kernel.refusal import Refused
from kernel.rules.checks import LIVE
from kernel.rules.contribution import RateOfBase
from kernel.rules.dimensions import UNKNOWN, cells
from kernel.rules.figure import Figure
from kernel.rules.formula import (
    Amount,
    CapBasis,
    Component,
    FlatPerDay,
    FlatPerMonth,
    Formula,
    HoursTimesPrice,
    Payee,
    ProRata,
    RatioOfCost,
    VisitsTimesPrice,
)
from kernel.rules.pack import Pack

# The shapes of the field, as docs/rules.md numbers them: English, Chinese.
FIELD_SHAPES: Mapping[int, tuple[str, str]] = {
    1: ("flat per day", "按日定额"),
    2: ("flat per month by grade", "按等级月度定额"),
    3: ("ratio of the bed-day price", "床日费用按比例"),
    4: ("ratio with a cap of the day", "按比例、日限额"),
    5: ("ratio with a cap of the month", "按比例、月限额"),
    6: ("hours times price, with a quota", "按小时、限时长"),
    7: ("visits times price by staff", "按次、分人员单价"),
    8: ("base times per cents", "基数乘比例"),
    9: ("carer's subsidy beside or instead", "亲情护理补助"),
    10: ("split between payees", "分别支付"),
    11: ("bonus points for groups", "特定人群加成"),
    12: ("tier of contribution", "按缴费档次"),
    13: ("cap of the year", "年度限额"),
    14: ("the best, never the sum", "就高不叠加"),
    15: ("parts of a month", "不足月折算"),
    16: ("contributions by wage, pension, income, age", "按费率筹资"),
}
_FORMS = "payment.forms."
_CONTRIBUTIONS = "enrollment.contributions."
_BEDS = frozenset({"institution", "hospital", "community"})
_AMOUNTS = frozenset(
    {"amount", "month_cap", "day_cap", "visit_cap", "own_per_visit", "price", "fund_part"}
    | {"day_amount", "floor", "ceiling", "base_amount"}
)
_KINDS = {"ratio": "ratios", "bonus": "ratios", "quota": "quotas", "rate": "rates"}


def needs(pack: Pack) -> tuple[str, ...]:
    """The figures that are stated as unknown and that decisions ask for, sorted.

    With one of them missing, the decisions that need it are refused with FIGURE_UNKNOWN.
    """
    return tuple(sorted(set(_needed(pack))))


def _needed(pack: Pack) -> Iterator[str]:
    yield from (key for key in LIVE if pack.mentions(key) and not pack.history(key))
    for key in pack.figure_keys:
        if key.startswith((_FORMS, _CONTRIBUTIONS)):
            yield from _of_list(pack, key)
    for figure in pack.history("payment.year_cap"):
        yield from _of_formula(pack, "payment", figure.table())


def _of_list(pack: Pack, key: str) -> Iterator[str]:
    if not pack.history(key):
        yield key
    concern = key.partition(".")[0]
    for figure in pack.history(key):
        for one in figure.value:
            if concern == "payment":
                yield from _of_component(pack, one)
            else:
                yield from _of_formula(pack, concern, one)


def _of_component(pack: Pack, told: Mapping[str, Any]) -> Iterator[str]:
    key = f"payment.components.{told['component']}"
    if not pack.history(key):
        yield key
    for figure in pack.history(key):
        yield from _of_formula(pack, "payment", figure.table())
    for portion in told.get("split", ()):
        if isinstance(portion["part"], str):
            yield from _unknown(pack, f"payment.amounts.{portion['part']}")


def _of_formula(pack: Pack, concern: str, told: Mapping[str, Any]) -> Iterator[str]:
    for name, value in told.items():
        if name in _AMOUNTS:
            yield from _of_amount(pack, concern, value)
        elif name in _KINDS:
            yield from _unknown(pack, f"{concern}.{_KINDS[name]}.{value}")


def _of_amount(pack: Pack, concern: str, told: Any) -> Iterator[str]:
    if isinstance(told, str):
        yield from _unknown(pack, f"{concern}.amounts.{told}")
        return
    yield from _unknown(pack, f"{concern}.amounts.{told['base']}")
    shares = "ratios" if concern == "payment" else "rates"
    for name in told["times"]:
        yield from _unknown(pack, f"{concern}.{shares}.{name}")


def _unknown(pack: Pack, key: str) -> Iterator[str]:
    history = pack.history(key)
    if not history or any(UNKNOWN in list(cells(figure)) for figure in history):
        yield key


def offers(pack: Pack, on: date | None = None) -> Iterator[tuple[str, tuple[Component, ...]]]:
    """Every form with the components it ever pays, or pays on a day, as far as they are known."""
    for key in pack.figure_keys:
        if not key.startswith(_FORMS):
            continue
        form = key.removeprefix(_FORMS)
        for day in (on,) if on else _days(pack, key):
            try:
                yield form, pack.components(form, day)
            except Refused:
                continue


def _days(pack: Pack, key: str) -> list[date]:
    days = {figure.effective_from for figure in pack.history(key)}
    first = min(days, default=date.max)
    return sorted(days | {day for day in pack.turns if day >= first})


def shapes_used(pack: Pack) -> tuple[int, ...]:
    """The numbers of the field's shapes that the pack uses, ascending."""
    found: set[int] = set()
    for form, components in offers(pack):
        for component in components:
            found |= set(_shapes(form, component))
    if pack.history("payment.year_cap"):
        found.add(13)
    for key in pack.figure_keys:
        if key.startswith(_CONTRIBUTIONS):
            found |= set(_of_contributions(pack, key))
    return tuple(sorted(found))


def _shapes(form: str, component: Component) -> Iterator[int]:
    formula = component.formula
    yield from _by_kind(form, formula)
    if any(amount.times for amount in _amounts(formula)):
        yield 8
    payees = [portion.payee for portion in component.portions]
    if Payee.CARER in payees:
        yield 9
    if len(payees) > 1:
        yield 10
    if getattr(formula, "bonus", None) is not None:
        yield 11
    if "tier" in component.dimensions:
        yield 12
    if any(figure.combine for figure in component.figures):
        yield 14
    counts = isinstance(formula, FlatPerMonth) or formula.month_cap is not None
    if counts and formula.part.rule is not ProRata.NONE:
        yield 15


def _by_kind(form: str, formula: Formula) -> Iterator[int]:
    match formula:
        case FlatPerDay():
            yield 1
        case FlatPerMonth():
            yield 2
        case RatioOfCost():
            if formula.ratio is not None and form in _BEDS:
                yield 3
            if formula.day_cap is not None:
                yield 4
            if formula.month_cap is not None and (
                formula.ratio is not None or formula.cap_basis is CapBasis.COST
            ):
                yield 5
        case HoursTimesPrice():
            if formula.quota is not None:
                yield 6
        case VisitsTimesPrice():
            yield 7


def _amounts(formula: Formula) -> Iterator[Amount]:
    for value in vars(formula).values():
        if isinstance(value, Amount):
            yield value


def _of_contributions(pack: Pack, key: str) -> Iterator[int]:
    for figure in pack.history(key):
        try:
            lines = pack.contributions(key.removeprefix(_CONTRIBUTIONS), figure.effective_from)
        except Refused:
            continue
        for line in lines:
            if isinstance(line.rule, RateOfBase):
                yield 16
            elif "tier" in line.rule.amount.base.dimensions:
                yield 12


def figures_on(pack: Pack, day: date) -> Iterator[tuple[str, Figure | None]]:
    """Every key with its figure in force on the day; None where there is none."""
    for key in pack.figure_keys:
        yield key, next((one for one in pack.history(key) if one.holds_on(day)), None)
