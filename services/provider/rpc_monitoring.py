"""`ComplaintService` and `MonitoringService` on the wire: they translate and nothing else."""

from collections.abc import Sequence
from datetime import date, timedelta
from uuid import UUID

import grpc
from ltci.provider.v1 import complaint_service_pb2 as complaint_pb
from ltci.provider.v1 import (
    complaint_service_pb2_grpc,
    monitoring_service_pb2_grpc,
)
from ltci.provider.v1 import monitoring_service_pb2 as pb
from ltci.provider.v1 import supervision_types_pb2 as types

from kernel.ids import derive
from kernel.rpc.around import Context
from kernel.rpc.call import call_of
from kernel.rpc.paging import page_of
from kernel.rpc.private import private_call
from kernel.rpc.two_times import known_at
from kernel.rpc.validate import Check
from kernel.service import Parts
from services.provider.application.complaints import Complaints
from services.provider.application.grounds import GroundsReader
from services.provider.application.quality import Scores
from services.provider.counts_reader import CountsReader
from services.provider.domain.complaint import (
    AnswerComplaint,
    ComplaintChannel,
    ComplaintFiled,
    ComplaintOutcome,
)

COMPLAINT = complaint_pb.DESCRIPTOR.services_by_name["ComplaintService"].full_name
MONITORING = pb.DESCRIPTOR.services_by_name["MonitoringService"].full_name
MOST_WORDS = 2000
OVERLONG = "provider.watch_minutes_max"


class ComplaintServicer(complaint_service_pb2_grpc.ComplaintServiceServicer):
    """The methods of `protos/ltci/provider/v1/complaint_service.proto`."""

    def __init__(self, parts: Parts, reader: CountsReader) -> None:
        self._keys = parts.keys
        self._clock = parts.clock
        self._pools = parts.packs.pools()
        self._reader = reader
        self._complaints = Complaints(parts.handler, parts.packs, reader)

    def add_to(self, server: grpc.aio.Server) -> Sequence[str]:
        complaint_service_pb2_grpc.add_ComplaintServiceServicer_to_server(self, server)
        return [COMPLAINT]

    async def FileComplaint(  # noqa: N802 - the name in the proto
        self, request: complaint_pb.FileComplaintRequest, context: Context
    ) -> complaint_pb.Complaint:
        check, today = Check(), self._clock.today()
        filed = self._filed(check, request, today)
        call = private_call(check, request, context, self._keys)
        return await self._complaints.file(call, filed, today)

    async def AcceptComplaint(  # noqa: N802 - the name in the proto
        self, request: complaint_pb.AcceptComplaintRequest, context: Context
    ) -> complaint_pb.Complaint:
        check = Check()
        name = check.uuid("complaint", request.complaint)
        check.done()
        call = call_of(request, context)
        return await self._complaints.accept(call, name, self._clock.today())

    async def AnswerComplaint(  # noqa: N802 - the name in the proto
        self, request: complaint_pb.AnswerComplaintRequest, context: Context
    ) -> complaint_pb.Complaint:
        check = Check()
        command = AnswerComplaint(
            complaint=check.uuid("complaint", request.complaint),
            outcome=check.enum(
                "outcome", request.outcome, types.ComplaintOutcome, ComplaintOutcome
            ),
            reasons=check.text("reasons", request.reasons, max=MOST_WORDS),
            today=self._clock.today(),
        )
        call = private_call(check, request, context, self._keys)
        return await self._complaints.answer(call, command)

    async def GetComplaint(  # noqa: N802 - the name in the proto
        self, request: complaint_pb.GetComplaintRequest, _context: Context
    ) -> complaint_pb.Complaint:
        check = Check()
        name = check.uuid("complaint", request.complaint)
        moment = known_at(check, request, self._clock)
        check.done()
        return await self._complaints.find(
            name, self._clock.today(), moment, with_words=request.with_words
        )

    async def ListComplaints(  # noqa: N802 - the name in the proto
        self, request: complaint_pb.ListComplaintsRequest, _context: Context
    ) -> complaint_pb.ListComplaintsResponse:
        check = Check()
        pool = check.pool("pool", request.pool, self._pools)
        check.done()
        page, today = page_of(request), self._clock.today().isoformat()
        after = (str(page.after[0]), UUID(str(page.after[1]))) if page.after else None
        await self._reader.caught_up()
        found = await self._reader.complaints(
            pool, request.state, today if request.overdue else "", after, page.size + 1
        )
        for one in found:
            one.overdue = bool(one.due_date) and one.due_date < today
        given, token = found[: page.size], ""
        if len(found) > page.size:
            token = page.next_token([given[-1].filed_date, given[-1].complaint])
        return complaint_pb.ListComplaintsResponse(complaints=given, next_page_token=token)

    def _filed(
        self, check: Check, request: complaint_pb.FileComplaintRequest, today: date
    ) -> ComplaintFiled:
        named = (request.provider, request.caregiver, request.visit, request.assessor)
        if not any(named):
            check.fail(
                "provider",
                "REQUIRED",
                "give the provider, caregiver, visit or assessor it is about",
                "应填写所投诉的机构、护理人员、服务或评估人员",
            )
        filed = check.optional_date("filed_date", request.filed_date) or today
        check.not_future("filed_date", filed, today)
        contact = check.text("contact", request.contact, required=False)
        return ComplaintFiled(
            complaint=derive("complaint", request.request_id),
            pool=check.pool("pool", request.pool, self._pools),
            provider=check.optional_uuid("provider", request.provider),
            caregiver=check.optional_uuid("caregiver", request.caregiver),
            visit=check.optional_uuid("visit", request.visit),
            assessor=check.optional_uuid("assessor", request.assessor),
            channel=check.enum(
                "channel", request.channel, types.ComplaintChannel, ComplaintChannel
            ),
            anonymous=not contact,
            words=check.text("words", request.words, max=MOST_WORDS),
            contact=contact,
            filed_date=filed,
            accept_due_date=filed,  # the use case counts the days of the pool's pack
        )


