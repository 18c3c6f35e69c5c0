"""Carries a pool's month from its opening to its closing."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from ltci.payment.v1 import payment_service_pb2 as pb

from kernel.calendar import Month
from kernel.clock import Clock
from kernel.eventstore.handle import Call, Handler, Work
from kernel.eventstore.postgres import EventStore
from kernel.money import ZERO
from kernel.refusal import NotFound, Refused
from services.payment import wire
from services.payment.application.appends import BulkWriter, First
from services.payment.application.determination import Determination, Run
from services.payment.application.reads import Benefits, Facts, Instructions, Source
from services.payment.application.streams import (
    BILL,
    INSTRUCTION,
    LEDGER,
    SETTLEMENT,
    bill_stream,
    instruction_stream,
    ledger_stream,
    settlement_stream,
)
from services.payment.domain import instruction as i
from services.payment.domain import ledger as lg
from services.payment.domain import settlement as s

SMALL_CLOSING = 300  # streams that go in one append; beyond, in many that can be repeated
_NOTHING = s.CloseSettlement(benefit_count=0, instruction_count=0, fund_share=ZERO)


class Settlements:
    """Open, freeze, determine, close."""

    def __init__(
        self,
        *,
        handler: Handler,
        store: EventStore,
        clock: Clock,
        writer: BulkWriter,
        determination: Determination,
        sources: Sequence[Source],
        facts: Facts,
        benefits: Benefits,
        instructions: Instructions,
    ) -> None:
        self._handler = handler
        self._store = store
        self._clock = clock
        self._writer = writer
        self._determination = determination
        self._sources = sources
        self._facts = facts
        self._benefits = benefits
        self._instructions = instructions

    async def open(self, call: Call, pool: str, month: Month) -> pb.Settlement:
        """Asks for the month. Refuses MONTH_NOT_OVER."""
        command = s.OpenSettlement(pool=pool, month=month, today=self._clock.today())
        return await self._step(call, pool, month, command)

    async def freeze(self, call: Call, pool: str, month: Month, timeout: float) -> pb.Settlement:
        """Fixes which facts count: all that exist now. Refuses NOT_OPENED."""
        known: dict[str, int] = {}
        count = 0
        state = await self._state(pool, month)
        if state.state is s.SettlementState.OPENED:
            known = {source.source: await source.head() for source in self._sources}
            await self._facts.wait_for(known, timeout)
            count = await self._facts.people_count(pool, month, known)
        command = s.FreezeSettlement(
            known=tuple(s.KnownUpTo(service=k, position=v) for k, v in sorted(known.items())),
            case_count=count,
        )
        return await self._step(call, pool, month, command)

    async def determine(
        self, call: Call, pool: str, month: Month, *, after: UUID | None, size: int
    ) -> pb.DetermineBenefitsResponse:
        """Determines the benefits of the next people. Refuses NOT_FROZEN."""
        state = await self._state(pool, month)
        if state.state not in {s.SettlementState.FROZEN, s.SettlementState.CLOSED}:
            raise Refused("NOT_FROZEN")
        run = Run(
            pool=pool,
            month=month,
            known=state.known_upto,
            closed=state.state is s.SettlementState.CLOSED,
        )
        return await self._determination.chunk(run, actor=call.actor, after=after, size=size)

    async def close(self, call: Call, pool: str, month: Month, timeout: float) -> pb.Settlement:
        """Bills, instructions, the ledger's entry, and the end of the run. Refuses NOT_FROZEN."""
        state = await self._state(pool, month)
        if state.state is not s.SettlementState.FROZEN:
            return await self._step(call, pool, month, _NOTHING)
        head = await self._store.head()
        await self._benefits.wait_for(head.position, timeout)
        await self._instructions.wait_for(head.position, timeout)
        sums = await self._benefits.sums(pool, month)
        versions = await self._instructions.account_versions(list(sums.by_payee))
        closing = s.closing(sums, versions)
        small = len(closing.instructs) + len(closing.bills) <= SMALL_CLOSING
        if not small:
            await self._writer.write(call.actor, _firsts(closing))

        async def work(run: Work) -> pb.Settlement:
            stream = settlement_stream(pool, month)
            settlement = await run.load(SETTLEMENT, stream)
            events = s.decide(closing.close, settlement)
            settlement = run.record(SETTLEMENT, stream, pool, events)
            if events:
                await _record_entry(run, closing.entry)
                if small:
                    await _record_all(run, closing)
            return wire.settlement(pool, month, settlement)

        return await self._handler.execute(call, work, pb.Settlement)

    async def settlement(
        self, pool: str, month: Month, known_at: datetime | None = None
    ) -> pb.Settlement:
        """Where the run stands, or stood at a moment. Refuses NotFound."""
        stream = settlement_stream(pool, month)
        state, _ = await self._handler.load_known(SETTLEMENT, stream, known_at)
        if state.state is s.SettlementState.NONE:
            raise NotFound("settlement", f"{pool}/{month}")
        return wire.settlement(pool, month, state)

    async def settlements(self, pool: str, months: Sequence[Month]) -> list[pb.Settlement]:
        """Where these runs stand, in the order given."""
        streams = {month: settlement_stream(pool, month) for month in months}
        states = await self._handler.load_many(SETTLEMENT, list(streams.values()))
        return [
            wire.settlement(pool, month, states[stream][0]) for month, stream in streams.items()
        ]

    async def _state(self, pool: str, month: Month) -> s.Settlement:
        state, _ = await self._handler.load(SETTLEMENT, settlement_stream(pool, month))
        return state

    async def _step(self, call: Call, pool: str, month: Month, command: s.Command) -> pb.Settlement:
        async def work(run: Work) -> pb.Settlement:
            stream = settlement_stream(pool, month)
            settlement = await run.load(SETTLEMENT, stream)
            settlement = run.record(SETTLEMENT, stream, pool, s.decide(command, settlement))
            return wire.settlement(pool, month, settlement)

        return await self._handler.execute(call, work, pb.Settlement)


