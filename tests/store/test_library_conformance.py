"""The suites that the eventsourcing library has for its own recorders, on our tables."""

import asyncio
from collections.abc import Iterator
from uuid import UUID

import pytest
from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event
from eventsourcing.persistence import (
    AggregateRecorder,
    ApplicationRecorder,
    IntegrityError,
    StoredEvent,
    TrackingRecorder,
)
from eventsourcing.tests.persistence import (
    AggregateRecorderTestCase,
    ApplicationRecorderTestCase,
    NonInterleavingNotificationIDsBaseCase,
    TrackingRecorderTestCase,
)

from infra.embedded.postgres import EmbeddedPostgres
from kernel.clock import Clock
from kernel.eventstore.envelope import first_broken
from kernel.eventstore.postgres import EventStore
from kernel.eventstore.recorder import (
    AsyncpgAggregateRecorder,
    AsyncpgApplicationRecorder,
    AsyncpgTrackingRecorder,
    Bridge,
)
from kernel.ids import new_id
from tests.support.appends import part, request
from tests.support.postgres import fresh_database


@pytest.fixture
def dsn(postgres: EmbeddedPostgres) -> str:
    return asyncio.run(fresh_database(postgres))


@pytest.fixture
def bridge(dsn: str) -> Iterator[Bridge]:
    bridge = Bridge(dsn, "conformance")
    yield bridge
    bridge.close()


class _OnABridge:
    """Gives a unittest case the fixture."""

    @pytest.fixture(autouse=True)
    def _given(self, bridge: Bridge) -> None:
        self.bridge = bridge


class TestAggregateRecorder(_OnABridge, AggregateRecorderTestCase):
    def create_recorder(self) -> AggregateRecorder:
        return AsyncpgAggregateRecorder(self.bridge)


class TestApplicationRecorder(_OnABridge, ApplicationRecorderTestCase):
    def create_recorder(self) -> ApplicationRecorder:
        return AsyncpgApplicationRecorder(self.bridge)

    def test_insert_subscribe(self) -> None:
        super().optional_test_insert_subscribe()


class TestTrackingRecorder(_OnABridge, TrackingRecorderTestCase):
    def create_recorder(self) -> TrackingRecorder:
        return AsyncpgTrackingRecorder(self.bridge)


class TestNonInterleavingNotificationIDs(_OnABridge, NonInterleavingNotificationIDsBaseCase):
    def create_recorder(self) -> ApplicationRecorder:
        return AsyncpgApplicationRecorder(self.bridge)


class Dog(Aggregate):
    """An aggregate as the library's documentation has it."""

    @event("Registered")
    def __init__(self, name: str) -> None:
        self.name = name
        self.tricks: list[str] = []

    @event("TrickAdded")
    def add_trick(self, trick: str) -> None:
        self.tricks.append(trick)


def test_an_application_of_the_library_keeps_its_history_here(dsn: str) -> None:
    module = "kernel.eventstore.recorder"
    env = {"PERSISTENCE_MODULE": module, "EVENTSTORE_DSN": dsn, "EVENTSTORE_SCHEMA": "dogs"}
    app: Application[UUID] = Application(env=env)
    dog = Dog("Fido")
    dog.add_trick("roll over")
    app.save(dog)

    again: Dog = app.repository.get(dog.id)
    assert (again.name, again.tricks, again.version) == ("Fido", ["roll over"], 2)
    assert [item.id for item in app.notification_log.select(1, 10)] == [1, 2]
    dog.add_trick("fetch")
    again.add_trick("play dead")
    app.save(dog)
    with pytest.raises(IntegrityError):
        app.save(again)
    app.close()


def test_the_library_reads_and_continues_what_a_service_wrote(bridge: Bridge, dsn: str) -> None:
    stream = new_id()

    async def serve() -> None:
        store = await EventStore.open(dsn, "conformance", clock=Clock())
        await store.append(request(part(stream, 0, b"1", b"2")))
        await store.close()

    bridge.run(serve())
    recorder = AsyncpgApplicationRecorder(bridge)

    assert [(e.originator_version, e.state) for e in recorder.select_events(stream)] == (
        [(1, b"1"), (2, b"2")]
    )
    assert recorder.insert_events([StoredEvent(stream, 3, "topic", b"3")]) == [3]
    assert first_broken(bridge.run(bridge.store.read_stream(stream))) is None
