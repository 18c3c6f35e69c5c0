"""What is left of a month's caps and quotas (当月剩余额度), by the same components as the benefit.

Nothing is computed twice in two ways: what care comes to under a cap is what `pay_segment`
would pay without that cap, and what a part of a month carries is a fixed amount of that part.
Pure: no floats.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from kernel.money import Money, total
from kernel.rules.benefit import CareSegment, Used, pay_segment
from kernel.rules.dimensions import look_up, whole
from kernel.rules.formula import (
    COST_TYPES,
    Amount,
    CapBasis,
    Component,
    FlatPerMonth,
    HoursTimesPrice,
    ProRata,
    QuotaPer,
    RatioOfCost,
    VisitsTimesPrice,
)
from kernel.rules.ruling import Cited, Trace

MONEY, MINUTES, VISITS = "money", "minutes", "visits"
_WEEK = 7


@dataclass(frozen=True, kw_only=True)
class Room:
    """One cap or quota: its limit, and what the care wants of it; in fen, minutes or visits."""

    component: str
    unit: str
    limit: int
    wanted: int
    clause: Cited

    @property
    def used(self) -> int:
        return min(self.wanted, self.limit)

    @property
    def left(self) -> int:
        return self.limit - self.used

    @property
    def over(self) -> int:
        """What the care wants beyond the limit: it is the person's own."""
        return self.wanted - self.used


def rooms(components: Sequence[Component], segment: CareSegment, day: int) -> tuple[Room, ...]:
    """Every cap and quota of the components; those by the week for the week of a day.

    Refuses FIGURE_UNKNOWN, and `<DIMENSION>_WITHOUT_AMOUNT`, as the benefit does.
    """
    return (*_caps(components, segment), *_quotas(components, segment, day))


def _caps(components: Sequence[Component], segment: CareSegment) -> Iterator[Room]:
    """Components of one pot share its cap: the lowest of theirs bounds them together."""
    pots: dict[str, list[tuple[Component, Amount]]] = {}
    for one in components:
        if isinstance(one.formula, COST_TYPES) and one.formula.month_cap is not None:
            pots.setdefault(one.formula.pot or one.name, []).append((one, one.formula.month_cap))
    for pot in pots.values():
        limits = [(_carried(one, cap, segment), one, cap) for one, cap in pot]
        limit, component, cap = min(limits, key=lambda told: told[0])
        # Together, so that no cost is wanted twice: a later one pays for what an earlier left.
        wanted = _paid([_uncapped(one) for one, _ in pot], segment)
        yield Room(
            component=component.name,
            unit=MONEY,
            limit=limit.fen,
            wanted=wanted.fen,
            clause=cap.base,
        )


def _carried(component: Component, cap: Amount, segment: CareSegment) -> Money:
    """The cap that the entitled days carry."""
    flat = FlatPerMonth(
        amount=cap, part=component.formula.part, rounding=component.formula.rounding
    )
    return _paid([replace(component, formula=flat)], replace(segment, visits=()))


def _uncapped(component: Component) -> Component:
    """The component that pays what the care comes to under the cap, were there none."""
    formula = component.formula
    if isinstance(formula, RatioOfCost) and formula.cap_basis is CapBasis.COST:
        # Such a cap bounds the cost: the share comes off afterwards.
        return replace(component, formula=replace(formula, ratio=None, bonus=None, month_cap=None))
    return replace(component, formula=replace(formula, month_cap=None))


def _paid(components: Sequence[Component], segment: CareSegment) -> Money:
    return total(part.amount for part in pay_segment(components, segment, Used(), Trace()))


def _quotas(components: Sequence[Component], segment: CareSegment, day: int) -> Iterator[Room]:
    for one in components:
        formula = one.formula
        if not isinstance(formula, HoursTimesPrice | VisitsTimesPrice) or formula.quota is None:
            continue
        hours = isinstance(formula, HoursTimesPrice)
        weekly = formula.quota_per is QuotaPer.WEEK
        week = (day - 1) // _WEEK
        care = [v for v in segment.visits if not weekly or (v.day - 1) // _WEEK == week]
        wanted = sum(v.minutes for v in care) if hours else len(care)
        yield Room(
            component=one.name,
            unit=MINUTES if hours else VISITS,
            limit=_quota(one, formula, segment, week if weekly else None),
            wanted=wanted,
            clause=formula.quota,
        )


def _quota(
    component: Component,
    formula: HoursTimesPrice | VisitsTimesPrice,
    segment: CareSegment,
    week: int | None,
) -> int:
    """The quota of the month's entitled days, or of a week; a part of either is rounded up."""
    if formula.quota is None:
        raise ValueError("only a component with a quota has one")
    quota = look_up(formula.quota, segment.who, whole, pool=component.pool, asked_by=component.name)
    days, month = segment.entitled_days, segment.days_in_month
    if week is not None:
        rest = min(month - week * _WEEK, _WEEK)
        return -(-quota * rest // _WEEK)
    if formula.quota_part.rule is ProRata.NONE and days:
        return quota
    return -(-quota * days // month)
