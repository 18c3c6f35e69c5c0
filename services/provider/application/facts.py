"""Recorded events of this service as facts, with the positions that a ruling names."""

from collections import OrderedDict
from collections.abc import Sequence
from uuid import UUID

from kernel.eventstore.codec import Codec
from kernel.eventstore.envelope import Recorded
from kernel.eventstore.postgres import EventStore
from kernel.replay import fact_of, raw_fact
from kernel.rules.ruling import Fact
from services.provider.application.streams import MARKERS, PLANS

SERVICE = "provider"
CACHED_FACTS = 50_000
_PERSONAL = {PLANS.category, MARKERS.category}


class FactReader:
    """Reads streams as facts, as they stand now.

    What an event says never changes, so facts are kept by position. Those of plans and markers
    are not: they hold what must not outlive the person's key.
    """

    def __init__(self, store: EventStore, codec: Codec) -> None:
        self._store = store
        self._codec = codec
        self._kept: OrderedDict[int, Fact] = OrderedDict()

    async def read(self, streams: Sequence[UUID]) -> dict[UUID, tuple[Fact, ...]]:
        """The facts of these streams, in one look; none where there is no stream."""
        if not streams:
            return {}
        found = await self._store.read_streams(streams)
        personal = (events for events in found.values() if events and _is_personal(events[0]))
        await self._codec.prepare(event for events in personal for event in events)
        return {
            stream: tuple([await self._fact(event) for event in recorded])
            for stream, recorded in found.items()
        }

    async def _fact(self, recorded: Recorded) -> Fact:
        kept = self._kept.get(recorded.position)
        if kept is not None:
            return kept
        personal = _is_personal(recorded)
        raw = raw_fact(SERVICE, recorded)
        fact = (
            Fact(raw.ref, await self._codec.decode(recorded), recorded.recorded_at)
            if personal
            else fact_of(raw, self._codec)
        )
        if not personal:
            self._kept[recorded.position] = fact
            if len(self._kept) > CACHED_FACTS:
                self._kept.popitem(last=False)
        return fact


def _is_personal(recorded: Recorded) -> bool:
    return recorded.category in _PERSONAL
