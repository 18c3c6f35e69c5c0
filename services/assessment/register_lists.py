"""Read models of the registers: who is on which, and who was assigned when (投影).

The tables hold opaque ids and days: no personal data.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from kernel.eventstore.codec import Codec
from kernel.eventstore.postgres import EventStore
from kernel.projection import Connection, FeedEvent, ProjectionRunner
from services.assessment.domain.assessor import AssessorRegistered
from services.assessment.domain.body import AssessmentBodyDesignated
from services.assessment.domain.draws import DrawMade
from services.assessment.domain.service_point import ServicePointRegistered

CATCH_UP_SECONDS = 10.0

_KINDS = (AssessorRegistered, AssessmentBodyDesignated, ServicePointRegistered, DrawMade)


class RegisterLists:
    """The projection."""

    name = "registers"
    tables = """
    create table {prefix}body (
        pool text not null,
        body uuid not null,
        primary key (pool, body)
    );
    create table {prefix}assessor (
        pool text not null,
        assessor text not null,
        primary key (pool, assessor)
    );
    create table {prefix}point (
        pool text not null,
        code text not null,
        service_point uuid not null,
        primary key (pool, code)
    );
    create table {prefix}assignment (
        pool text not null,
        drawn_date date not null,
        number int not null,
        assessor text not null,
        primary key (pool, drawn_date, number, assessor)
    );
    """

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self._types = {codec.type_name(kind) for kind in _KINDS}

    async def apply(self, conn: Connection, events: Sequence[FeedEvent], prefix: str) -> None:
        """See `Projection.apply`."""
        for event in events:
            if event.type not in self._types:
                continue
            told = self._codec.decode_clear(event.type, event.payload)
            for table, row in _rows(told):
                places = ", ".join(f"${n}" for n in range(1, len(row) + 1))
                await conn.execute(
                    f"insert into {prefix}{table} values ({places}) on conflict do nothing", *row
                )


def _rows(told: object) -> list[tuple[str, tuple[Any, ...]]]:
    match told:
        case AssessorRegistered():
            return [("assessor", (told.pool, told.assessor))]
        case AssessmentBodyDesignated():
            return [("body", (told.pool, told.body))]
        case ServicePointRegistered():
            return [("point", (told.pool, told.code, told.service_point))]
        case DrawMade():
            day = (told.pool, told.drawn_date, told.number)
            return [("assignment", (*day, name)) for name in told.assigned]
        case _:
            return []


class RegisterReader:
    """Reads the lists, page by page, and the whole of a pool's database for a draw."""

    def __init__(self, store: EventStore, runner: ProjectionRunner) -> None:
        self._store = store
        self._runner = runner

    async def bodies(self, pool: str, after: str, limit: int) -> list[UUID]:
        """Ordered by id."""
        rows = await self._rows(
            "select body from {}body where pool = $1 and ($2 = '' or body > $2::text::uuid)"
            " order by body limit $3",
            pool,
            after,
            limit,
        )
        return [row["body"] for row in rows]

    async def assessors(self, pool: str, after: str, limit: int) -> list[str]:
        """Ordered by id."""
        rows = await self._rows(
            "select assessor from {}assessor where pool = $1 and assessor > $2"
            " order by assessor limit $3",
            pool,
            after,
            limit,
        )
        return [row["assessor"] for row in rows]

    async def points(self, pool: str, after: str, limit: int) -> list[tuple[str, UUID]]:
        """Number and id, ordered by number."""
        rows = await self._rows(
            "select code, service_point from {}point where pool = $1 and code > $2"
            " order by code limit $3",
            pool,
            after,
            limit,
        )
        return [(row["code"], row["service_point"]) for row in rows]

    async def all_assessors(self, pool: str) -> list[str]:
        """Everybody of the pool's database; what was recorded before the call counts."""
        head = await self._store.head()
        await self._runner.wait_for(self._store.schema, head.position, CATCH_UP_SECONDS)
        rows = await self._rows("select assessor from {}assessor where pool = $1", pool)
        return [row["assessor"] for row in rows]

    async def assignments(self, pool: str, first: date, last: date) -> Mapping[str, int]:
        """Assignments by assessor between two days, both in."""
        rows = await self._rows(
            "select assessor, count(*) as many from {}assignment"
            " where pool = $1 and drawn_date between $2 and $3 group by assessor",
            pool,
            first,
            last,
        )
        return {row["assessor"]: row["many"] for row in rows}

    async def _rows(self, query: str, *values: object) -> list[Any]:
        return list(await self._store.pool.fetch(query.format(self._runner.tables), *values))
