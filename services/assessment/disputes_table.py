"""Read model of objections and appeals: to which application each belongs.

The table holds opaque ids and days: no personal data.
"""

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from kernel.eventstore.codec import Codec
from kernel.eventstore.postgres import EventStore
from kernel.projection import Connection, FeedEvent, ProjectionRunner
from kernel.refusal import NotFound
from services.assessment.domain.dispute_events import AppealFiled, ObjectionFiled

CATCH_UP_SECONDS = 10.0


class Disputes:
    """The projection: one row an objection or appeal."""

    name = "disputes"
    tables = """
    create table {prefix}dispute (
        dispute uuid primary key,
        application uuid not null
    );
    """

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self._filed = {codec.type_name(kind) for kind in (ObjectionFiled, AppealFiled)}

    async def apply(self, conn: Connection, events: Sequence[FeedEvent], prefix: str) -> None:
        """See `Projection.apply`."""
        filed = [
            self._codec.decode_clear(event.type, event.payload)
            for event in events
            if event.type in self._filed
        ]
        await conn.executemany(
            f"insert into {prefix}dispute (dispute, application) values ($1, $2)",
            [
                (one.objection if isinstance(one, ObjectionFiled) else one.appeal, one.application)
                for one in filed
            ],
        )


class DisputesReader:
    """Finds the application of an objection or appeal."""

    def __init__(self, store: EventStore, runner: ProjectionRunner, name: str) -> None:
        self._pool: asyncpg.Pool = store.pool
        self._store = store
        self._runner = runner
        self._name = name

    async def application_of(self, kind: str, dispute: UUID) -> UUID:
        """Refuses NotFound. An id may be used as soon as it was told: see `Assessment`."""
        found = await self._find(dispute)
        if found is None:
            head = (await self._store.head()).position
            await self._runner.wait_for(self._name, head, CATCH_UP_SECONDS)
            found = await self._find(dispute)
        if found is None:
            raise NotFound(kind, dispute)
        return found

    async def _find(self, dispute: UUID) -> UUID | None:
        told: UUID | None = await self._pool.fetchval(
            f"select application from {self._runner.tables}dispute where dispute = $1", dispute
        )
        return told
