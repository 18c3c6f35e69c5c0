"""The legal clocks, one test a rule: what starts, moves and ends them. The year 2024."""

from dataclasses import fields, is_dataclass
from datetime import date
from typing import Any, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.ids import derive
from services.assessment.domain import clocks as c
from services.assessment.domain import events as e
from services.assessment.domain.clock_table import BY_STEP, CLOSED_BY, ROWS
from services.assessment.domain.clocks import ClockState as State
from services.assessment.domain.events import ClockStep as Step
from services.assessment.domain.reassessment import ReassessmentOrdered
from tests.support.packs import CHANGZHOU, pack

PACK, YANGZHOU = pack(CHANGZHOU), pack("321000")
PERSON, FIRST = derive("test", "somebody"), derive("test", "first")
ON = date(2024, 3, 4)  # a Monday
NAMED: dict[str, Any] = {"application": FIRST, "person": PERSON}

SUBMITTED = e.ApplicationSubmitted(
    **NAMED,
    pool=CHANGZHOU,
    kind=e.ApplicationKind.FIRST,
    application_date=ON,
    disabled_since_date=date(2023, 1, 1),
    missing_papers=(),
    agent_name="",
)
ACCEPTED = e.ApplicationAccepted(**NAMED, accepted_date=ON, conclusion_due_date=date(2024, 4, 16))
REQUESTED = e.SupplementRequested(**NAMED, missing_papers=("x",), due_date=date(2024, 3, 11))
PUBLISHED = e.ConclusionPublished(
    **NAMED, published_date=date(2024, 3, 26), publicity_end_date=date(2024, 3, 31)
)


def visited(day: date, assessor: str = "a") -> e.OnSiteAssessed:
    return e.OnSiteAssessed(
        **NAMED,
        assessor=assessor,
        assessor_kind=e.AssessorKind.EXPERT,
        assessed_date=day,
        scores=(),
        evidence_hashes=(),
    )


def confirmed(day: date, expert: str, *, complete: bool) -> e.ConclusionConfirmed:
    return e.ConclusionConfirmed(**NAMED, expert=expert, confirmed_date=day, complete=complete)


def delivered(kind: e.ApplicationKind = e.ApplicationKind.FIRST, **c: Any) -> e.ConclusionDelivered:
    told: dict[str, Any] = {
        **NAMED,
        "pool": CHANGZHOU,
        "kind": kind,
        "grade": 3,
        "grade_eligible": True,
        "conclusion_date": date(2024, 3, 25),
        "effective_date": date(2024, 4, 1),
        "valid_until_date": date(2026, 3, 24),
        "delivered_date": date(2024, 4, 2),
    }
    return e.ConclusionDelivered(**(told | c))


def withdrawn(day: date, *, deemed: bool) -> e.ApplicationWithdrawn:
    return e.ApplicationWithdrawn(**NAMED, withdrawn_date=day, deemed=deemed)


def after(*events: Any) -> c.Clocks:
    clocks = c.Clocks()
    for event in events:
        clocks = c.evolve(clocks, event)
    return clocks


def shown(
    step: Step, *events: Any, today: date = date(2024, 3, 20), rules: Any = PACK, case: Any = FIRST
) -> c.Clock | None:
    run = after(*events).current(None if BY_STEP[step].of_person else case, step)
    return c.clock_of(run, rules, today) if run else None


def state(step: Step, *events: Any, **told: Any) -> tuple[State, date] | None:
    clock = shown(step, *events, **told)
    return (clock.state, clock.due) if clock else None


def test_every_line_of_the_table_names_days_that_its_events_have() -> None:
    wrong = []
    for row in ROWS:
        named = [(start.event, name) for start in row.starts for name in (start.begins, start.due)]
        named += [(end.event, end.day) for end in row.ends]
        for event, name in [*named, *CLOSED_BY.items()]:
            assert is_dataclass(event)
            if name and get_type_hints(event).get(name) not in (date, date | None):
                wrong.append(f"{row.step}: {event.__name__}.{name}")
        for start in row.starts:
            wrong += [f"{row.step}: no last day"] * (bool(start.due) == bool(start.term))
            if not row.of_person:
                assert "application" in {field.name for field in fields(start.event)}
    assert wrong == []


def test_there_is_one_line_for_each_step_in_their_order() -> None:
    assert [row.step for row in ROWS] == list(Step)


