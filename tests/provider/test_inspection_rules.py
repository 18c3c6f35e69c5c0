"""The rules of cases: who is heard before what, one test a rule."""

from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

import pytest

from kernel.ids import derive
from kernel.refusal import NotFound, Refused
from kernel.rules.ruling import Ruling
from services.provider.domain import inspection as i
from services.provider.domain import inspection_appeal, inspection_ruling, risk
from services.provider.domain import inspection_decision as d
from services.provider.domain import inspection_events as e
from services.provider.domain import inspection_steps as steps
from tests.provider import care
from tests.provider.cases import (
    APPEAL_BY,
    CASE,
    CLEARED,
    CONFIRMED,
    DECIDED,
    NOTICED,
    ONE,
    OPENED,
    OTHERS,
    RESPOND_BY,
    TWO,
    after,
    answering,
    appealing,
    basis,
    decided,
    deciding,
    flag,
    frozen,
    hearing,
    judging,
    noticing,
    opening,
    question,
)
from tests.support.spec import Decider

UPHELD, DISMISSED = e.InspectionAppealOutcome.UPHELD, e.InspectionAppealOutcome.DISMISSED
INSPECTION = Decider(steps.decide, i.evolve, i.Inspection())
FLAG = Decider(risk.decide, risk.evolve, risk.Flag())


def refusal(work: object) -> str:
    assert callable(work)
    with pytest.raises(Refused) as caught:
        work()
    return caught.value.reason


# A flag, and the latest word on it ----------------------------------------------------------------


def test_a_flag_is_confirmed_by_a_case_and_cleared_by_its_appeal() -> None:
    confirm = risk.ConfirmRisk(flag=ONE.flag, inspection=CASE, decided_date=DECIDED, cause="seen")
    clear = risk.ClearRisk(flag=ONE.flag, inspection=CASE, decided_date=DECIDED, cause="appeal")
    about: dict[str, Any] = {
        "visit": ONE.visit,
        "person": ONE.person,
        "pool": ONE.pool,
        "provider": ONE.provider,
    }
    told = FLAG.given(ONE)

    told.when(confirm).then(risk.RiskConfirmed(**vars(confirm), **about))
    confirmed = told.after(confirm)
    assert confirmed.state.confirmed
    confirmed.when(confirm).then()
    confirmed.when(clear).then(risk.RiskCleared(**vars(clear), **about))
    cleared = confirmed.after(clear)
    assert cleared.state.cleared
    cleared.when(clear).then()
    cleared.when(confirm).then_refused("CLEARED_ALREADY")


def test_what_was_never_flagged_is_neither_cleared_nor_confirmed() -> None:
    clear = risk.ClearRisk(flag=ONE.flag, inspection=None, decided_date=DECIDED, cause="nothing")
    with pytest.raises(NotFound):
        FLAG.when(clear).events()


# Opening ---------------------------------------------------------------------------------------


def test_a_case_freezes_what_it_stands_on() -> None:
    [event] = INSPECTION.when(opening(ONE)).events()

    assert isinstance(event, e.InspectionOpened)
    assert event.frozen == frozen(ONE)
    assert event.frozen_digest == e.frozen_digest(frozen(ONE))
    INSPECTION.after(opening(ONE)).when(opening(ONE)).then()


def test_a_further_flag_joins_and_the_digest_covers_all() -> None:
    both = frozen(ONE, TWO)
    [event] = INSPECTION.after(opening(ONE)).when(opening(ONE, TWO)).events()

    assert isinstance(event, e.InspectionExtended)
    assert (event.flags, event.frozen) == ((TWO.flag,), both[1:])
    assert event.frozen_digest == e.frozen_digest(both)


def test_the_digest_does_not_depend_on_the_order_in_which_events_were_gathered() -> None:
    one, two = frozen(ONE, TWO)
    assert e.frozen_digest([one, two]) == e.frozen_digest([two, one, two])


