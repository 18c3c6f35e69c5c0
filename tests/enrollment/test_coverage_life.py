"""Changes of group, suspensions and resumptions, and what eligibility makes of them."""

from collections.abc import Sequence
from datetime import date
from functools import reduce
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from kernel.ids import derive
from kernel.money import ZERO, Money, yuan
from kernel.refusal import Refused
from kernel.rules.pack import Pack
from kernel.rules.ruling import Ruling
from services.enrollment.domain import coverage as c
from services.enrollment.domain.eligibility import Question, rule_eligibility
from tests.enrollment.test_dues import back, changed_pack, due, insured, paid, with_payers
from tests.enrollment.test_eligibility import facts, ruled
from tests.support.packs import CHANGZHOU, pack
from tests.support.spec import Decider

PERSON = derive("test", "somebody")
EMPLOYEE, RESIDENT, MINOR = c.InsuredGroup.EMPLOYEE, c.InsuredGroup.RESIDENT, c.InsuredGroup.MINOR
ARREARS, GAP = c.SuspensionCause.ARREARS, c.SuspensionCause.MEDICAL_GAP

coverage = Decider(c.decide, c.evolve, c.Coverage())
COVERED = insured("employee")


def day(told: str) -> date:
    return date.fromisoformat(told)


def change(on: str, group: str = "resident", **more: Any) -> c.ChangeCoverage:
    return c.ChangeCoverage(
        person=PERSON,
        pool=CHANGZHOU,
        group=c.InsuredGroup(group),
        change_date=day(on),
        **more,
    )


def changed(on: str, group: str = "resident", **more: Any) -> c.CoverageChanged:
    return c.CoverageChanged(
        person=PERSON,
        pool=CHANGZHOU,
        group=c.InsuredGroup(group),
        change_date=day(on),
        **more,
    )


def suspend(
    since: str, cause: c.SuspensionCause = GAP, *, provided: bool = True, owed: Money | None = None
) -> c.SuspendCoverage:
    return c.SuspendCoverage(
        suspension=derive("test", since, cause),
        person=PERSON,
        pool=CHANGZHOU,
        from_date=day(since),
        cause=cause,
        year=2024 if cause is ARREARS else 0,
        provided=provided,
        owed=owed,
    )


def suspended(since: str, cause: c.SuspensionCause = GAP) -> c.CoverageSuspended:
    return c.CoverageSuspended(
        suspension=derive("test", since, cause),
        person=PERSON,
        pool=CHANGZHOU,
        from_date=day(since),
        cause=cause,
        year=2024 if cause is ARREARS else 0,
    )


def resume(on: str, cause: c.SuspensionCause = GAP) -> c.ResumeCoverage:
    return c.ResumeCoverage(
        person=PERSON,
        pool=CHANGZHOU,
        cause=cause,
        resume_date=day(on),
        year=2024 if cause is ARREARS else 0,
    )


def resumed(since: str, on: str, cause: c.SuspensionCause = GAP) -> c.CoverageResumed:
    return c.CoverageResumed(
        suspension=derive("test", since, cause), person=PERSON, pool=CHANGZHOU, resume_date=day(on)
    )


def ended(on: str) -> c.CoverageEnded:
    return c.CoverageEnded(person=PERSON, pool=CHANGZHOU, end_date=day(on), cause="")


def on(told: str, *events: object, by: Pack | None = None) -> Ruling:
    question = Question(person=PERSON, pool=CHANGZHOU, on_date=day(told))
    return rule_eligibility(question, facts(*events), by or pack(CHANGZHOU), "test")


# -- changes ------------------------------------------------------------------------------------


def test_a_change_is_recorded_once_and_contradicted_never() -> None:
    known = coverage.given(COVERED)

    known.when(change("2024-03-01")).then(changed("2024-03-01"))
    known.given(changed("2024-03-01")).when(change("2024-03-01")).then()
    known.given(changed("2024-03-01")).when(change("2024-03-01", "minor")).then_refused(
        "CHANGED_ALREADY", group=RESIDENT
    )
    known.when(change("2022-01-01")).then_refused("CHANGED_ALREADY", group=EMPLOYEE)


def test_only_who_is_insured_changes() -> None:
    coverage.when(change("2024-03-01")).then_refused("NOT_COVERED", pool=CHANGZHOU)
    coverage.given(COVERED, ended("2024-02-29")).when(change("2024-03-01")).then_refused(
        "NOT_COVERED"
    )


