"""`AssignmentService` on the wire: it translates and nothing else."""

from collections.abc import Sequence

import grpc
from ltci.assessment.v1 import assessment_service_pb2
from ltci.assessment.v1 import assignment_service_pb2 as pb
from ltci.assessment.v1 import assignment_service_pb2_grpc as pb_grpc

from kernel.rpc.around import Context
from kernel.rpc.paging import page_of
from kernel.rpc.private import private_call
from kernel.rpc.validate import Check
from kernel.service import Parts
from services.assessment.assigning import Assigning, told
from services.assessment.intake_requests import IntakeRequests

SERVICE = pb.DESCRIPTOR.services_by_name["AssignmentService"].full_name


class AssignmentServicer(pb_grpc.AssignmentServiceServicer):
    """The methods of `protos/ltci/assessment/v1/assignment_service.proto`."""

    def __init__(self, parts: Parts, assigning: Assigning) -> None:
        self._keys = parts.keys
        self._requests = IntakeRequests(parts.packs, parts.clock)
        self._assigning = assigning

    def add_to(self, server: grpc.aio.Server) -> Sequence[str]:
        pb_grpc.add_AssignmentServiceServicer_to_server(self, server)
        return [SERVICE]

    async def CommitDrawSeed(  # noqa: N802 - the name in the proto
        self, request: pb.CommitDrawSeedRequest, context: Context
    ) -> pb.DrawDay:
        check = Check()
        pool, day = self._requests.draw_day(check, request.pool, request.drawn_date)
        call = private_call(check, request, context, self._keys)
        return await self._assigning.commit(call, pool, day)

    async def AssignAssessors(  # noqa: N802 - the name in the proto
        self, request: pb.AssignAssessorsRequest, context: Context
    ) -> assessment_service_pb2.Application:
        check = Check()
        wish, asked = self._requests.assign(check, request)
        call = private_call(check, request, context, self._keys)
        return await self._assigning.draw(call, wish, asked)

    async def ReplaceAssessor(  # noqa: N802 - the name in the proto
        self, request: pb.ReplaceAssessorRequest, context: Context
    ) -> assessment_service_pb2.Application:
        check = Check()
        wish, asked = self._requests.replace(check, request)
        call = private_call(check, request, context, self._keys)
        return await self._assigning.draw(call, wish, asked)

    async def RevealDrawSeed(  # noqa: N802 - the name in the proto
        self, request: pb.RevealDrawSeedRequest, context: Context
    ) -> pb.DrawDay:
        check = Check()
        pool, day = self._requests.draw_day(check, request.pool, request.drawn_date)
        call = private_call(check, request, context, self._keys)
        return await self._assigning.reveal(call, pool, day)

    async def ListDraws(  # noqa: N802 - the name in the proto
        self, request: pb.ListDrawsRequest, _context: Context
    ) -> pb.ListDrawsResponse:
        check = Check()
        pool, day = self._requests.draw_day(check, request.pool, request.drawn_date)
        check.done()
        page = page_of(request)
        first = int(page.after[0]) if page.after else 0
        state = await self._assigning.day(pool, day)
        made = state.made[first : first + page.size]
        more = first + page.size < len(state.made)
        return pb.ListDrawsResponse(
            day=told(pool, day, state),
            draws=await self._assigning.outcomes(made),
            next_page_token=page.next_token((made[-1].number,)) if more else "",
        )
