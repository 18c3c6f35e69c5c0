"""What legal clocks ask of the process that waits, one test a rule."""

from datetime import date

from workflows.activities.assessment import Deadline
from workflows.legal_clocks import LegalClocks

ON_SITE = Deadline("ON_SITE", "2024-03-14", "2024-03-12")
CONCLUSION = Deadline("CONCLUSION", "2024-04-16", "2024-04-01")
PUBLICITY = Deadline("PUBLICITY", "2024-03-31", period=True)
STANDS = Deadline("ON_SITE", "2024-03-14", "2024-03-12", pause_reason="IN_HOSPITAL")


def day(number: int, month: int = 3) -> date:
    return date(2024, month, number)


def test_the_next_last_day_is_the_nearest_of_those_that_run() -> None:
    assert LegalClocks([CONCLUSION, ON_SITE]).next_due() == day(14)
    assert LegalClocks([CONCLUSION, STANDS]).next_due() == day(16, 4)
    assert LegalClocks([STANDS]).next_due() is None
    missed = Deadline("ON_SITE", "2024-03-14", missed=True)
    assert LegalClocks([missed, CONCLUSION]).next_due() == day(16, 4)


def test_a_process_wakes_for_reminders_and_for_the_day_after_the_last() -> None:
    both = LegalClocks([ON_SITE, CONCLUSION])
    assert both.wake_day(day(4)) == day(12)
    assert both.wake_day(day(12)) == day(15)
    assert both.wake_day(day(15)) == day(1, 4)
    assert LegalClocks([PUBLICITY]).wake_day(day(26)) == day(1, 4)
    assert LegalClocks([STANDS]).wake_day(day(4)) is None


def test_a_reminder_is_due_from_its_day_to_the_last() -> None:
    clocks = LegalClocks([ON_SITE])
    assert clocks.to_note(day(11)) is None
    assert clocks.to_note(day(12)) == (ON_SITE, "REMINDED")
    assert clocks.to_note(day(14)) == (ON_SITE, "REMINDED")
    assert clocks.to_note(day(15)) == (ON_SITE, "MISSED")


def test_what_is_recorded_is_not_recorded_again() -> None:
    done = Deadline("ON_SITE", "2024-03-14", "2024-03-12", reminded=True, missed=True)
    assert LegalClocks([done]).to_note(day(13)) is None
    assert LegalClocks([done]).to_note(day(15)) is None


def test_a_period_and_a_clock_that_stands_are_never_missed() -> None:
    clocks = LegalClocks([PUBLICITY, STANDS])
    assert clocks.to_note(day(1, 6)) is None
    assert not clocks.is_missed(day(1, 6))
    assert LegalClocks([ON_SITE]).is_missed(day(15))


def test_a_case_stands_when_no_deadline_of_it_runs() -> None:
    assert LegalClocks([STANDS, PUBLICITY]).standing() == "IN_HOSPITAL"
    assert LegalClocks([STANDS, CONCLUSION]).standing() == ""
    assert LegalClocks([]).standing() == ""


def test_operators_read_each_clock_in_a_line() -> None:
    assert LegalClocks([STANDS, CONCLUSION]).lines() == [
        "ON_SITE: 2024-03-14 stands: IN_HOSPITAL",
        "CONCLUSION: 2024-04-16",
    ]
