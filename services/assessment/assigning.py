"""Draws people for an assessment, and tells the draws of a day (评估人员抽取)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from ltci.assessment.v1 import assessment_service_pb2 as pb
from ltci.assessment.v1 import assignment_service_pb2 as messages

from kernel.eventstore.handle import Call, Work, code_version
from kernel.ids import derive
from kernel.refusal import NotFound
from kernel.service import Parts
from services.assessment import wire
from services.assessment.application import Assessment
from services.assessment.domain import assignment as a
from services.assessment.domain import draws as d
from services.assessment.domain import events as e
from services.assessment.facts import Facts
from services.assessment.register_lists import RegisterReader
from services.assessment.streams import (
    APPLICATIONS,
    ASSESSORS,
    BODIES,
    DRAWS,
    applications_stream,
    assessor_stream,
    body_stream,
    draws_stream,
)

PURPOSE = "assessors"  # the seeds of other draws are others
OF_LATE = timedelta(days=30)  # assignments of so many days weigh in the next draw
Wish = a.AssignAssessors | a.ReplaceAssessor
_FACTS = (e.ApplicationAccepted, e.AssessorsAssigned, e.AssessorReplaced)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What the operator tells of the case: where, who cares for the person, who is to stay out."""

    division: str
    providers: frozenset[UUID]
    recused: frozenset[str]


class Assigning:
    """Draws by the pool's seed of the day, which is fixed before and told after."""

    def __init__(self, parts: Parts, assessment: Assessment, reader: RegisterReader) -> None:
        self._parts = parts
        self._handler = parts.handler
        self._assessment = assessment
        self._reader = reader
        self._facts = Facts(parts.name, parts.store, parts.codec)

    async def commit(self, call: Call, pool: str, day: date) -> messages.DrawDay:
        """Fixes the seed of a day's draws."""
        command = d.CommitDrawSeed(
            pool=pool, drawn_date=day, seed=self._seed(pool, day), today=self._parts.clock.today()
        )
        return await self._on_day(call, command)

    async def reveal(self, call: Call, pool: str, day: date) -> messages.DrawDay:
        """Tells the seed of a day that is over. Refuses DAY_NOT_OVER, NOT_COMMITTED."""
        command = d.RevealDrawSeed(
            pool=pool, drawn_date=day, seed=self._seed(pool, day), today=self._parts.clock.today()
        )
        return await self._on_day(call, command)

    async def draw(self, call: Call, wish: Wish, asked: Asked) -> pb.Application:
        """Obeys the wish by a draw of today. Refuses NotFound, and as `assignment` says."""
        pool, person = await self._assessment.place(wish.application)
        pack, today = await self._assessment.pack_of(pool), self._parts.clock.today()
        # An append of its own: the seed is on record before anything is drawn with it.
        fixing = derive("commit draw seed", pool, today.isoformat())
        await self.commit(Call(fixing, b"commit draw seed", call.actor), pool, today)
        names = await self._reader.all_assessors(pool)
        recent = await self._reader.assignments(pool, today - OF_LATE, today)
        stream = applications_stream(pool, person)

        async def work(run: Work) -> pb.Application:
            applicant = await run.load(APPLICATIONS, stream)
            one = applicant.applications.get(wish.application)
            if one is None:
                raise NotFound("application", wish.application)
            facts = await self._facts.of(stream, *_FACTS)
            around = a.Circumstances(
                today=today,
                division=asked.division,
                providers=asked.providers,
                recused=asked.recused,
                register=await self._register(run, pool, names),
                recent=recent,
                seed=self._seed(pool, today),
                facts=tuple(f for f in facts if _about(f.event) == wish.application),
                code_version=code_version(),
            )
            draws = draws_stream(pool, today)
            day = await run.load(DRAWS, draws)
            events: Sequence[e.Event]
            if isinstance(wish, a.AssignAssessors):
                events, made = a.assign(wish, one, applicant, day, around, pack)
            else:
                events, made = a.replace_one(wish, one, applicant, day, around, pack)
            run.record(DRAWS, draws, pool, made)
            applicant = run.record(APPLICATIONS, stream, pool, events)
            return self._assessment.told(applicant, wish.application, pack, today)

        return await self._handler.execute(call, work, pb.Application)

    async def day(self, pool: str, day: date) -> d.DrawDay:
        """A pool's draws of a day as they stand."""
        state, _ = await self._handler.load(DRAWS, draws_stream(pool, day))
        return state

    async def outcomes(self, made: Sequence[d.DrawMade]) -> list[messages.DrawOutcome]:
        """What came of these draws, in the order given."""
        return [await self._outcome(one) for one in made]

    # -- inside ----------------------------------------------------------------------------

    async def _on_day(
        self, call: Call, command: d.CommitDrawSeed | d.RevealDrawSeed
    ) -> messages.DrawDay:
        stream = draws_stream(command.pool, command.drawn_date)

        async def work(run: Work) -> messages.DrawDay:
            state = await run.load(DRAWS, stream)
            state = run.record(DRAWS, stream, command.pool, d.decide(command, state))
            return told(command.pool, command.drawn_date, state)

        return await self._handler.execute(call, work, messages.DrawDay)

    async def _register(
        self, run: Work, pool: str, names: Sequence[str]
    ) -> dict[str, a.Registered]:
        streams = {name: assessor_stream(pool, name) for name in names}
        people = await run.load_many(ASSESSORS, list(streams.values()))
        found = {name: people[stream] for name, stream in streams.items()}
        employers = {
            one.registered.body
            for one in found.values()
            if one.registered is not None and one.registered.body is not None
        }
        of_body = {name: body_stream(pool, name) for name in sorted(employers)}
        bodies = await run.load_many(BODIES, list(of_body.values()))
        return {
            name: a.Registered(
                assessor=one,
                body=bodies[of_body[one.registered.body]] if one.registered.body else None,
            )
            for name, one in found.items()
            if one.registered is not None
        }

    async def _outcome(self, made: d.DrawMade) -> messages.DrawOutcome:
        pool, person = await self._assessment.place(made.application)
        applicant, _ = await self._handler.load(APPLICATIONS, applications_stream(pool, person))
        assignments = applicant.applications[made.application].assignments
        one = next(one for one in assignments if one.draw.purpose == made.purpose)
        pack = self._parts.packs.pack_for(pool)
        return messages.DrawOutcome(
            application=str(made.application),
            draw=wire.draw(one.draw),
            assigned=wire.assigned(one.assigned),
            assessors_required=pack.integer("assessment.min_assessors", one.day),
            experts_required=pack.integer("assessment.min_experts_on_site", one.day),
        )

    def _seed(self, pool: str, day: date) -> bytes:
        return self._parts.keys.draw_seed(PURPOSE, pool, day)


def told(pool: str, day: date, state: d.DrawDay) -> messages.DrawDay:
    """A day of draws as callers see it."""
    return messages.DrawDay(
        pool=pool,
        drawn_date=day.isoformat(),
        commitment=state.commitment,
        seed=state.seed,
        draw_count=len(state.made),
    )


def _about(event: object) -> UUID | None:
    return getattr(event, "application", None)
