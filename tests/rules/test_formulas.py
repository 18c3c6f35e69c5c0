"""What every shape must keep, whatever its figures."""

from typing import Any

import pytest
from hypothesis import assume
from hypothesis import given as for_all
from hypothesis import strategies as st

from kernel.money import ZERO, Money, total, yuan
from kernel.refusal import Refused
from kernel.rules.benefit import LABELS, CareSegment, Used, Visit, cap_year, pay_segment
from kernel.rules.formula import Component, Payee, Portion
from kernel.rules.ruling import Clause, Trace
from tests.rules.shapes import GRADES, amount, component, figure, paid, segment, visit

NUMBERS = {
    "month": figure(GRADES),
    "month_plain": figure(150000),
    "day": figure({"3": 5000, "4": 6000, "5": 7000}),
    "part_day": figure({"3": 3000, "4": 4700, "5": 6000}),
    "visit": figure(9000),
    "own": figure(1000),
    "hour": figure(4500),
    "price": figure({"care_worker": 7500, "nurse": 12000}, by=("staff",)),
    "fund": figure({"care_worker": 7500, "nurse": 7500}, by=("staff",)),
    "share": figure({"3": "0.7", "4": "0.75", "5": "0.8"}),
    "third": figure("0.3333"),
    "points": figure(
        {"any": "0", "student": "0.05", "poor": "0.05"}, by=("status",), combine="best"
    ),
    "percent": figure({"3": "0.3", "4": "0.4", "5": "0.5"}),
    "form_percent": figure({"home_visits": "0.8", "any": "0.4"}, by=("form",)),
    "minutes": figure({"3": 600, "4": 900, "5": 1200}),
    "visits": figure({"3": 3, "4": 5, "5": 5}),
}  # fmt: skip
SHAPES: dict[str, dict[str, Any]] = {
    "flat per day": {"shape": "flat_per_day", "amount": "day"},
    "flat per day of care": {"shape": "flat_per_day", "amount": "day", "per": "care_day"},
    "flat per month": {"shape": "flat_per_month", "amount": "month"},
    "flat once": {"shape": "flat_per_month", "amount": "month", "part_month": "none"},
    "flat by day amounts": {
        "shape": "flat_per_month", "amount": "month", "part_month": "per_day",
        "day_amount": "part_day",
    },
    "base times per cents": {
        "shape": "flat_per_month",
        "amount": {"base": "month_plain", "times": ["percent", "form_percent"]},
    },
    "cost up to a month cap": {"shape": "ratio_of_cost", "month_cap": "month"},
    "ratio": {"shape": "ratio_of_cost", "ratio": "share"},
    "ratio, bonus": {"shape": "ratio_of_cost", "ratio": "share", "bonus": "points"},
    "ratio, day cap": {"shape": "ratio_of_cost", "ratio": "share", "day_cap": "day"},
    "ratio, visit cap": {"shape": "ratio_of_cost", "ratio": "share", "visit_cap": "visit"},
    "ratio, month cap": {"shape": "ratio_of_cost", "ratio": "share", "month_cap": "month"},
    "ratio, month cap on cost": {
        "shape": "ratio_of_cost", "ratio": "share", "month_cap": "month", "cap_basis": "cost",
    },
    "ratio, caps on cost": {
        "shape": "ratio_of_cost", "ratio": "share", "day_cap": "day", "month_cap": "month",
        "cap_basis": "cost", "part_month": "calendar_days",
    },
    "own share of a visit": {"shape": "ratio_of_cost", "own_per_visit": "own"},
    "cap as a product": {
        "shape": "ratio_of_cost", "ratio": "share",
        "month_cap": {"base": "month_plain", "times": ["percent"]},
    },
    "hours": {"shape": "hours_times_price", "price": "hour", "quota": "minutes"},
    "hours a week": {
        "shape": "hours_times_price", "price": "hour", "quota": "minutes", "quota_per": "week",
        "ratio": "share", "month_cap": "month",
    },
    "visits": {
        "shape": "visits_times_price", "price": "price", "fund_part": "fund", "quota": "visits",
        "quota_per": "week",
    },
    "visits by ratio": {"shape": "visits_times_price", "price": "price", "ratio": "third"},
}  # fmt: skip
BY_COST = [name for name in SHAPES if SHAPES[name]["shape"] == "ratio_of_cost"]
CAPPED = [name for name in SHAPES if "month_cap" in SHAPES[name]]

