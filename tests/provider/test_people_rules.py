"""The rules of people in care: bars, certificates, relatives, work, and who takes which plan."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from kernel.ids import derive
from kernel.refusal import NotFound, Refused
from services.provider.domain import caregiver as c
from services.provider.domain import carer_record as r
from services.provider.domain import credentials as k
from services.provider.domain import matching as m
from services.provider.domain.place import Place
from services.provider.domain.plan import Plan
from tests.provider import designated as t
from tests.provider.care import APPROVED, CAREGIVER, HOME, PERSON, PLAN, POOL, PROVIDER, REGISTERED
from tests.support.spec import Decider

person: Decider[k.Command, c.Caregiver, c.Event] = Decider(k.decide, c.evolve, c.Caregiver())
BAR = k.BarPerson(
    bar=t.BARRED.bar,
    person=CAREGIVER,
    provider=PROVIDER,
    pool=POOL,
    role=r.BarredRole.STAFF,
    serious=False,
    start_date=date(2023, 11, 1),
    months=3,
    months_min=3,
    months_max=12,
    cause="伪造记录",
    article="Art. 45",
)
RESTORE = k.RestorePerson(bar=BAR.bar, person=CAREGIVER, restored_date=date(2024, 2, 20))
ASSIGN = k.AssignCaregiver(
    caregiver=CAREGIVER,
    plan=Plan(approved=APPROVED),
    minutes_a_week=300,
    start_date=date(2024, 2, 1),
)
ASSIGNED = r.CaregiverAssigned(
    caregiver=CAREGIVER,
    plan=PLAN,
    person=PERSON,
    pool=POOL,
    minutes_a_week=300,
    start_date=date(2024, 2, 1),
)
TRAINED = r.TrainingRecorded(
    caregiver=CAREGIVER, course="居家照护", minutes=480, completed_date=date(2024, 1, 20)
)
ENGAGE = k.EngageFamilyCarer(
    caregiver=CAREGIVER,
    person=PERSON,
    provider=PROVIDER,
    relation="child",
    employed=True,
    start_date=date(2024, 2, 1),
    trained_min=None,
)
RELATIVE = replace(REGISTERED, staff="family")


def test_a_bar_is_within_the_range_of_the_rules() -> None:
    person.given().when(BAR).then(t.BARRED)
    person.given(t.BARRED).when(BAR).then()
    for months in (2, 13):
        person.given().when(replace(BAR, months=months)).then_refused(
            "TERM_OUTSIDE_RANGE", months_min="3", months_max="12"
        )


def test_a_bar_ends_with_its_restoration_and_that_comes_after_its_term() -> None:
    person.given(t.BARRED).when(RESTORE).then(t.RESTORED)
    person.given(t.BARRED, t.RESTORED).when(RESTORE).then()
    person.given(t.BARRED).when(replace(RESTORE, restored_date=date(2024, 1, 31))).then_refused(
        "TERM_NOT_OVER", end_date="2024-01-31"
    )
    barred = person.given(t.BARRED).state.record
    restored = person.given(t.BARRED, t.RESTORED).state.record
    days = (date(2023, 10, 31), date(2024, 1, 31), date(2024, 2, 19), date(2024, 2, 20))
    assert [barred.barred_on(day) for day in days] == [False, True, True, True]
    assert [restored.barred_on(day) for day in days] == [False, True, True, False]


def test_nobody_barred_comes_on_the_register() -> None:
    register = c.RegisterCaregiver(**(vars(REGISTERED) | {"registered_date": date(2024, 1, 15)}))
    barred = person.given(t.BARRED).state
    with pytest.raises(Refused, match="CAREGIVER_BARRED"):
        c.decide(register, barred)


def test_an_examination_that_was_passed_is_a_certificate_until_revoked() -> None:
    record = person.given(REGISTERED, *t.EXAMINED).state.record
    days = (date(2023, 4, 30), date(2023, 5, 1), date(2024, 3, 2))
    assert [record.level_on(day) for day in days] == [None, "five", "four"]

    lost = person.given(REGISTERED, *t.EXAMINED, t.REVOKED).state.record
    days = (date(2024, 2, 24), date(2024, 2, 25), date(2024, 3, 2))
    assert [lost.lost_on(day) for day in days] == [False, True, False]


def test_an_examination_is_recorded_once_passed_or_not() -> None:
    passed = t.EXAMINED[0]
    sit = k.RecordExamination(**vars(passed))
    failed = replace(passed, passed=False)
    person.given(REGISTERED).when(sit).then(passed)
    person.given(REGISTERED, passed).when(sit).then()
    person.given(REGISTERED).when(replace(sit, passed=False)).then(failed)
    person.given(REGISTERED, failed).when(replace(sit, passed=False)).then()
    assert person.given(REGISTERED, failed).state.record.level_on(date(2024, 1, 1)) is None


def test_only_a_certificate_that_counts_is_revoked() -> None:
    revoke = k.RevokeCertificate(**vars(t.REVOKED))
    person.given(REGISTERED, *t.EXAMINED).when(revoke).then(t.REVOKED)
    person.given(REGISTERED, *t.EXAMINED, t.REVOKED).when(revoke).then()
    person.given(REGISTERED).when(revoke).then_refused("NO_CERTIFICATE", level="five")


def test_who_is_not_on_the_register_has_no_record() -> None:
    with pytest.raises(NotFound):
        k.decide(ASSIGN, c.Caregiver())


def test_a_relative_is_registered_as_one_and_trained() -> None:
    told = {name: value for name, value in vars(ENGAGE).items() if name != "trained_min"}
    engaged = r.FamilyCarerEngaged(**told)
    person.given(RELATIVE, TRAINED).when(ENGAGE).then(engaged)
    person.given(RELATIVE, TRAINED, engaged).when(ENGAGE).then()
    person.given(REGISTERED, TRAINED).when(ENGAGE).then_refused(
        "NOT_A_FAMILY_CARER", provider=str(PROVIDER)
    )
    person.given(RELATIVE).when(ENGAGE).then_refused("TRAINING_MISSING", trained_minutes="0")
    person.given(RELATIVE, TRAINED).when(replace(ENGAGE, trained_min=481)).then_refused(
        "TRAINING_MISSING", trained_minutes="480"
    )
    person.given(RELATIVE, TRAINED, t.BARRED).when(ENGAGE).then_refused(
        "CAREGIVER_BARRED", on="2024-02-01"
    )


def test_a_plan_goes_to_somebody_of_its_provider_who_may_work() -> None:
    person.given(REGISTERED).when(ASSIGN).then(ASSIGNED)
    person.given(REGISTERED, ASSIGNED).when(ASSIGN).then()
    elsewhere = replace(REGISTERED, provider=derive("other"))
    person.given(elsewhere).when(ASSIGN).then_refused("NOT_EMPLOYED_THERE", provider=str(PROVIDER))
    over = replace(ASSIGN, plan=Plan(approved=APPROVED, end_date=date(2024, 2, 3)))
    person.given(REGISTERED).when(replace(over, start_date=date(2024, 2, 4))).then_refused(
        "PLAN_NOT_IN_FORCE", plan=str(PLAN)
    )
    person.given(REGISTERED, t.BARRED).when(ASSIGN).then_refused(
        "CAREGIVER_BARRED", on="2024-02-01"
    )
    later = replace(ASSIGN, start_date=date(2024, 2, 26))
    person.given(REGISTERED, *t.EXAMINED, t.REVOKED).when(later).then_refused(
        "CERTIFICATE_REVOKED", on="2024-02-26"
    )


# --- Who takes which plan --------------------------------------------------------------------

WANTED = m.Wanted(
    plan=PLAN, place=HOME, items=("bath", "hair"), minutes_a_week=300, day=date(2024, 3, 4)
)


def known(name: str, *, taken: int = 0, level: str = "", **profile: Any) -> m.Known:
    told: dict[str, Any] = {
        "skills": ("bath", "hair"),
        "place": HOME,
        "minutes_a_week": 1000,
        "start_date": date(2024, 1, 1),
    }
    who = derive("carer", name)
    record = r.CarerRecord(
        profile=r.CaregiverProfiled(caregiver=who, **(told | profile)),
        certificates=(r.Certificate(level=r.CaregiverLevel(level), start=date(2023, 1, 1)),)
        if level
        else (),
    )
    return m.Known(caregiver=who, state=c.Caregiver(record=record), taken_minutes=taken)


def names(found: m.Match, *of: m.Known) -> list[int]:
    order = [one.caregiver for one in found.candidates]
    return [order.index(one.caregiver) for one in of]


def test_skill_counts_before_certificate_before_distance_before_load() -> None:
    far = Place(latitude_microdegrees=31_800_000, longitude_microdegrees=119_974_000)
    unskilled = known("a", skills=("bath",), level="three")
    higher = known("b", level="four", place=far, taken=700)
    nearer = known("c", level="five", taken=600)
    freer = known("d", level="five", taken=100, place=far)
    busier = known("e", level="five", taken=200, place=far)

    found = m.match(WANTED, [unskilled, busier, freer, nearer, higher])

    assert names(found, higher, nearer, freer, busier, unskilled) == [0, 1, 2, 3, 4]
    last = found.candidates[-1]
    assert (last.skills_missing, last.distance_m, last.load_permille) == (1, 0, 300)


def test_who_cannot_take_the_plan_is_left_out_with_a_reason() -> None:
    full = known("full", taken=701)
    erased = known("erased", place=None)
    barred = m.Known(
        caregiver=derive("barred"),
        state=c.Caregiver(record=r.CarerRecord(bars=(r.Bar(barred=t.BARRED),))),
        taken_minutes=0,
    )
    found = m.match(WANTED, [full, erased, barred])

    assert found.candidates == ()
    assert dict(found.left_out) == {
        full.caregiver: "NO_TIME_LEFT",
        erased.caregiver: "NO_PROFILE",
        barred.caregiver: "CAREGIVER_BARRED",
    }


def test_who_is_first_for_a_plan_has_less_time_for_the_next() -> None:
    only = known("only", minutes_a_week=500)
    first, second = m.match_all([WANTED, replace(WANTED, plan=derive("next"))], [only])

    assert [len(first.candidates), second.left_out] == [1, ((only.caregiver, "NO_TIME_LEFT"),)]


@for_all(
    st.permutations(
        [known(f"{n}", taken=n % 3 * 100, skills=("bath",) if n % 2 else ()) for n in range(6)]
    )
)
def test_the_order_of_asking_does_not_change_the_order_of_candidates(
    carers: list[m.Known],
) -> None:
    in_order = sorted(carers, key=lambda one: str(one.caregiver))
    assert m.match(WANTED, in_order) == m.match(WANTED, carers)
