"""What the fund pays for a month of care, by the components of a pack (待遇计算). Pure: no floats.

A month comes in segments: days in a row that are paid alike. What a segment uses up of a cap or
a quota is gone for the later ones. Every amount looked up and every division is a step of the
trace, with the text it rests on.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import groupby

from kernel.money import ZERO, Money, Rounding, total
from kernel.rules.dimensions import Who, asked_of, look_up, money, rate, whole
from kernel.rules.figure import Figure
from kernel.rules.formula import (
    COST_TYPES,
    Amount,
    CapBasis,
    Component,
    FlatPerDay,
    FlatPerMonth,
    HoursTimesPrice,
    Of,
    PartOfMonth,
    Payee,
    Per,
    ProRata,
    QuotaPer,
    RatioOfCost,
    VisitsTimesPrice,
)
from kernel.rules.ruling import Cited, Scalar, Trace

_WEEK = 7
_HOUR = 60
ONE = Fraction(1)

# The words of each step, after the component's name: what explains a ruling knows all of them.
MONTH_AMOUNT = "amount of the grade for a month"
DAY_AMOUNT = "amount for a day"
BASE = "base of the amount"
PERCENT = "share of the base"
PART_OF_MONTH = "part of a month"
DAYS_PAID = "days that are paid"
FIXED = "a fixed amount"
PER_DAY = "an amount for each day"
SHARE = "share of the fund"
BONUS = "bonus points added to the share"
OWN_PER_VISIT = "own share of each visit taken off"
VISIT_CAP = "cap of a visit"
DAY_CAP = "cap of a day"
COST_SHARE = "share of the cost"
COST_CAPPED = "eligible cost, up to the cap"
AMOUNT_CAPPED = "up to the cap of the month"
CAP_LEFT = "one cap for the month, what earlier days left of it"
ONCE_A_MONTH = "paid once a month, what earlier days left of it"
LEFT_OF_COST = "no more than the cost that is left"
PRICE = "price"
FUND_PART = "fund's part of a visit"
QUOTA = "quota"
MINUTES = "minutes within the quota"
VISITS = "visits within the quota"
HOURS_PAID = "hours times price"
VISITS_PAID = "visits times price"
SPLIT = "part of a payee"
YEAR_CAP = "cap of the year, what earlier months left of it"
LABELS = (
    MONTH_AMOUNT, DAY_AMOUNT, BASE, PERCENT, PART_OF_MONTH, DAYS_PAID, FIXED, PER_DAY, SHARE,
    BONUS, OWN_PER_VISIT, VISIT_CAP, DAY_CAP, COST_SHARE, COST_CAPPED, AMOUNT_CAPPED, CAP_LEFT,
    ONCE_A_MONTH, LEFT_OF_COST, PRICE, FUND_PART, QUOTA, MINUTES, VISITS, HOURS_PAID, VISITS_PAID,
    SPLIT, YEAR_CAP,
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Visit:
    """Care on one day; a day in an institution is one visit."""

    day: int  # of the month
    cost: Money = ZERO
    medical: Money = ZERO  # the part of the cost that is medical care
    minutes: int = 0
    staff: str = ""

    def cost_of(self, part: Of) -> Money:
        """The life, the medical, or the whole cost."""
        if part is Of.MEDICAL:
            return self.medical
        return self.cost - self.medical if part is Of.LIFE else self.cost


@dataclass(frozen=True, kw_only=True, slots=True)
class CareSegment:
    """Days of a month that are paid alike, and the care that counts on them."""

    who: Who
    entitled_days: int
    days_in_month: int
    visits: tuple[Visit, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.entitled_days <= self.days_in_month or self.days_in_month <= 0:
            raise ValueError(f"{self.entitled_days} entitled days of {self.days_in_month}")
        if any(visit.cost < ZERO or visit.minutes < 0 for visit in self.visits):
            raise ValueError("a visit with cost or minutes below zero")
        if any(not ZERO <= visit.medical <= visit.cost for visit in self.visits):
            raise ValueError("medical care is a part of the cost")

    @property
    def cost(self) -> Money:
        return total(visit.cost for visit in self.visits)


@dataclass(kw_only=True)
class Used:
    """What earlier days of the month used up."""

    fund: dict[str, Money] = field(default_factory=dict)  # by pot, under caps on the fund
    cost: dict[str, Money] = field(default_factory=dict)  # by pot, under caps on the cost
    once: dict[str, Money] = field(default_factory=dict)  # by component, amounts paid once
    quota: dict[tuple[str, int], int] = field(default_factory=dict)  # by component and week


@dataclass(frozen=True, kw_only=True)
class Paid:
    """A payee's part of a component."""

    component: str
    payee: Payee
    amount: Money
    covers_cost: bool  # it pays for the care delivered, and leaves the person less to pay


