"""`InspectionService` on the wire: it translates and nothing else."""

from collections.abc import Sequence
from uuid import UUID

import grpc
from ltci.assessment.v1 import dispute_types_pb2 as types
from ltci.assessment.v1 import inspection_service_pb2 as pb
from ltci.assessment.v1 import inspection_service_pb2_grpc as pb_grpc

from kernel.calendar import Month
from kernel.draw import HEAVIEST
from kernel.rpc.around import Context
from kernel.rpc.paging import page_of
from kernel.rpc.private import private_call
from kernel.rpc.validate import Check
from kernel.service import Parts
from services.assessment.dispute_requests import hashes_of, people_of
from services.assessment.domain import inspection as i
from services.assessment.inspections import Inspection

MOST_DRAWN = 10_000
MOST_TOLD = 10_000


class InspectionServicer(pb_grpc.InspectionServiceServicer):
    """The methods of `protos/ltci/assessment/v1/inspection_service.proto`."""

    def __init__(self, parts: Parts, inspection: Inspection) -> None:
        self._keys = parts.keys
        self._pools = parts.packs.pools()
        self._clock = parts.clock
        self._inspection = inspection

    def add_to(self, server: grpc.aio.Server) -> Sequence[str]:
        pb_grpc.add_InspectionServiceServicer_to_server(self, server)
        return [pb.DESCRIPTOR.services_by_name["InspectionService"].full_name]

    async def CommitInspectionDraw(  # noqa: N802 - the name in the proto
        self, request: pb.CommitInspectionDrawRequest, context: Context
    ) -> pb.InspectionMonth:
        check = Check()
        pool, month = self._place(check, request)
        call = private_call(check, request, context, self._keys)
        return await self._inspection.commit(call, pool, month)

    async def DrawInspections(  # noqa: N802 - the name in the proto
        self, request: pb.DrawInspectionsRequest, context: Context
    ) -> pb.InspectionMonth:
        check = Check()
        pool, month = self._place(check, request)
        count = check.between("count", request.count, 1, MOST_DRAWN)
        check.between("told_weights", len(request.told_weights), 0, MOST_TOLD)
        told: dict[UUID, int] = {}
        for place, one in enumerate(request.told_weights):
            field = f"told_weights[{place}]"
            person = check.uuid(f"{field}.person", one.person)
            told[person] = check.between(f"{field}.weight", one.weight, 0, HEAVIEST)
        call = private_call(check, request, context, self._keys)
        return await self._inspection.draw(call, pool, month, count, told)

    async def RevealInspectionSeed(  # noqa: N802 - the name in the proto
        self, request: pb.RevealInspectionSeedRequest, context: Context
    ) -> pb.InspectionMonth:
        check = Check()
        pool, month = self._place(check, request)
        call = private_call(check, request, context, self._keys)
        return await self._inspection.reveal(call, pool, month)

    async def RecordInspection(  # noqa: N802 - the name in the proto
        self, request: pb.RecordInspectionRequest, context: Context
    ) -> pb.InspectionMonth:
        check = Check()
        pool, month = self._place(check, request)
        day = check.date("inspected_date", request.inspected_date)
        check.not_future("inspected_date", day, self._clock.today())
        command = i.RecordInspection(
            pool=pool,
            month=month,
            inspection=check.uuid("inspection", request.inspection),
            inspectors=people_of(check, "inspectors", request.inspectors),
            inspected_date=day,
            finding=check.enum(
                "finding", request.finding, types.InspectionFinding, i.InspectionFinding
            ),
            evidence_hashes=hashes_of(check, request.evidence_hashes),
        )
        call = private_call(check, request, context, self._keys)
        return await self._inspection.record(call, command)

    async def GetInspectionMonth(  # noqa: N802 - the name in the proto
        self, request: pb.GetInspectionMonthRequest, _context: Context
    ) -> pb.InspectionMonth:
        check = Check()
        pool, month = self._place(check, request)
        check.done()
        return await self._inspection.month(pool, month)

    async def ListInspectionCandidates(  # noqa: N802 - the name in the proto
        self, request: pb.ListInspectionCandidatesRequest, _context: Context
    ) -> pb.ListInspectionCandidatesResponse:
        check = Check()
        pool, month = self._place(check, request)
        check.done()
        page = page_of(request)
        after = UUID(str(page.after[0])) if page.after else None
        found = await self._inspection.candidates(pool, month)
        rest = [one for one in found if after is None or one[0] > after]
        given, token = rest[: page.size], ""
        if len(rest) > page.size:
            token = page.next_token([str(given[-1][0])])
        return pb.ListInspectionCandidatesResponse(
            candidates=[pb.CandidateWeight(person=str(p), weight=weight) for p, weight in given],
            next_page_token=token,
        )

    def _place(
        self,
        check: Check,
        request: pb.CommitInspectionDrawRequest
        | pb.DrawInspectionsRequest
        | pb.RevealInspectionSeedRequest
        | pb.RecordInspectionRequest
        | pb.GetInspectionMonthRequest
        | pb.ListInspectionCandidatesRequest,
    ) -> tuple[str, Month]:
        return check.pool("pool", request.pool, self._pools), check.month("month", request.month)