def test_every_figure_of_the_table_is_one_that_packs_state() -> None:
    terms = {start.term for row in ROWS for start in row.starts if start.term}
    terms |= {row.reminder for row in ROWS if row.reminder}
    assert {term for term in terms if not PACK.mentions(term)} == set()


def test_completeness_is_checked_in_five_working_days() -> None:
    step = Step.COMPLETENESS_CHECK
    assert state(step, SUBMITTED) == (State.OVERDUE, date(2024, 3, 11))
    assert state(step, SUBMITTED, today=date(2024, 3, 11)) == (State.RUNNING, date(2024, 3, 11))
    assert state(step, SUBMITTED, ACCEPTED) == (State.IN_TIME, date(2024, 3, 11))
    assert state(step, SUBMITTED, REQUESTED) == (State.IN_TIME, date(2024, 3, 11))


def test_papers_run_from_the_list_to_their_coming() -> None:
    asked = SUBMITTED, REQUESTED
    came = e.SupplementReceived(**NAMED, received_date=date(2024, 3, 8))
    clock = shown(Step.SUPPLEMENT, *asked, today=date(2024, 3, 7))
    assert clock is not None
    assert (clock.run.begins, clock.reminder, clock.days_left) == (ON, date(2024, 3, 7), 2)
    assert state(Step.SUPPLEMENT, *asked, came) == (State.IN_TIME, date(2024, 3, 11))


def test_papers_that_never_came_were_late_and_an_applicant_who_went_was_not() -> None:
    gone = withdrawn(date(2024, 3, 12), deemed=True)
    assert state(Step.SUPPLEMENT, SUBMITTED, REQUESTED, gone) == (State.LATE, date(2024, 3, 11))
    gone = withdrawn(date(2024, 3, 6), deemed=False)
    assert state(Step.SUPPLEMENT, SUBMITTED, REQUESTED, gone) == (State.VOID, date(2024, 3, 11))


def test_the_visit_has_a_clock_only_where_the_pool_says_in_how_many_days() -> None:
    assert shown(Step.ON_SITE, ACCEPTED) is None
    story = ACCEPTED, visited(date(2024, 3, 14))
    assert state(Step.ON_SITE, *story, rules=YANGZHOU) == (State.IN_TIME, date(2024, 3, 14))
    story = ACCEPTED, visited(date(2024, 3, 15))
    assert state(Step.ON_SITE, *story, rules=YANGZHOU) == (State.LATE, date(2024, 3, 14))


@given(st.permutations([12, 13, 15]))
def test_the_visit_is_of_the_earliest_form_in_whatever_order_they_come(days: list[int]) -> None:
    story = [visited(date(2024, 3, day), str(day)) for day in days]
    clock = shown(Step.ON_SITE, ACCEPTED, *story, rules=YANGZHOU)
    assert clock is not None
    assert clock.run.ended == date(2024, 3, 12)


@given(st.permutations([25, 26, 28]))
def test_the_conclusion_is_of_the_latest_confirmation_in_whatever_order(days: list[int]) -> None:
    story = [
        confirmed(date(2024, 3, day), str(day), complete=place == len(days))
        for place, day in enumerate(days, start=1)
    ]
    clocks = after(ACCEPTED, *story)
    conclusion = clocks.current(FIRST, Step.CONCLUSION)
    publication = clocks.current(FIRST, Step.PUBLICATION)
    assert conclusion is not None
    assert publication is not None
    assert conclusion.ended == publication.begins == date(2024, 3, 28)


def test_a_conclusion_is_made_public_in_five_working_days_or_delivered_at_once() -> None:
    concluded = ACCEPTED, confirmed(date(2024, 3, 25), "x", complete=True)
    step = Step.PUBLICATION
    assert state(step, *concluded, today=ON) == (State.RUNNING, date(2024, 4, 1))
    assert state(step, *concluded, PUBLISHED) == (State.IN_TIME, date(2024, 4, 1))
    assert state(step, *concluded, delivered()) == (State.LATE, date(2024, 4, 1))


def test_publicity_is_a_period_nobody_can_miss_and_delivery_follows_it() -> None:
    assert state(Step.PUBLICITY, PUBLISHED) == (State.RUNNING, date(2024, 3, 31))
    later = date(2024, 6, 3)
    assert state(Step.PUBLICITY, PUBLISHED, today=later) == (State.OVER, date(2024, 3, 31))
    assert state(Step.DELIVERY, PUBLISHED, today=later) == (State.OVERDUE, date(2024, 4, 8))
    assert state(Step.DELIVERY, PUBLISHED, delivered()) == (State.IN_TIME, date(2024, 4, 8))