def pay_segment(
    components: Sequence[Component], segment: CareSegment, used: Used, trace: Trace
) -> list[Paid]:
    """What the fund pays for the segment; `used` is carried on to the next one.

    Nothing is paid without an entitled day. Refuses FIGURE_UNKNOWN, and
    `<DIMENSION>_WITHOUT_AMOUNT` where the scheme has no amount for the grade, group, staff ….
    """
    paid: list[Paid] = []
    left = segment.cost  # what no component has paid yet
    for component in components:
        amount = _Payment(component, segment, used, trace, left).amount()
        if isinstance(component.formula, COST_TYPES):
            left = max(left - amount, ZERO)
        paid += _split(component, segment, amount, trace)
    return _covering(components, paid)


def _covering(components: Sequence[Component], paid: Iterable[Paid]) -> list[Paid]:
    """With what pays for the cost told from what comes beside it.

    Where no component goes by the cost, a fixed amount to the provider pays for its care; one
    to the carer does not.
    """
    by_cost = {one.name for one in components if isinstance(one.formula, COST_TYPES)}
    return [
        replace(
            one,
            covers_cost=one.component in by_cost if by_cost else one.payee is Payee.PROVIDER,
        )
        for one in paid
    ]


def cap_year(
    parts: Sequence[Money], cap: Money, paid_earlier: Money, clause: Cited, trace: Trace
) -> tuple[Money, ...]:
    """The parts of a month within what the year's cap leaves; the last part is cut first."""
    room = max(cap - paid_earlier, ZERO)
    inputs: dict[str, Scalar] = {"cap_fen": cap.fen, "paid_earlier_fen": paid_earlier.fen}
    before, kept = total(parts), []
    for part in parts:
        kept.append(min(part, room))
        room -= kept[-1]
    trace.computed(clause, YEAR_CAP, {**inputs, "amount_fen": before.fen}, total(kept).fen)
    return tuple(kept)


def amount_of(amount: Amount, who: Who, pool: str, asked_by: str, rounding: Rounding) -> Money:
    """The figure for these people, times its per cents, rounded once."""
    base = look_up(amount.base, who, money, pool=pool, asked_by=asked_by)
    share = ONE
    for figure in amount.times:
        share *= look_up(figure, who, rate, pool=pool, asked_by=asked_by)
    return base if share == ONE else base.share(share, rounding)


