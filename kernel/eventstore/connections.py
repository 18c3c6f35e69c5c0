"""Connections to the store's database, and which of their failures mean "try again"."""

import asyncio
from typing import TYPE_CHECKING

import asyncpg

PATIENCE = 30.0  # seconds to wait for a database that went away

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]
    Pool = asyncpg.Pool[asyncpg.Record]
else:  # the library's classes take no type arguments at run time
    Connection = asyncpg.Connection
    Pool = asyncpg.Pool

# What a connection, not a statement, has come to. The outcome of a running statement is unknown.
LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.OperatorInterventionError,
    asyncpg.TooManyConnectionsError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.LockNotAvailableError,
    asyncpg.ReadOnlySQLTransactionError,
    OSError,
    TimeoutError,
)


def is_lost(error: BaseException) -> bool:
    """Whether to connect anew. asyncpg counts wrong arguments as interface errors; they are not."""
    return isinstance(error, LOST) and not isinstance(error, ValueError | asyncpg.DataError)


class PlainConnection(Connection):
    """For pools of plain reads: nothing to reset, so no round trip to reset it (240 µs saved)."""

    __slots__ = ()

    def get_reset_query(self) -> str:
        return ""


class Patience:
    """Waits between attempts, longer each time, until `PATIENCE` seconds have gone by."""

    def __init__(self, seconds: float = PATIENCE) -> None:
        self._now = asyncio.get_running_loop().time
        self._deadline = self._now() + seconds
        self._pause = 0.02

    async def wait(self) -> bool:
        """Waits a little; False where patience has ended."""
        if self._now() >= self._deadline:
            return False
        await asyncio.sleep(self._pause)
        self._pause = min(2 * self._pause, 1.0)
        return True
