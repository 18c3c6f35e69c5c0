"""The contributions of a pool's year: determined, reminded of, and what follows (年度征缴).

Every day it waits for is asked of enrollment, which reads it in the pool's rules. Where these
do not say when contributions are to be paid, there is nothing to wait for and it ends.
"""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from kernel.calendar import Month
    from kernel.ids import derive
    from workflows.activities.contributions import (
        ContributionActivities,
        Done,
        Reminder,
        YearQuestion,
        YearRules,
        YearStep,
    )
    from workflows.business_time import BusinessTime, instant_of
    from workflows.messages import Collected, PoolYear
    from workflows.search_attributes import Board
    from workflows.timing import COMPUTE, FREEZE, READ, call, refusal_in

ONE_DAY = timedelta(days=1)
MONTHS_AFTER = 2  # of the year after: so long it looks for back payments


@dataclass(frozen=True, order=True)
class _Step:
    """What is to be done on a day: remind, close a last day to pay, or look for payments."""

    day: date
    kind: str
    due_date: str = ""


@workflow.defn
class ContributionYear:
    """Carries a pool's year through its last days to pay. Id `contributions/{pool}/{year}`."""

    @workflow.init
    def __init__(self, what: PoolYear) -> None:
        self._what = what
        self._time: BusinessTime | None = None
        self._board = Board(f"Contributions of {what.year} in {what.pool}")
        self._reminded: set[str] = set()
        self._closed: set[str] = set()
        self._next_look: date | None = None  # once somebody rests for arrears
        self._suspended = 0
        self._resumed = 0
        self._people_reminded = 0

    @workflow.run
    async def run(self, what: PoolYear) -> Collected:  # noqa: ARG002 - kept by __init__
        """Returns how many dues there were, who was reminded, suspended and counts again."""
        self._time = await BusinessTime.read()
        self._board.show("DETERMINING")
        dues = await call(
            COMPUTE, ContributionActivities.determine_pool_dues, self._step("determine")
        )
        while (step := self._next(await self._rules())) is not None:
            self._board.show(
                "RESTING" if self._next_look else "COLLECTING",
                waits_for=step.kind,
                deadline=instant_of(step.day),
                lines=[f"reminded {self._people_reminded}", f"suspended {self._suspended}"],
            )
            await self._clock.wait_until(_never, step.day)
            await self._do(step)
        self._board.show("CLOSED")
        return Collected(
            due_count=dues.done_count,
            not_determined_count=dues.not_done_count,
            due_fen=dues.due_fen,
            reminded_count=self._people_reminded,
            suspended_count=self._suspended,
            resumed_count=self._resumed,
        )

    @workflow.signal
    def clock_changed(self) -> None:
        """The business clock was set: days may be nearer than they seemed."""
        if self._time is not None:
            self._time.mark_stale()

    def _next(self, rules: YearRules) -> _Step | None:
        return min(self._steps(rules), default=None)

    def _steps(self, rules: YearRules) -> Iterator[_Step]:
        today = self._clock.today()
        for one in rules.deadlines:
            due = date.fromisoformat(one.due_date)
            if one.reminder_date and one.due_date not in self._reminded and today <= due:
                yield _Step(date.fromisoformat(one.reminder_date), "REMINDER", one.due_date)
            if one.due_date not in self._closed:
                yield _Step(due + ONE_DAY, "LAST_DAY_TO_PAY", one.due_date)
        last_look = Month(self._what.year + 1, MONTHS_AFTER).first
        if self._next_look is not None and self._next_look <= last_look:
            yield _Step(self._next_look, "BACK_PAYMENTS")

    async def _do(self, step: _Step) -> None:
        match step.kind:
            case "REMINDER":
                await self._remind(step.due_date)
            case "LAST_DAY_TO_PAY":
                await self._close(step.due_date)
            case _:
                await self._look()

    async def _remind(self, due_date: str) -> None:
        what = self._what
        reminder = Reminder(what.pool, what.year, due_date, self._request_id("remind", due_date))
        told = await call(FREEZE, ContributionActivities.remind_contributions, reminder)
        workflow.metric_meter().create_counter("ltci_reminders").add(1)
        self._people_reminded += told.person_count
        self._reminded.add(due_date)

    async def _close(self, due_date: str) -> None:
        """The last day is over: those who owe rest, where the pool's rules say so."""
        self._closed.add(due_date)
        if not (await self._rules()).arrears_suspend:
            return
        # Again, since people and groups may have changed after the year was opened.
        again = self._step("determine", due_date)
        await call(COMPUTE, ContributionActivities.determine_pool_dues, again)
        resting = await self._tried(
            ContributionActivities.suspend_for_arrears, self._step("suspend", due_date)
        )
        # Counted anew each time: those at rest since an earlier last day are among them.
        self._suspended = max(self._suspended, resting)
        if resting and self._next_look is None:
            self._next_look = Month.of(self._clock.today()).next().first

    async def _look(self) -> None:
        """Who has paid since counts again, from the day that the pool's rule gives."""
        day = self._next_look or self._clock.today()
        self._resumed += await self._tried(
            ContributionActivities.resume_after_payment, self._step("resume", f"{day}")
        )
        self._next_look = Month.of(day).next().first

    async def _tried(
        self, method: Callable[[Any, YearStep], Awaitable[Done]], step: YearStep
    ) -> int:
        """How many people it was done for; none where the pool's rules do not say how."""
        try:
            return (await call(COMPUTE, method, step)).done_count
        except ActivityError as error:
            workflow.logger.info("refused: %s", refusal_in(error).reason)
            return 0

    async def _rules(self) -> YearRules:
        question = YearQuestion(self._what.pool, self._what.year)
        return await call(READ, ContributionActivities.get_contribution_year, question)

    def _step(self, *step: str) -> YearStep:
        return YearStep(self._what.pool, self._what.year, self._request_id(*step))

    def _request_id(self, *step: str) -> str:
        return str(derive("workflow", workflow.info().workflow_id, *step))

    @property
    def _clock(self) -> BusinessTime:
        assert self._time is not None, "read at the start of run"  # noqa: S101
        return self._time


def _never() -> bool:
    return False
