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
from services.assessment.domain.grading import Form

State = e.ApplicationState
Recorded = e.Event | DisputeEvent  # all that stands in a person's stream of applications
OVER = frozenset({State.DELIVERED, State.REFUSED, State.WITHDRAWN})
# From the confirmation on there is a conclusion; what was refused or withdrawn is over as well.
CONCLUDED = frozenset({State.CONFIRMED, State.PUBLISHED}) | OVER


@dataclass(frozen=True, kw_only=True)
class Application:
    """One application (评估申请). Dates are None as long as they are not known."""

    application: UUID
    person: UUID
    pool: str
    kind: e.ApplicationKind
    application_date: date
    state: e.ApplicationState
    supplement_due: date | None = None
    received: date | None = None
    accepted: date | None = None
    conclusion_due: date | None = None
    forms: Mapping[str, Form] = field(default_factory=dict)  # by assessor
    grade: int | None = None
    grade_eligible: bool = False
    assessed: date | None = None
    confirmed: Mapping[str, date] = field(default_factory=dict)  # by expert
    conclusion: date | None = None
    publicity_end: date | None = None
    valid_until: date | None = None
    reasons: tuple[str, ...] = ()


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
        return applicant
    if isinstance(event, e.ApplicationSubmitted):
        application = Application(
            application=event.application,
            person=event.person,
            pool=event.pool,
            kind=event.kind,
            application_date=event.application_date,
            state=State.SUPPLEMENT_REQUESTED,
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
    | e.ClockPaused
    | e.ClockResumed
    | e.ClockReminded
    | e.ClockMissed
)


def _changed(one: Application, event: _Later) -> Application:  # noqa: C901 - one line an event
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
        case _:
            assert_never(event)


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
