"""The rules of disputes, corrections and the exception queue, one test a rule."""

from dataclasses import replace
from datetime import date, timedelta
from itertools import permutations
from typing import Any, assert_never

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from kernel.calendar import DayKind, Term
from kernel.ids import derive
from kernel.money import yuan
from kernel.refusal import Invalid, NotFound, Refused
from kernel.rules.ruling import Ruling
from services.provider.domain import visit as v
from services.provider.domain import visit_review as r
from services.provider.domain.caregiver import CaregiverRegistered
from services.provider.domain.exception import CorrectionProposed as Proposed
from services.provider.domain.exception import (
    ExceptionKind,
    ExceptionOpened,
    ExceptionOutcome,
    ExceptionSettled,
)
from services.provider.domain.exception import VisitCorrected as Corrected
from services.provider.domain.exception import VisitDisputed as Disputed
from services.provider.domain.verdict import Basis, ConfirmedBy, ItemDone, question_of, rule_visit
from tests.provider.care import (
    ADMITTED,
    APPROVED,
    CAREGIVER,
    CHANGZHOU,
    PROVIDER,
    REGISTERED,
    VISIT,
    as_facts,
    at,
    price,
)
from tests.provider.test_visit_rules import BATH, CONFIRM, DISPUTE, END, START
from tests.support.spec import Decider

Command = v.Command | r.Command
OTHER = derive("test", "another caregiver")
OTHER_REGISTERED: CaregiverRegistered = replace(REGISTERED, caregiver=OTHER)
BASIS = Basis(
    facts=as_facts(
        ADMITTED, price(), price("hair", "20", minutes=20), REGISTERED, OTHER_REGISTERED, APPROVED
    ),
    pack=CHANGZHOU,
    code_version="test",
)
MONDAY = date(2024, 3, 4)
HAIR = (*BATH, ItemDone(item="hair", price=yuan("20")))


def decide(command: Command, visit: v.Visit) -> list[v.Event]:
    match command:
        case r.DisputeVisit() | r.CorrectVisit() | r.SettleException() | r.LookAtVisit():
            return r.decide(command, visit)
        case v.StartVisit() | v.EndVisit() | v.ConfirmVisit() | v.SubmitVisit():
            return v.decide(command, visit)
        case _:
            assert_never(command)


visit = Decider(decide, v.evolve, v.Visit())
CONFIRMED = replace(CONFIRM, basis=BASIS)
SAID = r.DisputeVisit(
    dispute=derive("test", "dispute"),
    visit=VISIT,
    provider=PROVIDER,
    reason="NOBODY_CAME",
    statement="nobody was here",
    disputed_by=ConfirmedBy.FAMILY,
    disputed_date=date(2024, 3, 6),
    last_date=date(2024, 4, 3),
    due_date=date(2024, 3, 20),
    basis=BASIS,
)
RIGHT = r.CorrectVisit(
    correction=derive("test", "correction"),
    visit=VISIT,
    provider=PROVIDER,
    reason="WRONG_CAREGIVER",
    explanation="the other one went",
    care=v.Care(caregiver=OTHER, start_time=at("09:00"), end_time=at("10:00"), items=BATH),
    corrected_by="officer-1",
    approved_by="",
    corrected_date=date(2024, 3, 7),
    last_date=date(2024, 4, 3),
    most=3,
    due_date=date(2024, 3, 21),
    basis=BASIS,
)
MORE = replace(
    RIGHT,
    reason="WRONG_ITEM",
    care=v.Care(caregiver=CAREGIVER, start_time=at("09:00"), end_time=at("10:30"), items=HAIR),
)
LOOK = r.LookAtVisit(
    visit=VISIT,
    provider=PROVIDER,
    now=at("09:00", date(2024, 3, 5)),
    to_confirm=Term(days=5, kind=DayKind.WORKING),
    to_settle=Term(days=10, kind=DayKind.WORKING),
    basis=BASIS,
)
COUNTED = (START, END, CONFIRMED)


