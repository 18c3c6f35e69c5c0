"""The three-way match: each reason once, and what holds for all lines."""

import itertools
from dataclasses import replace
from datetime import date
from functools import reduce
from random import Random
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from kernel.calendar import Month
from kernel.ids import derive
from kernel.money import ZERO, Money, total, yuan
from kernel.refusal import RequestReused
from kernel.rules.ruling import Fact, FactRef, Ruling
from services.provider.domain import claim as c
from services.provider.domain import claim_match as m
from services.provider.domain.plan import PlanEnded
from services.provider.domain.risk import RiskCleared, RiskConfirmed, RiskFlagged
from services.provider.domain.verdict import ConfirmedBy, ItemDone
from services.provider.domain.visit import ServiceDelivered, ServiceRejected
from tests.provider import care
from tests.provider.test_verdict import GOOD, ruled

MARCH, DAY, TODAY = Month(2024, 3), date(2024, 3, 4), date(2024, 4, 3)
OTHER = derive("provider", "other")
_positions = itertools.count(1)


def fact(event: object) -> Fact:
    position = next(_positions)
    return Fact(FactRef("provider", position, f"{position:032x}"), event, care.at("20:00"))


def items(**prices: str) -> tuple[ItemDone, ...]:
    return tuple(ItemDone(item=name, price=yuan(amount)) for name, amount in prices.items())


BATH_AND_HAIR = items(bath="60", hair="20")


def delivered(
    visit: UUID = care.VISIT,
    done: tuple[ItemDone, ...] = BATH_AND_HAIR,
    *,
    counts: bool = True,
    day: date = DAY,
) -> ServiceDelivered | ServiceRejected:
    """A visit with its verdict, as it would be recorded."""
    begins = care.at("09:00", day)
    question = replace(
        GOOD,
        visit=visit,
        start_time=begins,
        end_time=care.at("10:30", day),
        items=done,
        confirmed_by=ConfirmedBy.FAMILY if counts else None,
        disputed=not counts,
    )
    ruling = ruled(question).to_bytes()
    about: dict[str, Any] = {
        "visit": visit,
        "plan": care.PLAN,
        "person": care.PERSON,
        "pool": care.POOL,
    }
    if not counts:
        return ServiceRejected(
            **about,
            provider=care.PROVIDER,
            care_date=day,
            reasons=("NOT_CONFIRMED",),
            cost=question.cost,
            ruling=ruling,
        )
    return ServiceDelivered(
        **about,
        provider=care.PROVIDER,
        care_date=day,
        minutes=90,
        cost=question.cost,
        ruling=ruling,
    )


def flagged(visit: UUID = care.VISIT, detector: str = "shared_device") -> RiskFlagged:
    return RiskFlagged(
        flag=derive("flag", detector, "1", str(visit)),
        detector=detector,
        detector_version=1,
        visit=visit,
        person=care.PERSON,
        pool=care.POOL,
        provider=care.PROVIDER,
        care_date=DAY,
        ruling=b"{}",
    )


def decided(flag: RiskFlagged, *, confirmed: bool) -> RiskCleared | RiskConfirmed:
    kind = RiskConfirmed if confirmed else RiskCleared
    return kind(
        flag=flag.flag, visit=flag.visit, pool=care.POOL, decided_date=TODAY, cause="looked at"
    )


def line(name: str = "line", amount: str = "80", **changes: Any) -> m.Asked:
    asked = m.Asked(
        line=derive("claim_line", name),
        claim=derive("claim", "march"),
        provider=care.PROVIDER,
        pool=care.POOL,
        month=MARCH,
        person=care.PERSON,
        visit=care.VISIT,
        items=("bath", "hair"),
        amount=yuan(amount),
    )
    return replace(asked, **changes)


def by_day(name: str = "line", amount: str = "80", **changes: Any) -> m.Asked:
    return line(name, amount, **({"visit": None, "start_date": DAY} | changes))