def test_flags_of_one_body_one_carer_and_one_month_are_one_case() -> None:
    other = derive_other()
    assert i.case_of_flag(ONE, 1) == i.case_of_flag(TWO, 1)
    assert i.case_of_flag(ONE, 1) != i.case_of_flag(ONE, 2)
    for changed in (
        replace(ONE, care_date=date(2024, 4, 1)),
        replace(ONE, caregiver=other),
        replace(ONE, provider=other),
        replace(ONE, caregiver=None),
    ):
        assert i.case_of_flag(changed, 1) != i.case_of_flag(ONE, 1)


def derive_other() -> UUID:
    return derive("test", "somebody else")


def test_what_the_other_side_was_told_of_does_not_grow() -> None:
    case, _ = after(opening(ONE))
    assert case.takes()
    told, _ = after(opening(ONE), noticing())
    assert not told.takes()


# Notice, statement, hearing --------------------------------------------------------------------


def test_the_other_side_is_told_once() -> None:
    opened = INSPECTION.after(opening(ONE))
    opened.when(noticing()).then(
        e.InspectionNoticed(
            inspection=CASE,
            pool=care.POOL,
            officer="inspector-1",
            noticed_date=NOTICED,
            respond_by_date=RESPOND_BY,
        )
    )
    noticed = opened.after(noticing())
    noticed.when(noticing()).then()
    noticed.when(noticing(officer="inspector-2")).then_refused("NOTICED_ALREADY")
    opened.when(noticing(noticed_date=date(2024, 3, 10))).then_refused(
        "BEFORE_OPENING", earliest_date=str(OPENED)
    )
    with pytest.raises(NotFound):
        INSPECTION.when(noticing()).events()


def test_who_was_not_told_cannot_be_heard() -> None:
    opened = INSPECTION.after(opening(ONE))
    opened.when(answering()).then_refused("NOT_NOTICED")
    opened.when(hearing()).then_refused("NOT_NOTICED")
    noticed = opened.after(noticing())
    noticed.when(answering(filed_date=date(2024, 3, 13))).then_refused("BEFORE_NOTICE")
    noticed.when(hearing(held_date=date(2024, 3, 13))).then_refused("BEFORE_NOTICE")


def test_an_answer_after_the_last_day_is_taken_until_the_decision() -> None:
    late = answering(filed_date=date(2024, 3, 30))
    [event] = INSPECTION.after(opening(ONE), noticing()).when(late).events()
    assert isinstance(event, e.StatementFiled)
    INSPECTION.after(opening(ONE), noticing(), late).when(late).then()
    _, events = decided((ONE, CONFIRMED))
    INSPECTION.given(*events).when(late).then_refused("DECIDED_ALREADY")
    INSPECTION.given(*events).when(hearing()).then_refused("DECIDED_ALREADY")
    INSPECTION.given(*events).when(noticing(officer="x")).then_refused("DECIDED_ALREADY")


# Decision ----------------------------------------------------------------------------------------


def test_nothing_is_confirmed_without_a_notice() -> None:
    before = opening(ONE)
    case, events = after(before)
    command = deciding(question((ONE, CONFIRMED)), events, ONE)
    assert refusal(lambda: d.decide(command, case)) == "NOT_NOTICED"


def test_nothing_is_confirmed_while_the_time_to_answer_runs() -> None:
    case, events = after(opening(ONE), noticing())
    soon = question((ONE, CONFIRMED), decided_date=RESPOND_BY)
    command = deciding(soon, events, ONE)
    with pytest.raises(Refused) as caught:
        d.decide(command, case)
    assert caught.value.reason == "RESPOND_PERIOD_OPEN"
    assert caught.value.facts["respond_by_date"] == str(RESPOND_BY)

    over = deciding(question((ONE, CONFIRMED)), events, ONE)  # the day after
    assert d.decide(over, case)


def test_nothing_is_confirmed_while_a_hearing_is_due() -> None:
    wanted = answering(hearing_wanted=True)
    case, events = after(opening(ONE), noticing(), wanted)
    command = deciding(question((ONE, CONFIRMED)), events, ONE)
    assert refusal(lambda: d.decide(command, case)) == "HEARING_DUE"

    # Who was asked to come and did not was heard, too.
    case, events = after(opening(ONE), noticing(), wanted, hearing(attended=False, statement=""))
    assert d.decide(deciding(question((ONE, CONFIRMED)), events, ONE), case)


