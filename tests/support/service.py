"""A service in the test's own process: real PostgreSQL, real gRPC, a clock that stands still."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from kernel.clock import SHANGHAI, BusinessClock, write_clock
from kernel.config import Settings
from kernel.eventstore.envelope import Recorded
from kernel.eventstore.keys import read_master_key
from kernel.rpc.channel import connect
from kernel.rpc.errors import Problem, explain
from kernel.rpc.server import start_server
from kernel.service import Assembled, Build, MakeCodec, assembled

# 2024 starts on a Monday. Most stories are told on this day.
TODAY = date(2024, 7, 1)


@dataclass(frozen=True, kw_only=True)
class Running:
    """A service that listens, and what a test looks at."""

    service: Assembled
    channel: grpc.aio.Channel
    folder: Path
    address: str = ""

    def set_day(self, day: date) -> None:
        """From now on it is that day, at nine in the morning, for as long as the test likes."""
        set_clock(self.folder / "clock.json", day)

    async def head(self) -> int:
        return (await self.service.parts.store.head()).position

    async def events_after(self, position: int) -> list[Recorded]:
        return await self.service.parts.store.read_all(position)

    async def caught_up(self) -> None:
        """The read models hold all there is."""
        await self.service.ready()


@asynccontextmanager
async def running(
    name: str,
    dsn: str,
    folder: Path,
    make_codec: MakeCodec,
    build: Build,
    *,
    rules: Path | None = None,
    keys_dsn: str = "",
) -> AsyncIterator[Running]:
    """The service on a free port, with its own database and a new master key.

    `rules` is given where a test needs figures that no pool's texts have, `keys_dsn` where the
    keys lie in another database than the events.
    """
    set_clock(folder / "clock.json", TODAY)
    read_master_key(folder / "master.key", create=True)
    settings = Settings.from_environment(
        {
            "LTCI_DATABASE_URL": dsn,
            "LTCI_KEYS_DATABASE_URL": keys_dsn or dsn,
            "LTCI_MASTER_KEY_FILE": str(folder / "master.key"),
            "LTCI_CLOCK_FILE": str(folder / "clock.json"),
            **({"LTCI_RULES_FOLDER": str(rules)} if rules else {}),
        }
    )
    async with assembled(name, settings, make_codec, build) as service:
        server = await start_server(
            name,
            "127.0.0.1:0",
            service.registration.add,
            feed_store=service.parts.store,
            cases=service.cases,
        )
        try:
            async with connect(f"127.0.0.1:{server.port}") as channel:
                yield Running(
                    service=service,
                    channel=channel,
                    folder=folder,
                    address=f"127.0.0.1:{server.port}",
                )
        finally:
            await server.stop(grace=1)


def set_clock(path: Path, day: date) -> None:
    instant = datetime.combine(day, time(9), SHANGHAI)
    write_clock(
        path,
        BusinessClock(
            real_origin=datetime(2024, 1, 1, tzinfo=UTC), business_origin=instant, speed=0
        ),
    )


def end_of(day: date) -> Timestamp:
    """The last moment of a business day, as requests name it."""
    moment = Timestamp()
    moment.FromDatetime(datetime.combine(day, time.max, SHANGHAI))
    return moment


async def refused(call: Any) -> Problem:
    """What the caller of a call that must not succeed is told."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return explain(caught.value)


async def rows(call: Any) -> list[Any]:
    """All results of a bulk call, row by row."""
    return [result async for response in call for result in response.results]


def stream_of(messages: Sequence[Any]) -> AsyncIterator[Any]:
    async def sent() -> AsyncIterator[Any]:
        for message in messages:
            yield message

    return sent()
