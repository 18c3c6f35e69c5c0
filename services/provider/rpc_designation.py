"""`DesignationService` and `SanctionService` on the wire: they translate and nothing else."""

from collections.abc import Sequence

import grpc
from ltci.provider.v1 import designation_service_pb2 as pb
from ltci.provider.v1 import designation_service_pb2_grpc, sanction_service_pb2_grpc
from ltci.provider.v1 import sanction_service_pb2 as sanctions

from kernel.rpc.around import Context
from kernel.rpc.paging import page_of
from kernel.rpc.private import private_call
from kernel.rpc.two_times import known_at
from kernel.rpc.validate import Check
from kernel.service import Parts
from services.provider.application.carers import Carers
from services.provider.application.designations import Designations
from services.provider.application.grounds import GroundsReader
from services.provider.application.handovers import Handovers
from services.provider.application.plans import PlanOwners
from services.provider.register import RegisterReader
from services.provider.requests_designation import DesignationRequests

DESIGNATION = pb.DESCRIPTOR.services_by_name["DesignationService"].full_name
SANCTION = sanctions.DESCRIPTOR.services_by_name["SanctionService"].full_name


class DesignationServicer(designation_service_pb2_grpc.DesignationServiceServicer):
    """The methods of `protos/ltci/provider/v1/designation_service.proto`."""

    def __init__(self, parts: Parts, register: RegisterReader, grounds: GroundsReader) -> None:
        self._keys = parts.keys
        self._clock = parts.clock
        self._read = DesignationRequests(parts.keys, parts.packs, parts.clock)
        self._designations = Designations(parts.handler, grounds, grounds.facts)
        self._register = register

    def add_to(self, server: grpc.aio.Server) -> Sequence[str]:
        designation_service_pb2_grpc.add_DesignationServiceServicer_to_server(self, server)
        return [DESIGNATION]

    async def ApplyForDesignation(  # noqa: N802 - the name in the proto
        self, request: pb.ApplyForDesignationRequest, context: Context
    ) -> pb.Designation:
        check = Check()
        command = self._read.application(check, request)
        call = private_call(check, request, context, self._keys)
        return await self._designations.apply(call, command)

    async def ReviewDesignation(  # noqa: N802 - the name in the proto
        self, request: pb.ReviewDesignationRequest, context: Context
    ) -> pb.Designation:
        check = Check()
        review = self._read.review(check, request)
        call = private_call(check, request, context, self._keys)
        return await self._designations.review(call, review)

    async def PublishDesignation(  # noqa: N802 - the name in the proto
        self, request: pb.PublishDesignationRequest, context: Context
    ) -> pb.Designation:
        check = Check()
        application, first = self._read.publication(check, request)
        call = private_call(check, request, context, self._keys)
        return await self._designations.publish(call, application, first)

    async def SignAgreement(  # noqa: N802 - the name in the proto
        self, request: pb.SignAgreementRequest, context: Context
    ) -> pb.Agreement:
        check = Check()
        wanted = self._read.signing(check, request)
        call = private_call(check, request, context, self._keys)
        return await self._designations.sign(call, wanted)

    async def GetDesignation(  # noqa: N802 - the name in the proto
        self, request: pb.GetDesignationRequest, _context: Context
    ) -> pb.Designation:
        check = Check()
        application = check.uuid("application", request.application)
        moment = known_at(check, request, self._clock)
        check.done()
        return await self._designations.find(application, moment)

    async def ListAgreements(  # noqa: N802 - the name in the proto
        self, request: pb.ListAgreementsRequest, _context: Context
    ) -> pb.ListAgreementsResponse:
        check = Check()
        pool = self._read.pool(check, request.pool)
        operator = request.operator_code
        if operator:
            operator = check.social_credit_code("operator_code", operator)
        check.done()
        page = page_of(request)
        found = await self._register.agreements(pool, operator, page.after, page.size + 1)
        rows, more = found[: page.size], len(found) > page.size
        token = page.next_token((rows[-1].agreement,)) if more else ""
        return pb.ListAgreementsResponse(agreements=rows, next_page_token=token)

    async def RequestExit(  # noqa: N802 - the name in the proto
        self, request: pb.RequestExitRequest, context: Context
    ) -> pb.Standing:
        check = Check()
        provider, asked = self._read.exit(check, request)
        call = private_call(check, request, context, self._keys)
        return await self._designations.leave(call, provider, asked, self._clock.today())

    async def EndAgreement(  # noqa: N802 - the name in the proto
        self, request: pb.EndAgreementRequest, context: Context
    ) -> pb.Standing:
        check = Check()
        command = self._read.ending(check, request)
        call = private_call(check, request, context, self._keys)
        return await self._designations.change(call, command, self._clock.today())

    async def OrderAppraisal(  # noqa: N802 - the name in the proto
        self, request: pb.OrderAppraisalRequest, context: Context
    ) -> pb.Standing:
        check = Check()
        command = self._read.appraisal_order(check, request)
        call = private_call(check, request, context, self._keys)
        return await self._designations.change(call, command, self._clock.today())

    async def RecordAppraisal(  # noqa: N802 - the name in the proto
        self, request: pb.RecordAppraisalRequest, context: Context
    ) -> pb.Standing:
        check = Check()
        command = self._read.appraisal(check, request)
        call = private_call(check, request, context, self._keys)
        return await self._designations.change(call, command, self._clock.today())

    async def GetStanding(  # noqa: N802 - the name in the proto
        self, request: pb.GetStandingRequest, _context: Context
    ) -> pb.Standing:
        check = Check()
        provider = check.uuid("provider", request.provider)
        day = check.optional_date("on_date", request.on_date) or self._clock.today()
        moment = known_at(check, request, self._clock)
        check.done()
        return await self._designations.standing(provider, day, moment)


