"""Whether a person is insured and paid up on a day (待遇享受条件)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from ltci.enrollment.v1 import enrollment_service_pb2 as pb

from kernel.eventstore.envelope import Recorded
from kernel.eventstore.handle import Call, Work, code_version
from kernel.ids import derive
from kernel.refusal import Refused, without_traceback
from kernel.replay import fact_of, raw_fact
from kernel.rules.pack import Pack
from kernel.rules.ruling import Ruling
from kernel.service import Parts
from kernel.turns import in_turns
from services.enrollment import wire
from services.enrollment.application.streams import (
    COVERAGE,
    contributions_stream,
    coverage_stream,
    life_stream,
)
from services.enrollment.domain import coverage as c
from services.enrollment.domain.eligibility import Question, rule_eligibility

RULINGS_A_TURN = 50  # some milliseconds


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

    async def check_many(
        self, questions: Sequence[Question], known_at: datetime | None = None
    ) -> list[Ruling | Exception]:
        """The rulings on many questions from the facts of one moment, read in one look.

        Each question has its own outcome; nothing is kept.
        """
        if not questions:
            return []
        upto = None if known_at is None else await self._store.position_at(known_at)
        streams = {stream for question in questions for stream in _streams_of(question)}
        found = await self._read(list(streams), upto)
        return [
            self._ruled_or_not(question, found)
            async for question in in_turns(questions, RULINGS_A_TURN)
        ]

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
        return self._ruled(question, pack, await self._read(_streams_of(question), upto))

    async def _read(
        self, streams: Sequence[UUID], upto: int | None
    ) -> Mapping[UUID, Sequence[Recorded]]:
        """The facts of streams; decisions are none."""
        decided = (self._codec.type_name(c.EligibilityDecided),)
        return await self._store.read_streams(streams, upto_position=upto, without=decided)

    def _ruled(
        self, question: Question, pack: Pack, found: Mapping[UUID, Sequence[Recorded]]
    ) -> Ruling:
        facts = [
            fact_of(raw_fact(self._store.schema, recorded), self._codec)
            for stream in _streams_of(question)
            for recorded in found[stream]
        ]
        return rule_eligibility(question, facts, pack, code_version())

    def _ruled_or_not(
        self, question: Question, found: Mapping[UUID, Sequence[Recorded]]
    ) -> Ruling | Exception:
        try:
            return self._ruled(question, self._packs.pack_for(question.pool), found)
        except Refused as refused:  # an unknown figure spoils one answer, not all
            return without_traceback(refused)

    async def _keep(self, pack: Pack) -> None:
        """A pack that a ruling names stays readable for as long as the ruling."""
        if pack.hash not in self._kept_packs:
            await self._store.put_pack(pack.hash, pack.pool, pack.content)
            self._kept_packs.add(pack.hash)


def _streams_of(question: Question) -> tuple[UUID, UUID, UUID]:
    """The streams whose events bear on a question."""
    pool, person = question.pool, question.person
    return (
        coverage_stream(pool, person),
        contributions_stream(pool, person, question.on_date.year),
        life_stream(person),
    )
