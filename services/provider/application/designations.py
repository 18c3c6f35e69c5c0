"""Use cases around designation: application, review, publicity, agreement and its course."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from ltci.provider.v1 import designation_service_pb2 as pb

from kernel.eventstore.handle import Call, Handler, Work, code_version
from kernel.refusal import NotFound
from services.provider.application.facts import FactReader
from services.provider.application.grounds import GroundsReader
from services.provider.application.streams import (
    DESIGNATION,
    PROVIDER,
    caregiver_stream,
    designation_stream,
    provider_stream,
)
from services.provider.domain import agreement, designation
from services.provider.domain.admission import Review, rule_designation
from services.provider.domain.standing import ServiceLine
from services.provider.domain.verdict import Basis
from services.provider.wire_designation import agreement_answer, designation_answer, standing_answer

ProviderCommand = (
    agreement.ImposeSanction
    | agreement.LiftSanction
    | agreement.RequestExit
    | agreement.EndAgreement
    | agreement.OrderAppraisal
    | agreement.RecordAppraisal
)


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """An agreement as it is to be signed."""

    agreement: UUID
    application: UUID
    operator_name: str
    operator_code: str
    lines: tuple[ServiceLine, ...]
    start_date: date
    end_date: date
    signed_date: date


@dataclass(frozen=True, kw_only=True)
class Exit:
    """An exit as it is asked for."""

    request_date: date
    exit_date: date
    cause: str


class Designations:
    """Carries applications to agreements, and agreements to their end."""

    def __init__(self, handler: Handler, grounds: GroundsReader, facts: FactReader) -> None:
        self._handler = handler
        self._grounds = grounds
        self._facts = facts

    async def apply(self, call: Call, command: designation.ApplyForDesignation) -> pb.Designation:
        """Records the application."""
        stream = designation_stream(command.application)

        async def work(work: Work) -> pb.Designation:
            state = await work.load(DESIGNATION, stream)
            events = designation.decide(command, state)
            return designation_answer(work.record(DESIGNATION, stream, command.pool, events))

        return await self._handler.execute(call, work, pb.Designation)

    async def review(self, call: Call, review: Review) -> pb.Designation:
        """Reviews the application; the ruling stands on it and on bars of those who answer."""
        stream = designation_stream(review.application)

        async def work(work: Work) -> pb.Designation:
            state = await work.load(DESIGNATION, stream)
            applied = designation.known(review.application, state)
            streams = [stream, *map(caregiver_stream, applied.people)]
            found = await self._facts.read(streams)
            basis = Basis(
                facts=tuple(fact for one in streams for fact in found.get(one, ())),
                pack=await self._grounds.pack(applied.pool),
                code_version=code_version(),
            )
            command = designation.ReviewDesignation(
                application=review.application,
                review_date=review.review_date,
                ruling=rule_designation(review, basis),
            )
            events = designation.decide(command, state)
            return designation_answer(work.record(DESIGNATION, stream, applied.pool, events))

        return await self._handler.execute(call, work, pb.Designation)

    async def publish(self, call: Call, application: UUID, first: date) -> pb.Designation:
        """Publishes the body for the days of the pool's rules."""
        stream = designation_stream(application)

        async def work(work: Work) -> pb.Designation:
            state = await work.load(DESIGNATION, stream)
            applied = designation.known(application, state)
            pack = await self._grounds.pack(applied.pool)
            command = designation.PublishDesignation(
                application=application,
                publicity_start_date=first,
                publicity=pack.term("provider.designation_publicity_days", first),
            )
            events = designation.decide(command, state)
            return designation_answer(work.record(DESIGNATION, stream, applied.pool, events))

        return await self._handler.execute(call, work, pb.Designation)

    async def sign(self, call: Call, wanted: Wanted) -> pb.Agreement:
        """Signs the agreement; the first one admits the provider."""

        async def work(work: Work) -> pb.Agreement:
            state = await work.load(DESIGNATION, designation_stream(wanted.application))
            applied = designation.known(wanted.application, state)
            pack = await self._grounds.pack(applied.pool)
            months = pack.figure("provider.agreement_months", wanted.start_date).numbers()
            command = agreement.SignAgreement(
                **vars(wanted),
                designation=state,
                months_min=months["min"],
                months_max=months["max"],
            )
            stream = provider_stream(applied.provider)
            provider = await work.load(PROVIDER, stream)
            events = agreement.decide(command, provider)
            provider = work.record(PROVIDER, stream, applied.pool, events)
            return agreement_answer(provider, provider.agreements[-1])

        return await self._handler.execute(call, work, pb.Agreement)

    async def change(self, call: Call, command: ProviderCommand, today: date) -> pb.Standing:
        """Imposes or lifts a sanction, or takes a step of an agreement's course."""
        stream = provider_stream(command.provider)

        async def work(work: Work) -> pb.Standing:
            state = await work.load(PROVIDER, stream)
            pool = agreement.admitted(command.provider, state).pool
            state = work.record(PROVIDER, stream, pool, agreement.decide(command, state))
            return standing_answer(state, today)

        return await self._handler.execute(call, work, pb.Standing)

    async def leave(self, call: Call, provider: UUID, asked: Exit, today: date) -> pb.Standing:
        """A provider leaves of its own will, as far ahead as the pool's rules ask."""
        state, _ = await self._handler.load(PROVIDER, provider_stream(provider))
        pack = await self._grounds.pack(agreement.admitted(provider, state).pool)
        command = agreement.RequestExit(
            provider=provider,
            **vars(asked),
            notice_months=pack.integer("provider.exit_notice_months", asked.request_date),
        )
        return await self.change(call, command, today)

    async def find(self, application: UUID, known_at: datetime | None) -> pb.Designation:
        """The application as known now, or at a moment. Refuses NOT_FOUND."""
        stream = designation_stream(application)
        state, version = await self._handler.load_known(DESIGNATION, stream, known_at)
        if not version:
            raise NotFound("designation", application)
        return designation_answer(state)

    async def standing(self, provider: UUID, day: date, known_at: datetime | None) -> pb.Standing:
        """How the provider stands on a day, as known now or at a moment. Refuses NOT_FOUND."""
        stream = provider_stream(provider)
        state, version = await self._handler.load_known(PROVIDER, stream, known_at)
        if not version:
            raise NotFound("provider", provider)
        return standing_answer(state, day)
