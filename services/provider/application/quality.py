"""The use case of a provider's quality score: counts from the read model, a ruling in the log."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from ltci.provider.v1 import monitoring_service_pb2 as pb

from kernel.calendar import Month
from kernel.eventstore.handle import Call, Handler, Work, code_version
from kernel.refusal import NotFound
from services.provider.application.grounds import GroundsReader
from services.provider.application.streams import QUALITY, quality_stream
from services.provider.counts_reader import Body, CountsReader
from services.provider.domain import quality as q


@dataclass(frozen=True)
class Scores:
    """Scores months, and tells what was counted of them."""

    handler: Handler
    grounds: GroundsReader
    reader: CountsReader

    async def score(self, call: Call, provider: UUID, month: Month, today: date) -> pb.QualityScore:
        """Scores what is known at the call."""

        async def work(work: Work) -> pb.QualityScore:
            known = await self.reader.caught_up()
            body = await self._body(provider)
            stream = quality_stream(body.pool, provider, str(month))
            command = q.ScoreProvider(
                provider=provider,
                pool=body.pool,
                month=month,
                counts=q.counts_in(await self.reader.sums(provider, str(month))),
                known_position=known,
                today=today,
                pack=await self.grounds.pack(body.pool),
                code_version=code_version(),
            )
            events = q.decide(command, await work.load(QUALITY, stream))
            return score_answer(work.record(QUALITY, stream, body.pool, events))

        return await self.handler.execute(call, work, pb.QualityScore)

    async def month(self, provider: UUID, month: Month) -> pb.ProviderMonth:
        """What was counted, with the newest score. Refuses NOT_FOUND."""
        known = await self.reader.caught_up()
        body = await self._body(provider)
        sums = await self.reader.sums(provider, str(month))
        last, _ = await self.handler.load(QUALITY, quality_stream(body.pool, provider, str(month)))
        return pb.ProviderMonth(
            provider=str(provider),
            provider_name=body.provider_name,
            social_credit_code=body.social_credit_code,
            pool=body.pool,
            month=str(month),
            counts=[pb.MonthCount(name=n, key=k, total=total) for (n, k), total in sums.items()],
            known_position=known,
            score=score_answer(last) if last is not None else None,
        )

    async def _body(self, provider: UUID) -> Body:
        body = await self.reader.body(provider)
        if body is None:
            raise NotFound("provider", provider)
        return body


def score_answer(scored: q.QualityScored | None) -> pb.QualityScore:
    """The score as callers get it."""
    if scored is None:
        raise ValueError("only a month that was scored has an answer")
    told = vars(scored) | {"provider": str(scored.provider), "month": str(scored.month)}
    return pb.QualityScore(**told)