class _Payment:
    """One component for one segment."""

    def __init__(
        self, component: Component, segment: CareSegment, used: Used, trace: Trace, left: Money
    ) -> None:
        self._component = component
        self._segment = segment
        self._who = segment.who
        self._used = used
        self._trace = trace
        self._left = left
        self._rounding = component.formula.rounding

    def amount(self) -> Money:
        match self._component.formula:
            case FlatPerMonth() as flat:
                return self._flat_per_month(flat)
            case FlatPerDay() as flat:
                return self._flat_per_day(flat)
            case RatioOfCost(cap_basis=CapBasis.FUND) as ratio:
                return self._ratio_then_caps(ratio)
            case RatioOfCost() as ratio:
                return self._caps_then_ratio(ratio)
            case HoursTimesPrice() as hours:
                return self._hours(hours)
            case VisitsTimesPrice() as visits:
                return self._visits(visits)

    # --- flat amounts -------------------------------------------------------------------------

    def _flat_per_month(self, flat: FlatPerMonth) -> Money:
        whole_month = self._money(flat.amount, MONTH_AMOUNT)
        paid = self._part_of_month(whole_month, flat.part)
        if flat.part.rule is not ProRata.CALENDAR_DAYS:
            paid = self._once(whole_month, paid, flat.part)
        self._formula_step(FIXED, {"amount_fen": paid.fen}, paid)
        return self._up_to_month_cap(flat.month_cap, flat.part, paid)

    def _once(self, whole_month: Money, paid: Money, part: PartOfMonth) -> Money:
        """A month's amount is not paid twice because its days are paid in two ways."""
        name = self._component.name
        used = self._used.once.get(name, ZERO)
        rest = min(paid, max(whole_month - used, ZERO))
        if used:
            inputs: dict[str, Scalar] = {"amount_fen": paid.fen, "used_fen": used.fen}
            self._step(part.clause, ONCE_A_MONTH, inputs, rest)
        self._used.once[name] = used + rest
        return rest

    def _flat_per_day(self, flat: FlatPerDay) -> Money:
        amount = self._money(flat.amount, DAY_AMOUNT)
        days = self._segment.entitled_days
        if flat.per is Per.CARE_DAY:
            days = min(days, len({visit.day for visit in self._segment.visits}))
        paid = amount * days
        self._formula_step(PER_DAY, {"amount_fen": amount.fen, "days": days}, paid)
        return self._up_to_month_cap(flat.month_cap, flat.part, paid)

    # --- cost ---------------------------------------------------------------------------------

    def _ratio_then_caps(self, formula: RatioOfCost) -> Money:
        cap = self._month_cap(formula.month_cap, formula.part)
        share = self._share(formula.ratio, formula.bonus)
        visit_cap = self._money_if(formula.visit_cap, VISIT_CAP)
        day_cap = self._money_if(formula.day_cap, DAY_CAP)
        costs = self._costs(formula)
        if not self._segment.entitled_days:
            costs, cost = [], ZERO
        else:
            cost = self._cost_that_counts(formula, costs)
        if visit_cap is not None:
            each = [(day, min(self._shared(one, share), visit_cap)) for day, one in costs]
            paid = self._by_day(each, None, day_cap)
        elif day_cap is not None:
            paid = self._by_day(costs, share, day_cap)
        else:
            paid = self._shared(cost, share)
        if share != ONE or visit_cap is not None or day_cap is not None or cap is None:
            inputs: dict[str, Scalar] = {"eligible_cost_fen": cost.fen, "share": _text(share)}
            if visit_cap is not None:
                inputs["visit_cap_fen"] = visit_cap.fen
            if day_cap is not None:
                inputs["day_cap_fen"] = day_cap.fen
            self._formula_step(COST_SHARE, inputs, paid)
        paid = self._no_more_than_left(paid)
        if cap is None:
            return paid
        capped = min(paid, cap)
        inputs = {"eligible_cost_fen": paid.fen, "cap_fen": cap.fen}
        self._formula_step(COST_CAPPED, inputs, capped)
        return self._within_pot(formula.month_cap, capped)

    def _caps_then_ratio(self, formula: RatioOfCost) -> Money:
        cap = self._month_cap(formula.month_cap, formula.part)
        share = self._share(formula.ratio, formula.bonus)
        visit_cap = self._money_if(formula.visit_cap, VISIT_CAP)
        day_cap = self._money_if(formula.day_cap, DAY_CAP)
        costs = self._costs(formula)
        counted = [] if not self._segment.entitled_days else costs
        if visit_cap is not None:
            counted = [(day, min(one, visit_cap)) for day, one in counted]
        cost = (
            self._by_day(counted, None, day_cap)
            if day_cap is not None
            else total(one for _, one in counted)
        )
        if cap is not None:
            bounded = min(cost, cap)
            inputs: dict[str, Scalar] = {"eligible_cost_fen": cost.fen, "cap_fen": cap.fen}
            self._formula_step(COST_CAPPED, inputs, bounded)
            cost = self._within_pot(formula.month_cap, bounded, self._used.cost)
        paid = self._shared(cost, share)
        inputs = {"eligible_cost_fen": cost.fen, "share": _text(share)}
        if visit_cap is not None:
            inputs["visit_cap_fen"] = visit_cap.fen
        if day_cap is not None:
            inputs["day_cap_fen"] = day_cap.fen
        self._formula_step(COST_SHARE, inputs, paid)
        return self._no_more_than_left(paid)

    def _costs(self, formula: RatioOfCost) -> list[tuple[int, Money]]:
        """The cost of each visit that counts, less the person's own share of it."""
        costs = [(visit.day, visit.cost_of(formula.of)) for visit in self._segment.visits]
        if formula.own_per_visit is None:
            return costs
        own = self._money(formula.own_per_visit, OWN_PER_VISIT)
        return [(day, max(cost - own, ZERO)) for day, cost in costs]

    def _cost_that_counts(self, formula: RatioOfCost, costs: Iterable[tuple[int, Money]]) -> Money:
        cost = total(one for _, one in costs)
        return min(cost, self._left) if formula.of is Of.ALL else cost

    def _by_day(
        self, costs: list[tuple[int, Money]], share: Fraction | None, cap: Money | None
    ) -> Money:
        paid = ZERO
        for _, run in groupby(sorted(costs, key=lambda one: one[0]), key=lambda one: one[0]):
            day = total(one for _, one in run)
            if share is not None:
                day = self._shared(day, share)
            paid += day if cap is None else min(day, cap)
        return paid

    def _no_more_than_left(self, paid: Money) -> Money:
        if paid <= self._left:
            return paid
        inputs: dict[str, Scalar] = {"amount_fen": paid.fen, "left_fen": self._left.fen}
        self._formula_step(LEFT_OF_COST, inputs, self._left)
        return self._left

    # --- hours and visits ---------------------------------------------------------------------

    def _hours(self, formula: HoursTimesPrice) -> Money:
        share = self._share(formula.ratio, formula.bonus)
        exact = Fraction(0)
        minutes = 0
        for visit, counted in self._within_quota(formula, [v.minutes for v in self._visits_due()]):
            exact += self._at_price(formula.price, visit).fen * Fraction(counted, _HOUR)
            minutes += counted
        paid = Money(1).share(exact * share, self._rounding)
        inputs: dict[str, Scalar] = {"minutes": minutes, "share": _text(share)}
        if minutes and "staff" not in _dimensions(formula.price):
            price = self._money(formula.price, PRICE)
            inputs["price_fen"] = price.fen
        self._formula_step(HOURS_PAID, inputs, paid)
        return self._up_to_month_cap(formula.month_cap, formula.part, paid)

    def _visits(self, formula: VisitsTimesPrice) -> Money:
        share = self._share(formula.ratio, formula.bonus)
        paid, count = ZERO, 0
        by_staff: dict[str, int] = {}
        for visit, counted in self._within_quota(formula, [1 for _ in self._visits_due()]):
            if not counted:
                continue
            price = self._at_price(formula.price, visit)
            if formula.fund_part is None:
                paid += self._shared(price, share)
            else:
                paid += min(self._at_price(formula.fund_part, visit), price)
            count += 1
            by_staff[visit.staff] = by_staff.get(visit.staff, 0) + 1
        for staff in sorted(by_staff):
            self._price_steps(formula, staff)
        inputs: dict[str, Scalar] = {"visits": count, "share": _text(share)}
        inputs |= {f"visits_{staff}": n for staff, n in sorted(by_staff.items()) if staff}
        self._formula_step(VISITS_PAID, inputs, paid)
        return self._up_to_month_cap(formula.month_cap, formula.part, paid)

    def _visits_due(self) -> tuple[Visit, ...]:
        if not self._segment.entitled_days:
            return ()
        return tuple(sorted(self._segment.visits, key=lambda visit: visit.day))

    def _price_steps(self, formula: VisitsTimesPrice, staff: str) -> None:
        who = _with_staff(self._who, staff)
        self._money(formula.price, PRICE, who)
        if formula.fund_part is not None:
            self._money(formula.fund_part, FUND_PART, who)

    def _at_price(self, price: Amount, visit: Visit) -> Money:
        who = _with_staff(self._who, visit.staff)
        component = self._component
        return amount_of(price, who, component.pool, component.name, self._rounding)

    def _within_quota(
        self, formula: HoursTimesPrice | VisitsTimesPrice, wanted: Sequence[int]
    ) -> list[tuple[Visit, int]]:
        """Each visit in the order of days with what of it the quota still has room for."""
        visits = self._visits_due()
        if formula.quota is None:
            return list(zip(visits, wanted, strict=True))
        quota = self._quota(formula.quota, formula)
        counted: list[tuple[Visit, int]] = []
        for visit, amount in zip(visits, wanted, strict=True):
            week = (visit.day - 1) // _WEEK if formula.quota_per is QuotaPer.WEEK else 0
            key = (self._component.name, week)
            used = self._used.quota.get(key, 0)
            room = max(self._quota_of(formula, quota, week) - used, 0)
            counted.append((visit, min(amount, room)))
            self._used.quota[key] = used + min(amount, room)
        label = MINUTES if isinstance(formula, HoursTimesPrice) else VISITS
        inputs: dict[str, Scalar] = {"quota": quota, "wanted": sum(wanted)}
        inputs["per"] = formula.quota_per.value
        self._count_step(formula.quota, label, inputs, sum(one for _, one in counted))
        return counted

    def _quota(self, figure: Figure, formula: HoursTimesPrice | VisitsTimesPrice) -> int:
        component, segment = self._component, self._segment
        quota = look_up(figure, self._who, whole, pool=component.pool, asked_by=component.name)
        self._count_step(figure, QUOTA, asked_of(figure, self._who), quota)
        part = formula.quota_part
        full = segment.entitled_days == segment.days_in_month
        if formula.quota_per is QuotaPer.WEEK or full or part.rule is ProRata.NONE:
            return quota
        days = Fraction(segment.entitled_days, segment.days_in_month)
        cut = Money(quota).share(days, Rounding.UP).fen
        inputs: dict[str, Scalar] = {
            "quota": quota,
            "entitled_days": segment.entitled_days,
            "days_in_month": segment.days_in_month,
        }
        self._count_step(part.clause, f"{PART_OF_MONTH}, {part.rule.value}, up", inputs, cut)
        return cut

    def _quota_of(self, formula: HoursTimesPrice | VisitsTimesPrice, quota: int, week: int) -> int:
        rest = self._segment.days_in_month - week * _WEEK
        if formula.quota_per is QuotaPer.MONTH or rest >= _WEEK:
            return quota
        return -(-quota * rest // _WEEK)  # rounded up

    # --- what all shapes share ----------------------------------------------------------------

    def _share(self, ratio: Figure | None, bonus: Figure | None) -> Fraction:
        if ratio is None:
            return ONE
        share = self._rate(ratio, SHARE)
        if bonus is None:
            return min(share, ONE)
        points = self._rate(bonus, BONUS)
        return min(share + points, ONE)

    def _shared(self, cost: Money, share: Fraction) -> Money:
        return cost if share == ONE else cost.share(share, self._rounding)

    def _rate(self, figure: Figure, label: str) -> Fraction:
        component = self._component
        found = look_up(figure, self._who, rate, pool=component.pool, asked_by=component.name)
        self._trace.computed(
            figure, f"{component.name}: {label}", asked_of(figure, self._who), _text(found)
        )
        return found

    def _money_if(self, amount: Amount | None, label: str) -> Money | None:
        return None if amount is None else self._money(amount, label)

    def _money(self, amount: Amount, label: str, who: Who | None = None) -> Money:
        """An amount looked up, with a step for the base and for each per cent."""
        component, who = self._component, who or self._who
        found = amount_of(amount, who, component.pool, component.name, self._rounding)
        if not amount.times:
            self._step(amount.base, label, asked_of(amount.base, who), found)
            return found
        base = look_up(amount.base, who, money, pool=component.pool, asked_by=component.name)
        self._step(amount.base, BASE, asked_of(amount.base, who), base)
        for figure in amount.times:
            self._rate(figure, PERCENT)
        self._step(component.formula_clause, label, {"base_fen": base.fen, **_grade_of(who)}, found)
        return found

    def _month_cap(self, cap: Amount | None, part: PartOfMonth) -> Money | None:
        """The cap that the segment's days carry."""
        if cap is None:
            return None
        return self._part_of_month(self._money(cap, MONTH_AMOUNT), part)

    def _up_to_month_cap(self, cap: Amount | None, part: PartOfMonth, paid: Money) -> Money:
        room = self._month_cap(cap, part)
        if room is None:
            return paid
        capped = min(paid, room)
        self._formula_step(AMOUNT_CAPPED, {"amount_fen": paid.fen, "cap_fen": room.fen}, capped)
        return self._within_pot(cap, capped)

    def _within_pot(
        self, cap: Amount | None, amount: Money, pots: dict[str, Money] | None = None
    ) -> Money:
        """The amount within what earlier days and components left of the whole month's cap."""
        pots = self._used.fund if pots is None else pots
        pot = self._component.formula.pot or self._component.name
        used = pots.get(pot, ZERO)
        kept = amount
        if used and cap is not None:
            component = self._component
            bound = amount_of(cap, self._who, component.pool, component.name, self._rounding)
            kept = min(amount, max(bound - used, ZERO))
            self._step(
                cap.base,
                CAP_LEFT,
                {"amount_fen": amount.fen, "cap_fen": bound.fen, "used_fen": used.fen},
                kept,
            )
        pots[pot] = used + kept
        return kept

    def _part_of_month(self, amount: Money, part: PartOfMonth) -> Money:
        """The amount that the entitled days carry; the clause is cited only where it decides."""
        days, month = self._segment.entitled_days, self._segment.days_in_month
        if days == month:
            return amount
        inputs: dict[str, Scalar] = {"amount_fen": amount.fen}
        if days == 0:
            carried = ZERO
        elif part.rule is ProRata.NONE:
            carried = amount
        elif part.day_amount is not None:
            each = self._money(part.day_amount, DAY_AMOUNT)
            carried = min(each * days, amount)
            inputs["day_amount_fen"] = each.fen
        else:
            carried = amount.share(Fraction(days, month), self._rounding)
        inputs |= {"entitled_days": days, "days_in_month": month}
        label = f"{PART_OF_MONTH}, {part.rule.value}, {self._rounding.value}"
        self._step(part.clause, label, inputs, carried)
        return carried

    def _formula_step(self, label: str, inputs: Mapping[str, Scalar], output: Money) -> None:
        self._step(self._component.formula_clause, label, inputs, output)

    def _step(self, clause: Cited, label: str, inputs: Mapping[str, Scalar], output: Money) -> None:
        self._trace.computed(clause, f"{self._component.name}: {label}", inputs, output.fen)

    def _count_step(
        self, clause: Cited, label: str, inputs: Mapping[str, Scalar], output: int
    ) -> None:
        self._trace.computed(clause, f"{self._component.name}: {label}", inputs, output)


def _split(component: Component, segment: CareSegment, amount: Money, trace: Trace) -> list[Paid]:
    """The payees' parts, which make the whole to the fen."""
    portions = component.portions
    if len(portions) == 1:
        return [_paid(component, portions[0].payee, amount)]
    weights = [
        portion.part
        if isinstance(portion.part, int)
        else amount_of(
            portion.part, segment.who, component.pool, component.name, Rounding.HALF_UP
        ).fen
        for portion in portions
    ]
    parts = amount.split(weights)
    for portion, weight, part in zip(portions, weights, parts, strict=True):
        trace.computed(
            component.form_clause,
            f"{component.name}: {SPLIT}, {portion.payee.value}",
            {"amount_fen": amount.fen, "part": weight, "of": sum(weights)},
            part.fen,
        )
    return [
        _paid(component, portion.payee, part) for portion, part in zip(portions, parts, strict=True)
    ]


def _paid(component: Component, payee: Payee, amount: Money) -> Paid:
    return Paid(component=component.name, payee=payee, amount=amount, covers_cost=False)


def _dimensions(amount: Amount) -> frozenset[str]:
    return frozenset(name for figure in amount.figures for name in figure.dimensions)


def _with_staff(who: Who, staff: str) -> Who:
    if who.staff == staff:
        return who
    return Who(
        grade=who.grade,
        group=who.group,
        tier=who.tier,
        form=who.form,
        level=who.level,
        staff=staff,
        statuses=who.statuses,
        age=who.age,
    )


def _grade_of(who: Who) -> dict[str, Scalar]:
    return {} if who.grade is None else {"grade": who.grade}


def _text(share: Fraction) -> str:
    """A rate as people write it: 0.75; thirds and the like as a fraction."""
    hundredths = share * 100_000
    if hundredths.denominator != 1:
        return str(share)
    digits = f"{hundredths.numerator:06d}"
    return f"{digits[:-5]}.{digits[-5:]}".rstrip("0").rstrip(".")