def grounds(*events: object) -> c.Grounds:
    """What is known of the visits among the events; their plan is in force."""
    facts = [fact(event) for event in (care.APPROVED, *events)]
    verdicts = [f.event for f in facts if isinstance(f.event, ServiceDelivered | ServiceRejected)]
    visits = sorted({one.visit for one in verdicts})
    days = {one.visit: one.care_date for one in verdicts}
    return c.Grounds(
        visits={
            visit: tuple(f for f in facts if getattr(f.event, "visit", visit) == visit)
            for visit in visits
        },
        on_day={
            (care.PERSON, day): tuple(v for v in visits if days[v] == day)
            for day in set(days.values())
        },
    )


def match(
    known: c.Grounds, *lines: m.Asked, before: c.Claimed | None = None
) -> tuple[list[c.LineEvent], c.Claimed]:
    command = c.MatchLines(
        lines=lines, grounds=known, today=TODAY, pack=care.CHANGZHOU, code_version="test"
    )
    state = before or c.Claimed()
    events = c.decide(command, state)
    return events, reduce(c.evolve, events, state)


# -- the table of reasons -------------------------------------------------------------------------

BEFORE_PLAN = delivered(day=date(2024, 1, 15))
FLAG = flagged()
ENDED = PlanEnded(
    plan=care.PLAN,
    person=care.PERSON,
    pool=care.POOL,
    end_date=date(2024, 3, 1),
    cause="ENDED",
)
REFUSED = {
    "no visit by that id": (grounds(), line(), "NO_VISIT"),
    "no visit on that day": (grounds(), by_day(), "NO_VISIT"),
    "a visit of another month": (grounds(delivered()), line(month=Month(2024, 2)), "WRONG_MONTH"),
    "another provider's visit": (grounds(delivered()), line(provider=OTHER), "OTHER_PROVIDER"),
    "a rejected visit": (grounds(delivered(counts=False)), line(), "VISIT_REJECTED"),
    "a flagged visit": (grounds(delivered(), FLAG), line(), "VISIT_FLAGGED"),
    "a confirmed flag": (
        grounds(delivered(), FLAG, decided(FLAG, confirmed=True)),
        line(),
        "VISIT_FLAGGED",
    ),
    "a plan that had ended": (grounds(delivered(), ENDED), line(), "OUTSIDE_PLAN"),
    "nothing of it was done": (
        grounds(delivered()),
        line(items=("massage", "feeding", "walk")),
        "ITEM_SWAPPED,ITEM_NOT_DONE",
    ),
}
REDUCED = {
    "an item was not done": (
        grounds(delivered()),
        line(items=("bath", "hair", "massage"), amount="110"),
        "ITEM_NOT_DONE",
        "80",
    ),
    "another item stands in": (
        grounds(delivered()),
        line(items=("bath", "massage"), amount="100"),
        "ITEM_SWAPPED",
        "60",
    ),
    "more than the list": (grounds(delivered()), line(amount="95"), "PRICE_ABOVE_LIST", "80"),
    "less than the list": (grounds(delivered()), line(amount="70"), "AMOUNT_DIFFERS", "70"),
}


@pytest.mark.parametrize(("known", "asked", "reasons"), REFUSED.values(), ids=REFUSED)
def test_a_line_is_refused(known: c.Grounds, asked: m.Asked, reasons: str) -> None:
    [event], _ = match(known, asked)

    assert isinstance(event, c.ClaimLineRefused)
    assert ",".join(event.reasons) == reasons
    assert event.asked == asked.amount
    assert event.due_date == date(2024, 4, 18)  # ten working days, without the Qingming holiday


@pytest.mark.parametrize(("known", "asked", "reason", "approved"), REDUCED.values(), ids=REDUCED)
def test_a_line_is_reduced(known: c.Grounds, asked: m.Asked, reason: str, approved: str) -> None:
    [event], _ = match(known, asked)

    assert isinstance(event, c.ClaimLineMatched)
    assert event.reasons == (reason,)
    assert (event.adjusted, event.approved) == (yuan(approved), yuan(approved))
    assert event.due_date is not None


def without_plan() -> Ruling:
    """On a line whose visit has no plan on record."""
    known = c.Grounds(visits={care.VISIT: (fact(delivered()),)}, on_day={})
    return Ruling.parse(match(known, line())[0][0].ruling)


def claimed_twice() -> Ruling:
    """On a second line for one visit."""
    return Ruling.parse(match(grounds(delivered()), line("a"), line("b"))[0][1].ruling)


