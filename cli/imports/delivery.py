"""Brings items to their service: many in a message, or one by one with many under way.

Whatever passes (a restart, an overload) is tried again under the same request ids; whatever is
refused becomes faults of its row. Nothing is given up silently: an item is recorded, or bad,
or `deliver` raises.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable, Iterator
from datetime import datetime
from itertools import chain
from typing import Any, Protocol

import grpc
from google.protobuf.message import Message

from cli.connect import ACTOR, Connection
from cli.imports.items import IN_FUTURE, Item
from cli.imports.kinds import Bulk, Kind, NothingThere, Step
from cli.imports.patience import PASSING, SILENCE, Patience, problem_of
from cli.imports.progress import Tally
from cli.output import Failure
from kernel.rpc.channel import ACTOR_KEY
from kernel.rpc.errors import Problem, explain

BYTES_A_MESSAGE = 1024 * 1024  # well under what a server takes
MESSAGES_UNDER_WAY = 4
CALLS_UNDER_WAY = 16
SILENCE_SECONDS = 30.0  # without any answer to a stream before it is begun again
_AS_US = ((ACTOR_KEY, ACTOR),)


class Delivery(Protocol):
    """Brings items to their service."""

    async def deliver(self, items: Iterable[Item], until: datetime | None = None) -> None:
        """Returns when every item has its answer, or, with `until`, what was due by then."""


def delivery_for(
    connection: Connection, kind: Kind, tally: Tally, *, patience: float, follow: bool = False
) -> Delivery:
    """What brings items of this kind to their service and records them."""
    if isinstance(kind.delivery, Bulk):
        return BulkDelivery(connection, kind.delivery, tally, patience=patience, follow=follow)
    return SingleDelivery(connection, tally, patience=patience)


class BulkDelivery:
    """Streams of many rows; with `validate_only` the service checks and keeps nothing."""

    def __init__(
        self,
        connection: Connection,
        bulk: Bulk,
        tally: Tally,
        *,
        patience: float,
        validate_only: bool = False,
        follow: bool = False,
    ) -> None:
        self._method = getattr(getattr(connection, bulk.service), bulk.method)
        self._bulk = bulk
        self._tally = tally
        self._validate_only = validate_only
        self._follow = follow
        self._patience = Patience(patience, bulk.service)

    async def deliver(self, items: Iterable[Item], until: datetime | None = None) -> None:  # noqa: ARG002 - rows are one step
        source, again = iter(items), deque[Item]()
        while True:
            under_way: dict[int, Item] = {}
            postponed: list[tuple[Item, Problem]] = []
            problem = await self._stream(_first_then(again, source), under_way, postponed)
            # In the order of the file, whatever was answered before.
            left = [*under_way.values(), *(item for item, _ in postponed), *again]
            again = deque(sorted(left, key=lambda item: item.line))
            if problem is None and postponed:
                problem = postponed[0][1]
            if problem is not None:
                await self._patience.bear(problem)
            elif not again:
                return

    async def _stream(
        self,
        items: Iterator[Item],
        under_way: dict[int, Item],
        postponed: list[tuple[Item, Problem]],
    ) -> Problem | None:
        """One stream from beginning to end, or what broke it; then `under_way` is not empty."""
        window = _Window(MESSAGES_UNDER_WAY)
        unreadable: list[Failure] = []
        messages = self._messages(items, under_way, window, unreadable)
        call = self._method(messages, metadata=_AS_US)
        try:
            async with asyncio.timeout(SILENCE_SECONDS) as limit:
                async for answer in call:
                    limit.reschedule(asyncio.get_running_loop().time() + SILENCE_SECONDS)
                    self._answered(answer.results, under_way, postponed)
                    window.release()
        except TimeoutError:
            return SILENCE
        except grpc.aio.AioRpcError as error:
            return explain(error)
        finally:
            window.close()
            call.cancel()
        if unreadable:
            raise unreadable[0]
        return SILENCE if under_way else None

    async def _messages(
        self,
        items: Iterator[Item],
        under_way: dict[int, Item],
        window: "_Window",
        unreadable: list[Failure],
    ) -> AsyncIterator[Message]:
        """Full messages, no more of them than the service answers; noted before they are sent."""
        row = 0
        while await window.open():
            rows: list[Message] = []
            size = 0
            while len(rows) < self._bulk.rows_a_message and size < BYTES_A_MESSAGE:
                try:
                    item = next(items, None)
                except Failure as failure:
                    # grpc would swallow it: it is raised where the answers are read.
                    unreadable.append(failure)
                    return
                if item is None:
                    break
                under_way[row] = item
                row += 1
                rows.append(self._bulk.row(item.values, item.request_id))
                size += rows[-1].ByteSize()
            if not rows:
                return
            yield self._bulk.message(rows=rows, validate_only=self._validate_only)

    def _answered(
        self,
        results: Iterable[Any],
        under_way: dict[int, Item],
        postponed: list[tuple[Item, Problem]],
    ) -> None:
        for result in results:
            item = under_way.pop(result.row, None)
            if item is None:
                raise Failure(
                    f"the service {self._bulk.service} answered a row that was not sent",
                    f"服务{self._bulk.service}应答了未发送的行",
                    reason="ANSWER_DIFFERS",
                )
            if result.status.code == 0:
                self._good(item)
                continue
            problem = problem_of(result.status)
            if problem.code in PASSING:
                postponed.append((item, problem))
            else:
                self._refused(item, problem)

    def _good(self, item: Item) -> None:
        self._patience.renewed()
        item.over = True
        if not self._validate_only:
            self._tally.recorded()
            if self._tally.progress.awaits:
                self._tally.progress.acknowledge(item.days())

    def _refused(self, item: Item, problem: Problem) -> None:
        self._patience.renewed()
        item.over = True
        if self._follow and self._validate_only and _only_early(problem):
            return
        self._tally.bad(item.faults(problem))
        if not self._validate_only:
            self._tally.progress.acknowledge(item.days())


class _Window:
    """Lets so many messages be under way; closed, it lets the one who sends them end."""

    def __init__(self, size: int) -> None:
        self._room = asyncio.Semaphore(size)
        self._closed = False

    async def open(self) -> bool:
        """True once there is room for a message, False once no more are wanted."""
        await self._room.acquire()
        return not self._closed

    def release(self) -> None:
        self._room.release()

    def close(self) -> None:
        self._closed = True
        self._room.release()


class SingleDelivery:
    """One call a step, many rows at a time, rows of one lane one after the other."""

    def __init__(self, connection: Connection, tally: Tally, *, patience: float) -> None:
        self._connection = connection
        self._tally = tally
        self._seconds = patience
        self._patience: dict[str, Patience] = {}

    async def deliver(self, items: Iterable[Item], until: datetime | None = None) -> None:
        slots = asyncio.Semaphore(CALLS_UNDER_WAY)
        last: dict[tuple[object, ...], asyncio.Task[None]] = {}  # of each lane
        try:
            async with asyncio.TaskGroup() as group:
                for item in items:
                    # The tasks before hold their slots until they end, so each lane moves on.
                    await slots.acquire()
                    lane, before = item.lane, last.get(item.lane)
                    task = group.create_task(self._after(before, item, until))
                    last[lane] = task

                    def ended(
                        task: asyncio.Task[None], lane: tuple[object, ...] = item.lane
                    ) -> None:
                        slots.release()
                        if last.get(lane) is task:
                            del last[lane]

                    task.add_done_callback(ended)
        except BaseExceptionGroup as failures:
            raise _first_of(failures) from None

    async def _after(
        self, before: asyncio.Task[None] | None, item: Item, until: datetime | None
    ) -> None:
        if before is not None:
            await asyncio.wait({before})
        while not item.over and (until is None or item.step.due <= until):
            await self._take(item)

    async def _take(self, item: Item) -> None:
        """The item's next step, tried until it has an answer."""
        step = item.step
        patience = self._patience.setdefault(step.service, Patience(self._seconds, step.service))
        while True:
            try:
                answer = await self._call(step, item)
            except NothingThere as nothing:
                self._refused(item, nothing.problem)
                return
            except grpc.aio.AioRpcError as error:
                problem = explain(error)
                if problem.is_refusal or problem.code == "INTERNAL":
                    patience.renewed()
                    self._refused(item, problem)
                    return
                await patience.bear(problem)
            else:
                patience.renewed()
                self._done(item, step, answer)
                return

    async def _call(self, step: Step, item: Item) -> Any:
        """The answer; None where there was nothing left to ask for."""
        method = getattr(getattr(self._connection, step.service), step.method)
        told = item.step_request_id(), item.made
        if step.asking is not None:
            request = await step.asking(self._connection, *told)
        else:
            assert step.request is not None  # noqa: S101 - a step has one of the two
            request = step.request(*told)
        return None if request is None else await method(request, metadata=_AS_US)

    def _done(self, item: Item, step: Step, answer: Any) -> None:
        if step.made:
            item.made = getattr(answer, step.made)
        item.at += 1
        self._tally.progress.acknowledge([step.due.date()])
        if item.at == len(item.steps):
            item.over = True
            self._tally.recorded()

    def _refused(self, item: Item, problem: Problem) -> None:
        """The steps after a refused one are not tried: they would rest on nothing."""
        self._tally.bad(item.faults(problem))
        self._tally.progress.acknowledge(item.days())
        item.over = True


def _first_then(again: deque[Item], source: Iterator[Item]) -> Iterator[Item]:
    """What has to be sent again, taken out as it goes, and then what is new."""

    def waiting() -> Iterator[Item]:
        while again:
            yield again.popleft()

    return chain(waiting(), source)


def _only_early(problem: Problem) -> bool:
    return bool(problem.violations) and all(v.reason in IN_FUTURE for v in problem.violations)


def _first_of(failure: BaseException) -> BaseException:
    while isinstance(failure, BaseExceptionGroup):
        failure = failure.exceptions[0]
    return failure
