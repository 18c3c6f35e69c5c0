"""Accounts of a year: folded from what was paid, and from what is due and went back."""

from datetime import datetime
from uuid import UUID

from ltci.enrollment.v1 import contribution_service_pb2 as pb

from kernel.eventstore.handle import Call, Work
from kernel.service import Parts
from services.enrollment import wire_contributions as wire
from services.enrollment.application.streams import (
    ACCOUNT,
    COVERAGE,
    PAYMENTS,
    account_stream,
    contributions_stream,
    coverage_stream,
)
from services.enrollment.domain import account as a
from services.enrollment.domain import refund as r


async def account_of(run: Work, pool: str, person: UUID, year: int) -> a.Account:
    """The account as a command sees it."""
    paid = await run.load(PAYMENTS, contributions_stream(pool, person, year))
    return _joined(paid, await run.load(ACCOUNT, account_stream(pool, person, year)))


class Accounts:
    """What is due, paid and given back; and giving back."""

    def __init__(self, parts: Parts) -> None:
        self._handler = parts.handler

    async def account(
        self, pool: str, person: UUID, year: int, known_at: datetime | None
    ) -> a.Account:
        """The account as it was known at a moment; as known now for None."""
        paid, _ = await self._handler.load_known(
            PAYMENTS, contributions_stream(pool, person, year), known_at
        )
        rest, _ = await self._handler.load_known(
            ACCOUNT, account_stream(pool, person, year), known_at
        )
        return _joined(paid, rest)

    async def refund(self, call: Call, told: a.ContributionRefunded) -> pb.Refund:
        """Gives money back. Refuses what `domain.refund` refuses."""

        async def work(run: Work) -> pb.Refund:
            coverage = await run.load(COVERAGE, coverage_stream(told.pool, told.person))
            account = await account_of(run, told.pool, told.person, told.year)
            command = r.RefundContribution(
                told=told, insured_on_refund=coverage.on(told.refunded_date) is not None
            )
            stream = account_stream(told.pool, told.person, told.year)
            run.record(ACCOUNT, stream, told.pool, r.decide(command, account))
            return wire.refund(told)

        return await self._handler.execute(call, work, pb.Refund)


def _joined(paid: a.Account, rest: a.Account) -> a.Account:
    return a.Account(dues=rest.dues, paid=paid.paid, refunds=rest.refunds)