async def _record_entry(run: Work, entry: lg.PostEntry | None) -> None:
    if entry is None:
        return
    stream = ledger_stream(entry.entry)
    before = await run.load(LEDGER, stream)
    run.record(LEDGER, stream, entry.pool, lg.decide(entry, before))


async def _record_all(run: Work, closing: s.Closing) -> None:
    """Bills and instructions, in the append of the closing itself."""
    bills = {bill_stream(b.pool, b.provider, b.settled_month): b for b in closing.bills}
    before = await run.load_many(BILL, list(bills))
    for stream, bill in bills.items():
        run.record(BILL, stream, bill.pool, s.decide_bill(bill, before[stream]))
    instructs = {instruction_stream(one.instruction): one for one in closing.instructs}
    known = await run.load_many(INSTRUCTION, list(instructs))
    for stream, instruct in instructs.items():
        run.record(INSTRUCTION, stream, instruct.pool, i.decide(instruct, known[stream]))


def _firsts(closing: s.Closing) -> list[First]:
    """Bills and instructions of a large closing: written before it, and safe to write again."""
    firsts = [
        First(
            name=("settle-bill", str(bill.bill)),
            means=f"{bill.fund_share} {bill.eligible_cost}",
            kind=BILL,
            stream=bill_stream(bill.pool, bill.provider, bill.settled_month),
            pool=bill.pool,
            event=event,
            answer=pb.Settlement(),
        )
        for bill in closing.bills
        for event in s.decide_bill(bill, s.Bill())
    ]
    return firsts + [
        First(
            name=("instruct", str(instruct.instruction)),
            means=f"{instruct.payee} {instruct.amount}",
            kind=INSTRUCTION,
            stream=instruction_stream(instruct.instruction),
            pool=instruct.pool,
            event=event,
            answer=pb.Settlement(),
        )
        for instruct in closing.instructs
        for event in i.decide(instruct, i.Instruction())
    ]
