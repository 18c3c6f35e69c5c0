"""Contributions as they come in (缴费)."""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import replace
from uuid import UUID

from ltci.enrollment.v1 import enrollment_service_pb2 as pb

from kernel.calendar import Month
from kernel.eventstore.handle import Call, Work
from kernel.rules.pack import Pack
from kernel.service import Parts
from services.enrollment import wire
from services.enrollment.application.merging import kept_in, led_to, one_person
from services.enrollment.application.streams import (
    CONTRIBUTIONS,
    COVERAGE,
    contributions_stream,
    coverage_stream,
)
from services.enrollment.domain import contribution as co
from services.enrollment.domain.coverage import Coverage


class Contributions:
    """What was paid for whom."""

    def __init__(self, parts: Parts) -> None:
        self._handler = parts.handler
        self._packs = parts.packs

    async def collect(self, call: Call, told: co.ContributionCollected) -> pb.Contribution:
        """Takes in a contribution. Refuses NOT_COVERED, SOURCE_NOT_ALLOWED."""
        return await self._handler.execute(call, self.collecting(told), pb.Contribution)

    def collecting(
        self, asked: co.ContributionCollected
    ) -> Callable[[Work], Awaitable[pb.Contribution]]:
        pack = self._packs.pack_for(asked.pool)

        async def work(run: Work) -> pb.Contribution:
            told, covered = await self._insured(run, asked)
            stream = contributions_stream(told.pool, told.person, told.year)
            year = await run.load(CONTRIBUTIONS, stream)
            command = command_of(told, covered=covered, sources=sources_of(pack, told.year))
            run.record(CONTRIBUTIONS, stream, told.pool, co.decide(command, year))
            return wire.contribution(told)

        return work

    async def _insured(
        self, run: Work, told: co.ContributionCollected
    ) -> tuple[co.ContributionCollected, bool]:
        """The contribution with the person it is for, and whether that person is insured.

        Only who is not insured under the own id is looked for under others: the person to whom
        a paper leads, and those with whom the person was merged.
        """
        if (await self._coverage(run, told.pool, told.person)).in_year(told.year):
            return told, True
        told = replace(told, person=await led_to(run, told.person))
        persons = await one_person(told.person, kept_in(run))
        coverages = [await self._coverage(run, told.pool, person) for person in persons]
        return told, any(coverage.in_year(told.year) for coverage in coverages)

    async def _coverage(self, run: Work, pool: str, person: UUID) -> Coverage:
        return await run.load(COVERAGE, coverage_stream(pool, person))


def sources_of(pack: Pack, year: int) -> Collection[str]:
    """Who may pay in a year (筹资渠道). Refuses FIGURE_UNKNOWN."""
    return pack.texts("enrollment.sources", Month(year, 1).first)


def command_of(
    told: co.ContributionCollected, *, covered: bool, sources: Collection[str]
) -> co.CollectContribution:
    """What is asked of the decider, for one contribution as for a row of thousands."""
    return co.CollectContribution(told=told, covered=covered, sources=sources)
