"""What may happen to an application, and when (评估管理). Pure: no clock, no I/O.

Source: 医保发〔2023〕29号 and local rules; the figures stand in the pool's pack. `today` of a
command is the business day; money depends on none of the days that come from it.
"""

from dataclasses import dataclass
from datetime import date
from typing import assert_never
from uuid import UUID

from kernel.refusal import Invalid, NotFound, Refused, Violation
from kernel.rules.pack import Pack
from kernel.rules.ruling import Fact
from services.assessment.domain import events as e
from services.assessment.domain import terms
from services.assessment.domain.applicant import CONCLUDED, Applicant, Application, State
from services.assessment.domain.grading import (
    Form,
    Question,
    check_scores,
    differing_items,
    experts,
    grade_in,
    last_day,
    rule_grade,
)


@dataclass(frozen=True, kw_only=True)
class SubmitApplication:
    told: e.ApplicationSubmitted

    @property
    def application(self) -> UUID:
        return self.told.application


@dataclass(frozen=True, kw_only=True)
class SupplyPapers:
    application: UUID
    received_date: date


@dataclass(frozen=True, kw_only=True)
class WithdrawApplication:
    application: UUID
    withdrawn_date: date
    deemed: bool
    today: date


@dataclass(frozen=True, kw_only=True)
class RefuseApplication:
    application: UUID
    reasons: tuple[str, ...]
    eligibility_decision: UUID | None
    today: date


@dataclass(frozen=True, kw_only=True)
class RecordOnSite:
    """One assessor's form. `earlier` are the forms on record, as facts for the ruling."""

    application: UUID
    assessor: str
    assessor_kind: e.AssessorKind
    assessed_date: date
    scores: tuple[e.ItemScore, ...]
    evidence_hashes: tuple[str, ...]
    earlier: tuple[Fact, ...] = ()
    code_version: str = ""


@dataclass(frozen=True, kw_only=True)
class ConfirmConclusion:
    application: UUID
    expert: str
    confirmed_date: date


@dataclass(frozen=True, kw_only=True)
class PublishConclusion:
    application: UUID
    today: date


@dataclass(frozen=True, kw_only=True)
class DeliverConclusion:
    application: UUID
    today: date


Command = (
    SubmitApplication
    | SupplyPapers
    | WithdrawApplication
    | RefuseApplication
    | RecordOnSite
    | ConfirmConclusion
    | PublishConclusion
    | DeliverConclusion
)


def decide(command: Command, applicant: Applicant, pack: Pack) -> list[e.Event]:
    """What the command makes happen: nothing, where it was obeyed before."""
    if isinstance(command, SubmitApplication):
        return _submit(command, applicant, pack)
    one = applicant.applications.get(command.application)
    if one is None:
        raise NotFound("application", command.application)
    match command:
        case SupplyPapers():
            return _supply(command, one, pack)
        case WithdrawApplication():
            return _withdraw(command, one)
        case RefuseApplication():
            return _refuse(command, one)
        case RecordOnSite():
            return _record(command, one, pack)
        case ConfirmConclusion():
            return _confirm(command, one, pack)
        case PublishConclusion():
            return _publish(command, one, pack)
        case DeliverConclusion():
            return _deliver(command, one, pack)
        case _:
            assert_never(command)


# -- from the application to its acceptance ----------------------------------------------------


def _submit(command: SubmitApplication, applicant: Applicant, pack: Pack) -> list[e.Event]:
    """Refuses DISABLED_TOO_SHORT, TOO_SOON_AFTER_LAST, APPLICATION_RUNNING.

    A periodic reassessment (定期评估) is ordered by the agency: it waits for no time to pass.
    """
    told = command.told
    if told.application in applicant.applications:
        return []
    on, since = told.application_date, told.disabled_since_date
    if not terms.long_enough_disabled(pack, since, on):
        raise Refused("DISABLED_TOO_SHORT", disabled_since_date=str(since))
    last = applicant.last_conclusion
    waits = told.kind is not e.ApplicationKind.PERIODIC
    if waits and last is not None and not terms.may_apply_again(pack, last, on):
        raise Refused("TOO_SOON_AFTER_LAST", conclusion_date=str(last))
    if applicant.running is not None:
        raise Refused("APPLICATION_RUNNING", application=str(applicant.running.application))
    if not told.missing_papers:
        return [told, _accepted(told.application, told.person, on, pack)]
    requested = e.SupplementRequested(
        application=told.application,
        person=told.person,
        missing_papers=told.missing_papers,
        due_date=terms.supplement_due(pack, on),
    )
    return [told, requested]


