"""What workflows ask of payment (待遇支付)."""

from dataclasses import asdict, dataclass, replace

import grpc
from ltci.payment.v1 import payment_service_pb2 as pb
from ltci.payment.v1 import payment_service_pb2_grpc as rpc
from ltci.payment.v1 import payment_types_pb2 as types
from temporalio import activity

from kernel.ids import derive
from workflows.activities.calling import ask, signs_of_life

CHUNK = 500  # people a call


@dataclass(frozen=True)
class Review:
    """`known`: feeds that payment must have read so far before it looks."""

    person: str
    pool: str
    known: dict[str, int]
    request_id: str


@dataclass(frozen=True)
class Entitlement:
    """Where a person's entitlement stands: NONE, OPEN, PAUSED, ENDED."""

    state: str
    grade: int = 0
    effective_date: str = ""
    cause: str = ""
    valid_until_date: str = ""
    reassessment_date: str = ""  # day to order the periodic reassessment


@dataclass(frozen=True)
class SettlementStep:
    pool: str
    month: str
    request_id: str


@dataclass(frozen=True)
class Settlement:
    state: str
    case_count: int = 0
    benefit_count: int = 0
    fund_share_fen: int = 0
    batch: str = ""
    instruction_count: int = 0


@dataclass(frozen=True)
class Computed:
    """How far a month has been computed, and what it came to; also what the heartbeat carries."""

    after_person: str = ""
    chunk_count: int = 0
    case_count: int = 0
    benefit_count: int = 0
    fund_share_fen: int = 0


@dataclass(frozen=True)
class BatchStep:
    batch: str
    request_id: str


@dataclass(frozen=True)
class Progress:
    """How far a batch is: instructions by state."""

    instructed_count: int = 0
    sent_count: int = 0
    unknown_count: int = 0
    paid_count: int = 0
    returned_count: int = 0
    reissued_count: int = 0
    paid_fen: int = 0


class PaymentActivities:
    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._service = rpc.PaymentServiceStub(channel)

    @activity.defn(name="payment.ReviewEntitlement")
    async def review_entitlement(self, asked: Review) -> Entitlement:
        request = pb.ReviewEntitlementRequest(
            person=asked.person,
            pool=asked.pool,
            known=[
                types.KnownUpTo(service=service, position=position)
                for service, position in sorted(asked.known.items())
            ],
            request_id=asked.request_id,
        )
        told = await ask(self._service.ReviewEntitlement, request, timeout=25)
        state = types.EntitlementState.Name(told.state)
        return Entitlement(
            state=state.removeprefix("ENTITLEMENT_STATE_"),
            grade=told.grade,
            effective_date=told.effective_date,
            cause=told.cause,
            valid_until_date=told.valid_until_date,
            reassessment_date=told.reassessment_date,
        )

    @activity.defn(name="payment.FreezeSettlement")
    async def freeze_settlement(self, asked: SettlementStep) -> Settlement:
        request = pb.FreezeSettlementRequest(**asdict(asked))
        async with signs_of_life():
            return _settlement(await ask(self._service.FreezeSettlement, request, timeout=110))

    @activity.defn(name="payment.DetermineBenefits")
    async def determine_benefits(self, asked: SettlementStep) -> Computed:
        """Computes all cases of the month, chunk by chunk.

        The heartbeat carries the position: an attempt goes on where the one before it was. A
        chunk that was computed but not yet told by a heartbeat is asked for again under the same
        request id, and payment gives its first answer.
        """
        told = activity.info().heartbeat_details
        so_far = Computed(**told[0]) if told and told[0] else Computed()
        async with signs_of_life(lambda: asdict(so_far)):
            while so_far.chunk_count == 0 or so_far.after_person:
                so_far = await self._chunk(asked, so_far)
                activity.heartbeat(asdict(so_far))
        return so_far

    async def _chunk(self, asked: SettlementStep, so_far: Computed) -> Computed:
        request = pb.DetermineBenefitsRequest(
            pool=asked.pool,
            month=asked.month,
            after_person=so_far.after_person,
            chunk_size=CHUNK,
            request_id=str(derive(asked.request_id, "chunk", so_far.after_person)),
        )
        told = await ask(self._service.DetermineBenefits, request, timeout=110)
        return replace(
            so_far,
            after_person=told.next_after_person,
            chunk_count=so_far.chunk_count + 1,
            case_count=so_far.case_count + told.case_count,
            benefit_count=so_far.benefit_count + told.benefit_count,
            fund_share_fen=so_far.fund_share_fen + told.fund_share_fen,
        )

    @activity.defn(name="payment.CloseSettlement")
    async def close_settlement(self, asked: SettlementStep) -> Settlement:
        request = pb.CloseSettlementRequest(**asdict(asked))
        async with signs_of_life():
            return _settlement(await ask(self._service.CloseSettlement, request, timeout=590))

    @activity.defn(name="payment.SendInstructions")
    async def send_instructions(self, asked: BatchStep) -> Progress:
        request = pb.SendInstructionsRequest(**asdict(asked))
        async with signs_of_life():
            return _progress(await ask(self._service.SendInstructions, request, timeout=590))

    @activity.defn(name="payment.EnquireInstructions")
    async def enquire_instructions(self, asked: BatchStep) -> Progress:
        request = pb.EnquireInstructionsRequest(**asdict(asked))
        async with signs_of_life():
            return _progress(await ask(self._service.EnquireInstructions, request, timeout=590))

    @activity.defn(name="payment.ReissueInstructions")
    async def reissue_instructions(self, asked: BatchStep) -> Progress:
        request = pb.ReissueInstructionsRequest(**asdict(asked))
        async with signs_of_life():
            return _progress(await ask(self._service.ReissueInstructions, request, timeout=590))


def _settlement(told: pb.Settlement) -> Settlement:
    state = types.SettlementState.Name(told.state)
    return Settlement(
        state=state.removeprefix("SETTLEMENT_STATE_"),
        case_count=told.case_count,
        benefit_count=told.benefit_count,
        fund_share_fen=told.fund_share_fen,
        batch=told.batch,
        instruction_count=told.instruction_count,
    )


def _progress(told: pb.BatchProgress) -> Progress:
    return Progress(
        instructed_count=told.instructed_count,
        sent_count=told.sent_count,
        unknown_count=told.unknown_count,
        paid_count=told.paid_count,
        returned_count=told.returned_count,
        reissued_count=told.reissued_count,
        paid_fen=told.paid_fen,
    )
