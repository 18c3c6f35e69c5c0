"""The saga of one payment: never paid without proof, never paid twice."""

from functools import reduce

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from kernel.calendar import Month
from kernel.ids import derive
from kernel.money import yuan
from kernel.refusal import Refused
from services.payment.domain import instruction as i
from services.payment.domain.instruction import InstructionState
from tests.support.spec import Decider

payment = Decider(i.decide, i.evolve, i.Instruction())
PAYEE = f"persons/{derive('person', 'payee')}"
MONTH = Month(2024, 4)
NAME = i.instruction_id("320400", MONTH, PAYEE)
INSTRUCT = i.Instruct(
    instruction=NAME,
    batch=i.batch_id("320400", MONTH),
    pool="320400",
    settled_month=MONTH,
    payee=PAYEE,
    amount=yuan("600"),
    account_version=1,
)
TAKEN = i.NoteTaken(bank_reference="B1")
BOOKED = i.NoteBooked(
    evidence=i.Evidence.ENQUIRY,
    amount=yuan("600"),
    bank_reference="B1",
    booked_time="2024-05-03T10:00:00+08:00",
)
RETURNED = i.NoteReturned(cause="ACCOUNT_CLOSED", bank_reference="B1")
SILENT, ABSENT = i.NoteSilence(), i.NoteAbsence()
PAID = i.BenefitPaid(
    instruction=NAME,
    pool="320400",
    payee=PAYEE,
    amount=yuan("600"),
    evidence_kind="ENQUIRY",
    bank_reference="B1",
    booked_time="2024-05-03T10:00:00+08:00",
)


def test_an_instruction_is_made_once() -> None:
    payment.after(INSTRUCT).when(INSTRUCT).then()


def test_an_instruction_keeps_its_payee_and_amount() -> None:
    other = i.Instruct(**{**vars(INSTRUCT), "amount": yuan("601")})

    payment.after(INSTRUCT).when(other).then_refused("INSTRUCTION_DIFFERS")


def test_an_instruction_over_nothing_is_refused() -> None:
    nothing = i.Instruct(**{**vars(INSTRUCT), "amount": yuan("0")})

    payment.when(nothing).then_refused("NO_AMOUNT")


def test_silence_makes_it_unknown_not_failed() -> None:
    payment.after(INSTRUCT).when(SILENT).then(i.PaymentUnknown(instruction=NAME, cause="NO_ANSWER"))


def test_taken_is_not_paid() -> None:
    payment.after(INSTRUCT).when(TAKEN).then(i.PaymentSent(instruction=NAME, bank_reference="B1"))


def test_absence_proves_nothing_about_a_payment_that_is_unknown() -> None:
    payment.after(INSTRUCT, SILENT).when(ABSENT).then()


def test_a_bank_that_forgets_what_it_took_makes_it_unknown() -> None:
    payment.after(INSTRUCT, TAKEN).when(ABSENT).then(
        i.PaymentUnknown(instruction=NAME, cause="BANK_UNKNOWN")
    )


def test_proof_pays_from_every_state_before_an_outcome() -> None:
    for before in ([], [TAKEN], [SILENT], [TAKEN, ABSENT], [SILENT, TAKEN]):
        payment.after(INSTRUCT, *before).when(BOOKED).then(PAID)


def test_proof_over_another_amount_is_refused() -> None:
    wrong = i.NoteBooked(**{**vars(BOOKED), "amount": yuan("6000")})

    payment.after(INSTRUCT, TAKEN).when(wrong).then_refused("AMOUNT_DIFFERS")


def test_after_paid_nothing_moves() -> None:
    paid = payment.after(INSTRUCT, BOOKED)

    for late in (TAKEN, SILENT, ABSENT, BOOKED, INSTRUCT):
        paid.when(late).then()
    paid.when(RETURNED).then_refused("PAID_ALREADY")
    paid.when(i.Reissue(account_version=9)).then_refused("NOT_RETURNED")


def test_proof_after_a_return_is_for_people_to_look_at() -> None:
    payment.after(INSTRUCT, RETURNED).when(BOOKED).then_refused("RETURNED_ALREADY")


def test_a_returned_payment_is_replaced_once_the_account_is_newer() -> None:
    returned = payment.after(INSTRUCT, RETURNED)

    returned.when(i.Reissue(account_version=1)).then_refused("ACCOUNT_IS_THE_SAME")
    returned.when(i.Reissue(account_version=2)).then(
        i.PaymentReissued(instruction=NAME, replaced_by=i.reissue_id(NAME))
    )
    returned.after(i.Reissue(account_version=2)).when(i.Reissue(account_version=3)).then()


def test_answers_without_an_instruction_are_refused() -> None:
    for answer in (TAKEN, SILENT, ABSENT, BOOKED, RETURNED):
        payment.when(answer).then_refused("NOT_INSTRUCTED")


ANSWERS = (TAKEN, SILENT, ABSENT, BOOKED, RETURNED, i.Reissue(account_version=2), INSTRUCT)


@for_all(st.lists(st.sampled_from(ANSWERS), max_size=12))
def test_no_order_of_answers_pays_twice(answers: list[i.Command]) -> None:
    state = reduce(i.evolve, i.decide(INSTRUCT, i.Instruction()), i.Instruction())
    events: list[i.Event] = []
    for answer in answers:
        try:
            made = i.decide(answer, state)
        except Refused:
            continue
        events += made
        state = reduce(i.evolve, made, state)

    paid = [event for event in events if isinstance(event, i.BenefitPaid)]
    replaced = [event for event in events if isinstance(event, i.PaymentReissued)]
    assert len(paid) + len(replaced) <= 1
    assert bool(paid) == (state.state is InstructionState.PAID)
    if paid:
        assert BOOKED in answers
        assert events[-1] == paid[0]


def test_what_an_instruction_says_is_there_or_refused() -> None:
    with pytest.raises(Refused):
        _ = i.Instruction().told
