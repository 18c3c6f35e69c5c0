"""What is to be paid in, what was paid, what goes back."""

import json
from datetime import date
from functools import reduce
from random import Random
from typing import Any

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from kernel.calendar import Month
from kernel.ids import derive
from kernel.money import ZERO, Money, total, yuan
from kernel.refusal import Refused
from kernel.rules.pack import Pack
from kernel.rules.ruling import Ruling, canonical
from services.enrollment.domain import account as a
from services.enrollment.domain import contribution_year as cy
from services.enrollment.domain import coverage as c
from services.enrollment.domain import dues as d
from services.enrollment.domain import employer as em
from services.enrollment.domain import refund as r
from services.enrollment.domain.contribution import ContributionCollected, ContributionSource
from tests.enrollment.test_eligibility import facts
from tests.support.packs import CHANGZHOU, CHENGDU, pack
from tests.support.spec import Decider

PERSON = derive("test", "somebody")
EMPLOYER = derive("test", "employer")
XUZHOU, HAINAN, TIANJIN, CHONGQING = "320300", "460000", "120000", "500000"
FROM_PERSON, FROM_EMPLOYER = ContributionSource.PERSON, ContributionSource.EMPLOYER

account: Decider[Any, a.Account, Any] = Decider(d.decide, a.evolve, a.Account())
refunds: Decider[Any, a.Account, Any] = Decider(r.decide, a.evolve, a.Account())
collection = Decider(cy.decide, cy.evolve, cy.Collection())
employers = Decider(em.decide, em.evolve, em.Employer())
staff = Decider(em.decide_staff, em.evolve_staff, em.Staff())


def insured(
    group: str, since: str = "2022-01-01", pool: str = CHANGZHOU, *statuses: str
) -> c.CoverageStarted:
    return c.CoverageStarted(
        person=PERSON,
        pool=pool,
        group=c.InsuredGroup(group),
        start_date=date.fromisoformat(since),
        statuses=statuses,
    )


def declared(month: str, wage: str = "0", medical: str = "0") -> em.StaffDeclared:
    return em.StaffDeclared(
        employer=EMPLOYER,
        person=PERSON,
        pool=CHONGQING,
        month=Month.parse(month),
        wage=yuan(wage),
        medical_base=yuan(medical),
    )


def asked(pool: str, year: int = 2024, month: str = "", **told: int) -> d.Question:
    return d.Question(
        person=PERSON,
        pool=pool,
        year=year,
        month=Month.parse(month) if month else None,
        employer=EMPLOYER if month else None,
        told=told,
    )


def ruled(question: d.Question, *events: object, by: Pack | None = None) -> Ruling:
    return d.rule_due(question, facts(*events), by or pack(question.pool), "test")


def determined(question: d.Question, *events: object, name: str = "due") -> d.DetermineDue:
    known = facts(*events)
    return d.DetermineDue(
        due=derive("test", name),
        question=question,
        ruling=d.rule_due(question, known, pack(question.pool), "test"),
        facts=known,
    )


def due(amount: str = "30", until: str = "2024-02-28", **changes: Any) -> a.ContributionDue:
    told: dict[str, Any] = {
        "due": derive("test", "due"),
        "person": PERSON,
        "pool": CHANGZHOU,
        "group": c.InsuredGroup.RESIDENT,
        "year": 2024,
        "month": "",
        "employer": None,
        "from_date": date(2024, 1, 1),
        "shares": (a.DueShare(source=FROM_PERSON, amount=yuan(amount)),),
        "due_date": date.fromisoformat(until) if until else None,
        "ruling": b"",
    }
    return a.ContributionDue(**(told | changes))


def paid(
    amount: str = "30", on: str = "2024-01-05", name: str = "paid", source: str = "person"
) -> ContributionCollected:
    return ContributionCollected(
        contribution=derive("test", name, on),
        person=PERSON,
        pool=CHANGZHOU,
        source=ContributionSource(source),
        amount=yuan(amount),
        year=2024,
        paid_date=date.fromisoformat(on),
    )


def back(amount: str, cause: str = "overpaid", name: str = "back") -> a.ContributionRefunded:
    return a.ContributionRefunded(
        refund=derive("test", name),
        person=PERSON,
        pool=CHANGZHOU,
        year=2024,
        source=FROM_PERSON,
        amount=yuan(amount),
        cause=a.RefundCause(cause),
        refunded_date=date(2024, 7, 1),
    )


def refund(
    amount: str, cause: str = "overpaid", *, insured: bool = True, name: str = "back"
) -> Any:
    return r.RefundContribution(told=back(amount, cause, name), insured_on_refund=insured)


