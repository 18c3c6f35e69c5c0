"""From the application to its acceptance, refusal or withdrawal (申请与受理). Pure, no clock.

Source: 医保发〔2023〕29号 and local rules; the figures stand in the pool's pack.
Nothing is decided without a way to object: what stands against an application by law is recorded
with its ruling, and only what is no application at all is turned away unrecorded.
"""

from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from kernel.refusal import Invalid, Refused, Violation
from kernel.rules.pack import Pack
from kernel.rules.ruling import Fact, Ruling
from services.assessment.domain import admission, terms
from services.assessment.domain import events as e
from services.assessment.domain.applicant import CONCLUDED, Applicant, Application, State
from services.assessment.domain.order import not_before
from services.assessment.domain.self_assessment import grade_of
from services.assessment.domain.service_point import ServicePoint, must_be_open
from services.assessment.domain.words import SelfAssessmentItem


@dataclass(frozen=True, kw_only=True)
class Basis:
    """What a ruling on the admission stands on: the person's earlier endings, and the code."""

    facts: tuple[Fact, ...] = ()
    code_version: str = ""


@dataclass(frozen=True, kw_only=True)
class Recheck:
    """The operator's check of the self-assessment form (复核)."""

    items: tuple[SelfAssessmentItem, ...]
    operator: str
    rechecked_date: date


@dataclass(frozen=True, kw_only=True)
class SubmitApplication:
    """`today` is the day of a refusal; without it the day of the application is."""

    told: e.ApplicationSubmitted
    recheck: Recheck | None = None
    today: date | None = None
    basis: Basis = Basis()
    point: ServicePoint | None = None  # the one that helped

    @property
    def application(self) -> UUID:
        return self.told.application


@dataclass(frozen=True, kw_only=True)
class SupplyPapers:
    application: UUID
    received_date: date
    basis: Basis = Basis()


@dataclass(frozen=True, kw_only=True)
class WithdrawApplication:
    application: UUID
    withdrawn_date: date
    deemed: bool
    today: date


@dataclass(frozen=True, kw_only=True)
class RefuseApplication:
    """`ruling` is that of the decision on eligibility, where the refusal rests on one."""

    application: UUID
    reasons: tuple[str, ...]
    eligibility_decision: UUID | None
    today: date
    basis: Basis = Basis()
    ruling: Ruling | None = None  # of enrollment, where it rests on a decision on eligibility


@dataclass(frozen=True, kw_only=True)
class RecheckSelfAssessment:
    application: UUID
    recheck: Recheck
    today: date
    basis: Basis = Basis()


def submit(command: SubmitApplication, applicant: Applicant, pack: Pack) -> list[e.Event]:
    """Refuses APPLICATION_RUNNING, and (`Invalid`) a self-assessment form in part or missing."""
    if command.told.application in applicant.applications:
        return []
    if applicant.running is not None:
        raise Refused("APPLICATION_RUNNING", application=str(applicant.running.application))
    must_be_open(command.point, command.told)
    told = _graded_form(command, pack)
    events: list[e.Event] = [told]
    self_grade = told.self_grade
    if command.recheck is not None:
        rechecked = _rechecked(told.application, told.person, command.recheck, pack, "rechecked")
        events.append(rechecked)
        self_grade = rechecked.self_grade
    question = admission.Question(
        application=told.application,
        person=told.person,
        pool=told.pool,
        kind=told.kind,
        application_date=told.application_date,
        disabled_since_date=told.disabled_since_date,
        last_ended_date=applicant.last_ended,
        self_grade=self_grade,
    )
    ruling = _ruled(question, command.basis, pack)
    on = told.application_date
    if ruling.reasons:
        return [*events, _refused(ruling, question, command.today or on)]
    if not told.missing_papers:
        return [*events, _accepted(told.application, told.person, on, pack, ruling)]
    requested = e.SupplementRequested(
        application=told.application,
        person=told.person,
        missing_papers=told.missing_papers,
        due_date=terms.supplement_due(pack, on),
    )
    return [*events, requested]


def supply(
    command: SupplyPapers, one: Application, applicant: Applicant, pack: Pack
) -> list[e.Event]:
    """Refuses NOT_AWAITED. Papers that come late still count until the withdrawal."""
    if one.received == command.received_date:
        return []
    if one.state is not State.SUPPLEMENT_REQUESTED:
        raise Refused("NOT_AWAITED", state=one.state)
    day = command.received_date
    not_before("received_date", day, one.application_date)
    received = e.SupplementReceived(
        application=one.application, person=one.person, received_date=day
    )
    ruling = _ruled(_question(one, applicant), command.basis, pack)
    return [received, _accepted(one.application, one.person, day, pack, ruling)]


