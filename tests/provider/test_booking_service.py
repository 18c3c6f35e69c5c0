"""Bookings over real gRPC and real PostgreSQL."""

import asyncio
from typing import Any

import grpc
import pytest
from ltci.payment.v1 import events_pb2 as payment_pb
from ltci.provider.v1 import booking_service_pb2 as pb
from ltci.provider.v1 import booking_service_pb2_grpc as pb_grpc
from ltci.provider.v1 import events_pb2

from kernel.eventstore.feed import FeedEvent
from kernel.ids import derive
from kernel.replay import RawFact, raw_fact
from kernel.rules.pack import Pack
from kernel.rules.ruling import Ruling
from services.provider.incoming import PAYMENT
from services.provider.insured import InsuredFacts
from services.provider.replay import DECISIONS
from tests.provider.care import at
from tests.provider.test_service import (
    CHANGZHOU,
    plan,
    price,
    provider,
    registration,
    request_id,
    stub,
    upload,
)
from tests.support.service import Running, refused

__all__ = ["plan", "provider", "stub"]  # fixtures
DAY = "2024-07-05"


@pytest.fixture
def bookings(provider: Running) -> Any:
    return pb_grpc.BookingServiceStub(provider.channel)


async def entitle(service: Running, person: str) -> RawFact:
    """What payment tells of a person, taken in as its feed would bring it."""
    opened = payment_pb.EntitlementOpened(
        person=person, pool=CHANGZHOU, effective_date="2024-02-01", grade=3, ruling=b"{}"
    )
    event = FeedEvent(
        source=PAYMENT,
        position=1,
        stream=derive("test", "entitlement"),
        version=1,
        category="entitlement",
        pool=CHANGZHOU,
        type="ltci.payment.v1.EntitlementOpened/1",
        payload=opened.SerializeToString(deterministic=True),
        recorded_at=at("08:00"),
        hash=b"",
        traceparent="",
        request_id=derive("test", "opened"),
        actor="test",
    )
    runner = next(one for one in service.service.runners if one.name == "insured")
    async with service.service.parts.store.pool.acquire() as conn:
        await InsuredFacts().apply(conn, [event], runner.tables)
    return RawFact(PAYMENT, 1, event.type, event.payload, event.recorded_at)


def asked(plan_: Any, carer: str, name: str = "book", **changes: Any) -> pb.BookVisitRequest:
    told: dict[str, Any] = {
        "plan": plan_.plan,
        "caregiver": carer,
        "start_time": f"{DAY}T09:00:00+08:00",
        "minutes": 60,
        "items": ["bath"],
        "request_id": request_id(name),
    }
    return pb.BookVisitRequest(**(told | changes))


async def carer_of(stub: Any) -> str:
    return str((await stub.RegisterCaregiver(registration())).caregiver)


async def test_a_booking_counts_against_the_month_until_it_is_cancelled(
    provider: Running, stub: Any, plan: Any, bookings: Any
) -> None:
    carer = await carer_of(stub)
    problem = await refused(bookings.BookVisit(asked(plan, carer)))
    assert problem.reason == "NOT_ENTITLED"
    fact = await entitle(provider, plan.person)
    before = await provider.head()

    booked = await bookings.BookVisit(asked(plan, carer))
    assert booked == await bookings.BookVisit(asked(plan, carer))
    assert [(one.unit, one.left) for one in booked.remaining] == [("money", 144_000)]

    month = pb.GetRemainingMonthRequest(person=plan.person, pool=CHANGZHOU, on_date=DAY)
    told = await bookings.GetRemainingMonth(month)
    assert (told.month, told.entitled, told.grade, told.plan) == ("2024-07", True, 3, plan.plan)
    assert (told.remaining[0].left, told.booking_count) == (144_000, 1)

    # Replayed from what it names, by the same rule, to the byte.
    (event,) = await provider.events_after(before)
    message = events_pb2.VisitBooked.FromString(event.payload)
    ruling = Ruling.parse(message.ruling)
    log = [raw_fact("provider", one) for one in await provider.events_after(0)] + [fact]
    facts = [one for one in log if one.ref in ruling.facts]
    assert len(facts) == len(ruling.facts)
    assert PAYMENT in {one.service for one in facts}
    kept = await provider.service.parts.store.get_pack(ruling.pack.partition("@")[2])
    assert kept is not None
    assert DECISIONS[event.type](event.payload, facts, Pack.parse(kept[1])) == message.ruling

    gone = await bookings.CancelBooking(
        pb.CancelBookingRequest(booking=booked.booking, cause="ill", request_id=request_id("off"))
    )
    assert gone.state == pb.BOOKING_STATE_CANCELLED
    told = await bookings.GetRemainingMonth(month)
    assert (told.remaining[0].left, told.booking_count) == (150_000, 0)
    await provider.caught_up()
    listed = await bookings.ListBookings(
        pb.ListBookingsRequest(person=plan.person, pool=CHANGZHOU, month="2024-07")
    )
    assert [one.state for one in listed.bookings] == [pb.BOOKING_STATE_CANCELLED]


async def test_of_two_bookings_at_once_for_the_last_of_a_cap_one_wins(
    provider: Running, stub: Any, plan: Any, bookings: Any
) -> None:
    carer = await carer_of(stub)
    await entitle(provider, plan.person)
    await stub.SetPrice(price("whole", 80_000, 50))

    answers = await asyncio.gather(
        *(bookings.BookVisit(asked(plan, carer, f"race {n}", items=["whole"])) for n in range(2)),
        return_exceptions=True,
    )

    won = [one for one in answers if isinstance(one, pb.Booking)]
    lost = [one for one in answers if isinstance(one, grpc.aio.AioRpcError)]
    assert (len(won), len(lost)) == (1, 1)
    assert "CAP_EXCEEDED" in str(lost[0].details())
    own = await bookings.BookVisit(asked(plan, carer, "own", items=["whole"], at_own_cost=True))
    assert (own.remaining[0].left, own.remaining[0].over) == (0, 10_000)


async def test_a_delivered_visit_takes_its_bookings_place(
    provider: Running, stub: Any, plan: Any, bookings: Any
) -> None:
    carer = await carer_of(stub)
    await entitle(provider, plan.person)
    booked = await bookings.BookVisit(asked(plan, carer))
    early = await stub.SubmitVisit(upload("early"))

    def fulfil(visit: Any, name: str) -> Any:
        return bookings.FulfilBooking(
            pb.FulfilBookingRequest(
                booking=booked.booking, visit=visit.visit, request_id=request_id(name)
            )
        )

    assert (await refused(fulfil(early, "too early"))).reason == "OTHER_MONTH"
    provider.set_day(at("09:00").date().replace(month=7, day=6))
    visit = await stub.SubmitVisit(
        upload(
            "real",
            start_time=f"{DAY}T09:00:00+08:00",
            end_time=f"{DAY}T10:30:00+08:00",
            items=["bath", "hair"],
        )
    )
    done = await fulfil(visit, "done")
    assert (done.state, done.cost_fen) == (pb.BOOKING_STATE_FULFILLED, 8_000)


async def test_bad_fields_are_all_told_and_nothing_is_stored(
    provider: Running, stub: Any, plan: Any, bookings: Any
) -> None:
    before = await provider.head()
    problem = await refused(
        bookings.BookVisit(
            asked(plan, "nobody", start_time="2024-06-30T09:00:00+08:00", minutes=0, items=[])
        )
    )
    assert {one.field for one in problem.violations} == {
        "caregiver", "start_time", "minutes", "items",
    }  # fmt: skip
    assert await provider.head() == before
