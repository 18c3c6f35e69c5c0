"""From a command to durable events: load, decide, append, answer, and all of it once.

What it promises:

* the same request gives the first answer again, however often and to whichever copy of the
  service it comes; the same id with other content is refused (`RequestReused`);
* the events of a command, on all its streams, and its answer are kept together or not at all;
* a command decides on the state its events are appended to; where the stream moved on, it
  decides again. So `work` may run several times: it must do nothing but load, decide, record;
* a refusal is never spoken from a state that had moved on.

States of streams are cached. That is safe because the store checks the expected version, and
because streams that a command only looked at are looked at again before it ends.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import metadata
from typing import Any, Generic, TypeVar
from uuid import UUID
from weakref import WeakValueDictionary

from google.protobuf.message import Message

from kernel import telemetry
from kernel.eventstore.codec import Codec
from kernel.eventstore.envelope import Append, Appended, Meta, Recorded, StreamAppend
from kernel.eventstore.errors import VersionConflict
from kernel.eventstore.postgres import EventStore

S = TypeVar("S")
E = TypeVar("E")
M = TypeVar("M", bound=Message)

RERUNS = 3
CACHED_STREAMS = 20_000


@dataclass(frozen=True)
class StreamKind(Generic[S, E]):
    """A kind of stream: its name, its state before the first event, and its fold."""

    category: str
    initial: S
    evolve: Callable[[S, E], S]


@dataclass(frozen=True)
class Call:
    """Who asks for what: a request by its id and the fingerprint of its content."""

    request_id: UUID
    fingerprint: bytes
    actor: str


@cache
def code_version() -> str:
    """The version of this code, kept with every event it writes."""
    try:
        return metadata.version("ltci")
    except metadata.PackageNotFoundError:
        return "unpackaged"


Item = tuple[Call, Callable[["Work"], Awaitable[M]], type[M]]


class Handler:
    """Runs the commands of one service against its store. One per process and service."""

    def __init__(
        self,
        store: EventStore,
        codec: Codec,
        *,
        traceparent: Callable[[], str] = lambda: "",
    ) -> None:
        """`traceparent` tells the trace of the call under way (W3C), kept with its events."""
        self._store = store
        self._codec = codec
        self._traceparent = traceparent
        self.states = _States()
        self._locks: WeakValueDictionary[UUID, asyncio.Lock] = WeakValueDictionary()

    async def load(self, kind: StreamKind[S, E], stream: UUID) -> tuple[S, int]:
        """The state of a stream now, and its version: 0 where there is no such stream."""
        state, version = self.states.get(kind, stream) or (kind.initial, 0)
        return await self._fold(kind, stream, state, version)

    async def load_many(
        self, kind: StreamKind[S, E], streams: Sequence[UUID]
    ) -> dict[UUID, tuple[S, int]]:
        """The states of many streams now, in one look."""
        found = await self._store.read_streams(streams)
        return {
            stream: await self._evolved(kind, stream, kind.initial, 0, found.get(stream, []))
            for stream in streams
        }

    async def load_at(
        self, kind: StreamKind[S, E], stream: UUID, upto_position: int
    ) -> tuple[S, int]:
        """The state of a stream after the events up to a position, and its version then.

        Folded anew: states of the past are neither taken from the cache nor put there.
        """
        recorded = await self._store.read_stream(stream, upto_position=upto_position)
        return await self._after(kind, kind.initial, 0, recorded)

    async def load_known(
        self, kind: StreamKind[S, E], stream: UUID, known_at: datetime | None
    ) -> tuple[S, int]:
        """The state of a stream as it was known at a moment (按当时所知); as known now for None."""
        if known_at is None:
            return await self.load(kind, stream)
        return await self.load_at(kind, stream, await self._store.position_at(known_at))

    def forget(self, stream: UUID) -> None:
        """Drops the cached state of a stream: after its person's key was destroyed."""
        self.states.forget(stream)

    async def execute(
        self, call: Call, work: Callable[["Work"], Awaitable[M]], answer_class: type[M]
    ) -> M:
        """Answers a request once: the first time by running `work`, then with that answer.

        Raises what `work` raises (nothing is kept then), `RequestReused`, `StoreOverloaded`,
        and `VersionConflict` where others kept changing the same streams.
        """
        repeated = await self._store.find_request(call.request_id, call.fingerprint)
        if repeated is not None:
            return answer_class.FromString(repeated.answer)
        async with AsyncExitStack() as held:
            draft, answer = await self._decided(call, work, held)
            for rerun in range(RERUNS + 1):
                try:
                    # What the events set off has this span for its parent.
                    with telemetry.detail("append"):
                        append = await self.append_of(call, draft, answer)
                        outcome = await self._store.append(append)
                except VersionConflict:
                    if rerun == RERUNS:
                        raise
                    draft.forget()
                    draft, answer = await self._run(call, work)
                    continue
                if isinstance(outcome, Appended):
                    draft.remember()
                    return answer
                return answer_class.FromString(outcome.answer)
        raise AssertionError("unreachable")

    async def execute_many(self, items: Sequence[Item[M]]) -> list[M | Exception]:
        """Answers many requests side by side; each has its own outcome, in the order given."""
        from kernel.eventstore.together import execute_together

        return await execute_together(self, self._store, items)

    async def folded(self, kind: StreamKind[S, E], recorded: Iterable[Recorded]) -> tuple[S, int]:
        """The state after all events of a stream that was read, and its version."""
        return await self._after(kind, kind.initial, 0, recorded)

    async def _decided(
        self, call: Call, work: Callable[["Work"], Awaitable[M]], held: AsyncExitStack
    ) -> tuple["Work", M]:
        """Runs work, and holds the locks of the streams it writes.

        Commands of this process on one stream queue here instead of losing against each other
        at the store. Locks are taken after deciding, in one order for all, and only for
        streams written; a decision that was overtaken while waiting is taken again.
        """
        draft, answer = await self._run(call, work)
        locked: set[UUID] = set()
        while True:
            written = set(draft.written)
            if not written <= locked:
                locked |= written
                await held.aclose()
                for stream in sorted(locked):
                    await held.enter_async_context(self._lock(stream))
            if not draft.overtaken():
                return draft, answer
            draft, answer = await self._run(call, work)

    def _lock(self, stream: UUID) -> asyncio.Lock:
        lock = self._locks.get(stream)
        if lock is None:
            lock = self._locks[stream] = asyncio.Lock()
        return lock

    async def _run(self, call: Call, work: Callable[["Work"], Awaitable[M]]) -> tuple["Work", M]:
        """Runs work until what it only looked at stood still meanwhile."""
        for rerun in range(RERUNS + 1):
            draft = Work(self, call)
            try:
                answer = await work(draft)
            except Exception:
                if rerun < RERUNS and await draft.moved_on():
                    continue
                raise
            if rerun < RERUNS and await draft.moved_on():
                continue
            return draft, answer
        raise AssertionError("unreachable")

    async def append_of(self, call: Call, draft: "Work", answer: Message) -> Append:
        """What a decided command asks the store to keep."""
        streams = [
            StreamAppend(
                stream=entry.stream,
                category=entry.kind.category,
                pool=entry.pool,
                expected_version=entry.version,
                events=tuple(
                    [
                        await self._codec.encode(entry.stream, entry.version + place, event)
                        for place, event in enumerate(entry.events, start=1)
                    ]
                ),
            )
            for entry in draft.entries
            if entry.events
        ]
        return Append(
            request_id=call.request_id,
            fingerprint=call.fingerprint,
            answer=answer.SerializeToString(deterministic=True),
            streams=tuple(streams),
            meta=Meta(
                request_id=call.request_id,
                actor=call.actor,
                traceparent=self._traceparent(),
                code_version=code_version(),
            ),
        )

    async def _fold(
        self, kind: StreamKind[S, E], stream: UUID, state: S, version: int
    ) -> tuple[S, int]:
        """The state after the events since `version`; remembered."""
        recorded = await self._store.read_stream(stream, after=version)
        return await self._evolved(kind, stream, state, version, recorded)

    async def _evolved(
        self,
        kind: StreamKind[S, E],
        stream: UUID,
        state: S,
        version: int,
        recorded: Iterable[Recorded],
    ) -> tuple[S, int]:
        state, version = await self._after(kind, state, version, recorded)
        self.states.put(kind, stream, state, version)
        return state, version

    async def _after(
        self, kind: StreamKind[S, E], state: S, version: int, recorded: Iterable[Recorded]
    ) -> tuple[S, int]:
        for event in recorded:
            state = kind.evolve(state, await self._codec.decode(event))
            version = event.version
        return state, version