def test_a_visit_without_a_plan_on_record_is_refused() -> None:
    assert without_plan().reasons == ("NO_PLAN",)


def test_a_line_that_agrees_is_approved_as_asked() -> None:
    [event], _ = match(grounds(delivered()), line())

    assert isinstance(event, c.ClaimLineMatched)
    assert (event.asked, event.adjusted, event.approved) == (yuan("80"),) * 3
    assert (event.visit, event.care_date, event.reasons) == (care.VISIT, DAY, ())
    assert event.due_date is None


def test_what_refuses_is_told_with_what_would_have_been_left() -> None:
    [event], _ = match(grounds(delivered(), FLAG), line(amount="95"))

    assert isinstance(event, c.ClaimLineRefused)
    assert event.reasons == ("VISIT_FLAGGED", "PRICE_ABOVE_LIST")
    assert event.adjusted == yuan("80")


# -- a visit is claimed once ----------------------------------------------------------------------


def test_a_visit_is_claimed_once() -> None:
    _, state = match(grounds(delivered()), line("first"), line("second"))

    assert [one.result.reasons for one in state.lines.values()] == [(), ("ALREADY_CLAIMED",)]


def test_a_line_that_came_before_is_known_and_another_under_its_request_refused() -> None:
    _, state = match(grounds(delivered()), line())

    assert c.is_known(line(), state)
    assert not c.is_known(line("other"), state)
    with pytest.raises(RequestReused):
        c.is_known(line(amount="1"), state)


def test_a_day_and_items_mean_the_visit_that_fits_best() -> None:
    morning, evening = derive("visit", "morning"), derive("visit", "evening")
    known = grounds(delivered(morning, items(bath="60")), delivered(evening, items(hair="20")))

    _, state = match(
        known,
        by_day("hair", "20", items=("hair",)),
        by_day("bath", "60", items=("bath",)),
        by_day("more", "60", items=("bath",)),
    )

    assert [one.visit for one in state.lines.values()][:2] == [evening, morning]
    assert [one.result.outcome for one in state.lines.values()] == [
        "matched",
        "matched",
        "refused",
    ]


# -- matched again --------------------------------------------------------------------------------


def test_a_line_is_told_again_only_where_it_comes_out_otherwise() -> None:
    _, state = match(grounds(delivered()), line())

    same, state = match(grounds(delivered()), line(), before=state)
    held, state = match(grounds(delivered(), FLAG), line(), before=state)
    free, state = match(
        grounds(delivered(), FLAG, decided(FLAG, confirmed=False)), line(), before=state
    )

    assert same == []
    assert [type(event) for event in (*held, *free)] == [c.ClaimLineRefused, c.ClaimLineMatched]
    assert state.lines[line().line].result.approved == yuan("80")


def test_a_later_verdict_brings_its_own_price() -> None:
    _, state = match(grounds(delivered()), line())

    [event], _ = match(
        grounds(delivered(), delivered(done=items(bath="50", hair="20"))), line(), before=state
    )

    assert isinstance(event, c.ClaimLineMatched)
    assert (event.approved, event.reasons) == (yuan("70"), ("PRICE_ABOVE_LIST",))


def test_a_visit_that_its_line_loses_goes_to_the_next_line() -> None:
    lines = line("first"), line("second")
    _, state = match(grounds(delivered()), *lines)

    _, state = match(grounds(delivered(counts=False)), *lines, before=state)
    assert {one.result.reasons for one in state.lines.values()} == {("VISIT_REJECTED",)}
    _, state = match(grounds(delivered()), *reversed(lines), before=state)

    assert state.lines[lines[0].line].result.reasons == ("ALREADY_CLAIMED",)
    assert state.lines[lines[1].line].result.reasons == ()


def test_a_claim_is_submitted_once() -> None:
    told = c.ClaimSubmitted(
        claim=derive("claim", "march"),
        provider=care.PROVIDER,
        pool=care.POOL,
        month=MARCH,
        submitted_date=TODAY,
    )

    [event] = c.submit(told, c.Claim())

    assert c.submit(told, c.evolve_claim(c.Claim(), event)) == []


# -- for all lines --------------------------------------------------------------------------------

VISITS = [derive("visit", str(number)) for number in range(4)]


