"""From the application to its acceptance, refusal or withdrawal (申请与受理). Pure, no clock.

Source: 医保发〔2023〕29号 and local rules; the figures stand in the pool's pack.
"""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from kernel.refusal import Refused
from kernel.rules.pack import Pack
from kernel.rules.ruling import Ruling
from services.assessment.domain import events as e
from services.assessment.domain import terms
from services.assessment.domain.applicant import CONCLUDED, Applicant, Application, State
from services.assessment.domain.order import not_before


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
    """`ruling` is that of the decision on eligibility, where the refusal rests on one."""

    application: UUID
    reasons: tuple[str, ...]
    eligibility_decision: UUID | None
    today: date
    ruling: Ruling | None = None


def submit(command: SubmitApplication, applicant: Applicant, pack: Pack) -> list[e.Event]:
    """Refuses DISABLED_TOO_SHORT, TOO_SOON_AFTER_LAST, APPLICATION_RUNNING.

    A periodic reassessment (定期评估) and one after a spot check are ordered by the agency: they
    wait for no time to pass.
    """
    told = command.told
    if told.application in applicant.applications:
        return []
    on, since = told.application_date, told.disabled_since_date
    if not terms.long_enough_disabled(pack, since, on):
        raise Refused("DISABLED_TOO_SHORT", disabled_since_date=str(since))
    last = applicant.last_conclusion
    waits = told.kind in {e.ApplicationKind.FIRST, e.ApplicationKind.CHANGE_OF_STATE}
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


def supply(command: SupplyPapers, one: Application, pack: Pack) -> list[e.Event]:
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
    return [received, _accepted(one.application, one.person, day, pack)]


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


def refuse(command: RefuseApplication, one: Application) -> list[e.Event]:
    """Refuses CONCLUDED_ALREADY, ELIGIBILITY_OF_ANOTHER."""
    if one.state is State.REFUSED:
        return []
    ruling = command.ruling
    if ruling is not None and (ruling.subject, ruling.pool) != (str(one.person), one.pool):
        raise Refused("ELIGIBILITY_OF_ANOTHER", pool=one.pool)
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
