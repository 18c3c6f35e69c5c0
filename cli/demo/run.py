"""Runs the demo: starts the stack, feeds in the files of `examples/`, settles every month, checks.

The same commands a person has do the work: imports that follow the business clock, a settlement a
month and pool, and at the end a replay of every decision. All of it can be repeated: request ids
come from the content, so a second run on the same data changes nothing.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from pathlib import Path

from ltci.events.v1 import feed_pb2

from cli.connect import Connection
from cli.demo import outcome, pace, report
from cli.demo.draft import changed_in_mid_month, raised_caps
from cli.imports import ImportProgress, run_import
from cli.output import Failure, Output
from cli.people import person_ids
from cli.replay import feeds_of, replay_everything
from cli.settle import settle
from cli.up import clock_settings, new_stack, show_addresses
from cli.whatif import command as whatifs
from cli.whatif.compare import Comparison
from cli.whatif.page import Subject
from infra.embedded.stack import Stack, StackError, interrupted_by_signals
from kernel.calendar import Month, add_working_days
from kernel.config import Settings

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
BEGINS = "2024-01-02"
FIRST_MONTH, LAST_MONTH = Month(2024, 1), Month(2025, 12)
POOLS = ("320400", "510100")
RACE_ENDS = date(2026, 1, 17)  # the last settlement day is behind, no conclusion ends yet
SLOW_DAYS_PER_SECOND = 1.0
GATE_DAYS_PER_SECOND = 0.2
SECONDS_A_DAY = 86_400
SETTLEMENT_DAY = 10  # working days after the month's end, as both pools' packs say
BEFORE = ("providers", "prices", "caregivers", "persons", "transfers", "bank-accounts")
# While the clock runs, each after the rows of the same days that it stands on.
MEANWHILE: dict[str, tuple[str, ...]] = {
    "contributions": (),
    "payees": (),
    "plans": (),
    "merges": ("contributions",),
    "applications": ("contributions", "merges"),
    "objections": ("applications",),
    "reviews": ("applications", "objections"),
    "appeals": ("applications", "reviews"),
    "life-events": (),
    "moves": ("applications",),
    "sanctions": ("plans",),
    "inspections": (),
    "visits": ("plans", "sanctions"),
    "disputed-visits": ("visits",),
    "visit-corrections": ("visits",),
    "claims": ("visits",),
}
POLL = 0.1  # real seconds
RAISED = ("320400_changzhou", Fraction(11, 10))  # the what-if at the end: caps 10 % higher
QUIET = 2.0  # real seconds without an event
PATIENCE = 90.0  # real seconds for the last payments to be proven


@dataclass
class Run:
    """One run of the demo and what it has seen."""

    connection: Connection
    output: Output
    set_speed: Callable[[float], None]
    progress: dict[str, ImportProgress] = field(default_factory=dict)

    async def live(self) -> None:
        """From the first day to the last payment."""
        for kind in BEFORE:
            await self._import(kind)
        self.progress.update({kind: ImportProgress() for kind in MEANWHILE})
        async with asyncio.TaskGroup() as group:
            for kind in MEANWHILE:
                group.create_task(self._import(kind, follow=True))
            for pool in POOLS:
                group.create_task(self._settle_months(pool))
            group.create_task(self._wait_at_gates())
            group.create_task(self._slow_down())
        await self._until(self._all_paid, "payments", PATIENCE)

    async def _slow_down(self) -> None:
        """Once all facts are in, business days need not race past while the rest is paid."""
        slow = SLOW_DAYS_PER_SECOND * SECONDS_A_DAY
        await self._until(lambda: self._today() >= RACE_ENDS)
        if self.connection.clock().mapping().speed > slow:
            self.set_speed(slow)

    async def _wait_at_gates(self) -> None:
        """Where a day decides whether a dispute counts, the clock waits for the office."""
        slow = GATE_DAYS_PER_SECOND * SECONDS_A_DAY
        for gate in pace.gates(self.connection, EXAMPLES, self._reached_by):
            await self._until(lambda gate=gate: self._today() >= gate.day)  # type: ignore[misc]
            speed = self.connection.clock().mapping().speed
            if speed <= slow or await gate.holds():
                continue
            self.set_speed(slow)
            await self._until(gate.holds)
            self.set_speed(speed)

    async def _import(self, kind: str, *, follow: bool = False) -> None:
        found = await run_import(
            self.connection,
            kind,
            EXAMPLES / f"{kind.replace('-', '_')}.csv",
            follow=follow,
            progress=self.progress.get(kind),
            after=[self.progress[before] for before in MEANWHILE.get(kind, ())],
        )
        if not found.good:
            first = found.bad[0]
            raise Failure(
                f"{kind}: {found.bad_rows} rows were refused, the first in line {first.line}:"
                f" {first.reason}",
                f"{kind}：有 {found.bad_rows} 行被拒，首行为第 {first.line} 行：{first.reason}",
            )

    async def _settle_months(self, pool: str) -> None:
        month = FIRST_MONTH
        while month <= LAST_MONTH:
            settlement_day = add_working_days(month.last, SETTLEMENT_DAY)
            await self._until(lambda day=settlement_day: self._today() >= day)  # type: ignore[misc]
            await self._until(lambda last=month.last: self._reached() >= last)  # type: ignore[misc]
            await self._until(lambda last=month.last: self._delivered(pool, last))  # type: ignore[misc]
            settlement = await settle(self.connection, pool, month)
            report.settled(self.output, settlement, self._today())
            month = month.next()

    async def _delivered(self, pool: str, last: date) -> bool:
        """Whether every conclusion up to the day reached its person, so that the month is known."""
        return await outcome.undelivered_count(self.connection, pool, str(last)) == 0

    async def _all_paid(self) -> bool:
        return sum([await outcome.unpaid_count(self.connection, pool) for pool in POOLS]) == 0

    def _today(self) -> date:
        return self.connection.clock().today()

    def _reached_by(self, kind: str) -> date:
        """The same of one file."""
        return self.progress[kind].reached

    def _reached(self) -> date:
        """The day up to which every file's rows have been acknowledged."""
        days: list[date] = [progress.reached for progress in self.progress.values()]
        return min(days)

    @staticmethod
    async def _until(
        holds: Callable[[], bool | Awaitable[bool]], what: str = "", patience: float = 0
    ) -> None:
        end = time.monotonic() + patience
        while True:
            answer = holds()
            if answer if isinstance(answer, bool) else await answer:
                return
            if patience and time.monotonic() > end:
                raise Failure(f"still waiting for {what} after {patience:.0f} seconds")
            await asyncio.sleep(POLL)


