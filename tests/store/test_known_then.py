"""What was known at a moment is a prefix of the log, and the state known then is its fold."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from functools import reduce
from pathlib import Path

import pytest
from google.protobuf.wrappers_pb2 import Int64Value
from hypothesis import HealthCheck, settings
from hypothesis import given as for_all
from hypothesis import strategies as st

from kernel.clock import SHANGHAI, BusinessClock, Clock, write_clock
from kernel.eventstore.codec import Codec
from kernel.eventstore.handle import Handler
from kernel.eventstore.postgres import EventStore
from kernel.ids import new_id
from tests.kernel.test_handle import SUM, Sum, add, call, evolve
from tests.support.appends import SCHEMA, new_stream
from tests.support.sample import MESSAGES, Added

CODEC = Codec(None, (Added, MESSAGES["Added"]))
BEGIN = datetime(2024, 7, 1, 9, tzinfo=SHANGHAI)
SECOND = timedelta(seconds=1)
LARGE = 10**6
# All examples share one database: each has streams of its own.
ON_ONE_DATABASE = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
async def timed(database_url: str, tmp_path: Path) -> AsyncIterator[EventStore]:
    """A store on small partitions, whose clock stands where `at` puts it."""
    at(tmp_path, BEGIN)
    store = await EventStore.open(
        database_url, SCHEMA, clock=Clock(tmp_path / "clock.json"), partition_size=10
    )
    yield store
    await store.close()


def at(folder: Path, instant: datetime) -> None:
    still = BusinessClock(
        real_origin=datetime(2024, 1, 1, tzinfo=UTC), business_origin=instant, speed=0
    )
    write_clock(folder / "clock.json", still)


async def test_before_the_first_event_nothing_was_known(timed: EventStore) -> None:
    assert await timed.position_at(BEGIN) == 0
    await timed.append(new_stream())
    assert await timed.position_at(BEGIN - timedelta(microseconds=1)) == 0
    assert await timed.position_at(BEGIN) == 1


async def test_a_moment_is_the_last_position_recorded_by_then(
    timed: EventStore, tmp_path: Path
) -> None:
    minutes = [0, 0, 0, 1, 1, 4, 5, 5, 5, 5, 9, 12, 12, 30, 30, 30, 31, 60, 61, 61, 61, 61, 90]
    for minute in minutes:
        at(tmp_path, BEGIN + minute * 60 * SECOND)
        await timed.append(new_stream(b"one"))

    for minute in range(-1, 95):
        for instant in (BEGIN + minute * 60 * SECOND, BEGIN + (minute * 60 + 30) * SECOND):
            known = sum(BEGIN + m * 60 * SECOND <= instant for m in minutes)
            assert await timed.position_at(instant) == known, minute


async def test_events_of_one_append_became_known_together(timed: EventStore) -> None:
    await timed.append(new_stream(b"1", b"2", b"3"))

    assert await timed.position_at(BEGIN) == 3


async def test_a_clock_set_back_moves_no_event_into_the_past(
    timed: EventStore, tmp_path: Path
) -> None:
    await timed.append(new_stream())
    at(tmp_path, BEGIN - timedelta(days=1))
    await timed.append(new_stream())

    assert await timed.position_at(BEGIN - SECOND) == 0
    assert await timed.position_at(BEGIN) == 2


@ON_ONE_DATABASE
@for_all(st.lists(st.tuples(st.integers(0, 2), st.integers(-50, 50)), min_size=1, max_size=12))
async def test_the_state_known_then_is_the_fold_of_the_prefix(
    timed: EventStore, history: list[tuple[int, int]]
) -> None:
    handler = Handler(timed, CODEC)
    streams = [new_id() for _ in range(3)]
    before = (await timed.head()).position

    for which, amount in history:
        await handler.execute(call(), add(amount, streams[which], limit=LARGE), Int64Value)

    for length in range(len(history) + 1):
        for which, stream in enumerate(streams):
            own = [Added(amount=n, label="") for w, n in history[:length] if w == which]
            folded = reduce(evolve, own, Sum())
            found = await handler.load_at(SUM, stream, before + length)
            assert found == (folded, len(own))
    # Looking at the past has not moved what is known now.
    own = [Added(amount=n, label="") for w, n in history if w == 0]
    assert await handler.load(SUM, streams[0]) == (reduce(evolve, own, Sum()), len(own))


async def test_streams_are_read_together_up_to_a_position(timed: EventStore) -> None:
    one, two = new_stream(b"1", b"2"), new_stream(b"a")
    await timed.append(one)
    await timed.append(two)
    streams = [append.streams[0].stream for append in (one, two)]

    found = await timed.read_streams(streams, upto_position=2)

    assert [len(found[stream]) for stream in streams] == [2, 0]
    assert [e.version for e in await timed.read_stream(streams[0], upto_position=1)] == [1]
