"""The events that an eligibility ruling stands on (认定依据), of all who are one person."""

from collections.abc import Sequence
from itertools import chain
from uuid import UUID

from kernel.eventstore.codec import Codec
from kernel.eventstore.envelope import Recorded
from kernel.eventstore.postgres import EventStore
from kernel.replay import fact_of, raw_fact
from kernel.rules.ruling import Fact
from kernel.turns import in_turns
from services.enrollment.application.merging import NOT_OF_MERGES, Merges
from services.enrollment.application.streams import (
    account_stream,
    contributions_stream,
    coverage_stream,
    life_stream,
    person_stream,
    transfer_stream,
)
from services.enrollment.domain.coverage import EligibilityDecided
from services.enrollment.domain.eligibility import Question
from services.enrollment.domain.transferred import TransferOffered, TransferRejected

QUESTIONS_A_TURN = 50  # some milliseconds


class EligibilityFacts:
    """Reads them, now or up to a position."""

    def __init__(self, store: EventStore, codec: Codec) -> None:
        self._store = store
        self._codec = codec
        self._merges = Merges(store, codec)
        # What says nothing of whether somebody is insured and paid up, nor of who is one.
        self._without = tuple(map(codec.type_name, _PASSED))

    async def about(self, question: Question, upto: int | None = None) -> list[Fact]:
        """Every event that bears on the question: of coverage, account, life and transfers.

        Of a person who is one with others those of all, and the merges that make them one.
        """
        own = person_stream(question.person)
        found = await self._read([*_bearing_on(question, question.person), own], upto)
        persons, merges = await self._merges.of(question.person, found.pop(own, ()), upto)
        others = [who for who in persons if who != question.person]
        if others:
            streams = [s for who in others for s in _bearing_on(question, who)]
            found |= await self._read(streams, upto)
        return self._facts([*chain(*found.values()), *merges])

    async def about_many(
        self, questions: Sequence[Question], upto: int | None = None
    ) -> dict[Question, list[Fact]]:
        """As `about` for each, in one look; only who was ever merged is looked up alone."""
        bearing = {question: _bearing_on(question, question.person) for question in questions}
        own = {question: person_stream(question.person) for question in questions}
        found = await self._read(list({*chain(*bearing.values()), *own.values()}), upto)
        facts: dict[Question, list[Fact]] = {}
        async for question in in_turns(list(bearing), QUESTIONS_A_TURN):
            if found[own[question]]:
                facts[question] = await self.about(question, upto)
            else:
                events = chain(*(found[stream] for stream in bearing[question]))
                facts[question] = self._facts(list(events))
        return facts

    async def _read(self, streams: Sequence[UUID], upto: int | None) -> dict[UUID, list[Recorded]]:
        return await self._store.read_streams(streams, upto_position=upto, without=self._without)

    def _facts(self, events: Sequence[Recorded]) -> list[Fact]:
        return [fact_of(raw_fact(self._store.schema, recorded), self._codec) for recorded in events]


def _bearing_on(question: Question, person: UUID) -> list[UUID]:
    return [
        coverage_stream(question.pool, person),
        contributions_stream(question.pool, person, question.on_date.year),
        account_stream(question.pool, person, question.on_date.year),
        life_stream(person),
        transfer_stream(question.pool, person),
    ]


_PASSED = (EligibilityDecided, TransferOffered, TransferRejected, *NOT_OF_MERGES)
