"""`InspectionService` on the wire: it translates and nothing else."""

from collections.abc import Sequence
from uuid import UUID

import grpc
from ltci.provider.v1 import inspection_service_pb2 as pb
from ltci.provider.v1 import inspection_service_pb2_grpc
from ltci.provider.v1 import inspection_types_pb2 as types

from kernel.rpc.around import Context
from kernel.rpc.paging import page_of
from kernel.rpc.private import private_call
from kernel.rpc.two_times import known_at
from kernel.rpc.validate import Check
from kernel.service import Parts
from services.provider.application.frozen import FrozenReader
from services.provider.application.grounds import GroundsReader
from services.provider.application.inspections import Inspections
from services.provider.domain import inspection_steps as steps
from services.provider.inspection_letters import Letters
from services.provider.inspection_table import InspectionReader, Wanted
from services.provider.requests_inspections import MOST_WORDS, InspectionRequests

SERVICE = pb.DESCRIPTOR.services_by_name["InspectionService"].full_name


class InspectionServicer(inspection_service_pb2_grpc.InspectionServiceServicer):
    """The methods of `protos/ltci/provider/v1/inspection_service.proto`."""

    def __init__(self, parts: Parts, reader: InspectionReader, grounds: GroundsReader) -> None:
        self._keys = parts.keys
        self._clock = parts.clock
        self._read = InspectionRequests(parts.packs, parts.clock)
        self._reader = reader
        self._cases = Inspections(
            parts.handler,
            grounds,
            FrozenReader(parts.store, parts.codec),
            Letters(parts.codec, parts.clock),
        )

    def add_to(self, server: grpc.aio.Server) -> Sequence[str]:
        inspection_service_pb2_grpc.add_InspectionServiceServicer_to_server(self, server)
        return [SERVICE]

    async def OpenInspection(  # noqa: N802 - the name in the proto
        self, request: pb.OpenInspectionRequest, context: Context
    ) -> pb.Inspection:
        check = Check()
        asked = self._read.opening(check, request)
        day = self._read.opened_date(check, request.opened_date)
        officer = self._read.officer(check, request.officer)
        call = private_call(check, request, context, self._keys)
        if isinstance(asked, UUID):
            return await self._cases.open_for_flag(call, asked, officer, day)
        return await self._cases.open_for(call, asked, officer, day)

    async def SendNotice(  # noqa: N802 - the name in the proto
        self, request: pb.SendNoticeRequest, context: Context
    ) -> pb.Inspection:
        check = Check()
        name = check.uuid("inspection", request.inspection)
        officer = self._read.officer(check, request.officer)
        day = self._read.noticed_date(check, request.noticed_date)
        call = private_call(check, request, context, self._keys)
        return await self._cases.notice(call, name, officer, day, self._clock.today())

    async def FileStatement(  # noqa: N802 - the name in the proto
        self, request: pb.FileStatementRequest, context: Context
    ) -> pb.Inspection:
        check = Check()
        command = self._read.statement(check, request)
        call = private_call(check, request, context, self._keys)
        return await self._cases.obey(call, command)

    async def HoldHearing(  # noqa: N802 - the name in the proto
        self, request: pb.HoldHearingRequest, context: Context
    ) -> pb.Inspection:
        check = Check()
        command = self._read.hearing(check, request)
        call = private_call(check, request, context, self._keys)
        return await self._cases.obey(call, command)

    async def DecideInspection(  # noqa: N802 - the name in the proto
        self, request: pb.DecideInspectionRequest, context: Context
    ) -> pb.Inspection:
        check = Check()
        asked = self._read.judgment(check, request)
        call = private_call(check, request, context, self._keys)
        return await self._cases.decide(call, asked, self._clock.today())

    async def AppealInspection(  # noqa: N802 - the name in the proto
        self, request: pb.AppealInspectionRequest, context: Context
    ) -> pb.Inspection:
        check = Check()
        name = check.uuid("inspection", request.inspection)
        words = check.text("statement", request.statement, max=MOST_WORDS)
        day = self._read.filed_date(check, request.filed_date)
        call = private_call(check, request, context, self._keys)
        return await self._cases.appeal(call, name, words, day)

    async def DecideInspectionAppeal(  # noqa: N802 - the name in the proto
        self, request: pb.DecideInspectionAppealRequest, context: Context
    ) -> pb.Inspection:
        check = Check()
        asked = self._read.appeal_judgment(check, request)
        call = private_call(check, request, context, self._keys)
        return await self._cases.decide_appeal(call, asked)

    async def CloseInspection(  # noqa: N802 - the name in the proto
        self, request: pb.CloseInspectionRequest, context: Context
    ) -> pb.Inspection:
        check = Check()
        name = check.uuid("inspection", request.inspection)
        call = private_call(check, request, context, self._keys)
        command = steps.CloseInspection(inspection=name, today=self._clock.today())
        return await self._cases.obey(call, command)

    async def NoteInspectionClock(  # noqa: N802 - the name in the proto
        self, request: pb.NoteInspectionClockRequest, context: Context
    ) -> pb.Inspection:
        check = Check()
        command = self._read.note(check, request)
        call = private_call(check, request, context, self._keys)
        return await self._cases.obey(call, command)

    async def GetInspection(  # noqa: N802 - the name in the proto
        self, request: pb.GetInspectionRequest, _context: Context
    ) -> pb.Inspection:
        check = Check()
        name = check.uuid("inspection", request.inspection)
        moment = known_at(check, request, self._clock)
        check.done()
        return await self._cases.find(name, moment)

    async def ListInspections(  # noqa: N802 - the name in the proto
        self, request: pb.ListInspectionsRequest, _context: Context
    ) -> pb.ListInspectionsResponse:
        check = Check()
        for field, wire in (("filter", pb.InspectionFilter), ("state", types.InspectionState)):
            if getattr(request, field) not in wire.values():
                known = ", ".join(wire.keys()[1:])
                check.fail(
                    field, "UNKNOWN_VALUE", f"must be one of: {known}", f"应为以下之一:{known}"
                )
        wanted = Wanted(
            pool=self._read.pool(check, request.pool),
            state=request.state,
            provider=check.optional_uuid("provider", request.provider),
            open=request.filter != pb.INSPECTION_FILTER_UNSPECIFIED,
            overdue_on=self._clock.today().isoformat()
            if request.filter == pb.INSPECTION_FILTER_OVERDUE
            else "",
        )
        check.done()
        page = page_of(request)
        found = await self._reader.page(wanted, page.after, page.size + 1)
        rows, more = found[: page.size], len(found) > page.size
        last = rows[-1] if more else None
        token = page.next_token((last.opened_date, last.inspection)) if last else ""
        return pb.ListInspectionsResponse(inspections=rows, next_page_token=token)
