"""The collection of a pool's year: opened, reminded, and what follows from arrears (年度征缴)."""

from collections.abc import Sequence
from datetime import date, timedelta
from uuid import UUID

from ltci.enrollment.v1 import contribution_service_pb2 as pb
from ltci.enrollment.v1 import enrollment_service_pb2 as enrollment_pb

from kernel.eventstore.handle import Call, Work
from kernel.ids import derive
from kernel.refusal import Refused
from kernel.service import Parts
from services.enrollment import wire_contributions as wire
from services.enrollment.account_tables import AccountReader
from services.enrollment.application.coverage import Coverages, Working
from services.enrollment.application.streams import CONTRIBUTION_YEAR, contribution_year_stream
from services.enrollment.domain import contribution_year as cy
from services.enrollment.domain.coverage import SuspendCoverage, SuspensionCause

_ONE_DAY = timedelta(days=1)
# What was settled otherwise while the list was read: nothing to do for this person.
_ANSWERED = {"SUSPENDED_ALREADY", "NOT_COVERED", "NOT_IN_ARREARS"}
# Where it resumes with the medical entitlement, somebody must tell the day.
_NOT_YET = {"STILL_IN_ARREARS", "NOT_SUSPENDED", "RESUME_DATE_MISSING"}


class ContributionYears:
    """Opening, reminders, suspensions and resumptions of a pool's year."""

    def __init__(self, parts: Parts, coverages: Coverages, reader: AccountReader) -> None:
        self._handler = parts.handler
        self._store = parts.store
        self._packs = parts.packs
        self._clock = parts.clock
        self._coverages = coverages
        self._reader = reader

    async def open(self, call: Call, pool: str, year: int) -> pb.ContributionYear:
        """Opens the year once; the process that collects it starts from the event."""
        command = cy.OpenContributionYear(pool=pool, year=year, today=self._clock.today())

        async def work(run: Work) -> pb.ContributionYear:
            collection = await self._collect(run, command)
            return self._told(pool, year, collection)

        return await self._handler.execute(call, work, pb.ContributionYear)

    async def year(self, pool: str, year: int) -> pb.ContributionYear:
        """What the rules say about a year, and when it was opened."""
        stream = contribution_year_stream(pool, year)
        collection, _ = await self._handler.load(CONTRIBUTION_YEAR, stream)
        return self._told(pool, year, collection)

    async def remind(self, call: Call, pool: str, year: int, due_date: date) -> pb.Reminded:
        """Counts who owes, and keeps that they were reminded. Refuses YEAR_NOT_OPEN."""
        await self._caught_up()
        persons, owed = await self._reader.owing(pool, year, due_date)
        command = cy.RemindContributions(
            pool=pool,
            year=year,
            due_date=due_date,
            today=self._clock.today(),
            person_count=persons,
            owed=owed,
        )

        async def work(run: Work) -> pb.Reminded:
            reminded = (await self._collect(run, command)).reminders[due_date]
            return pb.Reminded(person_count=reminded.person_count, owed_fen=reminded.owed.fen)

        return await self._handler.execute(call, work, pb.Reminded)

    async def suspend(
        self, call: Call, pool: str, year: int, after: UUID | None, size: int
    ) -> tuple[Sequence[UUID], int]:
        """Suspends those of a chunk who owe what they should have paid: people, and how many.

        Where the pool's rules do not let arrears suspend, nobody. Refuses FIGURE_UNKNOWN.
        """
        today = self._clock.today()
        if not self._packs.pack_for(pool).flag("enrollment.arrears_suspend", today):
            return [], 0
        await self._caught_up()
        owing = await self._reader.owing_after(pool, year, today, after, size)
        works = [
            (
                person,
                self._coverages.suspending(
                    SuspendCoverage(
                        suspension=derive(
                            "suspension", pool, str(person), str(year), f"{due_date}"
                        ),
                        person=person,
                        pool=pool,
                        from_date=due_date + _ONE_DAY,
                        cause=SuspensionCause.ARREARS,
                        year=year,
                    )
                ),
            )
            for person, due_date, _ in owing
        ]
        return [person for person, _ in works], await self._done(call, works, _ANSWERED)

    async def resume(
        self, call: Call, pool: str, year: int, after: UUID | None, size: int
    ) -> tuple[Sequence[UUID], int]:
        """Lets those of a chunk count again who have paid: people, and how many."""
        await self._caught_up()
        resting = await self._reader.resting_after(pool, year, after, size)
        cause = SuspensionCause.ARREARS
        works = [
            (person, self._coverages.resuming(person, pool, cause, year=year, told=None))
            for person in resting
        ]
        return resting, await self._done(call, works, _NOT_YET)

    async def _done(
        self, call: Call, works: Sequence[tuple[UUID, Working]], passing: set[str]
    ) -> int:
        """How many were done; a reason that passes is no failure, anything else is raised."""
        items = [
            (
                Call(derive("arrears", str(call.request_id), str(person)), b"", call.actor),
                work,
                enrollment_pb.Coverage,
            )
            for person, work in works
        ]
        done = 0
        for outcome in await self._handler.execute_many(items):
            if not isinstance(outcome, Exception):
                done += 1
            elif not isinstance(outcome, Refused) or outcome.reason not in passing:
                raise outcome
        return done

    async def _collect(self, run: Work, command: cy.Command) -> cy.Collection:
        stream = contribution_year_stream(command.pool, command.year)
        collection = await run.load(CONTRIBUTION_YEAR, stream)
        return run.record(CONTRIBUTION_YEAR, stream, command.pool, cy.decide(command, collection))

    def _told(self, pool: str, year: int, collection: cy.Collection) -> pb.ContributionYear:
        pack = self._packs.pack_for(pool)
        return wire.contribution_year(
            pool,
            year,
            collection,
            cy.deadlines(pack, year),
            suspends=cy.arrears_suspend(pack, year),
        )

    async def _caught_up(self) -> None:
        await self._reader.wait_for((await self._store.head()).position)
