"""Matches claim lines again when a verdict or a flag of their visit came (重新核对).

It follows the service's own log like a read model; what it makes are events of the lines. A new
line is looked at once more where its ruling does not name the latest verdict and flags: they may
have come while it was being matched. So lines end alike in whatever order they, verdicts and
flags arrive.
"""

from collections.abc import Collection, Mapping, Sequence
from json import loads
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
    async def standing(
        self, visits: Sequence[UUID]
    ) -> Mapping[UUID, tuple[int, frozenset[int]]]: ...
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
        told = [event for event in events if event.type in FOLLOWED]
        if not told:
            return
        lines: list[Any] = []
        visits: set[UUID] = set()
        days: set[tuple[UUID, str]] = set()
        for event in told:
            message: Any = self._codec.message_clear(event.type, event.payload)
            if isinstance(message, _LINES):
                lines += [message] * bool(message.person)  # without one its visit is not known
                continue
            if message.visit:
                visits.add(UUID(message.visit))
            if isinstance(message, _VERDICTS):
                days.add((UUID(message.person), message.care_date))
        # What is looked up there must hold at least what is told here.
        await self._reads.reached(told[-1].position)
        months = await self._overtaken(lines)
        if visits:
            found = await self._reads.months_with(sorted(visits), sorted(days))
            months |= dict.fromkeys(found)
        if months:
            with telemetry.detail("match claims", links=[event.traceparent for event in told]):
                await self._claims.match_again(ACTOR, months)

    async def _overtaken(self, lines: Sequence[Any]) -> dict[MonthKey, Collection[UUID] | None]:
        """The lines that were matched without the latest of their visits, by month."""
        named = sorted({UUID(line.visit) for line in lines if line.visit})
        standing = await self._reads.standing(named) if named else {}
        months: dict[MonthKey, Collection[UUID] | None] = {}
        for line in lines:
            if line.visit and _knew(line, *standing.get(UUID(line.visit), (0, frozenset()))):
                continue
            key = (line.pool, UUID(line.person), Month.parse(line.month), None)
            months[key] = {*(months.get(key) or ()), UUID(line.line)}
        return months


def _knew(line: Any, verdict: int, flags: frozenset[int]) -> bool:
    """Whether a line's ruling stands on the latest verdict and on the flags that matter."""
    facts = {ref["position"] for ref in loads(line.ruling)["facts"]}
    return {verdict, *flags} <= facts and bool(flags) == ("VISIT_FLAGGED" in line.reasons)


_LINES = (ev.ClaimLineMatched, ev.ClaimLineRefused)
_VERDICTS = (ev.ServiceDelivered, ev.ServiceRejected)
_FLAGS = (ev.RiskFlagged, ev.RiskCleared, ev.RiskConfirmed)
FOLLOWED = tuple(f"{m.DESCRIPTOR.full_name}/1" for m in (*_LINES, *_VERDICTS, *_FLAGS))
