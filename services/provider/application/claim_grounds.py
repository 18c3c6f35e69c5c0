"""What claim lines are matched with: verdicts, flags and plans of the visits they mean.

Read for as many lines as there are at once, in five looks at most.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol
from uuid import UUID

from kernel.eventstore.codec import Codec
from kernel.eventstore.envelope import Recorded
from kernel.eventstore.postgres import EventStore
from kernel.replay import raw_fact
from kernel.rules.ruling import Fact
from services.provider.application.facts import SERVICE
from services.provider.application.streams import flag_stream, plan_stream, visit_stream
from services.provider.domain.claim import Grounds
from services.provider.domain.evidence import EvidenceKept
from services.provider.domain.plan import PlanApproved, PlanEnded
from services.provider.domain.visit import (
    ServiceDelivered,
    ServiceRejected,
    VisitConfirmed,
    VisitEnded,
    VisitStarted,
)


class ClaimReads(Protocol):
    """What finds visits and flags. `services/provider/claims.py` answers."""

    async def visits_on(
        self, days: Sequence[tuple[UUID, str]]
    ) -> Mapping[tuple[UUID, str], Sequence[UUID]]: ...
    async def flags_on(self, visits: Sequence[UUID]) -> Mapping[UUID, Sequence[UUID]]: ...


@dataclass(frozen=True, kw_only=True)
class Gathered:
    """The grounds, and whom each visit cared for."""

    grounds: Grounds
    persons: Mapping[UUID, UUID]


class ClaimGrounds:
    """Gathers grounds from the store."""

    def __init__(self, store: EventStore, codec: Codec, reads: ClaimReads) -> None:
        self._store = store
        self._codec = codec
        self._reads = reads
        # Of a visit only its verdicts are asked for: they say what was done, and for whom.
        self._without = [
            codec.type_name(kind)
            for kind in (VisitStarted, VisitEnded, VisitConfirmed, EvidenceKept)
        ]

    async def gather(
        self, visits: Collection[UUID], days: Collection[tuple[UUID, date]]
    ) -> Gathered:
        """The facts of these visits, and of all visits of persons' days."""
        told = await self._reads.visits_on([(person, day.isoformat()) for person, day in days])
        on_day = {
            (person, date.fromisoformat(day)): tuple(found) for (person, day), found in told.items()
        }
        names = sorted({*visits, *(visit for found in told.values() for visit in found)})
        facts = await self._facts({name: visit_stream(name) for name in names})
        verdicts = {visit: _verdicts(found) for visit, found in facts.items()}
        latest = {visit: told[-1][1] for visit, told in verdicts.items() if told}
        undecided = [visit for visit, told in verdicts.items() if not told]
        plans = {
            visit: (event.plan, plan_stream(event.pool, event.person))
            for visit, event in latest.items()
        }
        flags = await self._flags(names)
        of_plan = await self._facts({stream: stream for _, stream in plans.values()})
        return Gathered(
            grounds=Grounds(
                visits={
                    visit: (
                        *(fact for fact, _ in verdicts[visit]),
                        *flags.get(visit, ()),
                        *_of_plan(plan, of_plan),
                    )
                    for visit, plan in plans.items()
                },
                on_day=on_day,
            ),
            persons={
                **{visit: event.person for visit, event in latest.items()},
                **await self._begun(undecided),
            },
        )

    async def _begun(self, visits: Sequence[UUID]) -> dict[UUID, UUID]:
        """Whom visits without a verdict care for; unknown visits are left out."""
        found = await self._store.read_streams([visit_stream(visit) for visit in visits])
        persons: dict[UUID, UUID] = {}
        for visit in visits:
            for recorded in found[visit_stream(visit)]:
                event = self._codec.decode_clear(recorded.type, recorded.payload)
                if isinstance(event, VisitStarted):
                    persons[visit] = event.person
        return persons

    async def _flags(self, visits: Sequence[UUID]) -> dict[UUID, list[Fact]]:
        named = await self._reads.flags_on(visits)
        facts = await self._facts({f: flag_stream(f) for flags in named.values() for f in flags})
        return {
            visit: [fact for flag in flags for fact in facts[flag]]
            for visit, flags in named.items()
        }

    async def _facts(self, streams: Mapping[UUID, UUID]) -> dict[UUID, list[Fact]]:
        """The facts of streams by what they are asked for; without personal fields."""
        if not streams:
            return {}
        found = await self._store.read_streams(list(streams.values()), without=self._without)
        return {
            name: [self._fact(one) for one in found[stream]] for name, stream in streams.items()
        }

    def _fact(self, recorded: Recorded) -> Fact:
        raw = raw_fact(SERVICE, recorded)
        event = self._codec.decode_clear(recorded.type, recorded.payload)
        return Fact(raw.ref, event, recorded.recorded_at)


def _verdicts(
    facts: Sequence[Fact],
) -> list[tuple[Fact, ServiceDelivered | ServiceRejected]]:
    return [
        (fact, fact.event)
        for fact in facts
        if isinstance(fact.event, ServiceDelivered | ServiceRejected)
    ]


def _of_plan(plan: tuple[UUID, UUID], facts: Mapping[UUID, Sequence[Fact]]) -> list[Fact]:
    name, stream = plan
    return [
        fact
        for fact in facts.get(stream, ())
        if isinstance(fact.event, PlanApproved | PlanEnded) and fact.event.plan == name
    ]
