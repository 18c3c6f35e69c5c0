"""Visits booked within a month's caps and quotas."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from functools import reduce
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from kernel.ids import derive
from kernel.money import Money, total, yuan
from kernel.refusal import NotFound, Refused, RequestReused
from kernel.rules.benefit import CareSegment, Used, pay_segment
from kernel.rules.benefit import Visit as Care
from kernel.rules.dimensions import Who
from kernel.rules.formula import HoursTimesPrice, QuotaPer
from kernel.rules.pack import Pack
from kernel.rules.room import rooms
from kernel.rules.ruling import Ruling, Trace
from services.provider.domain import booking as b
from services.provider.domain.booking_rule import (
    Basis,
    Question,
    question_of,
    remaining_on,
    rule_booking,
)
from services.provider.domain.insured import EntitlementState, EntitlementTold, insured_of
from services.provider.domain.plan import PlanEnded
from services.provider.domain.verdict import ItemDone
from tests.provider import care

OPENED = EntitlementTold(
    person=care.PERSON,
    pool=care.POOL,
    effective_date=date(2024, 2, 1),
    state=EntitlementState.OPEN,
    grade=3,
)
FACTS = (care.APPROVED, care.REGISTERED, OPENED)
CAP = yuan("1500")
EMPTY = b.BookedMonth()


def basis(*facts: object, pack: Pack = care.CHANGZHOU) -> Basis:
    return Basis(facts=care.as_facts(*(facts or FACTS)), pack=pack, code_version="test")


def question(name: str = "one", cost: str = "60", **changes: Any) -> Question:
    told: dict[str, Any] = {
        "booking": derive("booking", name),
        "plan": care.PLAN,
        "caregiver": care.CAREGIVER,
        "start_time": care.at("09:00"),
        "minutes": 60,
        "items": (ItemDone(item="bath", price=yuan(cost)),),
    }
    return Question(**(told | changes))


def book(asked: Question, *facts: object) -> b.BookVisit:
    return b.BookVisit(
        question=asked,
        person=care.PERSON,
        pool=care.POOL,
        provider=care.PROVIDER,
        basis=basis(*facts),
    )


def after(*commands: b.Command) -> b.BookedMonth:
    month = EMPTY
    for command in commands:
        month = reduce(b.evolve, b.decide(command, month), month)
    return month


def refusal(command: b.Command, month: b.BookedMonth = EMPTY) -> Refused:
    with pytest.raises(Refused) as caught:
        b.decide(command, month)
    return caught.value


def fulfil(name: str = "one", cost: str = "50", visit: str = "v") -> b.FulfilBooking:
    return b.FulfilBooking(
        booking=derive("booking", name),
        visit=derive("visit", visit),
        care_date=date(2024, 3, 4),
        minutes=55,
        cost=yuan(cost),
    )


def cancel(name: str = "one") -> b.CancelBooking:
    return b.CancelBooking(booking=derive("booking", name), cause="ill")


def left(month: b.BookedMonth) -> int:
    told = remaining_on(
        date(2024, 3, 4), care.APPROVED, insured_of([OPENED]), month.care(), basis()
    )
    (one,) = told
    assert one.used + one.left == one.limit == CAP.fen
    assert one.left >= 0
    return one.left


def test_a_booking_shows_what_the_month_has_left_after_it() -> None:
    (booked,) = b.decide(book(question()), EMPTY)

    assert isinstance(booked, b.VisitBooked)
    (room,) = booked.remaining
    assert (room.component, room.unit, room.limit, room.used, room.left, room.over) == (
        "home_care", "money", 150_000, 6_000, 144_000, 0,
    )  # fmt: skip
    assert booked.cost == yuan("60")


def test_the_same_booking_again_changes_nothing_and_another_time_is_another_request() -> None:
    month = after(book(question()))

    assert b.decide(book(question()), month) == []
    with pytest.raises(RequestReused):
        b.decide(book(question(start_time=care.at("11:00"))), month)


def test_who_is_not_known_to_be_entitled_gets_no_booking_and_is_told_how_it_stands() -> None:
    told = refusal(book(question(), care.APPROVED, care.REGISTERED))
    assert (told.reason, told.facts["state"]) == ("NOT_ENTITLED", "none")

    ended = replace(OPENED, effective_date=date(2024, 3, 4), state=EntitlementState.ENDED,
                    grade=None, cause="DEATH")  # fmt: skip
    told = refusal(book(question(), *FACTS, ended))
    assert (told.reason, told.facts["cause"]) == ("NOT_ENTITLED", "DEATH")


def test_a_booking_needs_a_plan_in_force_and_a_caregiver_on_the_register() -> None:
    over = PlanEnded(plan=care.PLAN, person=care.PERSON, pool=care.POOL,
                     end_date=date(2024, 3, 3), cause="ENDED")  # fmt: skip
    assert refusal(book(question(), *FACTS, over)).reason == "PLAN_NOT_IN_FORCE"
    assert refusal(book(question(), care.APPROVED, OPENED)).reason == "CAREGIVER_NOT_REGISTERED"
    with pytest.raises(NotFound):
        b.decide(book(question(), OPENED), EMPTY)


def test_what_exceeds_the_cap_is_refused_with_the_cap_and_what_is_left() -> None:
    month = after(book(question("one", "1450")))
    told = refusal(book(question("two", "60")), month)

    assert told.reason == "CAP_EXCEEDED"
    assert told.facts == {
        "component": "home_care", "unit": "money", "limit": "150000", "left": "5000",
    }  # fmt: skip
    # Not a refusal to the fen: what is left can be booked.
    assert left(after(book(question("one", "1450")), book(question("two", "50")))) == 0


def test_at_own_cost_the_visit_is_booked_and_what_the_person_pays_is_shown() -> None:
    month = after(book(question("one", "1450")))
    (booked,) = b.decide(book(question("two", "60", at_own_cost=True)), month)

    assert isinstance(booked, b.VisitBooked)
    assert (booked.remaining[0].left, booked.remaining[0].over) == (0, 1_000)


def test_a_delivered_visit_takes_the_place_of_its_booking_and_a_cancelled_one_frees_it() -> None:
    assert left(after(book(question()))) == 144_000
    assert left(after(book(question()), fulfil(cost="50"))) == 145_000
    assert left(after(book(question()), cancel())) == 150_000


def test_a_booking_ends_once() -> None:
    delivered, cancelled = after(book(question()), fulfil()), after(book(question()), cancel())

    assert b.decide(fulfil(), delivered) == []
    assert b.decide(cancel(), cancelled) == []
    assert refusal(cancel(), delivered).reason == "FULFILLED_ALREADY"
    assert refusal(fulfil(visit="other"), delivered).reason == "FULFILLED_ALREADY"
    assert refusal(fulfil(), cancelled).reason == "CANCELLED_ALREADY"
    with pytest.raises(NotFound):
        b.decide(cancel(), EMPTY)


def test_a_ruling_is_made_again_to_the_byte_from_what_it_names() -> None:
    month = after(book(question("one", "1450")))
    stranger = replace(care.APPROVED, plan=derive("plan", "other"))
    command = book(question("two", "60", at_own_cost=True), *FACTS, stranger)
    (booked,) = b.decide(command, month)
    assert isinstance(booked, b.VisitBooked)
    told = Ruling.parse(booked.ruling)

    named = tuple(fact for fact in command.basis.facts if fact.ref in told.facts)
    assert len(named) == len(FACTS)
    again = rule_booking(*question_of(told), replace(command.basis, facts=named))
    assert again.ruling.to_bytes() == booked.ruling


NAMES = st.sampled_from([f"b{number}" for number in range(6)])
NEVER = st.booleans().filter(lambda own: not own)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("book"), NAMES, st.integers(1, 90_000), st.booleans()),
        st.tuples(st.just("cancel"), NAMES, st.just(0), NEVER),
        st.tuples(st.just("fulfil"), NAMES, st.integers(1, 90_000), NEVER),
    ),
    max_size=15,
)


@settings(max_examples=150, deadline=None)
@for_all(STEPS)
def test_whatever_the_order_used_and_left_make_the_cap_and_no_fen_is_lost(
    steps: list[tuple[str, str, int, bool]],
) -> None:
    month = EMPTY
    makes: dict[str, Callable[[str, Money, bool], b.Command]] = {
        "book": lambda name, cost, own: book(
            question(name, items=(ItemDone(item="bath", price=cost),), at_own_cost=own)
        ),
        "cancel": lambda name, _cost, _own: cancel(name),
        "fulfil": lambda name, cost, _own: replace(fulfil(name), cost=cost),
    }
    takes: dict[UUID, Money] = {}  # kept apart from the code under test
    free = True  # no visit cost more than was booked, and nobody pays beyond the cap
    for kind, name, fen, own in steps:
        command = makes[kind](name, Money(fen), own)
        try:
            events = b.decide(command, month)
        except (Refused, NotFound, RequestReused):
            continue
        month = reduce(b.evolve, events, month)
        booking = derive("booking", name)
        if events and kind == "cancel":
            takes.pop(booking)
        elif events:
            free = free and not own and (kind == "book" or Money(fen) <= takes[booking])
            takes[booking] = Money(fen)
    wanted = total(takes.values())
    assert left(month) == max(CAP.fen - wanted.fen, 0)
    if free:
        assert wanted <= CAP


def lishui(visits: list[tuple[int, int]]) -> tuple[Any, CareSegment]:
    """A pool that pays hours within a quota of the month."""
    pack = Pack.load(care.RULES / "320117_nanjing_lishui")
    day = max(pack.turns)
    form = next(
        one
        for one in pack.forms(day)
        if any(isinstance(c.formula, HoursTimesPrice) for c in pack.components(one, day))
    )
    segment = CareSegment(
        who=Who(grade=4, form=form),
        entitled_days=20,
        days_in_month=30,
        visits=tuple(Care(day=d, minutes=m, cost=Money(100)) for d, m in visits),
    )
    return pack.components(form, day), segment


@settings(max_examples=100, deadline=None)
@for_all(st.lists(st.tuples(st.integers(1, 30), st.integers(1, 400)), max_size=12))
def test_what_a_quota_shows_as_used_is_what_the_benefit_counts(
    visits: list[tuple[int, int]],
) -> None:
    components, segment = lishui(visits)
    used = Used()
    pay_segment(components, segment, used, Trace())

    (room,) = (one for one in rooms(components, segment, 4) if one.unit == "minutes")
    assert room.used == used.quota.get((room.component, 0), 0)
    assert room.used + room.left == room.limit > 0
    assert room.used + room.over == sum(minutes for _, minutes in visits)


@settings(max_examples=100, deadline=None)
@for_all(st.lists(st.tuples(st.integers(1, 30), st.integers(1, 900)), max_size=16))
def test_a_quota_by_the_week_has_left_what_the_benefit_leaves_in_the_week_of_the_day(
    visits: list[tuple[int, int]],
) -> None:
    monthly, segment = lishui(visits)
    (one,) = (one for one in monthly if isinstance(one.formula, HoursTimesPrice))
    weekly = replace(one, formula=replace(one.formula, quota_per=QuotaPer.WEEK))
    used = Used()
    pay_segment([weekly], segment, used, Trace())

    for first in range(1, 31, 7):
        week = range(first, min(first + 7, 31))
        wanted = sum(minutes for day, minutes in visits if day in week)
        for day in week:
            (room,) = (one for one in rooms([weekly], segment, day) if one.unit == "minutes")
            assert room.used == used.quota.get((weekly.name, first // 7), 0)
            assert room.used + room.over == wanted
            assert room.used + room.left == room.limit > 0


def test_a_day_of_care_is_told_in_shanghai() -> None:
    (booked,) = b.decide(book(question()), EMPTY)
    assert isinstance(booked, b.VisitBooked)
    assert datetime.fromisoformat(booked.start_time) == care.at("09:00")
