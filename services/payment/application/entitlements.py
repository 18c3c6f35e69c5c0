"""Reviews and shows entitlements."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from ltci.payment.v1 import payment_service_pb2 as pb

from kernel.clock import Clock
from kernel.eventstore.handle import Call, Handler, Work, code_version
from kernel.pack_keeper import PackKeeper
from services.payment import wire
from services.payment.application.reads import Facts, Known
from services.payment.application.streams import ENTITLEMENT, entitlement_stream
from services.payment.domain import entitlement as e
from services.payment.letters import Letters


class FactsNotThereYet(Exception):  # noqa: N818 - named as what it says
    """The feeds have not been read as far as the caller wants: ask again soon."""


class Entitlements:
    """What the facts mean for a person in a pool."""

    def __init__(
        self, handler: Handler, clock: Clock, packs: PackKeeper, facts: Facts, letters: Letters
    ) -> None:
        self._handler = handler
        self._letters = letters
        self._clock = clock
        self._packs = packs
        self._facts = facts

    async def review(
        self, call: Call, person: UUID, pool: str, known: Known, timeout: float
    ) -> pb.Entitlement:
        """Records what is new. Refuses FactsNotThereYet where `known` is not read in time."""
        pack = await self._packs.pack_for(pool)
        try:
            await self._facts.wait_for(known, timeout)
        except TimeoutError:
            raise FactsNotThereYet from None
        stream = entitlement_stream(pool, person)

        async def work(run: Work) -> pb.Entitlement:
            # Loaded before the facts are read: whoever decided meanwhile, on fewer or on more
            # facts, makes this one decide again.
            course = await run.load(ENTITLEMENT, stream)
            facts = await self._facts.standing_facts(pool, [person])
            command = e.ReviewEntitlement(
                person=person,
                pool=pool,
                today=self._clock.today(),
                facts=facts[person],
                pack=pack,
                code_version=code_version(),
            )
            events = e.decide(command, course)
            course = run.record(ENTITLEMENT, stream, pool, events)
            await self._letters.accompany(run, events, pack)
            return wire.entitlement(person, pack, course, facts[person])

        return await self._handler.execute(call, work, pb.Entitlement)

    async def entitlement(
        self, pool: str, person: UUID, *, as_of: date | None, known_at: datetime | None
    ) -> pb.Entitlement:
        """How the person stands on a day, by what had been recorded at a moment.

        What reviews had recorded by then counts, not what they would have found.
        """
        pack = await self._packs.pack_for(pool)
        stream = entitlement_stream(pool, person)
        course, _ = await self._handler.load_known(ENTITLEMENT, stream, known_at)
        facts = await self._facts.standing_facts(pool, [person], known_at)
        return wire.entitlement(person, pack, course, facts[person], as_of)

    async def entitlements(self, pool: str, persons: Sequence[UUID]) -> list[pb.Entitlement]:
        """How these people stand, in the order given; NONE where there is nothing."""
        pack = await self._packs.pack_for(pool)
        streams = {person: entitlement_stream(pool, person) for person in persons}
        courses = await self._handler.load_many(ENTITLEMENT, list(streams.values()))
        facts = await self._facts.standing_facts(pool, persons)
        return [
            wire.entitlement(person, pack, courses[stream][0], facts[person])
            for person, stream in streams.items()
        ]
