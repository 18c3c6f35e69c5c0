"""Which entitlements and settlements there are; how they stand is folded from their streams."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from kernel.calendar import Month
from kernel.eventstore.codec import Codec
from kernel.projection import Connection, FeedEvent, ProjectionRunner
from services.payment.domain import entitlement as e
from services.payment.domain.settlement import SettlementOpened

_ENTITLEMENT = (
    e.EntitlementOpened,
    e.EntitlementChanged,
    e.EntitlementPaused,
    e.EntitlementResumed,
    e.EntitlementEnded,
)


class Entitlements:
    """The projection: people with an entitlement, past or present, by pool."""

    name = "entitlements"
    tables = """
    create table {prefix}entitlement (
        pool text not null,
        person uuid not null,
        primary key (pool, person)
    );
    """

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self._types = {codec.type_name(event_class) for event_class in _ENTITLEMENT}

    async def apply(self, conn: Connection, events: Sequence[FeedEvent], prefix: str) -> None:
        """See `Projection.apply`."""
        told = [
            self._codec.decode_clear(event.type, event.payload)
            for event in events
            if event.type in self._types and event.version == 1
        ]
        await conn.executemany(
            f"insert into {prefix}entitlement (pool, person) values ($1, $2)",
            [(event.pool, event.person) for event in told],
        )


class Settlements:
    """The projection: months asked to be settled, by pool."""

    name = "settlements"
    tables = """
    create table {prefix}settlement (
        pool text not null,
        month text not null,
        primary key (pool, month)
    );
    """

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self._type = codec.type_name(SettlementOpened)

    async def apply(self, conn: Connection, events: Sequence[FeedEvent], prefix: str) -> None:
        """See `Projection.apply`."""
        told: list[SettlementOpened] = [
            self._codec.decode_clear(event.type, event.payload)
            for event in events
            if event.type == self._type
        ]
        await conn.executemany(
            f"insert into {prefix}settlement (pool, month) values ($1, $2)",
            [(event.pool, str(event.month)) for event in told],
        )


class ListReader:
    """Pages of both."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        entitlements: ProjectionRunner,
        settlements: ProjectionRunner,
    ) -> None:
        self._pool = pool
        self._entitlements = entitlements
        self._settlements = settlements

    async def people(self, pool: str, *, after: UUID | None, limit: int) -> list[UUID]:
        """People with an entitlement, ordered by id."""
        rows = await self._pool.fetch(
            f"select person from {self._entitlements.tables}entitlement where pool = $1"
            " and ($2::uuid is null or person > $2) order by person limit $3",
            pool,
            after,
            limit,
        )
        return [row["person"] for row in rows]

    async def months(self, pool: str, *, after: str | None, limit: int) -> list[Month]:
        """Months asked to be settled, in order."""
        rows = await self._pool.fetch(
            f"select month from {self._settlements.tables}settlement where pool = $1"
            " and ($2::text is null or month > $2) order by month limit $3",
            pool,
            after,
            limit,
        )
        return [Month.parse(row["month"]) for row in rows]
