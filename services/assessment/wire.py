"""Answers of assessment: what a state looks like on the wire. It translates and nothing else."""

from collections.abc import Sequence
from datetime import date

from ltci.assessment.v1 import assessment_service_pb2 as pb
from ltci.assessment.v1 import assessment_types_pb2 as types
from ltci.assessment.v1 import intake_types_pb2 as intake

from services.assessment import wire_clocks
from services.assessment.domain import words as w
from services.assessment.domain.applicant import Application
from services.assessment.domain.clocks import Clock
from services.assessment.domain.events import ClockStep
from services.assessment.domain.reassessment import ReassessmentOrdered

UNSAID = "unspecified"


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
        intake=_intake(one),
        assigned=assigned(standing.assigned) if (standing := one.assignment()) else (),
        differences=_differences(one),
        grade_change=_grade_change(one),
        termination=_termination(one),
        deadlines=wire_clocks.deadlines(clocks),
    )


def assigned(people: Sequence[w.AssignedAssessor]) -> list[intake.AssignedAssessor]:
    """Who assesses on site."""
    return [
        intake.AssignedAssessor(
            assessor=who.assessor,
            assessor_kind=types.AssessorKind.Value(f"ASSESSOR_KIND_{who.assessor_kind.upper()}"),
        )
        for who in people
    ]


def draw(told: w.Draw) -> intake.Draw:
    """A draw, whole."""
    kinds, reasons = types.AssessorKind, intake.ExclusionReason
    return intake.Draw(
        number=told.number,
        purpose=told.purpose,
        drawn_date=told.drawn_date.isoformat(),
        commitment=told.commitment,
        candidates=[
            intake.DrawCandidate(
                assessor=one.assessor,
                assessor_kind=kinds.Value(f"ASSESSOR_KIND_{one.assessor_kind.upper()}"),
                weight=one.weight,
                near=one.near,
            )
            for one in told.candidates
        ],
        exclusions=[
            intake.DrawExclusion(
                assessor=one.assessor,
                reason=reasons.Value(f"EXCLUSION_REASON_{one.reason.upper()}"),
            )
            for one in told.exclusions
        ],
        drawn=told.drawn,
        kept=told.kept,
        last_team=told.last_team,
    )


def _intake(one: Application) -> pb.Intake:
    told = one.submitted
    kind, channel = told.applicant_kind, told.channel
    return pb.Intake(
        applicant_kind=intake.ApplicantKind.Value(f"APPLICANT_KIND_{(kind or UNSAID).upper()}"),
        channel=intake.ApplicationChannel.Value(
            f"APPLICATION_CHANNEL_{(channel or UNSAID).upper()}"
        ),
        service_point=str(told.service_point or ""),
        self_grade=told.self_grade,
        rechecked_self_grade=one.rechecked.self_grade if one.rechecked else "",
    )


def _differences(one: Application) -> list[pb.ItemDifference]:
    return [
        pb.ItemDifference(
            item=item,
            scores=[
                pb.AssessorScore(assessor=name, score=form.scores[item])
                for name, form in sorted(one.forms.items())
            ],
            settled_score=one.settled[item].score if item in one.settled else None,
        )
        for item in one.differing
    ]


def _grade_change(one: Application) -> pb.GradeChange | None:
    changed = one.changed
    if changed is None:
        return None
    return pb.GradeChange(
        computed_grade=changed.computed_grade,
        grade=changed.grade,
        reason=changed.reason,
        expert=changed.expert,
    )


def _termination(one: Application) -> pb.Termination | None:
    told = one.terminated
    if told is None:
        return None
    reason = f"TERMINATION_REASON_{told.termination_reason.upper()}"
    return pb.Termination(
        reason=intake.TerminationReason.Value(reason),
        terminated_date=told.terminated_date.isoformat(),
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
