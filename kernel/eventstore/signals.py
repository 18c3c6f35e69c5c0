"""How readers learn that there is something to read: NOTIFY, and polling where it fails.

Never inside an append: PostgreSQL takes a lock over the whole cluster when a transaction with a
NOTIFY commits, and the flush of the log would happen under it.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator

from kernel.eventstore.connections import Connection, is_lost

EVERY = 0.005  # seconds between two notifications at least
POLL = 1.0  # seconds a reader waits at most before it looks for itself
RETRY = 0.5  # seconds before a lost connection is tried again

Connect = Callable[[], Awaitable[Connection]]


class Bell:
    """Tells all processes that the log has grown, at most every 5 ms."""

    def __init__(self, connect: Connect, channel: str) -> None:
        self._connect = connect
        self._channel = channel
        self._news = asyncio.Event()
        self._connection: Connection | None = None
        self._task = asyncio.create_task(self._run(), name=f"bell of {channel}")

    def ring(self) -> None:
        self._news.set()

    async def close(self) -> None:
        await _end(self._task, self._connection)

    async def _run(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            try:
                if self._connection is None or self._connection.is_closed():
                    self._connection = await self._connect()
                await self._connection.execute(f'NOTIFY "{self._channel}"')
                await asyncio.sleep(EVERY)
            except Exception as error:
                if not is_lost(error):
                    raise
                await asyncio.sleep(RETRY)  # readers poll meanwhile


class Ear:
    """Listens for the bell on behalf of all readers of this process, while there are any."""

    def __init__(self, connect: Connect, channel: str) -> None:
        self._connect = connect
        self._channel = channel
        self._readers: set[asyncio.Event] = set()
        self._connection: Connection | None = None
        self._task: asyncio.Task[None] | None = None

    @contextlib.contextmanager
    def listening(self) -> Iterator[asyncio.Event]:
        """An event that is set whenever there may be something new."""
        news = asyncio.Event()
        self._readers.add(news)
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name=f"ear of {self._channel}")
        try:
            yield news
        finally:
            self._readers.discard(news)

    async def close(self) -> None:
        if self._task is not None:
            await _end(self._task, self._connection)

    async def _run(self) -> None:
        while True:
            try:
                if self._connection is None or self._connection.is_closed():
                    self._connection = await self._connect()
                    await self._connection.add_listener(self._channel, self._heard)
                    self._heard()  # what was rung while nobody listened
            except Exception as error:
                if not is_lost(error):
                    raise
            await asyncio.sleep(RETRY)

    def _heard(self, *_: object) -> None:
        for news in self._readers:
            news.set()


async def wait_for(news: asyncio.Event) -> bool:
    """Until there may be something new, or a second; says whether it was told."""
    try:
        async with asyncio.timeout(POLL):
            await news.wait()
    except TimeoutError:
        return False
    news.clear()
    return True


async def _end(task: asyncio.Task[None], connection: Connection | None) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    if connection is not None:
        connection.terminate()
