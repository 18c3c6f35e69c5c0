"""Lists of bookings, and where to find one (投影). No personal data."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from google.protobuf.message import Message
from ltci.provider.v1 import booking_service_pb2 as pb
from ltci.provider.v1 import events_pb2 as ev

from kernel.calendar import Month
from kernel.eventstore.codec import Codec
from kernel.eventstore.postgres import EventStore
from kernel.projection import Connection, FeedEvent, ProjectionRunner
from kernel.refusal import NotFound

CATCH_UP_SECONDS = 5.0
_Key = tuple[str | int, ...] | None


class Bookings:
    """The projection."""

    name = "bookings"
    tables = """
    create table {prefix}booking (
        booking uuid primary key,
        plan uuid not null,
        person uuid not null,
        pool text not null,
        start_time text not null,
        minutes int not null,
        cost_fen bigint not null,
        state int not null
    );
    create index on {prefix}booking (person, pool, start_time, booking);
    """

    def __init__(self, codec: Codec) -> None:
        self._codec = codec

    async def apply(self, conn: Connection, events: Sequence[FeedEvent], prefix: str) -> None:
        """See `Projection.apply`."""
        for event in events:
            if event.type.startswith(_KEPT):
                message = self._codec.message_clear(event.type, event.payload)
                await _apply_one(conn, message, prefix)


class BookingReader:
    """Reads the list."""

    def __init__(self, store: EventStore, runner: ProjectionRunner) -> None:
        self._store = store
        self._runner = runner

    async def bookings(
        self, person: UUID, pool: str, month: Month | None, after: _Key, limit: int
    ) -> list[pb.Booking]:
        """A person's bookings in a pool by start and id."""
        time, booking = after or ("", None)
        rows = await self._store.pool.fetch(
            f"select * from {self._runner.tables}booking where person = $1 and pool = $2"
            " and ($5::uuid is null or (start_time, booking) > ($4, $5))"
            " and ($3::text is null or start_time like $3 || '%')"
            " order by start_time, booking limit $6",
            person,
            pool,
            str(month) if month else None,
            str(time),
            UUID(str(booking)) if booking else None,
            limit,
        )
        return [_booking(row) for row in rows]

    async def place_of(self, booking: UUID) -> tuple[str, UUID, Month]:
        """Pool, person and month of a booking. Refuses NOT_FOUND."""
        head = await self._store.head()
        await self._runner.wait_for(self._store.schema, head.position, CATCH_UP_SECONDS)
        row = await self._store.pool.fetchrow(
            f"select pool, person, start_time from {self._runner.tables}booking where booking = $1",
            booking,
        )
        if row is None:
            raise NotFound("booking", booking)
        return row["pool"], row["person"], Month.parse(row["start_time"][:7])


def _booking(row: Any) -> pb.Booking:
    told: dict[str, Any] = {k: str(v) if isinstance(v, UUID) else v for k, v in row.items()}
    return pb.Booking(**told)


_KEPT = tuple(
    f"{message.DESCRIPTOR.full_name}/"
    for message in (ev.VisitBooked, ev.BookingCancelled, ev.BookingFulfilled)
)


async def _apply_one(conn: Connection, message: Message, prefix: str) -> None:
    match message:
        case ev.VisitBooked():
            await conn.execute(
                f"insert into {prefix}booking values ($1, $2, $3, $4, $5, $6, $7, $8)",
                UUID(message.booking),
                UUID(message.plan),
                UUID(message.person),
                message.pool,
                message.start_time,
                message.minutes,
                message.cost_fen,
                pb.BOOKING_STATE_BOOKED,
            )
        case ev.BookingCancelled():
            await conn.execute(
                f"update {prefix}booking set state = $2 where booking = $1",
                UUID(message.booking),
                pb.BOOKING_STATE_CANCELLED,
            )
        case ev.BookingFulfilled():
            await conn.execute(
                f"update {prefix}booking set state = $2, cost_fen = $3, minutes = $4"
                " where booking = $1",
                UUID(message.booking),
                pb.BOOKING_STATE_FULFILLED,
                message.cost_fen,
                message.minutes,
            )
        case _:
            return