def opened_by(*commands: Command) -> ExceptionOpened:
    """The exception that is open after these."""
    (one,) = visit.after(*commands).state.exceptions.open
    return one


def settle(one: ExceptionOpened, outcome: ExceptionOutcome, **changes: Any) -> r.SettleException:
    told: dict[str, Any] = {
        "exception": one.exception,
        "visit": VISIT,
        "provider": PROVIDER,
        "outcome": outcome,
        "reason": "CALLED_BACK",
        "settled_by": "officer-2",
        "settled_date": date(2024, 3, 11),
        "basis": BASIS,
    }
    return r.SettleException(**(told | changes))


def names(events: list[v.Event]) -> list[str]:
    return [type(event).__name__ for event in events]


def again(verdict: v.Verdict) -> bytes:
    ruling = Ruling.read(verdict.ruling)
    return rule_visit(question_of(ruling), BASIS).to_bytes()


# Disputes --------------------------------------------------------------------------------------


def test_a_disputed_visit_does_not_count_until_people_decide() -> None:
    disputed, queued, verdict = visit.after(*COUNTED).when(SAID).events()

    assert isinstance(disputed, Disputed)
    assert isinstance(queued, ExceptionOpened)
    assert (queued.kind, queued.due_date) == (ExceptionKind.DISPUTED, date(2024, 3, 20))
    assert isinstance(verdict, v.ServiceRejected)
    assert (verdict.reasons, verdict.cost) == (("DISPUTED",), yuan("60"))
    assert verdict.ruling == again(verdict)


def test_a_dispute_that_is_not_right_lets_the_visit_count_again() -> None:
    one = opened_by(*COUNTED, SAID)
    done, verdict = (
        visit.after(*COUNTED, SAID).when(settle(one, ExceptionOutcome.NOT_UPHELD)).events()
    )

    assert isinstance(done, ExceptionSettled)
    assert (done.outcome, done.settled_by) == (ExceptionOutcome.NOT_UPHELD, "officer-2")
    assert isinstance(verdict, v.ServiceDelivered)
    assert verdict.cost == yuan("60")
    assert Ruling.read(verdict.ruling).asked["dispute_outcome"] == "not_upheld"
    assert verdict.ruling == again(verdict)


def test_a_dispute_that_is_right_keeps_the_visit_from_counting() -> None:
    one = opened_by(*COUNTED, SAID)
    upheld = visit.after(*COUNTED, SAID, settle(one, ExceptionOutcome.UPHELD))

    assert isinstance(upheld.state.verdict, v.ServiceRejected)
    assert upheld.state.exceptions.open == ()
    upheld.when(replace(RIGHT)).then_refused("DISPUTE_UPHELD")


def test_a_dispute_is_obeyed_once_and_a_second_one_refused() -> None:
    visit.after(*COUNTED, SAID).when(SAID).then()
    another = replace(SAID, dispute=derive("test", "another"))
    visit.after(*COUNTED, SAID).when(another).then_refused("DISPUTED_ALREADY")


def test_only_a_visit_that_counts_is_disputed_and_only_in_time() -> None:
    visit.after(START, END).when(SAID).then_refused("NOT_DECIDED")
    visit.after(START, END, DISPUTE).when(SAID).then_refused("NOTHING_TO_DISPUTE")
    last = replace(SAID, disputed_date=SAID.last_date)
    late = replace(SAID, disputed_date=SAID.last_date + timedelta(days=1))
    assert len(visit.after(*COUNTED).when(last).events()) == 3
    visit.after(*COUNTED).when(late).then_refused("DISPUTE_TOO_LATE", last_date="2024-04-03")


# Corrections -----------------------------------------------------------------------------------


def test_a_correction_is_decided_by_the_same_rule_and_keeps_the_original() -> None:
    told = visit.after(*COUNTED, RIGHT)
    corrected, verdict = visit.after(*COUNTED).when(RIGHT).events()

    assert isinstance(corrected, Corrected)
    assert isinstance(verdict, v.ServiceDelivered)
    ruling = Ruling.read(verdict.ruling)
    assert ruling.asked["caregiver"] == str(OTHER)
    assert (ruling.asked["correction_reason"], ruling.asked["corrected_count"]) == (
        "WRONG_CAREGIVER",
        1,
    )
    assert verdict.ruling == again(verdict)
    assert told.state.started is not None
    assert told.state.started.caregiver == CAREGIVER


