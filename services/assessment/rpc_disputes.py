"""Objections, reviews and appeals on the wire: it translates and nothing else."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar
from uuid import UUID

import grpc
from google.protobuf.message import Message
from ltci.assessment.v1 import appeal_service_pb2 as appeal_pb
from ltci.assessment.v1 import appeal_service_pb2_grpc as appeal_grpc
from ltci.assessment.v1 import objection_service_pb2 as objection_pb
from ltci.assessment.v1 import objection_service_pb2_grpc as objection_grpc
from ltci.assessment.v1 import review_service_pb2 as review_pb
from ltci.assessment.v1 import review_service_pb2_grpc as review_grpc

from kernel.refusal import NotFound
from kernel.rpc.around import Context
from kernel.rpc.private import private_call
from kernel.rpc.validate import Check
from kernel.rules.pack import Pack
from kernel.service import Parts
from services.assessment import dispute_wire as wire
from services.assessment.application import Assessment, Tell
from services.assessment.dispute_requests import DisputeRequests, grade
from services.assessment.disputes_table import DisputesReader
from services.assessment.domain import appeal
from services.assessment.domain.applicant import Applicant
from services.assessment.domain.decider import DisputeCommand

Q = TypeVar("Q", bound=Message)
C = TypeVar("C", bound=DisputeCommand)


class _Servicer:
    """What the three have in common."""

    def __init__(self, parts: Parts, assessment: Assessment, disputes: DisputesReader) -> None:
        self._keys = parts.keys
        self._clock = parts.clock
        self._requests = DisputeRequests(parts.keys, parts.packs, parts.clock)
        self._assessment = assessment
        self._disputes = disputes


class ObjectionServicer(_Servicer, objection_grpc.ObjectionServiceServicer):
    """The methods of `protos/ltci/assessment/v1/objection_service.proto`."""

    def add_to(self, server: grpc.aio.Server) -> Sequence[str]:
        objection_grpc.add_ObjectionServiceServicer_to_server(self, server)
        return [objection_pb.DESCRIPTOR.services_by_name["ObjectionService"].full_name]

    async def FileObjection(  # noqa: N802 - the name in the proto
        self, request: objection_pb.FileObjectionRequest, context: Context
    ) -> objection_pb.Objection:
        check = Check()
        command = self._requests.file_objection(check, request)
        call = private_call(check, request, context, self._keys)
        tell = _objection(command.application, command.objection)
        return await self._assessment.carry_out(call, command, tell, objection_pb.Objection)

    async def DecideObjection(  # noqa: N802 - the name in the proto
        self, request: objection_pb.DecideObjectionRequest, context: Context
    ) -> objection_pb.Objection:
        check = Check()
        command = self._requests.decide_objection(check, request)
        call = private_call(check, request, context, self._keys)
        application = await self._disputes.application_of("objection", command.objection)
        command = replace(command, application=application)
        tell = _objection(application, command.objection)
        return await self._assessment.carry_out(call, command, tell, objection_pb.Objection)

    async def GetObjection(  # noqa: N802 - the name in the proto
        self, request: objection_pb.GetObjectionRequest, _context: Context
    ) -> objection_pb.Objection:
        check = Check()
        objection = check.uuid("objection", request.objection)
        check.done()
        application = await self._disputes.application_of("objection", objection)
        return await self._assessment.tell(application, _objection(application, objection))


class ReviewServicer(_Servicer, review_grpc.ReviewServiceServicer):
    """The methods of `protos/ltci/assessment/v1/review_service.proto`."""

    def add_to(self, server: grpc.aio.Server) -> Sequence[str]:
        review_grpc.add_ReviewServiceServicer_to_server(self, server)
        return [review_pb.DESCRIPTOR.services_by_name["ReviewService"].full_name]

    async def RequestReview(  # noqa: N802 - the name in the proto
        self, request: review_pb.RequestReviewRequest, context: Context
    ) -> review_pb.Review:
        return await self._obey(self._requests.request_review, request, context)

    async def RecordReviewForm(  # noqa: N802 - the name in the proto
        self, request: review_pb.RecordReviewFormRequest, context: Context
    ) -> review_pb.Review:
        return await self._obey(self._requests.record_form, request, context)

    async def ConfirmReview(  # noqa: N802 - the name in the proto
        self, request: review_pb.ConfirmReviewRequest, context: Context
    ) -> review_pb.Review:
        return await self._obey(self._requests.confirm, request, context)

    async def PublishReview(  # noqa: N802 - the name in the proto
        self, request: review_pb.PublishReviewRequest, context: Context
    ) -> review_pb.Review:
        return await self._obey(self._requests.publish, request, context)

    async def DeliverReview(  # noqa: N802 - the name in the proto
        self, request: review_pb.DeliverReviewRequest, context: Context
    ) -> review_pb.Review:
        return await self._obey(self._requests.deliver, request, context)

    async def GetReview(  # noqa: N802 - the name in the proto
        self, request: review_pb.GetReviewRequest, _context: Context
    ) -> review_pb.Review:
        check = Check()
        application = check.uuid("application", request.application)
        check.done()
        return await self._assessment.tell(application, _review(application))

    async def _obey(
        self, read: Callable[[Check, Q], DisputeCommand], request: Q, context: Context
    ) -> review_pb.Review:
        check = Check()
        command = read(check, request)
        call = private_call(check, request, context, self._keys)
        tell = _review(command.application)
        return await self._assessment.carry_out(call, command, tell, review_pb.Review)


class AppealServicer(_Servicer, appeal_grpc.AppealServiceServicer):
    """The methods of `protos/ltci/assessment/v1/appeal_service.proto`."""

    def add_to(self, server: grpc.aio.Server) -> Sequence[str]:
        appeal_grpc.add_AppealServiceServicer_to_server(self, server)
        return [appeal_pb.DESCRIPTOR.services_by_name["AppealService"].full_name]

    async def FileAppeal(  # noqa: N802 - the name in the proto
        self, request: appeal_pb.FileAppealRequest, context: Context
    ) -> appeal_pb.Appeal:
        check = Check()
        command = self._requests.file_appeal(check, request)
        call = private_call(check, request, context, self._keys)
        tell = _appeal(command.application, command.appeal)
        return await self._assessment.carry_out(call, command, tell, appeal_pb.Appeal)

    async def PreviewAppeal(  # noqa: N802 - the name in the proto
        self, request: appeal_pb.PreviewAppealRequest, _context: Context
    ) -> appeal_pb.ConclusionPreview:
        check = Check()
        asked = check.uuid("appeal", request.appeal)
        wanted = grade(check, request.grade)
        effective = check.date("effective_date", request.effective_date)
        check.done()
        application = await self._disputes.application_of("appeal", asked)

        def tell(applicant: Applicant, pack: Pack) -> appeal_pb.ConclusionPreview:
            disputed = applicant.disputed(application)
            appeal.find(asked, disputed)
            one, today = applicant.applications[application], self._clock.today()
            view = appeal.conclusion(one, disputed, wanted, effective, today, pack)
            return wire.preview(asked, view)

        return await self._assessment.tell(application, tell)

    async def DecideAppeal(  # noqa: N802 - the name in the proto
        self, request: appeal_pb.DecideAppealRequest, context: Context
    ) -> appeal_pb.Appeal:
        check = Check()
        command = self._requests.decide_appeal(check, request)
        call = private_call(check, request, context, self._keys)
        application = await self._disputes.application_of("appeal", command.appeal)
        command = replace(command, application=application)
        tell = _appeal(application, command.appeal)
        return await self._assessment.carry_out(call, command, tell, appeal_pb.Appeal)

    async def GetAppeal(  # noqa: N802 - the name in the proto
        self, request: appeal_pb.GetAppealRequest, _context: Context
    ) -> appeal_pb.Appeal:
        check = Check()
        asked = check.uuid("appeal", request.appeal)
        check.done()
        application = await self._disputes.application_of("appeal", asked)
        return await self._assessment.tell(application, _appeal(application, asked))


def _objection(application: UUID, objection: UUID) -> Tell[Any]:
    def tell(applicant: Applicant, _pack: Pack) -> objection_pb.Objection:
        found = applicant.disputed(application).objections.get(objection)
        if found is None:
            raise NotFound("objection", objection)
        return wire.objection(found)

    return tell


def _review(application: UUID) -> Tell[Any]:
    def tell(applicant: Applicant, _pack: Pack) -> review_pb.Review:
        one = applicant.applications[application]
        return wire.review(one, applicant.disputed(application))

    return tell


def _appeal(application: UUID, asked: UUID) -> Tell[Any]:
    def tell(applicant: Applicant, _pack: Pack) -> appeal_pb.Appeal:
        return wire.appeal(appeal.find(asked, applicant.disputed(application)))

    return tell
