"""Whether a person is insured and paid up on a day (待遇享受条件)."""

from datetime import datetime

from ltci.enrollment.v1 import enrollment_service_pb2 as pb

from kernel.eventstore.handle import Call, Work, code_version
from kernel.ids import derive
from kernel.replay import fact_of, raw_fact
from kernel.rules.pack import Pack
from kernel.rules.ruling import Ruling
from kernel.service import Parts
from services.enrollment import wire
from services.enrollment.application.streams import (
    COVERAGE,
    account_stream,
    contributions_stream,
    coverage_stream,
    life_stream,
)
from services.enrollment.domain import coverage as c
from services.enrollment.domain.eligibility import Question, rule_eligibility


class Eligibility:
    """The decision, kept or only asked for."""

    def __init__(self, parts: Parts) -> None:
        self._handler = parts.handler
        self._store = parts.store
        self._codec = parts.codec
        self._packs = parts.packs
        self._kept_packs: set[str] = set()

    async def check(self, question: Question, known_at: datetime | None = None) -> pb.Eligibility:
        """Decides by what was known at a moment, or is known now, and keeps nothing.

        The rules are those of the pool's pack, in force on the day asked about: the moment bounds
        the facts alone.
        """
        upto = None if known_at is None else await self._store.position_at(known_at)
        ruling = await self._rule(question, self._packs.pack_for(question.pool), upto)
        return wire.eligibility(ruling)

    async def decide(self, call: Call, question: Question) -> pb.Eligibility:
        """Decides and keeps the decision with its ruling and its pack."""
        pack = self._packs.pack_for(question.pool)
        decision = derive("eligibility", str(call.request_id))
        stream = coverage_stream(question.pool, question.person)
        await self._keep(pack)

        async def work(run: Work) -> pb.Eligibility:
            # Loaded before the facts are read: a coverage that moves on meanwhile conflicts.
            coverage = await run.load(COVERAGE, stream)
            ruling = await self._rule(question, pack)
            decided = c.EligibilityDecided(
                decision=decision,
                person=question.person,
                pool=question.pool,
                on_date=question.on_date,
                eligible=not ruling.reasons,
                reasons=ruling.reasons,
                ruling=ruling.to_bytes(),
            )
            events = c.decide(c.RecordEligibility(decided=decided), coverage)
            run.record(COVERAGE, stream, question.pool, events)
            return wire.eligibility(ruling, decision)

        return await self._handler.execute(call, work, pb.Eligibility)

    async def _rule(self, question: Question, pack: Pack, upto: int | None = None) -> Ruling:
        """Rules on every event that bears on the question, up to a position where one is given."""
        year = question.on_date.year
        found = await self._store.read_streams(
            [
                coverage_stream(question.pool, question.person),
                contributions_stream(question.pool, question.person, year),
                account_stream(question.pool, question.person, year),
                life_stream(question.person),
            ],
            upto_position=upto,
        )
        decided = self._codec.type_name(c.EligibilityDecided)
        facts = [
            fact_of(raw_fact(self._store.schema, recorded), self._codec)
            for stream in found.values()
            for recorded in stream
            if recorded.type != decided
        ]
        return rule_eligibility(question, facts, pack, code_version())

    async def _keep(self, pack: Pack) -> None:
        """A pack that a ruling names stays readable for as long as the ruling."""
        if pack.hash not in self._kept_packs:
            await self._store.put_pack(pack.hash, pack.pool, pack.content)
            self._kept_packs.add(pack.hash)