@dataclass(slots=True)
class Entry:
    """A stream as a command sees it."""

    kind: StreamKind[Any, Any]
    stream: UUID
    state: Any  # after what the command recorded
    version: int  # before it
    events: list[Any]
    pool: str = ""
    from_cache: bool = False


class Work:
    """One run of a command: what it loads and what it records. Made by `Handler.execute`."""

    def __init__(self, handler: Handler, call: Call) -> None:
        self.call = call
        self._handler = handler
        self._entries: dict[UUID, Entry] = {}

    async def load(self, kind: StreamKind[S, E], stream: UUID) -> S:
        """The state of a stream, with what this run recorded on it."""
        entry = self._entries.get(stream)
        if entry is None:
            entry = await self._entry(kind, stream)
            # Two loads of one stream may run side by side: the first one counts.
            entry = self._entries.setdefault(stream, entry)
        state: S = entry.state
        return state

    async def load_many(self, kind: StreamKind[S, E], streams: Sequence[UUID]) -> dict[UUID, S]:
        """The states of many streams; those not cached are read in one look."""
        missing = [
            stream
            for stream in streams
            if stream not in self._entries and self._handler.states.get(kind, stream) is None
        ]
        loaded = await self._handler.load_many(kind, missing) if missing else {}
        for stream, (state, version) in loaded.items():
            self._entries.setdefault(stream, Entry(kind, stream, state, version, []))
        return {stream: await self.load(kind, stream) for stream in streams}

    def record(self, kind: StreamKind[S, E], stream: UUID, pool: str, events: Sequence[E]) -> S:
        """Takes events down for a stream loaded before; returns the state after them."""
        entry = self._entries.get(stream)
        if entry is None:
            raise RuntimeError(f"stream {stream} was not loaded before it was written")
        for event in events:
            entry.state = kind.evolve(entry.state, event)
        entry.events.extend(events)
        entry.pool = pool
        state: S = entry.state
        return state

    @property
    def entries(self) -> Iterable[Entry]:
        return self._entries.values()

    @property
    def written(self) -> list[UUID]:
        """The streams that get events."""
        return [entry.stream for entry in self.entries if entry.events]

    def overtaken(self) -> bool:
        """Whether this process knows a newer version of a stream that gets events."""
        newest = self._handler.states.version
        return any(newest(e.kind, e.stream) > e.version for e in self.entries if e.events)

    async def moved_on(self) -> bool:
        """Whether a stream that came from the cache and gets no events is newer by now."""
        moved = False
        for entry in self.entries:
            if entry.from_cache and not entry.events:
                _, version = await self._handler.load(entry.kind, entry.stream)
                moved = moved or version != entry.version
        return moved

    def remember(self) -> None:
        """The events are durable: the states after them become the cached ones."""
        for entry in self.entries:
            if entry.events:
                version = entry.version + len(entry.events)
                self._handler.states.put(entry.kind, entry.stream, entry.state, version)

    def forget(self) -> None:
        """The store knows better: nothing of this run's states is kept."""
        for entry in self.entries:
            self._handler.forget(entry.stream)

    async def _entry(self, kind: StreamKind[Any, Any], stream: UUID) -> Entry:
        cached = self._handler.states.get(kind, stream)
        if cached is not None:
            return Entry(kind, stream, cached[0], cached[1], [], from_cache=True)
        state, version = await self._handler.load(kind, stream)
        return Entry(kind, stream, state, version, [])


class _States:
    """The newest known states of streams, the least used dropped first."""

    def __init__(self) -> None:
        # One stream may be folded in more than one way: each fold has its own state.
        self._kept: OrderedDict[UUID, dict[Any, tuple[Any, int]]] = OrderedDict()

    def get(self, kind: StreamKind[S, E], stream: UUID) -> tuple[S, int] | None:
        folds = self._kept.get(stream)
        if folds is None:
            return None
        self._kept.move_to_end(stream)
        return folds.get(kind.evolve)

    def version(self, kind: StreamKind[Any, Any], stream: UUID) -> int:
        """The newest known version; 0 where none is."""
        kept = self.get(kind, stream)
        return 0 if kept is None else kept[1]

    def put(self, kind: StreamKind[S, E], stream: UUID, state: S, version: int) -> None:
        """Keeps a state, unless a newer one is known."""
        if version == 0 or self.version(kind, stream) > version:
            return
        self._kept.setdefault(stream, {})[kind.evolve] = (state, version)
        self._kept.move_to_end(stream)
        while len(self._kept) > CACHED_STREAMS:
            self._kept.popitem(last=False)

    def forget(self, stream: UUID) -> None:
        self._kept.pop(stream, None)