def test_after_delivery_run_the_time_to_ask_for_a_review_and_the_validity() -> None:
    assert state(Step.REVIEW_REQUEST, delivered()) == (State.RUNNING, date(2024, 4, 10))
    assert state(Step.VALIDITY, delivered()) == (State.RUNNING, date(2026, 3, 24))
    assert state(Step.VALIDITY, delivered(grade_eligible=False)) is None


def test_a_later_conclusion_ends_the_validity_of_the_one_before() -> None:
    later = delivered(
        e.ApplicationKind.PERIODIC,
        application=derive("test", "second"),
        effective_date=date(2026, 2, 1),
        valid_until_date=date(2028, 1, 9),
    )
    runs = after(delivered(), later).runs[None, Step.VALIDITY]
    assert [run.ended for run in runs] == [date(2026, 2, 1), None]
    assert [run.number for run in runs] == [1, 2]


def test_a_periodic_reassessment_is_due_on_the_day_its_order_tells() -> None:
    ordered = ReassessmentOrdered(
        person=PERSON,
        pool=CHANGZHOU,
        kind=e.ApplicationKind.PERIODIC,
        due_date=date(2024, 3, 24),
        cause="",
    )
    step = Step.PERIODIC_REASSESSMENT
    assert state(step, ordered) == (State.RUNNING, date(2024, 3, 24))
    other = delivered(e.ApplicationKind.CHANGE_OF_STATE)
    assert state(step, ordered, other) == (State.RUNNING, date(2024, 3, 24))
    done = delivered(e.ApplicationKind.PERIODIC)
    assert state(step, ordered, done) == (State.LATE, date(2024, 3, 24))


def test_an_undated_event_has_the_day_of_the_event_before_it() -> None:
    assert after(SUBMITTED).days == {FIRST: ON}
    assert after(SUBMITTED, PUBLISHED).days == {FIRST: date(2024, 3, 26)}
    assert after(SUBMITTED, PUBLISHED, delivered()).days == {FIRST: date(2024, 4, 2)}


@pytest.mark.parametrize(
    "end",
    [
        withdrawn(date(2024, 3, 6), deemed=False),
        e.ApplicationRefused(
            **NAMED, reasons=("X",), eligibility_decision=None, refused_date=date(2024, 3, 6)
        ),
    ],
)
def test_a_case_that_ends_otherwise_leaves_no_clock_running(end: Any) -> None:
    clocks = after(SUBMITTED, ACCEPTED, end)
    assert [run for run in clocks.of(FIRST) if run.ended is None] == []
    assert state(Step.CONCLUSION, SUBMITTED, ACCEPTED, end) == (State.VOID, date(2024, 4, 16))


def test_the_reminder_of_the_conclusion_moves_with_its_pauses() -> None:
    pause = e.ClockPaused(
        **NAMED, step=Step.CONCLUSION, reason="IN_HOSPITAL", from_date=date(2024, 3, 11)
    )
    go_on = e.ClockResumed(**NAMED, step=Step.CONCLUSION, resumed_date=date(2024, 3, 18))
    before = shown(Step.CONCLUSION, ACCEPTED)
    moved = shown(Step.CONCLUSION, ACCEPTED, pause, go_on)
    assert before is not None
    assert moved is not None
    assert (before.reminder, before.due) == (date(2024, 4, 1), date(2024, 4, 16))
    # 7 April is a make-up day of the holiday; five working days later each.
    assert (moved.reminder, moved.due) == (date(2024, 4, 9), date(2024, 4, 23))
    assert (moved.paused_days, moved.state) == (5, State.RUNNING)


def test_a_clock_that_stands_is_never_overdue() -> None:
    pause = e.ClockPaused(
        **NAMED, step=Step.CONCLUSION, reason="IN_HOSPITAL", from_date=date(2024, 4, 15)
    )
    later = shown(Step.CONCLUSION, ACCEPTED, pause, today=date(2024, 6, 3))
    assert later is not None
    assert (later.state, later.pause_reason) == (State.PAUSED, "IN_HOSPITAL")
    assert (later.due, later.days_left) == (date(2024, 6, 5), 2)
    done = confirmed(date(2024, 5, 6), "x", complete=True)
    assert state(Step.CONCLUSION, ACCEPTED, pause, done, today=date(2024, 6, 3)) == (
        State.IN_TIME,
        date(2024, 5, 8),
    )
