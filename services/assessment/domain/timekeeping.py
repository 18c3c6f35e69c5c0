"""Stopping, starting and noting legal clocks (中止、恢复计算与催办). Pure: no clock, no I/O."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import assert_never
from uuid import UUID

from kernel.refusal import Refused
from kernel.rules.pack import Pack
from services.assessment.domain import events as e
from services.assessment.domain.clock_table import ROWS
from services.assessment.domain.clocks import Clock, Clocks, ClockState, Run, clock_of
from services.assessment.domain.order import not_before

PAUSE_REASONS = "assessment.pause_reasons"


class ClockNotice(StrEnum):
    """What is recorded about a clock."""

    REMINDED = "reminded"  # 催办
    MISSED = "missed"  # 超期


@dataclass(frozen=True, kw_only=True)
class PauseClock:
    """Without a step: every clock of the application that runs and may be stopped."""

    application: UUID
    step: e.ClockStep | None
    reason: str
    from_date: date
    today: date


@dataclass(frozen=True, kw_only=True)
class ResumeClock:
    """Without a step: every clock of the application that stands."""

    application: UUID
    step: e.ClockStep | None
    resumed_date: date
    today: date


@dataclass(frozen=True, kw_only=True)
class NoteClock:
    application: UUID
    step: e.ClockStep
    notice: ClockNotice
    today: date


Timekeeping = PauseClock | ResumeClock | NoteClock


def decide(command: Timekeeping, person: UUID, clocks: Clocks, pack: Pack) -> list[e.Event]:
    """What the command makes happen to the application's clocks; refuses as the three below."""
    match command:
        case PauseClock():
            return pause(command, person, clocks, pack)
        case ResumeClock():
            return resume(command, person, clocks)
        case NoteClock():
            return note(command, person, clocks, pack)
        case _:
            assert_never(command)


def pause(command: PauseClock, person: UUID, clocks: Clocks, pack: Pack) -> list[e.Event]:
    """Refuses REASON_NOT_LAWFUL, NOT_RUNNING, ALREADY_PAUSED."""
    lawful = pack.texts(PAUSE_REASONS, command.from_date)
    if command.reason not in lawful:
        raise Refused("REASON_NOT_LAWFUL", lawful=",".join(lawful))
    running = [
        one
        for one in _open(command.application, command.step, clocks, pack, command.today)
        if one.run.row.pausable and command.from_date <= one.due
    ]
    if not running:
        raise Refused("NOT_RUNNING", step=command.step or "")
    told = [one.run for one in running if not _stands_so(one.run, command)]
    free = [run for run in told if run.pause is None]
    if told and not free:
        since = next(run.pause.first for run in told if run.pause)
        raise Refused("ALREADY_PAUSED", from_date=str(since))
    for run in free:
        not_before("from_date", command.from_date, run.begins or command.from_date)
    return [
        e.ClockPaused(
            application=command.application,
            person=person,
            step=run.step,
            reason=command.reason,
            from_date=command.from_date,
        )
        for run in free
    ]


def resume(command: ResumeClock, person: UUID, clocks: Clocks) -> list[e.Event]:
    """Refuses NOT_PAUSED."""
    runs = list(_runs(command.application, command.step, clocks))
    standing = [run for run in runs if run.ended is None and run.pause is not None]
    if not standing:
        if any(run.pauses and run.pauses[-1].resumed == command.resumed_date for run in runs):
            return []
        raise Refused("NOT_PAUSED", step=command.step or "")
    for run in standing:
        since = run.pause.first if run.pause else command.resumed_date
        not_before("resumed_date", command.resumed_date, since)
    return [
        e.ClockResumed(
            application=command.application,
            person=person,
            step=run.step,
            resumed_date=command.resumed_date,
        )
        for run in standing
    ]


def note(command: NoteClock, person: UUID, clocks: Clocks, pack: Pack) -> list[e.Event]:
    """Refuses NOT_RUNNING, TOO_SOON_TO_REMIND, NOT_OVERDUE; each last day is noted once."""
    shown = next(_open(command.application, command.step, clocks, pack, command.today), None)
    if shown is None or shown.run.row.period:
        raise Refused("NOT_RUNNING", step=command.step)
    due = shown.due
    if command.notice is ClockNotice.REMINDED:
        if due in shown.run.reminded:
            return []
        if shown.reminder is None or command.today < shown.reminder:
            day = str(shown.reminder) if shown.reminder else ""
            raise Refused("TOO_SOON_TO_REMIND", reminder_date=day)
        return [_reminded(command, person, due)]
    if due in shown.run.missed:
        return []
    if shown.state is not ClockState.OVERDUE:
        raise Refused("NOT_OVERDUE", state=shown.state, due_date=str(due))
    return [_missed(command, person, due)]


def _reminded(command: NoteClock, person: UUID, due: date) -> e.ClockReminded:
    return e.ClockReminded(
        application=command.application,
        person=person,
        step=command.step,
        due_date=due,
        reminded_date=command.today,
    )


def _missed(command: NoteClock, person: UUID, due: date) -> e.ClockMissed:
    return e.ClockMissed(
        application=command.application,
        person=person,
        step=command.step,
        due_date=due,
        missed_date=command.today,
    )


def _stands_so(run: Run, command: PauseClock) -> bool:
    """Whether the very pause is there: the command was obeyed before."""
    standing = run.pause
    return (
        standing is not None
        and standing.first == command.from_date
        and standing.reason == command.reason
    )


def _runs(application: UUID, step: e.ClockStep | None, clocks: Clocks) -> Iterator[Run]:
    for row in ROWS:
        run = clocks.current(application, row.step)
        if run is not None and step in {None, row.step}:
            yield run


def _open(
    application: UUID, step: e.ClockStep | None, clocks: Clocks, pack: Pack, today: date
) -> Iterator[Clock]:
    for run in _runs(application, step, clocks):
        shown = clock_of(run, pack, today)
        if shown is not None and shown.is_open:
            yield shown
