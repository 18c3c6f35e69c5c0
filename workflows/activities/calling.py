"""One call to a service from an activity: deadline, trace, and the failure in Temporal's words."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import grpc
from temporalio import activity

from kernel.rpc import channel
from kernel.rpc.errors import explain
from kernel.telemetry import case_in, case_scope, masked
from workflows.timing import failure

ACTOR = "workflows"
BEAT_SECONDS = 3.0


async def ask(method: Callable[..., Any], request: object, *, timeout: float) -> Any:
    """The service's answer. Raises ApplicationError, not to be retried where it was a refusal."""
    try:
        with case_scope(case_in(request)):
            return await channel.call(method, request, timeout=timeout, actor=ACTOR)
    except grpc.RpcError as error:
        problem = explain(error)
        raise failure(problem.code, problem.reason, masked(problem.message)) from None


@asynccontextmanager
async def signs_of_life(told: Callable[[], object] = lambda: None) -> AsyncIterator[None]:
    """Heartbeats while the block runs, with what `told` gives at the moment."""
    beating = asyncio.create_task(_beat(told))
    try:
        yield
    finally:
        beating.cancel()
        with suppress(asyncio.CancelledError):
            await beating


async def _beat(told: Callable[[], object]) -> None:
    while True:
        activity.heartbeat(told())
        await asyncio.sleep(BEAT_SECONDS)
