"""The use cases of assessment: where rules, events and streams meet."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import date, datetime
from functools import partial
from typing import TypeVar
from uuid import UUID

from google.protobuf.message import Message
from ltci.assessment.v1 import assessment_service_pb2 as pb
from ltci.assessment.v1 import reassessment_service_pb2 as reassessment_pb

from kernel.clock import SHANGHAI
from kernel.eventstore.handle import Call, Work
from kernel.pack_keeper import PackKeeper
from kernel.projection import ProjectionRunner
from kernel.refusal import NotFound
from kernel.rules.pack import Pack
from kernel.service import Parts
from services.assessment import dispute_wire, wire
from services.assessment.domain import reassessment as r
from services.assessment.domain.applicant import Applicant, Listed
from services.assessment.domain.clocks import Clock, clocks_of
from services.assessment.domain.conclusion import ConfirmConclusion
from services.assessment.domain.decider import Command, decide
from services.assessment.domain.grade_change import ChangeGrade
from services.assessment.domain.on_site import RecordOnSite
from services.assessment.domain.reassessment_outcome import RefuseReassessment
from services.assessment.domain.review import ConfirmReview, RecordReviewForm
from services.assessment.domain.submission import RefuseApplication, SubmitApplication
from services.assessment.facts import Facts
from services.assessment.letters import Case, Letters
from services.assessment.streams import (
    APPLICATIONS,
    ASSESSORS,
    POINTS,
    REASSESSMENTS,
    applications_stream,
    assessor_stream,
    point_stream,
    reassessments_stream,
)

CATCH_UP_SECONDS = 10.0
_REMEMBERED = 100_000
Place = tuple[str, UUID]  # pool and person
Find = Callable[[UUID], Awaitable[Listed | None]]
M = TypeVar("M", bound=Message)
Tell = Callable[[Applicant, Pack], M]


class Assessment:
    """Applications from the submission to the delivered conclusion, and reassessments."""

    def __init__(self, parts: Parts, find: Find, runner: ProjectionRunner) -> None:
        """`find` looks an application up in the tables that `runner` keeps."""
        self._name = parts.name
        self._handler = parts.handler
        self._store = parts.store
        self._facts = Facts(parts.name, parts.store, parts.codec)
        self._packs = parts.packs
        self._clock = parts.clock
        self._find = find
        self._runner = runner
        self._letters = Letters(parts)
        self._places: dict[UUID, Place] = {}
        self._kept_packs = PackKeeper(parts.packs, parts.store)

    async def obey(self, call: Call, command: Command) -> pb.Application:
        """Decides a command on the person's applications. Refuses NotFound, and as `decide`."""

        def tell(applicant: Applicant, pack: Pack) -> pb.Application:
            return self.told(applicant, command.application, pack, self._clock.today())

        return await self.carry_out(call, command, tell, pb.Application)

    async def carry_out(
        self, call: Call, command: Command, tell: Tell[M], answer_class: type[M]
    ) -> M:
        """As `obey`, with an answer of another shape."""
        place = await self._place_for(command)
        pack = await self.pack_of(place[0])
        answer = await self._handler.execute(
            call, partial(self._decided, command, place, pack, tell), answer_class
        )
        self._remember(command.application, place)
        return answer

    async def tell(self, application: UUID, tell: Tell[M]) -> M:
        """What is known now of the person whose application this is. Refuses NotFound."""
        pool, person = await self.place(application)
        applicant, _ = await self._handler.load(APPLICATIONS, applications_stream(pool, person))
        if application not in applicant.applications:
            raise NotFound("application", application)
        return tell(applicant, self._packs.pack_for(pool))

    async def order_reassessment(self, call: Call, told: r.ReassessmentOrdered) -> pb.Reassessment:
        """Orders a reassessment once for each kind and day."""
        stream = reassessments_stream(told.pool, told.person)

        async def work(run: Work) -> pb.Reassessment:
            known = await run.load(REASSESSMENTS, stream)
            events = r.decide(r.OrderReassessment(told=told), known)
            run.record(REASSESSMENTS, stream, told.pool, events)
            return wire.reassessment(told)

        return await self._handler.execute(call, work, pb.Reassessment)

    async def order_spot_check(
        self, call: Call, told: r.SpotCheckOrdered
    ) -> reassessment_pb.SpotCheck:
        """Orders a reassessment outside its turn, once for each last day."""
        stream = reassessments_stream(told.pool, told.person)

        async def work(run: Work) -> reassessment_pb.SpotCheck:
            known = await run.load(REASSESSMENTS, stream)
            events = r.decide(r.OrderReassessment(told=told), known)
            run.record(REASSESSMENTS, stream, told.pool, events)
            return dispute_wire.spot_check(told)

        return await self._handler.execute(call, work, reassessment_pb.SpotCheck)

    async def application(
        self, application: UUID, known_at: datetime | None = None
    ) -> pb.Application:
        """The application as it stands, or as known at a moment. Refuses NotFound."""
        pool, person = await self.place(application)
        stream = applications_stream(pool, person)
        applicant, _ = await self._handler.load_known(APPLICATIONS, stream, known_at)
        if application not in applicant.applications:
            raise NotFound("application", application)
        today = known_at.astimezone(SHANGHAI).date() if known_at else self._clock.today()
        return self.told(applicant, application, self._packs.pack_for(pool), today)

    async def clocks(self, application: UUID) -> tuple[Place, tuple[Clock, ...]]:
        """Pool and person, and the application's clocks as they show today. Refuses NotFound."""
        pool, person = await self.place(application)
        applicant, _ = await self._handler.load(APPLICATIONS, applications_stream(pool, person))
        pack = self._packs.pack_for(pool)
        return (pool, person), clocks_of(applicant.clocks, application, pack, self._clock.today())

    async def applications(self, listed: Sequence[Listed]) -> list[pb.Application]:
        """The applications as they stand now, in the order given."""
        streams = [applications_stream(one.pool, one.person) for one in listed]
        states = await self._handler.load_many(APPLICATIONS, list(dict.fromkeys(streams)))
        today = self._clock.today()
        return [
            self.told(states[stream][0], one.application, self._packs.pack_for(one.pool), today)
            for stream, one in zip(streams, listed, strict=True)
        ]

    # -- inside ----------------------------------------------------------------------------

    async def _decided(
        self, command: Command, place: Place, pack: Pack, tell: Tell[M], run: Work
    ) -> M:
        stream = applications_stream(*place)
        # Loaded before the facts are read: applications that move on meanwhile conflict.
        applicant = await run.load(APPLICATIONS, stream)
        command = await self._facts.given(command, stream, applicant)
        command = await self._with_other_streams(command, place, run)
        events = decide(command, applicant, pack)
        applicant = run.record(APPLICATIONS, stream, place[0], events)
        case = Case(
            stream=stream,
            pool=place[0],
            applicant=applicant,
            events=events,
            eligibility=command.ruling if isinstance(command, RefuseApplication) else None,
        )
        await self._letters.accompany(run, case, pack)
        return tell(applicant, pack)

    async def _with_other_streams(self, command: Command, place: Place, run: Work) -> Command:
        """The command with what other streams say: the pool's registers of whom it names, and
        which reassessments were ordered.
        """
        pool = place[0]
        match command:
            case RecordOnSite() | RecordReviewForm():
                name = command.assessor
            case ConfirmConclusion() | ChangeGrade() | ConfirmReview():
                name = command.expert
            case SubmitApplication() if command.told.service_point is not None:
                stream = point_stream(pool, command.told.service_point)
                point = await run.load(POINTS, stream)
                return replace(command, point=point)
            case RefuseReassessment():
                orders = await run.load(REASSESSMENTS, reassessments_stream(*place))
                return replace(command, ordered=orders.has(command.kind))
            case _:
                return command
        known = await run.load(ASSESSORS, assessor_stream(pool, name))
        return replace(command, registered=known)

    async def _place_for(self, command: Command) -> Place:
        if isinstance(command, SubmitApplication):
            return command.told.pool, command.told.person
        return await self.place(command.application)

    async def place(self, application: UUID) -> Place:
        """Whose application it is. Refuses NotFound.

        A caller who was told an id may use it at once: where the read model does not know it,
        it is given the time to reach what is recorded now, and asked again.
        """
        known = self._places.get(application)
        if known is not None:
            return known
        found = await self._find(application)
        if found is None:
            head = (await self._store.head()).position
            await self._runner.wait_for(self._name, head, CATCH_UP_SECONDS)
            found = await self._find(application)
        if found is None:
            raise NotFound("application", application)
        self._remember(application, (found.pool, found.person))
        return found.pool, found.person

    def _remember(self, application: UUID, place: Place) -> None:
        """An application never changes its place, so what is remembered stays true."""
        if len(self._places) >= _REMEMBERED:
            self._places.clear()
        self._places[application] = place

    def told(
        self, applicant: Applicant, application: UUID, pack: Pack, today: date
    ) -> pb.Application:
        """The application as callers see it on a day."""
        one = applicant.as_on(applicant.applications[application], pack, today)
        return wire.application(one, clocks_of(applicant.clocks, application, pack, today))

    async def pack_of(self, pool: str) -> Pack:
        """The pool's pack; one that a ruling names stays readable for as long as the ruling."""
        return await self._kept_packs.pack_for(pool)
