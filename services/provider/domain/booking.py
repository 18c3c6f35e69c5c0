"""Visits booked ahead within a person's month (预约上门), by caps and quotas. Pure.

All bookings of a person's month in a pool are one stream, so that who gets the last of a cap is
decided in one place. A visit that was delivered takes the place of its booking, with what it
really cost. That a booking is asked for at all, and what is asked, is a design reading; caps and
quotas are those of the benefit (`kernel.rules.room`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import assert_never
from uuid import UUID

from kernel.money import ZERO, Money
from kernel.refusal import NotFound, Refused, RequestReused
from kernel.rules.benefit import Visit as Care
from services.provider.domain.booking_rule import Basis, Question, Remaining, rule_booking
from services.provider.domain.verdict import ItemDone


@dataclass(frozen=True, kw_only=True)
class BookVisit:
    """Book a visit; the ruling stands on the basis."""

    question: Question
    person: UUID
    pool: str
    provider: UUID
    basis: Basis


@dataclass(frozen=True, kw_only=True)
class CancelBooking:
    booking: UUID
    cause: str


@dataclass(frozen=True, kw_only=True)
class FulfilBooking:
    """A delivered visit takes the place of the booking, by what it really was."""

    booking: UUID
    visit: UUID
    care_date: date
    minutes: int
    cost: Money
    staff: str = ""
    medical_cost: Money = ZERO


Command = BookVisit | CancelBooking | FulfilBooking


@dataclass(frozen=True, kw_only=True)
class VisitBooked:
    booking: UUID
    plan: UUID
    person: UUID
    pool: str
    provider: UUID
    caregiver: UUID
    start_time: str  # ISO 8601 with offset
    minutes: int
    items: tuple[ItemDone, ...]
    cost: Money
    staff: str
    medical_cost: Money
    at_own_cost: bool
    remaining: tuple[Remaining, ...]  # after this booking
    ruling: bytes


@dataclass(frozen=True, kw_only=True)
class BookingCancelled:
    booking: UUID
    person: UUID
    pool: str
    care_date: date
    cause: str


@dataclass(frozen=True, kw_only=True)
class BookingFulfilled:
    booking: UUID
    visit: UUID
    person: UUID
    pool: str
    care_date: date
    minutes: int
    cost: Money
    staff: str
    medical_cost: Money


Event = VisitBooked | BookingCancelled | BookingFulfilled


@dataclass(frozen=True, kw_only=True)
class Booking:
    """A booking as it stands."""

    booked: VisitBooked
    cancelled: BookingCancelled | None = None
    fulfilled: BookingFulfilled | None = None

    @property
    def care_date(self) -> date:
        return datetime.fromisoformat(self.booked.start_time).date()

    def care(self) -> Care | None:
        """What it takes of the month's caps; None once it is cancelled."""
        if self.cancelled is not None:
            return None
        told = self.fulfilled or self.booked
        return Care(
            day=(self.fulfilled.care_date if self.fulfilled else self.care_date).day,
            cost=told.cost,
            medical=told.medical_cost,
            minutes=told.minutes,
            staff=told.staff,
        )


@dataclass(frozen=True, kw_only=True)
class BookedMonth:
    """A person's bookings of a month, in the order in which they were made."""

    bookings: Mapping[UUID, Booking] = field(default_factory=dict)

    def care(self) -> tuple[Care, ...]:
        """All that takes of the caps."""
        told = (booking.care() for booking in self.bookings.values())
        return tuple(care for care in told if care is not None)


def decide(command: Command, month: BookedMonth) -> list[Event]:
    """What the command makes happen: nothing, where it was obeyed before.

    A booking refuses, in this order, PLAN_NOT_IN_FORCE, CAREGIVER_NOT_REGISTERED, NOT_ENTITLED,
    and, unless it is at the person's own cost, CAP_EXCEEDED with the cap and what is left of it.
    The others refuse NOT_FOUND, CANCELLED_ALREADY, FULFILLED_ALREADY.
    """
    match command:
        case BookVisit():
            return _book(command, month)
        case CancelBooking():
            return _cancel(command, month)
        case FulfilBooking():
            return _fulfil(command, month)
        case _:
            assert_never(command)


def evolve(month: BookedMonth, event: Event) -> BookedMonth:
    """The month after the event. It never refuses: what happened, happened."""
    match event:
        case VisitBooked():
            changed = Booking(booked=event)
        case BookingCancelled():
            changed = replace(month.bookings[event.booking], cancelled=event)
        case BookingFulfilled():
            changed = replace(month.bookings[event.booking], fulfilled=event)
        case _:
            assert_never(event)
    return BookedMonth(bookings={**month.bookings, event.booking: changed})


def _book(command: BookVisit, month: BookedMonth) -> list[Event]:
    asked = command.question
    before = month.bookings.get(asked.booking)
    if before is not None:
        if before.booked.start_time != asked.start_time.isoformat():
            raise RequestReused
        return []
    found = rule_booking(asked, month.care(), command.basis)
    if found.refused is not None:
        raise found.refused
    return [
        VisitBooked(
            booking=asked.booking,
            plan=asked.plan,
            person=command.person,
            pool=command.pool,
            provider=command.provider,
            caregiver=asked.caregiver,
            start_time=asked.start_time.isoformat(),
            minutes=asked.minutes,
            items=asked.items,
            cost=asked.cost,
            staff=asked.staff,
            medical_cost=asked.medical_cost,
            at_own_cost=asked.at_own_cost,
            remaining=found.remaining,
            ruling=found.ruling.to_bytes(),
        )
    ]


def _cancel(command: CancelBooking, month: BookedMonth) -> list[Event]:
    booking = _found(command.booking, month)
    if booking.fulfilled is not None:
        raise Refused("FULFILLED_ALREADY", visit=str(booking.fulfilled.visit))
    if booking.cancelled is not None:
        return []
    return [
        BookingCancelled(
            booking=command.booking,
            person=booking.booked.person,
            pool=booking.booked.pool,
            care_date=booking.care_date,
            cause=command.cause,
        )
    ]


def _fulfil(command: FulfilBooking, month: BookedMonth) -> list[Event]:
    booking = _found(command.booking, month)
    if booking.cancelled is not None:
        raise Refused("CANCELLED_ALREADY", booking=str(command.booking))
    fulfilled = BookingFulfilled(
        booking=command.booking,
        visit=command.visit,
        person=booking.booked.person,
        pool=booking.booked.pool,
        care_date=command.care_date,
        minutes=command.minutes,
        cost=command.cost,
        staff=command.staff,
        medical_cost=command.medical_cost,
    )
    if booking.fulfilled is None:
        return [fulfilled]
    if booking.fulfilled != fulfilled:
        raise Refused("FULFILLED_ALREADY", visit=str(booking.fulfilled.visit))
    return []


def _found(name: UUID, month: BookedMonth) -> Booking:
    booking = month.bookings.get(name)
    if booking is None:
        raise NotFound("booking", name)
    return booking
