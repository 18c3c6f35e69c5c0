"""What a kind of file is: its columns, and what a row asks of which service."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from functools import cached_property
from typing import Any

from google.protobuf.message import Message

from cli.connect import Connection
from cli.imports import cells
from cli.imports.cells import START_OF_TIME, Reader
from kernel.clock import SHANGHAI
from kernel.rpc.errors import Problem
from kernel.rpc.validate import Check

Values = Mapping[str, Any]  # by column, as the column's reader gives them; empty cells are absent


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column. An optional one may be missing from the header or empty in a row."""

    name: str
    read: Reader
    required: bool = True
    personal: bool = False
    past: bool = False  # a day or moment that must not lie in the future


class NothingThere(Exception):  # noqa: N818 - it says what is
    """What a row is about does not exist: the row is bad, though no service refused it."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.reason)
        self.problem = problem


def nothing_there(reason: str, en: str, zh: str) -> Problem:
    """What a row is told whose subject nobody knows."""
    return Problem(
        code="NOT_FOUND",
        reason=reason,
        domain="",
        metadata={},
        violations=(),
        message=en,
        message_zh=zh,
        retry_after=None,
    )


# Of the request id and what the first step made. Raises `NothingThere`; None where it is done.
Asking = Callable[[Connection, str, str], Awaitable[Message | None]]


@dataclass(frozen=True, kw_only=True)
class Step:
    """One call that a row asks for; `request` or `asking` makes it."""

    name: str  # empty where it is the only one
    due: datetime
    service: str
    method: str
    # Of the request id and what the first step made.
    request: Callable[[str, str], Message] | None = None
    asking: Asking | None = None  # where services must be asked before the request is known
    columns: tuple[str, ...] = ()  # what the call is about: together they name it
    made: str = ""  # field of the answer that later steps need


@dataclass(frozen=True, kw_only=True)
class Bulk:
    """Rows that go many in a message, each with its own answer."""

    service: str
    method: str
    message: Callable[..., Message]
    row: Callable[[Values, str], Message]
    due: Callable[[Values], datetime]
    rows_a_message: int = 200  # no more than the service takes


@dataclass(frozen=True, kw_only=True)
class Single:
    """Rows that go one by one; those of one lane in the order of the file."""

    lane: tuple[str, ...]
    steps: Callable[[Values], tuple[Step, ...]]


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of file."""

    name: str
    title: str
    title_zh: str
    columns: tuple[Column, ...]
    delivery: Bulk | Single
    renamed: Mapping[str, str] = field(default_factory=dict)  # field of a request → column
    also: Callable[[Check, Values], None] | None = None  # what only several cells together tell
    about: Mapping[str, str] = field(default_factory=dict)  # reason of a refusal → column
    identity: tuple[str, ...] = ()  # columns that name the row; all where none are given

    @property
    def required(self) -> list[str]:
        return [column.name for column in self.columns if column.required]

    @property
    def optional(self) -> list[str]:
        return [column.name for column in self.columns if not column.required]

    @cached_property
    def personal(self) -> frozenset[str]:
        return frozenset(column.name for column in self.columns if column.personal)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)


def at_day(day: date) -> datetime:
    """The first moment of a business day."""
    return datetime.combine(day, time.min, SHANGHAI)


def column(name: str, read: Reader, **more: bool) -> Column:
    return Column(name=name, read=read, **more)


IDENTITY = column("identity_number", cells.identity_number, personal=True)
CREDIT_CODE = column("social_credit_code", cells.credit_code)
POOL = column("pool", cells.pool)


def at_once(service: str, method: str, request: Callable[[Values, str], Message]) -> Any:
    """The steps of a row that is one call and due at once."""
    return on_day(service, method, request, "")


def on_day(
    service: str, method: str, request: Callable[[Values, str], Message], column: str
) -> Callable[[Values], tuple[Step, ...]]:
    """The steps of a row that is one call and due on the day in a column."""

    def steps(values: Values) -> tuple[Step, ...]:
        due = at_day(values[column]) if column else START_OF_TIME
        return (
            Step(
                name="",
                due=due,
                service=service,
                method=method,
                request=lambda request_id, _made: request(values, request_id),
            ),
        )

    return steps


def whole(*groups: Sequence[str]) -> Callable[[Check, Values], None]:
    """A step is there with all of its columns or not at all, and not before the one before."""

    def also(check: Check, values: Values) -> None:
        missing = False  # a step before
        for group in groups:
            given = [name for name in group if name in values]
            if given and missing:
                check.fail(
                    given[0],
                    "STEP_MISSING",
                    "needs the columns of the step before",
                    "须先填写上一环节各列",
                )
            for name in group if given else ():
                if name not in values:
                    check.require(name, None)
            missing = missing or not given

    return also