@pytest.mark.parametrize("one", ["detectors", "inspector-1"])
def test_who_raised_the_case_does_not_decide_it(one: str) -> None:
    case, events = after(opening(ONE), noticing(), answering())
    command = deciding(question((ONE, CONFIRMED), decided_by=("chief-1", one)), events, ONE)
    assert refusal(lambda: d.decide(command, case)) == "SAME_OFFICER"


def test_nobody_decides_alone() -> None:
    case, events = after(opening(ONE))
    command = deciding(question((ONE, CLEARED), decided_by=("chief-1",)), events, ONE)
    assert refusal(lambda: d.decide(command, case)) == "TOO_FEW_OFFICERS"


def test_evidence_that_is_not_what_it_was_decides_nothing() -> None:
    case, events = after(opening(ONE), noticing(), answering())
    altered = replace(ONE, care_date=date(2024, 3, 7))
    command = deciding(question((ONE, CONFIRMED)), events, altered)
    assert refusal(lambda: d.decide(command, case)) == "EVIDENCE_CHANGED"


def test_what_is_cleared_needs_no_notice_and_closes_the_case() -> None:
    case, events = decided((ONE, CLEARED), steps=(opening(ONE),))

    assert [type(event) for event in events[-2:]] == [e.InspectionDecided, e.InspectionClosed]
    assert case.state is e.InspectionState.CLOSED
    assert case.decided is not None
    assert (case.decided.outcome, case.decided.appeal_by_date) == (CLEARED, None)
    assert i.end_of(case) is CLEARED


def test_a_case_is_confirmed_where_any_flag_of_it_is() -> None:
    case, _ = decided((ONE, CLEARED), (TWO, CONFIRMED))

    assert case.state is e.InspectionState.DECIDED
    assert case.confirmed_flags == (TWO.flag,)
    assert i.verdicts(case) == {ONE.flag: CLEARED, TWO.flag: CONFIRMED}
    assert case.decided is not None
    assert case.decided.appeal_by_date == APPEAL_BY


def test_a_decision_told_again_is_the_same_and_another_is_refused() -> None:
    case, events = decided((ONE, CONFIRMED))
    before = events[:3]
    again = deciding(question((ONE, CONFIRMED)), before, ONE)
    assert d.decide(again, case) == []
    other = deciding(question((ONE, CLEARED)), before, ONE)
    assert refusal(lambda: d.decide(other, case)) == "DECIDED_ALREADY"


def test_every_flag_gets_its_finding() -> None:
    case, _ = after(opening(ONE, TWO))
    one = e.FlagFinding(flag=ONE.flag, verdict=CONFIRMED, cause="seen")
    strange = e.FlagFinding(flag=flag(9).flag, verdict=CONFIRMED, cause="seen")

    found, outcome = i.findings([one], CLEARED, "harmless", case)
    assert [(f.flag, f.verdict) for f in found] == [(ONE.flag, CONFIRMED), (TWO.flag, CLEARED)]
    assert outcome is CONFIRMED
    for told in ([one], [one, one], [one, strange]):
        rest = None if told == [one] else CLEARED
        assert refusal(lambda: i.findings(told, rest, "x", case)) == "FINDINGS_INCOMPLETE"  # noqa: B023


def test_a_case_without_flags_is_decided_on_its_matter() -> None:
    source = flag(9).flag
    without = opening(cause=e.InspectionCause.COMPLAINT, source=source)
    case, events = after(without, noticing(), answering())
    found, outcome = i.findings([], CONFIRMED, "seen", case)
    assert (found, outcome) == ((), CONFIRMED)
    assert refusal(lambda: i.findings([], None, "", case)) == "FINDINGS_INCOMPLETE"
    asked = question(outcome=CONFIRMED)
    case, _ = after(without, noticing(), answering(), deciding(asked, events))
    assert i.end_of(case) is CONFIRMED


