"""The rules of a visit's course, one test a rule."""

from dataclasses import replace
from datetime import date

import pytest

from kernel.money import yuan
from kernel.refusal import Invalid, NotFound, RequestReused
from services.provider.domain import visit as v
from services.provider.domain.verdict import Basis, ConfirmedBy, ItemDone
from tests.provider.care import (
    ADMITTED,
    APPROVED,
    CAREGIVER,
    CHANGZHOU,
    NEXT_DOOR,
    PERSON,
    PLAN,
    POOL,
    PROVIDER,
    REGISTERED,
    VISIT,
    as_facts,
    at,
    price,
)
from tests.support.spec import Decider

visit = Decider(v.decide, v.evolve, v.Visit())
BATH = (ItemDone(item="bath", price=yuan("60")),)
START = v.StartVisit(
    visit=VISIT,
    plan=PLAN,
    person=PERSON,
    pool=POOL,
    provider=PROVIDER,
    caregiver=CAREGIVER,
    start_time=at("09:00"),
    place=NEXT_DOOR,
    distance_m=111,
)
END = v.EndVisit(visit=VISIT, end_time=at("10:00"), items=BATH)
CONFIRM = v.ConfirmVisit(
    visit=VISIT,
    provider=PROVIDER,
    confirmed_by=ConfirmedBy.FAMILY,
    basis=Basis(
        facts=as_facts(ADMITTED, price(), REGISTERED, APPROVED),
        pack=CHANGZHOU,
        code_version="test",
    ),
)
DISPUTE = replace(CONFIRM, confirmed_by=None, disputed=True)
SUBMIT = v.SubmitVisit(start=START, end=END, confirm=CONFIRM)

STARTED = v.VisitStarted(
    visit=VISIT,
    plan=PLAN,
    person=PERSON,
    pool=POOL,
    caregiver=CAREGIVER,
    start_time="2024-03-04T09:00:00+08:00",
    place=NEXT_DOOR,
    distance_m=111,
)
ENDED = v.VisitEnded(visit=VISIT, person=PERSON, end_time="2024-03-04T10:00:00+08:00", items=BATH)
CONFIRMED = v.VisitConfirmed(visit=VISIT, person=PERSON, confirmed_by=ConfirmedBy.FAMILY)


def test_a_visit_starts_ends_and_counts_once_it_is_confirmed() -> None:
    visit.given().when(START).then(STARTED)
    visit.given(STARTED).when(END).then(ENDED)
    confirmed, verdict = visit.given(STARTED, ENDED).when(CONFIRM).events()

    assert confirmed == CONFIRMED
    assert isinstance(verdict, v.ServiceDelivered)
    assert (date(2024, 3, 4), 60, yuan("60")) == (
        verdict.care_date,
        verdict.minutes,
        verdict.cost,
    )


def test_a_disputed_visit_does_not_count() -> None:
    [verdict] = visit.given(STARTED, ENDED).when(DISPUTE).events()

    assert isinstance(verdict, v.ServiceRejected)
    assert (("NOT_CONFIRMED",), yuan("60")) == (verdict.reasons, verdict.cost)


def test_a_whole_visit_is_recorded_as_its_three_steps_would_be() -> None:
    step_by_step = visit.after(START, END, CONFIRM)
    at_once = visit.after(SUBMIT)

    assert step_by_step.state == at_once.state
    visit.after(SUBMIT).when(SUBMIT).then()


def test_each_step_is_obeyed_once() -> None:
    visit.given(STARTED).when(START).then()
    visit.given(STARTED, ENDED).when(END).then()
    visit.after(START, END, CONFIRM).when(CONFIRM).then()
    visit.after(START, END, DISPUTE).when(DISPUTE).then()


def test_a_visit_ends_once_only() -> None:
    later = replace(END, end_time=at("11:00"))

    visit.given(STARTED, ENDED).when(later).then_refused("ENDED_ALREADY")


def test_a_visit_is_not_confirmed_before_its_end_nor_decided_twice() -> None:
    visit.given(STARTED).when(CONFIRM).then_refused("NOT_ENDED")
    visit.after(START, END, DISPUTE).when(CONFIRM).then_refused("DECIDED_ALREADY")


@pytest.mark.parametrize(
    ("clock", "day", "reason"),
    [
        ("08:59", date(2024, 3, 4), "ENDS_BEFORE_START"),
        ("09:00", date(2024, 3, 4), "ENDS_BEFORE_START"),
        ("09:01", date(2024, 3, 5), "LASTS_TOO_LONG"),
    ],
)
def test_an_end_that_cannot_be_is_bad_input(clock: str, day: date, reason: str) -> None:
    with pytest.raises(Invalid) as caught:
        v.decide(replace(END, end_time=at(clock, day)), visit.given(STARTED).state)

    assert ("end_time", reason) == (caught.value.violations[0].field, caught.value.reason)


def test_a_day_in_an_institution_is_one_visit() -> None:
    whole_day = replace(END, end_time=at("09:00", date(2024, 3, 5)))

    assert len(visit.given(STARTED).when(whole_day).events()) == 1


@pytest.mark.parametrize("command", [END, CONFIRM])
def test_a_visit_that_never_began_is_not_found(command: v.Command) -> None:
    with pytest.raises(NotFound):
        v.decide(command, v.Visit())


def test_another_visit_under_the_same_id_is_its_request_used_again() -> None:
    with pytest.raises(RequestReused):
        v.decide(replace(START, distance_m=5), visit.given(STARTED).state)
