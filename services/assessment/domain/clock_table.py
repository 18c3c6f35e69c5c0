"""Which event starts a legal clock, where its last day comes from, and which event ends it.

The table of legal times (法定时限): one line for each clock. A new event with a last day of its
own is one more line. Pure: no clock, no I/O.
Source: 医保发〔2023〕29号 and local rules; the figures stand in the pool's pack.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kernel.calendar import DayKind
from services.assessment.domain import dispute_events as d
from services.assessment.domain import events as e
from services.assessment.domain.events import ClockStep as Step
from services.assessment.domain.reassessment import ReassessmentOrdered

ALWAYS: Callable[[Any], bool] = lambda _event: True  # noqa: E731 - a condition like the others


@dataclass(frozen=True, kw_only=True)
class Start:
    """An event that starts a clock. Its last day is told by the event, or counted by the pack."""

    event: type
    begins: str = ""  # field with the day it begins; empty: the day of the case's event before
    after: Step | None = None  # begins on the day this other clock ended
    due: str = ""  # field with the last day
    term: str = ""  # figure with the days, where no field tells the last one
    when: Callable[[Any], bool] = ALWAYS


@dataclass(frozen=True, kw_only=True)
class End:
    """An event by which the step is done."""

    event: type
    day: str = ""  # field with the day it was done; empty: the day of the case's event before
    when: Callable[[Any], bool] = ALWAYS


@dataclass(frozen=True, kw_only=True)
class Row:
    """One legal clock."""

    step: Step
    starts: tuple[Start, ...]
    ends: tuple[End, ...]
    counts: DayKind = DayKind.WORKING  # the days by which a pause moves a last day told
    reminder: str = ""  # figure that counts the reminder from the begin
    latest: bool = False  # done on the latest of the days told, not on the earliest
    pausable: bool = False
    period: bool = False  # runs out by itself: nobody can be late
    of_person: bool = False  # runs for the person in the pool, not for one application


def _kind(kind: e.ApplicationKind) -> Callable[[Any], bool]:
    return lambda event: bool(event.kind is kind)


PERIODIC = _kind(e.ApplicationKind.PERIODIC)
CHANGED = _kind(e.ApplicationKind.CHANGE_OF_STATE)

ROWS: tuple[Row, ...] = (
    Row(
        step=Step.COMPLETENESS_CHECK,
        starts=(
            Start(
                event=e.ApplicationSubmitted,
                begins="application_date",
                term="assessment.acceptance_check_days",
            ),
        ),
        ends=(
            End(event=e.SupplementRequested),
            End(event=e.ApplicationAccepted, day="accepted_date"),
            End(event=e.ApplicationRefused, day="refused_date"),
        ),
    ),
    Row(
        step=Step.SUPPLEMENT,
        starts=(Start(event=e.SupplementRequested, due="due_date"),),
        ends=(
            End(event=e.SupplementReceived, day="received_date"),
            End(event=e.ApplicationWithdrawn, day="withdrawn_date", when=lambda e: e.deemed),
        ),
        pausable=True,
    ),
    Row(
        step=Step.ON_SITE,
        starts=(
            Start(
                event=e.ApplicationAccepted,
                begins="accepted_date",
                term="assessment.on_site_days",
            ),
        ),
        ends=(End(event=e.OnSiteAssessed, day="assessed_date"),),
        pausable=True,
    ),
    Row(
        step=Step.CONCLUSION,
        starts=(
            Start(event=e.ApplicationAccepted, begins="accepted_date", due="conclusion_due_date"),
        ),
        ends=(End(event=e.ConclusionConfirmed, day="confirmed_date", when=lambda e: e.complete),),
        reminder="assessment.reminder_days",
        latest=True,  # all experts must have confirmed, in whatever order they are told
        pausable=True,
    ),
    Row(
        step=Step.PUBLICATION,
        starts=(
            Start(
                event=e.ConclusionConfirmed,
                after=Step.CONCLUSION,
                term="assessment.publication_days",
                when=lambda e: e.complete,
            ),
        ),
        ends=(
            End(event=e.ConclusionPublished, day="published_date"),
            End(event=e.ConclusionDelivered, day="delivered_date"),
        ),
        pausable=True,
    ),
    Row(
        step=Step.PUBLICITY,
        starts=(
            Start(event=e.ConclusionPublished, begins="published_date", due="publicity_end_date"),
        ),
        ends=(End(event=e.ConclusionDelivered, day="delivered_date"),),
        counts=DayKind.CALENDAR,
        period=True,
    ),
    Row(
        step=Step.DELIVERY,
        starts=(
            Start(
                event=e.ConclusionPublished,
                begins="publicity_end_date",
                term="assessment.delivery_days",
            ),
        ),
        ends=(End(event=e.ConclusionDelivered, day="delivered_date"),),
        pausable=True,
    ),
    Row(
        step=Step.REVIEW_REQUEST,
        starts=(
            Start(
                event=e.ConclusionDelivered,
                begins="delivered_date",
                term="assessment.review_request_days",
            ),
        ),
        ends=(),
        period=True,
    ),
    Row(
        step=Step.VALIDITY,
        starts=(
            Start(
                event=e.ConclusionDelivered,
                begins="conclusion_date",
                due="valid_until_date",
                when=lambda e: e.grade_eligible,
            ),
        ),
        ends=(End(event=e.ConclusionDelivered, day="effective_date"),),
        counts=DayKind.CALENDAR,
        period=True,
        of_person=True,
    ),
    Row(
        step=Step.PERIODIC_REASSESSMENT,
        starts=(Start(event=ReassessmentOrdered, due="due_date", when=PERIODIC),),
        ends=(End(event=e.ConclusionDelivered, day="conclusion_date", when=PERIODIC),),
        of_person=True,
    ),
    Row(
        step=Step.CHANGE_REASSESSMENT,
        starts=(Start(event=ReassessmentOrdered, due="due_date", when=CHANGED),),
        ends=(End(event=e.ConclusionDelivered, day="conclusion_date", when=CHANGED),),
        of_person=True,
    ),
    Row(
        step=Step.OBJECTION,
        starts=(Start(event=d.ObjectionFiled, begins="filed_date", due="due_date"),),
        ends=(End(event=d.ObjectionDecided, day="decided_date"),),
    ),
    Row(
        step=Step.REVIEW,
        starts=(
            Start(event=d.ReviewRequested, begins="requested_date", due="due_date"),
            Start(event=d.ReviewOrdered, begins="ordered_date", due="due_date"),
        ),
        ends=(End(event=d.ReviewConfirmed, day="confirmed_date", when=lambda e: e.complete),),
        latest=True,
    ),
    Row(
        step=Step.APPEAL,
        starts=(
            Start(
                event=d.AppealFiled,
                begins="filed_date",
                due="due_date",
                when=lambda e: e.due_date is not None,
            ),
        ),
        ends=(End(event=d.AppealDecided, day="decided_date"),),
        counts=DayKind.CALENDAR,
    ),
)
BY_STEP = {row.step: row for row in ROWS}

# The case is over: its clocks that still run need no more doing. Event, and field with its day.
CLOSED_BY: dict[type, str] = {
    e.ApplicationRefused: "refused_date",
    e.ApplicationWithdrawn: "withdrawn_date",
    e.AssessmentTerminated: "terminated_date",
}
EVENTS: frozenset[type] = frozenset(
    {
        *(start.event for row in ROWS for start in row.starts),
        *(end.event for row in ROWS for end in row.ends),
        *CLOSED_BY,
    }
)
