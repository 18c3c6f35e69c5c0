"""The same log as a persistence module of the `eventsourcing` library.

For auditors and integrators: applications, notification logs and projections of that library
work on our history, and its own test suites check the store. Synchronous, over an event loop in
a thread; the services themselves use `EventStore`.

Limits: stream ids are UUIDs and versions have no gaps. Sealed parts are not shown. Snapshots
and process recorders are not offered.

    PERSISTENCE_MODULE=kernel.eventstore.recorder
    EVENTSTORE_DSN=postgresql://...
    EVENTSTORE_SCHEMA=payment
"""

import asyncio
import threading
from collections.abc import Coroutine, Sequence
from typing import Any, ClassVar, NoReturn, TypeVar
from uuid import UUID

from eventsourcing.persistence import (
    AggregateRecorder,
    ApplicationRecorder,
    InfrastructureFactory,
    InfrastructureFactoryError,
    IntegrityError,
    ListenNotifySubscription,
    Notification,
    ProcessRecorder,
    ProgrammingError,
    StoredEvent,
    Tracking,
    TrackingRecorder,
)

from kernel.clock import Clock
from kernel.eventstore.envelope import (
    Append,
    Appended,
    Meta,
    NewEvent,
    Recorded,
    Repeated,
    StreamAppend,
)
from kernel.eventstore.postgres import EventStore
from kernel.eventstore.signals import wait_for
from kernel.ids import new_id

FROM_ONE = "eventsourcing"
# The library lets a stream begin at 0; ours begin at 1. The category says which it was.
FROM_ZERO = "eventsourcing.zero"

T = TypeVar("T")
R = TypeVar("R", bound=TrackingRecorder)


