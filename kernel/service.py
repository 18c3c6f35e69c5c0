"""Puts a service together, runs it, and takes it apart again: the same way for all of them.

A service brings three things: its name, its codec, and a `build` that makes its servicer and
its projections out of the opened parts. `run_service` is a service's main program; tests
use `assembled` to run one inside their own process.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial

import asyncpg

from kernel import telemetry
from kernel.case_index import CaseIndex, CaseReader
from kernel.clock import Clock
from kernel.config import Settings
from kernel.eventstore.codec import Codec
from kernel.eventstore.errors import StoreUnavailable
from kernel.eventstore.feed import Feed, LocalFeed
from kernel.eventstore.handle import Handler
from kernel.eventstore.keys import KeyRing, MasterKeyError
from kernel.eventstore.postgres import EventStore
from kernel.measuring import keep_measuring, tell_lags
from kernel.projection import Projection, ProjectionRunner
from kernel.rpc import server
from kernel.rules.library import PackLibrary
from kernel.rules.reading import PackInvalid
from kernel.states import StateCounts, StateKind, tell_states

CATCH_UP_SECONDS = 600.0  # before a service calls itself ready
_CANNOT_START = (MasterKeyError, PackInvalid, StoreUnavailable, OSError, asyncpg.PostgresError)


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What every service stands on, opened."""

    name: str
    settings: Settings
    clock: Clock
    keys: KeyRing
    store: EventStore
    codec: Codec
    handler: Handler
    packs: PackLibrary

    def runner(self, projection: Projection, feeds: Sequence[Feed] = ()) -> ProjectionRunner:
        """Keeps a projection in this service's schema; it follows the own log unless told."""
        own = [LocalFeed(self.store, self.name)]
        return ProjectionRunner(self.store.pool, self.store.schema, projection, feeds or own)


@dataclass(frozen=True, kw_only=True)
class Registration:
    """What a service adds: its servicers, its projections, and what else runs or closes."""

    add: server.Add
    runners: Sequence[ProjectionRunner] = ()
    background: Sequence[Callable[[], Awaitable[None]]] = ()
    close: Callable[[], Awaitable[None]] | None = None
    states: Sequence[StateKind] = ()  # what is counted by state where a collector listens
    measures: Sequence[Callable[[], Awaitable[None]]] = ()  # what else is looked at there


@dataclass(frozen=True, kw_only=True)
class Assembled:
    """A service with everything running but its port."""

    parts: Parts
    registration: Registration
    cases: CaseReader
    runners: Sequence[ProjectionRunner]

    async def ready(self) -> None:
        """Returns once every projection holds what the service's own log held at the call."""
        head = (await self.parts.store.head()).position
        for runner in self.runners:
            await runner.open()
            if _follows(runner, self.parts.name):
                await runner.wait_for(self.parts.name, head, CATCH_UP_SECONDS)


MakeCodec = Callable[[KeyRing | None], Codec]
Build = Callable[[Parts], Registration]


def run_service(name: str, make_codec: MakeCodec, build: Build) -> None:
    """The main program: serves until SIGTERM. What it cannot start without, it says in a line."""
    settings = Settings.from_environment()
    # Asked for here, so that a missing setting ends the program with its line and no more.
    needed = (settings.database_url, settings.keys_database_url, settings.master_key_file)
    telemetry.setup(name, otlp_endpoint=settings.otlp_endpoint)
    try:
        server.run(_serve(name, settings, make_codec, build))
    except _CANNOT_START as error:
        told = str(error)
        for secret in needed[:2]:
            told = told.replace(str(secret), "(address withheld)")
        raise SystemExit(f"{name} cannot run: {told}") from None


async def _serve(name: str, settings: Settings, make_codec: MakeCodec, build: Build) -> None:
    async with assembled(name, settings, make_codec, build) as service:
        await server.serve(
            name,
            settings.service_addresses[name],
            service.registration.add,
            feed_store=service.parts.store,
            cases=service.cases,
            ready=service.ready,
        )


@asynccontextmanager
async def assembled(
    name: str, settings: Settings, make_codec: MakeCodec, build: Build
) -> AsyncIterator[Assembled]:
    """The service with its projections running; ended and closed on the way out."""
    async with opened(name, settings, make_codec) as parts, AsyncExitStack() as closing:
        registration = build(parts)
        if registration.close is not None:
            closing.push_async_callback(registration.close)
        cases = parts.runner(CaseIndex())
        runners = [cases, *registration.runners]
        for runner in runners:
            await runner.open()
        # A failure of one of these ends the service: half a service would answer wrongly.
        async with asyncio.TaskGroup() as group:
            work = [runner.run for runner in runners] + list(registration.background)
            if telemetry.exporting():
                work += await _measuring(parts, registration, runners)
            tasks = [group.create_task(_awaited(start)) for start in work]
            try:
                yield Assembled(
                    parts=parts,
                    registration=registration,
                    cases=CaseReader(parts.store.pool, cases, parts.name),
                    runners=runners,
                )
            finally:
                for task in tasks:
                    task.cancel()


@asynccontextmanager
async def opened(name: str, settings: Settings, make_codec: MakeCodec) -> AsyncIterator[Parts]:
    """Keys, store, codec, handler and packs; closed in the reverse order."""
    packs = PackLibrary(settings.rules_folder)
    clock = Clock(settings.clock_file)
    async with AsyncExitStack() as closing:
        keys = await KeyRing.open(settings.keys_database_url, settings.master_key_file)
        closing.push_async_callback(keys.close)
        store = await EventStore.open(settings.database_url, name, clock=clock)
        closing.push_async_callback(store.close)
        codec = make_codec(keys)
        yield Parts(
            name=name,
            settings=settings,
            clock=clock,
            keys=keys,
            store=store,
            codec=codec,
            handler=Handler(store, codec, traceparent=telemetry.current_traceparent),
            packs=packs,
        )


async def _measuring(
    parts: Parts, registration: Registration, runners: Sequence[ProjectionRunner]
) -> list[Callable[[], Awaitable[None]]]:
    """What runs beside the service where a collector listens, and nowhere else."""
    looks: list[Callable[[], Awaitable[None]]] = [
        partial(tell_lags, parts.name, runners),
        *registration.measures,
    ]
    if not registration.states:
        return [partial(keep_measuring, *looks)]
    counts = parts.runner(StateCounts(registration.states))
    await counts.open()
    looks.append(partial(tell_states, parts.store.pool, counts, parts.name))
    return [counts.run, partial(keep_measuring, *looks)]


def _follows(runner: ProjectionRunner, source: str) -> bool:
    try:
        runner.position(source)
    except KeyError:
        return False
    return True


async def _awaited(start: Callable[[], Awaitable[None]]) -> None:
    await start()
