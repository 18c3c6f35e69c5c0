"""A person's care plans in one pool (护理服务计划), one after the other, never two at once.

All plans of a person in a pool are one stream, so that whether they overlap is decided in one
place. Pure: no clock, no I/O.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from typing import assert_never
from uuid import UUID

from kernel.refusal import NotFound, Refused
from services.provider.domain.place import Place
from services.provider.domain.provider import Provider
from services.provider.domain.standing import ServiceLine

REPLACED = "REPLACED"
_ONE_DAY = timedelta(days=1)


class CareForm(StrEnum):
    """Form of care (护理服务形式)."""

    HOME_VISITS = "home_visits"
    FAMILY_CARER = "family_carer"
    HOME_AGENCY = "home_agency"
    INSTITUTION = "institution"
    HOSPITAL = "hospital"
    COMMUNITY = "community"
    CARER_BESIDE = "carer_beside"


_AT_HOME = frozenset(
    {
        ServiceLine.HOME_VISITS,
        ServiceLine.VILLAGE_DOCTORS,
        ServiceLine.TOWNSHIP_HEALTH_CENTRES,
    }
)
# Which lines cover a form is a design reading: the document names the lines, not the forms.
_LINES_OF: Mapping[CareForm, frozenset[ServiceLine]] = {
    CareForm.HOME_VISITS: _AT_HOME,
    CareForm.FAMILY_CARER: _AT_HOME,
    CareForm.HOME_AGENCY: _AT_HOME,
    CareForm.CARER_BESIDE: _AT_HOME,
    CareForm.COMMUNITY: _AT_HOME | {ServiceLine.INSTITUTION},
    CareForm.INSTITUTION: frozenset({ServiceLine.INSTITUTION, ServiceLine.TOWNSHIP_HEALTH_CENTRES}),
    CareForm.HOSPITAL: frozenset({ServiceLine.HOSPITAL, ServiceLine.TOWNSHIP_HEALTH_CENTRES}),
}


def covers(provider: Provider, form: CareForm, day: date) -> bool:
    """Whether the provider's agreement of the day has a line for the form of care.

    Who was admitted without signed lines may give any form.
    """
    lines = provider.lines_on(day)
    return lines is None or not _LINES_OF[form].isdisjoint(lines)


@dataclass(frozen=True, kw_only=True)
class ApprovePlan:
    """`agreement` is the provider as it stands, `forms_offered` what the pool's rules offer."""

    plan: UUID
    person: UUID
    pool: str
    provider: UUID
    form: CareForm
    start_date: date
    place: Place
    agreement: Provider
    forms_offered: tuple[str, ...]
    provider_level: str = ""  # by the names that packs use


@dataclass(frozen=True, kw_only=True)
class EndPlan:
    plan: UUID
    end_date: date  # last day
    cause: str


Command = ApprovePlan | EndPlan


@dataclass(frozen=True, kw_only=True)
class PlanApproved:
    plan: UUID
    person: UUID
    pool: str
    provider: UUID
    form: CareForm
    start_date: date
    place: Place | None = None  # personal: gone with the person's key
    provider_level: str = ""  # by the names that packs use
    handed_over_from: UUID | None = None  # the plan this one took over from another provider


@dataclass(frozen=True, kw_only=True)
class PlanEnded:
    plan: UUID
    person: UUID
    pool: str
    end_date: date
    cause: str


Event = PlanApproved | PlanEnded


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One plan; open while it has no last day."""

    approved: PlanApproved
    end_date: date | None = None

    def in_force_on(self, day: date) -> bool:
        return self.approved.start_date <= day and (self.end_date is None or day <= self.end_date)


@dataclass(frozen=True, kw_only=True)
class Plans:
    """A person's plans in a pool, in the order of approval."""

    plans: tuple[Plan, ...] = ()

    def find(self, name: UUID) -> Plan | None:
        return next((plan for plan in self.plans if plan.approved.plan == name), None)

    def like(self, command: ApprovePlan) -> Plan | None:
        """The plan with the same content, whatever its id: the command was obeyed before."""
        wanted = (command.provider, command.form, command.start_date, command.place)
        for plan in self.plans:
            a = plan.approved
            if (a.provider, a.form, a.start_date, a.place) == wanted:
                return plan
        return None

    def meant_on(self, day: date) -> Plan | None:
        """The plan a visit of that day belongs to.

        Where none is in force on the day, the latest that began before it, else the first one
        to come: the visit does not count, and its ruling says against which plan.
        """
        for plan in self.plans:
            if plan.in_force_on(day):
                return plan
        by_start = sorted(self.plans, key=lambda plan: plan.approved.start_date)
        begun = [plan for plan in by_start if plan.approved.start_date <= day]
        return begun[-1] if begun else next(iter(by_start), None)


