"""Employers and their staff lists (用人单位、申报缴费基数)."""

from collections.abc import Awaitable, Callable

from ltci.enrollment.v1 import contribution_service_pb2 as pb

from kernel.eventstore.handle import Call, Work
from kernel.refusal import NotFound
from kernel.service import Parts
from services.enrollment import wire_contributions as wire
from services.enrollment.application.streams import (
    COVERAGE,
    EMPLOYER,
    STAFF,
    coverage_stream,
    employer_named,
    employer_stream,
    staff_stream,
)
from services.enrollment.domain import employer as em


class Employers:
    """Who employs whom at which wage."""

    def __init__(self, parts: Parts) -> None:
        self._handler = parts.handler

    async def register(self, call: Call, told: em.EmployerRegistered) -> pb.Employer:
        """Registers an employer, or finds the one that is. Refuses EMPLOYER_DIFFERS."""

        async def work(run: Work) -> pb.Employer:
            stream = employer_stream(told.employer)
            employer = await run.load(EMPLOYER, stream)
            events = em.decide(em.RegisterEmployer(told=told), employer)
            employer = run.record(EMPLOYER, stream, told.pool, events)
            return wire.employer(employer.registered or told)

        return await self._handler.execute(call, work, pb.Employer)

    async def employer(self, social_credit_code: str) -> em.EmployerRegistered:
        """The employer with a code. Refuses NotFound."""
        name = employer_named(social_credit_code)
        employer, _ = await self._handler.load(EMPLOYER, employer_stream(name))
        if employer.registered is None:
            raise NotFound("employer", name)
        return employer.registered

    def declaring(self, told: em.StaffDeclared) -> Callable[[Work], Awaitable[pb.Staff]]:
        """A row of a staff list. Refuses NotFound, POOL_DIFFERS, NOT_COVERED."""

        async def work(run: Work) -> pb.Staff:
            employer = await run.load(EMPLOYER, employer_stream(told.employer))
            if employer.registered is None:
                raise NotFound("employer", told.employer)
            coverage = await run.load(COVERAGE, coverage_stream(told.pool, told.person))
            stream = staff_stream(told.pool, told.person, told.month.year)
            staff = await run.load(STAFF, stream)
            command = em.DeclareStaff(
                told=told,
                pays_in=employer.registered.pool,
                covered=coverage.first_within(told.month.first, told.month.last) is not None,
            )
            run.record(STAFF, stream, told.pool, em.decide_staff(command, staff))
            return wire.staff(told)

        return work
