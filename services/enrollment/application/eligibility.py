"""Whether a person is insured and paid up on a day (待遇享受条件)."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from ltci.enrollment.v1 import enrollment_service_pb2 as pb

from kernel.eventstore.handle import Call, Work, code_version
from kernel.ids import derive
from kernel.pack_keeper import PackKeeper
from kernel.refusal import Refused, without_traceback
from kernel.rules.pack import Pack
from kernel.rules.ruling import Fact, Ruling
from kernel.service import Parts
from kernel.turns import in_turns
from services.enrollment import wire
from services.enrollment.application.facts import EligibilityFacts
from services.enrollment.application.merging import led_to_many
from services.enrollment.application.streams import COVERAGE, coverage_stream
from services.enrollment.domain import coverage as c
from services.enrollment.domain.eligibility import Question, rule_eligibility

RULINGS_A_TURN = 50  # some milliseconds


class Eligibility:
    """The decision, kept or only asked for."""

    def __init__(self, parts: Parts) -> None:
        self._handler = parts.handler
        self._store = parts.store
        self._codec = parts.codec
        self._facts = EligibilityFacts(parts.store, parts.codec)
        self._packs = parts.packs
        self._kept_packs = PackKeeper(parts.packs, parts.store)

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
        found = await self._facts.about_many(questions, upto)
        return [
            self._ruled_or_not(question, found[question])
            async for question in in_turns(questions, RULINGS_A_TURN)
        ]

    async def led_to(self, papers: Sequence[UUID]) -> dict[UUID, UUID]:
        """The person to whom each paper leads; its own id where it leads to nobody else."""
        return await led_to_many(papers, self._store, self._codec)

    async def decide(self, call: Call, question: Question) -> pb.Eligibility:
        """Decides and keeps the decision with its ruling and its pack."""
        pack = await self._kept_packs.pack_for(question.pool)
        decision = derive("eligibility", str(call.request_id))
        stream = coverage_stream(question.pool, question.person)

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
        facts = await self._facts.about(question, upto)
        return rule_eligibility(question, facts, pack, code_version())

    def _ruled_or_not(self, question: Question, facts: Sequence[Fact]) -> Ruling | Exception:
        try:
            pack = self._packs.pack_for(question.pool)
            return rule_eligibility(question, facts, pack, code_version())
        except Refused as refused:  # an unknown figure spoils one answer, not all
            return without_traceback(refused)
