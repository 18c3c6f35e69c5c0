"""The kinds of streams of payment, and where each thing's stream is."""

from uuid import UUID

from kernel.calendar import Month
from kernel.eventstore.handle import StreamKind
from kernel.ids import stream_id
from services.payment.domain import benefit as b
from services.payment.domain import entitlement as e
from services.payment.domain import instruction as i
from services.payment.domain import ledger as lg
from services.payment.domain import payee as p
from services.payment.domain import settlement as s
from services.payment.domain.course import Course

NO_POOL = ""  # a payee belongs to no pool

PAYEE = StreamKind("payee", p.Payee(), p.evolve)
ENTITLEMENT = StreamKind("entitlement", Course(), e.evolve)
SETTLEMENT = StreamKind("settlement", s.Settlement(), s.evolve)
BENEFIT = StreamKind("benefit", b.Benefit(), b.evolve)
BILL = StreamKind("bill", s.Bill(), s.evolve_bill)
INSTRUCTION = StreamKind("instruction", i.Instruction(), i.evolve)
LEDGER = StreamKind("ledger", lg.Entry(), lg.evolve)


def payee_stream(payee: str) -> UUID:
    return stream_id(PAYEE.category, payee)


def entitlement_stream(pool: str, person: UUID) -> UUID:
    return stream_id(ENTITLEMENT.category, pool, str(person))


def settlement_stream(pool: str, month: Month) -> UUID:
    return stream_id(SETTLEMENT.category, pool, str(month))


def benefit_stream(pool: str, person: UUID, month: Month) -> UUID:
    return stream_id(BENEFIT.category, pool, str(person), str(month))


def bill_stream(pool: str, provider: UUID, month: Month) -> UUID:
    return stream_id(BILL.category, pool, str(provider), str(month))


def instruction_stream(instruction: UUID) -> UUID:
    return stream_id(INSTRUCTION.category, str(instruction))


def ledger_stream(entry: UUID) -> UUID:
    return stream_id(LEDGER.category, str(entry))
