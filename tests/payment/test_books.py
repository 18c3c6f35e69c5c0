"""Ledger, settlement and payees: the books balance, steps come in order, accounts are masked."""

from datetime import date

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from kernel.calendar import Month
from kernel.ids import derive
from kernel.money import Money, total, yuan
from services.payment.domain import ledger as lg
from services.payment.domain import payee as p
from services.payment.domain import settlement as s
from tests.support.spec import Decider

POOL, MONTH = "320400", Month(2024, 4)
AFTER = date(2024, 5, 1)
PERSON, HOME = derive("person", "a"), derive("provider", "home")
entry = Decider(lg.decide, lg.evolve, lg.Entry())
run = Decider(s.decide, s.evolve, s.Settlement())
payees = Decider(p.decide, p.evolve, p.Payee())

OPEN = s.OpenSettlement(pool=POOL, month=MONTH, today=AFTER)
KNOWN = (s.KnownUpTo(service="enrollment", position=7),)
FREEZE = s.FreezeSettlement(known=KNOWN, case_count=3)
CLOSE = s.CloseSettlement(benefit_count=2, instruction_count=1, fund_share=yuan("600"))


def post(*postings: lg.Posting) -> lg.PostEntry:
    return lg.PostEntry(
        entry=derive("entry"),
        pool=POOL,
        posted_date=AFTER,
        kind=lg.EntryKind.PAID,
        postings=postings,
        cause="test",
    )


def debit(account: str, amount: str) -> lg.Posting:
    return lg.Posting(account=account, debit=yuan(amount))


def credit(account: str, amount: str) -> lg.Posting:
    return lg.Posting(account=account, credit=yuan(amount))


# --- ledger -----------------------------------------------------------------------------------


def test_an_entry_out_of_balance_is_refused() -> None:
    entry.when(post(debit("cash", "1"), credit("payable", "1.01"))).then_refused(
        "UNBALANCED", debit="1.00", credit="1.01"
    )


def test_an_entry_over_nothing_is_refused() -> None:
    entry.when(post(debit("cash", "0"))).then_refused("NO_AMOUNT")


def test_a_negative_line_is_refused() -> None:
    entry.when(post(debit("cash", "-1"), credit("payable", "-1"))).then_refused("NEGATIVE_AMOUNT")


def test_an_entry_is_written_once_and_never_otherwise() -> None:
    first = post(debit("cash", "1"), credit("payable", "1"))
    other = post(debit("cash", "2"), credit("payable", "2"))

    entry.after(first).when(first).then()
    entry.after(first).when(other).then_refused("ENTRY_DIFFERS")


AMOUNTS = st.integers(1, 10**9).map(Money)


@for_all(AMOUNTS, st.dictionaries(st.text(max_size=8), AMOUNTS, min_size=1, max_size=6))
def test_every_entry_the_service_makes_balances(amount: Money, parts: dict[str, Money]) -> None:
    name = derive("entry")
    for command in (
        lg.contribution(name, POOL, paid_date=AFTER, source="person", amount=amount, cause="c"),
        lg.refund(name, POOL, refunded_date=AFTER, source="person", amount=amount, cause="r"),
        lg.benefits_due(name, POOL, day=AFTER, by_component=parts, cause="c"),
        lg.paid(name, POOL, day=AFTER, amount=amount, cause="c"),
    ):
        [posted] = lg.decide(command, lg.Entry())

        assert total(x.debit for x in posted.postings) == total(x.credit for x in posted.postings)


# --- settlement -------------------------------------------------------------------------------


def test_a_month_is_settled_once_it_is_over() -> None:
    early = s.OpenSettlement(pool=POOL, month=MONTH, today=date(2024, 4, 30))

    run.when(early).then_refused("MONTH_NOT_OVER", month="2024-04")
    run.when(OPEN).then(s.SettlementOpened(pool=POOL, month=MONTH))