def test_a_correction_by_which_a_visit_counts_for_more_waits_for_a_second_person() -> None:
    proposed, queued = visit.after(*COUNTED).when(MORE).events()

    assert isinstance(proposed, Proposed)
    assert isinstance(queued, ExceptionOpened)
    waiting = visit.after(*COUNTED, MORE)
    assert isinstance(waiting.state.verdict, v.ServiceDelivered)
    assert waiting.state.verdict.cost == yuan("60")
    one = opened_by(*COUNTED, MORE)
    waiting.when(settle(one, ExceptionOutcome.APPROVED, settled_by="officer-1")).then_refused(
        "SAME_PERSON"
    )
    done, corrected, verdict = waiting.when(settle(one, ExceptionOutcome.APPROVED)).events()
    assert isinstance(done, ExceptionSettled)
    assert isinstance(corrected, Corrected)
    assert (corrected.corrected_by, corrected.approved_by) == ("officer-1", "officer-2")
    assert isinstance(verdict, v.ServiceDelivered)
    assert verdict.cost == yuan("80")
    assert names(waiting.when(settle(one, ExceptionOutcome.REFUSED)).events()) == [
        "ExceptionSettled"
    ]


def test_a_second_person_is_needed_confirmed_or_denied_disputed_or_not() -> None:
    for told in ((START, END), COUNTED, (START, END, DISPUTE), (*COUNTED, SAID)):
        proposed, _ = visit.after(*told).when(MORE).events()
        assert isinstance(proposed, Proposed)
        assert isinstance(visit.after(*told).when(RIGHT).events()[0], Corrected)


def test_more_minutes_or_another_kind_of_staff_count_for_more_too() -> None:
    longer = replace(RIGHT, care=replace(RIGHT.care, caregiver=CAREGIVER, end_time=at("10:10")))
    shorter = replace(RIGHT, care=replace(RIGHT.care, caregiver=CAREGIVER, end_time=at("09:55")))
    nurse = replace(OTHER_REGISTERED, staff="nurse")
    facts = as_facts(ADMITTED, price(), REGISTERED, nurse, APPROVED)
    by_a_nurse = replace(RIGHT, basis=replace(BASIS, facts=facts))

    counted = visit.after(*COUNTED)
    assert isinstance(counted.when(longer).events()[0], Proposed)
    assert isinstance(counted.when(by_a_nurse).events()[0], Proposed)
    assert isinstance(counted.when(shorter).events()[0], Corrected)


def test_two_people_may_correct_at_once() -> None:
    both = replace(MORE, approved_by="officer-2")

    assert names(visit.after(*COUNTED).when(both).events()) == [
        "VisitCorrected",
        "ServiceDelivered",
    ]
    alone = replace(MORE, approved_by="officer-1")
    visit.after(*COUNTED).when(alone).then_refused("SAME_PERSON")


def test_a_rejected_visit_that_would_count_needs_a_second_person_too() -> None:
    short = replace(END, end_time=at("09:20"))
    longer = replace(RIGHT, care=replace(RIGHT.care, caregiver=CAREGIVER))
    rejected = visit.after(START, short, CONFIRMED)

    assert isinstance(rejected.state.verdict, v.ServiceRejected)
    assert isinstance(rejected.when(longer).events()[0], Proposed)


