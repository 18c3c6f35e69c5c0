"""`AssessmentService` on the wire: it translates and nothing else."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import TypeVar
from uuid import UUID

import grpc
from google.protobuf.message import Message
from ltci.assessment.v1 import assessment_service_pb2 as pb
from ltci.assessment.v1 import assessment_service_pb2_grpc as pb_grpc

from kernel.rpc.around import Context
from kernel.rpc.paging import page_of
from kernel.rpc.private import private_call
from kernel.rpc.two_times import known_at
from kernel.rpc.validate import Check
from kernel.service import Parts
from services.assessment.application import Assessment
from services.assessment.domain.decider import Command
from services.assessment.projections import ApplicationsReader
from services.assessment.requests import Requests

SERVICE = pb.DESCRIPTOR.services_by_name["AssessmentService"].full_name
Q = TypeVar("Q", bound=Message)


class AssessmentServicer(pb_grpc.AssessmentServiceServicer):
    """The methods of `protos/ltci/assessment/v1/assessment_service.proto`."""

    def __init__(self, parts: Parts, assessment: Assessment, reader: ApplicationsReader) -> None:
        self._keys = parts.keys
        self._clock = parts.clock
        self._requests = Requests(parts.keys, parts.packs, parts.clock)
        self._assessment = assessment
        self._reader = reader

    def add_to(self, server: grpc.aio.Server) -> Sequence[str]:
        pb_grpc.add_AssessmentServiceServicer_to_server(self, server)
        return [SERVICE]

    async def SubmitApplication(  # noqa: N802 - the name in the proto
        self, request: pb.SubmitApplicationRequest, context: Context
    ) -> pb.Application:
        return await self._obey(self._requests.submit, request, context)

    async def SupplyPapers(  # noqa: N802 - the name in the proto
        self, request: pb.SupplyPapersRequest, context: Context
    ) -> pb.Application:
        return await self._obey(self._requests.supply, request, context)

    async def WithdrawApplication(  # noqa: N802 - the name in the proto
        self, request: pb.WithdrawApplicationRequest, context: Context
    ) -> pb.Application:
        return await self._obey(self._requests.withdraw, request, context)

    async def RefuseApplication(  # noqa: N802 - the name in the proto
        self, request: pb.RefuseApplicationRequest, context: Context
    ) -> pb.Application:
        return await self._obey(self._requests.refuse, request, context)

    async def RecordOnSite(  # noqa: N802 - the name in the proto
        self, request: pb.RecordOnSiteRequest, context: Context
    ) -> pb.Application:
        return await self._obey(self._requests.record, request, context)

    async def ConfirmConclusion(  # noqa: N802 - the name in the proto
        self, request: pb.ConfirmConclusionRequest, context: Context
    ) -> pb.Application:
        return await self._obey(self._requests.confirm, request, context)

    async def PublishConclusion(  # noqa: N802 - the name in the proto
        self, request: pb.PublishConclusionRequest, context: Context
    ) -> pb.Application:
        return await self._obey(self._requests.publish, request, context)

    async def DeliverConclusion(  # noqa: N802 - the name in the proto
        self, request: pb.DeliverConclusionRequest, context: Context
    ) -> pb.Application:
        return await self._obey(self._requests.deliver, request, context)

    async def OrderReassessment(  # noqa: N802 - the name in the proto
        self, request: pb.OrderReassessmentRequest, context: Context
    ) -> pb.Reassessment:
        check = Check()
        told = self._requests.order(check, request)
        call = private_call(check, request, context, self._keys)
        return await self._assessment.order_reassessment(call, told)

    async def GetApplication(  # noqa: N802 - the name in the proto
        self, request: pb.GetApplicationRequest, _context: Context
    ) -> pb.Application:
        check = Check()
        application = self._requests.application(check, request.application)
        moment = known_at(check, request, self._clock)
        check.done()
        return await self._assessment.application(application, moment)

    async def ListApplications(  # noqa: N802 - the name in the proto
        self, request: pb.ListApplicationsRequest, _context: Context
    ) -> pb.ListApplicationsResponse:
        check = Check()
        pool = self._requests.pool(check, request.pool)
        person = check.optional_uuid("person", request.person)
        check.done()
        page = page_of(request)
        after = None
        if page.after:
            after = date.fromisoformat(str(page.after[0])), UUID(str(page.after[1]))
        found = await self._reader.page(pool, person, after=after, limit=page.size + 1)
        given, token = found[: page.size], ""
        if len(found) > page.size:
            token = page.next_token([str(given[-1].application_date), str(given[-1].application)])
        return pb.ListApplicationsResponse(
            applications=await self._assessment.applications(given), next_page_token=token
        )

    async def _obey(
        self, read: Callable[[Check, Q], Command], request: Q, context: Context
    ) -> pb.Application:
        check = Check()
        command = read(check, request)
        call = private_call(check, request, context, self._keys)
        return await self._assessment.obey(call, command)
