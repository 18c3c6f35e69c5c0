"""Benefits as they were determined, and what a settlement run comes to."""

import json
from collections.abc import Sequence
from uuid import UUID

import asyncpg

from kernel.calendar import Month
from kernel.eventstore.codec import Codec
from kernel.money import Money
from kernel.projection import Connection, FeedEvent, ProjectionRunner
from services.payment.domain.benefit import (
    COST_OF_PROVIDER,
    BenefitDetermined,
    BenefitPart,
    DeterminedMonth,
)
from services.payment.domain.settlement import ProviderSum, RunSums

_ELIGIBLE_COST = ""  # a part without a component: cost of a provider's care, not a payment


class Benefits:
    """The projection: benefits, and their parts by the run that pays them."""

    name = "benefits"
    tables = """
    create table {prefix}benefit (
        benefit uuid not null,
        position bigint not null,
        pool text not null,
        person uuid not null,
        month text not null,
        settled_month text not null,
        components text[] not null,
        payees text[] not null,
        amounts bigint[] not null,
        eligible_cost_fen bigint not null,
        fund_share_fen bigint not null,
        personal_share_fen bigint not null,
        primary key (person, pool, month)
    );
    create index on {prefix}benefit (pool, month, person);
    create index on {prefix}benefit (pool, settled_month);
    create table {prefix}part (
        pool text not null,
        settled_month text not null,
        person uuid not null,
        payee text not null,
        component text not null,
        amount_fen bigint not null
    );
    create index on {prefix}part (pool, settled_month);
    """

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self._type = codec.type_name(BenefitDetermined)

    async def apply(self, conn: Connection, events: Sequence[FeedEvent], prefix: str) -> None:
        """See `Projection.apply`."""
        told: list[tuple[int, BenefitDetermined]] = [
            (event.position, self._codec.decode_clear(event.type, event.payload))
            for event in events
            if event.type == self._type
        ]
        await conn.executemany(
            f"insert into {prefix}benefit (position, benefit, pool, person, month, settled_month,"
            " components, payees, amounts, eligible_cost_fen, fund_share_fen, personal_share_fen)"
            " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
            [(position, *_row(benefit)) for position, benefit in told],
        )
        await conn.executemany(
            f"insert into {prefix}part (pool, settled_month, person, payee, component, amount_fen)"
            " values ($1, $2, $3, $4, $5, $6)",
            [part for _, benefit in told for part in _parts(benefit)],
        )


def _row(benefit: BenefitDetermined) -> tuple[object, ...]:
    return (
        benefit.benefit,
        benefit.pool,
        benefit.person,
        str(benefit.month),
        str(benefit.settled_month),
        [part.component for part in benefit.components],
        [part.payee for part in benefit.components],
        [part.amount.fen for part in benefit.components],
        benefit.eligible_cost.fen,
        benefit.fund_share.fen,
        benefit.personal_share.fen,
    )


def _parts(benefit: BenefitDetermined) -> list[tuple[object, ...]]:
    place = (benefit.pool, str(benefit.settled_month), benefit.person)
    parts = [(*place, p.payee, p.component, p.amount.fen) for p in benefit.components]
    costs = [
        (*place, name.removeprefix(COST_OF_PROVIDER), _ELIGIBLE_COST, fen)
        for name, fen in json.loads(benefit.ruling)["amounts"].items()
        if name.startswith(COST_OF_PROVIDER)
    ]
    return [*parts, *costs]


