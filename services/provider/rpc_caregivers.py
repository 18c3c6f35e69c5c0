"""`CaregiverService` on the wire: it translates and nothing else."""

from collections.abc import Sequence

import grpc
from ltci.provider.v1 import caregiver_service_pb2 as pb
from ltci.provider.v1 import caregiver_service_pb2_grpc

from kernel.rpc.around import Context
from kernel.rpc.private import private_call
from kernel.rpc.two_times import known_at
from kernel.rpc.validate import Check
from kernel.service import Parts
from services.provider.application.carers import Carers, Matching
from services.provider.application.plans import PlanOwners
from services.provider.register import RegisterReader
from services.provider.requests_caregivers import CaregiverRequests

CAREGIVER = pb.DESCRIPTOR.services_by_name["CaregiverService"].full_name


class CaregiverServicer(caregiver_service_pb2_grpc.CaregiverServiceServicer):
    """The methods of `protos/ltci/provider/v1/caregiver_service.proto`."""

    def __init__(self, parts: Parts, register: RegisterReader, owners: PlanOwners) -> None:
        self._keys = parts.keys
        self._clock = parts.clock
        self._read = CaregiverRequests(parts.keys, parts.packs, parts.clock)
        self._carers = Carers(parts.handler, parts.packs, owners)
        self._matching = Matching(parts.handler, register)

    def add_to(self, server: grpc.aio.Server) -> Sequence[str]:
        caregiver_service_pb2_grpc.add_CaregiverServiceServicer_to_server(self, server)
        return [CAREGIVER]

    async def RecordExamination(  # noqa: N802 - the name in the proto
        self, request: pb.RecordExaminationRequest, context: Context
    ) -> pb.CaregiverRecord:
        check = Check()
        command = self._read.examination(check, request)
        call = private_call(check, request, context, self._keys)
        return await self._carers.record(call, command, self._clock.today())

    async def RevokeCertificate(  # noqa: N802 - the name in the proto
        self, request: pb.RevokeCertificateRequest, context: Context
    ) -> pb.CaregiverRecord:
        check = Check()
        command = self._read.revocation(check, request)
        call = private_call(check, request, context, self._keys)
        return await self._carers.record(call, command, self._clock.today())

    async def RecordTraining(  # noqa: N802 - the name in the proto
        self, request: pb.RecordTrainingRequest, context: Context
    ) -> pb.CaregiverRecord:
        check = Check()
        command = self._read.training(check, request)
        call = private_call(check, request, context, self._keys)
        return await self._carers.record(call, command, self._clock.today())

    async def SetProfile(  # noqa: N802 - the name in the proto
        self, request: pb.SetProfileRequest, context: Context
    ) -> pb.CaregiverRecord:
        check = Check()
        command = self._read.profile(check, request)
        call = private_call(check, request, context, self._keys)
        return await self._carers.record(call, command, self._clock.today())

    async def EngageFamilyCarer(  # noqa: N802 - the name in the proto
        self, request: pb.EngageFamilyCarerRequest, context: Context
    ) -> pb.CaregiverRecord:
        check = Check()
        asked = self._read.engagement(check, request)
        call = private_call(check, request, context, self._keys)
        return await self._carers.engage(call, asked, self._clock.today())

    async def AssignCaregiver(  # noqa: N802 - the name in the proto
        self, request: pb.AssignCaregiverRequest, context: Context
    ) -> pb.CaregiverRecord:
        check = Check()
        asked = self._read.assignment(check, request)
        call = private_call(check, request, context, self._keys)
        return await self._carers.assign(call, *asked, self._clock.today())

    async def GetCaregiver(  # noqa: N802 - the name in the proto
        self, request: pb.GetCaregiverRequest, _context: Context
    ) -> pb.CaregiverRecord:
        check = Check()
        caregiver = check.uuid("caregiver", request.caregiver)
        moment = known_at(check, request, self._clock)
        check.done()
        return await self._carers.find(caregiver, self._clock.today(), moment)

    async def MatchCaregivers(  # noqa: N802 - the name in the proto
        self, request: pb.MatchCaregiversRequest, _context: Context
    ) -> pb.MatchCaregiversResponse:
        check = Check()
        asked = self._read.question(check, request)
        check.done()
        wanted = (asked.items, asked.minutes_a_week, asked.day)
        if asked.plan is not None:
            return await self._matching.of_plan(asked.plan, *wanted)
        return await self._matching.of_pool(asked.pool, *wanted, asked.most)
