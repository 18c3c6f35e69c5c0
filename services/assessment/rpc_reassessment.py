"""`ReassessmentService` on the wire: it translates and nothing else."""

from collections.abc import Sequence

import grpc
from ltci.assessment.v1 import reassessment_service_pb2 as pb
from ltci.assessment.v1 import reassessment_service_pb2_grpc as pb_grpc

from kernel.rpc.around import Context
from kernel.rpc.private import private_call
from kernel.rpc.validate import Check
from kernel.rules.pack import Pack
from kernel.service import Parts
from services.assessment import dispute_wire as wire
from services.assessment.application import Assessment
from services.assessment.dispute_requests import DisputeRequests
from services.assessment.domain.applicant import Applicant


class ReassessmentServicer(pb_grpc.ReassessmentServiceServicer):
    """The methods of `protos/ltci/assessment/v1/reassessment_service.proto`."""

    def __init__(self, parts: Parts, assessment: Assessment) -> None:
        self._keys = parts.keys
        self._requests = DisputeRequests(parts.keys, parts.packs, parts.clock)
        self._assessment = assessment

    def add_to(self, server: grpc.aio.Server) -> Sequence[str]:
        pb_grpc.add_ReassessmentServiceServicer_to_server(self, server)
        return [pb.DESCRIPTOR.services_by_name["ReassessmentService"].full_name]

    async def OrderSpotCheck(  # noqa: N802 - the name in the proto
        self, request: pb.OrderSpotCheckRequest, context: Context
    ) -> pb.SpotCheck:
        check = Check()
        told = self._requests.order_spot_check(check, request)
        call = private_call(check, request, context, self._keys)
        return await self._assessment.order_spot_check(call, told)

    async def RefuseReassessment(  # noqa: N802 - the name in the proto
        self, request: pb.RefuseReassessmentRequest, context: Context
    ) -> pb.ReassessmentStop:
        check = Check()
        command = self._requests.refuse_reassessment(check, request)
        call = private_call(check, request, context, self._keys)

        def tell(applicant: Applicant, _pack: Pack) -> pb.ReassessmentStop:
            stop = applicant.disputed(command.application).stop
            assert stop is not None  # noqa: S101 - it was recorded now or before
            return wire.stop(stop)

        return await self._assessment.carry_out(call, command, tell, pb.ReassessmentStop)
