"""Bulk requests: many rows in one message, each a command of its own with its own outcome."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from google.protobuf.message import Message
from google.rpc import status_pb2
from ltci.type.v1 import bulk_pb2

from kernel.eventstore.handle import Call, Handler, Work
from kernel.rpc.errors import outcome_of, status_of
from kernel.rpc.validate import Check

MOST_ROWS = 500
R = TypeVar("R", bound=Message)
M = TypeVar("M", bound=Message)


@dataclass(frozen=True, kw_only=True)
class Row(Generic[M]):
    """A checked row: what it asks for, and the resource it is about."""

    call: Call
    work: Callable[[Work], Awaitable[M]]
    answer_class: type[M]
    name: Callable[[M], str]


def check_rows(rows: Sequence[Message], *, most: int = MOST_ROWS) -> None:
    """Refuses (`Invalid`) a message with more rows than it may have."""
    check = Check()
    check.between("rows", len(rows), 0, most)
    check.done()


@dataclass(frozen=True, slots=True)
class Numbered(Generic[M]):
    """A message of rows, and the place of its first one in the stream of messages."""

    request: M
    first_row: int


async def numbered(requests: AsyncIterator[M]) -> AsyncIterator[Numbered[M]]:
    """The messages with their places. Refuses (`Invalid`) one with too many rows."""
    first_row = 0
    async for request in requests:
        rows: Sequence[Message] = request.rows  # type: ignore[attr-defined]  # of every bulk request
        check_rows(rows)
        yield Numbered(request, first_row)
        first_row += len(rows)


async def answer_rows(
    handler: Handler,
    rows: Sequence[Row[M] | Exception],
    *,
    first_row: int,
    validate_only: bool,
    domain: str,
) -> list[bulk_pb2.RowResult]:
    """What became of each row, in their order. With `validate_only` nothing is recorded."""
    good = [row for row in rows if isinstance(row, Row)]
    outcomes = iter(await (_tried(handler, good) if validate_only else _done(handler, good)))
    results = []
    for place, row in enumerate(rows, start=first_row):
        outcome = next(outcomes) if isinstance(row, Row) else row
        result = bulk_pb2.RowResult(row=place, status=_status(outcome, domain))
        if isinstance(row, Row) and not isinstance(outcome, Exception):
            result.name = row.name(outcome)
        results.append(result)
    return results


async def _done(handler: Handler, rows: Sequence[Row[M]]) -> list[M | Exception]:
    return await handler.execute_many([(row.call, row.work, row.answer_class) for row in rows])


async def _tried(handler: Handler, rows: Sequence[Row[M]]) -> list[M | Exception]:
    """Decides as if it were meant, and keeps nothing."""
    outcomes: list[M | Exception] = []
    for row in rows:
        try:
            outcomes.append(await row.work(Work(handler, row.call)))
        except Exception as error:  # noqa: BLE001 - the caller answers row by row
            outcomes.append(error)
    return outcomes


def _status(outcome: object, domain: str) -> status_pb2.Status:
    if isinstance(outcome, Exception):
        return status_of(outcome_of(outcome), domain)
    return status_pb2.Status()
