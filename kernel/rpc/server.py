"""Builds and runs a service's server: health, reflection, its event feed, and a clean end."""

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import grpc
import uvloop
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from ltci.events.v1 import feed_pb2, feed_pb2_grpc

from kernel import telemetry
from kernel.rpc.deadlines import DeadlineInterceptor
from kernel.rpc.errors import ErrorInterceptor
from kernel.rpc.feed_servicer import CaseFinder, FeedServicer, FeedStore
from kernel.rpc.malformed import MalformedInterceptor
from kernel.rpc.traces import TelemetryInterceptor

T = TypeVar("T")
Add = Callable[[grpc.aio.Server], Sequence[str]]  # registers servicers, returns their full names
LARGEST_REQUEST = 4 * 1024 * 1024
DEFAULT_DEADLINE = 30.0
GRACE = 4.0  # leaves a second of the five for the rest
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
_OPTIONS = [
    ("grpc.max_receive_message_length", LARGEST_REQUEST),
    ("grpc.max_metadata_size", 64 * 1024),
    ("grpc.so_reuseport", 0),  # a second server on the same port is a mistake to be told
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
    ("grpc.http2.max_ping_strikes", 0),
]
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class RunningServer:
    """A server that listens. It answers health checks NOT_SERVING until it is ready."""

    server: grpc.aio.Server
    port: int
    health: health.aio.HealthServicer
    services: tuple[str, ...]
    deadlines: DeadlineInterceptor

    async def set_ready(self) -> None:
        for name in ("", *self.services):
            await self.health.set(name, SERVING)

    async def stop(self, grace: float = GRACE) -> None:
        """Takes no more calls and lets those under way finish within `grace` seconds."""
        await self.health.enter_graceful_shutdown()
        self.deadlines.end_streams()
        await self.server.stop(grace)


def together(*adds: Add) -> Add:
    """Several servicers of one service, registered in their order."""

    def add(server: grpc.aio.Server) -> Sequence[str]:
        return [name for one in adds for name in one(server)]

    return add


async def serve(
    service_name: str,
    address: str,
    add: Add,
    *,
    feed_store: FeedStore | None,
    cases: CaseFinder | None = None,
    ready: Callable[[], Awaitable[Any]],
) -> None:
    """Runs a service until SIGTERM or SIGINT, then ends within five seconds.

    `ready` is awaited after the port is open; only then does health say SERVING.
    """
    telemetry.setup(service_name)
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    running = await start_server(service_name, address, add, feed_store=feed_store, cases=cases)
    host = address.rpartition(":")[0]
    _log.info("listening", extra={"facts": {"address": f"{host}:{running.port}"}})
    try:
        if await _first(ready(), ended):
            await running.set_ready()
            _log.info("ready")
            await ended.wait()
    finally:
        await running.stop()
        _log.info("stopped")
        await asyncio.to_thread(telemetry.shutdown)


async def start_server(
    service_name: str,
    address: str,
    add: Add,
    *,
    feed_store: FeedStore | None = None,
    cases: CaseFinder | None = None,
    default_deadline: float = DEFAULT_DEADLINE,
) -> RunningServer:
    """A server that listens on the address; port 0 takes a free one."""
    deadlines = DeadlineInterceptor(default_deadline)
    server = grpc.aio.server(
        interceptors=[
            TelemetryInterceptor(),
            ErrorInterceptor(service_name),
            deadlines,
            MalformedInterceptor(),
        ],
        options=_OPTIONS,
    )
    names = list(add(server))
    if feed_store is not None:
        feed = FeedServicer(feed_store, cases)
        feed_pb2_grpc.add_EventFeedServiceServicer_to_server(feed, server)
        names.append(feed_pb2.DESCRIPTOR.services_by_name["EventFeedService"].full_name)
    checks = await _health(server, names)
    reflection.enable_server_reflection(
        (*names, health.SERVICE_NAME, reflection.SERVICE_NAME), server
    )
    port = server.add_insecure_port(address)
    await server.start()
    return RunningServer(
        server=server, port=port, health=checks, services=tuple(names), deadlines=deadlines
    )


def run(main: Coroutine[Any, Any, T]) -> T:
    """Runs a program's main coroutine on uvloop."""
    return uvloop.run(main)


async def _health(server: grpc.aio.Server, names: Sequence[str]) -> health.aio.HealthServicer:
    checks = health.aio.HealthServicer()
    for name in ("", *names):
        await checks.set(name, NOT_SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(checks, server)
    return checks


async def _first(ready: Awaitable[Any], ended: asyncio.Event) -> bool:
    """Whether `ready` came before the signal to end. A failure of `ready` is raised."""
    getting_ready = asyncio.ensure_future(ready)
    told_to_end = asyncio.ensure_future(ended.wait())
    await asyncio.wait({getting_ready, told_to_end}, return_when=asyncio.FIRST_COMPLETED)
    told_to_end.cancel()
    if getting_ready.done():
        getting_ready.result()
        return not ended.is_set()
    getting_ready.cancel()
    await asyncio.wait({getting_ready})
    return False
