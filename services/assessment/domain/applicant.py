"""All applications of one person in one pool, as their events left them. Pure: no clock, no I/O."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import NamedTuple, assert_never
from uuid import UUID

from kernel.rules.pack import Pack
from kernel.rules.ruling import Ruling
from services.assessment.domain import clocks as c
from services.assessment.domain import disputed
from services.assessment.domain import events as e
from services.assessment.domain.dispute_events import DisputeEvent
from services.assessment.domain.disputed import Disputed
from services.assessment.domain.grading import Form, differing_items
from services.assessment.domain.words import AssignedAssessor, AssignmentRound, Draw

State = e.ApplicationState
Recorded = e.Event | DisputeEvent  # all that stands in a person's stream of applications
OVER = frozenset({State.DELIVERED, State.REFUSED, State.WITHDRAWN, State.TERMINATED})
# From the confirmation on there is a conclusion; what ended without one is over as well.
CONCLUDED = frozenset({State.CONFIRMED, State.PUBLISHED}) | OVER


@dataclass(frozen=True, kw_only=True)
class Assignment:
    """Who was drawn to assess, and how; the last one of a round counts."""

    round: AssignmentRound
    assigned: tuple[AssignedAssessor, ...]
    draw: Draw
    day: date

    def kind_of(self, assessor: str) -> e.AssessorKind | None:
        """As what the assessor is assigned; None where not."""
        kinds = {one.assessor: one.assessor_kind for one in self.assigned}
        return kinds.get(assessor)


@dataclass(frozen=True, kw_only=True)
class Application:
    """One application (评估申请). Dates are None as long as they are not known."""

    application: UUID
    person: UUID
    pool: str
    kind: e.ApplicationKind
    application_date: date
    state: e.ApplicationState
    disabled_since: date
    submitted: e.ApplicationSubmitted
    rechecked: e.SelfAssessmentRechecked | None = None
    supplement_due: date | None = None
    received: date | None = None
    accepted: date | None = None
    conclusion_due: date | None = None
    forms: Mapping[str, Form] = field(default_factory=dict)  # by assessor
    settled: Mapping[str, e.ItemSettled] = field(default_factory=dict)  # by item
    assignments: tuple[Assignment, ...] = ()
    grade: int | None = None
    changed: e.GradeChanged | None = None  # where an expert changed the computed grade
    grade_eligible: bool = False
    assessed: date | None = None
    confirmed: Mapping[str, date] = field(default_factory=dict)  # by expert
    conclusion: date | None = None
    publicity_end: date | None = None
    valid_until: date | None = None
    reasons: tuple[str, ...] = ()
    terminated: e.AssessmentTerminated | None = None

    @property
    def self_grade(self) -> str:
        """The grade of the applicant's own form; "" without one."""
        return self.submitted.self_grade

    @property
    def differing(self) -> tuple[str, ...]:
        """Items on which the forms differ, settled or not."""
        return differing_items(list(self.forms.values()))

    def assignment(self, which: AssignmentRound = AssignmentRound.FIRST) -> Assignment | None:
        """Who assesses on site, as it stands; None where nobody was drawn."""
        of_round = [one for one in self.assignments if one.round is which]
        return of_round[-1] if of_round else None


class Listed(NamedTuple):
    """An application and whose it is; that never changes."""

    application_date: date
    application: UUID
    pool: str
    person: UUID


@dataclass(frozen=True, kw_only=True)
class Applicant:
    """What every application of the person in the pool must know of the others."""

    applications: Mapping[UUID, Application] = field(default_factory=dict)
    disputes: Mapping[UUID, Disputed] = field(default_factory=dict)  # by application
    clocks: c.Clocks = field(default_factory=c.Clocks)

    def disputed(self, application: UUID) -> Disputed:
        """What became of an application's conclusion; nothing, where nothing did."""
        return self.disputes.get(application, Disputed())

    @property
    def running(self) -> Application | None:
        """The application under way, if any."""
        return next((one for one in self.applications.values() if one.state not in OVER), None)

    @property
    def last_conclusion(self) -> date | None:
        days = [one.conclusion for one in self.applications.values() if one.conclusion]
        return max(days, default=None)

    @property
    def last_ended(self) -> date | None:
        """Day of the last conclusion or of the last assessment broken off (评估结论或终止评估)."""
        broken = [one.terminated for one in self.applications.values() if one.terminated]
        days = [one.terminated_date for one in broken]
        if self.last_conclusion is not None:
            days.append(self.last_conclusion)
        return max(days, default=None)

    def last_team(self, application: UUID) -> frozenset[str]:
        """Those on site at the last application before this one that came so far."""
        others = [one for one in self.applications.values() if one.application != application]
        teams = [
            (one.assessed or one.application_date, frozenset(one.forms))
            for one in others
            if len(one.forms) > 1
        ]
        return max(teams, key=lambda team: team[0])[1] if teams else frozenset()

    def as_on(self, one: Application, pack: Pack, today: date) -> Application:
        """The application with its last days as lawful pauses have moved them."""

        def due(step: e.ClockStep) -> date | None:
            return c.due_on(self.clocks, one.application, step, pack, today)

        return replace(
            one,
            supplement_due=due(e.ClockStep.SUPPLEMENT) or one.supplement_due,
            conclusion_due=due(e.ClockStep.CONCLUSION) or one.conclusion_due,
        )


