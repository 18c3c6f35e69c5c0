"""Matches claim lines again when a verdict or a flag of their visit came (重新核对).

It follows the service's own log like a read model; what it makes are events of the lines. Each
new line is looked at once more, too: a verdict or a flag may have come while it was being
matched. So lines end alike in whatever order they, verdicts and flags arrive.
"""

from collections.abc import Collection, Sequence
from typing import Any, Protocol
from uuid import UUID

from ltci.provider.v1 import events_pb2 as ev

from kernel import telemetry
from kernel.calendar import Month
from kernel.eventstore.codec import Codec
from kernel.projection import Connection, FeedEvent
from services.provider.application.claims import Claims, MonthKey

ACTOR = "provider"


class MonthReads(Protocol):
    """What finds lines. `services/provider/claims.py` answers."""

    async def reached(self, position: int) -> None: ...
    async def months_with(
        self, visits: Sequence[UUID], days: Sequence[tuple[UUID, str]]
    ) -> Sequence[MonthKey]: ...


class ClaimMatcher:
    """Offers what changed to the lines. It keeps no tables: a crash offers it again, in vain."""

    name = "claim_matcher"
    tables = ""

    def __init__(self, codec: Codec, claims: Claims, reads: MonthReads) -> None:
        self._codec = codec
        self._claims = claims
        self._reads = reads

    async def apply(self, _conn: Connection, events: Sequence[FeedEvent], _prefix: str) -> None:
        """See `Projection.apply`."""
        told = [event for event in events if event.type.startswith(_FOLLOWED)]
        if not told:
            return
        visits: set[UUID] = set()
        days: set[tuple[UUID, str]] = set()
        months: dict[MonthKey, Collection[UUID] | None] = {}
        for event in told:
            message: Any = self._codec.message_clear(event.type, event.payload)
            if isinstance(message, _LINES):
                if message.person:
                    key = (message.pool, UUID(message.person), Month.parse(message.month), None)
                    months[key] = {*(months.get(key) or ()), UUID(message.line)}
                continue
            if message.visit:
                visits.add(UUID(message.visit))
            if isinstance(message, _VERDICTS):
                days.add((UUID(message.person), message.care_date))
        # What is looked up there must hold at least what is told here.
        await self._reads.reached(told[-1].position)
        if visits:
            found = await self._reads.months_with(sorted(visits), sorted(days))
            months |= dict.fromkeys(found)
        if months:
            with telemetry.detail("match claims", links=[event.traceparent for event in told]):
                await self._claims.match_again(ACTOR, months)


_LINES = (ev.ClaimLineMatched, ev.ClaimLineRefused)
_VERDICTS = (ev.ServiceDelivered, ev.ServiceRejected)
_FLAGS = (ev.RiskFlagged, ev.RiskCleared, ev.RiskConfirmed)
_FOLLOWED = tuple(f"{m.DESCRIPTOR.full_name}/" for m in (*_LINES, *_VERDICTS, *_FLAGS))
