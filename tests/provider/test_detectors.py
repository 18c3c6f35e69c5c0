"""What each detector finds, and what it leaves alone: a test a rule."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ltci.assessment.v1 import assessment_types_pb2 as assessment_types
from ltci.assessment.v1 import events_pb2 as assessment
from ltci.enrollment.v1 import enrollment_types_pb2 as enrollment_types
from ltci.enrollment.v1 import events_pb2 as enrollment
from ltci.payment.v1 import events_pb2 as payment
from ltci.provider.v1 import events_pb2 as pb
from ltci.provider.v1 import provider_types_pb2 as types

from kernel.ids import derive
from services.provider.domain.detection.catalogue import DETECTORS
from tests.provider.seen_visits import (
    DAY,
    FAR,
    FIGURE,
    HERE,
    NEAR,
    Log,
    flagged,
    flags,
    named,
)
from tests.support.packs import CHENGDU

ONE_DAY = timedelta(days=1)
LAST_OF_MONTH = date(2025, 3, 31)
LOOKED_AT = LAST_OF_MONTH + timedelta(days=FIGURE["peer_after_days"] + 1)


def photo(sha: str, perceptual: int = 0) -> types.Photo:
    return types.Photo(sha256=sha.encode().ljust(32, b"."), perceptual_hash=perceptual)


def two(place: Any, second_at: str) -> tuple[Log, set[str]]:
    """Two visits of one caregiver to two people, the second of whom lives at the place."""
    log = Log()
    log.plan("one", HERE)
    log.plan("two", place)
    pair = {str(log.visit("a", "one")), str(log.visit("b", "two", at=second_at))}
    return log, pair


# Caregivers ------------------------------------------------------------------------------------


def test_ten_kilometres_in_two_minutes_are_impossible() -> None:
    log, pair = two(FAR, "10:02")
    assert flagged(log, "impossible_travel") == pair
    assert flagged(log, "two_places") == set()


def test_an_overlap_of_minutes_leaves_no_time_for_ten_kilometres() -> None:
    """The two rules meet: what is forgiven as an overlap is not forgiven as a way."""
    log, pair = two(FAR, "09:58")
    assert flagged(log, "two_places") == set()
    assert flagged(log, "impossible_travel") == pair
    log, pair = two(FAR, "09:57")
    assert flagged(log, "two_places") == pair
    assert flagged(log, "impossible_travel") == set()


@pytest.mark.parametrize(("place", "at"), [(FAR, "10:30"), (NEAR, "10:00"), (None, "10:00")])
def test_a_way_that_can_be_done_or_is_not_known_is_left_alone(place: Any, at: str) -> None:
    log, _ = two(place, at)
    assert flags(log.events) == []


def test_two_people_at_the_same_time_in_two_places() -> None:
    log, pair = two(FAR, "09:30")
    assert flagged(log, "two_places") == pair


@pytest.mark.parametrize(("place", "at"), [(NEAR, "09:30"), (FAR, "09:58")])
def test_a_couple_in_one_house_and_an_overlap_of_minutes_are_left_alone(
    place: Any, at: str
) -> None:
    log, _ = two(place, at)
    assert flagged(log, "two_places") == set()


def test_the_borrower_of_a_device_is_flagged_and_its_owner_is_not() -> None:
    log = Log()
    device = {"device": "device-1"}
    for number in range(5):
        day = DAY - (5 - number) * ONE_DAY
        log.visit(f"own {number}", "one", "owner", day=day, findings=device)
    log.visit("own", "one", "owner", findings=device)
    borrowed = log.visit("borrowed", "two", "borrower", at="13:00", findings=device)
    assert flagged(log, "shared_device") == {str(borrowed)}


def test_whose_a_device_is_shows_later_where_its_first_day_does_not_say() -> None:
    log = Log()
    device = {"device": "device-1"}
    borrowed = log.visit("borrowed", "two", "borrower", findings=device)
    for number in range(2):
        log.visit(f"own {number}", f"p{number}", "owner", at=f"{13 + number}:30", findings=device)
    assert flagged(log, "shared_device") == set()
    log.visit("own, next day", "one", "owner", day=DAY + ONE_DAY, findings=device)
    assert flagged(log, "shared_device") == {str(borrowed)}


def test_hours_of_a_day_beyond_the_limit() -> None:
    log = Log()
    limit = FIGURE["day_minutes_max"]
    for number in range(limit // 60):
        log.visit(f"v{number}", f"p{number}", at=f"{6 + number:02d}:00")
    assert flagged(log, "hours_above_limit") == set()
    beyond = log.visit("beyond", "late", at="20:00")
    assert flagged(log, "hours_above_limit") == {str(beyond)}


# One visit -------------------------------------------------------------------------------------


def test_a_photo_of_another_visit_is_flagged_on_the_later_one() -> None:
    for first, second in ((photo("x"), photo("x")), (photo("x", 0b1111), photo("y", 0b1110))):
        log = Log()
        log.visit("a", findings={"photos": [first]}, day=DAY - ONE_DAY)
        later = log.visit("b", findings={"photos": [second]})
        assert flagged(log, "repeated_photo") == {str(later)}


def test_photos_that_only_look_a_little_alike_are_left_alone() -> None:
    log = Log()
    log.visit("a", findings={"photos": [photo("x", 0b1111_1111)]}, day=DAY - ONE_DAY)
    log.visit("b", findings={"photos": [photo("y", 0b0000_1111)]})
    assert flagged(log, "repeated_photo") == set()


def test_a_simulated_place() -> None:
    log = Log()
    simulated = log.visit("a", findings={"mocked": True})
    log.visit("b", at="13:00", findings={"mocked": False})
    assert flagged(log, "mock_location") == {str(simulated)}


def test_too_short_for_the_items_beyond_what_is_forgiven() -> None:
    log = Log()
    log.price("L01", 60)
    short = log.visit("a", minutes=47, reasons=["TOO_SHORT"])
    log.visit("b", at="13:00", minutes=48)
    assert flagged(log, "too_short") == {str(short)}


def test_items_that_the_plan_never_had() -> None:
    log = Log()
    enough = FIGURE["usual_items_min"] // 2
    for number in range(enough):
        log.visit(f"v{number}", day=DAY - (enough - number) * ONE_DAY, items=("L01", "L02"))
    log.visit("one more item", at="07:00", items=("L01", "L03"))
    swapped = log.visit("swapped", at="13:00", items=("L08", "L09"))
    assert flagged(log, "items_swapped") == {str(swapped)}


def test_items_swapped_before_the_plan_was_known_are_found_once_it_is() -> None:
    log = Log()
    swapped = log.visit("swapped", day=DAY - ONE_DAY, items=("L08", "L09"))
    for number in range(FIGURE["usual_items_min"] // 2 - 2):
        log.visit(f"v{number}", day=DAY + number * ONE_DAY, items=("L01", "L02"))
    assert flagged(log, "items_swapped") == set()
    log.visit("enough", day=DAY + 50 * ONE_DAY, items=("L01", "L02"))
    assert flagged(log, "items_swapped") == {str(swapped)}


def test_care_outside_the_plan() -> None:
    log = Log()
    outside = log.visit("a", reasons=["PLAN_NOT_IN_FORCE"])
    assert flagged(log, "outside_plan") == {str(outside)}


def ended(person: str, day: date) -> pb.PlanEnded:
    return pb.PlanEnded(
        plan=str(named(f"plan {person}")),
        person=str(named(person)),
        pool=CHENGDU,
        end_date=str(day),
    )


def test_care_after_the_last_day_of_a_plan_whose_end_was_told_late() -> None:
    log = Log()
    log.visit("last day", day=DAY - ONE_DAY)
    outside = log.visit("a day later")
    log.visit("somebody else", "two")
    log.tell("provider", ended("person", DAY - ONE_DAY), DAY + 3 * ONE_DAY)
    assert flagged(log, "outside_plan") == {str(outside)}


@pytest.mark.parametrize("reasons", [["PRICE_ABOVE_LIST"], ["PRICE_BELOW_LIST"], []])
def test_a_claim_of_more_than_the_price_list_says(reasons: list[str]) -> None:
    """The match of claims compares; the detector holds what it found to be above the list."""
    log = Log()
    assert FIGURE["claim_percent_over_max"] == 10
    dear, slip = log.visit("a"), log.visit("b", at="13:00")
    for visit, asked, why in ((dear, 5_501, reasons), (slip, 5_500, reasons)):
        line = pb.ClaimLineMatched(
            person=str(named("person")),
            pool=CHENGDU,
            visit=str(visit),
            asked_fen=asked,
            adjusted_fen=5_000,
            reasons=why,
        )
        log.tell("provider", line, DAY + 30 * ONE_DAY)
    found = flags(log.events, "price_above_list")
    assert [one.subject for one in found] == ([str(dear)] if "PRICE_ABOVE_LIST" in reasons else [])
    assert all(one.values == {"asked_fen": 5_501, "listed_fen": 5_000} for one in found)
    assert all(len(one.positions) == 2 for one in found)  # the verdict, and the claim line


# What other services know ----------------------------------------------------------------------


def lived(kind: str, day: date) -> enrollment.LifeEventReported:
    return enrollment.LifeEventReported(
        life_event=str(derive("life", kind, str(day))),
        person=str(named("person")),
        pool=CHENGDU,
        kind=enrollment_types.LifeEventKind.Value(f"LIFE_EVENT_KIND_{kind}"),
        event_date=day.isoformat(),
    )


@pytest.mark.parametrize("known_before", [True, False])
def test_care_after_death_whenever_the_death_became_known(*, known_before: bool) -> None:
    log = Log()
    death = lived("DEATH", DAY - ONE_DAY)
    if known_before:
        log.tell("enrollment", death)
    log.visit("the day itself", day=DAY - ONE_DAY, known=DAY)
    after = log.visit("after")
    if not known_before:
        log.tell("enrollment", death, DAY + 60 * ONE_DAY)
    assert flagged(log, "after_death") == {str(after)}


def test_a_death_taken_back_in_time_flags_nothing() -> None:
    log = Log()
    death = lived("DEATH", DAY - ONE_DAY)
    log.tell("enrollment", death)
    log.tell("enrollment", enrollment.LifeEventWithdrawn(life_event=death.life_event))
    log.visit("after")
    assert flags(log.events) == []


def test_care_at_home_between_admission_and_discharge() -> None:
    log = Log()
    log.tell("enrollment", lived("ADMISSION", DAY - 3 * ONE_DAY))
    log.visit("admitted", day=DAY - 3 * ONE_DAY)
    inside = log.visit("inside")
    log.tell("enrollment", lived("DISCHARGE", DAY + ONE_DAY))
    log.visit("discharged", day=DAY + ONE_DAY)
    log.visit("later", day=DAY + 5 * ONE_DAY)
    assert flagged(log, "in_hospital") == {str(inside)}


def test_a_stay_told_late_is_held_against_its_own_days_only() -> None:
    """Its discharge is told right behind the admission: the days after it were spent at home."""
    log = Log()
    inside = log.visit("inside")
    log.visit("home again", day=DAY + 5 * ONE_DAY)
    told = DAY + 6 * ONE_DAY
    log.tell("enrollment", lived("ADMISSION", DAY - ONE_DAY), told)
    log.tell("enrollment", lived("DISCHARGE", DAY + ONE_DAY), told)
    assert flagged(log, "in_hospital") == set()
    log.visit("next day", "two", day=told + ONE_DAY)
    assert flagged(log, "in_hospital") == {str(inside)}


def test_a_stay_told_late_and_not_over_is_held_against_all_days_since() -> None:
    log = Log()
    visits = {str(log.visit(f"v{shift}", day=DAY + shift * ONE_DAY)) for shift in (0, 5)}
    log.tell("enrollment", lived("ADMISSION", DAY - ONE_DAY), DAY + 6 * ONE_DAY)
    log.visit("next day", "two", day=DAY + 7 * ONE_DAY)
    assert flagged(log, "in_hospital") == visits


def test_care_before_the_entitlement_took_effect() -> None:
    log = Log()
    before = log.visit("before")
    opened = payment.EntitlementOpened(
        person=str(named("person")), pool=CHENGDU, effective_date=str(DAY + ONE_DAY), grade=4
    )
    log.tell("payment", opened)
    log.visit("on the day", day=DAY + ONE_DAY)
    assert flagged(log, "before_effect") == {str(before)}


def test_care_by_the_barred_and_by_the_uncertified() -> None:
    log = Log()
    log.visit("before", day=DAY - ONE_DAY)
    barred = log.visit("barred")
    bar = pb.PersonBarred(person=str(named("carer")), pool=CHENGDU, start_date=str(DAY))
    log.tell("provider", bar, DAY + ONE_DAY)
    revoked = pb.CertificateRevoked(caregiver=str(named("other")), revoked_date=str(DAY))
    log.tell("provider", revoked)
    uncertified = log.visit("uncertified", "two", "other")
    unregistered = log.visit("u", "three", "nobody", reasons=["CAREGIVER_NOT_REGISTERED"])
    assert flagged(log, "barred_carer") == {str(barred)}
    assert flagged(log, "uncertified_carer") == {str(uncertified), str(unregistered)}


# Peers -----------------------------------------------------------------------------------------


def test_a_provider_far_from_its_peers_is_told_when_the_month_is_over() -> None:
    log = Log()
    bodies = [derive("body", str(number)) for number in range(6)]
    for body in bodies:
        told = pb.PriceListed(
            provider=str(body), item="L01", effective_date="2024-01-01", minutes=50
        )
        log.tell("provider", told)
        for number in range(FIGURE["peer_visits_min"]):
            minutes = 50 if body == bodies[0] else 51 + number % 20
            name = f"{body} {number}"
            log.visit(name, name, name, minutes=minutes, body=body)
    assert flagged(log, "provider_drift") == set()
    log.visit("later", day=LOOKED_AT)
    assert flagged(log, "provider_drift") == {f"{CHENGDU}/{bodies[0]}/{LAST_OF_MONTH}"}


def test_a_provider_whose_visits_cost_far_more_than_those_of_its_peers() -> None:
    log = Log()
    bodies = [derive("body", str(number)) for number in range(6)]
    for body in bodies:
        for number in range(FIGURE["peer_visits_min"]):
            items = ("L01", "L02") if body == bodies[0] or number % 10 == 0 else ("L01",)
            name = f"{body} {number}"
            log.visit(name, name, name, items=items, body=body)
    log.visit("later", day=LOOKED_AT)
    assert flagged(log, "provider_drift") == {f"{CHENGDU}/{bodies[0]}/{LAST_OF_MONTH}"}


def test_an_assessor_is_found_tied_once_the_plans_of_the_month_are_known() -> None:
    """Plans follow weeks after the assessment: the month is looked at again with later ones."""
    log = Log()
    bodies = [derive("body", str(number)) for number in range(6)]
    for assessor in range(6):
        for number in range(10):
            person = f"{assessor} {number}"
            told: dict[str, Any] = {"application": person, "person": str(named(person))}
            seen = assessment.OnSiteAssessed(
                **told,
                assessor=f"assessor-{assessor}",
                assessor_kind=assessment_types.ASSESSOR_KIND_ASSESSOR,
                assessed_date=str(DAY),
            )
            log.tell("assessment", seen)
            graded = assessment.AssessmentGraded(
                **told, pool=CHENGDU, grade=3, assessed_date=str(DAY)
            )
            log.tell("assessment", graded)
    log.visit("looked at", "anybody", day=LOOKED_AT)
    for assessor in range(6):
        for number in range(10):
            body = bodies[0] if assessor == 1 else bodies[1 + number % 5]
            log.plan(f"{assessor} {number}", body=body)
    assert flagged(log, "assessor_tied") == set()
    log.visit("looked at again", "anybody", day=LOOKED_AT + 31 * ONE_DAY)
    assert flagged(log, "assessor_tied") == {f"{CHENGDU}/{bodies[0]}/assessor-1/{LAST_OF_MONTH}"}


def test_an_assessor_who_grades_high_and_one_whose_people_go_to_one_body() -> None:
    log = Log()
    bodies = [derive("body", str(number)) for number in range(6)]
    for assessor in range(6):
        for number in range(10):
            person = f"{assessor} {number}"
            body = bodies[0] if assessor == 1 else bodies[1 + number % 5]
            log.plan(person, body=body)
            told: dict[str, Any] = {"application": person, "person": str(named(person))}
            seen = assessment.OnSiteAssessed(
                **told,
                assessor=f"assessor-{assessor}",
                assessor_kind=assessment_types.ASSESSOR_KIND_ASSESSOR,
                assessed_date=str(DAY),
            )
            log.tell("assessment", seen)
            grade = 5 if assessor == 2 else 2 + number % 2
            graded = assessment.AssessmentGraded(
                **told, pool=CHENGDU, grade=grade, assessed_date=str(DAY)
            )
            log.tell("assessment", graded)
    log.visit("later", day=LOOKED_AT)
    assert flagged(log, "assessor_drift") == {f"{CHENGDU}/assessor-2/{LAST_OF_MONTH}"}
    (tied,) = [one for one in flags(log.events) if one.detector == "assessor_tied"]
    assert tied.subject == f"{CHENGDU}/{bodies[0]}/assessor-1/{LAST_OF_MONTH}"  # not the body alone
    assert (tied.assessor, tied.provider) == ("assessor-1", bodies[0])


# All of them -----------------------------------------------------------------------------------


def test_ordinary_care_is_not_flagged() -> None:
    log = Log()
    log.price("L01", 50)
    for day in range(20):
        for slot, person in enumerate(("one", "two", "three")):
            findings = {
                "device": "device-1",
                "photos": [photo(f"{day} {person}", derive("look", str(day), person).int >> 64)],
            }
            log.visit(
                f"{day} {person}",
                person,
                at=f"{8 + 2 * slot:02d}:00",
                day=DAY + day * ONE_DAY,
                findings=findings,
            )
    assert flags(log.events) == []


@st.composite
def logs(draw: st.DrawFn) -> Log:
    """Some days of two caregivers and three people, with anything in them."""
    log = Log()
    log.price("L01", 45)
    for person, place in (("one", HERE), ("two", FAR), ("three", NEAR)):
        log.plan(person, place)
    for number in range(draw(st.integers(2, 14))):
        kind = draw(
            st.sampled_from(["visit"] * 4 + ["death", "bar", "admission", "discharge", "end"])
        )
        day = DAY + draw(st.integers(0, 3)) * ONE_DAY
        known = DAY + (4 + number) * ONE_DAY
        if kind in {"death", "admission", "discharge"}:
            log.tell("enrollment", lived(kind.upper(), day), known)
        elif kind == "bar":
            bar = pb.PersonBarred(person=str(named("a")), pool=CHENGDU, start_date=str(day))
            log.tell("provider", bar, known)
        elif kind == "end":
            log.tell("provider", ended("one", day), known)
        else:
            log.visit(
                f"visit {number}",
                draw(st.sampled_from(["person", "one", "two", "three"])),
                draw(st.sampled_from(["a", "b"])),
                at=f"{draw(st.integers(8, 12)):02d}:{draw(st.sampled_from(['00', '20', '40']))}",
                minutes=draw(st.sampled_from([20, 40, 60])),
                day=day,
                known=known,
                findings={
                    "device": draw(st.sampled_from(["", "d1", "d2"])),
                    "photos": [photo(draw(st.sampled_from("xyz")))],
                },
            )
    return log


@given(log=logs(), data=st.data())
def test_what_came_later_changes_no_flag_that_was_found_before(
    log: Log, data: st.DataObject
) -> None:
    cut = data.draw(st.integers(0, len(log.events)))
    before, everything = flags(log.events[:cut]), flags(log.events)
    assert everything[: len(before)] == before


@given(log=logs())
def test_each_detector_alone_finds_what_it_finds_among_the_others(log: Log) -> None:
    together = flags(log.events)
    for name in DETECTORS:
        alone = flags(log.events, name)
        assert alone == [one for one in together if one.detector == name]
