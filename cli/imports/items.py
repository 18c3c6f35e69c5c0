"""Turns rows into what is sent: parsed values, due day, and request ids that never change.

The request id of a row is derived from its content and its occurrence in the file, so that the
same file again asks nothing new, and two rows alike are two facts.
"""

import datetime as dt
import hashlib
import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from cli.imports.cells import START_OF_TIME
from cli.imports.faults import Fault, column_of, column_of_unknown, of_refusal, of_violation, shown
from cli.imports.kinds import Bulk, Kind, Step, Values
from cli.imports.table import Row
from kernel.ids import derive
from kernel.refusal import Invalid, Violation
from kernel.rpc.errors import Problem
from kernel.rpc.validate import Check

# What a service says of a day or moment that has not come yet.
IN_FUTURE = frozenset({"DATE_IN_FUTURE", "TIME_IN_FUTURE"})


@dataclass(slots=True)
class Item:
    """A row that was read well, and how far its sending is."""

    kind: Kind
    line: int
    values: Values
    cells: Mapping[str, str]  # as they stand in the file
    request_id: str
    content: str
    occurrence: int
    steps: tuple[Step, ...] = ()
    due: dt.datetime = START_OF_TIME
    at: int = 0  # steps acknowledged
    made: str = ""  # what the first step made
    over: bool = False

    @property
    def lane(self) -> tuple[object, ...]:
        """Rows of one lane are sent in the order of the file."""
        delivery = self.kind.delivery
        if isinstance(delivery, Bulk):
            return (self.line,)
        return tuple(self.values.get(column, "") for column in delivery.lane)

    @property
    def step(self) -> Step:
        return self.steps[self.at]

    def days(self) -> list[dt.date]:
        """The days of what is not acknowledged yet."""
        if not self.steps:
            return [self.due.date()]
        return [step.due.date() for step in self.steps[self.at :]]

    def step_request_id(self) -> str:
        """The id of the next step: from what names the row and from what the step is about.

        A row that comes again with more steps filled in goes on where it was.
        """
        step = self.step
        if not step.name:
            return self.request_id
        about = canonical(self.values, step.columns)
        name = derive(
            "import", self.kind.name, self.content, str(self.occurrence), step.name, about
        )
        return str(name)

    def faults(self, problem: Problem) -> list[Fault]:
        """What a service found wrong with the row."""
        if problem.violations:
            return [self.fault(violation) for violation in problem.violations]
        step = self.steps[self.at].name if self.steps and self.at < len(self.steps) else ""
        column = column_of_unknown(problem, self.kind.names, self.kind.renamed)
        column = column or self.kind.about.get(problem.reason, "")
        return [of_refusal(self.line, problem, column, step)]

    def fault(self, violation: Violation) -> Fault:
        column = column_of(violation.field, self.kind.names, self.kind.renamed)
        return of_violation(self.line, violation, column, _shown(self.kind, self.cells, column))


class Items:
    """Makes items of one pass over a file. Use as a context manager."""

    def __init__(self, kind: Kind, now: dt.datetime | None) -> None:
        """`now` is given where rows of the future are bad rows."""
        self._kind = kind
        self._now = now

    def __enter__(self) -> Self:
        self._seen = Occurrences()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _e: BaseException | None, _t: TracebackType | None
    ) -> None:
        self._seen.close()

    def item(self, row: Row) -> Item | list[Fault]:
        """The row's item, or everything that its cells alone show to be wrong."""
        try:
            values = self._values(row)
        except Invalid as invalid:
            return [
                of_violation(
                    row.line, wrong, wrong.field, _shown(self._kind, row.cells, wrong.field)
                )
                for wrong in invalid.violations
            ]
        return self._named(row, values)

    def _shown(self, row: Row, column: str) -> str:
        return _shown(self._kind, row.cells, column)

    def _values(self, row: Row) -> Values:
        check = Check()
        values: dict[str, object] = {}
        for column in self._kind.columns:
            cell = row.cells.get(column.name, "")
            if not cell and column.required:
                check.require(column.name, cell)
            if cell:
                values[column.name] = column.read(check, column.name, cell)
        check.done()
        for column in self._kind.columns:
            if column.past and column.name in values:
                self._not_future(check, column.name, values[column.name])
        if self._kind.also is not None:
            self._kind.also(check, values)
        check.done()
        return values

    def _not_future(self, check: Check, column: str, value: object) -> None:
        if self._now is None:
            return
        if isinstance(value, dt.datetime):
            if value > self._now:
                check.fail(
                    column, "TIME_IN_FUTURE", "must not be in the future", "不得晚于当前时间"
                )
        elif isinstance(value, dt.date):
            check.not_future(column, value, self._now.date())

    def _named(self, row: Row, values: Values) -> Item:
        kind = self._kind
        content = canonical(values, kind.identity or kind.names)
        occurrence = self._seen.count(content)
        item = Item(
            kind=kind,
            line=row.line,
            values=values,
            cells=row.cells,
            request_id=str(derive("import", kind.name, content, str(occurrence))),
            content=content,
            occurrence=occurrence,
        )
        delivery = kind.delivery
        if isinstance(delivery, Bulk):
            item.due = delivery.due(values)
        else:
            item.steps = delivery.steps(values)
            item.due = item.steps[0].due
        return item


def _shown(kind: Kind, cells: Mapping[str, str], column: str) -> str:
    return shown(cells.get(column, ""), personal=column in kind.personal)


def canonical(values: Values, columns: Iterable[str]) -> str:
    """The content of these columns, the same for every way of writing the same values."""
    told = {name: str(values[name]) for name in columns if name in values}
    return json.dumps(told, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


class Occurrences:
    """How often each content came before in this file; on disk, as files may be huge."""

    def __init__(self) -> None:
        # A nameless SQLite database lives in a temporary file that vanishes with it.
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.executescript(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
            "CREATE TABLE seen (content BLOB PRIMARY KEY, times INTEGER NOT NULL) WITHOUT ROWID;"
            "BEGIN;"
        )

    def count(self, content: str) -> int:
        """How often the content came before: 0 the first time."""
        digest = hashlib.sha256(content.encode()).digest()[:16]
        (times,) = self._database.execute(
            "INSERT INTO seen VALUES (?, 1)"
            " ON CONFLICT (content) DO UPDATE SET times = times + 1 RETURNING times",
            (digest,),
        ).fetchone()
        return int(times) - 1

    def close(self) -> None:
        self._database.close()