shape = st.sampled_from(sorted(SHAPES))
grade = st.sampled_from([3, 4, 5])
month = st.integers(28, 31)
visits = st.lists(
    st.builds(
        Visit,
        day=st.integers(1, 28),
        cost=st.integers(0, 40_000).map(Money),
        minutes=st.integers(0, 240),
        staff=st.sampled_from(["care_worker", "nurse"]),
    ),
    max_size=12,
)


def of(name: str, **other: Any) -> Component:
    return component(SHAPES[name], NUMBERS, **other)


def care(seen: list[Visit], grade: int, days: int, month: int, **who: Any) -> CareSegment:
    return segment(*seen, days=days, month=month, grade=grade, form="home_visits", **who)


# --- what holds for all of them ---------------------------------------------------------------


@for_all(name=shape, grade=grade, days=st.integers(0, 28), month=month, seen=visits)
def test_a_benefit_is_never_negative(
    name: str, grade: int, days: int, month: int, seen: list[Visit]
) -> None:
    assert paid(of(name), care(seen, grade, days, month)) >= ZERO


@for_all(name=st.sampled_from(CAPPED), grade=grade, month=month, seen=visits)
def test_a_benefit_is_never_above_the_cap_of_the_month(
    name: str, grade: int, month: int, seen: list[Visit]
) -> None:
    cap = GRADES[str(grade)]

    assert paid(of(name), care(seen, grade, 28, month)) <= Money(cap)


@for_all(
    name=st.sampled_from(CAPPED), grade=grade, cut=st.integers(1, 27), month=month, seen=visits
)
def test_a_month_in_two_parts_is_never_above_the_cap_either(
    name: str, grade: int, cut: int, month: int, seen: list[Visit]
) -> None:
    early = care([v for v in seen if v.day <= cut], grade, cut, month)
    late = care([v for v in seen if v.day > cut], grade, month - cut, month)

    assert paid(of(name), early, late) <= Money(GRADES[str(grade)])


@for_all(name=st.sampled_from(BY_COST), grade=grade, month=month, seen=visits)
def test_the_fund_never_pays_more_than_the_cost(
    name: str, grade: int, month: int, seen: list[Visit]
) -> None:
    assert paid(of(name), care(seen, grade, 28, month)) <= total(v.cost for v in seen)


@for_all(name=shape, days=st.integers(0, 28), month=month, seen=visits)
def test_a_severer_grade_is_never_paid_less(
    name: str, days: int, month: int, seen: list[Visit]
) -> None:
    three, four, five = (paid(of(name), care(seen, g, days, month)) for g in (3, 4, 5))

    assert three <= four <= five


@for_all(name=shape, grade=grade, days=st.integers(0, 27), month=month, seen=visits)
def test_a_further_day_is_never_paid_less(
    name: str, grade: int, days: int, month: int, seen: list[Visit]
) -> None:
    before = paid(of(name), care(seen, grade, days, month))

    assert before <= paid(of(name), care(seen, grade, days + 1, month))


@for_all(
    name=st.sampled_from(BY_COST), grade=grade, month=month, seen=visits, more=st.integers(0, 9999)
)
def test_a_higher_cost_is_never_paid_less(
    name: str, grade: int, month: int, seen: list[Visit], more: int
) -> None:
    assume(seen)
    first, *others = seen
    dearer = [Visit(day=first.day, cost=first.cost + Money(more)), *others]

    before = paid(of(name), care(seen, grade, 28, month))

    assert before <= paid(of(name), care(dearer, grade, 28, month))


@for_all(name=shape, grade=grade, month=month, seen=visits)
def test_a_month_without_an_entitled_day_is_paid_nothing(
    name: str, grade: int, month: int, seen: list[Visit]
) -> None:
    assert paid(of(name), care(seen, grade, 0, month)) == ZERO


@for_all(
    name=st.sampled_from(["flat per day", "flat once", "flat by day amounts"]),
    grade=grade,
    cut=st.integers(1, 27),
    month=month,
)
def test_a_month_in_two_parts_is_paid_as_the_month_where_the_rule_says_so(
    name: str, grade: int, cut: int, month: int
) -> None:
    halves = care([], grade, cut, month), care([], grade, month - cut, month)
    whole = paid(of(name), care([], grade, month, month))

    if name == "flat by day amounts":  # its days make at most the month
        each = Money(NUMBERS["part_day"].value[str(grade)])
        assert paid(of(name), *halves) == min(each * month, whole)
    else:
        assert paid(of(name), *halves) == whole


