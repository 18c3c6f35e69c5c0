"""A region for simulation: four real services, real processes, and years that pass in minutes.

PostgreSQL, the four services over gRPC, the feeds, the triggers and the worker are the real ones;
Temporal is the server that skips time. Its time is the region's: before a process or a person acts,
the business clock that the services read is put to it.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import temporalio.client
import temporalio.worker
from temporalio.testing import WorkflowEnvironment

from cli.connect import Connection
from kernel.clock import SHANGHAI, BusinessClock, Clock, write_clock
from kernel.config import Settings
from kernel.eventstore.feed import RemoteFeed
from kernel.eventstore.keys import read_master_key
from kernel.rpc.server import start_server
from kernel.service import assembled
from tests.explain.town import PARTS
from tests.support.temporal import skipping_server
from workflows.notes import Notes
from workflows.telling import Teller
from workflows.triggers import Triggers
from workflows.wakes import types_of
from workflows.worker import activities, make_worker

MORNING, OFFICE = time(9), time(10)  # people act in office hours
QUIET = 0.01  # real seconds between looks at what is under way


class RegionTime(Clock):
    """The region's clock for its processes: Temporal's own time, shifted to the first day."""

    def __init__(self, mapping: BusinessClock, path: Path) -> None:
        super().__init__(path)
        self._shift = mapping
        self._shown = datetime.min.replace(tzinfo=UTC)

    def mapping(self) -> BusinessClock:
        """What workflows are told."""
        return self._shift

    def show(self, real: datetime) -> None:
        """Puts the services' clock to an instant of Temporal's time; it stands there."""
        if real - self._shown < timedelta(minutes=1):
            return
        self._shown = real
        assert self._path is not None
        write_clock(
            self._path,
            BusinessClock(
                real_origin=datetime(2024, 1, 1, tzinfo=UTC),
                business_origin=self._shift.business_at(real),
                speed=0,
            ),
        )


class ClockFollows(temporalio.client.Interceptor, temporalio.worker.Interceptor):
    """Puts the services' clock to Temporal's time before each activity."""

    def __init__(self) -> None:
        self.region: Region | None = None

    def intercept_activity(
        self,
        next: temporalio.worker.ActivityInboundInterceptor,  # noqa: A002 - the library's name
    ) -> temporalio.worker.ActivityInboundInterceptor:
        return _Following(next, self)


class _Following(temporalio.worker.ActivityInboundInterceptor):
    def __init__(
        self, following: temporalio.worker.ActivityInboundInterceptor, told: ClockFollows
    ) -> None:
        super().__init__(following)
        self._told = told

    async def execute_activity(self, input: temporalio.worker.ExecuteActivityInput) -> Any:  # noqa: A002 - the library's name
        if self._told.region is not None:
            await self._told.region.show_time()
        return await super().execute_activity(input)


@dataclass
class Region:
    """What a story acts on, and the days that pass."""

    connection: Connection
    environment: WorkflowEnvironment
    time: RegionTime
    triggers: Triggers
    feeds: list[RemoteFeed]

    async def show_time(self) -> None:
        self.time.show(await self.environment.get_current_time())

    async def today(self) -> date:
        real = await self.environment.get_current_time()
        return self.time.mapping().business_at(real).date()

    async def pass_to(self, day: date) -> None:
        """Lets time pass until ten o'clock of a day; processes act on the way."""
        wanted = self.time.mapping().real_at(datetime.combine(day, OFFICE, SHANGHAI))
        # Day by day: one call for weeks in which thousands wake outlasts its connection.
        while wanted > (now := await self.environment.get_current_time()):
            await self.environment.sleep(min(wanted - now, timedelta(days=1)))
        await self.show_time()

    async def quiet(self) -> None:
        """Returns once every process that waits for a recorded fact has been told of it."""
        while await self.triggers.lag():  # noqa: ASYNC110 - others' progress has no event here
            await asyncio.sleep(QUIET)


@asynccontextmanager
async def region(dsn: str, folder: Path, begins: date) -> AsyncIterator[Region]:
    """Everything running, on free ports, in one database; the first day is `begins`."""
    read_master_key(folder / "master.key", create=True)
    clock_file = folder / "clock.json"
    variables = {
        "LTCI_DATABASE_URL": dsn,
        "LTCI_KEYS_DATABASE_URL": dsn,
        "LTCI_MASTER_KEY_FILE": str(folder / "master.key"),
        "LTCI_CLOCK_FILE": str(clock_file),
    }
    follows = ClockFollows()
    async with AsyncExitStack() as closing:
        environment = await closing.enter_async_context(skipping_server(interceptors=[follows]))
        mapping = BusinessClock(
            real_origin=await environment.get_current_time(),
            business_origin=datetime.combine(begins, MORNING, SHANGHAI),
        )
        clock = RegionTime(mapping, clock_file)
        clock.show(mapping.real_origin)
        for name, codec, build in PARTS:
            service = await closing.enter_async_context(
                assembled(name, Settings.from_environment(variables), codec, build)
            )
            server = await start_server(
                name,
                "127.0.0.1:0",
                service.registration.add,
                feed_store=service.parts.store,
                cases=service.cases,
            )
            closing.push_async_callback(server.stop, 0.5)
            variables[f"LTCI_{name.upper()}_ADDRESS"] = f"127.0.0.1:{server.port}"
        connection = Connection(Settings.from_environment(variables))
        await closing.enter_async_context(connection)
        names = [name for name, _, _ in PARTS]
        channels = {name: connection.channel(name) for name in names}
        notes = await Notes.open(dsn)
        closing.push_async_callback(notes.close)
        feeds = [RemoteFeed(channels[name], name, types_of(name)) for name in names]
        triggers = Triggers(Teller(environment.client), notes, feeds)
        await closing.enter_async_context(
            make_worker(environment.client, activities(channels, clock))
        )
        following = asyncio.create_task(triggers.run())
        closing.push_async_callback(_ended, following)
        made = Region(connection, environment, clock, triggers, feeds)
        follows.region = made
        yield made


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