def decide(command: Command, plans: Plans) -> list[Event]:
    """What the command makes happen: nothing, where it was obeyed before.

    A new plan ends the open one the day before it starts. Refuses, in this order,
    PROVIDER_NOT_IN_POOL, AGREEMENT_NOT_IN_FORCE, AGREEMENT_SUSPENDED or AGREEMENT_ENDED,
    LINE_NOT_AGREED, FORM_NOT_OFFERED, PLAN_OVERLAPS; and
    ENDS_BEFORE_START for a last day before the first.
    """
    match command:
        case ApprovePlan():
            return [] if plans.like(command) else _approve(command, plans)
        case EndPlan():
            return _end(command, plans)
        case _:
            assert_never(command)


def evolve(plans: Plans, event: Event) -> Plans:
    """The plans after the event. It never refuses: what happened, happened."""
    match event:
        case PlanApproved():
            return Plans(plans=(*plans.plans, Plan(approved=event)))
        case PlanEnded(plan=name, end_date=day):
            return Plans(
                plans=tuple(
                    replace(plan, end_date=day) if plan.approved.plan == name else plan
                    for plan in plans.plans
                )
            )
        case _:
            assert_never(event)


def _approve(command: ApprovePlan, plans: Plans) -> list[Event]:
    _allowed(command)
    ended: list[Event] = []
    for plan in plans.plans:
        if plan.end_date is not None and plan.end_date < command.start_date:
            continue
        if plan.end_date is not None or plan.approved.start_date >= command.start_date:
            raise Refused("PLAN_OVERLAPS", plan=str(plan.approved.plan))
        ended.append(_ended(plan, command.start_date - _ONE_DAY, REPLACED))
    approved = PlanApproved(
        plan=command.plan,
        person=command.person,
        pool=command.pool,
        provider=command.provider,
        form=command.form,
        start_date=command.start_date,
        place=command.place,
        provider_level=command.provider_level,
    )
    return [*ended, approved]


def _allowed(command: ApprovePlan) -> None:
    admitted = command.agreement.admitted
    if admitted is None:
        raise NotFound("provider", command.provider)
    if admitted.pool != command.pool:
        raise Refused("PROVIDER_NOT_IN_POOL", provider=str(command.provider), pool=command.pool)
    problem = command.agreement.problem_on(command.start_date)
    if problem:
        raise Refused(problem, on=command.start_date.isoformat())
    if not covers(command.agreement, command.form, command.start_date):
        raise Refused("LINE_NOT_AGREED", form=command.form)
    if command.form not in command.forms_offered:
        raise Refused("FORM_NOT_OFFERED", form=command.form, pool=command.pool)


def _end(command: EndPlan, plans: Plans) -> list[Event]:
    plan = plans.find(command.plan)
    if plan is None:
        raise NotFound("plan", command.plan)
    if command.end_date < plan.approved.start_date:
        raise Refused("ENDS_BEFORE_START", start_date=plan.approved.start_date.isoformat())
    if plan.end_date is not None and plan.end_date <= command.end_date:
        return []  # it has ended by that day
    return [_ended(plan, command.end_date, command.cause)]


def _ended(plan: Plan, last_day: date, cause: str) -> PlanEnded:
    approved = plan.approved
    return PlanEnded(
        plan=approved.plan,
        person=approved.person,
        pool=approved.pool,
        end_date=last_day,
        cause=cause,
    )
