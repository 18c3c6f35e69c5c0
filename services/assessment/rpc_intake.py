"""`IntakeService` and `OnSiteService` on the wire: they translate and nothing else."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import grpc
from google.protobuf.message import Message
from ltci.assessment.v1 import assessment_service_pb2
from ltci.assessment.v1 import intake_service_pb2 as pb
from ltci.assessment.v1 import intake_service_pb2_grpc as pb_grpc
from ltci.assessment.v1 import on_site_service_pb2 as on_site
from ltci.assessment.v1 import on_site_service_pb2_grpc as on_site_grpc

from kernel.eventstore.keys import KeyRing
from kernel.rpc.around import Context
from kernel.rpc.paging import page_of
from kernel.rpc.private import private_call
from kernel.rpc.validate import Check
from kernel.service import Parts
from services.assessment.application import Assessment
from services.assessment.domain.decider import Command
from services.assessment.intake_requests import IntakeRequests
from services.assessment.register_lists import RegisterReader
from services.assessment.register_requests import RegisterRequests
from services.assessment.registers import Registers

INTAKE = pb.DESCRIPTOR.services_by_name["IntakeService"].full_name
ON_SITE = on_site.DESCRIPTOR.services_by_name["OnSiteService"].full_name
Q = TypeVar("Q", bound=Message)


class _Obeying:
    """What both do with a command on an application."""

    def __init__(self, keys: KeyRing, assessment: Assessment) -> None:
        self._keys = keys
        self._assessment = assessment

    async def obey(
        self, read: Callable[[Check, Q], Command], request: Q, context: Context
    ) -> assessment_service_pb2.Application:
        check = Check()
        command = read(check, request)
        call = private_call(check, request, context, self._keys)
        return await self._assessment.obey(call, command)


class IntakeServicer(pb_grpc.IntakeServiceServicer):
    """The methods of `protos/ltci/assessment/v1/intake_service.proto`."""

    def __init__(
        self, parts: Parts, assessment: Assessment, registers: Registers, reader: RegisterReader
    ) -> None:
        self._keys = parts.keys
        self._points = RegisterRequests(parts.keys, parts.packs, parts.clock)
        self._requests = IntakeRequests(parts.packs, parts.clock)
        self._applications = _Obeying(parts.keys, assessment)
        self._registers = registers
        self._reader = reader

    def add_to(self, server: grpc.aio.Server) -> Sequence[str]:
        pb_grpc.add_IntakeServiceServicer_to_server(self, server)
        return [INTAKE]

    async def RegisterServicePoint(  # noqa: N802 - the name in the proto
        self, request: pb.RegisterServicePointRequest, context: Context
    ) -> pb.ServicePoint:
        check = Check()
        command = self._points.point(check, request)
        call = private_call(check, request, context, self._keys)
        return await self._registers.register_point(call, command)

    async def ListServicePoints(  # noqa: N802 - the name in the proto
        self, request: pb.ListServicePointsRequest, _context: Context
    ) -> pb.ListServicePointsResponse:
        check = Check()
        pool = self._points.pool(check, request.pool)
        check.done()
        page = page_of(request)
        after = str(page.after[0]) if page.after else ""
        found = await self._reader.points(pool, after, page.size + 1)
        rows, more = found[: page.size], len(found) > page.size
        return pb.ListServicePointsResponse(
            service_points=await self._registers.points(pool, [name for _, name in rows]),
            next_page_token=page.next_token((rows[-1][0],)) if more else "",
        )

    async def RecheckSelfAssessment(  # noqa: N802 - the name in the proto
        self, request: pb.RecheckSelfAssessmentRequest, context: Context
    ) -> assessment_service_pb2.Application:
        return await self._applications.obey(self._requests.recheck, request, context)


class OnSiteServicer(on_site_grpc.OnSiteServiceServicer):
    """The methods of `protos/ltci/assessment/v1/on_site_service.proto`."""

    def __init__(self, parts: Parts, assessment: Assessment) -> None:
        self._requests = IntakeRequests(parts.packs, parts.clock)
        self._applications = _Obeying(parts.keys, assessment)

    def add_to(self, server: grpc.aio.Server) -> Sequence[str]:
        on_site_grpc.add_OnSiteServiceServicer_to_server(self, server)
        return [ON_SITE]

    async def SettleItem(  # noqa: N802 - the name in the proto
        self, request: on_site.SettleItemRequest, context: Context
    ) -> assessment_service_pb2.Application:
        return await self._applications.obey(self._requests.settle, request, context)

    async def ChangeGrade(  # noqa: N802 - the name in the proto
        self, request: on_site.ChangeGradeRequest, context: Context
    ) -> assessment_service_pb2.Application:
        return await self._applications.obey(self._requests.change, request, context)

    async def TerminateAssessment(  # noqa: N802 - the name in the proto
        self, request: on_site.TerminateAssessmentRequest, context: Context
    ) -> assessment_service_pb2.Application:
        return await self._applications.obey(self._requests.terminate, request, context)