class MonitoringServicer(monitoring_service_pb2_grpc.MonitoringServiceServicer):
    """The methods of `protos/ltci/provider/v1/monitoring_service.proto`."""

    def __init__(self, parts: Parts, reader: CountsReader, grounds: GroundsReader) -> None:
        self._clock = parts.clock
        self._packs = parts.packs
        self._reader = reader
        self._scores = Scores(parts.handler, grounds, reader)

    def add_to(self, server: grpc.aio.Server) -> Sequence[str]:
        monitoring_service_pb2_grpc.add_MonitoringServiceServicer_to_server(self, server)
        return [MONITORING]

    async def ListWatches(  # noqa: N802 - the name in the proto
        self, request: pb.ListWatchesRequest, _context: Context
    ) -> pb.ListWatchesResponse:
        check = Check()
        pool = check.pool("pool", request.pool, self._packs.pools())
        check.done()
        page, now = page_of(request), self._clock.now()
        today = self._clock.today()
        minutes = self._packs.pack_for(pool).integer(OVERLONG, today)
        known = self._reader.known()
        found = await self._reader.watches(
            pool,
            today.isoformat(),
            now - timedelta(minutes=minutes),
            UUID(str(page.after[0])) if page.after else None,
            page.size + 1,
        )
        given, token = found[: page.size], ""
        if len(found) > page.size:
            token = page.next_token([given[-1].provider])
        return pb.ListWatchesResponse(
            watches=given, next_page_token=token, known_position=known, overlong_minutes=minutes
        )

    async def GetProviderMonth(  # noqa: N802 - the name in the proto
        self, request: pb.GetProviderMonthRequest, _context: Context
    ) -> pb.ProviderMonth:
        check = Check()
        provider = check.uuid("provider", request.provider)
        month = check.month("month", request.month)
        check.done()
        return await self._scores.month(provider, month)

    async def ScoreProvider(  # noqa: N802 - the name in the proto
        self, request: pb.ScoreProviderRequest, context: Context
    ) -> pb.QualityScore:
        check = Check()
        provider = check.uuid("provider", request.provider)
        month = check.month("month", request.month)
        check.done()
        call = call_of(request, context)
        return await self._scores.score(call, provider, month, self._clock.today())
