"""A small service with every kind of method, on a free port, for the tests of the wire."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import grpc
from ltci.events.v1 import feed_pb2

from kernel.rpc.channel import connect
from kernel.rpc.errors import Problem, explain
from kernel.rpc.server import RunningServer, start_server

Pack = feed_pb2.Pack
Behave = Callable[[Pack, Any], Awaitable[Pack]]


@dataclass(frozen=True)
class Wire:
    """A running server, a channel to it, and its four methods."""

    running: RunningServer
    channel: grpc.aio.Channel

    @property
    def one(self) -> Any:
        return self.channel.unary_unary("/test.v1.Echo/One", *_CODEC)

    @property
    def spread(self) -> Any:
        return self.channel.unary_stream("/test.v1.Echo/Spread", *_CODEC)

    @property
    def gather(self) -> Any:
        return self.channel.stream_unary("/test.v1.Echo/Gather", *_CODEC)

    @property
    def chat(self) -> Any:
        return self.channel.stream_stream("/test.v1.Echo/Chat", *_CODEC)


_CODEC = (Pack.SerializeToString, Pack.FromString)


@asynccontextmanager
async def wire(behave: Behave, **options: Any) -> AsyncIterator[Wire]:
    """Every method answers each request with what `behave` makes of it."""

    async def one(request: Pack, context: Any) -> Pack:
        return await behave(request, context)

    async def spread(request: Pack, context: Any) -> AsyncIterator[Pack]:
        for _ in range(3):
            yield await behave(request, context)

    async def gather(requests: AsyncIterator[Pack], context: Any) -> Pack:
        last = Pack()
        async for request in requests:
            last = await behave(request, context)
        return last

    async def chat(requests: AsyncIterator[Pack], context: Any) -> AsyncIterator[Pack]:
        async for request in requests:
            yield await behave(request, context)

    def add(server: grpc.aio.Server) -> list[str]:
        codec: dict[str, Any] = {
            "request_deserializer": Pack.FromString,
            "response_serializer": Pack.SerializeToString,
        }
        handlers: dict[str, grpc.RpcMethodHandler[Any, Any]] = {
            "One": grpc.unary_unary_rpc_method_handler(one, **codec),
            "Spread": grpc.unary_stream_rpc_method_handler(spread, **codec),
            "Gather": grpc.stream_unary_rpc_method_handler(gather, **codec),
            "Chat": grpc.stream_stream_rpc_method_handler(chat, **codec),
        }
        server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler("test.v1.Echo", handlers),)
        )
        return ["test.v1.Echo"]

    running = await start_server("payment", "127.0.0.1:0", add, **options)
    try:
        async with connect(f"127.0.0.1:{running.port}") as channel:
            yield Wire(running, channel)
    finally:
        await running.stop(0)


async def problem(answer: Awaitable[Any]) -> Problem:
    """What the caller is told; fails where the call succeeds."""
    try:
        await answer
    except grpc.aio.AioRpcError as error:
        return explain(error)
    raise AssertionError("the call succeeded")


async def all_of(answers: Any) -> list[Any]:
    return [answer async for answer in answers]


async def echo(request: Pack, context: Any) -> Pack:
    return request


def plain_channel(w: Wire) -> grpc.aio.Channel:
    """A channel as a stranger makes it: no deadline, no larger sizes, no trace."""
    return grpc.aio.insecure_channel(f"127.0.0.1:{w.running.port}")
