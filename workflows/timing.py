"""How long calls may take, when they are tried again, and which failures are answers.

One table for all workflows. A refusal is an answer: the same call would get the same answer, so
it is never repeated. Everything else is repeated until it succeeds: a service that is away comes
back, and a process that lasts for years outlives its outages.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError

A = TypeVar("A")
R = TypeVar("R")


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of call: the time one attempt has, and how attempts follow each other."""

    attempt: timedelta
    heartbeat: timedelta | None = None
    first_pause: timedelta = timedelta(milliseconds=200)
    longest_pause: timedelta = timedelta(seconds=10)

    @property
    def retry(self) -> RetryPolicy:
        """Unlimited: what may not be repeated says so itself."""
        return RetryPolicy(
            initial_interval=self.first_pause,
            backoff_coefficient=2.0,
            maximum_interval=self.longest_pause,
            maximum_attempts=0,
        )


# Calls that may take long send a sign of life, so that a killed worker is noticed soon.
ALIVE = timedelta(seconds=15)
READ = Kind(attempt=timedelta(seconds=10))
WRITE = Kind(attempt=timedelta(seconds=15))
REVIEW = Kind(attempt=timedelta(seconds=30))  # waits until payment has read what we know of
FREEZE = Kind(attempt=timedelta(minutes=2), heartbeat=ALIVE)  # payment reads all feeds first
COMPUTE = Kind(attempt=timedelta(hours=6), heartbeat=ALIVE)  # goes on where it was
CLOSE = Kind(attempt=timedelta(minutes=10), heartbeat=ALIVE)
BANK = Kind(attempt=timedelta(minutes=10), heartbeat=ALIVE, longest_pause=timedelta(minutes=1))
CLOCK = Kind(attempt=timedelta(seconds=5))

# grpc's words for "the service has answered" (kernel.rpc.errors.Problem.is_refusal).
ANSWERS = frozenset(
    {
        "FAILED_PRECONDITION",
        "INVALID_ARGUMENT",
        "NOT_FOUND",
        "ALREADY_EXISTS",
        "PERMISSION_DENIED",
        "OUT_OF_RANGE",
    }
)
# Away, late, overtaken or overloaded; the rest are faults, which may be mended while we wait.
SOON_AGAIN = frozenset({"UNAVAILABLE", "DEADLINE_EXCEEDED", "ABORTED", "RESOURCE_EXHAUSTED"})
AFTER_A_FAULT = timedelta(seconds=10)


def failure(code: str, reason: str, message: str) -> ApplicationError:
    """What an activity raises for a failed call: `type` is the service's reason."""
    if code in ANSWERS:
        return ApplicationError(message, code, type=reason or code, non_retryable=True)
    pause = None if code in SOON_AGAIN else AFTER_A_FAULT
    return ApplicationError(message, code, type=reason or code, next_retry_delay=pause)


@dataclass(frozen=True)
class Refusal:
    """A service's no: its reason, and grpc's word for the kind."""

    reason: str
    code: str


def refusal_in(error: ActivityError) -> Refusal:
    """The refusal that ended an activity. Raises the error again where it was none."""
    cause = error.cause
    if not isinstance(cause, ApplicationError) or not cause.non_retryable or not cause.details:
        raise error
    return Refusal(cause.type or "", str(cause.details[0]))


async def call(
    kind: Kind, method: Callable[[Any, A], Awaitable[R]], asked: A, *, summary: str = ""
) -> R:
    """One activity, timed and repeated as its kind demands."""
    return await workflow.execute_activity_method(
        method,
        asked,
        start_to_close_timeout=kind.attempt,
        heartbeat_timeout=kind.heartbeat,
        retry_policy=kind.retry,
        summary=summary or None,
    )
