"""The legal clocks of a person's assessments in a pool (法定时限). Pure: no clock, no I/O.

`evolve` folds the events by the table of `clock_table`; `clock_of` says what a clock shows on a
day under a pack. Nothing about a clock is stored but what the events told.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from typing import Any
from uuid import UUID

from kernel.calendar import DayKind, Period, working_days, working_days_before
from kernel.rules.figure import FigureUnknown
from kernel.rules.pack import Pack
from services.assessment.domain import events as e
from services.assessment.domain.clock_table import (
    BY_STEP,
    CLOSED_BY,
    EVENTS,
    ROWS,
    End,
    Row,
    Start,
)
from services.assessment.domain.events import ClockStep as Step
from services.assessment.domain.pauses import ONE_DAY, Moved, Pause, moved

REMIND_BEFORE = "assessment.remind_before"
Case = UUID | None  # an application, or None: the person in the pool


class ClockState(StrEnum):
    """Where a clock stands."""

    RUNNING = "running"  # 计时中
    PAUSED = "paused"  # 中止计算
    OVERDUE = "overdue"  # 超期未办
    IN_TIME = "in_time"  # 按期办结
    LATE = "late"  # 超期办结
    OVER = "over"  # 期满
    VOID = "void"  # 无需办理


OPEN = frozenset({ClockState.RUNNING, ClockState.PAUSED, ClockState.OVERDUE})


@dataclass(frozen=True, kw_only=True)
class Run:
    """One running of a clock, as the events told it."""

    case: Case
    step: Step
    number: int = 1
    begins: date | None = None
    told_due: date | None = None
    term: str = ""  # figure of the pack that counts the last day, where none is told
    pauses: tuple[Pause, ...] = ()
    latest: date | None = None  # latest day of the events towards its end
    ended: date | None = None
    void: bool = False
    reminded: frozenset[date] = frozenset()  # last days
    missed: frozenset[date] = frozenset()

    @property
    def row(self) -> Row:
        return BY_STEP[self.step]

    @property
    def pause(self) -> Pause | None:
        """The pause that lasts, if any."""
        return next((one for one in self.pauses if one.resumed is None), None)


@dataclass(frozen=True, kw_only=True)
class Clocks:
    """All clocks of a person in a pool: each running by case and step, in its order."""

    runs: Mapping[tuple[Case, Step], tuple[Run, ...]] = field(default_factory=dict)
    days: Mapping[Case, date] = field(default_factory=dict)  # of each case's last dated event

    def current(self, case: Case, step: Step) -> Run | None:
        """The last running of a clock."""
        return self.runs.get((case, step), (None,))[-1]

    def of(self, case: Case) -> Iterator[Run]:
        """The runnings of a case, in the order of the steps."""
        for row in ROWS:
            yield from self.runs.get((case, row.step), ())

    def every(self) -> Iterator[Run]:
        for runs in self.runs.values():
            yield from runs

    def put(self, run: Run) -> "Clocks":
        """With this running in the place of the one of its number, or behind the others."""
        key = run.case, run.step
        others = [one for one in self.runs.get(key, ()) if one.number != run.number]
        return replace(self, runs={**self.runs, key: (*others, run)})


# The fold ----------------------------------------------------------------------------------------


def evolve(clocks: Clocks, event: Any) -> Clocks:
    """The clocks after an event; one that no clock asks for changes nothing."""
    match event:
        case e.ClockPaused():
            pause = Pause(reason=event.reason, first=event.from_date)
            return _on_run(clocks, event, lambda run: replace(run, pauses=(*run.pauses, pause)))
        case e.ClockResumed():
            return _on_run(clocks, event, lambda run: _resumed(run, event.resumed_date))
        case e.ClockReminded():
            return _on_run(
                clocks, event, lambda run: replace(run, reminded=run.reminded | {event.due_date})
            )
        case e.ClockMissed():
            return _on_run(
                clocks, event, lambda run: replace(run, missed=run.missed | {event.due_date})
            )
        case _ if type(event) in EVENTS:
            return _moved_by(clocks, event)
    return clocks


def _on_run(clocks: Clocks, event: Any, change: Any) -> Clocks:
    run = clocks.current(event.application, event.step)
    return clocks if run is None else clocks.put(change(run))


def _resumed(run: Run, day: date) -> Run:
    pauses = [replace(one, resumed=day) if one.resumed is None else one for one in run.pauses]
    return replace(run, pauses=tuple(pauses))


def _moved_by(clocks: Clocks, event: Any) -> Clocks:
    """First what the event ends, then what it closes, then what it starts."""
    application: Case = getattr(event, "application", None)
    dated: list[date] = []
    for row in ROWS:
        case = None if row.of_person else application
        for end in row.ends:
            if end.event is type(event):
                clocks = _ended(clocks, row, end, case, event, dated)
    if (day_field := CLOSED_BY.get(type(event))) is not None:
        clocks = _closed(clocks, application, getattr(event, day_field))
    for row in ROWS:
        case = None if row.of_person else application
        for start in row.starts:
            if start.event is type(event) and start.when(event):
                clocks = _started(clocks, row, start, case, event, dated)
    if not dated:
        return clocks
    # An event may also tell a day to come, at which another clock begins.
    return replace(clocks, days={**clocks.days, application: min(dated)})


def _ended(clocks: Clocks, row: Row, end: End, case: Case, event: Any, dated: list[date]) -> Clocks:
    run = clocks.current(case, row.step)
    day = getattr(event, end.day) if end.day else clocks.days.get(case)
    if run is None or day is None or run.void:
        return clocks
    if not row.of_person:
        dated.append(day)
    if row.latest:
        run = replace(run, latest=max(day, run.latest or day))
        return clocks.put(replace(run, ended=run.latest) if end.when(event) else run)
    if not end.when(event):
        return clocks
    return clocks.put(replace(run, ended=min(day, run.ended or day)))


def _closed(clocks: Clocks, case: Case, day: date) -> Clocks:
    for run in list(clocks.of(case)):
        if run.ended is None:
            clocks = clocks.put(replace(run, ended=day, void=True))
    return clocks


def _started(
    clocks: Clocks, row: Row, start: Start, case: Case, event: Any, dated: list[date]
) -> Clocks:
    """A clock that runs already gets its new last day; one that ended runs once more."""
    before = clocks.current(case, row.step)
    number = 1 if before is None else before.number + (before.ended is not None)
    begins = _begin(clocks, start, case, event)
    if start.begins and not row.of_person:
        dated.append(getattr(event, start.begins))
    fresh = Run(case=case, step=row.step, number=number)
    run = fresh if before is None or before.ended is not None else before
    return clocks.put(
        replace(
            run,
            begins=begins,
            told_due=getattr(event, start.due) if start.due else None,
            term=start.term,
        )
    )


def _begin(clocks: Clocks, start: Start, case: Case, event: Any) -> date | None:
    if start.after is not None:
        other = clocks.current(case, start.after)
        return other.ended if other else None
    if start.begins:
        day: date = getattr(event, start.begins)
        return day
    return clocks.days.get(case)


# What a clock shows ------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Clock:
    """A running of a clock as it shows on a day. Days left are working days."""

    run: Run
    state: ClockState
    due: date
    reminder: date | None
    paused_days: int
    days_left: int

    @property
    def is_open(self) -> bool:
        return self.state in OPEN

    @property
    def pause_reason(self) -> str:
        pause = self.run.pause
        return pause.reason if pause and self.state is ClockState.PAUSED else ""


def clock_of(run: Run, pack: Pack, today: date) -> Clock | None:
    """The clock on a day; None where the pack knows no last day for it."""
    last = last_day(run, pack, today)
    if last is None:
        return None
    now = run.ended or today
    return Clock(
        run=run,
        state=_state(run, last.due, today),
        due=last.due,
        reminder=_reminder(run, last, pack, now),
        paused_days=last.paused_days,
        days_left=_days_left(last.due, now),
    )


def last_day(run: Run, pack: Pack, today: date) -> Moved | None:
    """Its last day, moved by pauses; None where none is known.

    A pause that lasts is taken to last through today.
    """
    base = _base(run, pack)
    if base is None:
        return None
    due, kind = base
    return moved(due, run.pauses, kind, run.ended or today, run.begins)


def clocks_of(clocks: Clocks, case: Case, pack: Pack, today: date) -> tuple[Clock, ...]:
    """The clocks of a case on a day, in the order of the steps."""
    shown = (clock_of(run, pack, today) for run in clocks.of(case))
    return tuple(one for one in shown if one is not None)


def due_on(clocks: Clocks, case: Case, step: Step, pack: Pack, today: date) -> date | None:
    """The last day of a clock, moved by its pauses; None where it does not run."""
    run = clocks.current(case, step)
    shown = clock_of(run, pack, today) if run else None
    return shown.due if shown else None


def _base(run: Run, pack: Pack) -> tuple[date, DayKind] | None:
    """The last day without pauses, and which days count."""
    if run.told_due is not None:
        return run.told_due, run.row.counts
    if run.begins is None or not run.term:
        return None
    try:
        term = pack.term(run.term, run.begins)
    except FigureUnknown:
        return None
    return term.after(run.begins), term.kind


def _state(run: Run, due: date, today: date) -> ClockState:
    if run.void:
        return ClockState.VOID
    if run.row.period:
        return ClockState.OVER if run.ended or today > due else ClockState.RUNNING
    if run.ended is not None:
        return ClockState.IN_TIME if run.ended <= due else ClockState.LATE
    if today > due:
        return ClockState.OVERDUE
    return ClockState.PAUSED if run.pause else ClockState.RUNNING


def _reminder(run: Run, last: Moved, pack: Pack, now: date) -> date | None:
    """The day to remind (催办): an operating choice of the pool, without legal effect."""
    if run.row.period:
        return None
    try:
        if run.row.reminder and run.begins is not None:
            term = pack.term(run.row.reminder, run.begins)
            told = moved(term.after(run.begins), run.pauses, term.kind, now, run.begins)
            return min(told.due, last.due)
        before = pack.figure(REMIND_BEFORE, run.begins or last.due).numbers().get(run.step)
    except FigureUnknown:
        return None
    if before is None:
        return None
    day = working_days_before(last.due, before)
    return day if run.begins is None else max(day, run.begins)


def _days_left(due: date, today: date) -> int:
    if today == due:
        return 0
    if today < due:
        return working_days(Period(today + ONE_DAY, due))
    return -working_days(Period(due + ONE_DAY, today))
