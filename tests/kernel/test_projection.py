"""Read models apply every event once, whatever happens on the way."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest

from kernel import projection as module
from kernel.clock import Clock
from kernel.eventstore.feed import Feed, FeedBatch, FeedEvent, LocalFeed
from kernel.eventstore.postgres import EventStore
from kernel.projection import Connection, ProjectionRunner
from tests.support.appends import new_stream


class Totals:
    """Counts events and sums their payloads; adding again what was added would show."""

    name = "totals"
    tables = """
        create table {prefix}total (source text primary key, count int, sum bigint);
        create table {prefix}seen (source text, position bigint, primary key (source, position));
        create index on {prefix}seen (position);
    """

    def __init__(self) -> None:
        self.before: Callable[[Sequence[FeedEvent]], Awaitable[None]] | None = None
        self.after: Callable[[Sequence[FeedEvent]], Awaitable[None]] | None = None

    async def apply(self, conn: Connection, events: Sequence[FeedEvent], prefix: str) -> None:
        if self.before:
            await self.before(events)
        source = events[0].source
        await conn.executemany(
            f"insert into {prefix}seen values ($1, $2)", [(source, e.position) for e in events]
        )
        await conn.execute(
            f"insert into {prefix}total as mine values ($1, $2, $3) on conflict (source) do update"
            " set count = mine.count + excluded.count, sum = mine.sum + excluded.sum",
            source,
            len(events),
            sum(int(e.payload) for e in events),
        )
        if self.after:
            await self.after(events)


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[EventStore]:
    store = await EventStore.open(database_url, "sample", clock=Clock())
    yield store
    await store.close()


@pytest.fixture
async def pool(database_url: str, store: EventStore) -> AsyncIterator[Any]:
    async with asyncpg.create_pool(database_url, min_size=1, max_size=12) as pool:
        yield pool


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PAUSE_SECONDS", (0.05,))
    monkeypatch.setattr(module, "_WATCH_SECONDS", 0.2)


@asynccontextmanager
async def running(*runners: ProjectionRunner) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(runner.run()) for runner in runners]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        for outcome in outcomes:
            assert isinstance(outcome, asyncio.CancelledError), outcome


async def fill(store: EventStore, first: int, last: int) -> None:
    await asyncio.gather(*(store.append(new_stream(b"%d" % n)) for n in range(first, last + 1)))


async def totals(pool: Any, runner: ProjectionRunner, source: str = "sample") -> tuple[int, int]:
    row = await pool.fetchrow(
        f"select count, sum from {runner.tables}total where source = $1", source
    )
    return (row["count"], row["sum"]) if row else (0, 0)


def gauss(n: int) -> tuple[int, int]:
    return n, n * (n + 1) // 2


async def test_tables_follow_the_events(store: EventStore, pool: Any) -> None:
    heard: list[tuple[str, int]] = []
    runner = ProjectionRunner(
        pool, "sample", Totals(), LocalFeed(store), on_position=lambda s, p: heard.append((s, p))
    )
    await fill(store, 1, 20)
    async with running(runner):
        await runner.wait_for("sample", 20, 5)
        assert await totals(pool, runner) == gauss(20)
        await fill(store, 21, 30)
        await runner.caught_up(5)
        assert await totals(pool, runner) == gauss(30)
    assert heard[-1] == ("sample", 30)
    assert runner.position("sample") == 30


async def test_waiting_for_what_does_not_come_ends(store: EventStore, pool: Any) -> None:
    runner = ProjectionRunner(pool, "sample", Totals(), LocalFeed(store))
    with pytest.raises(TimeoutError):
        await runner.wait_for("sample", 1, 0.2)
    async with running(runner):
        with pytest.raises(TimeoutError):
            await runner.wait_for("sample", 1, 0.2)
    with pytest.raises(TimeoutError):
        await runner.wait_for("sample", 1, 0.2)


async def test_a_restarted_projection_goes_on_where_it_was(store: EventStore, pool: Any) -> None:
    for first, last in ((1, 10), (11, 15), (16, 15)):
        await fill(store, first, last)
        runner = ProjectionRunner(pool, "sample", Totals(), LocalFeed(store))
        async with running(runner):
            await runner.caught_up(5)
            assert await totals(pool, runner) == gauss(last)


async def test_events_are_applied_once_after_a_crash_in_the_middle(
    store: EventStore, pool: Any
) -> None:
    await fill(store, 1, 30)
    projection = Totals()
    runner = ProjectionRunner(pool, "sample", projection, LocalFeed(store))
    written = asyncio.Event()

    async def hang(_: Sequence[FeedEvent]) -> None:
        written.set()
        await asyncio.sleep(60)

    projection.after = hang  # the rows are written, the checkpoint is not
    async with running(runner):
        await written.wait()
    assert await totals(pool, runner) == (0, 0)

    projection.after = None
    async with running(runner):
        await runner.caught_up(5)
        assert await totals(pool, runner) == gauss(30)


async def test_events_are_applied_once_after_the_connection_was_lost(
    store: EventStore, pool: Any
) -> None:
    projection = Totals()
    runner = ProjectionRunner(pool, "sample", projection, LocalFeed(store))
    cuts = 0

    async def cut(_: Sequence[FeedEvent]) -> None:
        nonlocal cuts
        cuts += 1
        if cuts <= 3:
            async with pool.acquire() as connection:
                await connection.execute(
                    "select pg_terminate_backend(pid) from pg_stat_activity"
                    " where datname = current_database() and pid <> pg_backend_pid()"
                )

    projection.after = cut
    await fill(store, 1, 10)
    async with running(runner):
        await runner.caught_up(20)
        assert await totals(pool, runner) == gauss(10)
        assert runner.failed is None
    assert cuts >= 4


async def test_an_event_that_cannot_be_applied_stops_the_projection_and_is_not_skipped(
    store: EventStore, pool: Any, caplog: pytest.LogCaptureFixture
) -> None:
    projection = Totals()
    runner = ProjectionRunner(pool, "sample", projection, LocalFeed(store))
    poison = {7}

    async def choke(events: Sequence[FeedEvent]) -> None:
        for event in events:
            if int(event.payload) in poison:
                raise ValueError("what is this?")

    projection.before = choke
    for n in range(1, 11):
        await fill(store, n, n)
    async with running(runner):
        await runner.wait_for("sample", 6, 5)
        with pytest.raises(TimeoutError):
            await runner.wait_for("sample", 7, 0.5)
        assert await totals(pool, runner) == gauss(6)
        assert runner.failed == "ValueError: what is this?"
        assert "stopped at position 6 of sample" in caplog.text

        poison.clear()
        await runner.caught_up(5)
        assert await totals(pool, runner) == gauss(10)
        assert runner.failed is None


async def test_copies_of_a_service_share_one_projection(store: EventStore, pool: Any) -> None:
    runners = [ProjectionRunner(pool, "sample", Totals(), LocalFeed(store)) for _ in range(3)]
    async with running(*runners):
        for n in range(0, 100, 20):
            await fill(store, n + 1, n + 20)
        for runner in runners:
            await runner.caught_up(5)
            assert await totals(pool, runner) == gauss(100)


async def test_a_projection_may_follow_several_sources(
    store: EventStore, pool: Any, database_url: str
) -> None:
    second = await EventStore.open(database_url, "second", clock=Clock())
    runner = ProjectionRunner(pool, "sample", Totals(), [LocalFeed(store), LocalFeed(second)])
    await fill(store, 1, 10)
    await fill(second, 1, 4)
    async with running(runner):
        await runner.caught_up(5)
        assert await totals(pool, runner) == gauss(10)
        assert await totals(pool, runner, "second") == gauss(4)
    await second.close()


async def test_a_source_added_later_is_read_from_its_first_event(
    store: EventStore, pool: Any, database_url: str
) -> None:
    second = await EventStore.open(database_url, "second", clock=Clock())
    await fill(store, 1, 10)
    await fill(second, 1, 4)
    async with running(runner := ProjectionRunner(pool, "sample", Totals(), LocalFeed(store))):
        await runner.caught_up(5)
    both = ProjectionRunner(pool, "sample", Totals(), [LocalFeed(store), LocalFeed(second)])
    async with running(both):
        await both.caught_up(5)
        assert await totals(pool, both) == gauss(10)
        assert await totals(pool, both, "second") == gauss(4)
    await second.close()


async def test_a_rebuild_while_appends_go_on_loses_nothing(store: EventStore, pool: Any) -> None:
    runner = ProjectionRunner(pool, "sample", Totals(), LocalFeed(store))
    await fill(store, 1, 300)
    counts: list[int] = []
    done = asyncio.Event()

    async def write() -> None:
        for n in range(301, 900, 20):
            await fill(store, n, n + 19)
        done.set()

    async def read() -> None:
        while not done.is_set():
            counts.append((await totals(pool, runner))[0])
            await asyncio.sleep(0)

    async with running(runner):
        await runner.caught_up(5)
        before = runner.tables
        await asyncio.gather(write(), read(), runner.rebuild(grace_seconds=0.2))
        assert runner.tables != before
        await runner.caught_up(5)
        assert await totals(pool, runner) == gauss(900)
    assert counts == sorted(counts)  # no reader ever went back
    assert min(counts) >= 300
    assert await tables_of(pool) == {"totals__2__seen", "totals__2__total"}


async def tables_of(pool: Any) -> set[str]:
    rows = await pool.fetch("select tablename from pg_tables where tablename like 'totals%'")
    return {row["tablename"] for row in rows}


async def test_a_rebuild_corrects_what_went_wrong_in_the_tables(
    store: EventStore, pool: Any
) -> None:
    runner = ProjectionRunner(pool, "sample", Totals(), LocalFeed(store))
    await fill(store, 1, 10)
    async with running(runner):
        await runner.caught_up(5)
        await pool.execute(f"update {runner.tables}total set sum = 0")
        await runner.rebuild(grace_seconds=0)
        assert await totals(pool, runner) == gauss(10)


async def test_other_copies_follow_a_rebuild(store: EventStore, pool: Any) -> None:
    one, two = (ProjectionRunner(pool, "sample", Totals(), LocalFeed(store)) for _ in range(2))
    await fill(store, 1, 10)
    async with running(one, two):
        await two.caught_up(5)
        await one.rebuild(grace_seconds=1)
        await fill(store, 11, 20)
        await two.caught_up(5)
        assert two.tables == one.tables
        assert await totals(pool, two) == gauss(20)


async def test_two_rebuilds_at_once_are_refused(store: EventStore, pool: Any) -> None:
    runner = ProjectionRunner(pool, "sample", Totals(), LocalFeed(store))
    async with running(runner):
        outcomes = await asyncio.gather(
            *(runner.rebuild(grace_seconds=0.2) for _ in range(2)), return_exceptions=True
        )
    assert [str(o) for o in outcomes if o] == ["projection sample.totals is being rebuilt already"]


async def test_a_rebuild_that_is_given_up_changes_nothing(store: EventStore, pool: Any) -> None:
    projection = Totals()
    runner = ProjectionRunner(pool, "sample", projection, LocalFeed(store))
    await fill(store, 1, 10)
    async with running(runner):
        await runner.caught_up(5)

        async def hang(_: Sequence[FeedEvent]) -> None:
            await asyncio.sleep(60)

        projection.before = hang
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await runner.rebuild()
        projection.before = None
        assert await tables_of(pool) == {"totals__1__seen", "totals__1__total"}
        await fill(store, 11, 20)
        await runner.caught_up(5)
        assert await totals(pool, runner) == gauss(20)


async def test_tables_that_are_defined_otherwise_are_built_anew(
    store: EventStore, pool: Any
) -> None:
    await fill(store, 1, 10)
    async with running(runner := ProjectionRunner(pool, "sample", Totals(), LocalFeed(store))):
        await runner.caught_up(5)

        class Wider(Totals):
            tables = Totals.tables.replace("sum bigint", "sum bigint, more int")

        async with running(now := ProjectionRunner(pool, "sample", Wider(), LocalFeed(store))):
            await now.caught_up(5)
            assert await totals(pool, now) == gauss(10)
            assert await tables_of(pool) == {"totals__2__seen", "totals__2__total"}
            await asyncio.sleep(0.5)
            assert runner.failed == "another version of this projection took over"


class Replaced:
    """A feed whose log was replaced by another."""

    source = "sample"

    def __init__(self, feed: Feed) -> None:
        self._feed = feed

    async def batches(self, after: int = 0, epoch: str | None = None) -> AsyncIterator[FeedBatch]:
        assert epoch != "another epoch"
        async for batch in self._feed.batches(after):
            yield FeedBatch(batch.events, batch.position, "another epoch")

    async def head(self) -> int:
        return await self._feed.head()


async def test_a_log_that_was_replaced_stops_the_projection(store: EventStore, pool: Any) -> None:
    await fill(store, 1, 10)
    async with running(runner := ProjectionRunner(pool, "sample", Totals(), LocalFeed(store))):
        await runner.caught_up(5)
    runner = ProjectionRunner(pool, "sample", Totals(), Replaced(LocalFeed(store)))
    await fill(store, 11, 12)
    async with running(runner):
        with pytest.raises(TimeoutError):
            await runner.caught_up(0.5)
        assert runner.failed is not None
        assert "HistoryDiffers" in runner.failed
        assert await totals(pool, runner) == gauss(10)


def test_a_name_that_could_be_mistaken_for_another_is_refused() -> None:
    class Odd(Totals):
        name = "totals__2"

    with pytest.raises(ValueError, match="no name"):
        ProjectionRunner(None, "sample", Odd(), [])  # type: ignore[arg-type]