def evolve(applicant: Applicant, event: Recorded) -> Applicant:
    """The applicant after the event."""
    if isinstance(event, disputed.Watched):
        after = disputed.evolve(applicant.disputed(event.application), event)
        applicant = replace(applicant, disputes={**applicant.disputes, event.application: after})
    if isinstance(event, DisputeEvent):
        return replace(applicant, clocks=c.evolve(applicant.clocks, event))
    if isinstance(event, e.ApplicationSubmitted):
        application = Application(
            application=event.application,
            person=event.person,
            pool=event.pool,
            kind=event.kind,
            application_date=event.application_date,
            state=State.SUPPLEMENT_REQUESTED,
            disabled_since=event.disabled_since_date,
            submitted=replace(event, agent_name=""),  # a name is no part of any decision
        )
    else:
        application = _changed(applicant.applications[event.application], event)
    return replace(
        applicant,
        applications={**applicant.applications, event.application: application},
        clocks=c.evolve(applicant.clocks, event),
    )


_Later = (
    e.SupplementRequested
    | e.SupplementReceived
    | e.ApplicationAccepted
    | e.ApplicationRefused
    | e.ApplicationWithdrawn
    | e.OnSiteAssessed
    | e.AssessmentGraded
    | e.ConclusionConfirmed
    | e.ConclusionPublished
    | e.ConclusionDelivered
    | e.SelfAssessmentRechecked
    | e.AssessorsAssigned
    | e.AssessorReplaced
    | e.ItemSettled
    | e.GradeChanged
    | e.AssessmentTerminated
    | e.ClockPaused
    | e.ClockResumed
    | e.ClockReminded
    | e.ClockMissed
)


def _changed(one: Application, event: _Later) -> Application:  # noqa: C901, PLR0912 - one line an event
    match event:
        case e.SupplementRequested():
            return replace(one, supplement_due=event.due_date)
        case e.SupplementReceived():
            return replace(one, received=event.received_date)
        case e.ApplicationAccepted():
            return replace(
                one,
                state=State.ACCEPTED,
                accepted=event.accepted_date,
                conclusion_due=event.conclusion_due_date,
            )
        case e.ApplicationRefused():
            return replace(one, state=State.REFUSED, reasons=event.reasons)
        case e.ApplicationWithdrawn():
            return replace(one, state=State.WITHDRAWN)
        case e.OnSiteAssessed():
            forms = {**one.forms, event.assessor: Form.of(event)}
            return replace(one, state=State.ON_SITE, forms=forms)
        case e.AssessmentGraded():
            return replace(
                one,
                state=State.GRADED,
                grade=event.grade,
                grade_eligible=not Ruling.parse(event.ruling).reasons,
                assessed=event.assessed_date,
            )
        case e.ConclusionConfirmed():
            return _confirmed(one, event)
        case e.ConclusionPublished():
            return replace(one, state=State.PUBLISHED, publicity_end=event.publicity_end_date)
        case e.ConclusionDelivered():
            # A review or a won appeal delivers another one in its place.
            return replace(
                one,
                state=State.DELIVERED,
                grade=event.grade,
                grade_eligible=event.grade_eligible,
                conclusion=event.conclusion_date,
                valid_until=event.valid_until_date,
            )
        case e.ClockPaused() | e.ClockResumed() | e.ClockReminded() | e.ClockMissed():
            return one  # the clocks beside it know
        case e.SelfAssessmentRechecked():
            return replace(one, rechecked=event)
        case e.AssessorsAssigned() | e.AssessorReplaced():
            return _assigned(one, event)
        case e.ItemSettled():
            return replace(one, settled={**one.settled, event.item: event})
        case e.GradeChanged():
            # Whoever confirmed before confirmed another grade.
            return replace(
                one,
                grade=event.grade,
                grade_eligible=not Ruling.parse(event.ruling).reasons,
                changed=event,
                confirmed={},
            )
        case e.AssessmentTerminated():
            return replace(one, state=State.TERMINATED, terminated=event)
        case _:
            assert_never(event)


def _assigned(one: Application, event: e.AssessorsAssigned | e.AssessorReplaced) -> Application:
    assignment = Assignment(
        round=event.assignment_round,
        assigned=event.assigned,
        draw=event.draw,
        day=event.assigned_date,
    )
    return replace(one, assignments=(*one.assignments, assignment))


def _confirmed(one: Application, event: e.ConclusionConfirmed) -> Application:
    confirmed = {**one.confirmed, event.expert: event.confirmed_date}
    if not event.complete:
        return replace(one, confirmed=confirmed)
    # The conclusion is of the day of the last confirmation, in whatever order they were told.
    return replace(
        one,
        state=State.CONFIRMED,
        confirmed=confirmed,
        conclusion=max(confirmed.values()),
    )