def _supply(command: SupplyPapers, one: Application, pack: Pack) -> list[e.Event]:
    """Refuses NOT_AWAITED. Papers that come late still count until the withdrawal."""
    if one.received == command.received_date:
        return []
    if one.state is not State.SUPPLEMENT_REQUESTED:
        raise Refused("NOT_AWAITED", state=one.state)
    day = command.received_date
    _not_before("received_date", day, one.application_date)
    received = e.SupplementReceived(
        application=one.application, person=one.person, received_date=day
    )
    return [received, _accepted(one.application, one.person, day, pack)]


def _withdraw(command: WithdrawApplication, one: Application) -> list[e.Event]:
    """Refuses CONCLUDED_ALREADY; NOT_OVERDUE where the applicant did not say so itself."""
    if one.state is State.WITHDRAWN:
        return []
    if one.state in CONCLUDED:
        raise Refused("CONCLUDED_ALREADY", state=one.state)
    if command.deemed and not _overdue(one, command.today):
        due = one.supplement_due
        raise Refused("NOT_OVERDUE", state=one.state, due_date=str(due) if due else "")
    _not_before("withdrawn_date", command.withdrawn_date, one.application_date)
    withdrawn = e.ApplicationWithdrawn(
        application=one.application,
        person=one.person,
        withdrawn_date=command.withdrawn_date,
        deemed=command.deemed,
    )
    return [withdrawn]


def _refuse(command: RefuseApplication, one: Application) -> list[e.Event]:
    """Refuses CONCLUDED_ALREADY."""
    if one.state is State.REFUSED:
        return []
    if one.state in CONCLUDED:
        raise Refused("CONCLUDED_ALREADY", state=one.state)
    refused = e.ApplicationRefused(
        application=one.application,
        person=one.person,
        reasons=command.reasons,
        eligibility_decision=command.eligibility_decision,
        refused_date=command.today,
    )
    return [refused]


def _accepted(application: UUID, person: UUID, day: date, pack: Pack) -> e.ApplicationAccepted:
    return e.ApplicationAccepted(
        application=application,
        person=person,
        accepted_date=day,
        conclusion_due_date=terms.conclusion_due(pack, day),
    )


def _overdue(one: Application, today: date) -> bool:
    if one.state is not State.SUPPLEMENT_REQUESTED or one.supplement_due is None:
        return False
    return today > one.supplement_due


# -- from the visit to the grade ---------------------------------------------------------------


def _record(command: RecordOnSite, one: Application, pack: Pack) -> list[e.Event]:
    """Refuses NOT_ACCEPTED, FORMS_DISAGREE, EXPERT_MISSING, CONCLUDED_ALREADY.

    An assessor may put an own form right until the set is complete.
    """
    check_scores(command.scores, pack.standard())
    assessed = _assessed(command, one)
    form = Form.of(assessed)
    if one.accepted is None or one.state in {State.REFUSED, State.WITHDRAWN}:
        raise Refused("NOT_ACCEPTED", state=one.state)
    if one.forms.get(form.assessor) == form:
        return []
    if one.grade is not None:
        raise Refused("CONCLUDED_ALREADY", state=one.state)
    _not_before("assessed_date", form.assessed_date, one.accepted)
    forms = [*(f for f in one.forms.values() if f.assessor != form.assessor), form]
    differing = differing_items(forms)
    if differing:
        raise Refused("FORMS_DISAGREE", items=",".join(differing))
    on = last_day(forms)
    if len(forms) < pack.integer("assessment.min_assessors", on):
        return [assessed]
    if experts(forms) < pack.integer("assessment.min_experts_on_site", on):
        raise Refused("EXPERT_MISSING", experts=str(experts(forms)))
    return [assessed, _graded(command, one, form, pack)]


