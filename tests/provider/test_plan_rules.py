"""The rules of care plans, one test a rule."""

from dataclasses import replace
from datetime import date
from functools import reduce

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from kernel.ids import derive
from kernel.refusal import NotFound, Refused
from services.provider.domain import plan as p
from services.provider.domain.place import Place
from services.provider.domain.provider import Provider, evolve
from tests.provider.care import ADMITTED, APPROVED, HOME, NEXT_DOOR, PERSON, PLAN, POOL, PROVIDER
from tests.provider.designated import SIGNED
from tests.support.spec import Decider

plans = Decider(p.decide, p.evolve, p.Plans())
SECOND = derive("test", "second plan")
IN_FORCE = evolve(Provider(), ADMITTED)
APPROVE = p.ApprovePlan(
    plan=PLAN,
    person=PERSON,
    pool=POOL,
    provider=PROVIDER,
    form=p.CareForm.HOME_VISITS,
    start_date=date(2024, 2, 1),
    place=HOME,
    agreement=IN_FORCE,
    forms_offered=("home_visits", "family_carer"),
)
FAMILY = replace(APPROVE, plan=SECOND, form=p.CareForm.FAMILY_CARER, start_date=date(2024, 5, 1))


def ended(day: date, cause: str = "ENDED") -> p.PlanEnded:
    return p.PlanEnded(plan=PLAN, person=PERSON, pool=POOL, end_date=day, cause=cause)


def end(day: date) -> p.EndPlan:
    return p.EndPlan(plan=PLAN, end_date=day, cause="ENDED")


def test_a_plan_is_approved_once_whatever_its_request() -> None:
    plans.given().when(APPROVE).then(APPROVED)
    plans.given(APPROVED).when(APPROVE).then()
    plans.given(APPROVED).when(replace(APPROVE, plan=SECOND)).then()


def test_what_was_obeyed_before_needs_no_agreement_any_more() -> None:
    rests = replace(IN_FORCE, suspended_from=date(2024, 1, 15))

    plans.given(APPROVED).when(replace(APPROVE, agreement=rests)).then()


def test_a_form_of_care_needs_a_line_of_the_agreement() -> None:
    agreed = evolve(Provider(), replace(ADMITTED, agreement_start_date=date(2023, 1, 1)))
    signed = evolve(agreed, SIGNED)
    asked = replace(APPROVE, agreement=signed, forms_offered=("home_visits", "institution"))

    plans.given().when(asked).then(APPROVED)
    plans.given().when(replace(asked, form=p.CareForm.INSTITUTION)).then_refused(
        "LINE_NOT_AGREED", form="institution"
    )


def test_a_later_plan_ends_the_open_one_the_day_before() -> None:
    approved = replace(
        APPROVED, plan=SECOND, form=p.CareForm.FAMILY_CARER, start_date=date(2024, 5, 1)
    )

    plans.given(APPROVED).when(FAMILY).then(ended(date(2024, 4, 30), "REPLACED"), approved)


@pytest.mark.parametrize("start", [date(2024, 1, 15), date(2024, 2, 1)])
def test_a_plan_that_does_not_start_after_the_open_one_is_refused(start: date) -> None:
    plans.given(APPROVED).when(replace(FAMILY, start_date=start)).then_refused("PLAN_OVERLAPS")


def test_a_plan_that_starts_within_an_ended_one_is_refused() -> None:
    over = plans.given(APPROVED, ended(date(2024, 5, 1)))

    over.when(FAMILY).then_refused("PLAN_OVERLAPS")
    assert len(over.when(replace(FAMILY, start_date=date(2024, 5, 2))).events()) == 1


def test_the_reasons_against_a_plan_come_in_their_order() -> None:
    elsewhere = Provider(admitted=replace(ADMITTED, pool="510100"))
    institution = replace(APPROVE, form=p.CareForm.INSTITUTION)

    plans.given().when(replace(institution, agreement=elsewhere)).then_refused(
        "PROVIDER_NOT_IN_POOL"
    )
    plans.given().when(replace(institution, start_date=date(2025, 1, 1))).then_refused(
        "AGREEMENT_NOT_IN_FORCE"
    )
    plans.given().when(institution).then_refused("FORM_NOT_OFFERED")
    with pytest.raises(NotFound):
        p.decide(replace(APPROVE, agreement=Provider()), p.Plans())


def test_a_plan_ends_once_and_may_end_earlier_but_not_later() -> None:
    plans.given(APPROVED).when(end(date(2024, 6, 30))).then(ended(date(2024, 6, 30)))
    over = plans.given(APPROVED, ended(date(2024, 6, 30)))
    over.when(end(date(2024, 6, 30))).then()
    over.when(end(date(2024, 7, 31))).then()
    over.when(end(date(2024, 5, 31))).then(ended(date(2024, 5, 31)))


def test_a_plan_cannot_end_before_its_first_day() -> None:
    plans.given(APPROVED).when(end(date(2024, 1, 31))).then_refused("ENDS_BEFORE_START")


def test_an_unknown_plan_cannot_end() -> None:
    with pytest.raises(NotFound):
        p.decide(end(date(2024, 6, 30)), p.Plans())


def test_a_visit_belongs_to_the_plan_in_force_or_else_to_the_nearest_before() -> None:
    state = (
        plans.given(APPROVED, ended(date(2024, 4, 30)))
        .after(replace(FAMILY, start_date=date(2024, 6, 1)))
        .state
    )

    def meant(day: date) -> str:
        plan = state.meant_on(day)
        return "none" if plan is None else "first" if plan.approved.plan == PLAN else "second"

    assert meant(date(2024, 4, 30)) == "first"
    assert meant(date(2024, 5, 15)) == "first"
    assert meant(date(2024, 6, 1)) == "second"
    assert meant(date(2024, 1, 1)) == "first"
    assert p.Plans().meant_on(date(2024, 1, 1)) is None


days = st.dates(date(2024, 1, 1), date(2024, 12, 31))
wishes = st.lists(st.tuples(days, st.sampled_from([HOME, NEXT_DOOR]), st.none() | days), max_size=8)


@for_all(wishes=wishes)
def test_no_two_plans_of_a_person_are_in_force_on_one_day(
    wishes: list[tuple[date, Place, date | None]],
) -> None:
    state = p.Plans()
    for number, (start, place, last) in enumerate(wishes):
        name = derive("plan", str(number))
        commands: list[p.Command] = [replace(APPROVE, plan=name, start_date=start, place=place)]
        if last is not None:
            commands.append(p.EndPlan(plan=name, end_date=last, cause="ENDED"))
        for command in commands:
            try:
                state = reduce(p.evolve, p.decide(command, state), state)
            except (Refused, NotFound):
                continue

    for day in (date.fromordinal(n) for n in range(738886, 738886 + 366)):
        assert sum(plan.in_force_on(day) for plan in state.plans) <= 1