class Bridge:
    """An event store in an event loop in a thread of its own."""

    def __init__(self, dsn: str, schema: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name=f"event store {schema}", daemon=True
        )
        self._thread.start()
        self.store = self.run(EventStore.open(dsn, schema, clock=Clock()))

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """The coroutine's result, waited for in the calling thread."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def start(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        async def begin() -> "asyncio.Task[None]":
            return asyncio.create_task(work)

        return self.run(begin())

    def stop(self, task: "asyncio.Task[None]") -> None:
        self._loop.call_soon_threadsafe(task.cancel)

    def close(self) -> None:
        """Closes the store; a second time does nothing, as the library may ask twice."""
        if self._loop.is_closed():
            return
        self.run(self.store.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class AsyncpgAggregateRecorder(AggregateRecorder):
    """Streams of stored events."""

    def __init__(self, bridge: Bridge) -> None:
        self.bridge = bridge
        self._store = bridge.store

    def insert_events(
        self, stored_events: Sequence[StoredEvent], **kwargs: Any
    ) -> Sequence[int] | None:
        self._insert(stored_events, kwargs)
        return None

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        events = [
            stored
            for stored in map(_stored, self.bridge.run(self._store.read_stream(_id(originator_id))))
            if (gt is None or stored.originator_version > gt)
            and (lte is None or stored.originator_version <= lte)
        ]
        if desc:
            events.reverse()
        return events[:limit]

    def _insert(self, events: Sequence[StoredEvent], extras: dict[str, Any]) -> list[int]:
        """The positions of the events, in the order given."""
        refused = [name for name, value in extras.items() if value is not None]
        if refused:
            raise ProgrammingError(f"not recorded here: {', '.join(refused)}")
        if not events:
            return []
        streams: dict[UUID, list[int]] = {}
        for index, event in enumerate(events):
            streams.setdefault(_id(event.originator_id), []).append(index)
        answer = self.bridge.run(self._append(streams, events))
        order = [index for indexes in streams.values() for index in indexes]
        positions = dict(
            zip(order, range(_first(answer), _first(answer) + len(order)), strict=True)
        )
        return [positions[index] for index in range(len(events))]

    async def _append(
        self, streams: dict[UUID, list[int]], events: Sequence[StoredEvent]
    ) -> Appended | Repeated:
        parts = [
            await self._part(stream, [events[index] for index in indexes])
            for stream, indexes in streams.items()
        ]
        request_id = new_id()
        meta = Meta(request_id, "eventsourcing", "", "eventsourcing")
        return await self._store.append(Append(request_id, b"", b"", tuple(parts), meta))

    async def _part(self, stream: UUID, events: Sequence[StoredEvent]) -> StreamAppend:
        versions = [event.originator_version for event in events]
        if versions != list(range(versions[0], versions[0] + len(versions))):
            raise IntegrityError(f"versions of stream {stream} do not follow each other")
        if versions[0] == 0:
            category = FROM_ZERO
        else:
            beginning = await self._store.read_stream(stream, upto=1)
            category = beginning[0].category if beginning else FROM_ONE
        expected = versions[0] - (0 if category == FROM_ZERO else 1)
        new = tuple(NewEvent(event.topic, event.state) for event in events)
        return StreamAppend(stream, category, "", expected, new)


class AsyncpgApplicationRecorder(AsyncpgAggregateRecorder, ApplicationRecorder):
    """The log as the notification log of an application."""

    def insert_events(
        self, stored_events: Sequence[StoredEvent], **kwargs: Any
    ) -> Sequence[int] | None:
        return self._insert(stored_events, kwargs)

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        after = (start or 0) - (1 if inclusive_of_start else 0)
        reading = self._store.read_all(after, limit=limit, types=topics, upto=stop)
        return [_notification(event) for event in self.bridge.run(reading)]

    def max_notification_id(self) -> int | None:
        return self.bridge.run(self._store.head()).position or None

    def subscribe(self, gt: int | None = None, topics: Sequence[str] = ()) -> "AsyncpgSubscription":
        return AsyncpgSubscription(self, gt=gt, topics=topics)


class AsyncpgSubscription(ListenNotifySubscription[ApplicationRecorder]):
    """The library's own pulling thread, woken by the store's bell."""

    def __init__(
        self,
        recorder: AsyncpgApplicationRecorder,
        gt: int | None = None,
        topics: Sequence[str] = (),
    ) -> None:
        super().__init__(recorder=recorder, gt=gt, topics=topics)
        self._bridge = recorder.bridge
        self._listening = self._bridge.start(self._listen())

    def stop(self) -> None:
        super().stop()
        if hasattr(self, "_listening"):  # the pulling thread may fail before there is one
            self._bridge.stop(self._listening)

    async def _listen(self) -> None:
        with self._bridge.store.listening() as news:
            while not self._has_been_stopped:
                await wait_for(news)
                self._has_been_notified.set()


class AsyncpgTrackingRecorder(TrackingRecorder):
    """How far readers of other applications came."""

    def __init__(self, bridge: Bridge) -> None:
        self.bridge = bridge
        self._table = f"{bridge.store.schema}.tracking"

    def insert_tracking(self, tracking: Tracking) -> None:
        moved = self.bridge.run(
            self.bridge.store.pool.fetchval(
                f"INSERT INTO {self._table} AS old (application, notification) VALUES ($1, $2) "
                "ON CONFLICT (application) DO UPDATE SET notification = excluded.notification "
                "WHERE old.notification < excluded.notification RETURNING notification",
                tracking.application_name,
                tracking.notification_id,
            )
        )
        if moved is None:
            raise IntegrityError(f"{tracking} was recorded before")

    def max_tracking_id(self, application_name: str) -> int | None:
        found: int | None = self.bridge.run(
            self.bridge.store.pool.fetchval(
                f"SELECT notification FROM {self._table} WHERE application = $1", application_name
            )
        )
        return found


class Factory(InfrastructureFactory[AsyncpgTrackingRecorder]):
    """What the library asks for when it is told to keep its events here."""

    DSN: ClassVar[str] = "EVENTSTORE_DSN"
    SCHEMA: ClassVar[str] = "EVENTSTORE_SCHEMA"

    def __init__(self, env: Any) -> None:
        super().__init__(env)
        dsn, schema = self.env.get(self.DSN), self.env.get(self.SCHEMA)
        if not dsn or not schema:
            raise InfrastructureFactoryError(f"{self.DSN} and {self.SCHEMA} must be set")
        self._bridge = Bridge(dsn, schema)

    def aggregate_recorder(self, purpose: str = "events") -> AggregateRecorder:
        if purpose != "events":
            raise InfrastructureFactoryError(f"{purpose} are not kept here")
        return AsyncpgAggregateRecorder(self._bridge)

    def application_recorder(self) -> ApplicationRecorder:
        return AsyncpgApplicationRecorder(self._bridge)

    def tracking_recorder(
        self, tracking_recorder_class: type[R] | None = None
    ) -> AsyncpgTrackingRecorder:
        if tracking_recorder_class is None:
            return AsyncpgTrackingRecorder(self._bridge)
        if not issubclass(tracking_recorder_class, AsyncpgTrackingRecorder):
            raise InfrastructureFactoryError(f"{tracking_recorder_class} cannot work here")
        return tracking_recorder_class(self._bridge)

    def process_recorder(self) -> ProcessRecorder:
        return _refuse("process recorders are not offered: projections have their own checkpoint")

    def close(self) -> None:
        self._bridge.close()


def _refuse(why: str) -> NoReturn:
    raise InfrastructureFactoryError(why)


def _id(originator_id: UUID | str) -> UUID:
    if isinstance(originator_id, UUID):
        return originator_id
    try:
        return UUID(originator_id)
    except ValueError:
        raise ProgrammingError(f"stream ids are UUIDs here, not {originator_id!r}") from None


def _first(answer: Appended | Repeated) -> int:
    if isinstance(answer, Repeated):
        raise IntegrityError("the request was recorded before")
    return answer.first_position


def _version(event: Recorded) -> int:
    return event.version - (1 if event.category == FROM_ZERO else 0)


def _stored(event: Recorded) -> StoredEvent:
    return StoredEvent(
        originator_id=event.stream,
        originator_version=_version(event),
        topic=event.type,
        state=event.payload,
    )


def _notification(event: Recorded) -> Notification:
    return Notification(
        originator_id=event.stream,
        originator_version=_version(event),
        topic=event.type,
        state=event.payload,
        id=event.position,
    )
