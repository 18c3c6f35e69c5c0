"""Answers of payment: what a state looks like on the wire. It translates and nothing else."""

from collections.abc import Iterable, Sequence
from datetime import date
from uuid import UUID

from ltci.payment.v1 import payment_service_pb2 as pb
from ltci.payment.v1 import payment_types_pb2 as types

from kernel.calendar import Month
from kernel.money import Money, total
from kernel.rules.pack import Pack
from services.payment.domain.benefit import BenefitDetermined
from services.payment.domain.course import NO_STANDING, Course, State
from services.payment.domain.facts import CaseFacts
from services.payment.domain.instruction import BatchState, Instruction, InstructionState
from services.payment.domain.ledger import CASH, PAYABLE, Posting
from services.payment.domain.reassessment import reassessment_day
from services.payment.domain.settlement import KnownUpTo, Settlement


def entitlement(
    person: UUID,
    pack: Pack,
    course: Course,
    facts: CaseFacts,
    as_of: date | None = None,
) -> pb.Entitlement:
    """How it stands on a day, or after the last known change where no day is given."""
    turn, valid_until = course.last, facts.valid_until
    if as_of is not None:
        turn, valid_until = course.turn_on(as_of), facts.valid_until_as_of(as_of)
    since, standing = turn or (None, NO_STANDING)
    runs = standing.state in {State.OPEN, State.PAUSED}
    reassess = reassessment_day(pack, valid_until) if valid_until and runs else None
    return pb.Entitlement(
        person=str(person),
        pool=pack.pool,
        state=types.EntitlementState.Value(f"ENTITLEMENT_STATE_{standing.state.upper()}"),
        grade=standing.grade,
        effective_date=since.isoformat() if since else "",
        cause=standing.cause,
        valid_until_date=valid_until.isoformat() if valid_until and runs else "",
        reassessment_date=reassess.isoformat() if reassess else "",
    )


def settlement(pool: str, month: Month, state: Settlement) -> pb.Settlement:
    closed = state.closed
    return pb.Settlement(
        pool=pool,
        month=str(month),
        state=types.SettlementState.Value(f"SETTLEMENT_STATE_{state.state.upper()}"),
        known=known(state.known),
        case_count=state.case_count,
        benefit_count=closed.benefit_count if closed else 0,
        fund_share_fen=closed.fund_share.fen if closed else 0,
        batch=str(closed.batch) if closed and closed.batch else "",
        instruction_count=closed.instruction_count if closed else 0,
    )


def known(positions: Iterable[KnownUpTo]) -> list[types.KnownUpTo]:
    return [types.KnownUpTo(service=one.service, position=one.position) for one in positions]


def benefit(determined: BenefitDetermined) -> pb.Benefit:
    return pb.Benefit(
        benefit=str(determined.benefit),
        person=str(determined.person),
        pool=determined.pool,
        month=str(determined.month),
        settled_month=str(determined.settled_month),
        components=[
            types.Component(component=part.component, payee=part.payee, amount_fen=part.amount.fen)
            for part in determined.components
        ],
        eligible_cost_fen=determined.eligible_cost.fen,
        fund_share_fen=determined.fund_share.fen,
        personal_share_fen=determined.personal_share.fen,
    )


def instruction(state: Instruction) -> pb.Instruction:
    told = state.told
    return pb.Instruction(
        instruction=str(told.instruction),
        batch=str(told.batch),
        pool=told.pool,
        settled_month=str(told.settled_month),
        payee=told.payee,
        amount_fen=told.amount.fen,
        state=types.InstructionState.Value(f"INSTRUCTION_STATE_{state.state.upper()}"),
        replaces=str(told.replaces) if told.replaces else "",
        was_unknown=state.was_unknown,
        cause=state.cause,
    )


def progress(
    batch: UUID, states: Sequence[BatchState], returned_payees: Sequence[str]
) -> pb.BatchProgress:
    count = {one.state: one.count for one in states}
    paid = [one.amount for one in states if one.state is InstructionState.PAID]
    return pb.BatchProgress(
        batch=str(batch),
        instructed_count=count.get(InstructionState.INSTRUCTED, 0),
        sent_count=count.get(InstructionState.SENT, 0),
        unknown_count=count.get(InstructionState.UNKNOWN, 0),
        paid_count=count.get(InstructionState.PAID, 0),
        returned_count=count.get(InstructionState.RETURNED, 0),
        reissued_count=count.get(InstructionState.REISSUED, 0),
        paid_fen=total(paid).fen,
        returned_payees=returned_payees,
    )


def fund(pool: str, balances: Sequence[Posting], entry_count: int) -> pb.Fund:
    """The fund: cash is what is there (debit), payable what is owed (credit)."""
    by_account = {line.account: line.debit - line.credit for line in balances}
    return pb.Fund(
        pool=pool,
        balances=[
            types.Posting(
                account=line.account, debit_fen=line.debit.fen, credit_fen=line.credit.fen
            )
            for line in balances
        ],
        entry_count=entry_count,
        cash_fen=by_account.get(CASH, Money(0)).fen,
        payable_fen=-by_account.get(PAYABLE, Money(0)).fen,
        balanced=not total(by_account.values()),
    )
