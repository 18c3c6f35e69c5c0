"""A feed of events in a list, for tests of the wire that need no database."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from uuid import UUID

from kernel.clock import Clock
from kernel.eventstore.envelope import Cursor, Meta, Recorded
from kernel.ids import derive


class MemoryFeed:
    """Holds events in order and wakes its subscribers when one is added."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.epoch = derive("test", "epoch")
        self.events: list[Recorded] = []
        self.packs: dict[str, tuple[str, bytes]] = {}
        self._grown = asyncio.Event()

    def add(
        self, kind: str = "test.v1.Happened/1", payload: bytes = b"", *, person: str = "a"
    ) -> Recorded:
        position = len(self.events) + 1
        stream = derive("person", person)
        recorded = Recorded(
            position=position,
            stream=stream,
            version=1 + sum(event.stream == stream for event in self.events),
            category="person",
            pool="320400",
            type=kind,
            payload=payload,
            sealed=b"personal",
            key_id=derive("key", person),
            meta=Meta(derive("request", str(position)), "office", "", "1"),
            recorded_at=datetime(2024, 3, 1, 8, tzinfo=UTC),
            hash=hashlib.sha256(str(position).encode()).digest(),
        )
        self.events.append(recorded)
        self._grown.set()
        return recorded

    async def read_stream(self, stream: UUID, *, after: int = 0) -> list[Recorded]:
        return [e for e in self.events if e.stream == stream and e.version > after]

    async def read_all(
        self,
        after: int = 0,
        *,
        limit: int = 500,
        types: Sequence[str] = (),
        upto: int | None = None,
    ) -> list[Recorded]:
        last = len(self.events) if upto is None else upto
        found = [e for e in self.events[after:last] if not types or e.type in types]
        return found[:limit]

    async def read_positions(self, positions: Sequence[int]) -> list[Recorded]:
        return [e for e in self.events if e.position in set(positions)]

    async def head(self) -> Cursor:
        last = self.events[-1].hash if self.events else b""
        return Cursor(self.epoch, len(self.events), last)

    async def position_at(self, instant: datetime) -> int:
        return sum(event.recorded_at <= instant for event in self.events)

    async def subscribe(
        self, after: int, *, epoch: UUID | None = None
    ) -> AsyncIterator[list[Recorded]]:
        assert epoch in {None, self.epoch}
        while True:
            self._grown.clear()
            events = await self.read_all(after)
            if events:
                yield events
                after = events[-1].position
            else:
                await self._grown.wait()

    async def get_pack(self, hash: str) -> tuple[str, bytes] | None:  # noqa: A002 - the store's name
        return self.packs.get(hash)
