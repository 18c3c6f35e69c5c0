"""The closed set of formulas that benefits are computed with (待遇计算公式). Pure: no floats.

A pack names a shape and gives its figures; there is no code in the data. A new way of paying is a
new typed shape here, with its properties tested.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import assert_never

from kernel.money import ZERO, Money, Rounding
from kernel.refusal import Refused
from kernel.rules.ruling import Cited, Trace


class Payee(StrEnum):
    """Who receives a component (支付对象)."""

    PROVIDER = "provider"  # 定点护理服务机构
    CARER = "carer"  # 个人护理人员, as a rule a relative


class ProRata(StrEnum):
    """How a part of a month counts (不足月折算)."""

    CALENDAR_DAYS = "calendar_days"  # amount x entitled days / days of the month
    NONE = "none"  # a part of a month counts as a month


@dataclass(frozen=True, kw_only=True)
class CostUpToMonthCap:
    """The fund pays the eligible cost up to the month's cap of the grade (月度支付限额)."""

    cap: Mapping[int, Money]
    pro_rata: ProRata = ProRata.NONE
    rounding: Rounding = Rounding.HALF_UP


@dataclass(frozen=True, kw_only=True)
class FlatPerMonth:
    """A fixed amount a month for the grade, whatever the care cost (月度定额)."""

    amount: Mapping[int, Money]
    pro_rata: ProRata = ProRata.CALENDAR_DAYS
    rounding: Rounding = Rounding.HALF_UP


Formula = CostUpToMonthCap | FlatPerMonth

SHAPES = ("cost_up_to_month_cap", "flat_per_month")


@dataclass(frozen=True, kw_only=True)
class Component:
    """One part of a benefit (待遇项目): what is paid, to whom, and the texts it rests on.

    The amounts, the formula and the rule for parts of a month are cited apart, because
    they often come from different texts, of which some were read and some were not.
    """

    name: str
    formula: Formula
    payee: Payee
    amounts_clause: Cited
    formula_clause: Cited
    part_month_clause: Cited


def evaluate(
    component: Component,
    grade: int,
    entitled_days: int,
    days_in_month: int,
    eligible_cost: Money,
    trace: Trace,
) -> Money:
    """What the fund pays of this component for one person and one month of care.

    `eligible_cost` is the cost of the care within the rules in the entitled days (政策范围内费用);
    a flat amount does not depend on it. Nothing is paid for a month without an entitled day.
    Refuses GRADE_WITHOUT_AMOUNT where the pack gives the grade none; ValueError for days or a
    cost that cannot be.
    """
    if not 0 <= entitled_days <= days_in_month or days_in_month <= 0:
        raise ValueError(f"{entitled_days} entitled days of {days_in_month}")
    if eligible_cost < ZERO:
        raise ValueError(f"eligible cost below zero: {eligible_cost}")
    match component.formula:
        case FlatPerMonth(amount=amounts):
            amount = _of_grade(component, amounts, grade, trace)
            paid = _for_part_of_month(component, amount, entitled_days, days_in_month, trace)
            label, inputs = "a fixed amount", {"amount_fen": paid.fen}
        case CostUpToMonthCap(cap=caps):
            month_cap = _of_grade(component, caps, grade, trace)
            cap = _for_part_of_month(component, month_cap, entitled_days, days_in_month, trace)
            paid = min(eligible_cost, cap)
            label = "eligible cost, up to the cap"
            inputs = {"eligible_cost_fen": eligible_cost.fen, "cap_fen": cap.fen}
        case _:
            assert_never(component.formula)
    trace.computed(component.formula_clause, f"{component.name}: {label}", inputs, paid.fen)
    return paid


def _of_grade(
    component: Component, amounts: Mapping[int, Money], grade: int, trace: Trace
) -> Money:
    amount = amounts.get(grade)
    if amount is None:
        raise Refused("GRADE_WITHOUT_AMOUNT", component=component.name, grade=str(grade))
    label = f"{component.name}: amount of the grade for a month"
    trace.computed(component.amounts_clause, label, {"grade": grade}, amount.fen)
    return amount


def _for_part_of_month(
    component: Component, amount: Money, entitled_days: int, days_in_month: int, trace: Trace
) -> Money:
    """The amount that the entitled days carry; the clause is cited only where it decides."""
    if entitled_days == days_in_month:
        return amount
    formula = component.formula
    if entitled_days == 0:
        part = ZERO
    elif formula.pro_rata is ProRata.NONE:
        part = amount
    else:
        part = amount.share(Fraction(entitled_days, days_in_month), formula.rounding)
    trace.computed(
        component.part_month_clause,
        f"{component.name}: part of a month, {formula.pro_rata.value}, {formula.rounding.value}",
        {
            "amount_fen": amount.fen,
            "entitled_days": entitled_days,
            "days_in_month": days_in_month,
        },
        part.fen,
    )
    return part
