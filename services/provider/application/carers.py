"""Use cases around people in care: their records, bars, and who takes which plan."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from ltci.provider.v1 import caregiver_service_pb2 as pb
from ltci.provider.v1 import sanction_service_pb2 as sanctions

from kernel.eventstore.handle import Call, Handler, Work
from kernel.refusal import NotFound
from kernel.rules.library import PackLibrary
from services.provider.application.plans import PlanOwners, owner_of
from services.provider.application.streams import (
    CAREGIVER,
    PLANS,
    PROVIDER,
    caregiver_stream,
    plan_stream,
    provider_stream,
)
from services.provider.domain import credentials
from services.provider.domain.agreement import admitted
from services.provider.domain.caregiver import Caregiver
from services.provider.domain.carer_record import Bar, BarredRole
from services.provider.domain.matching import Known, Match, Wanted, match_all
from services.provider.register import RegisterReader
from services.provider.wire_designation import bar_answer, match_answer, record_answer

RecordCommand = (
    credentials.RecordExamination
    | credentials.RevokeCertificate
    | credentials.RecordTraining
    | credentials.SetProfile
)


@dataclass(frozen=True, kw_only=True)
class Barring:
    """A bar as it is asked for."""

    bar: UUID
    person: UUID
    provider: UUID
    role: BarredRole
    serious: bool
    start_date: date
    months: int
    cause: str
    article: str


class Carers:
    """Keeps the records of people in care."""

    def __init__(self, handler: Handler, packs: PackLibrary, owners: PlanOwners) -> None:
        self._handler = handler
        self._packs = packs
        self._owners = owners

    async def record(self, call: Call, command: RecordCommand, today: date) -> pb.CaregiverRecord:
        """Puts an examination, a revocation, training or a profile on record."""

        async def work(work: Work) -> pb.CaregiverRecord:
            return await self._recorded(work, command, "", today)

        return await self._handler.execute(call, work, pb.CaregiverRecord)

    async def engage(
        self, call: Call, asked: credentials.EngageFamilyCarer, today: date
    ) -> pb.CaregiverRecord:
        """Engages a relative; what training the rules ask is of the provider's pool."""

        async def work(work: Work) -> pb.CaregiverRecord:
            employer = await work.load(PROVIDER, provider_stream(asked.provider))
            pool = admitted(asked.provider, employer).pool
            pack = self._packs.pack_for(pool)
            known = [
                one.integer()
                for one in pack.history("provider.family_training_minutes_min")
                if one.holds_on(asked.start_date)
            ]
            told = vars(asked) | {"trained_min": known[0] if known else None}
            command = credentials.EngageFamilyCarer(**told)
            return await self._recorded(work, command, pool, today)

        return await self._handler.execute(call, work, pb.CaregiverRecord)

    async def assign(
        self, call: Call, caregiver: UUID, plan: UUID, minutes: int, day: date, today: date
    ) -> pb.CaregiverRecord:
        """Gives a plan to a caregiver of the plan's provider."""

        async def work(work: Work) -> pb.CaregiverRecord:
            pool, person = await owner_of(self._owners, plan)
            found = (await work.load(PLANS, plan_stream(pool, person))).find(plan)
            if found is None:
                raise NotFound("plan", plan)
            command = credentials.AssignCaregiver(
                caregiver=caregiver, plan=found, minutes_a_week=minutes, start_date=day
            )
            return await self._recorded(work, command, pool, today)

        return await self._handler.execute(call, work, pb.CaregiverRecord)

    async def bar(self, call: Call, asked: Barring) -> sanctions.Bar:
        """Bars a person for a term within the range of the rules for the role."""
        stream = caregiver_stream(asked.person)

        async def work(work: Work) -> sanctions.Bar:
            employer = await work.load(PROVIDER, provider_stream(asked.provider))
            pool = admitted(asked.provider, employer).pool
            key = _range_of(asked.role, serious=asked.serious)
            months = self._packs.pack_for(pool).figure(key, asked.start_date).numbers()
            command = credentials.BarPerson(
                **vars(asked), pool=pool, months_min=months["min"], months_max=months["max"]
            )
            state = await work.load(CAREGIVER, stream)
            state = work.record(CAREGIVER, stream, pool, credentials.decide(command, state))
            return bar_answer(_bar(state, asked.bar))

        return await self._handler.execute(call, work, sanctions.Bar)

    async def restore(self, call: Call, command: credentials.RestorePerson) -> sanctions.Bar:
        """Gives a person the payment qualification back. Refuses TERM_NOT_OVER."""
        stream = caregiver_stream(command.person)

        async def work(work: Work) -> sanctions.Bar:
            state = await work.load(CAREGIVER, stream)
            events = credentials.decide(command, state)
            pool = next((b.barred.pool for b in state.record.bars), "")
            state = work.record(CAREGIVER, stream, pool, events)
            return bar_answer(_bar(state, command.bar))

        return await self._handler.execute(call, work, sanctions.Bar)

    async def find(
        self, caregiver: UUID, today: date, known_at: datetime | None
    ) -> pb.CaregiverRecord:
        """The record as known now, or at a moment. Refuses NOT_FOUND."""
        stream = caregiver_stream(caregiver)
        state, version = await self._handler.load_known(CAREGIVER, stream, known_at)
        if not version:
            raise NotFound("caregiver", caregiver)
        return record_answer(str(caregiver), state, today)

    async def _recorded(
        self,
        work: Work,
        command: RecordCommand | credentials.EngageFamilyCarer | credentials.AssignCaregiver,
        pool: str,
        today: date,
    ) -> pb.CaregiverRecord:
        stream = caregiver_stream(command.caregiver)
        state = await work.load(CAREGIVER, stream)
        events = credentials.decide(command, state)
        if not pool:
            employer = await work.load(PROVIDER, provider_stream(state.registered[-1][0]))
            pool = employer.admitted.pool if employer.admitted else ""
        state = work.record(CAREGIVER, stream, pool, events)
        return record_answer(str(command.caregiver), state, today)