@for_all(grade=grade, cut=st.integers(1, 27), month=month)
def test_two_parts_by_calendar_days_differ_from_the_month_by_a_fen_at_most(
    grade: int, cut: int, month: int
) -> None:
    flat = of("flat per month")
    halves = care([], grade, cut, month), care([], grade, month - cut, month)

    assert abs(paid(flat, *halves).fen - GRADES[str(grade)]) <= 1


@for_all(
    fen=st.integers(0, 10**7),
    parts=st.tuples(st.integers(1, 99), st.integers(1, 99)),
)
def test_a_split_loses_no_fen(fen: int, parts: tuple[int, int]) -> None:
    portions = (
        Portion(payee=Payee.PROVIDER, part=parts[0]),
        Portion(payee=Payee.CARER, part=parts[1]),
    )
    split = component(
        {"shape": "flat_per_month", "amount": "a"}, {"a": figure(fen)}, None, portions
    )
    came = pay_segment((split,), segment(), Used(), Trace())

    assert total(one.amount for one in came) == Money(fen)
    assert all(one.amount >= ZERO for one in came)


@for_all(name=shape, grade=grade, days=st.integers(0, 28), month=month, seen=visits)
def test_each_step_is_one_of_the_known_ones(
    name: str, grade: int, days: int, month: int, seen: list[Visit]
) -> None:
    trace = Trace()
    paid(of(name), care(seen, grade, days, month), care([], grade, 2, month), trace=trace)

    for step in trace.steps:
        label = step.label.removeprefix("example: ").split(", calendar_days")[0]
        assert label.split(", none")[0].split(", per_day")[0] in LABELS, step.label


# --- each shape by itself ---------------------------------------------------------------------


def test_a_flat_amount_does_not_look_at_the_cost() -> None:
    flat = of("flat per month")

    assert paid(flat, segment(visit(1))) == paid(flat, segment(visit(999_999))) == Money(107700)


def test_a_daily_amount_is_for_days_with_care_where_the_rule_says_so() -> None:
    seen = (visit(day=2), visit(day=2), visit(day=9))

    assert paid(of("flat per day"), segment(*seen)) == Money(5000 * 30)
    assert paid(of("flat per day of care"), segment(*seen)) == Money(5000 * 2)


def test_a_cap_on_the_fund_leaves_the_own_share_out_and_a_cap_on_cost_has_it_in() -> None:
    # Cost 2000.00, share 70 %, cap 1077.00: min(1400, 1077) or 70 % of min(2000, 1077).
    month = segment(visit(200_000))

    assert paid(of("ratio, month cap"), month) == yuan("1077")
    assert paid(of("ratio, month cap on cost"), month) == yuan("753.90")


def test_a_day_cap_bounds_each_day_and_not_their_average() -> None:
    # 70 % of 100.00 is 70.00, of which the day's 50.00 stay; 70 % of 10.00 is 7.00.
    assert paid(of("ratio, day cap"), segment(visit(10_000), visit(1_000, day=2))) == yuan("57")


def test_bonus_points_are_added_once_and_never_above_the_whole() -> None:
    bonus = of("ratio, bonus")
    cost = visit(100_00)

    assert paid(bonus, segment(cost)) == yuan("70")
    assert paid(bonus, segment(cost, statuses=["student"])) == yuan("75")
    assert paid(bonus, segment(cost, statuses=["student", "poor"])) == yuan("75")
    all_of_it = component(
        {"shape": "ratio_of_cost", "ratio": "r", "bonus": "b"},
        {"r": figure("0.98"), "b": figure("0.05")},
    )
    assert paid(all_of_it, segment(cost)) == yuan("100")


def test_the_best_of_several_sets_counts_and_never_their_sum() -> None:
    quota = figure(
        {"any": 1800, "age_80": 1860, "state_supported": 3240, "poor_severely_disabled": 2400},
        by=("status",),
        combine="best",
    )
    hours = component(
        {"shape": "hours_times_price", "price": "p", "quota": "q"},
        {"p": figure(4500), "q": quota},
    )
    seen = [visit(day=day, minutes=180) for day in range(1, 29)]

    def hours_paid(*statuses: str) -> int:
        return paid(hours, segment(*seen, statuses=statuses)).fen // 4500

    assert hours_paid() == 30
    assert hours_paid("age_80") == 31
    assert hours_paid("age_80", "state_supported", "poor_severely_disabled") == 54


def test_the_lowest_counts_where_the_rule_says_so() -> None:
    own = figure({"any": 1000, "poor": 0}, by=("status",), combine="lowest")
    share = component({"shape": "ratio_of_cost", "own_per_visit": "own"}, {"own": own})

    assert paid(share, segment(visit(5000), visit(5000))) == yuan("80")
    assert paid(share, segment(visit(5000), visit(5000), statuses=["poor"])) == yuan("100")


