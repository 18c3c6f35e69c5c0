"""What every formula must keep, whatever its figures."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from kernel.money import ZERO, Money, Rounding, yuan
from kernel.refusal import Refused
from kernel.rules.formula import (
    Component,
    CostUpToMonthCap,
    FlatPerMonth,
    Formula,
    Payee,
    ProRata,
    evaluate,
)
from kernel.rules.ruling import Clause, Trace

CLAUSE = Clause(key="payment.example", citation="example", verified=True)
AMOUNTS: Mapping[int, Money] = {3: yuan("1077"), 4: yuan("1437"), 5: yuan("1796")}


def component(formula: Formula) -> Component:
    return Component(
        name="example",
        formula=formula,
        payee=Payee.PROVIDER,
        amounts_clause=CLAUSE,
        formula_clause=CLAUSE,
        part_month_clause=CLAUSE,
    )


def paid(formula: Formula, grade: int, days: int, month: int, cost: Money) -> Money:
    return evaluate(component(formula), grade, days, month, cost, Trace())


FORMULAS = st.builds(
    CostUpToMonthCap,
    cap=st.just(AMOUNTS),
    pro_rata=st.sampled_from(ProRata),
    rounding=st.sampled_from(Rounding),
) | st.builds(
    FlatPerMonth,
    amount=st.just(AMOUNTS),
    pro_rata=st.sampled_from(ProRata),
    rounding=st.sampled_from(Rounding),
)
GRADES = st.sampled_from([3, 4, 5])
MONTHS = st.integers(28, 31)
DAYS = st.integers(0, 28)
COSTS = st.integers(0, 400_000).map(Money)


@for_all(formula=FORMULAS, grade=GRADES, days=DAYS, month=MONTHS, cost=COSTS)
def test_a_benefit_is_never_negative_and_never_above_the_grade_s_amount(
    formula: Formula, grade: int, days: int, month: int, cost: Money
) -> None:
    assert ZERO <= paid(formula, grade, days, month, cost) <= AMOUNTS[grade]


@for_all(formula=FORMULAS, grade=GRADES, days=DAYS, month=MONTHS, cost=COSTS)
def test_the_fund_never_pays_more_than_the_cost_under_a_cap(
    formula: Formula, grade: int, days: int, month: int, cost: Money
) -> None:
    if isinstance(formula, CostUpToMonthCap):
        assert paid(formula, grade, days, month, cost) <= cost


@for_all(formula=FORMULAS, grade=GRADES, days=st.integers(0, 27), month=MONTHS, cost=COSTS)
def test_a_further_day_or_a_higher_cost_never_pays_less(
    formula: Formula, grade: int, days: int, month: int, cost: Money
) -> None:
    now = paid(formula, grade, days, month, cost)

    assert now <= paid(formula, grade, days + 1, month, cost)
    assert now <= paid(formula, grade, days, month, cost + Money(1))


@for_all(formula=FORMULAS, days=DAYS, month=MONTHS, cost=COSTS)
def test_a_severer_grade_never_pays_less(
    formula: Formula, days: int, month: int, cost: Money
) -> None:
    three, four, five = (paid(formula, grade, days, month, cost) for grade in (3, 4, 5))

    assert three <= four <= five


@for_all(formula=FORMULAS, grade=GRADES, month=MONTHS, cost=COSTS)
def test_a_month_without_an_entitled_day_pays_nothing(
    formula: Formula, grade: int, month: int, cost: Money
) -> None:
    assert paid(formula, grade, 0, month, cost) == ZERO


@for_all(grade=GRADES, month=MONTHS, cost=COSTS)
def test_a_flat_amount_does_not_look_at_the_cost(grade: int, month: int, cost: Money) -> None:
    assert AMOUNTS[grade] == paid(FlatPerMonth(amount=AMOUNTS), grade, month, month, cost)


def test_half_a_fen_goes_up_unless_the_rule_says_otherwise() -> None:
    flat = FlatPerMonth(amount={3: Money(15)})

    assert Money(8) == paid(flat, 3, 15, 30, ZERO)
    assert Money(7) == paid(replace(flat, rounding=Rounding.DOWN), 3, 15, 30, ZERO)


def test_a_cap_can_be_cut_for_a_part_of_a_month() -> None:
    capped = CostUpToMonthCap(cap=AMOUNTS, pro_rata=ProRata.CALENDAR_DAYS)

    assert yuan("359") == paid(capped, 3, 10, 30, yuan("900"))


def test_a_grade_without_an_amount_is_refused() -> None:
    with pytest.raises(Refused) as refused:
        paid(FlatPerMonth(amount=AMOUNTS), 2, 31, 31, ZERO)

    assert refused.value.reason == "GRADE_WITHOUT_AMOUNT"
    assert refused.value.facts == {"component": "example", "grade": "2"}


@pytest.mark.parametrize(
    ("days", "month", "fen"), [(32, 31, 0), (-1, 31, 0), (0, 0, 0), (1, 31, -1)]
)
def test_days_and_costs_that_cannot_be_are_an_error(days: int, month: int, fen: int) -> None:
    with pytest.raises(ValueError):
        paid(FlatPerMonth(amount=AMOUNTS), 3, days, month, Money(fen))


def test_the_steps_tell_the_arithmetic() -> None:
    trace = Trace()
    evaluate(component(FlatPerMonth(amount=AMOUNTS)), 5, 20, 29, ZERO, trace)

    told = [(step.label, dict(step.inputs), step.output) for step in trace.steps]
    assert told == [
        ("example: amount of the grade for a month", {"grade": 5}, 179600),
        (
            "example: part of a month, calendar_days, half_up",
            {"amount_fen": 179600, "entitled_days": 20, "days_in_month": 29},
            123862,
        ),
        ("example: a fixed amount", {"amount_fen": 123862}, 123862),
    ]


def test_a_whole_month_does_not_lean_on_the_rule_for_parts() -> None:
    unread = Clause(key="payment.part_month", citation="design reading", verified=False)
    flat = replace(component(FlatPerMonth(amount=AMOUNTS)), part_month_clause=unread)
    whole, part = Trace(), Trace()

    evaluate(flat, 3, 31, 31, ZERO, whole)
    evaluate(flat, 3, 30, 31, ZERO, part)

    assert whole.verified
    assert not part.verified
