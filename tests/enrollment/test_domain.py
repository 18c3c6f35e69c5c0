"""The rules of enrollment, one test a rule."""

from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from kernel.ids import derive
from kernel.money import yuan
from kernel.refusal import NotFound, Refused
from kernel.rules.precedence import ranks_of
from services.enrollment.domain import contribution as co
from services.enrollment.domain import coverage as c
from services.enrollment.domain import life as lf
from services.enrollment.domain import person as p
from services.enrollment.domain.identity import IdentityKind
from tests.support.packs import pack
from tests.support.people import person as fictitious
from tests.support.spec import Decider

PERSON = derive("test", "somebody")
POOL = "320400"

person = Decider(p.decide, p.evolve, p.Person())
coverage = Decider(c.decide, c.evolve, c.Coverage())
contributions = Decider(co.decide, co.evolve, co.Contributions())
life = Decider(lf.decide, lf.evolve, lf.Life())


def told(**changes: Any) -> dict[str, Any]:
    who = fictitious(1)
    return {
        "person": PERSON,
        "identity_kind": IdentityKind.RESIDENT,
        "identity_number": who.identity_number,
        "full_name": who.full_name,
        "birth_date": who.birth_date,
        "phone": "",
        "address": "",
        "registered_date": date(2022, 1, 10),
    } | changes


def register(**changes: Any) -> p.RegisterPerson:
    return p.RegisterPerson(**told(**changes))


def registered(**changes: Any) -> p.PersonRegistered:
    return p.PersonRegistered(**told(**changes))


# -- persons ------------------------------------------------------------------------------------


def test_a_person_is_registered_as_told() -> None:
    person.given().when(register()).then(registered())


def test_the_same_person_again_is_the_same_person() -> None:
    person.given(registered()).when(register(registered_date=date(2023, 5, 5))).then()


def test_an_identity_with_another_name_is_refused() -> None:
    person.given(registered()).when(register(full_name="另一个")).then_refused("PERSON_DIFFERS")


def test_an_identity_with_another_day_of_birth_is_refused() -> None:
    other = register(birth_date=date(1950, 1, 1))
    person.given(registered()).when(other).then_refused("PERSON_DIFFERS", person=str(PERSON))


def test_a_new_telephone_is_taken_and_an_old_one_stays() -> None:
    corrected = p.PersonCorrected(
        person=PERSON, full_name="", phone="1", address="", cause="told at another registration"
    )
    person.given(registered()).when(register(phone="1")).then(corrected)
    person.given(registered(), corrected).when(register(phone="1")).then()
    person.given(registered(), corrected).when(register()).then()


def test_a_person_whose_key_was_destroyed_may_be_registered_anew() -> None:
    erased = registered(identity_number="", full_name="", birth_date=None)
    person.given(erased).when(register()).then(registered())


def test_only_the_last_four_places_of_an_identity_number_show() -> None:
    assert p.masked("11010519491231002X") == "**************002X"
    assert p.masked("") == ""


# -- coverage -----------------------------------------------------------------------------------


def start(day: date, group: c.InsuredGroup = c.InsuredGroup.RESIDENT) -> c.StartCoverage:
    return c.StartCoverage(person=PERSON, pool=POOL, group=group, start_date=day)


def started(day: date) -> c.CoverageStarted:
    return c.CoverageStarted(
        person=PERSON, pool=POOL, group=c.InsuredGroup.RESIDENT, start_date=day
    )


def end(day: date) -> c.EndCoverage:
    return c.EndCoverage(person=PERSON, pool=POOL, end_date=day, cause="moved")


def ended(day: date) -> c.CoverageEnded:
    return c.CoverageEnded(person=PERSON, pool=POOL, end_date=day, cause="moved")


FIRST, LAST = date(2022, 1, 1), date(2023, 6, 30)


def test_coverage_starts_on_its_first_day() -> None:
    coverage.given().when(start(FIRST)).then(started(FIRST))


def test_coverage_keeps_the_tier_and_the_statuses_that_rules_ask_for() -> None:
    told: dict[str, Any] = {"tier": "1", "statuses": ("age_80", "poor")}
    coverage.given().when(replace(start(FIRST), **told)).then(replace(started(FIRST), **told))


def test_the_same_coverage_again_is_obeyed_before() -> None:
    coverage.given(started(FIRST)).when(start(FIRST)).then()


def test_another_first_day_or_group_under_way_is_refused() -> None:
    under_way = coverage.given(started(FIRST))
    under_way.when(start(date(2022, 2, 1))).then_refused("ALREADY_COVERED", since="2022-01-01")
    under_way.when(start(FIRST, c.InsuredGroup.EMPLOYEE)).then_refused("ALREADY_COVERED")


def test_coverage_may_begin_again_after_its_end_but_not_before() -> None:
    over = coverage.given(started(FIRST), ended(LAST))
    over.when(start(LAST)).then_refused("ALREADY_COVERED")
    over.when(start(date(2024, 1, 1))).then(started(date(2024, 1, 1)))


def test_coverage_ends_once() -> None:
    coverage.given(started(FIRST)).when(end(LAST)).then(ended(LAST))
    coverage.given(started(FIRST), ended(LAST)).when(end(LAST)).then()
    coverage.given(started(FIRST), ended(LAST)).when(end(FIRST)).then_refused("NOT_COVERED")


def test_what_never_began_cannot_end_nor_end_before_it_began() -> None:
    coverage.given().when(end(LAST)).then_refused("NOT_COVERED", pool=POOL)
    coverage.given(started(FIRST)).when(end(date(2021, 12, 31))).then_refused("ENDS_BEFORE_START")


