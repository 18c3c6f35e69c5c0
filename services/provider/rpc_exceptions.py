"""`ExceptionService` on the wire: it translates and nothing else."""

from collections.abc import Sequence

import grpc
from ltci.provider.v1 import exception_service_pb2 as pb
from ltci.provider.v1 import exception_service_pb2_grpc
from ltci.provider.v1 import exception_types_pb2 as types

from kernel.rpc.around import Context
from kernel.rpc.paging import page_of
from kernel.rpc.private import private_call
from kernel.rpc.two_times import known_at
from kernel.rpc.validate import Check
from kernel.service import Parts
from services.provider.application.exceptions import VisitExceptions
from services.provider.application.grounds import GroundsReader
from services.provider.exception_list import ExceptionReader
from services.provider.projections import ListReader
from services.provider.requests_exceptions import ExceptionRequests
from services.provider.visit_letters import VisitLetters

SERVICE = pb.DESCRIPTOR.services_by_name["ExceptionService"].full_name


class ExceptionServicer(exception_service_pb2_grpc.ExceptionServiceServicer):
    """The methods of `protos/ltci/provider/v1/exception_service.proto`."""

    def __init__(
        self, parts: Parts, lists: ListReader, queue: ExceptionReader, grounds: GroundsReader
    ) -> None:
        self._keys = parts.keys
        self._clock = parts.clock
        self._read = ExceptionRequests(parts.keys, parts.packs, parts.clock)
        self._queue = queue
        letters = VisitLetters(parts.store, parts.codec, parts.clock)
        self._exceptions = VisitExceptions(
            parts.handler,
            parts.store,
            parts.codec,
            grounds,
            lists.hanging,
            queue.open_counts,
            letters.accompany,
        )

    def add_to(self, server: grpc.aio.Server) -> Sequence[str]:
        exception_service_pb2_grpc.add_ExceptionServiceServicer_to_server(self, server)
        return [SERVICE]

    async def DisputeVisit(  # noqa: N802 - the name in the proto
        self, request: pb.DisputeVisitRequest, context: Context
    ) -> pb.VisitRecord:
        check = Check()
        asked = self._read.objection(check, request)
        call = private_call(check, request, context, self._keys)
        return await self._exceptions.dispute(call, asked, self._clock.today())

    async def CorrectVisit(  # noqa: N802 - the name in the proto
        self, request: pb.CorrectVisitRequest, context: Context
    ) -> pb.VisitRecord:
        check = Check()
        asked = self._read.correction(check, request)
        call = private_call(check, request, context, self._keys)
        return await self._exceptions.correct(call, asked, self._clock.today())

    async def SettleException(  # noqa: N802 - the name in the proto
        self, request: pb.SettleExceptionRequest, context: Context
    ) -> pb.VisitRecord:
        check = Check()
        asked = self._read.settlement(check, request)
        call = private_call(check, request, context, self._keys)
        return await self._exceptions.settle(call, asked, self._clock.today())

    async def SweepVisits(  # noqa: N802 - the name in the proto
        self, request: pb.SweepVisitsRequest, context: Context
    ) -> pb.SweepVisitsResponse:
        check = Check()
        pool = self._read.pool(check, request.pool)
        call = private_call(check, request, context, self._keys)
        return await self._exceptions.sweep(call, pool, self._clock.now())

    async def GetVisitRecord(  # noqa: N802 - the name in the proto
        self, request: pb.GetVisitRecordRequest, _context: Context
    ) -> pb.VisitRecord:
        check = Check()
        name = check.uuid("visit", request.visit)
        moment = known_at(check, request, self._clock)
        check.done()
        day = self._clock.today() if moment is None else moment.date()
        return await self._exceptions.find(name, day, moment)

    async def ListExceptions(  # noqa: N802 - the name in the proto
        self, request: pb.ListExceptionsRequest, _context: Context
    ) -> pb.ListExceptionsResponse:
        check = Check()
        self._read.pool(check, request.pool)
        if request.kind not in types.ExceptionKind.values():
            known = ", ".join(types.ExceptionKind.keys()[1:])
            check.fail("kind", "UNKNOWN_VALUE", f"must be one of: {known}", f"应为以下之一:{known}")
        check.done()
        page, today = page_of(request), self._clock.today()
        found = await self._queue.page(request, today, page.after, page.size + 1)
        rows, more = found[: page.size], len(found) > page.size
        last = (rows[-1].due_date, rows[-1].exception) if more else ()
        return pb.ListExceptionsResponse(
            exceptions=rows, next_page_token=page.next_token(last) if more else ""
        )

    async def GetExceptionCounts(  # noqa: N802 - the name in the proto
        self, request: pb.GetExceptionCountsRequest, _context: Context
    ) -> pb.ExceptionCounts:
        check = Check()
        pool = self._read.pool(check, request.pool)
        first = check.date("first_date", request.first_date)
        last = check.date("last_date", request.last_date)
        check.in_order("last_date", first, last)
        check.done()
        return pb.ExceptionCounts(counts=await self._queue.counts(pool, first, last))
