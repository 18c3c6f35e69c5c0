"""Components and months for tests of the shapes, without a pack."""

from datetime import date
from typing import Any

from kernel.money import Money, total
from kernel.rules.benefit import CareSegment, Used, Visit, pay_segment
from kernel.rules.dimensions import Who
from kernel.rules.figure import Figure
from kernel.rules.formula import Amount, Component, Payee, Portion, Source, read_formula
from kernel.rules.ruling import Trace

PART_MONTH = {"flat": "calendar_days", "cap": "none", "rounding": "half_up"}
GRADES = {"3": 107700, "4": 143700, "5": 179600}


def figure(
    value: Any, *, key: str = "payment.example", by: tuple[str, ...] = (), **other: Any
) -> Figure:
    """A figure for ever."""
    told: dict[str, Any] = {"combine": "", "verified": True, "note": "made up", **other}
    return Figure(
        key=key,
        title="example",
        value=value,
        unit="example",
        citation="example",
        source="F",
        effective_from=date(2020, 1, 1),
        effective_to=None,
        by=by,
        **told,
    )


def amount(value: Any, *times: Any, by: tuple[str, ...] = ()) -> Amount:
    return Amount(base=figure(value, by=by), times=tuple(figure(one) for one in times))


def component(
    told: dict[str, Any],
    figures: dict[str, Figure],
    part_month: dict[str, str] | None = None,
    portions: tuple[Portion, ...] = (Portion(payee=Payee.PROVIDER),),
    *,
    part_verified: bool = True,
    name: str = "example",
) -> Component:
    """A component as a pack would tell it, its names looked up in `figures`."""
    rule = figure(PART_MONTH | (part_month or {}), verified=part_verified)
    source = Source(lambda _kind, key: figures[key], lambda: rule)
    return Component(
        name=name,
        pool="000000",
        formula=read_formula(figure(told), source),
        portions=portions,
        formula_clause=figure(told),
        form_clause=figure([]),
    )


def segment(*visits: Visit, days: int = 30, month: int = 30, **who: Any) -> CareSegment:
    told: dict[str, Any] = {"grade": 3, **who}
    if "statuses" in told:
        told["statuses"] = frozenset(told["statuses"])
    return CareSegment(who=Who(**told), entitled_days=days, days_in_month=month, visits=visits)


def visit(cost: int = 0, day: int = 1, **other: Any) -> Visit:
    return Visit(day=day, cost=Money(cost), **other)


def paid(one: Component, *segments: CareSegment, trace: Trace | None = None) -> Money:
    """What the fund pays for the segments of a month, all payees together."""
    used, told = Used(), trace or Trace()
    return total(p.amount for s in segments for p in pay_segment((one,), s, used, told))
