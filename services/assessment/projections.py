"""Read models of assessment: where an application is kept, and which there are.

The table holds opaque ids and days: no personal data.
"""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

import asyncpg

from kernel.eventstore.codec import Codec
from kernel.projection import Connection, FeedEvent, ProjectionRunner
from services.assessment.domain.applicant import Listed
from services.assessment.domain.events import ApplicationSubmitted


class Applications:
    """The projection: one row an application."""

    name = "applications"
    tables = """
    create table {prefix}application (
        application uuid primary key,
        pool text not null,
        person uuid not null,
        application_date date not null
    );
    create index on {prefix}application (pool, application_date, application);
    create index on {prefix}application (person, pool);
    """

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self._submitted = codec.type_name(ApplicationSubmitted)

    async def apply(self, conn: Connection, events: Sequence[FeedEvent], prefix: str) -> None:
        """See `Projection.apply`."""
        submitted = [
            self._codec.decode_clear(event.type, event.payload)
            for event in events
            if event.type == self._submitted
        ]
        await conn.executemany(
            f"insert into {prefix}application (application, pool, person, application_date)"
            " values ($1, $2, $3, $4)",
            [(one.application, one.pool, one.person, one.application_date) for one in submitted],
        )


class ApplicationsReader:
    """Looks applications up, and gives pages of them."""

    def __init__(self, pool: asyncpg.Pool, runner: ProjectionRunner) -> None:
        self._pool = pool
        self._runner = runner

    async def find(self, application: UUID) -> Listed | None:
        """The application, as far as the read model has come."""
        row = await self._pool.fetchrow(
            "select application_date, application, pool, person"
            f" from {self._runner.tables}application where application = $1",
            application,
        )
        return None if row is None else Listed(*row)

    async def page(
        self, pool: str, person: UUID | None, *, after: tuple[date, UUID] | None, limit: int
    ) -> list[Listed]:
        """Applications of a pool, or of a person in it, ordered by day and id."""
        day, application = after or (None, None)
        rows = await self._pool.fetch(
            "select application_date, application, pool, person"
            f" from {self._runner.tables}application"
            " where pool = $1 and ($2::uuid is null or person = $2)"
            " and ($3::date is null or (application_date, application) > ($3, $4::uuid))"
            " order by application_date, application limit $5",
            pool,
            person,
            day,
            application,
            limit,
        )
        return [Listed(*row) for row in rows]