def test_changes_count_from_their_days_in_whatever_order_they_come() -> None:
    changes = (
        changed("2024-03-01"),
        changed("2024-06-01", "minor"),
        changed("2024-09-01", "employee"),
    )
    for order in permutations(changes):
        state = coverage.given(COVERED, *order).state
        groups = [
            state.spells[0].standing(day(on)).group
            for on in ("2024-02-29", "2024-03-01", "2024-06-01", "2024-12-31")
        ]
        assert groups == [EMPLOYEE, RESIDENT, MINOR, EMPLOYEE]


def test_a_change_of_another_spell_does_not_reach_into_this_one() -> None:
    again = insured("employee", "2024-05-01")
    known = coverage.given(COVERED, changed("2024-06-01"), ended("2024-04-01"), again)

    assert known.state.spells[1].standing(day("2024-07-01")).group is EMPLOYEE


# -- suspensions --------------------------------------------------------------------------------


def test_a_coverage_rests_once_for_a_cause() -> None:
    known = coverage.given(COVERED)

    known.when(suspend("2024-03-01")).then(suspended("2024-03-01"))
    resting = known.given(suspended("2024-03-01"))
    resting.when(suspend("2024-03-01")).then()
    resting.when(suspend("2024-04-01")).then_refused("SUSPENDED_ALREADY", since="2024-03-01")
    resting.when(suspend("2024-04-01", ARREARS)).then(suspended("2024-04-01", ARREARS))
    over = resting.given(resumed("2024-03-01", "2024-05-01"))
    over.when(suspend("2024-06-01")).then(suspended("2024-06-01"))


def test_a_coverage_rests_only_where_the_rules_and_the_account_say_so() -> None:
    coverage.when(suspend("2024-03-01")).then_refused("NOT_COVERED")
    known = coverage.given(COVERED)
    known.when(suspend("2024-03-01", provided=False)).then_refused("SUSPENSION_NOT_PROVIDED")
    known.when(suspend("2024-03-01", ARREARS, owed=ZERO)).then_refused(
        "NOT_IN_ARREARS", year="2024"
    )
    known.when(suspend("2024-03-01", ARREARS, owed=yuan("1"))).then(
        suspended("2024-03-01", ARREARS)
    )


def test_what_rests_counts_again_once() -> None:
    resting = coverage.given(COVERED, suspended("2024-03-01"))

    resting.when(resume("2024-05-01")).then(resumed("2024-03-01", "2024-05-01"))
    resting.when(resume("2024-02-01")).then_refused("RESUMES_BEFORE_SUSPENSION")
    over = resting.given(resumed("2024-03-01", "2024-05-01"))
    over.when(resume("2024-05-01")).then()
    over.when(resume("2024-06-01")).then_refused("NOT_SUSPENDED")
    coverage.given(COVERED).when(resume("2024-05-01")).then_refused("NOT_SUSPENDED")


# -- eligibility --------------------------------------------------------------------------------

PAID = paid(on="2024-01-05")


def test_nobody_is_eligible_while_the_coverage_rests() -> None:
    facts_of_it = COVERED, PAID, suspended("2024-03-01"), resumed("2024-03-01", "2024-05-01")

    assert on("2024-02-29", *facts_of_it).reasons == ()
    assert on("2024-03-01", *facts_of_it).reasons == ("SUSPENDED",)
    assert on("2024-04-30", *facts_of_it).reasons == ("SUSPENDED",)
    assert on("2024-05-01", *facts_of_it).reasons == ()


def test_a_suspension_that_should_never_have_been_never_was() -> None:
    never = COVERED, PAID, suspended("2024-03-01"), resumed("2024-03-01", "2024-03-01")

    assert on("2024-03-01", *never).reasons == ()


def test_without_news_of_these_kinds_the_steps_are_those_of_before() -> None:
    clauses = [step.clause for step in on("2024-03-01", COVERED, PAID).steps]

    assert "enrollment.not_suspended" not in clauses
    assert "enrollment.transition_months" not in clauses
    assert on("2024-03-01", COVERED, PAID).to_bytes() == ruled(COVERED, PAID).to_bytes()


def test_after_a_change_the_old_group_counts_while_the_transition_lasts() -> None:
    by = changed_pack("transition_months", {"employee_to_minor": 6})
    known = COVERED, PAID, changed("2024-03-01", "minor")

    assert on("2024-08-31", *known, by=by).reasons == ()  # still an employee
    assert on("2024-09-01", *known, by=by).reasons == ("GROUP_NOT_INSURED",)
    assert on("2024-03-01", *known).reasons == ("GROUP_NOT_INSURED",)  # no transition there
    [step] = [s for s in on("2024-08-31", *known, by=by).steps if "transition" in s.clause]
    assert (step.output, step.inputs["transition_ends"]) == ("employee", "2024-09-01")