def test_a_forgotten_check_out_is_told_by_a_correction() -> None:
    told = replace(
        RIGHT,
        reason="FORGOT_TO_CHECK_OUT",
        care=replace(RIGHT.care, caregiver=CAREGIVER),
        approved_by="officer-2",
    )
    hangs = visit.after(START, LOOK)
    corrected = visit.after(START, LOOK, told)

    assert [one.kind for one in hangs.state.exceptions.open] == [ExceptionKind.NOT_ENDED]
    assert corrected.state.exceptions.open == ()
    assert corrected.state.verdict is None
    assert isinstance(visit.after(START, LOOK, told, CONFIRMED).state.verdict, v.ServiceDelivered)


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"corrected_date": date(2024, 4, 4)}, "CORRECTION_TOO_LATE"),
    ({"most": 0}, "CORRECTED_TOO_OFTEN"),
    ({"care": replace(RIGHT.care, caregiver=CAREGIVER)}, "NOTHING_CHANGED"),
    ({"approved_by": "officer-1"}, "SAME_PERSON"),
]


@pytest.mark.parametrize(("changes", "reason"), REFUSED, ids=[reason for _, reason in REFUSED])
def test_a_correction_has_its_bounds(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(Refused) as refused:
        decide(replace(RIGHT, **changes), visit.after(*COUNTED).state)
    assert refused.value.reason == reason


def test_corrections_wait_for_each_other_and_each_is_obeyed_once() -> None:
    another = replace(RIGHT, correction=derive("test", "another"))
    visit.after(*COUNTED, MORE).when(another).then_refused("CORRECTION_PENDING")
    visit.after(*COUNTED, MORE).when(MORE).then()
    visit.after(*COUNTED, RIGHT).when(RIGHT).then()


def test_corrections_are_counted_and_bounded() -> None:
    back = replace(
        RIGHT, correction=derive("test", "back"), care=replace(RIGHT.care, caregiver=CAREGIVER)
    )
    twice = visit.after(*COUNTED, RIGHT, back)

    assert twice.state.exceptions.corrected_count == 2
    third = replace(RIGHT, correction=derive("test", "third"))
    twice.when(replace(third, most=2)).then_refused("CORRECTED_TOO_OFTEN", most="2")
    assert len(twice.when(third).events()) == 2


def test_a_correction_that_was_refused_makes_room_for_another() -> None:
    one = opened_by(*COUNTED, MORE)
    refused = visit.after(*COUNTED, MORE, settle(one, ExceptionOutcome.REFUSED))

    assert refused.state.care == v.Care(
        caregiver=CAREGIVER, start_time=at("09:00"), end_time=at("10:00"), items=BATH
    )
    another = replace(RIGHT, correction=derive("test", "another"))
    assert isinstance(refused.when(another).events()[0], Corrected)


def test_corrected_times_that_cannot_be_are_bad_input() -> None:
    wrong = replace(RIGHT, care=replace(RIGHT.care, end_time=at("08:00")))
    with pytest.raises(Invalid):
        decide(wrong, visit.after(*COUNTED).state)


def test_a_denied_visit_stays_denied_when_it_is_corrected() -> None:
    denied = visit.after(START, END, replace(DISPUTE, basis=BASIS), RIGHT)

    assert isinstance(denied.state.verdict, v.ServiceRejected)
    assert denied.state.verdict.reasons == ("NOT_CONFIRMED",)
    assert Ruling.read(denied.state.verdict.ruling).asked["disputed"] == 1


# The queue and its clock -----------------------------------------------------------------------


def test_a_visit_that_goes_on_for_a_day_is_an_exception() -> None:
    soon = replace(LOOK, now=at("08:59", date(2024, 3, 5)))
    visit.after(START).when(soon).then()
    (one,) = visit.after(START).when(LOOK).events()

    assert isinstance(one, ExceptionOpened)
    # Ten working days after Tuesday, 5 March.
    assert (one.kind, one.due_date) == (ExceptionKind.NOT_ENDED, date(2024, 3, 19))
    visit.after(START, LOOK).when(LOOK).then()


def test_a_visit_that_nobody_confirms_is_an_exception_and_then_decided_as_it_stands() -> None:
    ended = visit.after(START, END)
    ended.when(replace(LOOK, now=at("23:59", date(2024, 3, 11)))).then()
    look = replace(LOOK, now=at("00:00", date(2024, 3, 12)))
    (one,) = ended.when(look).events()
    assert isinstance(one, ExceptionOpened)
    assert (one.kind, one.due_date) == (ExceptionKind.NOT_CONFIRMED, date(2024, 3, 26))
    waiting = visit.after(START, END, look)
    waiting.when(replace(LOOK, now=at("23:59", date(2024, 3, 26)))).then()
    after = replace(LOOK, now=at("00:00", date(2024, 3, 27)))
    lapsed, verdict = waiting.when(after).events()
    assert isinstance(lapsed, ExceptionSettled)
    assert lapsed.outcome is ExceptionOutcome.LAPSED
    required = CHANGZHOU.figure("provider.family_confirmation_required", MONDAY).flag()
    assert isinstance(verdict, v.ServiceRejected if required else v.ServiceDelivered)
    visit.after(START, END, look, after).when(after).then()


def test_people_settle_what_is_theirs_to_settle_and_once() -> None:
    one = opened_by(*COUNTED, SAID)
    told = visit.after(*COUNTED, SAID)
    told.when(settle(one, ExceptionOutcome.APPROVED)).then_refused("OUTCOME_NOT_POSSIBLE")
    done = visit.after(*COUNTED, SAID, settle(one, ExceptionOutcome.UPHELD))
    done.when(settle(one, ExceptionOutcome.UPHELD)).then()
    done.when(settle(one, ExceptionOutcome.NOT_UPHELD)).then_refused(
        "SETTLED_ALREADY", outcome="UPHELD"
    )
    hangs = opened_by(START, LOOK)
    assert names(
        visit.after(START, LOOK).when(settle(hangs, ExceptionOutcome.VOIDED)).events()
    ) == ["ExceptionSettled"]
    with pytest.raises(NotFound):
        decide(settle(hangs, ExceptionOutcome.VOIDED), visit.after(*COUNTED).state)


@pytest.mark.parametrize("command", [SAID, RIGHT, LOOK])
def test_a_visit_that_never_began_is_not_found(command: r.Command) -> None:
    with pytest.raises(NotFound):
        r.decide(command, v.Visit())


# Whatever the order ----------------------------------------------------------------------------

AGREED = replace(MORE, approved_by="officer-2")


def outcome_of(visit_told: v.Visit) -> tuple[str, object, object]:
    verdict = visit_told.verdict
    assert verdict is not None
    return type(verdict).__name__, verdict.cost, verdict.ruling


@for_all(
    order=st.sampled_from(list(permutations(range(4)))),
    repeats=st.lists(st.integers(0, 3), min_size=4, max_size=4),
    correction=st.sampled_from([RIGHT, AGREED]),
    ruled=st.sampled_from([ExceptionOutcome.UPHELD, ExceptionOutcome.NOT_UPHELD]),
)
def test_any_order_of_what_is_accepted_ends_in_the_verdict_of_the_orderly_story(
    order: tuple[int, ...],
    repeats: list[int],
    correction: r.CorrectVisit,
    ruled: ExceptionOutcome,
) -> None:
    """Confirmation, correction, dispute and its outcome; each may come again, early or late."""
    queued = opened_by(*COUNTED, SAID)
    steps: list[Command] = [CONFIRMED, correction, SAID, settle(queued, ruled)]
    orderly = visit.after(START, END, *steps).state
    now, done = visit.after(START, END).state, set[int]()

    def tell(step: int) -> None:
        nonlocal now
        try:
            for event in decide(steps[step], now):
                now = v.evolve(now, event)
        except (Refused, NotFound):
            return
        done.add(step)

    # What is refused because it came too early is told again until it is taken.
    for step in (*order, *repeats, *range(4), *range(4)):
        tell(step)
    if len(done) == len(steps):
        assert outcome_of(now) == outcome_of(orderly)
        assert now.exceptions.open == orderly.exceptions.open == ()
    else:
        # A correction that comes after a dispute was found right is refused for good.
        assert done == {0, 2, 3}
        assert ruled is ExceptionOutcome.UPHELD
