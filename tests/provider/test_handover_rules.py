"""How the people of a provider that stopped are handed over."""

from dataclasses import replace
from datetime import date

from hypothesis import given as for_all
from hypothesis import strategies as st

from kernel.ids import derive
from services.provider.domain import handover as h
from services.provider.domain import plan as p
from services.provider.domain.plan import Plan, Plans
from tests.provider.care import APPROVED, PERSON, PLAN, POOL

DAY = date(2024, 3, 4)
NEW = derive("test", "new plan")
TAKES_ONE, TAKES_MANY = (
    h.Receiver(provider=derive("first"), places=1),
    h.Receiver(provider=derive("second"), places=100),
)
MOVED = h.Moved(plan=Plan(approved=APPROVED), new_plan=NEW, provider=TAKES_ONE.provider)
BEGUN = replace(
    APPROVED, plan=NEW, provider=TAKES_ONE.provider, start_date=DAY, handed_over_from=PLAN
)


def running(number: int, start: date = date(2024, 2, 1)) -> tuple[Plan, object]:
    name = derive("plan", str(number))
    return Plan(approved=replace(APPROVED, plan=name, start_date=start)), derive("new", str(name))


def test_a_plan_ends_the_day_before_and_begins_elsewhere() -> None:
    ended = p.PlanEnded(
        plan=PLAN, person=PERSON, pool=POOL, end_date=date(2024, 3, 3), cause="HANDED_OVER"
    )
    plans = p.evolve(Plans(), APPROVED)

    assert h.decide(MOVED, plans, DAY) == [ended, BEGUN]
    assert h.decide(MOVED, p.evolve(plans, BEGUN), DAY) == []


def test_a_last_day_that_was_set_is_kept() -> None:
    until = replace(MOVED, plan=Plan(approved=APPROVED, end_date=date(2024, 3, 31)))

    *_, last = h.decide(until, p.evolve(Plans(), APPROVED), DAY)

    assert isinstance(last, p.PlanEnded)
    assert (last.plan, last.end_date) == (NEW, date(2024, 3, 31))


def test_the_oldest_plans_go_first_to_the_first_who_has_a_place() -> None:
    older, younger = running(1), running(2, date(2024, 2, 2))

    found = h.order([younger, older], [TAKES_ONE, TAKES_MANY], DAY, 10)  # type: ignore[list-item]

    assert [(one.plan, one.provider) for one in found.moved] == [
        (older[0], TAKES_ONE.provider),
        (younger[0], TAKES_MANY.provider),
    ]


def test_plans_that_cannot_go_are_listed_with_their_reason() -> None:
    later, erased = running(1, DAY), running(2)
    erased = (Plan(approved=replace(erased[0].approved, place=None)), erased[1])
    plans = [running(3), running(4), later, erased]

    found = h.order(plans, [TAKES_ONE], DAY, 10)  # type: ignore[arg-type]

    assert sorted(one.reason for one in found.left) == [
        "NOT_BEGUN",
        "NO_PLACE_LEFT",
        "PLACE_ERASED",
    ]
    assert len(found.moved) == 1


def test_a_plan_goes_to_somebody_who_gives_its_form_of_care() -> None:
    homes = replace(TAKES_MANY, forms=frozenset({p.CareForm.INSTITUTION}))

    found = h.order([running(1)], [homes, TAKES_ONE], DAY, 10)  # type: ignore[list-item]
    none = h.order([running(1)], [homes], DAY, 10)  # type: ignore[list-item]

    assert [one.provider for one in found.moved] == [TAKES_ONE.provider]
    assert [one.reason for one in none.left] == ["NO_LINE"]


@for_all(count=st.integers(0, 12), places=st.integers(0, 12), most=st.integers(1, 12))
def test_nobody_is_lost_on_the_way(count: int, places: int, most: int) -> None:
    receivers = [h.Receiver(provider=derive("r"), places=places)]
    plans = [running(number) for number in range(count)]

    found = h.order(plans, receivers, DAY, most)  # type: ignore[arg-type]

    assert len(found.moved) + len(found.left) + found.waiting == count
    assert len(found.moved) == min(count, places, most)