# Appeal and end ----------------------------------------------------------------------------------


def test_an_appeal_that_is_upheld_clears_and_closes() -> None:
    _, events = decided((ONE, CONFIRMED), (TWO, CONFIRMED))
    case = Decider(d.decide, i.evolve, i.Inspection()).given(*events).after(appealing()).state
    told = [*events, e.InspectionAppealed(**vars(appealing()), pool=care.POOL)]

    flags = d.upheld_flags(UPHELD, (TWO.flag,), case)
    command = judging(UPHELD, told, ONE, TWO, cleared=(TWO,))
    assert flags == (TWO.flag,)
    decision, closed = d.decide(command, case)
    assert isinstance(decision, e.InspectionAppealDecided)
    assert isinstance(closed, e.InspectionClosed)
    assert closed.outcome is CONFIRMED  # the other flag stays

    assert d.upheld_flags(UPHELD, (), case) == (ONE.flag, TWO.flag)
    whole = d.decide(judging(UPHELD, told, ONE, TWO, cleared=(ONE, TWO)), case)
    assert isinstance(whole[1], e.InspectionClosed)
    assert whole[1].outcome is CLEARED
    assert refusal(lambda: d.upheld_flags(UPHELD, (flag(9).flag,), case)) == "NOT_CONFIRMED"


def test_an_appeal_that_is_dismissed_changes_nothing() -> None:
    _, events = decided((ONE, CONFIRMED))
    case = Decider(d.decide, i.evolve, i.Inspection()).given(*events).after(appealing()).state
    told = [*events, e.InspectionAppealed(**vars(appealing()), pool=care.POOL)]
    assert d.upheld_flags(DISMISSED, (ONE.flag,), case) == ()
    decision, closed = d.decide(judging(DISMISSED, told, ONE), case)
    assert isinstance(decision, e.InspectionAppealDecided)
    assert Ruling.parse(decision.ruling).reasons == ("APPEAL_UNFOUNDED",)
    assert isinstance(closed, e.InspectionClosed)
    assert closed.outcome is CONFIRMED


@pytest.mark.parametrize("one", ["chief-2", "inspector-1"])
def test_who_had_a_part_does_not_decide_the_appeal(one: str) -> None:
    _, events = decided((ONE, CONFIRMED))
    case = Decider(d.decide, i.evolve, i.Inspection()).given(*events).after(appealing()).state
    told = [*events, e.InspectionAppealed(**vars(appealing()), pool=care.POOL)]
    command = judging(UPHELD, told, ONE, cleared=(ONE,), decided_by=(OTHERS[0], one))
    assert refusal(lambda: d.decide(command, case)) == "SAME_OFFICER"


def test_an_appeal_has_its_time_and_something_to_be_against() -> None:
    case, _ = after(opening(ONE))
    assert refusal(lambda: d.decide(appealing(), case)) == "NOT_DECIDED"
    cleared, _ = decided((ONE, CLEARED))
    assert refusal(lambda: d.decide(appealing(), cleared)) == "NOTHING_TO_APPEAL"
    confirmed, events = decided((ONE, CONFIRMED))
    late = appealing(filed_date=date(2024, 4, 24))
    assert refusal(lambda: d.decide(late, confirmed)) == "APPEAL_TOO_LATE"
    early = appealing(filed_date=date(2024, 3, 31))
    assert refusal(lambda: d.decide(early, confirmed)) == "BEFORE_DECISION"
    appealed = Decider(d.decide, i.evolve, i.Inspection()).given(*events).after(appealing())
    appealed.when(appealing()).then()
    appealed.when(appealing(statement="once more")).then_refused("APPEALED_ALREADY")


