"""Imports a file: reads it, checks it, sends it, and follows the business clock where asked."""

import asyncio
import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

from cli.connect import Connection
from cli.imports.cells import END_OF_TIME
from cli.imports.delivery import BulkDelivery, Delivery, delivery_for
from cli.imports.faults import Fault
from cli.imports.items import Item, Items
from cli.imports.kinds import KINDS, Bulk, Kind, at_day
from cli.imports.progress import ImportProgress, ImportReport, Tally
from cli.imports.table import CsvTable
from cli.output import BAD_INPUT, Failure
from kernel.clock import Clock

PATIENCE = 60.0  # real seconds for a service that is away
_SHORTEST_WAIT, _LONGEST_WAIT = 0.02, 0.5  # real seconds between two looks at the clock


class ImportStopped(Failure):
    """An import that could not go on; `report` says how far it came."""

    def __init__(self, why: Failure, report: ImportReport) -> None:
        super().__init__(
            why.en,
            why.zh,
            where=why.where,
            right=why.right,
            right_zh=why.right_zh,
            reason=why.reason,
            code=why.code,
        )
        self.report = report


async def run_import(
    connection: Connection,
    kind: str,
    file: Path,
    *,
    follow: bool = False,
    all_or_nothing: bool = False,
    progress: ImportProgress | None = None,
    patience: float = PATIENCE,
    after: Sequence[ImportProgress] = (),
    tell: Callable[[Fault], None] | None = None,
) -> ImportReport:
    """Imports a file and says what became of its rows; the good ones are kept.

    With `all_or_nothing` every row is checked first, and none is recorded if one is bad. With
    `follow` each row waits for its day on the business clock, and for the imports `after` to
    have reached that day. `tell` hears of every fault as it is found.
    Raises `Failure` where the file cannot be read, `ImportStopped` where a service stays away.
    """
    wanted = kind_of(kind)
    report = ImportReport(kind=wanted.name, file=str(file), all_or_nothing=all_or_nothing)
    tally = Tally(report, progress or ImportProgress(), tell)
    with CsvTable(file, wanted.required, wanted.optional) as table:
        tally.progress.bytes_total = table.size
        run = _Run(connection, wanted, table, tally, follow=follow, patience=patience)
        try:
            good = not all_or_nothing or await run.check()
            if good and follow:
                await run.follow(after)
            elif good:
                await run.send()
        except Failure as failure:
            raise ImportStopped(failure, report) from None
    tally.progress.finish()
    return report


def kind_of(name: str) -> Kind:
    """The kind of file by its name. Refuses (`Failure`) an unknown one."""
    kind = KINDS.get(name.replace("_", "-"))
    if kind is None:
        raise Failure(
            f"there is no kind of file called {name!r}",
            f"没有名为{name!r}的文件类型",
            right=f"one of: {', '.join(KINDS)}",
            right_zh=f"应为以下之一：{'、'.join(KINDS)}",
            reason="UNKNOWN_KIND",
            code=BAD_INPUT,
        )
    return kind


class _Run:
    """One import under way."""

    def __init__(
        self,
        connection: Connection,
        kind: Kind,
        table: CsvTable,
        tally: Tally,
        *,
        follow: bool,
        patience: float,
    ) -> None:
        self._connection = connection
        self._kind = kind
        self._table = table
        self._tally = tally
        self._follow = follow
        self._patience = patience

    async def check(self) -> bool:
        """Whether every row is good as far as can be told without recording any."""
        self._tally.progress.checking = True
        now = self._connection.clock().now()
        delivery = self._checking()
        with Items(self._kind, None if self._follow else now) as items:
            # A row that waits for its day is about facts that are not there yet.
            await delivery.deliver(
                item for item in self._read(items) if not self._follow or item.due <= now
            )
        self._tally.progress.checking = False
        if self._tally.report.bad_rows:
            return False
        self._tally.second_pass()
        return True

    async def send(self) -> None:
        """Sends every row, in the order of the file."""
        with Items(self._kind, self._connection.clock().now()) as items:
            await self._delivery().deliver(self._read(items))

    async def follow(self, after: Sequence[ImportProgress]) -> None:
        """Sends every row and step when its time has come, in the order of the times."""
        with Items(self._kind, None) as items:
            waiting = [(item.due, item.line, item) for item in self._read(items)]
        heapq.heapify(waiting)
        self._tally.progress.expect(day for _, _, item in waiting for day in item.days())
        delivery, clock = self._delivery(), self._connection.clock()
        while waiting:
            until = min(clock.now(), _end_of(min((p.reached for p in after), default=date.max)))
            due = list(_due(waiting, until))
            if not due:
                await asyncio.sleep(_wait(waiting[0][0], clock))
                continue
            await delivery.deliver(due, until)
            for item in due:
                if not item.over:
                    heapq.heappush(waiting, (item.step.due, item.line, item))

    def _read(self, items: Items) -> Iterator[Item]:
        """The good rows of one pass; the faults of the others are told."""
        for row in self._table.rows():
            self._tally.read()
            self._tally.progress.bytes_read = self._table.bytes_read
            item = row if isinstance(row, list) else items.item(row)
            if isinstance(item, list):
                self._tally.bad(item)
            else:
                yield item

    def _delivery(self) -> Delivery:
        return delivery_for(self._connection, self._kind, self._tally, patience=self._patience)

    def _checking(self) -> Delivery:
        bulk = self._kind.delivery
        if not isinstance(bulk, Bulk):
            return _NoDelivery()
        return BulkDelivery(
            self._connection,
            bulk,
            self._tally,
            patience=self._patience,
            validate_only=True,
            follow=self._follow,
        )


class _NoDelivery:
    """Takes the items and sends nothing: their cells were checked as they were read."""

    async def deliver(self, items: Iterable[Item], until: datetime | None = None) -> None:  # noqa: ARG002 - the interface
        for _ in items:
            pass


def _due(waiting: list[tuple[datetime, int, Item]], until: datetime) -> Iterator[Item]:
    """Takes out what has come due."""
    while waiting and waiting[0][0] <= until:
        yield heapq.heappop(waiting)[2]


def _end_of(day: date) -> datetime:
    """The last moment of a business day."""
    if day == date.max:
        return END_OF_TIME
    return at_day(day + timedelta(days=1)) - timedelta(microseconds=1)


def _wait(due: datetime, clock: Clock) -> float:
    """Real seconds to sleep: short, as the pace of the clock may change meanwhile."""
    mapping = clock.mapping()
    if due <= clock.now():
        return _SHORTEST_WAIT  # it waits for another import
    if mapping.speed == 0:
        return _LONGEST_WAIT
    left = (mapping.real_at(due) - clock.real_now()).total_seconds()
    return min(max(left, _SHORTEST_WAIT), _LONGEST_WAIT)
