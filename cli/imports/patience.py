"""How long a command waits for a service that is away, and what it says when that was too long."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import grpc
from google.rpc import status_pb2
from grpc.aio import Metadata

from cli.output import Failure
from kernel.clock import Clock
from kernel.rpc.errors import DETAILS_KEY, Problem, explain

T = TypeVar("T")
# Nothing was decided, or the request id tells the repetition apart.
PASSING = frozenset({"UNAVAILABLE", "DEADLINE_EXCEEDED", "ABORTED", "RESOURCE_EXHAUSTED"})
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0  # real seconds
SILENCE = Problem(
    code="DEADLINE_EXCEEDED",
    reason="DEADLINE_EXCEEDED",
    domain="",
    metadata={},
    violations=(),
    message="the service did not answer in time",
    message_zh="服务未及时应答",
    retry_after=None,
)


def passing(problem: Problem) -> bool:
    """Whether another attempt may help.

    A stream whose server was killed ends with INTERNAL from this side's own transport: no
    service said it, for a service always says in whose domain.
    """
    return problem.code in PASSING or (problem.code == "INTERNAL" and not problem.domain)


class Patience:
    """Waits between attempts, for so long in all; every answer renews it."""

    def __init__(self, seconds: float, service: str) -> None:
        self.seconds = seconds
        self._service = service
        self._clock = Clock()
        self._since: float | None = None
        self._pause = FIRST_PAUSE

    def renewed(self) -> None:
        """The service answered."""
        self._since = None
        self._pause = FIRST_PAUSE

    async def bear(self, problem: Problem) -> None:
        """Pauses before the next attempt. Raises `Failure` where no attempt will help."""
        if not passing(problem):
            raise Failure.of_call(problem, where=self._service)
        now = self._clock.monotonic()
        if self._since is None:
            self._since = now
        left = self.seconds - (now - self._since)
        if left <= 0:
            raise self._lost(problem)
        pause = max(self._pause, problem.retry_after or 0)
        self._pause = min(self._pause * 2, LONGEST_PAUSE)
        await asyncio.sleep(min(pause, left))

    def _lost(self, problem: Problem) -> Failure:
        return Failure(
            f"the service {self._service} does not answer since {self.seconds:.0f} seconds:"
            f" {problem.message or problem.code}",
            f"服务{self._service}已{self.seconds:.0f}秒无应答："
            f"{problem.message_zh or problem.message or problem.code}",
            right="run the command again later: what was recorded is recognised",
            right_zh="请稍后重新执行：已登记的内容会被识别，不会重复登记",
            reason=problem.code,
        )


async def patient(attempt: Callable[[], Awaitable[T]], service: str, seconds: float = 60.0) -> T:
    """The answer of a call that may be repeated, asked again while its service is away."""
    patience = Patience(seconds, service)
    while True:
        try:
            return await attempt()
        except grpc.aio.AioRpcError as error:
            await patience.bear(explain(error))


def problem_of(status: status_pb2.Status) -> Problem:
    """The problem in a row's own status, read like that of a failed call."""
    codes = {code.value[0]: code for code in grpc.StatusCode}
    details = Metadata((DETAILS_KEY, status.SerializeToString()))
    code = codes.get(status.code, grpc.StatusCode.UNKNOWN)
    return explain(grpc.aio.AioRpcError(code, Metadata(), details, details=status.message))
