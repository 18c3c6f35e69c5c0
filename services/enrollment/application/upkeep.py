"""Persons over the years: corrections, papers, merges, protection (人员信息维护)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from ltci.enrollment.v1 import enrollment_service_pb2 as pb
from ltci.enrollment.v1 import person_service_pb2 as person_pb

from kernel.eventstore.handle import Call, Work
from kernel.identity_numbers import birth_date
from kernel.refusal import NotFound, Refused
from kernel.rules.precedence import Weighed, ranks_of, weigh
from kernel.service import Parts
from services.enrollment import wire
from services.enrollment.application.merging import kept_in, one_person
from services.enrollment.application.persons import Persons
from services.enrollment.application.streams import (
    IDENTITY,
    LIFE,
    NO_POOL,
    PERSON,
    identity_stream,
    life_stream,
    person_stream,
)
from services.enrollment.domain import identity as i
from services.enrollment.domain import life as lf
from services.enrollment.domain import person as p
from services.enrollment.domain import upkeep as u


@dataclass(frozen=True, kw_only=True)
class ToldOfLife:
    """A report with its place in the log."""

    position: int
    report: lf.LifeEventReported
    withdrawn: bool
    counts: bool


class Upkeep:
    """What is kept of persons besides registration and insurance."""

    def __init__(self, parts: Parts, persons: Persons) -> None:
        self._handler = parts.handler
        self._store = parts.store
        self._codec = parts.codec
        self._packs = parts.packs
        self._persons = persons

    async def correct(self, call: Call, command: p.CorrectPerson) -> p.Person:
        """Puts a person's fields right. Refuses NotFound, BIRTH_DATE_IN_NUMBER."""

        async def work(run: Work) -> pb.Person:
            person = await self._person(run, command.person)
            stream = person_stream(command.person)
            run.record(PERSON, stream, NO_POOL, p.correct(command, person))
            return pb.Person(person=str(command.person))

        await self._handler.execute(call, work, pb.Person)
        return await self._persons.person(command.person)

    # -- identity papers -------------------------------------------------------------------

    async def add_identity(self, call: Call, command: u.AddIdentity) -> person_pb.Identity:
        """Lets a paper lead to a person. Refuses NotFound, IDENTITY_TAKEN, BIRTH_DATE_DIFFERS."""

        async def work(run: Work) -> person_pb.Identity:
            person = await self._person(run, command.person)
            holder = await run.load(PERSON, person_stream(command.paper))
            if holder.registered is not None:
                if command.paper != command.person:
                    raise Refused("IDENTITY_TAKEN", person=str(command.paper))
                return person_pb.Identity(person=str(command.person), paper=str(command.paper))
            _same_birth_date(_born(command), person.registered_as.birth_date)
            stream = identity_stream(command.paper)
            bind = i.BindIdentity(
                paper=command.paper, person=command.person, bound_date=command.added_date
            )
            bound = i.decide(bind, await run.load(IDENTITY, stream))
            run.record(IDENTITY, stream, NO_POOL, bound)
            self._record(run, command, person)
            return person_pb.Identity(person=str(command.person), paper=str(command.paper))

        answer = await self._handler.execute(call, work, person_pb.Identity)
        return await self._identity(command.person, UUID(answer.paper))

    async def end_identity(self, call: Call, command: u.EndIdentity) -> person_pb.Identity:
        """Ends an added paper. Refuses NotFound, NOT_ADDED, ENDS_BEFORE_START."""

        async def work(run: Work) -> person_pb.Identity:
            person = await self._person(run, command.person)
            self._record(run, command, person)
            known = person.kept.papers[command.paper]
            if command.mistaken:
                stream = identity_stream(command.paper)
                release = i.ReleaseIdentity(
                    paper=command.paper, person=command.person, released_date=command.end_date
                )
                released = i.decide(release, await run.load(IDENTITY, stream))
                run.record(IDENTITY, stream, NO_POOL, released)
            # Without the number: an answer that is kept holds nothing personal.
            return person_pb.Identity(
                person=str(command.person),
                paper=str(command.paper),
                identity_kind=wire.identity_kind(known.added.identity_kind),
                added_date=known.added.added_date.isoformat(),
                end_date=command.end_date.isoformat(),
            )

        return await self._handler.execute(call, work, person_pb.Identity)

    async def identities(self, person: UUID) -> list[person_pb.Identity]:
        """All papers of a person, the one registered with first. Refuses NotFound."""
        known = await self._persons.person(person)
        return wire.identities(known)

    async def find(self, paper: UUID) -> p.Person:
        """The person to whom a paper leads. Refuses NotFound."""
        direct, _ = await self._handler.load(PERSON, person_stream(paper))
        if direct.registered is not None:
            return await self._persons.person(paper)
        bound, _ = await self._handler.load(IDENTITY, identity_stream(paper))
        if bound.person is None:
            raise NotFound("person", paper)
        return await self._persons.person(bound.person)

    # -- persons who are one ---------------------------------------------------------------

    async def merge(
        self, call: Call, command: u.MergePersons, *, death_confirmed: bool
    ) -> person_pb.MergedPersons:
        """Says that two are one. Refuses as `domain.upkeep`, BIRTH_DATE_DIFFERS, ONE_IS_DEAD."""

        async def work(run: Work) -> person_pb.MergedPersons:
            if command.survivor == command.duplicate:
                raise Refused("SAME_PERSON", person=str(command.survivor))
            two = await self._two(run, command.survivor, command.duplicate)
            dead = [await self._is_dead(run, who) for who in two]
            events = {
                who: u.decide(replace(command, person=who), person.kept)
                for who, person in two.items()
            }
            if not any(events.values()):
                return await self._merged(run, command.survivor)
            _same_birth_date(*(person.registered_as.birth_date for person in two.values()))
            # Nobody living is taken for dead by a merge, unless the office says that it is so.
            if len(set(dead)) > 1 and not death_confirmed:
                raise Refused("ONE_IS_DEAD", dead=str([*two][dead.index(True)]))
            for who, told in events.items():
                run.record(PERSON, person_stream(who), NO_POOL, told)
            return await self._merged(run, command.survivor)

        return await self._handler.execute(call, work, person_pb.MergedPersons)

    async def split(self, call: Call, command: u.SplitPersons) -> person_pb.MergedPersons:
        """Takes a merge back. Refuses NotFound, NOT_MERGED."""

        async def work(run: Work) -> person_pb.MergedPersons:
            two = await self._two(run, command.survivor, command.duplicate)
            for who, person in two.items():
                self._record(run, replace(command, person=who), person)
            return await self._merged(run, command.survivor)

        return await self._handler.execute(call, work, person_pb.MergedPersons)

    async def merged(self, person: UUID, known_at: datetime | None) -> person_pb.MergedPersons:
        """All who are one with a person. Refuses NotFound."""
        await self._persons.person(person, known_at)
        return wire.merged_persons(await self._persons.one_with(person, known_at))

    async def life(
        self, person: UUID, pool: str, known_at: datetime | None
    ) -> Sequence[ToldOfLife]:
        """What was reported of all who are one with a person, in the order it came in."""
        await self._persons.person(person, known_at)
        upto = None if known_at is None else await self._store.position_at(known_at)
        persons = await self._persons.one_with(person, known_at)
        found = await self._store.read_streams(
            [life_stream(one) for one in persons], upto_position=upto
        )
        life = lf.Life()
        positions: dict[UUID, int] = {}
        for recorded in sorted(
            (r for told in found.values() for r in told), key=lambda r: r.position
        ):
            event = self._codec.decode_clear(recorded.type, recorded.payload)
            life = lf.evolve(life, event)
            positions.setdefault(event.life_event, recorded.position)
        weighed = weigh(life.reports, ranks_of(self._packs.pack_for(pool)))
        return [
            ToldOfLife(
                position=positions[name],
                report=report,
                withdrawn=name in life.withdrawn,
                counts=name not in life.withdrawn and _counts(report, weighed),
            )
            for name, report in life.reported.items()
        ]

    # -- protection ------------------------------------------------------------------------

    async def protect(
        self, call: Call, command: u.ProtectPerson | u.EndProtection
    ) -> person_pb.Protection:
        """Protects address and telephone, or ends that. Refuses NotFound, NOT_PROTECTED."""

        async def work(run: Work) -> person_pb.Protection:
            kept = self._record(run, command, await self._person(run, command.person)).kept
            return person_pb.Protection(
                person=str(command.person), address_protected=kept.protected
            )

        return await self._handler.execute(call, work, person_pb.Protection)

    async def reveal(self, call: Call, command: u.RevealAddress) -> person_pb.Address:
        """Address and telephone, after it was kept who asked what for. Refuses NotFound."""

        async def work(run: Work) -> person_pb.Address:
            self._record(run, command, await self._person(run, command.person))
            return person_pb.Address(person=str(command.person))

        await self._handler.execute(call, work, person_pb.Address)
        known = (await self._persons.person(command.person)).registered_as
        return person_pb.Address(
            person=str(command.person), phone=known.phone, address=known.address
        )

    # -- inside ----------------------------------------------------------------------------

    async def _person(self, run: Work, person: UUID) -> p.Person:
        stream = person_stream(person)
        # Not from the cache: the person's key may have been destroyed since.
        self._handler.forget(stream)
        state = await run.load(PERSON, stream)
        if state.registered is None:
            raise NotFound("person", person)
        return state

    async def _two(self, run: Work, survivor: UUID, duplicate: UUID) -> dict[UUID, p.Person]:
        return {who: await self._person(run, who) for who in (duplicate, survivor)}

    def _record(self, run: Work, command: u.Command, person: p.Person) -> p.Person:
        events = u.decide(command, person.kept)
        return run.record(PERSON, person_stream(command.person), NO_POOL, events)

    async def _merged(self, run: Work, survivor: UUID) -> person_pb.MergedPersons:
        return wire.merged_persons(await one_person(survivor, kept_in(run)))

    async def _is_dead(self, run: Work, person: UUID) -> bool:
        """Whether a death stands reported of the person, or of who is one with the person."""
        persons = await one_person(person, kept_in(run))
        lives = [await run.load(LIFE, life_stream(one)) for one in persons]
        standing = (report for life in lives for report in life.standing)
        return any(report.kind is lf.LifeEventKind.DEATH for report in standing)

    async def _identity(self, person: UUID, paper: UUID) -> person_pb.Identity:
        return next(one for one in await self.identities(person) if one.paper == str(paper))


def _counts(report: lf.LifeEventReported, weighed: Weighed) -> bool:
    """Whether what a standing report says is taken for true."""
    if any(dispute.aside.id == report.life_event for dispute in weighed.disputes):
        return False
    happened = report.event_date in weighed.days_of(report.kind.value)
    return happened is not report.denied or report.kind is lf.LifeEventKind.FOUND_ALIVE


def _born(command: u.AddIdentity) -> date | None:
    if command.identity_kind not in i.WITH_BIRTH_DATE:
        return None
    return birth_date(command.identity_number)


def _same_birth_date(*told: date | None) -> None:
    if len({day for day in told if day is not None}) > 1:
        raise Refused("BIRTH_DATE_DIFFERS")