def test_zibo_lets_the_residents_benefit_go_on_for_six_months() -> None:
    figure = pack("370300").figure("enrollment.transition_months", day("2025-03-01"))

    assert figure.table() == {"employee_to_resident": 0, "resident_to_employee": 6, "any": 0}


def test_whose_share_somebody_else_pays_need_not_have_paid() -> None:
    by = with_payers({"severely_disabled": "state", "exempt": "nobody"})
    supported = insured("resident", "2022-01-01", CHANGZHOU, "severely_disabled")

    assert on("2024-03-01", supported, by=by).reasons == ()
    assert on("2024-03-01", insured("resident"), by=by).reasons == ("NOT_PAID_UP",)
    assert on("2024-03-01", supported).reasons == ("NOT_PAID_UP",)  # the pool has no such rule
    gone = changed("2024-02-01", "resident")  # the status is lost
    assert on("2024-03-01", supported, gone, by=by).reasons == ("NOT_PAID_UP",)


def test_what_was_determined_is_to_be_paid_by_its_last_day_and_in_full() -> None:
    owing = due("30", until="2024-02-28")

    assert on("2024-02-28", COVERED, owing).reasons == ()  # it may still come
    assert on("2024-02-29", COVERED, owing).reasons == ("NOT_PAID_UP",)
    assert on("2024-02-29", COVERED, owing, paid("10")).reasons == ("NOT_PAID_UP",)
    assert on("2024-02-29", COVERED, owing, paid("10"), paid("20", name="rest")).reasons == ()
    assert on("2024-01-01", COVERED, due("30", until=""), paid("10")).reasons == ("NOT_PAID_UP",)


def test_what_was_given_back_counts_as_never_paid() -> None:
    assert on("2024-07-01", COVERED, paid("30"), back("30")).reasons == ("NOT_PAID_UP",)
    assert on("2024-07-01", COVERED, paid("30"), back("10")).reasons == ()


COMMANDS: Sequence[c.Command] = (
    change("2024-03-01", "resident"),
    change("2024-06-01", "minor"),
    change("2024-10-01", "employee"),
    suspend("2024-04-01"),
    suspend("2024-05-01", ARREARS, owed=yuan("1")),
    resume("2024-07-01"),
    resume("2024-08-01", ARREARS),
)


@for_all(order=st.permutations(range(len(COMMANDS))), month=st.integers(1, 12))
def test_the_order_in_which_news_arrive_does_not_change_the_ruling(
    order: list[int], month: int
) -> None:
    """Whatever is refused for coming too early is told again, as an office would."""
    asked, by = f"2024-{month:02d}-15", changed_pack("transition_months", {"any": 2})

    def lived(commands: Sequence[c.Command]) -> list[Any]:
        events: list[Any] = [COVERED, PAID]
        waiting = list(commands)
        while waiting:
            for command in list(waiting):
                state = reduce(c.evolve, events[:1] + events[2:], c.Coverage())
                try:
                    events += c.decide(command, state)
                except Refused:
                    continue
                waiting.remove(command)
        return events

    in_order = on(asked, *lived(COMMANDS), by=by)
    shuffled = on(asked, *lived([COMMANDS[place] for place in order]), by=by)
    assert (shuffled.reasons, shuffled.steps) == (in_order.reasons, in_order.steps)


@for_all(data=st.data(), month=st.integers(1, 12))
def test_the_order_in_which_money_comes_does_not_change_the_ruling(
    data: st.DataObject, month: int
) -> None:
    money: list[Any] = [
        due("30", until="2024-02-28"),
        paid("10", on="2024-02-20"),
        paid("20", on="2024-05-10", name="late"),
        paid("20", on="2024-06-01", name="twice"),
        back("20", "paid_twice"),
        suspended("2024-02-29", ARREARS),
    ]
    over = resumed("2024-02-29", "2024-06-01", ARREARS)
    kept = [one for one in money[:5] if data.draw(st.booleans())] + money[5:]
    shuffled = [*data.draw(st.permutations(kept)), over]
    asked = f"2024-{month:02d}-15"

    one, other = on(asked, COVERED, *kept, over), on(asked, COVERED, *shuffled)
    assert (one.reasons, one.steps) == (other.reasons, other.steps)


@pytest.mark.parametrize("cause", list(c.SuspensionCause))
def test_of_several_suspensions_each_keeps_the_day_at_rest(cause: c.SuspensionCause) -> None:
    other = GAP if cause is ARREARS else ARREARS
    known = (
        COVERED,
        PAID,
        suspended("2024-03-01", cause),
        suspended("2024-03-15", other),
        resumed("2024-03-01", "2024-04-01", cause),
    )

    assert on("2024-04-10", *known).reasons == ("SUSPENDED",)
