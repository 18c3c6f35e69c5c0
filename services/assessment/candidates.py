"""Read model of who has a benefit by the conclusions, for the draw of inspections.

Opaque ids, days and positions: no personal data.
"""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

import asyncpg

from kernel.eventstore.codec import Codec
from kernel.projection import Connection, FeedEvent, ProjectionRunner
from services.assessment.domain.events import ConclusionDelivered


class Conclusions:
    """The projection: one row a delivered conclusion."""

    name = "conclusions"
    tables = """
    create table {prefix}conclusion (
        position bigint primary key,
        pool text not null,
        person uuid not null,
        conclusion_date date not null,
        effective_date date not null,
        valid_until_date date not null,
        eligible boolean not null
    );
    create index on {prefix}conclusion (pool, person);
    """

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self._delivered = codec.type_name(ConclusionDelivered)

    async def apply(self, conn: Connection, events: Sequence[FeedEvent], prefix: str) -> None:
        """See `Projection.apply`."""
        delivered = [
            (event.position, self._codec.decode_clear(event.type, event.payload))
            for event in events
            if event.type == self._delivered
        ]
        await conn.executemany(
            f"insert into {prefix}conclusion (position, pool, person, conclusion_date,"
            " effective_date, valid_until_date, eligible) values ($1, $2, $3, $4, $5, $6, $7)",
            [
                (
                    position,
                    one.pool,
                    one.person,
                    one.conclusion_date,
                    one.effective_date,
                    one.valid_until_date,
                    one.grade_eligible,
                )
                for position, one in delivered
            ],
        )


class CandidatesReader:
    """The people whose newest conclusion in effect gives a benefit, and its day."""

    def __init__(self, pool: asyncpg.Pool, runner: ProjectionRunner, source: str) -> None:
        self._pool = pool
        self._runner = runner
        self._source = source

    def known(self) -> int:
        """The position up to which conclusions are known here."""
        return self._runner.position(self._source)

    async def on(self, pool: str, day: date, upto: int) -> dict[UUID, date]:
        """By person, from the conclusions up to a position."""
        rows = await self._pool.fetch(
            "select person, conclusion_date from (select distinct on (person) person,"
            " conclusion_date, valid_until_date, eligible"
            f" from {self._runner.tables}conclusion"
            " where pool = $1 and effective_date <= $2 and position <= $3"
            " order by person, effective_date desc, conclusion_date desc, position desc) as newest"
            " where eligible and valid_until_date >= $2",
            pool,
            day,
            upto,
        )
        return {row["person"]: row["conclusion_date"] for row in rows}