def test_a_case_is_closed_once_the_time_to_appeal_is_over() -> None:
    _, events = decided((ONE, CONFIRMED))
    told = INSPECTION.given(*events)
    told.when(steps.CloseInspection(inspection=CASE, today=APPEAL_BY)).then_refused(
        "APPEAL_PERIOD_OPEN", appeal_by_date=str(APPEAL_BY)
    )
    day = date(2024, 4, 24)
    told.when(steps.CloseInspection(inspection=CASE, today=day)).then(
        e.InspectionClosed(inspection=CASE, pool=care.POOL, outcome=CONFIRMED, closed_date=day)
    )
    told.after(steps.CloseInspection(inspection=CASE, today=day)).when(
        steps.CloseInspection(inspection=CASE, today=day)
    ).then()
    INSPECTION.after(opening(ONE)).when(
        steps.CloseInspection(inspection=CASE, today=day)
    ).then_refused("NOT_DECIDED")


def test_an_appeal_that_was_on_its_way_opens_a_closed_case_again() -> None:
    _, events = decided((ONE, CONFIRMED))
    close = steps.CloseInspection(inspection=CASE, today=date(2024, 4, 24))
    case = INSPECTION.given(*events).after(close).state
    [appealed] = d.decide(appealing(), case)
    case = i.evolve(case, appealed)
    assert case.state is e.InspectionState.APPEALED
    assert refusal(lambda: steps.decide(close, case)) == "APPEAL_OPEN"


# Last days ----------------------------------------------------------------------------------------


def test_a_last_day_is_noted_once_and_missed_only_when_it_is_over() -> None:
    opened, due = INSPECTION.after(opening(ONE)), date(2024, 3, 18)
    step = e.InspectionStep.NOTICE
    missed = steps.NoteClock(inspection=CASE, step=step, note=e.InspectionNote.MISSED, today=due)
    opened.when(missed).then_refused("NOT_OVERDUE", due_date=str(due))
    late = replace(missed, today=date(2024, 3, 19))
    opened.when(late).then(
        e.InspectionClockNoted(
            inspection=CASE,
            pool=care.POOL,
            step=step,
            note=e.InspectionNote.MISSED,
            due_date=due,
            noted_date=date(2024, 3, 19),
        )
    )
    opened.after(late).when(late).then()
    opened.after(noticing()).when(late).then_refused("NOT_RUNNING")


def test_the_office_owes_notice_then_decision_then_the_decision_of_an_appeal() -> None:
    steps = e.InspectionStep
    assert after(opening(ONE))[0].running == (steps.NOTICE, date(2024, 3, 18))
    assert after(opening(ONE), noticing())[0].running == (steps.DECISION, date(2024, 4, 24))
    case, _ = decided((ONE, CONFIRMED))
    assert case.running is None
    [appealed] = d.decide(appealing(), case)
    assert i.evolve(case, appealed).running == (steps.APPEAL_DECISION, date(2024, 5, 29))


# Rulings -----------------------------------------------------------------------------------------


def test_a_ruling_is_made_again_to_the_same_bytes() -> None:
    flags = (ONE, TWO)
    _, events = after(opening(*flags), noticing(), answering(hearing_wanted=True), hearing())
    asked = question((ONE, CONFIRMED), (TWO, CLEARED))
    told = inspection_ruling.rule_inspection(asked, basis(events, *flags))
    read = Ruling.parse(told.to_bytes())

    assert inspection_ruling.question_of(read) == asked
    again = inspection_ruling.rule_inspection(
        inspection_ruling.question_of(read), basis(events, *flags)
    )
    assert again.to_bytes() == told.to_bytes()
    assert told.reasons == ()
    assert told.outcome == "confirmed"


def test_the_ruling_of_an_appeal_is_made_again_to_the_same_bytes() -> None:
    _, events = decided((ONE, CONFIRMED))
    told = [*events, e.InspectionAppealed(**vars(appealing()), pool=care.POOL)]
    ruling = judging(UPHELD, told, ONE, cleared=(ONE,)).ruling
    question_again = inspection_appeal.question_of(Ruling.parse(ruling.to_bytes()))
    assert inspection_appeal.rule_appeal(question_again, basis(told, ONE)) == ruling
    assert question_again.flags == (ONE.flag,)
    assert question_again.decided_by == OTHERS
