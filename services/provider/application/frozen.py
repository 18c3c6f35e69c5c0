"""What a case stands on: the events it freezes, and what stands at their places now (固定证据)."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from kernel.eventstore.codec import Codec
from kernel.eventstore.envelope import Recorded
from kernel.eventstore.postgres import EventStore
from kernel.replay import RawFact, fact_of, raw_fact
from kernel.rules.ruling import Fact, Ruling
from services.provider.application.facts import SERVICE
from services.provider.application.streams import flag_stream, inspection_stream, visit_stream
from services.provider.domain.inspection import Inspection
from services.provider.domain.inspection_events import FrozenFact
from services.provider.domain.risk import RiskFlagged

# A flag's ruling names each of its facts by its content: where it names more, the flag's own
# event stands for them all.
MOST_NAMED = 50


class FrozenReader:
    """Reads events by stream and by position, as they stand in the log."""

    def __init__(self, store: EventStore, codec: Codec) -> None:
        self._store = store
        self._codec = codec

    async def of_flag(self, flag: RiskFlagged) -> tuple[FrozenFact, ...]:
        """The flag's event, the visit's events, and the facts that the flag's ruling names."""
        streams = [flag_stream(flag.flag)]
        if flag.visit is not None:
            streams.append(visit_stream(flag.visit))
        named = Ruling.read(flag.ruling).facts if flag.ruling else ()
        kept = named if len(named) <= MOST_NAMED else ()
        return (*await self._of(streams), *map(FrozenFact.of, kept))

    async def of_visits(self, visits: Sequence[UUID]) -> tuple[FrozenFact, ...]:
        """The events of these visits; none of a visit that nobody recorded."""
        return await self._of([visit_stream(visit) for visit in visits])

    async def facts(self, inspection: Inspection, name: UUID) -> tuple[Fact, ...]:
        """What a decision stands on: what is at the frozen places now, and the case's events."""
        recorded = await self._store.read_stream(inspection_stream(name))
        own = [raw_fact(SERVICE, one) for one in recorded]
        raws = {raw.position: raw for raw in (*await self.now(inspection.frozen), *own)}
        return tuple(fact_of(raws[position], self._codec) for position in sorted(raws))

    async def now(self, frozen: Iterable[FrozenFact]) -> list[RawFact]:
        """What stands at the frozen places of this service's log."""
        positions = [one.position for one in frozen if one.service == SERVICE]
        found = await self._store.read_positions(positions) if positions else []
        return [raw_fact(SERVICE, one) for one in found]

    async def flags(self, flags: Iterable[UUID]) -> list[tuple[RawFact, RiskFlagged]]:
        """The events in which these flags were raised, in their order."""
        streams = [flag_stream(flag) for flag in flags]
        found = await self._store.read_streams(streams)
        raws = [raw_fact(SERVICE, found[one][0]) for one in streams if found.get(one)]
        return [(raw, self._codec.decode_clear(raw.type, raw.payload)) for raw in raws]

    async def _of(self, streams: Sequence[UUID]) -> tuple[FrozenFact, ...]:
        found = await self._store.read_streams(streams)
        events: list[Recorded] = [event for recorded in found.values() for event in recorded]
        return tuple(FrozenFact.of(raw_fact(SERVICE, event).ref) for event in events)
