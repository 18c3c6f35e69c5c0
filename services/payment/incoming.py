"""Events of the other services as facts of payment: the only place that reads their messages.

Each is followed by its exact type. Where a service writes a newer version of one, this table
must learn it first; a test compares the table with what the services write.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from google.protobuf.message import Message
from ltci.assessment.v1 import dispute_types_pb2 as dispute_types
from ltci.assessment.v1 import events_pb2 as assessment_pb
from ltci.enrollment.v1 import enrollment_types_pb2 as enrollment_types
from ltci.enrollment.v1 import events_pb2 as enrollment_pb
from ltci.provider.v1 import events_pb2 as provider_pb
from ltci.provider.v1 import provider_types_pb2 as provider_types

from kernel.money import Money
from kernel.rules.ruling import FactRef
from services.payment.domain.facts import (
    Authority,
    CareForm,
    ClaimLine,
    Conclusion,
    CoverageChanged,
    CoverageEnded,
    CoverageResumed,
    CoverageStarted,
    CoverageSuspended,
    Delivered,
    FlagDecided,
    Flagged,
    LifeEvent,
    LifeEventKind,
    LifeEventWithdrawn,
    Merged,
    PersonFact,
    Plan,
    PlanEnd,
    Rejected,
    Split,
)

ENROLLMENT, ASSESSMENT, PROVIDER = "enrollment", "assessment", "provider"
SOURCES = (ENROLLMENT, ASSESSMENT, PROVIDER)


def _type_of(message_class: type[Message]) -> str:
    return f"{message_class.DESCRIPTOR.full_name}/1"


CONTRIBUTION = _type_of(enrollment_pb.ContributionCollected)
REFUND = _type_of(enrollment_pb.ContributionRefunded)
CONCLUSION = _type_of(assessment_pb.ConclusionDelivered)
REASSESSMENT = _type_of(assessment_pb.ReassessmentConcluded)
DELIVERED = _type_of(provider_pb.ServiceDelivered)
CLAIM_LINES = (_type_of(provider_pb.ClaimLineMatched), _type_of(provider_pb.ClaimLineRefused))

Read = Callable[[Any, FactRef], PersonFact]
_AUTHORITIES = {
    dispute_types.AUTHORITY_REVIEW: Authority.REVIEW,
    dispute_types.AUTHORITY_APPEAL: Authority.APPEAL,
}


def _conclusion(m: assessment_pb.ConclusionDelivered, ref: FactRef) -> Conclusion:
    return Conclusion(
        ref=ref,
        application=UUID(m.application),
        grade=m.grade,
        eligible=m.grade_eligible,
        conclusion_date=date.fromisoformat(m.conclusion_date),
        effective_date=date.fromisoformat(m.effective_date),
        valid_until_date=date.fromisoformat(m.valid_until_date),
        authority=_AUTHORITIES.get(m.authority, Authority.ORDINARY),
        round=m.round or 1,
    )


def _stop(m: assessment_pb.ReassessmentConcluded, ref: FactRef) -> Conclusion:
    """The stop of who refused a reassessment: a rule's consequence.

    What people assessed has a conclusion of its own, and needs no second fact.
    """
    first_day = date.fromisoformat(m.effective_date)
    return Conclusion(
        ref=ref,
        application=UUID(m.application),
        grade=m.grade,
        eligible=False,
        conclusion_date=date.fromisoformat(m.concluded_date),
        effective_date=first_day,
        valid_until_date=first_day,
        authority=Authority.AUTOMATIC,
        round=0,
    )


def _life_event(m: enrollment_pb.LifeEventReported, ref: FactRef) -> LifeEvent:
    kind = enrollment_types.LifeEventKind.Name(m.kind).removeprefix("LIFE_EVENT_KIND_")
    source = enrollment_types.FactSource.Name(m.source).removeprefix("FACT_SOURCE_").lower()
    return LifeEvent(
        ref=ref,
        life_event=UUID(m.life_event),
        pool=m.pool,
        kind=LifeEventKind(kind.lower()),
        event_date=date.fromisoformat(m.event_date),
        source="" if source == "unspecified" else source,
        denied=m.denied,
    )


def _withdrawal(m: enrollment_pb.LifeEventWithdrawn, ref: FactRef) -> LifeEventWithdrawn:
    return LifeEventWithdrawn(ref=ref, life_event=UUID(m.life_event))


def _coverage_ended(m: enrollment_pb.CoverageEnded, ref: FactRef) -> CoverageEnded:
    return CoverageEnded(ref=ref, end_date=date.fromisoformat(m.end_date))


def _coverage_started(m: enrollment_pb.CoverageStarted, ref: FactRef) -> CoverageStarted:
    return CoverageStarted(
        ref=ref,
        start_date=date.fromisoformat(m.start_date),
        group=_group(m.group),
        tier=m.tier,
        statuses=tuple(m.statuses),
    )


def _coverage_changed(m: enrollment_pb.CoverageChanged, ref: FactRef) -> CoverageChanged:
    return CoverageChanged(
        ref=ref,
        change_date=date.fromisoformat(m.change_date),
        group=_group(m.group),
        tier=m.tier,
        statuses=tuple(m.statuses),
    )


def _merged(m: enrollment_pb.PersonsMerged, ref: FactRef) -> Merged:
    return Merged(
        ref=ref,
        person=UUID(m.person),
        survivor=UUID(m.survivor),
        duplicate=UUID(m.duplicate),
        merged_date=date.fromisoformat(m.merged_date),
    )


def _split(m: enrollment_pb.PersonsSplit, ref: FactRef) -> Split:
    return Split(
        ref=ref,
        person=UUID(m.person),
        survivor=UUID(m.survivor),
        duplicate=UUID(m.duplicate),
    )


def _suspended(m: enrollment_pb.CoverageSuspended, ref: FactRef) -> CoverageSuspended:
    return CoverageSuspended(
        ref=ref, suspension=UUID(m.suspension), from_date=date.fromisoformat(m.from_date)
    )


def _resumed(m: enrollment_pb.CoverageResumed, ref: FactRef) -> CoverageResumed:
    return CoverageResumed(
        ref=ref, suspension=UUID(m.suspension), resume_date=date.fromisoformat(m.resume_date)
    )


def _group(number: "enrollment_types.InsuredGroup.ValueType") -> str:
    group = enrollment_types.InsuredGroup.Name(number).removeprefix("INSURED_GROUP_").lower()
    return "" if group == "unspecified" else group


def _plan(m: provider_pb.PlanApproved, ref: FactRef) -> Plan:
    form = provider_types.CareForm.Name(m.form).removeprefix("CARE_FORM_")
    return Plan(
        ref=ref,
        plan=UUID(m.plan),
        provider=UUID(m.provider),
        form=CareForm(form.lower()),
        start_date=date.fromisoformat(m.start_date),
        level=m.provider_level,
    )


def _plan_end(m: provider_pb.PlanEnded, ref: FactRef) -> PlanEnd:
    return PlanEnd(ref=ref, plan=UUID(m.plan), end_date=date.fromisoformat(m.end_date))


def _delivered(m: provider_pb.ServiceDelivered, ref: FactRef) -> Delivered:
    return Delivered(
        ref=ref,
        visit=UUID(m.visit),
        plan=UUID(m.plan),
        provider=UUID(m.provider),
        care_date=date.fromisoformat(m.care_date),
        cost=Money(m.cost_fen),
        minutes=m.minutes,
        staff=m.staff,
        medical_cost=Money(m.medical_cost_fen),
    )


def _rejected(m: provider_pb.ServiceRejected, ref: FactRef) -> Rejected:
    return Rejected(ref=ref, visit=UUID(m.visit))


def _flagged(m: provider_pb.RiskFlagged, ref: FactRef) -> Flagged:
    return Flagged(ref=ref, flag=UUID(m.flag), visit=UUID(m.visit), detector=m.detector)


def _cleared(m: provider_pb.RiskCleared, ref: FactRef) -> FlagDecided:
    return FlagDecided(ref=ref, flag=UUID(m.flag), visit=UUID(m.visit), confirmed=False)


def _confirmed(m: provider_pb.RiskConfirmed, ref: FactRef) -> FlagDecided:
    return FlagDecided(ref=ref, flag=UUID(m.flag), visit=UUID(m.visit), confirmed=True)


def _claim_matched(m: provider_pb.ClaimLineMatched, ref: FactRef) -> ClaimLine:
    return ClaimLine(
        ref=ref, line=UUID(m.line), visit=UUID(m.visit), approved=Money(m.approved_fen)
    )


def _claim_refused(m: provider_pb.ClaimLineRefused, ref: FactRef) -> ClaimLine:
    return ClaimLine(ref=ref, line=UUID(m.line), visit=UUID(m.visit), approved=None)


_FACTS: Mapping[str, Mapping[str, tuple[type[Message], Read]]] = {
    source: {_type_of(message): (message, read) for message, read in table}
    for source, table in {
        ENROLLMENT: (
            (enrollment_pb.LifeEventReported, _life_event),
            (enrollment_pb.LifeEventWithdrawn, _withdrawal),
            (enrollment_pb.CoverageEnded, _coverage_ended),
            (enrollment_pb.CoverageStarted, _coverage_started),
            (enrollment_pb.CoverageChanged, _coverage_changed),
            (enrollment_pb.CoverageSuspended, _suspended),
            (enrollment_pb.CoverageResumed, _resumed),
            (enrollment_pb.PersonsMerged, _merged),
            (enrollment_pb.PersonsSplit, _split),
        ),
        ASSESSMENT: (
            (assessment_pb.ConclusionDelivered, _conclusion),
            (assessment_pb.ReassessmentConcluded, _stop),
        ),
        PROVIDER: (
            (provider_pb.PlanApproved, _plan),
            (provider_pb.PlanEnded, _plan_end),
            (provider_pb.ServiceDelivered, _delivered),
            (provider_pb.ServiceRejected, _rejected),
            (provider_pb.RiskFlagged, _flagged),
            (provider_pb.RiskCleared, _cleared),
            (provider_pb.RiskConfirmed, _confirmed),
            (provider_pb.ClaimLineMatched, _claim_matched),
            (provider_pb.ClaimLineRefused, _claim_refused),
        ),
    }.items()
}


_ABOUT_A_VISIT = (
    provider_pb.RiskFlagged,
    provider_pb.RiskCleared,
    provider_pb.RiskConfirmed,
    provider_pb.ClaimLineMatched,
    provider_pb.ClaimLineRefused,
)


def fact_types(source: str) -> tuple[str, ...]:
    """The types of a service's events that are facts here."""
    return tuple(_FACTS[source])


