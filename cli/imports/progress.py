"""How far an import is, and what came of it."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta

from cli.imports.faults import Fault

KEPT = 1000  # faults kept in memory; the report file has them all
_POLL = 0.02  # real seconds


@dataclass(kw_only=True)
class ImportReport:
    """What became of a file."""

    kind: str
    file: str
    rows: int = 0
    recorded: int = 0
    bad_rows: int = 0
    all_or_nothing: bool = False
    bad: list[Fault] = field(default_factory=list)  # the first thousand

    @property
    def good(self) -> bool:
        return self.bad_rows == 0

    def as_json(self) -> dict[str, object]:
        return {
            "kind": self.kind,
            "file": self.file,
            "rows": self.rows,
            "recorded": self.recorded,
            "bad_rows": self.bad_rows,
            "all_or_nothing": self.all_or_nothing,
            "faults": [fault.as_json() for fault in self.bad],
        }


class ImportProgress:
    """How far an import is, for bars and for those who wait for it."""

    def __init__(self) -> None:
        self.rows = 0  # read so far
        self.recorded = 0
        self.bad_rows = 0
        self.bytes_read = 0
        self.bytes_total = 0
        self.checking = False  # the pass before recording, with --all-or-nothing
        self._awaited: Counter[date] | None = None  # days of what is not acknowledged
        self._finished = False

    @property
    def reached(self) -> date:
        """Everything due up to and with this day has been acknowledged; date.max at the end."""
        if self._finished:
            return date.max
        if self._awaited is None:
            return date.min
        if not self._awaited:
            return date.max
        first = min(self._awaited)
        return first - timedelta(days=1) if first > date.min else first

    @property
    def awaits(self) -> bool:
        """Whether anybody was told what to expect on which day."""
        return self._awaited is not None

    @property
    def share(self) -> tuple[int, int]:
        """How much is done and how much there is: rows while it follows the clock, else bytes."""
        if self._awaited is None:
            return self.bytes_read, self.bytes_total
        return self.recorded + self.bad_rows, self.rows

    async def wait_until(self, day: date) -> None:
        """Returns once everything due up to and with the day has been acknowledged."""
        while self.reached < day:  # noqa: ASYNC110 - it moves with every answer
            await asyncio.sleep(_POLL)

    def expect(self, days: Iterable[date]) -> None:
        """What is due on these days will have to be acknowledged."""
        if self._awaited is None:
            self._awaited = Counter()
        self._awaited.update(days)

    def acknowledge(self, days: Iterable[date]) -> None:
        """What was due on these days has its answer, good or bad."""
        if self._awaited is None:
            return
        for day in days:
            self._awaited[day] -= 1
            if self._awaited[day] <= 0:
                del self._awaited[day]

    def finish(self) -> None:
        self._finished = True


class Tally:
    """Counts what becomes of the rows and passes the faults on."""

    def __init__(
        self, report: ImportReport, progress: ImportProgress, tell: Callable[[Fault], None] | None
    ) -> None:
        self.report = report
        self.progress = progress
        self._tell = tell

    def read(self) -> None:
        self.report.rows += 1
        self.progress.rows += 1

    def recorded(self) -> None:
        self.report.recorded += 1
        self.progress.recorded += 1

    def bad(self, faults: Iterable[Fault]) -> None:
        """A row that was not recorded, with everything that is wrong with it."""
        self.report.bad_rows += 1
        self.progress.bad_rows += 1
        for fault in faults:
            if len(self.report.bad) < KEPT:
                self.report.bad.append(fault)
            if self._tell is not None:
                self._tell(fault)

    def second_pass(self) -> None:
        """Begins to count anew: the pass before only checked."""
        self.report.rows = self.progress.rows = 0
