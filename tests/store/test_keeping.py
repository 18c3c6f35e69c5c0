"""What was recorded stays as it was, and shows where it did not."""

import asyncio
import re
from dataclasses import replace

import asyncpg
import pytest

from kernel.eventstore.connections import Connection
from kernel.eventstore.envelope import first_broken
from kernel.eventstore.postgres import EventStore
from kernel.ids import new_id
from tests.support.appends import SCHEMA, OpenStore, new_stream, part, request


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE {}.events SET payload = ''",
        "DELETE FROM {}.events WHERE position = 1",
        "TRUNCATE {}.events",
        "UPDATE {}.events_000000 SET payload = ''",
        "DELETE FROM {}.events_000000",
        "TRUNCATE {}.events_000000",
        "UPDATE {}.requests SET answer = ''",
        "DELETE FROM {}.requests",
        "TRUNCATE {}.requests",
        "UPDATE {}.kinds SET type = 'x'",
        "DELETE FROM {}.packs",
        "DELETE FROM {}.log",
    ],
)
async def test_nothing_can_be_updated_or_deleted(
    store: EventStore, database: Connection, statement: str
) -> None:
    append = new_stream(b"stays")
    await store.append(append)

    with pytest.raises(asyncpg.RestrictViolationError, match="what was recorded stays"):
        await database.execute(statement.format(SCHEMA))

    [event] = await store.read_stream(append.streams[0].stream)
    assert event.payload == b"stays"


async def test_the_hash_chain_of_every_stream_holds(store: EventStore) -> None:
    stream = new_id()
    await store.append(request(part(stream, 0, b"1", b"2")))
    await store.append(request(part(stream, 2, b"3")))

    events = await store.read_stream(stream)

    assert first_broken(events) is None
    assert len({event.hash for event in events}) == 3


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE {}.events SET payload = 'x' WHERE version = 2",
        "UPDATE {}.events SET sealed = '' WHERE version = 2",
        "UPDATE {}.events SET recorded_at = recorded_at + interval '1 us' WHERE version = 2",
        "UPDATE {}.events SET meta = overlay(meta placing 'x' from 20 for 1) WHERE version = 2",
        "UPDATE {}.events SET kind_id = (SELECT min(id) FROM {}.kinds) WHERE version = 2",
        "UPDATE {}.events SET hash = sha256(hash) WHERE version = 2",
        "DELETE FROM {}.events WHERE version = 2",
    ],
)
async def test_tampering_is_found_where_it_was_done(
    store: EventStore, database: Connection, tampering: str
) -> None:
    stream = new_id()
    await store.append(request(part(new_id(), 0, b"", type="other/1")))
    await store.append(request(part(stream, 0, b"1", b"2", b"3")))

    await database.execute(f"ALTER TABLE {SCHEMA}.events DISABLE TRIGGER keep")
    await database.execute(tampering.replace("{}", SCHEMA))

    broken = first_broken(await store.read_stream(stream))
    assert broken is not None
    assert broken.version == (3 if "DELETE" in tampering else 2)


async def test_events_that_change_places_are_found(store: EventStore) -> None:
    stream = new_id()
    await store.append(request(part(stream, 0, b"1", b"2", b"3")))
    first, second, third = await store.read_stream(stream)

    swapped = [replace(second, version=1), replace(first, version=2), third]
    assert first_broken(swapped) == swapped[0]


async def test_time_of_recording_never_runs_backwards(open_store: OpenStore) -> None:
    stores = [await open_store(), await open_store()]
    for store in stores * 3:
        await store.append(new_stream())
    instants = [event.recorded_at for event in await stores[0].read_all()]
    assert instants == sorted(instants)


async def test_the_log_grows_over_partitions_without_a_gap(
    store: EventStore, database: Connection
) -> None:
    await asyncio.gather(*(store.append(new_stream(*[b"x"] * 7)) for _ in range(500)))

    tables = await database.fetch(
        "SELECT tablename FROM pg_tables WHERE schemaname = $1 AND tablename ~ '^events_'", SCHEMA
    )
    assert len(tables) >= 4  # of 1000 positions each, one ahead
    assert all(re.fullmatch(r"events_\d{6}", row[0]) for row in tables)
    positions = await database.fetch(f"SELECT position FROM {SCHEMA}.events ORDER BY 1")
    assert [row[0] for row in positions] == list(range(1, 3501))


async def test_a_stream_goes_on_in_the_next_partition(
    store: EventStore, open_store: OpenStore
) -> None:
    stream = new_id()
    await store.append(request(part(stream, 0, b"early")))
    await store.append(new_stream(*[b"x"] * 1500))

    later = await open_store()  # a process that has to look up the head
    await later.append(request(part(stream, 1, b"late")))

    assert [e.payload for e in await store.read_stream(stream)] == [b"early", b"late"]
    assert first_broken(await store.read_stream(stream)) is None