class Matching:
    """Ranks caregivers for plans; records nothing."""

    def __init__(self, handler: Handler, register: RegisterReader) -> None:
        self._handler = handler
        self._register = register

    async def of_plan(
        self, plan: UUID, items: tuple[str, ...], minutes: int, day: date
    ) -> pb.MatchCaregiversResponse:
        """The caregivers of the plan's provider. Refuses NOT_FOUND."""
        found = await self._register.plan(plan)
        if found is None:
            raise NotFound("plan", plan)
        return await self._matched([found], items, minutes, day)

    async def of_pool(
        self, pool: str, items: tuple[str, ...], minutes: int, day: date, most: int
    ) -> pb.MatchCaregiversResponse:
        """The same for each running plan of the pool that no caregiver has, oldest first."""
        plans = await self._register.open_plans(pool, day.isoformat(), most)
        return await self._matched(plans, items, minutes, day)

    async def _matched(
        self,
        plans: Sequence[tuple[UUID, UUID, str, UUID]],
        items: tuple[str, ...],
        minutes: int,
        day: date,
    ) -> pb.MatchCaregiversResponse:
        streams = [plan_stream(pool, person) for _, person, pool, _ in plans]
        states = await self._handler.load_many(PLANS, streams)
        wanted: dict[UUID, Wanted] = {}
        for (name, *_), stream in zip(plans, streams, strict=True):
            plan = states[stream][0].find(name)
            place = plan.approved.place if plan else None
            wanted[name] = Wanted(
                plan=name, place=place, items=items, minutes_a_week=minutes, day=day
            )
        matches: dict[UUID, Match] = {}
        for provider in dict.fromkeys(one[3] for one in plans):
            known = await self._known(provider, day)
            theirs = [wanted[one[0]] for one in plans if one[3] == provider]
            matches |= {one.plan: one for one in match_all(theirs, known)}
        return pb.MatchCaregiversResponse(plans=[match_answer(matches[one[0]]) for one in plans])

    async def _known(self, provider: UUID, day: date) -> list[Known]:
        """The provider's caregivers on the day, with what running plans take of their week."""
        names = await self._register.caregivers(provider)
        streams = [caregiver_stream(name) for name in names]
        states = await self._handler.load_many(CAREGIVER, streams)
        found = []
        for name, stream in zip(names, streams, strict=True):
            state = states[stream][0]
            since = state.since(provider)
            if since is not None and since <= day:
                found.append((name, state))
        plans = [one.plan for _, state in found for one in state.record.assigned]
        taken = await self._register.taken(plans, day.isoformat())
        return [
            Known(
                caregiver=name,
                state=state,
                taken_minutes=sum(
                    one.minutes_a_week for one in state.record.assigned if (one.plan, name) in taken
                ),
            )
            for name, state in found
        ]


def _bar(state: Caregiver, name: UUID) -> Bar:
    return next(bar for bar in state.record.bars if bar.barred.bar == name)


def _range_of(role: BarredRole, *, serious: bool) -> str:
    """The figure with the range of a bar's months."""
    if role is not BarredRole.STAFF:
        return "provider.bar_months_manager"
    return f"provider.bar_months_staff{'_serious' if serious else ''}"
