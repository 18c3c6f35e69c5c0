"""`PaymentService` on the wire: it translates and nothing else."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn
from uuid import UUID

import grpc
from google.rpc import code_pb2
from grpc_status import rpc_status
from ltci.payment.v1 import payment_service_pb2 as pb
from ltci.payment.v1 import payment_service_pb2_grpc as pb_grpc

from kernel.calendar import Month
from kernel.rpc.around import Context
from kernel.rpc.call import actor_of
from kernel.rpc.errors import Outcome, status_of
from kernel.rpc.paging import page_of
from kernel.rpc.private import private_call
from kernel.rpc.server import DEFAULT_DEADLINE
from kernel.rpc.two_times import as_of, known_at
from kernel.rpc.validate import Check
from kernel.service import Parts
from services.payment import wire
from services.payment.application.entitlements import Entitlements, FactsNotThereYet
from services.payment.application.fund import Fund
from services.payment.application.payees import Payees
from services.payment.application.payments import Payments
from services.payment.application.settlements import Settlements
from services.payment.projections.balances import BalanceReader
from services.payment.projections.benefits import BenefitReader
from services.payment.projections.instructions import InstructionReader
from services.payment.projections.lists import ListReader
from services.payment.requests import Requests

SERVICE = pb.DESCRIPTOR.services_by_name["PaymentService"].full_name
_MARGIN = 0.8  # of a call's time is for waiting; the rest is for the work and the answer
# Of a call's time for facts that are not there yet: clients call again by themselves, four
# times within one deadline, and the last answer must still say what was missing.
_FACTS_SHARE = 0.2
_FACTS_NOT_THERE_YET = Outcome(
    code=code_pb2.UNAVAILABLE,
    reason="FACTS_NOT_THERE_YET",
    message="the feeds have not been read so far yet; try again with the same request id",
    message_zh="相关业务信息尚未同步到位,请稍后用同一请求编号重试",
    facts={},
    retry_seconds=0.5,
)


@dataclass(frozen=True, kw_only=True)
class UseCases:
    """What the servicer calls."""

    payees: Payees
    entitlements: Entitlements
    settlements: Settlements
    payments: Payments
    fund: Fund


@dataclass(frozen=True, kw_only=True)
class Readers:
    """What lists are served from."""

    lists: ListReader
    benefits: BenefitReader
    instructions: InstructionReader
    balances: BalanceReader


class PaymentServicer(pb_grpc.PaymentServiceServicer):
    """The methods of `protos/ltci/payment/v1/payment_service.proto`."""

    def __init__(self, parts: Parts, use_cases: UseCases, readers: Readers) -> None:
        self._parts = parts
        self._requests = Requests(parts.keys, parts.packs, parts.clock)
        self._payees = use_cases.payees
        self._entitlements = use_cases.entitlements
        self._settlements = use_cases.settlements
        self._payments = use_cases.payments
        self._fund = use_cases.fund
        self._readers = readers

    def add_to(self, server: grpc.aio.Server) -> Sequence[str]:
        pb_grpc.add_PaymentServiceServicer_to_server(self, server)
        return [SERVICE]

    # -- payees and entitlements ---------------------------------------------------------------

    async def RegisterPayee(  # noqa: N802 - the name in the proto
        self, request: pb.RegisterPayeeRequest, context: Context
    ) -> pb.Payee:
        check = Check()
        command = self._requests.register_payee(check, request)
        call = private_call(check, request, context, self._parts.keys)
        return await self._payees.register(call, command)

    async def ReviewEntitlement(  # noqa: N802 - the name in the proto
        self, request: pb.ReviewEntitlementRequest, context: Context
    ) -> pb.Entitlement:
        check = Check()
        person = check.uuid("person", request.person)
        pool = self._requests.pool(check, request.pool)
        known = self._requests.known(check, request.known)
        call = private_call(check, request, context, self._parts.keys)
        wait = _time_of(context, _FACTS_SHARE)
        try:
            return await self._entitlements.review(call, person, pool, known, wait)
        except FactsNotThereYet:
            await self._not_there_yet(context)

    async def GetEntitlement(  # noqa: N802 - the name in the proto
        self, request: pb.GetEntitlementRequest, _context: Context
    ) -> pb.Entitlement:
        check = Check()
        person = check.uuid("person", request.person)
        pool = self._requests.pool(check, request.pool)
        day = as_of(check, request)
        moment = known_at(check, request, self._parts.clock)
        check.done()
        return await self._entitlements.entitlement(pool, person, as_of=day, known_at=moment)

    async def ListEntitlements(  # noqa: N802 - the name in the proto
        self, request: pb.ListEntitlementsRequest, _context: Context
    ) -> pb.ListEntitlementsResponse:
        check = Check()
        pool = self._requests.pool(check, request.pool)
        check.done()
        page = page_of(request)
        after = UUID(str(page.after[0])) if page.after else None
        found = await self._readers.lists.people(pool, after=after, limit=page.size + 1)
        given = found[: page.size]
        return pb.ListEntitlementsResponse(
            entitlements=await self._entitlements.entitlements(pool, given),
            next_page_token=page.next_token([str(given[-1])]) if len(found) > page.size else "",
        )

    # -- settlement ----------------------------------------------------------------------------

    async def OpenSettlement(  # noqa: N802 - the name in the proto
        self, request: pb.OpenSettlementRequest, context: Context
    ) -> pb.Settlement:
        check = Check()
        pool, month = self._requests.run(check, request.pool, request.month)
        call = private_call(check, request, context, self._parts.keys)
        return await self._settlements.open(call, pool, month)

    async def FreezeSettlement(  # noqa: N802 - the name in the proto
        self, request: pb.FreezeSettlementRequest, context: Context
    ) -> pb.Settlement:
        check = Check()
        pool, month = self._requests.run(check, request.pool, request.month)
        call = private_call(check, request, context, self._parts.keys)
        try:
            wait = _time_of(context, _FACTS_SHARE)
            return await self._settlements.freeze(call, pool, month, wait)
        except TimeoutError:
            await self._not_there_yet(context)

    async def DetermineBenefits(  # noqa: N802 - the name in the proto
        self, request: pb.DetermineBenefitsRequest, context: Context
    ) -> pb.DetermineBenefitsResponse:
        check = Check()
        pool, month = self._requests.run(check, request.pool, request.month)
        after = check.optional_uuid("after_person", request.after_person)
        size = self._requests.chunk_size(check, request.chunk_size)
        call = private_call(check, request, context, self._parts.keys)
        return await self._settlements.determine(call, pool, month, after=after, size=size)

    async def CloseSettlement(  # noqa: N802 - the name in the proto
        self, request: pb.CloseSettlementRequest, context: Context
    ) -> pb.Settlement:
        check = Check()
        pool, month = self._requests.run(check, request.pool, request.month)
        call = private_call(check, request, context, self._parts.keys)
        return await self._settlements.close(call, pool, month, _time_of(context))

    async def GetSettlement(  # noqa: N802 - the name in the proto
        self, request: pb.GetSettlementRequest, _context: Context
    ) -> pb.Settlement:
        check = Check()
        pool, month = self._requests.run(check, request.pool, request.month)
        moment = known_at(check, request, self._parts.clock)
        check.done()
        return await self._settlements.settlement(pool, month, moment)

    async def ListSettlements(  # noqa: N802 - the name in the proto
        self, request: pb.ListSettlementsRequest, _context: Context
    ) -> pb.ListSettlementsResponse:
        check = Check()
        pool = self._requests.pool(check, request.pool)
        check.done()
        page = page_of(request)
        after = str(page.after[0]) if page.after else None
        found = await self._readers.lists.months(pool, after=after, limit=page.size + 1)
        given = found[: page.size]
        return pb.ListSettlementsResponse(
            settlements=await self._settlements.settlements(pool, given),
            next_page_token=page.next_token([str(given[-1])]) if len(found) > page.size else "",
        )

    async def ListBenefits(  # noqa: N802 - the name in the proto
        self, request: pb.ListBenefitsRequest, context: Context
    ) -> pb.ListBenefitsResponse:
        check = Check()
        pool = self._requests.pool(check, request.pool)
        person = check.optional_uuid("person", request.person)
        month: Month | None = check.optional_month("month", request.month)
        moment = known_at(check, request, self._parts.clock)
        check.done()
        page = page_of(request)
        after = (str(page.after[0]), UUID(str(page.after[1]))) if page.after else None
        upto = None if moment is None else await self._parts.store.position_at(moment)
        if upto is not None:
            await self._readers.benefits.wait_for(upto, _time_of(context))
        found = await self._readers.benefits.page(
            pool, person=person, month=month, after=after, limit=page.size + 1, upto=upto
        )
        given = found[: page.size]
        more = len(found) > page.size
        return pb.ListBenefitsResponse(
            benefits=map(wire.benefit, given),
            next_page_token=page.next_token([str(given[-1].month), str(given[-1].person)])
            if more
            else "",
        )

    # -- payment -------------------------------------------------------------------------------

    async def SendInstructions(  # noqa: N802 - the name in the proto
        self, request: pb.SendInstructionsRequest, context: Context
    ) -> pb.BatchProgress:
        batch = _batch(request)
        return await self._payments.send(actor_of(context), batch, _time_of(context))

    async def EnquireInstructions(  # noqa: N802 - the name in the proto
        self, request: pb.EnquireInstructionsRequest, context: Context
    ) -> pb.BatchProgress:
        batch = _batch(request)
        return await self._payments.enquire(actor_of(context), batch, _time_of(context))

    async def ReissueInstructions(  # noqa: N802 - the name in the proto
        self, request: pb.ReissueInstructionsRequest, context: Context
    ) -> pb.BatchProgress:
        batch = _batch(request)
        return await self._payments.reissue(actor_of(context), batch, _time_of(context))

    async def ListInstructions(  # noqa: N802 - the name in the proto
        self, request: pb.ListInstructionsRequest, _context: Context
    ) -> pb.ListInstructionsResponse:
        check = Check()
        pool = self._requests.pool(check, request.pool)
        batch = check.optional_uuid("batch", request.batch)
        check.done()
        page = page_of(request)
        after = (str(page.after[0]), UUID(str(page.after[1]))) if page.after else None
        found = await self._readers.instructions.page(
            pool, batch=batch, after=after, limit=page.size + 1
        )
        given = found[: page.size]
        last = given[-1].told if len(found) > page.size else None
        return pb.ListInstructionsResponse(
            instructions=map(wire.instruction, given),
            next_page_token=page.next_token([str(last.settled_month), str(last.instruction)])
            if last
            else "",
        )

    async def RecordTransfer(  # noqa: N802 - the name in the proto
        self, request: pb.RecordTransferRequest, context: Context
    ) -> pb.Transfer:
        check = Check()
        entry = self._requests.transfer(check, request)
        call = private_call(check, request, context, self._parts.keys)
        return await self._fund.record(call, entry)

    async def GetFund(  # noqa: N802 - the name in the proto
        self, request: pb.GetFundRequest, context: Context
    ) -> pb.Fund:
        check = Check()
        pool = self._requests.pool(check, request.pool)
        day = as_of(check, request)
        moment = known_at(check, request, self._parts.clock)
        check.done()
        reader, store = self._readers.balances, self._parts.store
        upto = None if moment is None else await store.position_at(moment)
        reach = (await store.head()).position if upto is None else upto
        await reader.wait_for(reach, _time_of(context))
        if day is None and upto is None:
            return wire.fund(pool, *await reader.balances(pool))
        return wire.fund(pool, *await reader.balances_at(pool, as_of=day, upto=upto))

    async def _not_there_yet(self, context: Context) -> NoReturn:
        status = status_of(_FACTS_NOT_THERE_YET, f"{self._parts.name}.ltci")
        await context.abort_with_status(rpc_status.to_status(status))
        raise AssertionError("abort raises")


def _batch(
    request: pb.SendInstructionsRequest
    | pb.EnquireInstructionsRequest
    | pb.ReissueInstructionsRequest,
) -> UUID:
    check = Check()
    batch = check.uuid("batch", request.batch)
    check.uuid("request_id", request.request_id)
    check.done()
    return batch


def _time_of(context: Context, share: float = _MARGIN) -> float:
    """Seconds that this call may wait for others."""
    left = context.time_remaining()
    return (DEFAULT_DEADLINE if left is None else min(left, DEFAULT_DEADLINE)) * share