def test_a_quota_of_hours_is_one_for_the_month() -> None:
    seen = [visit(day=day, minutes=300) for day in (1, 20)]
    early, late = segment(seen[0], days=15), segment(seen[1], days=15)

    assert paid(of("hours"), early, late) == paid(of("hours"), segment(*seen)) == Money(4500 * 10)
    third = segment(*seen, visit(day=25, minutes=60))
    assert paid(of("hours"), third) == Money(4500 * 10)


def test_a_quota_of_visits_is_one_for_each_week_of_the_month() -> None:
    # Grade 3: three visits a week. The last two days of a month of thirty carry 3 x 2 / 7 = 1.
    daily = [visit(day=day, staff="care_worker") for day in range(1, 31)]

    assert paid(of("visits"), segment(*daily)) == Money(7500 * (4 * 3 + 1))


def test_a_visit_is_paid_its_part_by_staff_and_the_person_pays_the_rest() -> None:
    seen = [visit(day=1, staff="nurse"), visit(day=2, staff="care_worker")]

    assert paid(of("visits"), segment(*seen)) == Money(7500 * 2)
    with pytest.raises(Refused) as refused:
        paid(of("visits"), segment(visit(staff="therapist")))
    assert refused.value.reason == "STAFF_WITHOUT_AMOUNT"
    assert refused.value.facts == {"component": "example", "staff": "therapist"}


def test_a_base_times_per_cents_is_rounded_once() -> None:
    # 1500.00 x 30 % x 80 % = 360.00; 0.05 x 0.5 x 0.5 = 0.0125, half up 0.01.
    product = of("base times per cents")
    assert paid(product, segment(form="home_visits")) == yuan("360")
    tiny = component(
        {"shape": "flat_per_month", "amount": {"base": "b", "times": ["h", "h"]}},
        {"b": figure(5), "h": figure("0.5")},
    )
    assert paid(tiny, segment()) == Money(1)


