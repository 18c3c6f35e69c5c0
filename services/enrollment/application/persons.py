"""Persons, their coverage, and what happens in their lives.

A method named `…ing` gives the work of a command, so that it can run alone or as a row of an
import. Answers are kept with their requests for ever, so an answer that is kept holds no
personal data; a person's fields are read from the sealed events each time.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from ltci.enrollment.v1 import enrollment_service_pb2 as pb

from kernel.eventstore.handle import Call, Work
from kernel.refusal import NotFound
from kernel.service import Parts
from services.enrollment import wire
from services.enrollment.application.merging import led_to, one_person
from services.enrollment.application.streams import (
    COVERAGE,
    LIFE,
    NO_POOL,
    PERSON,
    coverage_stream,
    life_stream,
    person_stream,
)
from services.enrollment.domain import coverage as c
from services.enrollment.domain import life as lf
from services.enrollment.domain import person as p
from services.enrollment.domain.upkeep import Upkeep


class Persons:
    """Persons, their coverage, and what happens in their lives."""

    def __init__(self, parts: Parts) -> None:
        self._handler = parts.handler

    # -- persons ---------------------------------------------------------------------------

    async def register(self, call: Call, command: p.RegisterPerson) -> p.PersonRegistered:
        """Registers a person, or finds the one who is registered."""
        registered = await self._handler.execute(call, self.registering(command), pb.Person)
        return (await self.person(UUID(registered.person))).registered_as

    def registering(self, command: p.RegisterPerson) -> Callable[[Work], Awaitable[pb.Person]]:
        async def work(run: Work) -> pb.Person:
            return pb.Person(person=str(await self._register(run, command)))

        return work

    def importing(
        self, command: p.RegisterPerson, start: c.StartCoverage
    ) -> Callable[[Work], Awaitable[pb.Person]]:
        """Registration and coverage in one append: both or neither."""

        async def work(run: Work) -> pb.Person:
            person = await self._register(run, command)
            await self._cover(run, replace(start, person=person))
            return pb.Person(person=str(person))

        return work

    async def person(self, person: UUID, known_at: datetime | None = None) -> p.Person:
        """The person as told by then, now where no moment is given. Refuses NotFound."""
        stream = person_stream(person)
        self._handler.forget(stream)
        state, _ = await self._handler.load_known(PERSON, stream, known_at)
        _known(state, person)
        return state

    async def one_with(self, person: UUID, known_at: datetime | None = None) -> tuple[UUID, ...]:
        """All who are one with a person by the merges that stood then, the survivor first."""

        async def kept(who: UUID) -> Upkeep:
            state, _ = await self._handler.load_known(PERSON, person_stream(who), known_at)
            return state.kept

        return await one_person(person, kept)

    # -- coverage --------------------------------------------------------------------------

    async def start_coverage(self, call: Call, command: c.StartCoverage) -> pb.Coverage:
        """Insures a registered person. Refuses NotFound, ALREADY_COVERED."""

        async def work(run: Work) -> pb.Coverage:
            _known(await run.load(PERSON, person_stream(command.person)), command.person)
            return await self._cover(run, command)

        return await self._handler.execute(call, work, pb.Coverage)

    async def end_coverage(self, call: Call, command: c.EndCoverage) -> pb.Coverage:
        """Ends a coverage. Refuses NOT_COVERED, ENDS_BEFORE_START."""

        async def work(run: Work) -> pb.Coverage:
            return await self._cover(run, command)

        return await self._handler.execute(call, work, pb.Coverage)

    # -- life events -----------------------------------------------------------------------

    async def report_life_event(self, call: Call, command: lf.ReportLifeEvent) -> pb.LifeEvent:
        """Keeps a report; what its source says already is the same report."""

        async def work(run: Work) -> pb.LifeEvent:
            told = replace(command, person=await self._registered(run, command.person))
            life = await self._live(run, told, told.pool)
            standing = life.same(told)
            return wire.life_event(life, standing.life_event if standing else told.life_event)

        return await self._handler.execute(call, work, pb.LifeEvent)

    async def withdraw_life_event(self, call: Call, command: lf.WithdrawLifeEvent) -> pb.LifeEvent:
        """Takes a report back. Refuses NotFound."""

        async def work(run: Work) -> pb.LifeEvent:
            life = await run.load(LIFE, life_stream(command.person))
            reported = life.reported.get(command.life_event)
            life = await self._live(run, command, reported.pool if reported else NO_POOL)
            return wire.life_event(life, command.life_event)

        return await self._handler.execute(call, work, pb.LifeEvent)

    # -- inside ----------------------------------------------------------------------------

    async def _registered(self, run: Work, person: UUID) -> UUID:
        """The person, or the one to whom this paper leads. Refuses NotFound."""
        if (await run.load(PERSON, person_stream(person))).registered is not None:
            return person
        leads_to = await led_to(run, person)
        _known(await run.load(PERSON, person_stream(leads_to)), person)
        return leads_to

    async def _register(self, run: Work, command: p.RegisterPerson) -> UUID:
        """The person's id, which is another one's where the paper was added to that one."""
        stream = person_stream(command.person)
        # Not from the cache: the person's key may have been destroyed since.
        self._handler.forget(stream)
        person = await run.load(PERSON, stream)
        if person.registered is None:
            leads_to = await led_to(run, command.person)
            if leads_to != command.person:
                return await self._register(run, replace(command, person=leads_to))
        run.record(PERSON, stream, NO_POOL, p.decide(command, person))
        return command.person

    async def _cover(self, run: Work, command: c.StartCoverage | c.EndCoverage) -> pb.Coverage:
        stream = coverage_stream(command.pool, command.person)
        coverage = await run.load(COVERAGE, stream)
        coverage = run.record(COVERAGE, stream, command.pool, c.decide(command, coverage))
        if coverage.latest is None:
            raise AssertionError("a coverage that was started or ended has a spell")
        return wire.coverage(command.person, command.pool, coverage.latest)

    async def _live(self, run: Work, command: lf.Command, pool: str) -> lf.Life:
        stream = life_stream(command.person)
        life = await run.load(LIFE, stream)
        return run.record(LIFE, stream, pool, lf.decide(command, life))


def _known(state: p.Person, person: UUID) -> p.PersonRegistered:
    if state.registered is None:
        raise NotFound("person", person)
    return state.registered
