"""Channels to other services: deadline, retry, trace, and sizes that fit their answers."""

import json
from collections.abc import Callable
from typing import Any, TypeVar

import grpc

from kernel.rpc.traces import outgoing

M = TypeVar("M")
ACTOR_KEY = "ltci-actor"
DEADLINE = 10.0  # seconds for one request and its answer, where the caller names none
LARGEST_ANSWER = 64 * 1024 * 1024  # a thousand events with their rulings
# Only UNAVAILABLE: then nothing was decided, or the request id tells the repetition apart.
_RETRY = json.dumps(
    {
        "methodConfig": [
            {
                "name": [{}],
                "retryPolicy": {
                    "maxAttempts": 4,
                    "initialBackoff": "0.1s",
                    "maxBackoff": "2s",
                    "backoffMultiplier": 2,
                    "retryableStatusCodes": ["UNAVAILABLE"],
                },
            }
        ]
    }
)
_OPTIONS = [
    ("grpc.service_config", _RETRY),
    ("grpc.enable_retries", 1),
    ("grpc.max_receive_message_length", LARGEST_ANSWER),
    ("grpc.max_metadata_size", 64 * 1024),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 5_000),
    # One process may hold channels to a service and to its successor on the same port.
    ("grpc.use_local_subchannel_pool", 1),
]


def connect(address: str, *, deadline: float = DEADLINE) -> grpc.aio.Channel:
    """A channel to a service; it connects when first used and again whenever needed."""
    return grpc.aio.insecure_channel(address, options=_OPTIONS, interceptors=outgoing(deadline))


async def call(
    method: Callable[..., Any],
    request: object,
    *,
    timeout: float | None = None,
    actor: str | None = None,
) -> Any:
    """The answer of one call, made in the name of `actor`.

    Raises grpc's error; `kernel.rpc.errors.explain` reads it.
    """
    metadata = ((ACTOR_KEY, actor),) if actor else None
    return await method(request, timeout=timeout, metadata=metadata)