def run_demo(data: Path, *, stay: bool, days_per_second: float, output: Output) -> bool:
    """Runs the whole demo; True where every life ended as expected and nothing differs."""
    stack = new_stack(data, clock_settings(days_per_second * SECONDS_A_DAY, BEGINS), output)
    with interrupted_by_signals() as interrupted:
        try:
            with stack:
                show_addresses(stack, output)
                good = _run_until(interrupted, _demo(stack, data, output))
                if stay and good is not None:
                    ui = stack.addresses()["temporal-ui"]
                    output.say(
                        f"Temporal UI: {ui} — Ctrl-C stops all",
                        f"Temporal 界面：{ui}，按 Ctrl-C 停止",
                    )
                    interrupted.wait()
        except StackError as error:
            raise Failure(str(error)) from None
    return bool(good)


async def _demo(stack: Stack, data: Path, output: Output) -> bool:
    started = time.monotonic()
    async with Connection(Settings.from_environment(stack.variables)) as connection:
        before = await _heads(connection)
        run = Run(connection, output, stack.set_speed)
        await run.live()
        stack.set_speed(1.0)
        await _quiet(connection)
        people = await _people(connection)
        found = await outcome.observe(connection, people, str(LAST_MONTH))
        differences = found.differences(outcome.expected_outcome(EXAMPLES))
        with output.err.status(output.text("replaying every decision", "正在重算全部裁定")):
            replayed = await replay_everything(connection.settings)
        with output.err.status(output.text("what if caps were higher", "正在测算提高限额")):
            asked, page = await _what_if(connection, data, output)
            changed = await _changed_in_mid_month(connection, data)
        differences += report.mid_month_differences(changed, outcome.expected_outcome(EXAMPLES))
        after = await _heads(connection)
        new_events = sum(after.values()) - sum(before.values())
        end = report.End(
            found=found,
            differences=differences,
            replayed=replayed,
            asked=asked,
            page=page,
            changed=changed,
            new_events=new_events,
            seconds=time.monotonic() - started,
        )
        report.show(output, end)
        return not differences and not replayed.differences and report.asked_well(asked)


