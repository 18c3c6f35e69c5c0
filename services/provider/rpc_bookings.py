"""`BookingService` on the wire: it translates and nothing else."""

from collections.abc import Sequence

import grpc
from ltci.provider.v1 import booking_service_pb2 as pb
from ltci.provider.v1 import booking_service_pb2_grpc

from kernel.rpc.around import Context
from kernel.rpc.paging import page_of
from kernel.rpc.private import private_call
from kernel.rpc.validate import Check
from kernel.service import Parts
from services.provider.application.bookings import VisitBookings
from services.provider.application.grounds import GroundsReader
from services.provider.bookings import BookingReader
from services.provider.insured import InsuredReader
from services.provider.requests_bookings import BookingRequests

BOOKING = pb.DESCRIPTOR.services_by_name["BookingService"].full_name


class BookingServicer(booking_service_pb2_grpc.BookingServiceServicer):
    """The methods of `protos/ltci/provider/v1/booking_service.proto`."""

    def __init__(
        self, parts: Parts, lists: BookingReader, insured: InsuredReader, grounds: GroundsReader
    ) -> None:
        self._keys = parts.keys
        self._read = BookingRequests(parts.keys, parts.packs, parts.clock)
        self._lists = lists
        self._bookings = VisitBookings(parts.handler, grounds, insured.read, lists.place_of)

    def add_to(self, server: grpc.aio.Server) -> Sequence[str]:
        booking_service_pb2_grpc.add_BookingServiceServicer_to_server(self, server)
        return [BOOKING]

    async def BookVisit(  # noqa: N802 - the name in the proto
        self, request: pb.BookVisitRequest, context: Context
    ) -> pb.Booking:
        check = Check()
        new = self._read.booking(check, request)
        call = private_call(check, request, context, self._keys)
        return await self._bookings.book(call, new)

    async def CancelBooking(  # noqa: N802 - the name in the proto
        self, request: pb.CancelBookingRequest, context: Context
    ) -> pb.Booking:
        check = Check()
        command = self._read.cancellation(check, request)
        call = private_call(check, request, context, self._keys)
        return await self._bookings.cancel(call, command)

    async def FulfilBooking(  # noqa: N802 - the name in the proto
        self, request: pb.FulfilBookingRequest, context: Context
    ) -> pb.Booking:
        check = Check()
        booking = check.uuid("booking", request.booking)
        visit = check.uuid("visit", request.visit)
        call = private_call(check, request, context, self._keys)
        return await self._bookings.fulfil(call, booking, visit)

    async def ListBookings(  # noqa: N802 - the name in the proto
        self, request: pb.ListBookingsRequest, _context: Context
    ) -> pb.ListBookingsResponse:
        check = Check()
        person, pool = self._read.person(check, request)
        month = check.optional_month("month", request.month)
        check.done()
        page = page_of(request)
        found = await self._lists.bookings(person, pool, month, page.after, page.size + 1)
        rows, more = found[: page.size], len(found) > page.size
        last = (rows[-1].start_time, rows[-1].booking) if more else ()
        return pb.ListBookingsResponse(
            bookings=rows, next_page_token=page.next_token(last) if more else ""
        )

    async def GetRemainingMonth(  # noqa: N802 - the name in the proto
        self, request: pb.GetRemainingMonthRequest, _context: Context
    ) -> pb.RemainingMonth:
        check = Check()
        person, pool = self._read.person(check, request)
        day = self._read.day(check, request)
        check.done()
        return await self._bookings.remaining(pool, person, day)
