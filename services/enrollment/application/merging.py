"""Who is who: which person a paper leads to, and who are one person by the merges that stand."""

from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID

from kernel.eventstore.codec import Codec
from kernel.eventstore.envelope import Recorded
from kernel.eventstore.handle import Work
from kernel.eventstore.postgres import EventStore
from services.enrollment.application.streams import (
    IDENTITY,
    PERSON,
    identity_stream,
    person_stream,
)
from services.enrollment.domain import upkeep as u
from services.enrollment.domain.person import PersonCorrected, PersonRegistered
from services.enrollment.domain.upkeep import NOTHING, PersonsMerged, PersonsSplit, Upkeep, evolve

# What else the stream of a person tells: personal data, and nothing of who is one.
NOT_OF_MERGES = (
    *(PersonRegistered, PersonCorrected, u.IdentityAdded, u.IdentityEnded),
    *(u.PersonProtected, u.ProtectionEnded, u.AddressRevealed),
)
Kept = Callable[[UUID], Awaitable[Upkeep]]


async def one_person(person: UUID, kept: Kept) -> tuple[UUID, ...]:
    """All who are one with a person, the survivor of all first; the person alone without a merge.

    The order is the same for whoever of them is asked about.
    """
    root = person
    while (into := (await kept(root)).merged_into) is not None:
        root = into
    found = [root]
    for one in found:
        found += sorted((await kept(one)).duplicates)
    return tuple(found)


def kept_in(run: Work) -> Kept:
    """What a command knows of a person."""

    async def kept(person: UUID) -> Upkeep:
        return (await run.load(PERSON, person_stream(person))).kept

    return kept


async def led_to(run: Work, paper: UUID) -> UUID:
    """The person to whom a paper leads that nobody was registered with; else its own id."""
    return (await run.load(IDENTITY, identity_stream(paper))).person or paper


async def led_to_many(papers: Sequence[UUID], store: EventStore, codec: Codec) -> dict[UUID, UUID]:
    """As `led_to` for each, in one look."""
    found = await store.read_clear([identity_stream(paper) for paper in papers])
    led = {}
    for paper in papers:
        state = IDENTITY.initial
        for _, type_, payload in found.get(identity_stream(paper), ()):
            state = IDENTITY.evolve(state, codec.decode_clear(type_, payload))
        led[paper] = state.person or paper
    return led


class Merges:
    """The merges that stand, read from the log with the events that say so."""

    def __init__(self, store: EventStore, codec: Codec) -> None:
        self._store = store
        self._codec = codec
        self._types = {codec.type_name(PersonsMerged), codec.type_name(PersonsSplit)}

    async def of(
        self, person: UUID, told: Sequence[Recorded], upto_position: int | None
    ) -> tuple[tuple[UUID, ...], list[Recorded]]:
        """All who are one with the person, and the merges that make them one, each told once.

        `told` are the events of the person's own stream: without a merge among them nothing else
        is read. With a position, as of then.
        """
        streams = {person: self._about_merges(told)}
        if not streams[person]:
            return (person,), []

        async def kept(who: UUID) -> Upkeep:
            if who not in streams:
                stream = person_stream(who)
                found = await self._store.read_streams([stream], upto_position=upto_position)
                streams[who] = self._about_merges(found.get(stream, ()))
            state = NOTHING
            for recorded in streams[who]:
                state = evolve(state, self._event(recorded))
            return state

        persons = await one_person(person, kept)
        return persons, [self._merge_of(who, streams[who]) for who in persons[1:]]

    def _merge_of(self, duplicate: UUID, told: Sequence[Recorded]) -> Recorded:
        """The merge by which somebody stands merged, as the own stream tells it."""
        return next(
            recorded
            for recorded in reversed(told)
            if isinstance(event := self._event(recorded), PersonsMerged)
            and event.duplicate == duplicate
        )

    def _about_merges(self, told: Sequence[Recorded]) -> list[Recorded]:
        return [recorded for recorded in told if recorded.type in self._types]

    def _event(self, recorded: Recorded) -> PersonsMerged | PersonsSplit:
        event: PersonsMerged | PersonsSplit = self._codec.decode_clear(
            recorded.type, recorded.payload
        )
        return event
