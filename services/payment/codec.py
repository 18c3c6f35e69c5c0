"""The events of payment, bound to their messages in `protos/ltci/payment/v1/events.proto`."""

from ltci.payment.v1 import events_pb2 as pb

from kernel.eventstore.codec import Codec
from kernel.eventstore.keys import KeyRing
from kernel.letters.event import LETTER
from services.payment.domain import benefit, entitlement, instruction, ledger, payee, settlement


def payment_codec(keys: KeyRing | None) -> Codec:
    """Without keys nothing personal can be read or written: enough for feeds and replay."""
    return Codec(
        keys,
        (payee.PayeeRegistered, pb.PayeeRegistered),
        (entitlement.EntitlementOpened, pb.EntitlementOpened),
        (entitlement.EntitlementChanged, pb.EntitlementChanged),
        (entitlement.EntitlementPaused, pb.EntitlementPaused),
        (entitlement.EntitlementResumed, pb.EntitlementResumed),
        (entitlement.EntitlementEnded, pb.EntitlementEnded),
        (settlement.SettlementOpened, pb.SettlementOpened),
        (settlement.SettlementFrozen, pb.SettlementFrozen),
        (settlement.SettlementClosed, pb.SettlementClosed),
        (settlement.BillSettled, pb.BillSettled),
        (benefit.BenefitDetermined, pb.BenefitDetermined),
        (instruction.PaymentInstructed, pb.PaymentInstructed),
        (instruction.PaymentSent, pb.PaymentSent),
        (instruction.PaymentUnknown, pb.PaymentUnknown),
        (instruction.BenefitPaid, pb.BenefitPaid),
        (instruction.PaymentReturned, pb.PaymentReturned),
        (instruction.PaymentReissued, pb.PaymentReissued),
        (ledger.LedgerPosted, pb.LedgerPosted),
        LETTER,
    )
