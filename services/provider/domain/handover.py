"""Handing the people of a provider that stopped over to others (参保人移交). Pure: no I/O.

Source: 医保办发〔2024〕21号 Art. 43. Which provider takes whom is the agency's order of receivers;
each plan goes to the first that has a place left.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from uuid import UUID

from services.provider.domain.plan import CareForm, Event, Plan, PlanApproved, PlanEnded, Plans

HANDED_OVER = "HANDED_OVER"
NO_PLACE_LEFT, NO_LINE = "NO_PLACE_LEFT", "NO_LINE"
NOT_BEGUN, PLACE_ERASED = "NOT_BEGUN", "PLACE_ERASED"
_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Receiver:
    """A provider that takes so many plans, of the forms that its agreement covers."""

    provider: UUID
    places: int
    forms: frozenset[CareForm] = frozenset(CareForm)


@dataclass(frozen=True, kw_only=True)
class Moved:
    """A plan that goes to another provider."""

    plan: Plan
    new_plan: UUID
    provider: UUID


@dataclass(frozen=True, kw_only=True)
class Left:
    """A plan without a new provider, and why."""

    plan: UUID
    person: UUID
    reason: str


@dataclass(frozen=True, kw_only=True)
class Handover:
    """Who goes where; `waiting` are plans that could be moved, but not in this round."""

    moved: tuple[Moved, ...] = ()
    left: tuple[Left, ...] = ()
    waiting: int = 0

    @property
    def full(self) -> bool:
        """Whether no receiver has a place left."""
        return any(one.reason == NO_PLACE_LEFT for one in self.left)


def order(
    plans: Sequence[tuple[Plan, UUID]], receivers: Sequence[Receiver], day: date, most: int
) -> Handover:
    """Who goes where: plans by their first day and id, each with the id that a new one gets.

    At most `most` of them are moved; the others wait for the next round.
    """
    moved: list[Moved] = []
    left: list[Left] = []
    waiting = 0
    places = [receiver.places for receiver in receivers]
    for plan, new_plan in sorted(plans, key=_by_age):
        place = next(
            (n for n, one in enumerate(receivers) if places[n] and plan.approved.form in one.forms),
            None,
        )
        reason = _stays(plan, day)
        if not reason and place is None:
            reason = NO_LINE if any(places) else NO_PLACE_LEFT
        if reason or place is None:
            approved = plan.approved
            left.append(Left(plan=approved.plan, person=approved.person, reason=reason))
        elif len(moved) == most:
            waiting += 1
        else:
            places[place] -= 1
            moved.append(Moved(plan=plan, new_plan=new_plan, provider=receivers[place].provider))
    return Handover(moved=tuple(moved), left=tuple(left), waiting=waiting)


def decide(moved: Moved, plans: Plans, day: date) -> list[Event]:
    """Ends the plan the day before and begins the new one; nothing where it was done before.

    A last day that the old plan had already is kept by the new one.
    """
    if plans.find(moved.new_plan) is not None:
        return []
    approved, last = moved.plan.approved, moved.plan.end_date
    events: list[Event] = [
        _ended(approved, approved.plan, day - _ONE_DAY, HANDED_OVER),
        replace(
            approved,
            plan=moved.new_plan,
            provider=moved.provider,
            start_date=day,
            provider_level="",
            handed_over_from=approved.plan,
        ),
    ]
    if last is not None:
        events.append(_ended(approved, moved.new_plan, last, "ENDED"))
    return events


def _stays(plan: Plan, day: date) -> str:
    if plan.approved.start_date >= day:
        return NOT_BEGUN
    return PLACE_ERASED if plan.approved.place is None else ""


def _by_age(numbered: tuple[Plan, UUID]) -> tuple[date, str]:
    approved = numbered[0].approved
    return approved.start_date, str(approved.plan)


def _ended(approved: PlanApproved, plan: UUID, last: date, cause: str) -> PlanEnded:
    return PlanEnded(
        plan=plan, person=approved.person, pool=approved.pool, end_date=last, cause=cause
    )
