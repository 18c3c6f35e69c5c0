"""Readers of a live log, and what they must have seen."""

from collections.abc import Sequence
from uuid import UUID

from kernel.eventstore.envelope import Recorded
from kernel.eventstore.postgres import EventStore


async def follow(store: EventStore, count: int) -> list[Recorded]:
    """Reads the live log until it has that many events."""
    seen: list[Recorded] = []
    async for batch in store.subscribe(0):
        seen += batch
        if len(seen) >= count:
            return seen
    raise AssertionError("a subscription never ends")


def assert_complete(seen: Sequence[Recorded], count: int) -> None:
    """Every event once, in one order, without gaps, in space and in time."""
    assert [event.position for event in seen] == list(range(1, count + 1))
    versions: dict[UUID, int] = {}
    for event in seen:
        assert event.version == versions.get(event.stream, 0) + 1
        versions[event.stream] = event.version
    assert [e.recorded_at for e in seen] == sorted(e.recorded_at for e in seen)
