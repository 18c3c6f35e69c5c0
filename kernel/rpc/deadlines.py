"""How long a call may last: no request waits for ever, and no stream outlives the server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from kernel.rpc.around import Around, Arrived, Context

_ENDLESS = frozenset({"SubscribeEvents", "Watch", "ServerReflectionInfo"})


class DeadlinePassed(Exception):  # noqa: N818 - named as what happened
    """A call without a deadline of its own ran into the server's."""


class ServerStops(Exception):  # noqa: N818 - named as what happens
    """The server ends; the reader goes on where it was at another or at the next."""


class DeadlineInterceptor(Around):
    """A request without a deadline gets the server's; endless streams end when the server does."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._endless: set[asyncio.Timeout] = set()

    @asynccontextmanager
    async def around(self, call: Arrived, context: Context) -> AsyncIterator[None]:
        if call.name in _ENDLESS:
            async with self._until_the_end():
                yield
        elif call.streams or context.time_remaining() is not None:
            yield
        else:
            async with _limited(self._seconds, DeadlinePassed(call.method)):
                yield

    def end_streams(self) -> None:
        """Ends what would never end by itself, so that the server can stop at once."""
        now = asyncio.get_running_loop().time()
        for limit in self._endless:
            limit.reschedule(now)

    @asynccontextmanager
    async def _until_the_end(self) -> AsyncIterator[None]:
        async with _limited(None, ServerStops()) as limit:
            self._endless.add(limit)
            try:
                yield
            finally:
                self._endless.discard(limit)


@asynccontextmanager
async def _limited(seconds: float | None, passed: Exception) -> AsyncIterator[asyncio.Timeout]:
    try:
        async with asyncio.timeout(seconds) as limit:
            yield limit
    except TimeoutError as error:
        if limit.expired():
            raise passed from error
        raise  # somebody else's: a lock, a database