async def _what_if(connection: Connection, data: Path, output: Output) -> tuple[Comparison, Path]:
    """What raising the caps would have changed in the two years, and the page that says so."""
    folder, by = RAISED
    rules = connection.settings.rules_folder
    draft = whatifs.draft_pack(raised_caps(rules, folder, by, data / "draft-rules"))
    within = whatifs.days(str(FIRST_MONTH.first), str(LAST_MONTH.last))
    asked = await whatifs.compared(connection.settings, draft, within)
    page = data / "whatif.html"
    whatifs.write_page(page, Subject(draft=draft, within=within, lang=output.lang), asked)
    return asked, page


async def _changed_in_mid_month(connection: Connection, data: Path) -> dict[str, int]:
    """What a subsidy that rises in the middle of a month would change, by month of care, in fen."""
    told = outcome.expected_outcome(EXAMPLES)["mid_month_change"]
    folder, _ = RAISED
    fen = dict.fromkeys((2, 3, 4, 5), told["subsidy_fen"])
    target = data / "draft-mid-month"
    rules = connection.settings.rules_folder
    draft = changed_in_mid_month(rules, folder, "carer_subsidy", told["from"], fen, target)
    months = [Month.parse(month) for month in told["difference_fen"]]
    within = whatifs.days(str(min(months).first), str(max(months).last))
    found = await whatifs.compared(connection.settings, whatifs.draft_pack(draft), within)
    return {line.label: line.difference for line in found.lines("month")}


async def _heads(connection: Connection) -> dict[str, int]:
    return {
        service: (await feed.GetHead(feed_pb2.GetHeadRequest())).position
        for service, feed in feeds_of(connection).items()
    }


async def _quiet(connection: Connection) -> None:
    """Returns once what was due while the clock ran has been done: no event for a while."""
    heads, since = await _heads(connection), time.monotonic()
    while time.monotonic() - since < QUIET:
        await asyncio.sleep(POLL)
        now = await _heads(connection)
        if now != heads:
            heads, since = now, time.monotonic()


async def _people(connection: Connection) -> dict[str, tuple[str, str]]:
    """The people of the files: identity number → pool, person."""
    expected = outcome.expected_outcome(EXAMPLES)["people"]
    numbers = list(expected)
    ids = await person_ids(connection, numbers)
    return {
        number: (expected[number]["pool"], person)
        for number, person in zip(numbers, ids, strict=True)
    }


def _run_until(interrupted: object, work: Awaitable[bool]) -> bool | None:
    """Runs the work; None where a signal asked to stop before it ended."""

    async def race() -> bool | None:
        running = asyncio.ensure_future(work)
        while not running.done():
            if interrupted.is_set():  # type: ignore[attr-defined]
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)
                return None
            await asyncio.wait([running], timeout=0.2)
        return running.result()

    try:
        return asyncio.run(race())
    except BaseExceptionGroup as group:
        raise _first(group) from None


def _first(group: BaseException) -> BaseException:
    while isinstance(group, BaseExceptionGroup):
        group = group.exceptions[0]
    return group
