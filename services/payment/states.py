"""What is counted by state: entitlements (待遇), settlements (结算), instructions (支付指令)."""

from ltci.payment.v1 import events_pb2 as pb

from kernel.states import StateKind
from services.payment.domain.course import State
from services.payment.domain.instruction import InstructionState
from services.payment.domain.settlement import SettlementState

STATES = (
    StateKind(
        kind="entitlement",
        name=("pool", "person"),
        states={
            pb.EntitlementOpened: State.OPEN,
            pb.EntitlementPaused: State.PAUSED,
            pb.EntitlementResumed: State.OPEN,
            pb.EntitlementEnded: State.ENDED,
        },
        day="effective_date",  # late facts speak about days that are past
    ),
    StateKind(
        kind="settlement",
        name=("pool", "month"),
        states={
            pb.SettlementOpened: SettlementState.OPENED,
            pb.SettlementFrozen: SettlementState.FROZEN,
            pb.SettlementClosed: SettlementState.CLOSED,
        },
    ),
    StateKind(
        kind="instruction",
        name=("instruction",),
        states={
            pb.PaymentInstructed: InstructionState.INSTRUCTED,
            pb.PaymentSent: InstructionState.SENT,
            pb.PaymentUnknown: InstructionState.UNKNOWN,
            pb.BenefitPaid: InstructionState.PAID,
            pb.PaymentReturned: InstructionState.RETURNED,
            pb.PaymentReissued: InstructionState.REISSUED,
        },
    ),
)
