"""A payment from its instruction to the proof that it arrived, or came back (支付). Pure.

Its identity is fixed before anybody is called, and the bank knows it by that identity. Not
knowing is a state. Paid is only written with the bank's positive answer; after that nothing moves.
A returned payment is never sent again: another instruction replaces it.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import assert_never
from uuid import UUID

from kernel.calendar import Month
from kernel.ids import derive
from kernel.money import ZERO, Money
from kernel.refusal import Refused


class InstructionState(StrEnum):
    """Where an instruction stands (支付状态)."""

    NONE = "none"  # not made
    INSTRUCTED = "instructed"
    SENT = "sent"
    UNKNOWN = "unknown"
    PAID = "paid"
    RETURNED = "returned"
    REISSUED = "reissued"


class Evidence(StrEnum):
    """What proves a payment."""

    ANSWER = "ANSWER"  # the bank's answer to the order itself
    ENQUIRY = "ENQUIRY"  # its answer to an enquiry


# --- Commands: the first instructs, the last replaces, the others tell what the bank said --------


@dataclass(frozen=True, kw_only=True)
class Instruct:
    """Pay this payee this amount."""

    instruction: UUID
    batch: UUID
    pool: str
    settled_month: Month
    payee: str
    amount: Money
    account_version: int
    replaces: UUID | None = None


@dataclass(frozen=True, kw_only=True)
class NoteTaken:
    """The bank has the order and has not booked it."""

    bank_reference: str


@dataclass(frozen=True, kw_only=True)
class NoteSilence:
    """The bank was called and gave no answer: the order may have arrived."""


@dataclass(frozen=True, kw_only=True)
class NoteAbsence:
    """The bank says it never got the order. That proves nothing about a payment."""


@dataclass(frozen=True, kw_only=True)
class NoteBooked:
    """The bank proves the payment."""

    evidence: Evidence
    amount: Money
    bank_reference: str
    booked_time: str


@dataclass(frozen=True, kw_only=True)
class NoteReturned:
    """The bank sent the money back."""

    cause: str
    bank_reference: str


@dataclass(frozen=True, kw_only=True)
class Reissue:
    """Replace a returned payment; the payee's account has this version now."""

    account_version: int


Answer = NoteTaken | NoteSilence | NoteAbsence | NoteBooked | NoteReturned
Command = Instruct | Answer | Reissue


# --- Events -----------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class PaymentInstructed:
    instruction: UUID
    batch: UUID
    pool: str
    settled_month: Month
    payee: str
    amount: Money
    replaces: UUID | None
    account_version: int


@dataclass(frozen=True, kw_only=True)
class PaymentSent:
    instruction: UUID
    bank_reference: str


@dataclass(frozen=True, kw_only=True)
class PaymentUnknown:
    instruction: UUID
    cause: str


@dataclass(frozen=True, kw_only=True)
class BenefitPaid:
    instruction: UUID
    pool: str
    payee: str
    amount: Money
    evidence_kind: str
    bank_reference: str
    booked_time: str


@dataclass(frozen=True, kw_only=True)
class PaymentReturned:
    instruction: UUID
    pool: str
    payee: str
    amount: Money
    cause: str
    bank_reference: str


@dataclass(frozen=True, kw_only=True)
class PaymentReissued:
    instruction: UUID
    replaced_by: UUID


Event = (
    PaymentInstructed
    | PaymentSent
    | PaymentUnknown
    | BenefitPaid
    | PaymentReturned
    | PaymentReissued
)


@dataclass(frozen=True, kw_only=True)
class Instruction:
    """What is known of one payment."""

    state: InstructionState = InstructionState.NONE
    instructed: PaymentInstructed | None = None
    was_unknown: bool = False
    bank_reference: str = ""
    cause: str = ""
    replaced_by: UUID | None = None

    @property
    def told(self) -> PaymentInstructed:
        """What it says; refuses NOT_INSTRUCTED."""
        if self.instructed is None:
            raise Refused("NOT_INSTRUCTED")
        return self.instructed

    @property
    def amount(self) -> Money:
        return self.instructed.amount if self.instructed else ZERO


@dataclass(frozen=True, kw_only=True)
class BatchState:
    """How many instructions of a batch are in one state, and what they come to."""

    state: InstructionState
    count: int
    amount: Money


def instruction_id(pool: str, month: Month, payee: str) -> UUID:
    """The instruction for a payee in a settlement run: always the same id."""
    return derive("instruction", pool, str(month), payee)


def reissue_id(old: UUID) -> UUID:
    """The instruction that replaces a returned one."""
    return derive(str(old), "reissue")


def batch_id(pool: str, month: Month) -> UUID:
    return derive("batch", pool, str(month))