def _graded(command: RecordOnSite, one: Application, form: Form, pack: Pack) -> e.AssessmentGraded:
    question = Question(application=one.application, person=one.person, pool=one.pool, form=form)
    ruling = rule_grade(question, command.earlier, pack, command.code_version)
    days = [other.assessed_date for other in one.forms.values()]
    return e.AssessmentGraded(
        application=one.application,
        person=one.person,
        pool=one.pool,
        grade=grade_in(ruling),
        assessed_date=max([form.assessed_date, *days]),
        ruling=ruling.to_bytes(),
    )


def _assessed(command: RecordOnSite, one: Application) -> e.OnSiteAssessed:
    return e.OnSiteAssessed(
        application=one.application,
        person=one.person,
        assessor=command.assessor,
        assessor_kind=command.assessor_kind,
        assessed_date=command.assessed_date,
        scores=command.scores,
        evidence_hashes=command.evidence_hashes,
    )


# -- from the grade to the delivered conclusion ------------------------------------------------


def _confirm(command: ConfirmConclusion, one: Application, pack: Pack) -> list[e.Event]:
    """Refuses NOT_GRADED, SAME_EXPERT_TWICE, CONCLUDED_ALREADY."""
    if one.assessed is None or one.state in {State.REFUSED, State.WITHDRAWN}:
        raise Refused("NOT_GRADED", state=one.state)
    if command.expert in one.confirmed:
        raise Refused("SAME_EXPERT_TWICE", confirmed_date=str(one.confirmed[command.expert]))
    if one.state in CONCLUDED:
        raise Refused("CONCLUDED_ALREADY", state=one.state)
    day = command.confirmed_date
    _not_before("confirmed_date", day, one.assessed)
    needed = pack.integer("assessment.confirming_experts", day)
    confirmed = e.ConclusionConfirmed(
        application=one.application,
        person=one.person,
        expert=command.expert,
        confirmed_date=day,
        complete=len(one.confirmed) + 1 >= needed,
    )
    return [confirmed]


def _publish(command: PublishConclusion, one: Application, pack: Pack) -> list[e.Event]:
    """Refuses NOT_CONFIRMED, NOT_FOR_PUBLICITY."""
    if one.publicity_end is not None:
        return []
    _confirmed(one)
    if not one.grade_eligible:
        raise Refused("NOT_FOR_PUBLICITY", grade=str(one.grade))
    published = e.ConclusionPublished(
        application=one.application,
        person=one.person,
        published_date=command.today,
        publicity_end_date=terms.publicity_end(pack, command.today),
    )
    return [published]


def _deliver(command: DeliverConclusion, one: Application, pack: Pack) -> list[e.Event]:
    """Refuses NOT_CONFIRMED, IN_PUBLICITY; an eligible grade is made public first."""
    if one.state is State.DELIVERED:
        return []
    conclusion, grade = _confirmed(one)
    end = one.publicity_end
    if one.grade_eligible and (end is None or command.today <= end):
        raise Refused("IN_PUBLICITY", publicity_end_date=str(end) if end else "")
    delivered = e.ConclusionDelivered(
        application=one.application,
        person=one.person,
        pool=one.pool,
        kind=one.kind,
        grade=grade,
        grade_eligible=one.grade_eligible,
        conclusion_date=conclusion,
        effective_date=terms.effective(conclusion),
        valid_until_date=terms.valid_until(pack, conclusion),
        delivered_date=command.today,
    )
    return [delivered]


def _confirmed(one: Application) -> tuple[date, int]:
    """Day and grade of the conclusion. Refuses NOT_CONFIRMED where there is none."""
    if one.conclusion is None or one.grade is None:
        raise Refused("NOT_CONFIRMED", state=one.state)
    return one.conclusion, one.grade


def _not_before(field: str, day: date, earliest: date) -> None:
    """A step of the procedure is not of a day before the step it follows."""
    if day < earliest:
        raise Invalid(
            [
                Violation(
                    field,
                    "TOO_EARLY",
                    f"must not be before {earliest}, the day of the step before",
                    f"不得早于上一环节的日期{earliest}",
                )
            ]
        )
