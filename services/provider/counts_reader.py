"""Reads what monitoring counted: providers' visits now, months, complaints. No personal data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from ltci.provider.v1 import complaint_service_pb2 as complaints
from ltci.provider.v1 import monitoring_service_pb2 as pb

from kernel.eventstore.postgres import EventStore
from kernel.projection import ProjectionRunner
from services.provider.domain.counting import Key

CATCH_UP_SECONDS = 5.0


@dataclass(frozen=True, kw_only=True)
class Body:
    """A provider as lists know it."""

    provider: UUID
    pool: str
    provider_name: str
    social_credit_code: str


class CountsReader:
    """Answers from the tables, a page at a time."""

    def __init__(self, store: EventStore, runner: ProjectionRunner) -> None:
        self._store = store
        self._runner = runner

    async def caught_up(self) -> int:
        """The position of the log at the call, once the tables hold what is up to there."""
        head = (await self._store.head()).position
        await self._runner.wait_for(self._store.schema, head, CATCH_UP_SECONDS)
        return head

    def known(self) -> int:
        """The position up to which the tables reach."""
        return self._runner.position(self._store.schema)

    async def body(self, provider: UUID) -> Body | None:
        rows = await self._rows("select * from {0}provider where provider = $1", provider)
        return Body(**rows[0]) if rows else None

    async def visit(self, visit: UUID) -> tuple[UUID, UUID] | None:
        """Provider and caregiver of a visit; None where there is none."""
        rows = await self._rows("select provider, caregiver from {0}visit where visit = $1", visit)
        return (rows[0]["provider"], UUID(rows[0]["caregiver"])) if rows else None

    async def sums(self, provider: UUID, month: str) -> Mapping[Key, int]:
        rows = await self._rows(
            "select name, key, total from {0}sums"
            " where provider = $1 and month = $2 and total <> 0 order by name, key",
            provider,
            month,
        )
        return {(row["name"], row["key"]): row["total"] for row in rows}

    async def watches(
        self, pool: str, today: str, begun_before: datetime, after: UUID | None, limit: int
    ) -> list[pb.ProviderWatch]:
        """Ordered by id; visits going on that began before the instant are overlong."""
        rows = await self._rows(
            "select p.provider, p.provider_name, v.*, f.*, s.* from ("
            " select provider, provider_name from {0}provider where pool = $1"
            " and ($2::uuid is null or provider > $2) order by provider limit $3) p"
            " cross join lateral (select count(*) filter (where state = 1) going_on_count,"
            " count(*) filter (where state = 1 and start_time < $4) overlong_count,"
            " count(*) filter (where state = 2) to_confirm_count"
            " from {0}visit where provider = p.provider and state < 3) v"
            " cross join lateral (select count(*) flagged_count from {0}flag"
            " where provider = p.provider and fate = 'open') f"
            " cross join lateral (select"
            " coalesce(sum(total) filter (where name = 'day_delivered'), 0)::bigint"
            " delivered_count,"
            " coalesce(sum(total) filter (where name = 'day_rejected'), 0)::bigint rejected_count"
            " from {0}sums where provider = p.provider and month = left($5, 7)"
            " and name in ('day_delivered', 'day_rejected') and key = $5) s"
            " order by p.provider",
            pool,
            after,
            limit,
            begun_before,
            today,
        )
        return [
            pb.ProviderWatch(**(dict(row) | {"provider": str(row["provider"])})) for row in rows
        ]

    async def complaints(
        self,
        pool: str,
        state: int,
        overdue_on: str,
        after: tuple[str, UUID] | None,
        limit: int,
    ) -> list[complaints.Complaint]:
        """Ordered by the day they came in; with a day, only those overdue on it."""
        day, name = after or ("", None)
        rows = await self._rows(
            "select * from (select *, case when answered_date <> '' then 3"
            " when accepted_date <> '' then 2 else 1 end state from {0}complaint"
            " where pool = $1) c where ($2 = 0 or state = $2)"
            " and ($3 = '' or (answered_date = '' and due_date < $3))"
            " and ($5::uuid is null or (filed_date, complaint) > ($4, $5))"
            " order by filed_date, complaint limit $6",
            pool,
            state,
            overdue_on,
            day,
            name,
            limit,
        )
        return [complaints.Complaint(**_texts(row)) for row in rows]

    async def _rows(self, query: str, *values: object) -> Sequence[Any]:
        return list(await self._store.pool.fetch(query.format(self._runner.tables), *values))


def _texts(row: Any) -> dict[str, Any]:
    return {
        name: str(value) if isinstance(value, UUID) else value
        for name, value in row.items()
        if value is not None
    }