def decide(command: Command, instruction: Instruction) -> list[Event]:
    """What the command makes happen: nothing, where it is no news.

    Refuses NOT_INSTRUCTED, NO_AMOUNT, INSTRUCTION_DIFFERS, AMOUNT_DIFFERS, PAID_ALREADY (a
    return after proof of payment), RETURNED_ALREADY (proof after a return), NOT_RETURNED and
    ACCOUNT_IS_THE_SAME.
    """
    match command:
        case Instruct():
            return _instruct(command, instruction)
        case NoteTaken() | NoteSilence() | NoteAbsence():
            return _note_progress(command, instruction)
        case NoteBooked():
            return _note_booked(command, instruction)
        case NoteReturned():
            return _note_returned(command, instruction)
        case Reissue():
            return _reissue(command, instruction)
        case _:
            assert_never(command)


def evolve(instruction: Instruction, event: Event) -> Instruction:
    """The payment after the event. It never refuses: what happened, happened."""
    match event:
        case PaymentInstructed():
            return Instruction(state=InstructionState.INSTRUCTED, instructed=event)
        case PaymentSent(bank_reference=reference):
            return replace(instruction, state=InstructionState.SENT, bank_reference=reference)
        case PaymentUnknown():
            return replace(instruction, state=InstructionState.UNKNOWN, was_unknown=True)
        case BenefitPaid(bank_reference=reference):
            return replace(instruction, state=InstructionState.PAID, bank_reference=reference)
        case PaymentReturned(cause=cause, bank_reference=reference):
            return replace(
                instruction,
                state=InstructionState.RETURNED,
                cause=cause,
                bank_reference=reference,
            )
        case PaymentReissued(replaced_by=by):
            return replace(instruction, state=InstructionState.REISSUED, replaced_by=by)
        case _:
            assert_never(event)


def _instruct(command: Instruct, instruction: Instruction) -> list[Event]:
    if command.amount <= ZERO:
        raise Refused("NO_AMOUNT", payee=command.payee)
    instructed = PaymentInstructed(
        instruction=command.instruction,
        batch=command.batch,
        pool=command.pool,
        settled_month=command.settled_month,
        payee=command.payee,
        amount=command.amount,
        replaces=command.replaces,
        account_version=command.account_version,
    )
    known = instruction.instructed
    if known is None:
        return [instructed]
    if replace(known, account_version=command.account_version) != instructed:
        raise Refused("INSTRUCTION_DIFFERS", instruction=str(command.instruction))
    return []


def _note_progress(
    answer: NoteTaken | NoteSilence | NoteAbsence, instruction: Instruction
) -> list[Event]:
    """News short of an outcome. Once there is an outcome, it says nothing any more."""
    told, state = instruction.told, instruction.state
    open_ = {InstructionState.INSTRUCTED, InstructionState.UNKNOWN}
    match answer:
        case NoteTaken(bank_reference=reference) if state in open_:
            return [PaymentSent(instruction=told.instruction, bank_reference=reference)]
        case NoteSilence() if state is InstructionState.INSTRUCTED:
            return [PaymentUnknown(instruction=told.instruction, cause="NO_ANSWER")]
        case NoteAbsence() if state is InstructionState.SENT:
            return [PaymentUnknown(instruction=told.instruction, cause="BANK_UNKNOWN")]
        case _:
            return []


def _note_booked(answer: NoteBooked, instruction: Instruction) -> list[Event]:
    told = instruction.told
    if instruction.state in {InstructionState.RETURNED, InstructionState.REISSUED}:
        raise Refused("RETURNED_ALREADY", instruction=str(told.instruction))
    if instruction.state is InstructionState.PAID:
        return []
    if answer.amount != told.amount:
        raise Refused("AMOUNT_DIFFERS", instruction=str(told.instruction))
    return [
        BenefitPaid(
            instruction=told.instruction,
            pool=told.pool,
            payee=told.payee,
            amount=told.amount,
            evidence_kind=answer.evidence.value,
            bank_reference=answer.bank_reference,
            booked_time=answer.booked_time,
        )
    ]


def _note_returned(answer: NoteReturned, instruction: Instruction) -> list[Event]:
    told = instruction.told
    if instruction.state is InstructionState.PAID:
        raise Refused("PAID_ALREADY", instruction=str(told.instruction))
    if instruction.state in {InstructionState.RETURNED, InstructionState.REISSUED}:
        return []
    return [
        PaymentReturned(
            instruction=told.instruction,
            pool=told.pool,
            payee=told.payee,
            amount=told.amount,
            cause=answer.cause,
            bank_reference=answer.bank_reference,
        )
    ]


def _reissue(command: Reissue, instruction: Instruction) -> list[Event]:
    told = instruction.told
    if instruction.state is InstructionState.REISSUED:
        return []
    if instruction.state is not InstructionState.RETURNED:
        raise Refused("NOT_RETURNED", instruction=str(told.instruction))
    if command.account_version <= told.account_version:
        raise Refused("ACCOUNT_IS_THE_SAME", instruction=str(told.instruction))
    return [PaymentReissued(instruction=told.instruction, replaced_by=reissue_id(told.instruction))]
