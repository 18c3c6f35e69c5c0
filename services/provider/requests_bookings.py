"""What callers ask of bookings, checked field by field and made into commands."""

from datetime import date, datetime
from uuid import UUID

from ltci.provider.v1 import booking_service_pb2 as pb

from kernel.clock import Clock
from kernel.eventstore.keys import KeyRing
from kernel.ids import derive
from kernel.rpc.private import person_named
from kernel.rpc.validate import Check
from kernel.rules.library import PackLibrary
from services.provider.application.bookings import NewBooking
from services.provider.domain.booking import CancelBooking
from services.provider.requests import LONGEST_MINUTES, items_of
from services.provider.requests_evidence import moment_of


class BookingRequests:
    """Reads requests. What it returns counts only after `check.done()`."""

    def __init__(self, keys: KeyRing, packs: PackLibrary, clock: Clock) -> None:
        self._keys = keys
        self._pools = packs.pools()
        self._clock = clock

    def booking(self, check: Check, request: pb.BookVisitRequest) -> NewBooking:
        return NewBooking(
            booking=derive("booking", request.request_id),
            plan=check.uuid("plan", request.plan),
            caregiver=check.uuid("caregiver", request.caregiver),
            start_time=self._to_come(check, request.start_time),
            minutes=check.between("minutes", request.minutes, 1, LONGEST_MINUTES),
            items=items_of(check, request.items),
            at_own_cost=request.at_own_cost,
        )

    def cancellation(self, check: Check, request: pb.CancelBookingRequest) -> CancelBooking:
        return CancelBooking(
            booking=check.uuid("booking", request.booking),
            cause=check.text("cause", request.cause),
        )

    def person(
        self, check: Check, request: pb.ListBookingsRequest | pb.GetRemainingMonthRequest
    ) -> tuple[UUID, str]:
        today = self._clock.today()
        person = person_named(check, request.person, request.identity_number, self._keys, today)
        return person, check.pool("pool", request.pool, self._pools)

    def day(self, check: Check, request: pb.GetRemainingMonthRequest) -> date:
        return check.optional_date("on_date", request.on_date) or self._clock.today()

    def _to_come(self, check: Check, value: str) -> datetime:
        """The instant in Asia/Shanghai, to the second; not in the past."""
        now = self._clock.now()
        instant = moment_of(check, "start_time", value, now)
        if instant < now.replace(microsecond=0):
            check.fail("start_time", "IN_THE_PAST", "must not be in the past", "不得早于当前时间")
        return instant