class BenefitReader:
    """Pages, months that are done, and sums of a run."""

    def __init__(self, pool: asyncpg.Pool, runner: ProjectionRunner, source: str) -> None:
        self._pool = pool
        self._runner = runner
        self._source = source

    async def wait_for(self, position: int, timeout: float) -> None:
        """Returns once the service's own log has been read so far; TimeoutError otherwise."""
        await self._runner.wait_for(self._source, position, timeout)

    async def determined(self, pool: str, persons: Sequence[UUID]) -> list[DeterminedMonth]:
        """The months of these people that are done."""
        rows = await self._pool.fetch(
            f"select person, month, settled_month, fund_share_fen from {self._runner.tables}benefit"
            " where person = any($1) and pool = $2",
            list(persons),
            pool,
        )
        return [
            DeterminedMonth(
                person=row["person"],
                month=Month.parse(row["month"]),
                settled_month=Month.parse(row["settled_month"]),
                fund_share=Money(row["fund_share_fen"]),
            )
            for row in rows
        ]

    async def sums(self, pool: str, month: Month) -> RunSums:
        """What all benefits of a run come to."""
        tables, place = self._runner.tables, (pool, str(month))
        async with (
            self._pool.acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            count = await connection.fetchval(
                f"select count(*) from {tables}benefit where pool = $1 and settled_month = $2",
                *place,
            )
            rows = await connection.fetch(
                f"select payee, component, sum(amount_fen)::bigint as fen from {tables}part"
                " where pool = $1 and settled_month = $2 group by payee, component",
                *place,
            )
            people = await connection.fetch(
                f"select payee, count(distinct person) as count from {tables}part"
                " where pool = $1 and settled_month = $2 and payee like 'providers/%'"
                " group by payee order by payee",
                *place,
            )
        return _run_sums(pool, month, count, rows, {r["payee"]: r["count"] for r in people})

    async def page(
        self,
        pool: str,
        *,
        person: UUID | None,
        month: Month | None,
        after: tuple[str, UUID] | None,
        limit: int,
        upto: int | None = None,
    ) -> list[BenefitDetermined]:
        """Benefits by month and person, without their rulings; up to a position where given."""
        after_month, after_person = after or (None, None)
        rows = await self._pool.fetch(
            f"select * from {self._runner.tables}benefit where pool = $1"
            " and ($2::uuid is null or person = $2) and ($3::text is null or month = $3)"
            " and ($4::text is null or (month, person) > ($4, $5::uuid))"
            " and ($7::bigint is null or position <= $7) order by month, person limit $6",
            pool,
            person,
            None if month is None else str(month),
            after_month,
            after_person,
            limit,
            upto,
        )
        return [_benefit(row) for row in rows]


def _run_sums(
    pool: str,
    month: Month,
    count: int,
    rows: Sequence[asyncpg.Record],
    people: dict[str, int],
) -> RunSums:
    by_payee: dict[str, Money] = {}
    by_component: dict[str, Money] = {}
    costs: dict[str, Money] = {}
    for row in rows:
        payee, component, amount = row["payee"], row["component"], Money(row["fen"])
        if component == _ELIGIBLE_COST:
            costs[payee] = amount
            continue
        by_payee[payee] = by_payee.get(payee, Money(0)) + amount
        by_component[component] = by_component.get(component, Money(0)) + amount
    return RunSums(
        pool=pool,
        month=month,
        benefit_count=count,
        by_payee=by_payee,
        by_component=by_component,
        providers=[
            ProviderSum(
                provider=UUID(payee.removeprefix("providers/")),
                eligible_cost=costs.get(payee, Money(0)),
                fund_share=by_payee.get(payee, Money(0)),
                person_count=persons,
            )
            for payee, persons in people.items()
        ],
    )


def _benefit(row: asyncpg.Record) -> BenefitDetermined:
    parts = zip(row["components"], row["payees"], row["amounts"], strict=True)
    return BenefitDetermined(
        benefit=row["benefit"],
        person=row["person"],
        pool=row["pool"],
        month=Month.parse(row["month"]),
        settled_month=Month.parse(row["settled_month"]),
        components=tuple(
            BenefitPart(component=component, payee=payee, amount=Money(fen))
            for component, payee, fen in parts
        ),
        eligible_cost=Money(row["eligible_cost_fen"]),
        fund_share=Money(row["fund_share_fen"]),
        personal_share=Money(row["personal_share_fen"]),
        ruling=b"",
    )