def test_each_step_of_a_settlement_needs_the_one_before() -> None:
    run.when(FREEZE).then_refused("NOT_OPENED")
    run.when(CLOSE).then_refused("NOT_FROZEN")
    run.after(OPEN).when(CLOSE).then_refused("NOT_FROZEN")


def test_a_step_taken_before_is_not_taken_again() -> None:
    closed = run.after(OPEN, FREEZE, CLOSE)

    for step in (OPEN, FREEZE, CLOSE):
        closed.when(step).then()
    later = s.FreezeSettlement(known=(), case_count=9)
    assert run.after(OPEN, FREEZE, later).state.known == KNOWN


def test_a_month_without_payments_has_no_batch() -> None:
    nothing = s.CloseSettlement(benefit_count=0, instruction_count=0, fund_share=yuan("0"))

    [closed] = run.after(OPEN, FREEZE).when(nothing).events()

    assert isinstance(closed, s.SettlementClosed)
    assert closed.batch is None


def sums(by_payee: dict[str, Money], by_component: dict[str, Money]) -> s.RunSums:
    return s.RunSums(
        pool=POOL,
        month=MONTH,
        benefit_count=2,
        by_payee=by_payee,
        by_component=by_component,
        providers=(
            s.ProviderSum(
                provider=HOME, eligible_cost=yuan("80"), fund_share=yuan("60"), person_count=1
            ),
        ),
    )


def test_closing_makes_one_instruction_a_payee_with_something_to_get() -> None:
    family, home, nobody = f"persons/{PERSON}", f"providers/{HOME}", "persons/none"
    made = s.closing(
        sums(
            {family: yuan("600"), home: yuan("60"), nobody: yuan("0")},
            {"carer_subsidy": yuan("600"), "home_care": yuan("60")},
        ),
        {family: 2},
    )

    assert [(family, yuan("600"), 2), (home, yuan("60"), 0)] == [
        (one.payee, one.amount, one.account_version) for one in made.instructs
    ]
    assert [(HOME, yuan("60"), 1)] == [
        (bill.provider, bill.fund_share, bill.person_count) for bill in made.bills
    ]
    assert made.entry is not None
    assert [
        lg.Posting(account="benefits/carer_subsidy", debit=yuan("600")),
        lg.Posting(account="benefits/home_care", debit=yuan("60")),
        lg.Posting(account="payable", credit=yuan("660")),
    ] == list(made.entry.postings)
    assert date(2024, 4, 30) == made.entry.posted_date


def test_sums_that_disagree_stop_the_closing() -> None:
    with pytest.raises(ValueError, match=r"599\.99"):
        s.closing(sums({"persons/a": yuan("599.99")}, {"carer_subsidy": yuan("600")}), {})


# --- payees -----------------------------------------------------------------------------------

REGISTER = p.RegisterPayee(
    payee=f"persons/{PERSON}",
    owner=PERSON,
    holder_name="王试一",
    account_number="6222000000000001",
    registered_date=AFTER,
)


def test_the_same_account_again_is_the_same_account() -> None:
    payees.after(REGISTER).when(REGISTER).then()


def test_another_account_is_another_version_and_the_old_one_stays() -> None:
    other = p.RegisterPayee(**{**vars(REGISTER), "account_number": "6222000000000002"})
    state = payees.after(REGISTER, other).state

    assert state.version == 2
    versions = [state.account(version) for version in (1, 2, 0)]
    assert [a.account_number[-4:] for a in versions if a] == ["0001", "0002", "0002"]


def test_an_erased_account_is_none() -> None:
    erased = p.PayeeRegistered(**{**vars(REGISTER), "holder_name": "", "account_number": ""})

    assert payees.given(erased).state.account(1) is None


def test_an_account_does_not_show_itself() -> None:
    account = payees.after(REGISTER).state.account(0)

    assert repr(account) == "Account(version=1)"
    assert "6222" not in repr(REGISTER)
    assert p.masked(REGISTER.account_number) == "************0001"
