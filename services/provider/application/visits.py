"""Use cases around visits: told step by step, or whole, one at a time or many."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from ltci.provider.v1 import provider_service_pb2 as pb

from kernel.eventstore.handle import Call, Handler, Work, code_version
from kernel.refusal import NotFound, Refused
from services.provider.application.grounds import Grounds, GroundsReader, Meant
from services.provider.application.intake import Brought
from services.provider.application.streams import TURN, VISIT, turn_stream, visit_stream
from services.provider.domain import turn, visit
from services.provider.domain.exception import ExceptionKind, ExceptionOutcome, answered
from services.provider.domain.place import Place, distance_m
from services.provider.domain.plan import PlanApproved
from services.provider.domain.verdict import ConfirmedBy
from services.provider.wire import visit_answer

# What ending, confirming and denying a visit settles by itself.
_ENDED = [(ExceptionKind.NOT_ENDED, ExceptionOutcome.ENDED)]
_CONFIRMED = [(ExceptionKind.NOT_CONFIRMED, ExceptionOutcome.CONFIRMED)]
_DENIED = [(ExceptionKind.NOT_CONFIRMED, ExceptionOutcome.DENIED)]


@dataclass(frozen=True, kw_only=True)
class Begin:
    """A visit begins."""

    visit: UUID
    meant: Meant
    caregiver: UUID
    start_time: datetime
    place: Place


@dataclass(frozen=True, kw_only=True)
class Upload:
    """A whole visit, as a device tells it later."""

    begin: Begin
    end_time: datetime
    items: tuple[str, ...]
    confirmed_by: ConfirmedBy | None


@dataclass(frozen=True, kw_only=True)
class Ending:
    """A visit ends."""

    visit: UUID
    end_time: datetime
    items: tuple[str, ...]
    brought: Brought | None = None


class Visits:
    """Records visits and their verdicts."""

    def __init__(
        self,
        handler: Handler,
        grounds: GroundsReader,
        prepare: Callable[[Sequence[UUID]], Awaitable[None]],
    ) -> None:
        """`prepare` makes the keys of visits that bring evidence, before it is sealed."""
        self._handler = handler
        self._grounds = grounds
        self._prepare = prepare

    async def submit(self, call: Call, upload: Upload) -> pb.Visit:
        """Records the visit and its verdict in one append."""

        async def work(work: Work) -> pb.Visit:
            grounds = await self.grounds([upload])
            if upload.begin.meant.brought is not None:
                await self._prepare([upload.begin.visit])
            return await self._submitted(work, upload, grounds)

        return await self._handler.execute(call, work, pb.Visit)

    def submitting(self, upload: Upload, grounds: Grounds) -> Callable[[Work], Awaitable[pb.Visit]]:
        """The work of one upload among many, on grounds gathered for all of them."""
        return lambda work: self._submitted(work, upload, grounds)

    async def grounds(self, uploads: Sequence[Upload]) -> Grounds:
        """What these uploads stand on, as it is now."""
        return await self._grounds.gather([upload.begin.meant for upload in uploads])

    async def start(self, call: Call, begin: Begin) -> pb.Visit:
        """Begins a visit. Refuses VISIT_RUNNING while another one goes on under the plan."""
        stream = visit_stream(begin.visit)

        async def work(work: Work) -> pb.Visit:
            grounds = await self._grounds.gather([begin.meant])
            approved = grounds.plan(begin.meant, begin.start_time.date()).approved
            await _take_turn(work, begin, approved)
            if begin.meant.brought is not None:
                await self._prepare([begin.visit])
            command = _start(begin, approved, grounds)
            events = visit.decide(command, await work.load(VISIT, stream))
            return visit_answer(work.record(VISIT, stream, approved.pool, events))

        return await self._handler.execute(call, work, pb.Visit)

    async def end(self, call: Call, ending: Ending, today: date) -> pb.Visit:
        """Ends a visit; its items get the list prices of the day it began."""
        name, stream = ending.visit, visit_stream(ending.visit)

        async def work(work: Work) -> pb.Visit:
            state = await work.load(VISIT, stream)
            started = _begun(state, name)
            meant = replace(_meant(started), brought=ending.brought)
            grounds = await self._grounds.gather([meant])
            day = datetime.fromisoformat(started.start_time).date()
            approved = grounds.plan(meant, day).approved
            if ending.brought is not None:
                _place_known(approved)
                await self._prepare([name])
            command = visit.EndVisit(
                visit=name,
                end_time=ending.end_time,
                items=tuple(grounds.priced(approved, ending.items, day)),
                evidence=grounds.kept(meant, approved, name, day),
            )
            events = visit.decide(command, state)
            if events:
                events += answered(state.exceptions, _ENDED, today)
            return visit_answer(work.record(VISIT, stream, started.pool, events))

        return await self._handler.execute(call, work, pb.Visit)

    async def confirm(
        self, call: Call, name: UUID, confirmed_by: ConfirmedBy | None, today: date
    ) -> pb.Visit:
        """Confirms the visit, or disputes it where nobody confirms; and decides."""
        stream, denied = visit_stream(name), confirmed_by is None

        async def work(work: Work) -> pb.Visit:
            state = await work.load(VISIT, stream)
            started = _begun(state, name)
            carer = state.care.caregiver if state.care else started.caregiver
            meant = replace(_meant(started), caregiver=carer)
            grounds = await self._grounds.gather([meant])
            day = datetime.fromisoformat(started.start_time).date()
            approved = grounds.plan(meant, day).approved
            pack = await self._grounds.pack(approved.pool)
            command = visit.ConfirmVisit(
                visit=name,
                provider=approved.provider,
                confirmed_by=confirmed_by,
                disputed=denied,
                basis=grounds.basis(approved, carer, pack, code_version()),
            )
            events = visit.decide(command, state)
            if events:
                events += answered(state.exceptions, _DENIED if denied else _CONFIRMED, today)
            return visit_answer(work.record(VISIT, stream, started.pool, events))

        return await self._handler.execute(call, work, pb.Visit)

    async def find(self, name: UUID, known_at: datetime | None = None) -> pb.Visit:
        """The visit as known now, or at a moment. Refuses NOT_FOUND."""
        state, version = await self._handler.load_known(VISIT, visit_stream(name), known_at)
        if not version:
            raise NotFound("visit", name)
        return visit_answer(state)

    async def _submitted(self, work: Work, upload: Upload, grounds: Grounds) -> pb.Visit:
        command = await self._command(upload, grounds)
        stream = visit_stream(upload.begin.visit)
        events = visit.decide(command, await work.load(VISIT, stream))
        return visit_answer(work.record(VISIT, stream, command.start.pool, events))

    async def _command(self, upload: Upload, grounds: Grounds) -> visit.SubmitVisit:
        begin = upload.begin
        day = begin.start_time.date()
        visit.check_times(begin.start_time, upload.end_time)
        approved = grounds.plan(begin.meant, day).approved
        items = tuple(grounds.priced(approved, upload.items, day))
        pack = await self._grounds.pack(approved.pool)
        return visit.SubmitVisit(
            start=_start(begin, approved, grounds),
            end=visit.EndVisit(visit=begin.visit, end_time=upload.end_time, items=items),
            confirm=visit.ConfirmVisit(
                visit=begin.visit,
                provider=approved.provider,
                confirmed_by=upload.confirmed_by,
                basis=grounds.basis(approved, begin.caregiver, pack, code_version()),
            ),
        )


async def _take_turn(work: Work, begin: Begin, approved: PlanApproved) -> None:
    stream = turn_stream(approved.plan)
    now = await work.load(TURN, stream)
    last = await work.load(VISIT, visit_stream(now.last.visit)) if now.last else visit.Visit()
    command = turn.TakeTurn(
        plan=approved.plan,
        visit=begin.visit,
        pool=approved.pool,
        start_time=begin.start_time,
        free=last.care is not None or last.verdict is not None,
    )
    work.record(TURN, stream, approved.pool, turn.decide(command, now))


def _place_known(approved: PlanApproved) -> Place:
    if approved.place is None:
        raise Refused("PLACE_ERASED", plan=str(approved.plan))
    return approved.place


def _start(begin: Begin, approved: PlanApproved, grounds: Grounds) -> visit.StartVisit:
    home = _place_known(approved)
    return visit.StartVisit(
        visit=begin.visit,
        plan=approved.plan,
        person=approved.person,
        pool=approved.pool,
        provider=approved.provider,
        caregiver=begin.caregiver,
        start_time=begin.start_time,
        place=begin.place,
        distance_m=distance_m(begin.place, home),
        evidence=grounds.kept(begin.meant, approved, begin.visit, begin.start_time.date()),
    )


def _begun(state: visit.Visit, name: UUID) -> visit.VisitStarted:
    if state.started is None:
        raise NotFound("visit", name)
    return state.started


def _meant(started: visit.VisitStarted) -> Meant:
    # By person and pool, whose stream is known without a search; the plan picks among them.
    return Meant(
        plan=started.plan,
        person=started.person,
        pool=started.pool,
        caregiver=started.caregiver,
    )


def with_evidence(uploads: Sequence[Upload]) -> list[UUID]:
    """The visits that bring evidence: each needs a key of its own."""
    return [one.begin.visit for one in uploads if one.begin.meant.brought is not None]


def persons(grounds: Grounds, uploads: Sequence[Upload]) -> set[UUID]:
    """The persons whose keys seal the places of these visits, as far as their plans are known."""
    found: set[UUID] = set()
    for upload in uploads:
        if upload.begin.meant.brought is not None:
            continue  # its place is sealed with the visit's own key
        try:
            day = upload.begin.start_time.date()
            found.add(grounds.plan(upload.begin.meant, day).approved.person)
        except NotFound:
            continue  # told in its row
    return found
