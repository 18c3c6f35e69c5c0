"""The worker: `python -m workflows` runs workflows, activities and triggers until SIGTERM."""

import asyncio
import logging
import signal
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from functools import partial
from typing import Any

from temporalio.client import Client

from kernel import telemetry
from kernel.clock import Clock
from kernel.config import Settings
from kernel.eventstore.feed import RemoteFeed
from kernel.measuring import keep_measuring
from kernel.rpc import channel, server
from workflows import clock_watch, worker
from workflows.notes import Notes
from workflows.overdue import tell_overdue
from workflows.telling import Teller
from workflows.triggers import Triggers
from workflows.wakes import types_of

PATIENCE = 60  # seconds the Temporal server may take to answer at the start
_log = logging.getLogger(__name__)


def main() -> None:
    settings = Settings.from_environment()
    # Asked for here, so that a missing setting ends the program with its line and no more.
    database_url = settings.database_url
    telemetry.setup("workflows", otlp_endpoint=settings.otlp_endpoint)
    try:
        server.run(_run(settings, database_url))
    finally:
        telemetry.shutdown()


async def _run(settings: Settings, database_url: str) -> None:
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    clock = Clock(settings.clock_file)
    async with AsyncExitStack() as closing:
        channels = {}
        for name, address in settings.service_addresses.items():
            channels[name] = channel.connect(address)
            closing.push_async_callback(channels[name].close)
        notes = await Notes.open(database_url)
        closing.push_async_callback(notes.close)
        client = await _temporal(settings)
        feeds = [RemoteFeed(channels[name], name, types_of(name)) for name in channels]
        triggers = Triggers(Teller(client), notes, feeds)
        await closing.enter_async_context(
            worker.make_worker(client, worker.activities(channels, clock))
        )
        _log.info("worker ready", extra={"facts": {"temporal": settings.temporal_address}})
        work = [triggers.run(), clock_watch.watch(client, clock)]
        if telemetry.exporting():
            overdue = partial(tell_overdue, client, clock)
            work.append(keep_measuring(triggers.tell_lag, overdue))
        await _until(ended, *work)


async def _until(ended: asyncio.Event, *work: Coroutine[Any, Any, None]) -> None:
    """Runs the work until told to end. Work that fails ends the program: half a worker misleads."""
    tasks = [asyncio.ensure_future(one) for one in work]
    told = asyncio.ensure_future(ended.wait())
    try:
        done, _ = await asyncio.wait({told, *tasks}, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in (told, *tasks):
            task.cancel()
        await asyncio.gather(told, *tasks, return_exceptions=True)


async def _temporal(settings: Settings) -> Client:
    """A connection to Temporal, waited for: both may have been started together."""
    for _ in range(PATIENCE):
        try:
            return await worker.connect(settings.temporal_address, settings.temporal_namespace)
        except RuntimeError as error:  # what the client raises where nobody answers
            _log.warning("Temporal does not answer yet: %s", error)
            await asyncio.sleep(1)
    return await worker.connect(settings.temporal_address, settings.temporal_namespace)


if __name__ == "__main__":
    main()
