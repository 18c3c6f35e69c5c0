"""Stopping, starting and noting clocks, one test a rule. Changzhou's pack, the year 2024."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.calendar import working_days_before
from kernel.refusal import Invalid, NotFound, Refused
from services.assessment.domain import clocks as c
from services.assessment.domain import events as e
from services.assessment.domain import timekeeping as t
from services.assessment.domain.applicant import Application
from services.assessment.domain.events import ClockStep as Step
from services.assessment.domain.submission import WithdrawApplication
from tests.assessment.test_decider import FIRST, PACK, PERSON, applicant, confirm, form, submit
from workflows.legal_clock import REMIND_BEFORE

NAMED: dict[str, Any] = {"application": FIRST, "person": PERSON}
DUE = date(2024, 4, 16)  # 30 working days after 4 March
accepted = applicant.after(submit())


def pause(day: date = date(2024, 3, 11), **changed: Any) -> t.PauseClock:
    told: dict[str, Any] = {
        "application": FIRST,
        "step": Step.CONCLUSION,
        "reason": "IN_HOSPITAL",
        "from_date": day,
        "today": date(2024, 3, 20),
    }
    return t.PauseClock(**(told | changed))


def resume(day: date = date(2024, 3, 18), step: Step | None = Step.CONCLUSION) -> t.ResumeClock:
    return t.ResumeClock(application=FIRST, step=step, resumed_date=day, today=day)


def note(notice: t.ClockNotice, today: date, step: Step = Step.CONCLUSION) -> t.NoteClock:
    return t.NoteClock(application=FIRST, step=step, notice=notice, today=today)


def paused(step: Step = Step.CONCLUSION, day: date = date(2024, 3, 11)) -> e.ClockPaused:
    return e.ClockPaused(**NAMED, step=step, reason="IN_HOSPITAL", from_date=day)


def resumed(day: date = date(2024, 3, 18)) -> e.ClockResumed:
    return e.ClockResumed(**NAMED, step=Step.CONCLUSION, resumed_date=day)


def test_a_clock_is_paused_for_a_lawful_reason() -> None:
    accepted.when(pause()).then(paused())


def test_without_a_step_every_clock_that_may_be_stopped_is_paused() -> None:
    accepted.when(pause(step=None)).then(paused(Step.CONCLUSION))
    asked = applicant.after(submit(missing_papers=("x",)))
    told = pause(date(2024, 3, 5), step=None, today=date(2024, 3, 5))
    asked.when(told).then(paused(Step.SUPPLEMENT, date(2024, 3, 5)))


def test_pausing_again_alike_changes_nothing() -> None:
    accepted.after(pause()).when(pause()).then()


def test_another_pause_of_a_clock_that_stands_is_refused() -> None:
    standing = accepted.after(pause())
    standing.when(pause(date(2024, 3, 12))).then_refused("ALREADY_PAUSED", from_date="2024-03-11")


def test_a_reason_that_the_pool_does_not_name_is_refused() -> None:
    accepted.when(pause(reason="TOO_MUCH_WORK")).then_refused(
        "REASON_NOT_LAWFUL", lawful="IN_HOSPITAL,PAPERS_FROM_ELSEWHERE,EXPERT_OPINION"
    )


@pytest.mark.parametrize(
    "told",
    [
        pause(step=Step.SUPPLEMENT),  # never began
        pause(step=Step.COMPLETENESS_CHECK),  # ended
        pause(date(2024, 4, 17), today=date(2024, 4, 20)),  # its last day was over
    ],
)
def test_a_clock_that_does_not_run_is_not_paused(told: t.PauseClock) -> None:
    accepted.when(told).then_refused("NOT_RUNNING", step=told.step)


def test_a_pause_does_not_begin_before_its_clock() -> None:
    with pytest.raises(Invalid):
        accepted.when(pause(date(2024, 3, 1))).events()


def test_a_pause_that_is_told_late_still_moves_a_last_day_that_seemed_over() -> None:
    late = pause(date(2024, 4, 15), today=date(2024, 5, 6))
    accepted.when(late).then(paused(day=date(2024, 4, 15)))


def test_a_clock_runs_again_from_the_day_told() -> None:
    accepted.after(pause()).when(resume()).then(resumed())
    accepted.after(pause()).when(resume(step=None)).then(resumed())


def test_resuming_again_alike_changes_nothing() -> None:
    accepted.after(pause(), resume()).when(resume()).then()


def test_a_clock_that_runs_is_not_resumed() -> None:
    accepted.when(resume()).then_refused("NOT_PAUSED", step="conclusion")
    again = accepted.after(pause(), resume())
    again.when(resume(date(2024, 3, 19))).then_refused("NOT_PAUSED")


def test_a_clock_does_not_run_again_before_it_stood() -> None:
    with pytest.raises(Invalid):
        accepted.after(pause()).when(resume(date(2024, 3, 10))).events()


def test_a_reminder_is_noted_once_for_a_last_day() -> None:
    on = date(2024, 4, 1)  # 20 working days after 4 March
    told = e.ClockReminded(**NAMED, step=Step.CONCLUSION, due_date=DUE, reminded_date=on)
    accepted.when(note(t.ClockNotice.REMINDED, on)).then(told)
    accepted.given(told).when(note(t.ClockNotice.REMINDED, date(2024, 4, 2))).then()


def test_a_reminder_before_its_day_is_refused() -> None:
    early = note(t.ClockNotice.REMINDED, date(2024, 3, 31))
    accepted.when(early).then_refused("TOO_SOON_TO_REMIND", reminder_date="2024-04-01")


def test_a_missed_last_day_is_noted_once() -> None:
    on = date(2024, 4, 17)
    told = e.ClockMissed(**NAMED, step=Step.CONCLUSION, due_date=DUE, missed_date=on)
    accepted.when(note(t.ClockNotice.MISSED, on)).then(told)
    accepted.given(told).when(note(t.ClockNotice.MISSED, date(2024, 4, 20))).then()


def test_a_last_day_that_moved_is_missed_once_more() -> None:
    missed = e.ClockMissed(**NAMED, step=Step.CONCLUSION, due_date=DUE, missed_date=DUE)
    moved = accepted.given(missed, paused(), resumed())
    on = date(2024, 4, 24)
    moved.when(note(t.ClockNotice.MISSED, on)).then(
        e.ClockMissed(**NAMED, step=Step.CONCLUSION, due_date=date(2024, 4, 23), missed_date=on)
    )


def test_the_last_day_itself_is_not_missed_and_a_clock_that_stands_never_is() -> None:
    accepted.when(note(t.ClockNotice.MISSED, DUE)).then_refused("NOT_OVERDUE", state="running")
    standing = accepted.after(pause())
    standing.when(note(t.ClockNotice.MISSED, date(2024, 6, 3))).then_refused(
        "NOT_OVERDUE", state="paused"
    )


def test_a_period_and_a_step_that_is_done_are_not_noted() -> None:
    done = accepted.after(form("a"), form("b"), confirm("x"), confirm("y"))
    done.when(note(t.ClockNotice.MISSED, date(2024, 6, 3))).then_refused("NOT_RUNNING")
    publicity = note(t.ClockNotice.MISSED, date(2024, 6, 3), Step.PUBLICITY)
    accepted.when(publicity).then_refused("NOT_RUNNING", step="publicity")


def test_an_application_that_is_not_there_has_no_clocks() -> None:
    with pytest.raises(NotFound):
        applicant.when(pause()).events()


def test_papers_are_not_overdue_while_their_time_stands() -> None:
    asked = applicant.after(submit(missing_papers=("x",)))  # due 11 March
    gone = WithdrawApplication(
        application=FIRST,
        withdrawn_date=date(2024, 3, 15),
        deemed=True,
        today=date(2024, 3, 15),
    )
    stop = pause(date(2024, 3, 8), step=Step.SUPPLEMENT, today=date(2024, 3, 8))
    asked.after(stop).when(gone).then_refused("NOT_OVERDUE", due_date="2024-03-19")
    assert asked.when(gone).events()


def test_an_application_shows_its_last_days_as_pauses_moved_them() -> None:
    state = accepted.after(pause(), resume()).state
    one: Application = state.as_on(state.applications[FIRST], PACK, date(2024, 3, 20))
    assert one.conclusion_due == date(2024, 4, 23)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 60)), max_size=12))
def test_whatever_is_stopped_and_resumed_no_last_day_comes_nearer(
    told: list[tuple[bool, int]],
) -> None:
    story, today = accepted, date(2024, 5, 31)
    for stop, days in told:
        day = date(2024, 3, 4) + timedelta(days=days)
        command: t.Timekeeping = pause(day, today=today) if stop else resume(day)
        before = c.due_on(story.state.clocks, FIRST, Step.CONCLUSION, PACK, today)
        try:
            story = story.after(command)
        except (Refused, Invalid):
            continue
        story.when(command).then()  # deciding twice changes nothing
        run = story.state.clocks.current(FIRST, Step.CONCLUSION)
        assert run is not None
        assert sum(one.resumed is None for one in run.pauses) == int(stop)
        after = c.due_on(story.state.clocks, FIRST, Step.CONCLUSION, PACK, today)
        assert before is not None
        assert after is not None
        assert after >= (before if stop else DUE)


@given(due=st.dates(date(2024, 1, 10), date(2026, 12, 20)))
@pytest.mark.parametrize("step", [Step.OBJECTION, Step.REVIEW, Step.APPEAL])
def test_the_reminder_of_a_dispute_is_never_too_soon_to_be_recorded(step: Step, due: date) -> None:
    """The processes remind `REMIND_BEFORE` the last day: the pack must allow it by then."""
    before = PACK.figure(c.REMIND_BEFORE, due).numbers()[step]
    assert working_days_before(due, before) <= due - REMIND_BEFORE
