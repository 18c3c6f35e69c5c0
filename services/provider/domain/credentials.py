"""What may be put on a person's record: examinations, training, bars, work. Pure: no I/O.

Decides on the stream `caregiver/{person}`.
Source: 医保办发〔2024〕21号 Art. 19, 45-46.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import assert_never
from uuid import UUID

from kernel.calendar import add_months
from kernel.refusal import NotFound, Refused
from services.provider.domain.caregiver import Caregiver
from services.provider.domain.carer_record import (
    BarredRole,
    CaregiverAssigned,
    CaregiverLevel,
    CaregiverProfiled,
    Certificate,
    CertificateRevoked,
    Event,
    ExaminationRecorded,
    FamilyCarerEngaged,
    PersonBarred,
    PersonRestored,
    TrainingRecorded,
)
from services.provider.domain.place import Place
from services.provider.domain.plan import Plan


@dataclass(frozen=True, kw_only=True)
class BarPerson:
    """`months_min` and `months_max` are the range of the rules for the role."""

    bar: UUID
    person: UUID
    provider: UUID
    pool: str
    role: BarredRole
    serious: bool
    start_date: date
    months: int
    months_min: int
    months_max: int
    cause: str
    article: str


@dataclass(frozen=True, kw_only=True)
class RestorePerson:
    bar: UUID
    person: UUID
    restored_date: date


@dataclass(frozen=True, kw_only=True)
class RecordExamination:
    caregiver: UUID
    level: CaregiverLevel
    passed: bool
    certificate: str
    exam_date: date


@dataclass(frozen=True, kw_only=True)
class RevokeCertificate:
    caregiver: UUID
    level: CaregiverLevel
    revoked_date: date
    cause: str


@dataclass(frozen=True, kw_only=True)
class RecordTraining:
    caregiver: UUID
    course: str
    minutes: int
    completed_date: date


@dataclass(frozen=True, kw_only=True)
class SetProfile:
    caregiver: UUID
    skills: tuple[str, ...]
    place: Place
    minutes_a_week: int
    start_date: date


@dataclass(frozen=True, kw_only=True)
class EngageFamilyCarer:
    """`trained_min` is what the rules ask of a relative, in minutes; None where no text says."""

    caregiver: UUID
    person: UUID
    provider: UUID
    relation: str
    employed: bool
    start_date: date
    trained_min: int | None


@dataclass(frozen=True, kw_only=True)
class AssignCaregiver:
    """`plan` is the plan as it stands."""

    caregiver: UUID
    plan: Plan
    minutes_a_week: int
    start_date: date


Command = (
    BarPerson
    | RestorePerson
    | RecordExamination
    | RevokeCertificate
    | RecordTraining
    | SetProfile
    | EngageFamilyCarer
    | AssignCaregiver
)


def decide(command: Command, person: Caregiver) -> list[Event]:
    """What the command makes happen: nothing, where it was obeyed before.

    Everything but bars is about caregivers on the register: refuses NOT_FOUND for others.
    """
    match command:
        case BarPerson():
            return _bar(command, person)
        case RestorePerson():
            return _restore(command, person)
        case _:
            if not person.registered:
                raise NotFound("caregiver", command.caregiver)
            return _of_a_caregiver(command, person)


def _of_a_caregiver(
    command: RecordExamination
    | RevokeCertificate
    | RecordTraining
    | SetProfile
    | EngageFamilyCarer
    | AssignCaregiver,
    person: Caregiver,
) -> list[Event]:
    match command:
        case RecordExamination():
            return _examine(command, person)
        case RevokeCertificate():
            return _revoke(command, person)
        case RecordTraining():
            training = TrainingRecorded(**vars(command))
            return [] if training in person.record.training else [training]
        case SetProfile():
            profile = CaregiverProfiled(**vars(command))
            return [] if profile == person.record.profile else [profile]
        case EngageFamilyCarer():
            return _engage(command, person)
        case AssignCaregiver():
            return _assign(command, person)
        case _:
            assert_never(command)


def _bar(command: BarPerson, person: Caregiver) -> list[Event]:
    """Refuses TERM_OUTSIDE_RANGE."""
    if not command.months_min <= command.months <= command.months_max:
        raise Refused(
            "TERM_OUTSIDE_RANGE",
            months_min=str(command.months_min),
            months_max=str(command.months_max),
        )
    barred = PersonBarred(
        bar=command.bar,
        person=command.person,
        provider=command.provider,
        pool=command.pool,
        role=command.role,
        serious=command.serious,
        start_date=command.start_date,
        end_date=add_months(command.start_date, command.months) - timedelta(days=1),
        cause=command.cause,
        article=command.article,
    )
    return [] if any(bar.barred == barred for bar in person.record.bars) else [barred]


def _restore(command: RestorePerson, person: Caregiver) -> list[Event]:
    """Refuses TERM_NOT_OVER on the last day of the term or before (Art. 46)."""
    bar = next((bar for bar in person.record.bars if bar.barred.bar == command.bar), None)
    if bar is None:
        raise NotFound("bar", command.bar)
    if bar.restored is not None and bar.restored <= command.restored_date:
        return []
    if command.restored_date <= bar.barred.end_date:
        raise Refused("TERM_NOT_OVER", end_date=bar.barred.end_date.isoformat())
    return [PersonRestored(**vars(command))]


def _examine(command: RecordExamination, person: Caregiver) -> list[Event]:
    recorded = ExaminationRecorded(**vars(command))
    won = Certificate(level=command.level, start=command.exam_date)
    if command.passed:
        same = [(one.level, one.start) for one in person.record.certificates]
        return [] if (won.level, won.start) in same else [recorded]
    return [] if recorded in person.record.failed else [recorded]


def _revoke(command: RevokeCertificate, person: Caregiver) -> list[Event]:
    """Refuses NO_CERTIFICATE where none of the level counts on the day."""
    mine = [one for one in person.record.certificates if one.level is command.level]
    if any(one.revoked is not None and one.revoked <= command.revoked_date for one in mine) and (
        not any(one.holds_on(command.revoked_date) for one in mine)
    ):
        return []
    if not any(one.holds_on(command.revoked_date) for one in mine):
        raise Refused("NO_CERTIFICATE", level=command.level)
    return [CertificateRevoked(**vars(command))]


def _engage(command: EngageFamilyCarer, person: Caregiver) -> list[Event]:
    """Refuses CAREGIVER_BARRED, NOT_A_FAMILY_CARER, TRAINING_MISSING, in this order.

    Where no text says how long relatives are trained, some training must be on record.
    """
    asked = vars(command)
    engaged = FamilyCarerEngaged(**{k: v for k, v in asked.items() if k != "trained_min"})
    if engaged in person.record.family:
        return []
    if person.record.barred_on(command.start_date):
        raise Refused("CAREGIVER_BARRED", on=command.start_date.isoformat())
    if command.provider not in person.family_at:
        raise Refused("NOT_A_FAMILY_CARER", provider=str(command.provider))
    trained = person.record.trained_minutes(command.start_date)
    wanted = 1 if command.trained_min is None else command.trained_min
    if trained < wanted:
        raise Refused("TRAINING_MISSING", trained_minutes=str(trained))
    return [engaged]


def _assign(command: AssignCaregiver, person: Caregiver) -> list[Event]:
    """Refuses PLAN_NOT_IN_FORCE, NOT_EMPLOYED_THERE, CAREGIVER_BARRED, CERTIFICATE_REVOKED."""
    approved, day = command.plan.approved, command.start_date
    assigned = CaregiverAssigned(
        caregiver=command.caregiver,
        plan=approved.plan,
        person=approved.person,
        pool=approved.pool,
        minutes_a_week=command.minutes_a_week,
        start_date=day,
    )
    if assigned in person.record.assigned:
        return []
    if not command.plan.in_force_on(day):
        raise Refused("PLAN_NOT_IN_FORCE", plan=str(approved.plan))
    since = person.since(approved.provider)
    if since is None or since > day:
        raise Refused("NOT_EMPLOYED_THERE", provider=str(approved.provider))
    problem = person.problem_on(day)
    if problem:
        raise Refused(problem, on=day.isoformat())
    return [assigned]
