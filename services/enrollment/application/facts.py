"""The events that an eligibility ruling stands on (认定依据), of all who are one person."""

from collections.abc import Sequence
from uuid import UUID

from kernel.eventstore.codec import Codec
from kernel.eventstore.envelope import Recorded
from kernel.eventstore.postgres import EventStore
from kernel.replay import fact_of, raw_fact
from kernel.rules.ruling import Fact
from services.enrollment.application.merging import Merges
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


class EligibilityFacts:
    """Reads them, now or up to a position."""

    def __init__(self, store: EventStore, codec: Codec) -> None:
        self._store = store
        self._codec = codec
        self._merges = Merges(store, codec)
        # What says nothing of whether somebody is insured and paid up.
        self._passed = {
            codec.type_name(kind)
            for kind in (EligibilityDecided, TransferOffered, TransferRejected)
        }

    async def about(self, question: Question, upto: int | None = None) -> list[Fact]:
        """Every event that bears on the question: of coverage, account, life and transfers.

        Of a person who is one with others those of all, and the merges that make them one.
        """
        own = person_stream(question.person)
        streams = self._bearing_on(question, question.person)
        found = await self._store.read_streams([*streams, own], upto_position=upto)
        persons, merges = await self._merges.of(question.person, found.pop(own, ()), upto)
        others = [who for who in persons if who != question.person]
        if others:
            streams = [s for who in others for s in self._bearing_on(question, who)]
            found |= await self._store.read_streams(streams, upto_position=upto)
        events = [recorded for told in found.values() for recorded in told]
        return self._facts([*events, *merges])

    def _bearing_on(self, question: Question, person: UUID) -> list[UUID]:
        return [
            coverage_stream(question.pool, person),
            contributions_stream(question.pool, person, question.on_date.year),
            account_stream(question.pool, person, question.on_date.year),
            life_stream(person),
            transfer_stream(question.pool, person),
        ]

    def _facts(self, events: Sequence[Recorded]) -> list[Fact]:
        return [
            fact_of(raw_fact(self._store.schema, recorded), self._codec)
            for recorded in events
            if recorded.type not in self._passed
        ]
