"""Legal clocks on the wire (法定时限). It translates and nothing else."""

from collections.abc import Iterable
from uuid import UUID

from ltci.assessment.v1 import clock_types_pb2 as types

from services.assessment.domain.clocks import Clock
from services.assessment.domain.events import ClockStep


def step(one: ClockStep) -> "types.ClockStep.ValueType":
    return types.ClockStep.Value(f"CLOCK_STEP_{one.upper()}")


def clock(one: Clock, pool: str, person: UUID) -> types.Clock:
    run = one.run
    return types.Clock(
        application=str(run.case) if run.case else "",
        pool=pool,
        person=str(person),
        step=step(run.step),
        run_number=run.number,
        state=types.ClockState.Value(f"CLOCK_STATE_{one.state.upper()}"),
        begin_date=run.begins.isoformat() if run.begins else "",
        due_date=one.due.isoformat(),
        reminder_date=one.reminder.isoformat() if one.reminder else "",
        end_date=run.ended.isoformat() if run.ended else "",
        paused_days_count=one.paused_days,
        pause_reason=one.pause_reason,
        working_days_left_count=one.days_left,
        reminded=one.due in run.reminded,
        missed=one.due in run.missed,
        period=run.row.period,
    )


def deadlines(clocks: Iterable[Clock]) -> list[types.Deadline]:
    """Of what is under way; nothing in it depends on the day, unless a clock stands."""
    return [
        types.Deadline(
            step=step(one.run.step),
            due_date=one.due.isoformat(),
            reminder_date=one.reminder.isoformat() if one.reminder else "",
            pause_reason=one.pause_reason,
            reminded=one.due in one.run.reminded,
            missed=one.due in one.run.missed,
            period=one.run.row.period,
        )
        for one in clocks
        if one.run.ended is None
    ]
