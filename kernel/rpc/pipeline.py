"""Requests of one stream worked on side by side, and answered in the order they came.

While one message waits for the database, the next is decided and a third is read; no more are
read than that, so a caller who is faster than the service waits at its own end of the wire.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar

A = TypeVar("A")
B = TypeVar("B")


async def in_order(
    requests: AsyncIterator[A], work: Callable[[A], Awaitable[B]], *, at_once: int
) -> AsyncGenerator[B, None]:
    """The answers in the order of the requests, with at most so many under way.

    The first failure, of reading or of work, ends it; answers before it are given.
    """
    room = asyncio.Semaphore(at_once)
    under_way: asyncio.Queue[asyncio.Future[B] | None] = asyncio.Queue()
    begun: set[asyncio.Future[B]] = set()

    async def read() -> None:
        try:
            await room.acquire()
            async for request in requests:
                task = asyncio.ensure_future(work(request))
                begun.add(task)
                task.add_done_callback(begun.discard)
                under_way.put_nowait(task)
                await room.acquire()
        finally:
            under_way.put_nowait(None)

    reading = asyncio.create_task(read())
    try:
        while (task := await under_way.get()) is not None:
            answer = await task
            room.release()
            yield answer
        await reading
    finally:
        left: list[asyncio.Future[Any]] = [reading, *begun]
        for one in left:
            one.cancel()
        await asyncio.gather(*left, return_exceptions=True)