@st.composite
def cases(draw: st.DrawFn) -> tuple[c.Grounds, list[m.Asked]]:
    """Some visits, counted or not, flagged or not; lines by visit and by day."""
    events: list[object] = []
    for visit in draw(st.lists(st.sampled_from(VISITS), unique=True)):
        done = draw(st.sets(st.sampled_from(("bath", "hair", "feeding")), min_size=1))
        priced = tuple(ItemDone(item=item, price=Money(2000)) for item in sorted(done))
        counts, day = draw(st.booleans()), DAY.replace(day=draw(st.integers(4, 5)))
        events.append(delivered(visit, priced, counts=counts, day=day))
        if draw(st.booleans()):
            events.append(flagged(visit))
    lines = []
    for number in range(draw(st.integers(1, 6))):
        wanted = draw(st.sets(st.sampled_from(("bath", "hair", "feeding", "walk")), min_size=1))
        about: dict[str, Any] = {
            "items": tuple(sorted(wanted)),
            "amount": draw(st.sampled_from(("10", "20", "40", "60"))),
            "provider": draw(st.sampled_from((care.PROVIDER, care.PROVIDER, OTHER))),
        }
        if draw(st.booleans()):
            lines.append(line(str(number), visit=draw(st.sampled_from(VISITS)), **about))
        else:
            day = DAY.replace(day=draw(st.integers(4, 5)))
            lines.append(by_day(str(number), start_date=day, **about))
    return grounds(*events), lines


@for_all(cases())
def test_nothing_is_approved_twice_or_above_what_is_asked(
    case: tuple[c.Grounds, list[m.Asked]],
) -> None:
    known, lines = case
    _, state = match(known, *lines)

    taken = [one.holds for one in state.lines.values() if one.holds]
    assert len(taken) == len(set(taken))
    for one in state.lines.values():
        found = one.result
        assert ZERO <= found.approved <= found.adjusted <= one.asked.amount
        assert (found.approved > ZERO) == (found.outcome != m.REFUSED)


@for_all(cases())
def test_lines_matched_one_by_one_and_all_together_come_out_alike(
    case: tuple[c.Grounds, list[m.Asked]],
) -> None:
    known, lines = case
    _, together = match(known, *lines)
    state = c.Claimed()
    for one in lines:
        _, state = match(known, one, before=state)

    assert state == together


@for_all(cases(), st.randoms(use_true_random=False))
def test_the_order_of_lines_that_name_their_visits_moves_no_money_but_between_twins(
    case: tuple[c.Grounds, list[m.Asked]], random: Random
) -> None:
    """Lines for one visit compete; whichever comes first has it, and the visit is paid once."""
    known, lines = case
    named = [replace(one, items=("bath",), amount=Money(2000)) for one in lines if one.visit]
    shuffled = list(named)
    random.shuffle(shuffled)

    sums = []
    for order in (named, shuffled):
        _, state = match(known, *order)
        approved = [one.result.approved for one in state.lines.values()]
        sums.append((total(approved), sorted(str(one.holds) for one in state.lines.values())))

    assert sums[0] == sums[1]


@for_all(cases(), st.randoms(use_true_random=False))
def test_lines_that_come_before_their_verdicts_and_flags_end_as_those_that_come_after(
    case: tuple[c.Grounds, list[m.Asked]], random: Random
) -> None:
    known, lines = case
    apart = list({one.visit: one for one in lines if one.visit}.values())  # none compete
    early = c.Grounds(
        visits={
            visit: tuple(fact for fact in facts if random.random() < 0.5)
            for visit, facts in known.visits.items()
        },
        on_day={},
    )

    _, state = match(early, *apart)
    _, state = match(known, *apart, before=state)
    _, settled = match(known, *apart)

    assert state == settled


@for_all(cases())
def test_a_match_stands_on_the_facts_it_names_alone(
    case: tuple[c.Grounds, list[m.Asked]],
) -> None:
    known, lines = case
    every = {f.ref: f for facts in known.visits.values() for f in facts}
    events, _ = match(known, *lines)

    for event in events:
        told = Ruling.parse(event.ruling)
        facts = [every[ref] for ref in told.facts]
        again = m.rule_line(m.question_of(told), facts, care.CHANGZHOU, "test")
        assert again.ruling.to_bytes() == event.ruling
