"""The use cases of enrollment: where rules, events and streams meet.

A method named `…ing` gives the work of a command, so that it can run alone or as a row of an
import. Answers are kept with their requests for ever, so an answer that is kept holds no
personal data; a person's fields are read from the sealed events each time.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from uuid import UUID

from ltci.enrollment.v1 import enrollment_service_pb2 as pb

from kernel.calendar import Month
from kernel.eventstore.handle import Call, StreamKind, Work, code_version
from kernel.ids import derive, stream_id
from kernel.refusal import NotFound
from kernel.replay import fact_of, raw_fact
from kernel.rules.pack import Pack
from kernel.rules.ruling import Ruling
from kernel.service import Parts
from services.enrollment import wire
from services.enrollment.domain import contribution as co
from services.enrollment.domain import coverage as c
from services.enrollment.domain import life as lf
from services.enrollment.domain import person as p
from services.enrollment.domain.eligibility import Question, rule_eligibility

PERSON = StreamKind("person", p.Person(), p.evolve)
COVERAGE = StreamKind("coverage", c.Coverage(), c.evolve)
CONTRIBUTIONS = StreamKind("contributions", co.Contributions(), co.evolve)
LIFE = StreamKind("life", lf.Life(), lf.evolve)
NO_POOL = ""  # a person belongs to no pool until covered


def person_stream(person: UUID) -> UUID:
    return stream_id(PERSON.category, str(person))


def coverage_stream(pool: str, person: UUID) -> UUID:
    return stream_id(COVERAGE.category, pool, str(person))


def contributions_stream(pool: str, person: UUID, year: int) -> UUID:
    return stream_id(CONTRIBUTIONS.category, pool, str(person), str(year))


def life_stream(person: UUID) -> UUID:
    return stream_id(LIFE.category, str(person))


class Enrollment:
    """Persons, coverage, contributions, life events, and the decision that rests on them."""

    def __init__(self, parts: Parts) -> None:
        self._handler = parts.handler
        self._store = parts.store
        self._codec = parts.codec
        self._packs = parts.packs
        self._kept_packs: set[str] = set()

    # -- persons ---------------------------------------------------------------------------

    async def register(self, call: Call, command: p.RegisterPerson) -> p.PersonRegistered:
        """Registers a person, or finds the one who is registered."""
        await self._handler.execute(call, self.registering(command), pb.Person)
        return await self.person(command.person)

    def registering(self, command: p.RegisterPerson) -> Callable[[Work], Awaitable[pb.Person]]:
        async def work(run: Work) -> pb.Person:
            await self._register(run, command)
            return pb.Person(person=str(command.person))

        return work

    def importing(
        self, command: p.RegisterPerson, start: c.StartCoverage
    ) -> Callable[[Work], Awaitable[pb.Person]]:
        """Registration and coverage in one append: both or neither."""

        async def work(run: Work) -> pb.Person:
            await self._register(run, command)
            await self._cover(run, start)
            return pb.Person(person=str(command.person))

        return work

    async def person(self, person: UUID, known_at: datetime | None = None) -> p.PersonRegistered:
        """The person as told by then, now where no moment is given. Refuses NotFound."""
        stream = person_stream(person)
        self._handler.forget(stream)
        state, _ = await self._handler.load_known(PERSON, stream, known_at)
        return _known(state, person)

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

    # -- contributions ---------------------------------------------------------------------

    async def collect(self, call: Call, told: co.ContributionCollected) -> pb.Contribution:
        """Takes in a contribution. Refuses NOT_COVERED, SOURCE_NOT_ALLOWED."""
        return await self._handler.execute(call, self.collecting(told), pb.Contribution)

    def collecting(
        self, told: co.ContributionCollected
    ) -> Callable[[Work], Awaitable[pb.Contribution]]:
        pack = self._packs.pack_for(told.pool)

        async def work(run: Work) -> pb.Contribution:
            coverage = await run.load(COVERAGE, coverage_stream(told.pool, told.person))
            stream = contributions_stream(told.pool, told.person, told.year)
            year = await run.load(CONTRIBUTIONS, stream)
            command = co.CollectContribution(
                told=told,
                covered=coverage.in_year(told.year),
                sources=pack.texts("enrollment.sources", Month(told.year, 1).first),
            )
            run.record(CONTRIBUTIONS, stream, told.pool, co.decide(command, year))
            return wire.contribution(told)

        return work

    # -- life events -----------------------------------------------------------------------

    async def report_life_event(self, call: Call, command: lf.ReportLifeEvent) -> pb.LifeEvent:
        """Keeps a report; the same kind and day again is the same report."""

        async def work(run: Work) -> pb.LifeEvent:
            _known(await run.load(PERSON, person_stream(command.person)), command.person)
            life = await self._live(run, command, command.pool)
            standing = life.same(command.kind, command.event_date)
            return wire.life_event(life, standing.life_event if standing else command.life_event)

        return await self._handler.execute(call, work, pb.LifeEvent)

    async def withdraw_life_event(self, call: Call, command: lf.WithdrawLifeEvent) -> pb.LifeEvent:
        """Takes a report back. Refuses NotFound."""

        async def work(run: Work) -> pb.LifeEvent:
            life = await run.load(LIFE, life_stream(command.person))
            reported = life.reported.get(command.life_event)
            life = await self._live(run, command, reported.pool if reported else NO_POOL)
            return wire.life_event(life, command.life_event)

        return await self._handler.execute(call, work, pb.LifeEvent)

    # -- eligibility -----------------------------------------------------------------------

    async def check_eligibility(
        self, question: Question, known_at: datetime | None = None
    ) -> pb.Eligibility:
        """Decides by what was known at a moment, or is known now, and keeps nothing.

        The rules are those of the pool's pack, in force on the day asked about: the moment bounds
        the facts alone.
        """
        upto = None if known_at is None else await self._store.position_at(known_at)
        ruling = await self._rule(question, self._packs.pack_for(question.pool), upto)
        return wire.eligibility(ruling)

    async def decide_eligibility(self, call: Call, question: Question) -> pb.Eligibility:
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

    # -- inside ----------------------------------------------------------------------------

    async def _register(self, run: Work, command: p.RegisterPerson) -> None:
        stream = person_stream(command.person)
        # Not from the cache: the person's key may have been destroyed since.
        self._handler.forget(stream)
        person = await run.load(PERSON, stream)
        run.record(PERSON, stream, NO_POOL, p.decide(command, person))

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

    async def _rule(self, question: Question, pack: Pack, upto: int | None = None) -> Ruling:
        """Rules on every event that bears on the question, up to a position where one is given."""
        year = question.on_date.year
        found = await self._store.read_streams(
            [
                coverage_stream(question.pool, question.person),
                contributions_stream(question.pool, question.person, year),
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


def _known(state: p.Person, person: UUID) -> p.PersonRegistered:
    if state.registered is None:
        raise NotFound("person", person)
    return state.registered
