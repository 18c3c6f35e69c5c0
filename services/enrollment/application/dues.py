"""What is to be paid in: determined for a person, a pool's year, an employer's month (应缴核定)."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from ltci.enrollment.v1 import contribution_service_pb2 as pb

from kernel.eventstore.handle import Call, Work, code_version
from kernel.ids import derive
from kernel.money import Money, total
from kernel.pack_keeper import PackKeeper
from kernel.refusal import Refused
from kernel.replay import fact_of, raw_fact
from kernel.rules.ruling import Fact
from kernel.service import Parts
from services.enrollment import wire_contributions as wire
from services.enrollment.application.streams import (
    ACCOUNT,
    account_stream,
    coverage_stream,
    staff_stream,
)
from services.enrollment.domain import coverage as c
from services.enrollment.domain import dues as d
from services.enrollment.domain.employer import StaffDeclared

Determining = Callable[[Work], Awaitable[pb.Due]]


@dataclass(frozen=True, kw_only=True)
class Chunk:
    """What became of some people."""

    persons: Sequence[UUID]
    dues: Sequence[pb.Due]
    refused: Sequence[tuple[UUID, Refused]]

    @property
    def due(self) -> Money:
        """What was determined for them, together."""
        return total(Money(share.amount_fen) for due in self.dues for share in due.shares)


class Dues:
    """The determinations, each with its ruling and its pack."""

    def __init__(self, parts: Parts) -> None:
        self._handler = parts.handler
        self._store = parts.store
        self._codec = parts.codec
        self._packs = parts.packs
        self._kept_packs = PackKeeper(parts.packs, parts.store)

    async def determine(self, call: Call, question: d.Question) -> pb.Due:
        """One determination. Refuses what the rule refuses."""
        work = await self._determining(call, question, with_ruling=True)
        return await self._handler.execute(call, work, pb.Due)

    async def determine_many(self, call: Call, questions: Sequence[d.Question]) -> Chunk:
        """Determinations side by side; what a rule refuses is told, what breaks is raised.

        Each has a request id of its own, made from the call's and the person, so that the same
        call again, after a crash anywhere, determines what is missing and nothing twice.
        """
        items = []
        for question in questions:
            name = (str(call.request_id), str(question.person), str(question.employer or ""))
            own = Call(derive("due", *name), call.fingerprint, call.actor)
            items.append((own, await self._determining(own, question, with_ruling=False), pb.Due))
        dues, refused = [], []
        outcomes = await self._handler.execute_many(items)
        for question, outcome in zip(questions, outcomes, strict=True):
            if isinstance(outcome, Refused):
                refused.append((question.person, outcome))
            elif isinstance(outcome, Exception):
                raise outcome
            elif outcome.due:
                dues.append(outcome)
        return Chunk(persons=[q.person for q in questions], dues=dues, refused=refused)

    async def _determining(
        self, call: Call, question: d.Question, *, with_ruling: bool
    ) -> Determining:
        pack = await self._kept_packs.pack_for(question.pool)
        name = derive("due", str(call.request_id), str(question.person))

        async def work(run: Work) -> pb.Due:
            stream = account_stream(question.pool, question.person, question.year)
            account = await run.load(ACCOUNT, stream)
            # A coverage that moves on meanwhile makes another due, not this one wrong.
            facts = await self._facts(question)
            ruling = d.rule_due(question, facts, pack, code_version())
            command = d.DetermineDue(due=name, question=question, ruling=ruling, facts=facts)
            account = run.record(ACCOUNT, stream, question.pool, d.decide(command, account))
            known = account.dues.get(question.time)
            if known is None:
                return pb.Due(person=str(question.person), pool=question.pool, year=question.year)
            return wire.due(known, with_ruling=with_ruling)

        return work

    async def _facts(self, question: d.Question) -> list[Fact]:
        """Every event of the coverage, and what the employer declared for the month."""
        streams = [coverage_stream(question.pool, question.person)]
        if question.month is not None:
            streams.append(staff_stream(question.pool, question.person, question.year))
        found = await self._store.read_streams(streams)
        decided = self._codec.type_name(c.EligibilityDecided)
        facts = [
            fact_of(raw_fact(self._store.schema, recorded), self._codec)
            for stream in found.values()
            for recorded in stream
            if recorded.type != decided
        ]
        return [fact for fact in facts if _bears_on(fact.event, question)]


def _bears_on(event: object, question: d.Question) -> bool:
    if not isinstance(event, StaffDeclared):
        return True
    return (event.month, event.employer) == (question.month, question.employer)
