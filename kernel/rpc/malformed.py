"""Finds where the bytes of a request are no message, so that the caller can be told the field.

grpc itself answers an unreadable request with a fault of the server; it is one of the caller's.
Pure but for the interceptor at the end.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any

import grpc
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import DecodeError

from kernel.refusal import Violation
from kernel.rpc.around import taken_apart

_NOT_UTF8 = ("must be text in UTF-8", "应为UTF-8编码的文本")
_BROKEN = ("the bytes break off or are no protobuf message", "字节不完整或不是protobuf消息")


class MalformedRequest(Exception):  # noqa: N818 - named as what arrived
    """The bytes of the request are no message of its type; the field is named where known."""

    def __init__(self, violation: Violation) -> None:
        super().__init__(f"{violation.field}: {violation.message}")
        self.violation = violation


def violation_in(raw: bytes, message: Descriptor | None) -> Violation:
    """What is wrong with bytes that did not parse as this message."""
    try:
        path = _broken_text(raw, message) if message else None
    except (IndexError, ValueError, RecursionError):
        path = None
    words = _BROKEN if path is None else _NOT_UTF8
    return Violation(path or "", "MALFORMED_REQUEST", *words)


def _broken_text(raw: bytes, message: Descriptor) -> str | None:
    """The path of the first text field that is not UTF-8, like `person.name`."""
    for number, chunk in _length_delimited(raw):
        field = message.fields_by_number.get(number)
        if field is None:
            continue
        if field.type == FieldDescriptor.TYPE_STRING:
            try:
                chunk.decode("utf-8")
            except UnicodeDecodeError:
                return field.name
        elif field.type == FieldDescriptor.TYPE_MESSAGE:
            inner = _broken_text(chunk, field.message_type) if field.message_type else None
            if inner is not None:
                return f"{field.name}.{inner}"
    return None


def _length_delimited(raw: bytes) -> Iterator[tuple[int, bytes]]:
    """Number and content of each field that has a length: texts, bytes, messages."""
    at = 0
    while at < len(raw):
        tag, at = _varint(raw, at)
        match tag & 7:
            case 0:
                _, at = _varint(raw, at)
            case 1:
                at += 8
            case 5:
                at += 4
            case 2:
                length, at = _varint(raw, at)
                if at + length > len(raw):
                    raise ValueError("the field is longer than the message")
                yield tag >> 3, raw[at : at + length]
                at += length
            case _:
                raise ValueError("no wire type of proto3")


def _varint(raw: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = raw[at]
        value |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:
            return value, at
        shift += 7
        if shift > 63:
            raise ValueError("a number longer than 64 bits")


@dataclass(frozen=True)
class _Unreadable:
    """Stands in for the request until the handler's place in the chain is reached."""

    violation: Violation


class MalformedInterceptor(grpc.aio.ServerInterceptor):
    """Lets unreadable requests fail inside the chain, where errors become statuses."""

    async def intercept_service(
        self, continuation: Callable[[Any], Awaitable[Any]], handler_call_details: Any
    ) -> Any:
        handler = await continuation(handler_call_details)
        if handler is None or handler.request_deserializer is None:
            return handler
        behaviour, make = taken_apart(handler)
        readable = _each_readable if handler.request_streaming else _readable

        def guarded(request: Any, context: Any) -> Any:
            return behaviour(readable(request), context)

        return make(
            guarded,
            request_deserializer=_parser(handler.request_deserializer, handler_call_details.method),
            response_serializer=handler.response_serializer,
        )


def _parser(parse: Callable[[bytes], Any], method: str) -> Callable[[bytes], Any]:
    def parsed(raw: bytes) -> Any:
        try:
            return parse(raw)
        except (DecodeError, UnicodeDecodeError):
            return _Unreadable(violation_in(raw, _input_of(method)))

    return parsed


def _readable(request: Any) -> Any:
    if isinstance(request, _Unreadable):
        raise MalformedRequest(request.violation)
    return request


async def _each_readable(requests: AsyncIterator[Any]) -> AsyncIterator[Any]:
    async for request in requests:
        yield _readable(request)


def _input_of(method: str) -> Descriptor | None:
    """The request's type, from `/package.Service/Method`."""
    service, _, name = method.strip("/").partition("/")
    try:
        found = descriptor_pool.Default().FindServiceByName(service)
    except KeyError:
        return None
    called = found.methods_by_name.get(name)
    return called.input_type if called else None