def fact_of(type_: str, payload: bytes, ref: FactRef) -> PersonFact:
    """The fact that a recorded event of another service states."""
    message_class, read = _FACTS[ref.service][type_]
    return read(message_class.FromString(payload), ref)


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a fact belongs: what it is found by."""

    person: UUID
    pool: str  # empty where it counts in every pool
    payload: bytes  # without the ruling, which the fact's digest pins
    care_month: str | None = None  # of a verdict on a visit, or of a flag
    visit: UUID | None = None  # for these, and for what was decided about a flag
    eligible_from: date | None = None  # for conclusions that the pool pays for
    merged_into: UUID | None = None  # for the merge of a duplicate


def place_of(source: str, type_: str, payload: bytes) -> Place | None:
    """What a fact is found by, and the part of it that is kept; None where it says nothing here."""
    message_class, _ = _FACTS[source][type_]
    m: Any = message_class.FromString(payload)
    if isinstance(m, _ABOUT_A_VISIT) and not (m.visit and m.person):
        return None  # about none, or none that is known: no visit's payment depends on it
    person = UUID(m.person)
    match m:
        case assessment_pb.ReassessmentConcluded(refused=False):
            return None
        case assessment_pb.ReassessmentConcluded():
            m.ClearField("ruling")
            slim = m.SerializeToString(deterministic=True)
            return Place(person=person, pool=m.pool, payload=slim)
        case assessment_pb.ConclusionDelivered():
            eligible_from = date.fromisoformat(m.effective_date) if m.grade_eligible else None
            return Place(person=person, pool=m.pool, payload=payload, eligible_from=eligible_from)
        case (
            provider_pb.ServiceDelivered()
            | provider_pb.ServiceRejected()
            | provider_pb.RiskFlagged()
            | provider_pb.ClaimLineMatched()
            | provider_pb.ClaimLineRefused()
        ):
            month = m.care_date[:7]
            m.ClearField("ruling")
            slim = m.SerializeToString(deterministic=True)
            return Place(
                person=person, pool=m.pool, payload=slim, care_month=month, visit=UUID(m.visit)
            )
        case provider_pb.RiskCleared() | provider_pb.RiskConfirmed():
            return Place(person=person, pool=m.pool, payload=payload, visit=UUID(m.visit))
        case enrollment_pb.LifeEventReported() | enrollment_pb.LifeEventWithdrawn():
            # A death or a stay in hospital counts wherever the person is insured.
            return Place(person=person, pool="", payload=payload)
        case enrollment_pb.PersonsMerged():
            into = UUID(m.survivor) if m.person == m.duplicate else None
            return Place(person=person, pool="", payload=payload, merged_into=into)
        case enrollment_pb.PersonsSplit():
            return Place(person=person, pool="", payload=payload)
        case _:
            return Place(person=person, pool=m.pool, payload=payload)


def owned_by(type_: str, payload: bytes, service: str) -> UUID:
    """The person of whom a fact was told."""
    message_class, _ = _FACTS[service][type_]
    m: Any = message_class.FromString(payload)
    return UUID(m.person)


@dataclass(frozen=True, kw_only=True)
class Contribution:
    """A contribution that came in, as far as the ledger cares."""

    contribution: str
    pool: str
    source: str  # who paid: `person`, `employer`, `medical_fund` …
    amount: Money
    paid_date: date


def contribution_of(payload: bytes) -> Contribution:
    m = enrollment_pb.ContributionCollected.FromString(payload)
    return Contribution(
        contribution=m.contribution,
        pool=m.pool,
        source=_source(m.source),
        amount=Money(m.amount_fen),
        paid_date=date.fromisoformat(m.paid_date),
    )


@dataclass(frozen=True, kw_only=True)
class Refund:
    """A contribution that went back, as far as the ledger cares."""

    refund: str
    pool: str
    source: str  # who had paid
    amount: Money
    refunded_date: date


def refund_of(payload: bytes) -> Refund:
    m = enrollment_pb.ContributionRefunded.FromString(payload)
    return Refund(
        refund=m.refund,
        pool=m.pool,
        source=_source(m.source),
        amount=Money(m.amount_fen),
        refunded_date=date.fromisoformat(m.refunded_date),
    )


def _source(number: "enrollment_types.ContributionSource.ValueType") -> str:
    name = enrollment_types.ContributionSource.Name(number)
    return name.removeprefix("CONTRIBUTION_SOURCE_").lower()