class SanctionServicer(sanction_service_pb2_grpc.SanctionServiceServicer):
    """The methods of `protos/ltci/provider/v1/sanction_service.proto`."""

    def __init__(
        self,
        parts: Parts,
        register: RegisterReader,
        owners: PlanOwners,
        grounds: GroundsReader,
    ) -> None:
        self._keys = parts.keys
        self._clock = parts.clock
        self._read = DesignationRequests(parts.keys, parts.packs, parts.clock)
        self._designations = Designations(parts.handler, grounds, grounds.facts)
        self._carers = Carers(parts.handler, parts.packs, owners)
        self._handovers = Handovers(parts.handler, register.running_plans)

    def add_to(self, server: grpc.aio.Server) -> Sequence[str]:
        sanction_service_pb2_grpc.add_SanctionServiceServicer_to_server(self, server)
        return [SANCTION]

    async def ImposeSanction(  # noqa: N802 - the name in the proto
        self, request: sanctions.ImposeSanctionRequest, context: Context
    ) -> pb.Standing:
        check = Check()
        command = self._read.sanction(check, request)
        call = private_call(check, request, context, self._keys)
        return await self._designations.change(call, command, self._clock.today())

    async def LiftSanction(  # noqa: N802 - the name in the proto
        self, request: sanctions.LiftSanctionRequest, context: Context
    ) -> pb.Standing:
        check = Check()
        command = self._read.lifting(check, request)
        call = private_call(check, request, context, self._keys)
        return await self._designations.change(call, command, self._clock.today())

    async def BarPerson(  # noqa: N802 - the name in the proto
        self, request: sanctions.BarPersonRequest, context: Context
    ) -> sanctions.Bar:
        check = Check()
        asked = self._read.barring(check, request)
        call = private_call(check, request, context, self._keys)
        return await self._carers.bar(call, asked)

    async def RestorePerson(  # noqa: N802 - the name in the proto
        self, request: sanctions.RestorePersonRequest, context: Context
    ) -> sanctions.Bar:
        check = Check()
        command = self._read.restoring(check, request)
        call = private_call(check, request, context, self._keys)
        return await self._carers.restore(call, command)

    async def HandOverPlans(  # noqa: N802 - the name in the proto
        self, request: sanctions.HandOverPlansRequest, context: Context
    ) -> sanctions.HandOverPlansResponse:
        check = Check()
        provider, day, receivers = self._read.handover(check, request)
        call = private_call(check, request, context, self._keys)
        return await self._handovers.hand_over(call, provider, day, receivers)
