"""Carries the trace through a call: in on the server, out on the client, and measures it."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
from grpc.aio import ClientCallDetails, Metadata
from opentelemetry import trace

from kernel import telemetry
from kernel.rpc.around import Around, Arrived, Context

TRACEPARENT_KEY = "traceparent"
_QUIET = ("grpc.health.", "grpc.reflection.")  # asked every few seconds, of no interest


class TelemetryInterceptor(Around):
    """A span and a duration for every call, in the trace of the caller."""

    @asynccontextmanager
    async def around(self, call: Arrived, context: Context) -> AsyncIterator[None]:
        if call.service.startswith(_QUIET):
            yield
            return
        case = telemetry.case_in(call.request)
        told = {"rpc.system": "grpc", "rpc.service": call.service, "rpc.method": call.name}
        begun = time.perf_counter()
        with (
            telemetry.case_scope(case),
            telemetry.tracer().start_as_current_span(
                call.method.strip("/"),
                context=telemetry.context_of(_traceparent(context)),
                kind=trace.SpanKind.SERVER,
                attributes={**told, "ltci.case": case} if case else told,
                record_exception=False,
                set_status_on_exception=False,
            ) as span,
        ):
            try:
                yield
            finally:
                code = _code(context)
                span.set_attribute("rpc.grpc.status_code", code)
                if code in _FAULTS:
                    span.set_status(trace.StatusCode.ERROR)
                telemetry.RPC_SECONDS.record(
                    time.perf_counter() - begun, {**told, "rpc.grpc.status_code": code}
                )


# What the convention for servers counts as an error: a refusal is an answer.
_FAULTS = frozenset(
    code.value[0]
    for code in (
        grpc.StatusCode.UNKNOWN,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.UNIMPLEMENTED,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DATA_LOSS,
    )
)


def _traceparent(context: Context) -> str:
    for key, value in context.invocation_metadata() or ():
        if key == TRACEPARENT_KEY and isinstance(value, str):
            return value
    return ""


def _code(context: Context) -> int:
    """The status so far; grpc gives a number on some paths and its enum on others."""
    if context.cancelled():
        return int(grpc.StatusCode.CANCELLED.value[0])
    code: Any = context.code()
    return int(code.value[0]) if isinstance(code, grpc.StatusCode) else int(code or 0)


class _Outgoing:
    """Puts the current trace and a deadline on a call that goes out."""

    def __init__(self, deadline: float) -> None:
        self._deadline = deadline

    def sent(self, details: ClientCallDetails, *, streams: bool) -> ClientCallDetails:
        metadata = Metadata(*(details.metadata or ()))
        traceparent = telemetry.current_traceparent()
        if traceparent and metadata.get(TRACEPARENT_KEY) is None:
            metadata.add(TRACEPARENT_KEY, traceparent)
        timeout = details.timeout
        if timeout is None and not streams:
            timeout = self._deadline
        return ClientCallDetails(
            details.method, timeout, metadata, details.credentials, details.wait_for_ready
        )


_Go = Callable[[ClientCallDetails, Any], Any]


class UnaryOutgoing(_Outgoing, grpc.aio.UnaryUnaryClientInterceptor):
    """A span of the client around one request and its answer."""

    async def intercept_unary_unary(
        self, continuation: _Go, client_call_details: ClientCallDetails, request: Any
    ) -> Any:
        method = _text(client_call_details.method).strip("/")
        with telemetry.tracer().start_as_current_span(
            method,
            kind=trace.SpanKind.CLIENT,
            attributes={"rpc.system": "grpc"},
            record_exception=False,
        ) as span:
            call = await continuation(self.sent(client_call_details, streams=False), request)
            code: grpc.StatusCode = await call.code()
            span.set_attribute("rpc.grpc.status_code", int(code.value[0]))
            if code is not grpc.StatusCode.OK:
                span.set_status(trace.StatusCode.ERROR, code.name)
            return call


class UnaryStreamOutgoing(_Outgoing, grpc.aio.UnaryStreamClientInterceptor):
    async def intercept_unary_stream(
        self, continuation: _Go, client_call_details: ClientCallDetails, request: Any
    ) -> Any:
        return await continuation(self.sent(client_call_details, streams=True), request)


class StreamUnaryOutgoing(_Outgoing, grpc.aio.StreamUnaryClientInterceptor):
    async def intercept_stream_unary(
        self, continuation: _Go, client_call_details: ClientCallDetails, request_iterator: Any
    ) -> Any:
        return await continuation(self.sent(client_call_details, streams=True), request_iterator)


class StreamStreamOutgoing(_Outgoing, grpc.aio.StreamStreamClientInterceptor):
    async def intercept_stream_stream(
        self, continuation: _Go, client_call_details: ClientCallDetails, request_iterator: Any
    ) -> Any:
        return await continuation(self.sent(client_call_details, streams=True), request_iterator)


def outgoing(deadline: float) -> list[Any]:
    """The interceptors of a client channel, one for each kind of method."""
    return [
        UnaryOutgoing(deadline),
        UnaryStreamOutgoing(deadline),
        StreamUnaryOutgoing(deadline),
        StreamStreamOutgoing(deadline),
    ]


def _text(method: Any) -> str:
    return method.decode() if isinstance(method, bytes) else str(method)
