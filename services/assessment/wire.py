"""Answers of assessment: what a state looks like on the wire. It translates and nothing else."""

from collections.abc import Sequence
from datetime import date

from ltci.assessment.v1 import assessment_service_pb2 as pb
from ltci.assessment.v1 import assessment_types_pb2 as types

from services.assessment import wire_clocks
from services.assessment.domain.applicant import Application
from services.assessment.domain.clocks import Clock
from services.assessment.domain.events import ClockStep
from services.assessment.domain.reassessment import ReassessmentOrdered


def application(one: Application, clocks: Sequence[Clock]) -> pb.Application:
    """The application with the last days of what is under way."""
    reminders = [c.reminder for c in clocks if c.run.step is ClockStep.CONCLUSION]
    return pb.Application(
        application=str(one.application),
        person=str(one.person),
        pool=one.pool,
        kind=types.ApplicationKind.Value(f"APPLICATION_KIND_{one.kind.upper()}"),
        state=types.ApplicationState.Value(f"APPLICATION_STATE_{one.state.upper()}"),
        application_date=one.application_date.isoformat(),
        supplement_due_date=_day(one.supplement_due),
        reminder_date=_day(reminders[-1] if reminders else None),
        conclusion_due_date=_day(one.conclusion_due),
        publicity_end_date=_day(one.publicity_end),
        grade=one.grade or 0,
        grade_eligible=one.grade_eligible,
        conclusion_date=_day(one.conclusion),
        valid_until_date=_day(one.valid_until),
        reasons=one.reasons,
        deadlines=wire_clocks.deadlines(clocks),
    )


def reassessment(ordered: ReassessmentOrdered) -> pb.Reassessment:
    return pb.Reassessment(
        person=str(ordered.person),
        pool=ordered.pool,
        kind=types.ApplicationKind.Value(f"APPLICATION_KIND_{ordered.kind.upper()}"),
        due_date=ordered.due_date.isoformat(),
    )


def _day(day: date | None) -> str:
    return day.isoformat() if day else ""