def test_part_months_by_day_amounts_round_as_their_table_says() -> None:
    # Zibo: 1400.00 / 30 = 46.67 a day, and the rule says 47.
    zibo = component(
        {
            "shape": "ratio_of_cost", "ratio": "r", "month_cap": "cap", "cap_basis": "cost",
            "part_month": "per_day", "day_amount": "day",
        },
        {"r": figure("0.75"), "cap": figure({"4": 140000}), "day": figure({"4": 4700})},
    )  # fmt: skip
    cost = visit(500_000)

    assert paid(zibo, segment(cost, grade=4, days=10)) == Money(4700 * 10 * 3 // 4)
    assert paid(zibo, segment(cost, grade=4)) == yuan("1050")


def test_half_a_fen_goes_as_the_rule_says() -> None:
    figures = {"a": figure(15)}
    flat = {"shape": "flat_per_month", "amount": "a"}
    half = segment(days=15)

    assert paid(component(flat, figures), half) == Money(8)
    assert paid(component(flat | {"rounding": "down"}, figures), half) == Money(7)
    assert paid(component(flat, figures, {"rounding": "down"}), half) == Money(7)


def test_a_cap_can_be_cut_for_a_part_of_a_month() -> None:
    told = {"shape": "ratio_of_cost", "month_cap": "month"}
    cut = component(told, NUMBERS, {"cap": "calendar_days"})

    assert paid(cut, segment(visit(90_000), days=10)) == yuan("359")


def test_life_and_medical_care_are_paid_apart() -> None:
    care = component(
        {"shape": "ratio_of_cost", "ratio": "r", "of": "life", "month_cap": "cap"},
        {"r": figure("0.8"), "cap": figure(10_000)},
        name="care",
    )
    medical = component(
        {"shape": "ratio_of_cost", "ratio": "r", "of": "medical"},
        {"r": figure("0.8")},
        name="medical",
    )
    month = segment(Visit(day=1, cost=Money(50_000), medical=Money(20_000)))
    came = pay_segment((care, medical), month, Used(), Trace())

    assert [one.amount for one in came] == [Money(10_000), Money(16_000)]


def test_components_on_the_cost_never_pay_more_than_it_together() -> None:
    whole = component({"shape": "ratio_of_cost", "month_cap": "cap"}, {"cap": figure(10_000)})
    came = pay_segment((whole, of("ratio")), segment(visit(12_000)), Used(), Trace())

    assert total(one.amount for one in came) <= Money(12_000)


def test_a_pot_of_its_own_is_a_cap_apart() -> None:
    one = component({"shape": "ratio_of_cost", "month_cap": "cap"}, {"cap": figure(5_000)})
    two = component(
        {"shape": "ratio_of_cost", "month_cap": "cap", "pot": "apart"}, {"cap": figure(5_000)}
    )
    month = segment(visit(20_000))

    assert total(p.amount for p in pay_segment((one, one), month, Used(), Trace())) == yuan("50")
    assert total(p.amount for p in pay_segment((one, two), month, Used(), Trace())) == yuan("100")


CLAUSE = Clause(key="payment.year_cap", citation="example", verified=True)
PARTS = st.lists(st.integers(0, 10**6).map(Money), min_size=1, max_size=4)


@for_all(parts=PARTS, cap=st.integers(0, 2 * 10**6), earlier=st.integers(0, 2 * 10**6))
def test_a_year_is_never_paid_above_its_cap(parts: list[Money], cap: int, earlier: int) -> None:
    kept = cap_year(parts, Money(cap), Money(earlier), CLAUSE, Trace())

    assert all(ZERO <= now <= before for now, before in zip(kept, parts, strict=True))
    assert total(kept) == min(total(parts), max(Money(cap) - Money(earlier), ZERO))


def test_a_cell_that_is_missing_is_refused_with_its_dimension() -> None:
    with pytest.raises(Refused) as refused:
        paid(of("flat per month"), segment(grade=2))
    assert refused.value.reason == "GRADE_WITHOUT_AMOUNT"
    assert refused.value.facts == {"component": "example", "grade": "2"}

    by_group = component(
        {"shape": "flat_per_month", "amount": "a"},
        {"a": figure({"employee": {"any": 5}}, by=("group", "grade"))},
    )
    assert paid(by_group, segment(group="employee")) == Money(5)
    with pytest.raises(Refused, match="GROUP_WITHOUT_AMOUNT"):
        paid(by_group, segment(group="resident"))


def test_a_cell_that_is_not_known_is_refused_by_name() -> None:
    half_known = component(
        {"shape": "flat_per_month", "amount": "a"},
        {"a": figure({"3": 100, "4": "unknown"}, key="payment.amounts.a")},
    )

    assert paid(half_known, segment()) == Money(100)
    with pytest.raises(Refused) as refused:
        paid(half_known, segment(grade=4))
    assert refused.value.reason == "FIGURE_UNKNOWN"
    assert refused.value.facts == {"key": "payment.amounts.a.4", "pool": "000000"}


@pytest.mark.parametrize(
    ("days", "month", "fen"), [(32, 31, 0), (-1, 31, 0), (0, 0, 0), (1, 31, -1)]
)
def test_days_and_costs_that_cannot_be_are_an_error(days: int, month: int, fen: int) -> None:
    with pytest.raises(ValueError):
        segment(visit(fen), days=days, month=month)


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"shape": "flat_per_moon"}, "no such shape"),
        ({"shape": "flat_per_day", "amount": "day", "ratio": "share"}, "has no ratio"),
        ({"shape": "flat_per_day"}, "amount"),
        ({"shape": "ratio_of_cost"}, "a ratio, a cap or an own share"),
        ({"shape": "ratio_of_cost", "month_cap": "month", "bonus": "points"}, "added to a ratio"),
        ({"shape": "flat_per_month", "amount": "month", "part_month": "per_day"}, "go together"),
        ({"shape": "flat_per_day", "amount": "day", "per": "year"}, "not a valid Per"),
        ({"shape": "flat_per_day", "amount": {"base": "day"}}, "base and times"),
        (
            {
                "shape": "visits_times_price", "price": "price", "fund_part": "fund",
                "ratio": "share",
            },
            "fund_part or a ratio",
        ),
    ],
)  # fmt: skip
def test_a_formula_that_says_too_much_or_too_little_is_not_read(
    told: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        component(told, NUMBERS)


def test_the_steps_tell_the_arithmetic() -> None:
    trace = Trace()
    paid(of("flat per month"), segment(days=20, month=29, grade=5), trace=trace)

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
    flat = of("flat per month", part_verified=False)
    whole, part = Trace(), Trace()

    paid(flat, segment(days=31, month=31), trace=whole)
    paid(flat, segment(days=30, month=31), trace=part)

    assert whole.verified
    assert not part.verified


def test_an_amount_is_a_figure_or_a_product() -> None:
    assert len(amount(100, "0.5", "0.8").figures) == 3