def standing(*events: Any) -> a.Account:
    return reduce(a.evolve, events, a.Account())


# -- what is due --------------------------------------------------------------------------------


def test_a_flat_contribution_is_due_for_the_year() -> None:
    ruling = ruled(asked(CHANGZHOU), insured("resident"))

    assert (ruling.outcome, ruling.amounts) == ("due", {"person": 3000})
    assert d.due_date_in(ruling) is None  # Changzhou's last day is not known


def test_nobody_owes_for_a_year_without_insurance() -> None:
    ruling = ruled(asked(CHANGZHOU, 2021), insured("resident"))

    assert (ruling.outcome, ruling.reasons, ruling.amounts) == ("nothing_due", ("NOT_COVERED",), {})


def test_an_employers_month_is_due_by_the_base_it_declared() -> None:
    question = asked(CHONGQING, 2025, "2025-03")
    events = insured("employee", pool=CHONGQING), declared("2025-03", medical="6000")

    lines = pack(CHONGQING).contributions("employee", date(2025, 3, 1))
    amounts = ruled(question, *events).amounts
    assert set(amounts) == {line.source for line in lines}
    assert all(amount > 0 for amount in amounts.values())
    corrected = ruled(question, *events, declared("2025-03", medical="12000")).amounts
    assert corrected == {source: 2 * amount for source, amount in amounts.items()}


def test_a_base_that_nobody_told_is_asked_for() -> None:
    with pytest.raises(Refused, match="BASE_MISSING"):
        ruled(asked(CHONGQING, 2025, "2025-03"), insured("employee", pool=CHONGQING))


def test_a_group_that_pays_by_month_has_no_due_of_a_year_and_the_other_way_round() -> None:
    with pytest.raises(Refused, match="NOTHING_BY_YEAR"):
        ruled(asked(CHONGQING, 2025), insured("employee", pool=CHONGQING))
    with pytest.raises(Refused, match="NOTHING_BY_MONTH"):
        ruled(asked(CHANGZHOU, 2024, "2024-03"), insured("employee"))


def test_hainan_residents_pay_until_the_end_of_february_2026() -> None:
    [deadline] = cy.deadlines(pack(HAINAN), 2026)

    assert deadline.due_date == date(2026, 2, 28)  # a Saturday that is worked
    assert deadline.groups == (c.InsuredGroup.RESIDENT,)
    assert cy.deadlines(pack(HAINAN), 2027) == ()  # stated for 2026 alone


def test_xuzhou_employees_pay_by_the_end_of_january_on_a_working_day() -> None:
    [deadline] = cy.deadlines(pack(XUZHOU), 2026)

    assert (deadline.due_date, deadline.groups) == (date(2026, 2, 2), (c.InsuredGroup.EMPLOYEE,))
    assert deadline.reminder_date is not None
    assert cy.deadlines(pack(CHANGZHOU), 2026) == ()  # waits for nothing that is not known


def test_who_is_supported_owes_nothing_and_the_state_owes_it_instead() -> None:
    by = with_payers({"severely_disabled": "state", "exempt": "nobody"})
    supported = insured("resident", "2022-01-01", CHANGZHOU, "severely_disabled")
    exempt = insured("resident", "2022-01-01", CHANGZHOU, "exempt", "severely_disabled")

    assert ruled(asked(CHANGZHOU), supported, by=by).amounts == {"state": 3000}
    nothing = ruled(asked(CHANGZHOU), exempt, by=by)
    assert (nothing.outcome, nothing.reasons) == ("nothing_due", ("EXEMPT",))


def changed_pack(key: str, value: object) -> Pack:
    """Changzhou's pack with one more figure of enrollment, which its texts do not have."""
    told = json.loads(pack(CHANGZHOU).content)
    figures = told["files"]["enrollment"]
    figure = json.loads(json.dumps(figures["continuous_months"]))
    figures[key] = figure | {"values": [figure["values"][0] | {"value": value}]}
    return Pack.parse(canonical(told))


def with_payers(payers: dict[str, str]) -> Pack:
    return changed_pack("own_share_paid_by", payers)


def with_last_day(last: str = "02-17") -> Pack:
    return changed_pack("collection", {"any": {"first": "01-02", "last": last}})


def test_a_last_day_is_written_down_with_its_text() -> None:
    by = with_last_day()
    ruling = ruled(asked(CHANGZHOU), insured("resident"), by=by)

    assert d.due_date_in(ruling) == date(2024, 2, 18)  # worked before the holidays are over


