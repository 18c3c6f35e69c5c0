"""Payment instructions as they stand, and the versions of payees' accounts."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

import asyncpg

from kernel.calendar import Month
from kernel.eventstore.codec import Codec
from kernel.money import Money
from kernel.projection import Connection, FeedEvent, ProjectionRunner
from services.payment.domain import instruction as i
from services.payment.domain.payee import PayeeRegistered

_EVENTS = (
    i.PaymentInstructed,
    i.PaymentSent,
    i.PaymentUnknown,
    i.BenefitPaid,
    i.PaymentReturned,
    i.PaymentReissued,
)
_COLUMNS = (
    "instruction, batch, pool, settled_month, payee, amount_fen, replaces, account_version,"
    " state, was_unknown, bank_reference, cause, replaced_by"
)


class Instructions:
    """The projection: one row an instruction, folded as the stream is."""

    name = "instructions"
    tables = """
    create table {prefix}instruction (
        instruction uuid primary key,
        batch uuid not null,
        pool text not null,
        settled_month text not null,
        payee text not null,
        amount_fen bigint not null,
        replaces uuid,
        account_version bigint not null,
        state text not null,
        was_unknown boolean not null,
        bank_reference text not null,
        cause text not null,
        replaced_by uuid
    );
    create index on {prefix}instruction (batch, state);
    create index on {prefix}instruction (pool, settled_month, instruction);
    create table {prefix}payee (
        payee text primary key,
        version bigint not null
    );
    """

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self._types = {codec.type_name(event_class) for event_class in _EVENTS}
        self._payee = codec.type_name(PayeeRegistered)

    async def apply(self, conn: Connection, events: Sequence[FeedEvent], prefix: str) -> None:
        """See `Projection.apply`."""
        told: list[i.Event] = [
            self._codec.decode_clear(event.type, event.payload)
            for event in events
            if event.type in self._types
        ]
        if told:
            await _fold(conn, prefix, told)
        await conn.executemany(
            f"insert into {prefix}payee (payee, version) values ($1, $2)"
            " on conflict (payee) do update set version = excluded.version",
            [
                (self._codec.decode_clear(event.type, event.payload).payee, event.version)
                for event in events
                if event.type == self._payee
            ],
        )


async def _fold(conn: Connection, prefix: str, events: Sequence[i.Event]) -> None:
    names = list({event.instruction for event in events})
    rows = await conn.fetch(
        f"select {_COLUMNS} from {prefix}instruction where instruction = any($1)", names
    )
    states = {row["instruction"]: state_of(row) for row in rows}
    for event in events:
        before = states.get(event.instruction, i.Instruction())
        states[event.instruction] = i.evolve(before, event)
    await conn.executemany(
        f"insert into {prefix}instruction ({_COLUMNS})"
        " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"
        " on conflict (instruction) do update set state = excluded.state,"
        " was_unknown = excluded.was_unknown, bank_reference = excluded.bank_reference,"
        " cause = excluded.cause, replaced_by = excluded.replaced_by",
        [_row(state) for state in states.values()],
    )


def _row(state: i.Instruction) -> tuple[object, ...]:
    told = state.told
    return (
        told.instruction,
        told.batch,
        told.pool,
        str(told.settled_month),
        told.payee,
        told.amount.fen,
        told.replaces,
        told.account_version,
        state.state.value,
        state.was_unknown,
        state.bank_reference,
        state.cause,
        state.replaced_by,
    )


def state_of(row: Any) -> i.Instruction:
    """The instruction of a row."""
    return i.Instruction(
        state=i.InstructionState(row["state"]),
        instructed=i.PaymentInstructed(
            instruction=row["instruction"],
            batch=row["batch"],
            pool=row["pool"],
            settled_month=Month.parse(row["settled_month"]),
            payee=row["payee"],
            amount=Money(row["amount_fen"]),
            replaces=row["replaces"],
            account_version=row["account_version"],
        ),
        was_unknown=row["was_unknown"],
        bank_reference=row["bank_reference"],
        cause=row["cause"],
        replaced_by=row["replaced_by"],
    )


class InstructionReader:
    """Pages, batches, and accounts' versions."""

    def __init__(self, pool: asyncpg.Pool, runner: ProjectionRunner, source: str) -> None:
        self._pool = pool
        self._runner = runner
        self._source = source

    async def wait_for(self, position: int, timeout: float) -> None:
        """Returns once the service's own log has been read so far; TimeoutError otherwise."""
        await self._runner.wait_for(self._source, position, timeout)

    async def in_states(
        self, batch: UUID, states: Collection[i.InstructionState]
    ) -> list[i.Instruction]:
        """The batch's instructions in these states, in order of id."""
        rows = await self._pool.fetch(
            f"select {_COLUMNS} from {self._runner.tables}instruction"
            " where batch = $1 and state = any($2) order by instruction",
            batch,
            [state.value for state in states],
        )
        return [state_of(row) for row in rows]

    async def counts(self, batch: UUID) -> list[i.BatchState]:
        """The batch by state; empty where there is no such batch."""
        rows = await self._pool.fetch(
            "select state, count(*) as count, sum(amount_fen)::bigint as fen"
            f" from {self._runner.tables}instruction where batch = $1 group by state",
            batch,
        )
        return [
            i.BatchState(
                state=i.InstructionState(row["state"]),
                count=row["count"],
                amount=Money(row["fen"]),
            )
            for row in rows
        ]

    async def account_versions(self, payees: Sequence[str]) -> dict[str, int]:
        """The newest version of each payee's account; payees without one are left out."""
        rows = await self._pool.fetch(
            f"select payee, version from {self._runner.tables}payee where payee = any($1)",
            list(payees),
        )
        return {row["payee"]: row["version"] for row in rows}

    async def page(
        self, pool: str, *, batch: UUID | None, after: tuple[str, UUID] | None, limit: int
    ) -> list[i.Instruction]:
        """Instructions by settlement run and id."""
        after_month, after_name = after or (None, None)
        rows = await self._pool.fetch(
            f"select {_COLUMNS} from {self._runner.tables}instruction"
            " where pool = $1 and ($2::uuid is null or batch = $2)"
            " and ($3::text is null or (settled_month, instruction) > ($3, $4::uuid))"
            " order by settled_month, instruction limit $5",
            pool,
            batch,
            after_month,
            after_name,
            limit,
        )
        return [state_of(row) for row in rows]
