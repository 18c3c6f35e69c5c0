"""`AssessorService` on the wire: it translates and nothing else."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import grpc
from google.protobuf.message import Message
from ltci.assessment.v1 import assessor_service_pb2 as pb
from ltci.assessment.v1 import assessor_service_pb2_grpc as pb_grpc

from kernel.rpc.around import Context
from kernel.rpc.paging import page_of
from kernel.rpc.private import private_call
from kernel.rpc.validate import Check
from kernel.service import Parts
from services.assessment.domain import assessor as a
from services.assessment.domain import body as b
from services.assessment.register_lists import RegisterReader
from services.assessment.register_requests import RegisterRequests
from services.assessment.registers import Registers

SERVICE = pb.DESCRIPTOR.services_by_name["AssessorService"].full_name
Q = TypeVar("Q", bound=Message)


class AssessorServicer(pb_grpc.AssessorServiceServicer):
    """The methods of `protos/ltci/assessment/v1/assessor_service.proto`."""

    def __init__(self, parts: Parts, registers: Registers, reader: RegisterReader) -> None:
        self._keys = parts.keys
        self._read = RegisterRequests(parts.keys, parts.packs, parts.clock)
        self._registers = registers
        self._reader = reader

    def add_to(self, server: grpc.aio.Server) -> Sequence[str]:
        pb_grpc.add_AssessorServiceServicer_to_server(self, server)
        return [SERVICE]

    async def DesignateBody(  # noqa: N802 - the name in the proto
        self, request: pb.DesignateBodyRequest, context: Context
    ) -> pb.AssessmentBody:
        return await self._on_body(self._read.designate, request, context)

    async def SuspendBody(  # noqa: N802 - the name in the proto
        self, request: pb.SuspendBodyRequest, context: Context
    ) -> pb.AssessmentBody:
        return await self._on_body(self._read.suspend, request, context)

    async def RestoreBody(  # noqa: N802 - the name in the proto
        self, request: pb.RestoreBodyRequest, context: Context
    ) -> pb.AssessmentBody:
        return await self._on_body(self._read.restore, request, context)

    async def EndBody(  # noqa: N802 - the name in the proto
        self, request: pb.EndBodyRequest, context: Context
    ) -> pb.AssessmentBody:
        return await self._on_body(self._read.end, request, context)

    async def RegisterAssessor(  # noqa: N802 - the name in the proto
        self, request: pb.RegisterAssessorRequest, context: Context
    ) -> pb.Assessor:
        check = Check()
        command = self._read.register(check, request)
        call = private_call(check, request, context, self._keys)
        return await self._registers.register_assessor(call, command)

    async def BarAssessor(  # noqa: N802 - the name in the proto
        self, request: pb.BarAssessorRequest, context: Context
    ) -> pb.Assessor:
        return await self._on_assessor(self._read.bar, request, context)

    async def RestoreAssessor(  # noqa: N802 - the name in the proto
        self, request: pb.RestoreAssessorRequest, context: Context
    ) -> pb.Assessor:
        return await self._on_assessor(self._read.unbar, request, context)

    async def DeclareTie(  # noqa: N802 - the name in the proto
        self, request: pb.DeclareTieRequest, context: Context
    ) -> pb.Assessor:
        return await self._on_assessor(self._read.tie, request, context)

    async def ListBodies(  # noqa: N802 - the name in the proto
        self, request: pb.ListBodiesRequest, _context: Context
    ) -> pb.ListBodiesResponse:
        check = Check()
        pool = self._read.pool(check, request.pool)
        check.done()
        page = page_of(request)
        after = str(page.after[0]) if page.after else ""
        found = await self._reader.bodies(pool, after, page.size + 1)
        rows, more = found[: page.size], len(found) > page.size
        return pb.ListBodiesResponse(
            bodies=await self._registers.bodies(pool, rows),
            next_page_token=page.next_token((str(rows[-1]),)) if more else "",
        )

    async def ListAssessors(  # noqa: N802 - the name in the proto
        self, request: pb.ListAssessorsRequest, _context: Context
    ) -> pb.ListAssessorsResponse:
        check = Check()
        pool = self._read.pool(check, request.pool)
        check.done()
        page = page_of(request)
        after = str(page.after[0]) if page.after else ""
        found = await self._reader.assessors(pool, after, page.size + 1)
        rows, more = found[: page.size], len(found) > page.size
        return pb.ListAssessorsResponse(
            assessors=await self._registers.assessors(pool, rows),
            next_page_token=page.next_token((rows[-1],)) if more else "",
        )

    async def _on_body(
        self, read: Callable[[Check, Q], b.BodyCommand], request: Q, context: Context
    ) -> pb.AssessmentBody:
        check = Check()
        command = read(check, request)
        call = private_call(check, request, context, self._keys)
        return await self._registers.change_body(call, command)

    async def _on_assessor(
        self,
        read: Callable[[Check, Q], a.BarAssessor | a.RestoreAssessor | a.DeclareTie],
        request: Q,
        context: Context,
    ) -> pb.Assessor:
        check = Check()
        command = read(check, request)
        call = private_call(check, request, context, self._keys)
        return await self._registers.change_assessor(call, command)
