"""Many commands at once, each with a fate of its own: what they ask the store is asked together.

A message of hundreds of rows costs one look for their requests, one for each round of streams
they load, and some commits by COPY, instead of as many of each as there are rows. What
`Handler.execute` promises holds for each row: its first answer again, other content under its
id refused, events and answer together or not at all, decided on the state that is appended to.
A row that somebody overtook, in the store or earlier in the same message, goes the single way.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from google.protobuf.message import Message

from kernel import telemetry
from kernel.eventstore.envelope import Append, Recorded, Repeated
from kernel.eventstore.errors import RequestReused, VersionConflict
from kernel.eventstore.handle import Call, Entry, Handler, Item, StreamKind, Work
from kernel.refusal import without_traceback

if TYPE_CHECKING:
    from kernel.eventstore.postgres import EventStore

M = TypeVar("M", bound=Message)
A_TURN = 100  # rows decided before others are served: some milliseconds


async def execute_together(
    handler: Handler, store: "EventStore", items: Sequence[Item[M]]
) -> list[M | Exception]:
    """The outcome of each item, in their order."""
    outcomes: list[M | Exception | None] = [None] * len(items)
    known = await store.find_requests([call.request_id for call, _, _ in items])
    fresh: list[int] = []
    for place, (call, _, answer_class) in enumerate(items):
        earlier = known.get(call.request_id)
        if earlier is None:
            fresh.append(place)
        else:
            outcomes[place] = _told_before(call, earlier, answer_class)
    appends: list[Append] = []
    decided: list[tuple[int, M]] = []
    for turn in range(0, len(fresh), A_TURN):
        places = fresh[turn : turn + A_TURN]
        looks = _Looks(store)
        answers = await asyncio.gather(
            *(_decide(handler, looks, *items[place]) for place in places)
        )
        for place, answer in zip(places, answers, strict=True):
            if isinstance(answer, Exception):
                outcomes[place] = answer
            else:
                appends.append(answer[1])
                decided.append((place, answer[0]))
    await _keep(handler, store, items, appends, decided, outcomes)
    return [outcome for outcome in outcomes if outcome is not None]


async def _decide(
    handler: Handler,
    looks: "_Looks",
    call: Call,
    work: Callable[[Work], Awaitable[M]],
    _: type[M],
) -> tuple[M, Append] | Exception:
    draft = _SharedWork(handler, call, looks)
    try:
        answer = await work(draft)
        return answer, await handler.append_of(call, draft, answer)
    except Exception as error:  # noqa: BLE001 - the caller answers row by row
        return without_traceback(error)


async def _keep(
    handler: Handler,
    store: "EventStore",
    items: Sequence[Item[M]],
    appends: Sequence[Append],
    decided: Sequence[tuple[int, M]],
    outcomes: list[M | Exception | None],
) -> None:
    if not appends:
        return
    with telemetry.detail("append"):
        kept = await store.bulk_outcomes(appends)
    for (place, answer), append, outcome in zip(decided, appends, kept, strict=True):
        call, work, answer_class = items[place]
        if isinstance(outcome, VersionConflict):
            try:
                outcomes[place] = await handler.execute(call, work, answer_class)
            except Exception as error:  # noqa: BLE001 - as above
                outcomes[place] = without_traceback(error)
        elif isinstance(outcome, Exception):
            outcomes[place] = outcome
        elif isinstance(outcome, Repeated):
            outcomes[place] = answer_class.FromString(outcome.answer)
        else:
            outcomes[place] = answer
            for part in append.streams:
                handler.forget(part.stream)  # what was cached is older now


def _told_before(
    call: Call, earlier: tuple[bytes, Repeated], answer_class: type[M]
) -> M | Exception:
    fingerprint, repeated = earlier
    if fingerprint != call.fingerprint:
        return RequestReused(call.request_id)
    return answer_class.FromString(repeated.answer)


class _Looks:
    """Streams asked for by commands that run side by side, read in one look."""

    def __init__(self, store: "EventStore") -> None:
        self._store = store
        self._loop = asyncio.get_running_loop()
        self._asked: dict[UUID, asyncio.Future[list[Recorded]]] = {}
        self._reading: set[asyncio.Task[None]] = set()

    def stream(self, stream: UUID) -> asyncio.Future[list[Recorded]]:
        """The events of a stream, once all who run have asked for what they need."""
        answer = self._asked.get(stream)
        if answer is None:
            if not self._asked:
                # After those that are about to run in this turn of the loop.
                self._loop.call_soon(self._ask)
            answer = self._asked[stream] = self._loop.create_future()
        return answer

    def _ask(self) -> None:
        asked, self._asked = self._asked, {}
        task = self._loop.create_task(self._read(asked))
        self._reading.add(task)
        task.add_done_callback(self._reading.discard)

    async def _read(self, asked: dict[UUID, asyncio.Future[list[Recorded]]]) -> None:
        try:
            found = await self._store.read_streams(list(asked))
        except Exception as error:  # noqa: BLE001 - told to each who asked
            for answer in asked.values():
                if not answer.done():
                    answer.set_exception(error)
            return
        for stream, answer in asked.items():
            if not answer.done():
                answer.set_result(found[stream])


class _SharedWork(Work):
    """A run of a command that shares its looks. It loads from the store, never from the cache."""

    def __init__(self, handler: Handler, call: Call, looks: _Looks) -> None:
        super().__init__(handler, call)
        self._looks = looks

    async def load_many(
        self, kind: StreamKind[Any, Any], streams: Sequence[UUID]
    ) -> dict[UUID, Any]:
        states = await asyncio.gather(*(self.load(kind, stream) for stream in streams))
        return dict(zip(streams, states, strict=True))

    async def _entry(self, kind: StreamKind[Any, Any], stream: UUID) -> Entry:
        recorded = await self._looks.stream(stream)
        state, version = await self._handler.folded(kind, recorded)
        return Entry(kind, stream, state, version, [])