def test_a_due_is_asked_again_by_its_ruling() -> None:
    for question in (
        asked(CHANGZHOU),
        asked(CHONGQING, 2025, "2025-03"),
        asked(CHENGDU, 2024, medical_base=500_000, age=40),
    ):
        ruling = Ruling(
            question=d.QUESTION,
            subject=str(PERSON),
            pool=question.pool,
            asked=question.asked,
            outcome=d.DUE,
            pack="",
            code_version="test",
        )
        assert d.asked_in(Ruling.parse(ruling.to_bytes())) == question


@for_all(seed=st.integers(0, 1000))
def test_the_order_of_facts_does_not_change_a_due(seed: int) -> None:
    known = facts(insured("employee", pool=CHONGQING), declared("2025-03", medical="6000"))
    shuffled = Random(seed).sample(known, len(known))
    question, by = asked(CHONGQING, 2025, "2025-03"), pack(CHONGQING)

    assert (
        d.rule_due(question, shuffled, by, "test").to_bytes()
        == d.rule_due(question, known, by, "test").to_bytes()
    )


# -- determinations -----------------------------------------------------------------------------


def test_a_due_is_recorded_once_and_again_only_when_it_differs() -> None:
    first = determined(asked(CHANGZHOU), insured("resident"))
    [recorded] = account.when(first).events()

    assert recorded.shares == (a.DueShare(source=FROM_PERSON, amount=yuan("30")),)
    assert Ruling.parse(recorded.ruling) == first.ruling
    account.given(recorded).when(first).then()
    ended = c.CoverageEnded(
        person=PERSON, pool=CHANGZHOU, end_date=date(2023, 12, 31), cause="moved"
    )
    gone = determined(asked(CHANGZHOU), insured("resident"), ended, name="gone")
    [nothing] = account.given(recorded).when(gone).events()
    assert nothing.shares == ()
    assert standing(recorded, nothing).line(FROM_PERSON).due == ZERO


def test_who_never_owed_gets_no_determination() -> None:
    account.when(determined(asked(CHANGZHOU, 2021), insured("resident"))).then()


# -- accounts -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("payments", "state", "balance"),
    [
        ((), "unpaid", "-30"),
        ((paid("10"),), "partial", "-20"),
        ((paid("30"),), "paid", "0"),
        ((paid("30"), paid("5", name="more")), "overpaid", "5"),
        ((paid("30"), paid("30", name="again")), "paid_twice", "30"),
    ],
)
def test_an_account_says_how_it_stands(payments: Any, state: str, balance: str) -> None:
    line = standing(due(), *payments).line(FROM_PERSON)

    assert (line.state, line.balance) == (a.AccountState(state), yuan(balance))


def test_arrears_are_what_should_have_been_paid_and_was_not() -> None:
    owing = standing(due(until="2024-02-28"), paid("10"))

    assert owing.owed(date(2024, 2, 28)) == ZERO  # the last day still counts
    assert owing.owed(date(2024, 2, 29)) == yuan("20")
    assert standing(due(until=""), paid("10")).owed(date(2024, 12, 31)) == ZERO
    assert owing.settled_on(date(2024, 3, 1)) is None
    settled = a.evolve(owing, paid("20", on="2024-03-10", name="rest"))
    assert settled.settled_on(date(2024, 4, 1)) == date(2024, 3, 10)


@for_all(data=st.data())
def test_no_fen_is_lost_between_due_paid_and_given_back(data: st.DataObject) -> None:
    amounts = st.integers(1, 10_000)
    payments = [
        paid(str(Money(fen)), name=f"{place}", on="2024-03-01")
        for place, fen in enumerate(data.draw(st.lists(amounts, max_size=5)))
    ]
    asked_back = [
        refund(str(Money(fen)), "coverage_ended", insured=False, name=f"{place}")
        for place, fen in enumerate(data.draw(st.lists(amounts, max_size=5)))
    ]
    events: list[Any] = [due(str(Money(data.draw(amounts)))), *payments]
    known = standing(*events)
    for command in asked_back:
        try:
            given = r.decide(command, known)
        except Refused:
            continue
        events += given
        known = reduce(a.evolve, given, known)

    shuffled = standing(*data.draw(st.permutations(events)))
    line = shuffled.line(FROM_PERSON)
    assert line.balance == known.line(FROM_PERSON).balance
    assert line.refunded <= line.paid
    assert line.balance + line.due + line.refunded == total(one.amount for one in payments)
    late = date(2025, 1, 1)
    assert shuffled.owed(late) - max(line.balance, ZERO) == -line.balance
    assert shuffled.settled_on(late) == known.settled_on(late)


# -- refunds ------------------------------------------------------------------------------------


