"""The saga with the bank: send, enquire, reissue; and how far a batch is.

An instruction is recorded before the bank is called, and the bank's answer after. A crash in
between leaves it as it was: the next attempt asks or sends again under the same identity.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import date, datetime
from hashlib import sha256
from typing import Protocol
from uuid import UUID

from ltci.payment.v1 import payment_service_pb2 as pb

from kernel.clock import SHANGHAI, Clock
from kernel.eventstore.codec import Codec
from kernel.eventstore.handle import Call, Handler, Work
from kernel.eventstore.postgres import EventStore
from kernel.ids import derive
from kernel.refusal import NotFound, Refused
from services.payment import wire
from services.payment.application.reads import Instructions
from services.payment.application.streams import (
    INSTRUCTION,
    LEDGER,
    instruction_stream,
    ledger_stream,
    payee_stream,
)
from services.payment.domain import instruction as i
from services.payment.domain import ledger as lg
from services.payment.domain import payee as p
from services.payment.domain.instruction import InstructionState

AT_ONCE = 16  # calls under way to the bank
_RESERVE = 6.0  # seconds kept of a call's deadline: two bank calls, an append and the count
log = logging.getLogger(__name__)


class Bank(Protocol):
    """Takes orders and answers enquiries."""

    async def order(self, told: i.PaymentInstructed, account: p.Account) -> i.Answer | None: ...
    async def enquire(self, instruction: UUID) -> i.Answer | None: ...


class Payments:
    """Batches of instructions on their way to proof."""

    def __init__(
        self,
        *,
        handler: Handler,
        store: EventStore,
        codec: Codec,
        clock: Clock,
        bank: Bank,
        instructions: Instructions,
    ) -> None:
        self._handler = handler
        self._store = store
        self._codec = codec
        self._clock = clock
        self._bank = bank
        self._instructions = instructions

    async def send(self, actor: str, batch: UUID, timeout: float) -> pb.BatchProgress:
        """Sends what was never sent; asks first about what is unknown, and sends it if absent.

        Stops in time before the call's deadline; what is left over waits for the next call.
        """
        states = {InstructionState.INSTRUCTED, InstructionState.UNKNOWN}
        return await self._each(batch, states, lambda one: self._send(actor, one), timeout)

    async def enquire(self, actor: str, batch: UUID, timeout: float) -> pb.BatchProgress:
        """Asks about what is sent or unknown."""
        states = {InstructionState.SENT, InstructionState.UNKNOWN}
        return await self._each(batch, states, lambda one: self._enquire(actor, one), timeout)

    async def reissue(self, actor: str, batch: UUID, timeout: float) -> pb.BatchProgress:
        """Replaces what came back, where the payee has a newer account since."""
        await self._caught_up(timeout)
        returned = await self._instructions.in_states(batch, {InstructionState.RETURNED})
        payees = [one.told.payee for one in returned]
        versions = await self._instructions.account_versions(payees)
        for one in returned:
            version = versions.get(one.told.payee, 0)
            if version > one.told.account_version:
                await self._reissue(actor, one.told, version)
        return await self.progress(batch, timeout)

    async def progress(self, batch: UUID, timeout: float) -> pb.BatchProgress:
        """How far the batch is. Refuses NotFound."""
        await self._caught_up(timeout)
        states = await self._instructions.counts(batch)
        if not states:
            raise NotFound("batch", batch)
        returned = await self._instructions.in_states(batch, {InstructionState.RETURNED})
        payees = sorted({one.told.payee for one in returned})
        return wire.progress(batch, states, payees)

    # -- one instruction -------------------------------------------------------------------

    async def _send(self, actor: str, name: UUID) -> None:
        state, _ = await self._handler.load(INSTRUCTION, instruction_stream(name))
        if state.state is InstructionState.UNKNOWN:
            answer = await self._bank.enquire(name)
            if not isinstance(answer, i.NoteAbsence):
                await self._note(actor, name, answer)
                return
        elif state.state is not InstructionState.INSTRUCTED:
            return
        account = await self._account(state.told)
        if account is not None:
            await self._note(actor, name, await self._bank.order(state.told, account))

    async def _enquire(self, actor: str, name: UUID) -> None:
        answer = await self._bank.enquire(name)
        await self._note(actor, name, answer)
        if isinstance(answer, i.NoteAbsence):
            # It never came, says the bank itself: under the same identity it may go again.
            await self._send(actor, name)

    async def _account(self, told: i.PaymentInstructed) -> p.Account | None:
        """The account to pay to, opened just now and kept nowhere; None where there is none."""
        payee = p.Payee()
        for recorded in await self._store.read_stream(payee_stream(told.payee)):
            payee = p.evolve(payee, await self._codec.decode(recorded))
        return payee.account(told.account_version)

    async def _note(self, actor: str, name: UUID, answer: i.Answer | None) -> None:
        """Writes down what the bank said, where it is news."""
        if answer is None:
            return
        stream = instruction_stream(name)
        state, version = await self._handler.load(INSTRUCTION, stream)
        try:
            if not i.decide(answer, state):
                return
            call = _call(actor, "bank-answer", str(name), str(version), type(answer).__name__)
            await self._handler.execute(call, self._noting(stream, answer), pb.Instruction)
        except Refused as refused:
            # The bank contradicts itself: nothing moves by itself, people must look.
            log.exception(
                "an answer of the bank does not fit",
                extra={"facts": {"instruction": str(name), "reason": refused.reason}},
            )

    def _noting(
        self, stream: UUID, answer: i.Answer
    ) -> Callable[[Work], Awaitable[pb.Instruction]]:
        async def work(run: Work) -> pb.Instruction:
            state = await run.load(INSTRUCTION, stream)
            events = i.decide(answer, state)
            state = run.record(INSTRUCTION, stream, state.told.pool, events)
            for event in events:
                if isinstance(event, i.BenefitPaid):
                    await self._post(run, event)
            return wire.instruction(state)

        return work

    async def _post(self, run: Work, event: i.BenefitPaid) -> None:
        """The ledger's side of a proven payment, in the same append."""
        entry = lg.paid(
            derive("ledger", "paid", str(event.instruction)),
            event.pool,
            day=self._booked_date(event.booked_time),
            amount=event.amount,
            cause=f"instructions/{event.instruction}",
        )
        stream = ledger_stream(entry.entry)
        before = await run.load(LEDGER, stream)
        run.record(LEDGER, stream, entry.pool, lg.decide(entry, before))

    async def _reissue(self, actor: str, told: i.PaymentInstructed, version: int) -> None:
        old, new = told.instruction, i.reissue_id(told.instruction)
        instruct = i.Instruct(
            instruction=new,
            batch=told.batch,
            pool=told.pool,
            settled_month=told.settled_month,
            payee=told.payee,
            amount=told.amount,
            account_version=version,
            replaces=old,
        )

        async def work(run: Work) -> pb.Instruction:
            streams = [instruction_stream(old), instruction_stream(new)]
            before = await run.load_many(INSTRUCTION, streams)
            replaced = i.decide(i.Reissue(account_version=version), before[streams[0]])
            run.record(INSTRUCTION, streams[0], told.pool, replaced)
            made = i.decide(instruct, before[streams[1]])
            return wire.instruction(run.record(INSTRUCTION, streams[1], told.pool, made))

        call = _call(actor, "reissue", str(old), str(version))
        await self._handler.execute(call, work, pb.Instruction)

    # -- a batch ---------------------------------------------------------------------------

    async def _each(
        self,
        batch: UUID,
        states: set[InstructionState],
        act: Callable[[UUID], Awaitable[None]],
        timeout: float,
    ) -> pb.BatchProgress:
        """Acts on every instruction in these states, some at once, as long as there is time."""
        until = self._clock.monotonic() + max(timeout - _RESERVE, timeout / 2)
        await self._caught_up(timeout)
        chosen = await self._instructions.in_states(batch, states)
        names = iter([one.told.instruction for one in chosen])
        failures: list[Exception] = []

        async def work() -> None:
            for name in names:
                if self._clock.monotonic() >= until:
                    return
                try:
                    await act(name)
                except Exception as error:  # noqa: BLE001 - one must not keep the others from the bank
                    failures.append(error)

        await asyncio.gather(*(work() for _ in range(AT_ONCE)))
        if failures:
            raise failures[0]
        return await self.progress(batch, _RESERVE)

    async def _caught_up(self, timeout: float) -> None:
        head = await self._store.head()
        await self._instructions.wait_for(head.position, timeout)

    def _booked_date(self, booked_time: str) -> date:
        """The bank's day of the booking; today where it named none."""
        if not booked_time:
            return self._clock.today()
        return datetime.fromisoformat(booked_time).astimezone(SHANGHAI).date()


def _call(actor: str, *name: str) -> Call:
    """A command of our own: the same name is the same command."""
    request_id = derive(*name)
    return Call(request_id=request_id, fingerprint=sha256(request_id.bytes).digest(), actor=actor)
