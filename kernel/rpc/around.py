"""What happens around every call, whatever its kind: the base of the server's interceptors.

grpc knows four kinds of methods, each as a generator or as a coroutine. A subclass writes one
context manager, and this module fits it around all of them. Response streams are driven here,
in the call's own task, so that a context manager leaves in the context it entered.
"""

import inspect
from abc import abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import dataclass
from typing import Any, TypeAlias

import grpc

Context: TypeAlias = grpc.aio.ServicerContext[Any, Any]
_Behaviour = Callable[[Any, Context], Any]
_Enter = Callable[[Any, Context], AbstractAsyncContextManager[None]]


@dataclass(frozen=True)
class Arrived:
    """A call as it comes in."""

    method: str  # "/ltci.payment.v1.BillService/SettleBill"
    streams: bool  # whether requests or answers are a stream
    request: Any = None  # the message, or the iterator of a stream of them

    @property
    def service(self) -> str:
        return self.method.strip("/").partition("/")[0]

    @property
    def name(self) -> str:
        return self.method.rpartition("/")[2]


class Around(grpc.aio.ServerInterceptor):
    """An interceptor written as one context manager."""

    @abstractmethod
    def around(self, call: Arrived, context: Context) -> AbstractAsyncContextManager[None]:
        """Entered before the handler runs, left when it has answered or failed."""

    async def intercept_service(
        self,
        continuation: Callable[[Any], Awaitable[Any]],
        handler_call_details: Any,
    ) -> Any:
        handler = await continuation(handler_call_details)
        if handler is None:
            return None  # grpc answers UNIMPLEMENTED
        method = handler_call_details.method
        streams = handler.request_streaming or handler.response_streaming

        def enter(request: Any, context: Context) -> AbstractAsyncContextManager[None]:
            return self.around(Arrived(method, streams, request), context)

        return fitted(handler, enter)


def fitted(handler: Any, enter: _Enter) -> Any:
    """The handler with the context manager around it."""
    behaviour, make = taken_apart(handler)
    wrapped = (
        _streaming(behaviour, enter) if handler.response_streaming else _single(behaviour, enter)
    )
    return make(
        wrapped,
        request_deserializer=handler.request_deserializer,
        response_serializer=handler.response_serializer,
    )


def taken_apart(handler: Any) -> tuple[_Behaviour, Callable[..., Any]]:
    """The function of a handler, and what makes a handler of that kind again."""
    match (bool(handler.request_streaming), bool(handler.response_streaming)):
        case (False, False):
            return handler.unary_unary, grpc.unary_unary_rpc_method_handler
        case (False, True):
            return handler.unary_stream, grpc.unary_stream_rpc_method_handler
        case (True, False):
            return handler.stream_unary, grpc.stream_unary_rpc_method_handler
        case _:
            return handler.stream_stream, grpc.stream_stream_rpc_method_handler


def _single(behaviour: _Behaviour, enter: _Enter) -> _Behaviour:
    async def answer(request: Any, context: Context) -> Any:
        async with enter(request, context):
            return await behaviour(request, context)

    return answer


def _streaming(behaviour: _Behaviour, enter: _Enter) -> _Behaviour:
    async def answer(request: Any, context: Context) -> None:
        async with enter(request, context):
            answers = behaviour(request, context)
            if inspect.isawaitable(answers):  # it writes by itself
                await answers
                return
            await _written(answers, context)

    return answer


async def _written(answers: Any, context: Context) -> None:
    stream: AsyncIterator[Any] = aiter(answers)
    if not inspect.isasyncgen(stream):
        async for answer in stream:
            await context.write(answer)
        return
    async with aclosing(stream):
        async for answer in stream:
            await context.write(answer)