def withdraw(command: WithdrawApplication, one: Application) -> list[e.Event]:
    """Refuses CONCLUDED_ALREADY; NOT_OVERDUE where the applicant did not say so itself."""
    if one.state is State.WITHDRAWN:
        return []
    if one.state in CONCLUDED:
        raise Refused("CONCLUDED_ALREADY", state=one.state)
    if command.deemed and not _overdue(one, command.today):
        due = one.supplement_due
        raise Refused("NOT_OVERDUE", state=one.state, due_date=str(due) if due else "")
    not_before("withdrawn_date", command.withdrawn_date, one.application_date)
    withdrawn = e.ApplicationWithdrawn(
        application=one.application,
        person=one.person,
        withdrawn_date=command.withdrawn_date,
        deemed=command.deemed,
    )
    return [withdrawn]


def refuse(
    command: RefuseApplication, one: Application, applicant: Applicant, pack: Pack
) -> list[e.Event]:
    """Refuses CONCLUDED_ALREADY, ELIGIBILITY_OF_ANOTHER.

    `Invalid`: a reason of neither the pool's list nor enrollment.
    """
    if one.state is State.REFUSED:
        return []
    ruling = command.ruling
    if ruling is not None and (ruling.subject, ruling.pool) != (str(one.person), one.pool):
        raise Refused("ELIGIBILITY_OF_ANOTHER", pool=one.pool)
    if one.state in CONCLUDED:
        raise Refused("CONCLUDED_ALREADY", state=one.state)
    question = replace(
        _question(one, applicant),
        stated=command.reasons,
        eligibility_decision=command.eligibility_decision,
    )
    admission.check_reasons(question, pack)
    return [_refused(_ruled(question, command.basis, pack), question, command.today)]


def recheck(
    command: RecheckSelfAssessment, one: Application, applicant: Applicant, pack: Pack
) -> list[e.Event]:
    """The operator's check; below the gate it refuses the application.

    Refuses CONCLUDED_ALREADY, and ASSESSED_ALREADY once somebody assessed on site.
    """
    rechecked = _rechecked(one.application, one.person, command.recheck, pack, "items")
    if one.rechecked == rechecked:
        return []
    if one.state in CONCLUDED:
        raise Refused("CONCLUDED_ALREADY", state=one.state)
    if one.forms:
        raise Refused("ASSESSED_ALREADY", state=one.state)
    not_before("rechecked_date", command.recheck.rechecked_date, one.application_date)
    question = replace(_question(one, applicant), self_grade=rechecked.self_grade)
    ruling = _ruled(question, command.basis, pack)
    if ruling.reasons:
        return [rechecked, _refused(ruling, question, command.today)]
    return [rechecked]


def _graded_form(command: SubmitApplication, pack: Pack) -> e.ApplicationSubmitted:
    """What was told, with the grade of its form. `Invalid` where the pool asks for a form."""
    told, given = command.told, command.told.self_assessment
    needed = admission.needs_form(pack, told.application_date, told.kind)
    if needed and not given and command.recheck is None:
        words = "must be given: the pool asks for the self-assessment form", "本地须提交自评表"
        raise Invalid([Violation("self_assessment", "REQUIRED", *words)])
    return replace(told, self_grade=grade_of(given, pack.standard(), "self_assessment"))


def _rechecked(
    application: UUID, person: UUID, told: Recheck, pack: Pack, field: str
) -> e.SelfAssessmentRechecked:
    return e.SelfAssessmentRechecked(
        application=application,
        person=person,
        items=told.items,
        self_grade=grade_of(told.items, pack.standard(), field),
        operator=told.operator,
        rechecked_date=told.rechecked_date,
    )


def _question(one: Application, applicant: Applicant) -> admission.Question:
    return admission.Question(
        application=one.application,
        person=one.person,
        pool=one.pool,
        kind=one.kind,
        application_date=one.application_date,
        disabled_since_date=one.disabled_since,
        last_ended_date=applicant.last_ended,
        self_grade=one.rechecked.self_grade if one.rechecked else one.self_grade,
    )


def _ruled(question: admission.Question, basis: Basis, pack: Pack) -> Ruling:
    return admission.rule_admission(question, basis.facts, pack, basis.code_version)


def _refused(ruling: Ruling, question: admission.Question, day: date) -> e.ApplicationRefused:
    return e.ApplicationRefused(
        application=question.application,
        person=question.person,
        reasons=ruling.reasons,
        eligibility_decision=question.eligibility_decision,
        refused_date=day,
        ruling=ruling.to_bytes(),
    )


def _accepted(
    application: UUID, person: UUID, day: date, pack: Pack, ruling: Ruling
) -> e.ApplicationAccepted:
    return e.ApplicationAccepted(
        application=application,
        person=person,
        accepted_date=day,
        conclusion_due_date=terms.conclusion_due(pack, day),
        ruling=ruling.to_bytes(),
    )


def _overdue(one: Application, today: date) -> bool:
    if one.state is not State.SUPPLEMENT_REQUESTED or one.supplement_due is None:
        return False
    return today > one.supplement_due
