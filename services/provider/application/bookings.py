"""Use cases around bookings: book, cancel, fulfil, and what the month has left."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeAlias
from uuid import UUID

from ltci.provider.v1 import booking_service_pb2 as pb
from ltci.provider.v1 import provider_types_pb2 as types

from kernel.calendar import Month
from kernel.eventstore.handle import Call, Handler, Work, code_version
from kernel.money import total
from kernel.refusal import NotFound, Refused
from kernel.rules.ruling import Fact
from services.provider.application.grounds import Grounds, GroundsReader, Meant
from services.provider.application.streams import (
    BOOKED_MONTH,
    PLANS,
    VISIT,
    booking_stream,
    plan_stream,
    visit_stream,
)
from services.provider.domain import booking
from services.provider.domain.booking_rule import Question, Remaining, remaining_on
from services.provider.domain.caregiver import CaregiverRegistered
from services.provider.domain.insured import insured_of
from services.provider.domain.plan import PlanApproved
from services.provider.domain.verdict import Basis
from services.provider.domain.visit import ServiceDelivered

InsuredFacts: TypeAlias = Callable[
    [str, Sequence[UUID]], Awaitable[Mapping[UUID, tuple[Fact, ...]]]
]
"""What payment and enrollment told of people, in a pool."""
PlaceOf: TypeAlias = Callable[[UUID], Awaitable[tuple[str, UUID, Month]]]
"""Pool, person and month of a booking. Refuses NOT_FOUND."""


@dataclass(frozen=True, kw_only=True)
class NewBooking:
    """A booking as it is asked for."""

    booking: UUID
    plan: UUID
    caregiver: UUID
    start_time: datetime
    minutes: int
    items: tuple[str, ...]
    at_own_cost: bool


class VisitBookings:
    """Books visits within a month's caps."""

    def __init__(
        self, handler: Handler, grounds: GroundsReader, insured: InsuredFacts, place_of: PlaceOf
    ) -> None:
        self._handler = handler
        self._grounds = grounds
        self._insured = insured
        self._place_of = place_of

    async def book(self, call: Call, new: NewBooking) -> pb.Booking:
        """Books the visit beside all others of the month."""
        meant = Meant(plan=new.plan, person=None, pool="", caregiver=new.caregiver)
        day = new.start_time.date()

        async def work(work: Work) -> pb.Booking:
            grounds = await self._grounds.gather([meant])
            approved = grounds.plan(meant, day).approved
            stream = booking_stream(approved.pool, approved.person, Month.of(day))
            # The month is loaded before anything else: whoever changes it meanwhile is noticed.
            state = await work.load(BOOKED_MONTH, stream)
            basis = await self._basis(grounds, approved, new.caregiver)
            items = tuple(grounds.priced(approved, new.items, day))
            question = Question(
                booking=new.booking,
                plan=new.plan,
                caregiver=new.caregiver,
                start_time=new.start_time,
                minutes=new.minutes,
                items=items,
                medical_cost=total(
                    item.price for item in items if grounds.medical(approved, item.item, day)
                ),
                staff=_staff(basis, new.caregiver, approved.provider, day),
                at_own_cost=new.at_own_cost,
            )
            command = booking.BookVisit(
                question=question,
                person=approved.person,
                pool=approved.pool,
                provider=approved.provider,
                basis=basis,
            )
            events = booking.decide(command, state)
            state = work.record(BOOKED_MONTH, stream, approved.pool, events)
            return booking_answer(state.bookings[new.booking])

        return await self._handler.execute(call, work, pb.Booking)

    async def cancel(self, call: Call, command: booking.CancelBooking) -> pb.Booking:
        """Cancels the booking. Refuses NOT_FOUND."""

        async def work(work: Work) -> pb.Booking:
            return await self._changed(work, command)

        return await self._handler.execute(call, work, pb.Booking)

    async def fulfil(self, call: Call, name: UUID, visit: UUID) -> pb.Booking:
        """Puts the delivered visit in the booking's place.

        Refuses NOT_FOUND, NOT_DELIVERED, OTHER_PLAN, OTHER_MONTH.
        """

        async def work(work: Work) -> pb.Booking:
            found = await work.load(VISIT, visit_stream(visit))
            if found.started is None:
                raise NotFound("visit", visit)
            told = found.verdict
            if not isinstance(told, ServiceDelivered):
                raise Refused("NOT_DELIVERED", visit=str(visit))
            pool, person, month = await self._place_of(name)
            booked = await work.load(BOOKED_MONTH, booking_stream(pool, person, month))
            if name in booked.bookings and booked.bookings[name].booked.plan != told.plan:
                raise Refused("OTHER_PLAN", plan=str(told.plan))
            if told.care_date not in month:
                raise Refused("OTHER_MONTH", month=str(month), care_date=f"{told.care_date}")
            command = booking.FulfilBooking(
                booking=name,
                visit=visit,
                care_date=told.care_date,
                minutes=told.minutes,
                cost=told.cost,
                staff=told.staff,
                medical_cost=told.medical_cost,
            )
            return await self._changed(work, command)

        return await self._handler.execute(call, work, pb.Booking)

    async def remaining(self, pool: str, person: UUID, day: date) -> pb.RemainingMonth:
        """What the month of a day has left for a person."""
        month = Month.of(day)
        plans, _ = await self._handler.load(PLANS, plan_stream(pool, person))
        booked, _ = await self._handler.load(BOOKED_MONTH, booking_stream(pool, person, month))
        facts = (await self._insured(pool, [person])).get(person, ())
        insured = insured_of(fact.event for fact in facts)
        plan = next((one for one in plans.plans if one.in_force_on(day)), None)
        found: tuple[Remaining, ...] = ()
        if plan is not None:
            pack = await self._grounds.pack(pool)
            basis = Basis(facts=facts, pack=pack, code_version=code_version())
            found = remaining_on(day, plan.approved, insured, booked.care(), basis)
        return pb.RemainingMonth(
            month=str(month),
            entitled=insured.entitled_on(day),
            grade=insured.standing_on(day).grade,
            plan=str(plan.approved.plan) if plan else "",
            remaining=[_remaining(one) for one in found],
            booking_count=len(booked.care()),
        )

    async def _basis(self, grounds: Grounds, approved: PlanApproved, caregiver: UUID) -> Basis:
        pack = await self._grounds.pack(approved.pool)
        told = await self._insured(approved.pool, [approved.person])
        basis = grounds.basis(approved, caregiver, pack, code_version())
        return Basis(
            facts=(*basis.facts, *told.get(approved.person, ())),
            pack=pack,
            code_version=basis.code_version,
        )

    async def _changed(
        self, work: Work, command: booking.CancelBooking | booking.FulfilBooking
    ) -> pb.Booking:
        pool, person, month = await self._place_of(command.booking)
        stream = booking_stream(pool, person, month)
        events = booking.decide(command, await work.load(BOOKED_MONTH, stream))
        state = work.record(BOOKED_MONTH, stream, pool, events)
        return booking_answer(state.bookings[command.booking])


def _staff(basis: Basis, caregiver: UUID, provider: UUID, day: date) -> str:
    """The kind of staff as the register told last by the day; empty where unknown."""
    found = ""
    for fact in basis.facts:
        told = fact.event
        if not isinstance(told, CaregiverRegistered) or told.registered_date > day:
            continue
        if (told.caregiver, told.provider) == (caregiver, provider):
            found = told.staff or found
    return found


def booking_answer(found: booking.Booking) -> pb.Booking:
    booked = found.booked
    told = found.fulfilled or booked
    state = pb.BOOKING_STATE_BOOKED
    if found.fulfilled is not None:
        state = pb.BOOKING_STATE_FULFILLED
    elif found.cancelled is not None:
        state = pb.BOOKING_STATE_CANCELLED
    return pb.Booking(
        booking=str(booked.booking),
        plan=str(booked.plan),
        person=str(booked.person),
        pool=booked.pool,
        start_time=booked.start_time,
        minutes=told.minutes,
        cost_fen=told.cost.fen,
        state=state,
        remaining=[_remaining(one) for one in booked.remaining],
    )


def _remaining(told: Remaining) -> types.Remaining:
    return types.Remaining(**vars(told))
