"""Contributions as they come in (缴费)."""

from collections.abc import Awaitable, Callable

from ltci.enrollment.v1 import enrollment_service_pb2 as pb

from kernel.calendar import Month
from kernel.eventstore.handle import Call, Work
from kernel.service import Parts
from services.enrollment import wire
from services.enrollment.application.streams import (
    CONTRIBUTIONS,
    COVERAGE,
    contributions_stream,
    coverage_stream,
)
from services.enrollment.domain import contribution as co


class Contributions:
    """What was paid for whom."""

    def __init__(self, parts: Parts) -> None:
        self._handler = parts.handler
        self._packs = parts.packs

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
