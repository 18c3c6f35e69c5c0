"""Entitlements and life events of the people cared for, from payment and enrollment (投影).

Payment follows this service and this one follows payment: neither waits for the other to start.
A feed that is away is asked again; until it answers, nothing is known of who is not told yet.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from kernel.eventstore.postgres import EventStore
from kernel.projection import Connection, FeedEvent, ProjectionRunner
from kernel.rules.ruling import Fact, FactRef, fact_digest
from services.provider.domain.insured import EntitlementTold
from services.provider.incoming import SOURCES, told_in, told_types, without_ruling


class InsuredFacts:
    """The projection: one row a fact, found by person, with its place in its service's log."""

    name = "insured"
    tables = """
    create table {prefix}fact (
        service text not null,
        position bigint not null,
        type text not null,
        payload bytea not null,         -- without a ruling
        digest text not null,           -- of the event as recorded, with its ruling
        recorded_at timestamptz not null,
        person uuid not null,
        pool text not null,             -- empty where the fact counts in every pool
        primary key (service, position)
    );
    create index on {prefix}fact (person);
    """

    def __init__(self) -> None:
        self._types = {(source, type_) for source in SOURCES for type_ in told_types(source)}

    async def apply(self, conn: Connection, events: Sequence[FeedEvent], prefix: str) -> None:
        """See `Projection.apply`."""
        await conn.executemany(
            f"insert into {prefix}fact values ($1, $2, $3, $4, $5, $6, $7, $8)",
            [_row(event) for event in events if (event.source, event.type) in self._types],
        )


def _row(event: FeedEvent) -> tuple[object, ...]:
    told = told_in(event.source, event.type, event.payload)
    return (
        event.source,
        event.position,
        event.type,
        without_ruling(event.source, event.type, event.payload),
        fact_digest(event.type, event.payload),
        event.recorded_at,
        told.person,
        told.pool if isinstance(told, EntitlementTold) else "",
    )


class InsuredReader:
    """Reads what is known of people, as facts that a ruling can name."""

    def __init__(self, store: EventStore, runner: ProjectionRunner) -> None:
        self._store = store
        self._runner = runner

    async def read(
        self, pool: str, persons: Sequence[UUID], known_at: datetime | None = None
    ) -> dict[UUID, tuple[Fact, ...]]:
        """The facts of these people in a pool, by service and position; none where unknown.

        With a moment, only what the other services had recorded by then. `insured_of` folds
        their events.
        """
        rows = await self._store.pool.fetch(
            "select person, service, position, type, payload, digest, recorded_at"
            f" from {self._runner.tables}fact where person = any($1) and pool in ($2, '')"
            " and ($3::timestamptz is null or recorded_at <= $3) order by service, position",
            list(persons),
            pool,
            known_at,
        )
        found: dict[UUID, list[Fact]] = {person: [] for person in persons}
        for row in rows:
            ref = FactRef(row["service"], row["position"], row["digest"])
            event = told_in(row["service"], row["type"], row["payload"])
            found[row["person"]].append(Fact(ref, event, row["recorded_at"]))
        return {person: tuple(facts) for person, facts in found.items()}