def test_coverage_without_a_gap_counts_from_its_first_spell() -> None:
    state = coverage.given(started(FIRST), ended(LAST), started(LAST + timedelta(days=1))).state
    gap = coverage.given(started(FIRST), ended(LAST), started(LAST + timedelta(days=2))).state

    assert state.unbroken_since(date(2024, 1, 1)) == FIRST
    assert gap.unbroken_since(date(2024, 1, 1)) == LAST + timedelta(days=2)
    assert gap.unbroken_since(LAST + timedelta(days=1)) is None
    assert gap.unbroken_since(LAST) == FIRST


commands = st.one_of(
    st.dates(date(2022, 1, 1), date(2024, 12, 31)).map(start),
    st.dates(date(2022, 1, 1), date(2024, 12, 31)).map(end),
)


@for_all(given=st.lists(commands, max_size=12))
def test_spells_never_overlap_and_deciding_twice_changes_nothing(given: list[c.Command]) -> None:
    decider = coverage
    for command in given:
        try:
            decider = decider.after(command)
        except Refused:
            continue
        assert c.decide(command, decider.state) == []
    spells = decider.state.spells
    assert all(spell.last is not None for spell in spells[:-1])
    assert all(a.last < b.first for a, b in pairwise(spells) if a.last)


# -- contributions ------------------------------------------------------------------------------

PAID = co.ContributionCollected(
    contribution=derive("test", "contribution"),
    person=PERSON,
    pool=POOL,
    source=co.ContributionSource.PERSON,
    amount=yuan("30"),
    year=2024,
    paid_date=date(2023, 12, 1),
)


def collect(*, covered: bool = True, sources: tuple[str, ...] = ("person",)) -> Any:
    return co.CollectContribution(told=PAID, covered=covered, sources=sources)


def test_a_contribution_is_collected_once() -> None:
    contributions.given().when(collect()).then(PAID)
    contributions.given(PAID).when(collect()).then()


def test_a_contribution_for_a_year_without_coverage_is_refused() -> None:
    contributions.given().when(collect(covered=False)).then_refused("NOT_COVERED", year="2024")


def test_a_source_that_the_pool_does_not_take_is_refused() -> None:
    refused = contributions.given().when(collect(sources=("state",)))
    refused.then_refused("SOURCE_NOT_ALLOWED", source="person")


def test_a_year_is_covered_by_one_day_in_it() -> None:
    state = coverage.given(started(date(2022, 12, 31)), ended(date(2024, 1, 1))).state

    assert [year for year in range(2021, 2026) if state.in_year(year)] == [2022, 2023, 2024]


# -- life events --------------------------------------------------------------------------------


def report(
    day: date,
    kind: lf.LifeEventKind = lf.LifeEventKind.DEATH,
    name: str = "report",
    source: lf.FactSource = lf.FactSource.REGISTER,
) -> lf.ReportLifeEvent:
    return lf.ReportLifeEvent(
        life_event=derive("test", name),
        person=PERSON,
        pool=POOL,
        kind=kind,
        event_date=day,
        source=source,
    )


def died(state: lf.Life) -> date | None:
    found = state.weighed(ranks_of(pack(POOL))).death
    return None if found is None else found.day


def withdraw(name: str = "report") -> lf.WithdrawLifeEvent:
    return lf.WithdrawLifeEvent(
        life_event=derive("test", name), person=PERSON, cause="another person"
    )


def test_what_a_source_says_already_is_the_same_report() -> None:
    day = date(2024, 3, 1)
    life.after(report(day)).when(report(day, name="again")).then()
    admitted = life.after(report(day, lf.LifeEventKind.ADMISSION))
    assert len(admitted.when(report(day, lf.LifeEventKind.DISCHARGE, "out")).events()) == 1


def test_two_days_of_death_are_both_kept_and_the_stronger_source_counts() -> None:
    first, other = date(2024, 3, 1), date(2024, 3, 2)
    by_provider = report(other, name="late", source=lf.FactSource.PROVIDER)
    dead = life.after(report(first), by_provider)

    assert len(dead.state.standing) == 2
    assert died(dead.state) == first
    assert died(dead.after(withdraw()).state) == other
    assert died(life.after(by_provider, report(first)).state) == first


def test_a_source_that_puts_itself_right_replaces_what_it_said() -> None:
    first, other = date(2024, 3, 1), date(2024, 3, 2)
    corrected = life.after(report(first), report(other, name="corrected"))

    assert died(corrected.state) == other
    corrected.when(report(other, name="again")).then()
    assert len(corrected.when(report(first, name="back")).events()) == 1


def test_a_confirmation_by_another_source_is_kept() -> None:
    day = date(2024, 3, 1)
    told = life.after(report(day, source=lf.FactSource.PROVIDER))
    assert len(told.when(report(day, name="register")).events()) == 1


def test_who_is_found_alive_after_a_reported_death_is_not_dead() -> None:
    dead = life.after(report(date(2024, 3, 1), source=lf.FactSource.HOSPITAL))
    seen = report(date(2024, 4, 1), lf.LifeEventKind.FOUND_ALIVE, name="seen")

    assert died(dead.after(seen).state) is None
    assert died(dead.after(replace(seen, source=lf.FactSource.PERSON)).state) == date(2024, 3, 1)


def test_a_death_that_was_taken_back_leaves_room_for_another() -> None:
    alive = life.after(report(date(2024, 3, 1)), withdraw())
    assert died(alive.state) is None
    assert len(alive.when(report(date(2024, 3, 2), name="again")).events()) == 1


def test_a_report_is_taken_back_once() -> None:
    life.after(report(date(2024, 3, 1)), withdraw()).when(withdraw()).then()


def test_an_unknown_report_cannot_be_taken_back() -> None:
    with pytest.raises(NotFound) as missing:
        life.given().when(withdraw()).events()
    assert missing.value.id == str(derive("test", "report"))