def test_what_was_paid_too_much_goes_back_once() -> None:
    overpaid = refunds.given(due(), paid("30"), paid("5", name="more"))

    overpaid.when(refund("5")).then(back("5"))
    overpaid.given(back("5")).when(refund("5")).then()
    overpaid.when(refund("6")).then_refused("REFUND_EXCEEDS_SURPLUS", surplus="5.00")
    overpaid.given(back("5")).when(refund("1", name="other")).then_refused("REFUND_EXCEEDS_SURPLUS")


def test_nothing_goes_back_that_was_never_paid() -> None:
    refunds.given(due(), paid("30")).when(refund("31", "coverage_ended")).then_refused(
        "REFUND_EXCEEDS_PAID", left="30.00"
    )
    refunds.given(due(), paid("60", source="employer")).when(refund("1")).then_refused(
        "REFUND_EXCEEDS_PAID"
    )


def test_without_a_due_nobody_can_say_what_is_too_much() -> None:
    refunds.given(paid("30")).when(refund("30", "paid_twice")).then_refused("NOTHING_DETERMINED")


def test_after_the_end_of_the_coverage_all_may_go_back() -> None:
    ended = refunds.given(due(), paid("30"))

    ended.when(refund("30", "coverage_ended", insured=False)).then(back("30", "coverage_ended"))
    ended.when(refund("30", "coverage_ended")).then_refused("COVERAGE_NOT_ENDED")


# -- employers and their people -----------------------------------------------------------------


def registered(name: str = "纺织厂") -> em.EmployerRegistered:
    return em.EmployerRegistered(
        employer=EMPLOYER,
        employer_name=name,
        social_credit_code="91320400TEST000000",
        pool=CHONGQING,
        registered_date=date(2024, 1, 1),
    )


def test_an_employer_is_registered_once() -> None:
    employers.when(em.RegisterEmployer(told=registered())).then(registered())
    known = employers.given(registered())
    known.when(em.RegisterEmployer(told=registered())).then()
    known.when(em.RegisterEmployer(told=registered("另一家"))).then_refused("EMPLOYER_DIFFERS")


def test_a_declaration_is_taken_once_and_may_be_corrected() -> None:
    def declare(told: em.StaffDeclared, pays_in: str = CHONGQING, covered: bool = True) -> Any:
        return em.DeclareStaff(told=told, pays_in=pays_in, covered=covered)

    first, other = declared("2025-03", "6000"), declared("2025-03", "7000")
    staff.when(declare(first)).then(first)
    staff.given(first).when(declare(first)).then()
    staff.given(first).when(declare(other)).then(other)
    staff.when(declare(first, pays_in=CHANGZHOU)).then_refused("POOL_DIFFERS", pool=CHANGZHOU)
    staff.when(declare(first, covered=False)).then_refused("NOT_COVERED", month="2025-03")


# -- the year of a pool -------------------------------------------------------------------------

OPEN = cy.OpenContributionYear(pool=XUZHOU, year=2026, today=date(2025, 12, 1))
OPENED = cy.ContributionYearOpened(pool=XUZHOU, year=2026, opened_date=date(2025, 12, 1))
REMIND = cy.RemindContributions(
    pool=XUZHOU,
    year=2026,
    due_date=date(2026, 2, 2),
    today=date(2026, 1, 19),
    person_count=3,
    owed=yuan("90"),
)


def test_a_year_is_opened_once_and_reminded_once_for_each_last_day() -> None:
    collection.when(OPEN).then(OPENED)
    collection.given(OPENED).when(OPEN).then()
    collection.when(REMIND).then_refused("YEAR_NOT_OPEN", year="2026")
    [reminded] = collection.given(OPENED).when(REMIND).events()
    assert isinstance(reminded, cy.ContributionsReminded)
    collection.given(OPENED, reminded).when(REMIND).then()


def test_after_back_payment_it_counts_again_as_the_rule_says() -> None:
    def resumes(rule: str, day: str | None, first: date = date(2024, 3, 1)) -> date:
        told = date.fromisoformat(day) if day else None
        return cy.resumes_on(rule, paid=told, first=first, pool=CHANGZHOU)

    assert resumes("month_after_payment", "2024-03-10") == date(2024, 4, 1)
    assert resumes("day_after_payment", "2024-03-10") == date(2024, 3, 11)
    # Paid in time, told late: the suspension should never have been.
    assert resumes("month_after_payment", "2024-02-28") == date(2024, 3, 1)
    assert resumes("month_after_payment", None) == date(2024, 3, 1)
    for rule, reason in (
        ("with_medical_status", "RESUME_DATE_MISSING"),
        ("some_day", "RESUME_RULE_UNKNOWN"),
    ):
        with pytest.raises(Refused, match=reason):
            resumes(rule, "2024-03-10")
