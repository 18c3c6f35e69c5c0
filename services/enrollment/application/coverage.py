"""Changes of a coverage, and the times it rests (参保变更、暂停、恢复)."""

from collections.abc import Awaitable, Callable
from datetime import date
from uuid import UUID

from ltci.enrollment.v1 import enrollment_service_pb2 as pb

from kernel.clock import Clock
from kernel.eventstore.handle import Call, Work
from kernel.refusal import Refused
from kernel.service import Parts
from services.enrollment import wire
from services.enrollment.application.accounts import account_of
from services.enrollment.application.streams import COVERAGE, coverage_stream
from services.enrollment.domain import coverage as c
from services.enrollment.domain.contribution_year import WITH_MEDICAL, resumes_on

Working = Callable[[Work], Awaitable[pb.Coverage]]


class Coverages:
    """What happens to a coverage between its start and its end."""

    def __init__(self, parts: Parts) -> None:
        self._handler = parts.handler
        self._packs = parts.packs
        self._clock: Clock = parts.clock

    async def change(self, call: Call, command: c.ChangeCoverage) -> pb.Coverage:
        """Another group from a day on. Refuses NOT_COVERED, CHANGED_ALREADY."""

        async def work(run: Work) -> pb.Coverage:
            return await self._done(run, command)

        return await self._handler.execute(call, work, pb.Coverage)

    async def suspend(self, call: Call, command: c.SuspendCoverage) -> pb.Coverage:
        """Lets it rest. Refuses what the pool's rules, the account or the coverage forbid."""
        return await self._handler.execute(call, self.suspending(command), pb.Coverage)

    def suspending(self, command: c.SuspendCoverage) -> Working:
        pack = self._packs.pack_for(command.pool)
        key = {
            c.SuspensionCause.ARREARS: "enrollment.arrears_suspend",
            c.SuspensionCause.MEDICAL_GAP: "enrollment.follows_medical",
        }[command.cause]

        async def work(run: Work) -> pb.Coverage:
            owed = None
            if command.cause is c.SuspensionCause.ARREARS:
                account = await account_of(run, command.pool, command.person, command.year)
                owed = account.owed(command.from_date)
            return await self._done(
                run,
                c.SuspendCoverage(
                    suspension=command.suspension,
                    person=command.person,
                    pool=command.pool,
                    from_date=command.from_date,
                    cause=command.cause,
                    year=command.year,
                    provided=pack.flag(key, command.from_date),
                    owed=owed,
                ),
            )

        return work

    async def resume(
        self,
        call: Call,
        person: UUID,
        pool: str,
        cause: c.SuspensionCause,
        *,
        year: int,
        told: date | None,
    ) -> pb.Coverage:
        """Lets it count again from the day told, or the day that follows from the payment."""
        work = self.resuming(person, pool, cause, year=year, told=told)
        return await self._handler.execute(call, work, pb.Coverage)

    def resuming(
        self, person: UUID, pool: str, cause: c.SuspensionCause, *, year: int, told: date | None
    ) -> Working:
        async def work(run: Work) -> pb.Coverage:
            coverage = await run.load(COVERAGE, coverage_stream(pool, person))
            known = coverage.suspension_for(cause, year)
            if known is None:
                raise Refused("NOT_SUSPENDED", pool=pool, cause=cause)
            if cause is c.SuspensionCause.ARREARS:
                day, paid = await self._after_payment(run, person, pool, known, told)
            elif told is None:
                raise Refused("RESUME_DATE_MISSING", pool=pool, cause=cause)
            else:
                day, paid = told, None
            command = c.ResumeCoverage(
                person=person, pool=pool, cause=cause, resume_date=day, year=year, paid_date=paid
            )
            return await self._done(run, command)

        return work

    async def _after_payment(
        self, run: Work, person: UUID, pool: str, known: c.Suspension, told: date | None
    ) -> tuple[date, date | None]:
        """First day that counts again, and when the last of what was owed was paid."""
        today, account = self._clock.today(), await account_of(run, pool, person, known.year)
        owed = account.owed(today)
        if owed:
            raise Refused("STILL_IN_ARREARS", pool=pool, owed=str(owed))
        paid = account.settled_on(today)
        rule = self._packs.pack_for(pool).text("enrollment.arrears_resume", paid or known.first)
        if told is not None and rule == WITH_MEDICAL:
            return told, paid  # by the rule, the day is the medical insurer's to tell
        return resumes_on(rule, paid=paid, first=known.first, pool=pool), paid

    async def _done(
        self, run: Work, command: c.ChangeCoverage | c.SuspendCoverage | c.ResumeCoverage
    ) -> pb.Coverage:
        stream = coverage_stream(command.pool, command.person)
        coverage = await run.load(COVERAGE, stream)
        coverage = run.record(COVERAGE, stream, command.pool, c.decide(command, coverage))
        return wire.whole_coverage(command.person, command.pool, coverage)
