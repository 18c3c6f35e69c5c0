"""What is on record of a person in care: certificates, training, bars, work. Pure: no I/O.

The further events of the stream `caregiver/{person}` and their fold. A manager who is barred has
the same stream: a bar is on the person, whatever the person was at the provider.
Source: 医保办发〔2024〕21号 Art. 19 (real names, training), Art. 45-46 (people).
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import assert_never
from uuid import UUID

from services.provider.domain.place import Place


class CaregiverLevel(StrEnum):
    """Level of a certificate (长期照护师), from the lowest on."""

    FIVE = "five"
    FOUR = "four"
    THREE = "three"

    @property
    def rank(self) -> int:
        """Higher is better: 1 to 3."""
        return tuple(CaregiverLevel).index(self) + 1


class BarredRole(StrEnum):
    """What a person that is barred was at the provider."""

    LEGAL_REPRESENTATIVE = "legal_representative"
    HEAD = "head"
    CONTROLLER = "controller"
    STAFF = "staff"


@dataclass(frozen=True, kw_only=True)
class PersonBarred:
    bar: UUID
    person: UUID
    provider: UUID
    pool: str
    role: BarredRole
    serious: bool
    start_date: date
    end_date: date  # of the term; the person is back only when restored
    cause: str
    article: str


@dataclass(frozen=True, kw_only=True)
class PersonRestored:
    bar: UUID
    person: UUID
    restored_date: date  # first day back


@dataclass(frozen=True, kw_only=True)
class ExaminationRecorded:
    caregiver: UUID
    level: CaregiverLevel
    passed: bool
    certificate: str  # personal
    exam_date: date


@dataclass(frozen=True, kw_only=True)
class CertificateRevoked:
    caregiver: UUID
    level: CaregiverLevel
    revoked_date: date  # first day without it
    cause: str


@dataclass(frozen=True, kw_only=True)
class TrainingRecorded:
    caregiver: UUID
    course: str
    minutes: int
    completed_date: date


@dataclass(frozen=True, kw_only=True)
class CaregiverProfiled:
    caregiver: UUID
    skills: tuple[str, ...]
    place: Place | None = None  # personal: gone with the person's key
    minutes_a_week: int
    start_date: date


@dataclass(frozen=True, kw_only=True)
class FamilyCarerEngaged:
    caregiver: UUID
    person: UUID
    provider: UUID
    relation: str
    employed: bool
    start_date: date


@dataclass(frozen=True, kw_only=True)
class CaregiverAssigned:
    caregiver: UUID
    plan: UUID
    person: UUID
    pool: str
    minutes_a_week: int
    start_date: date


Event = (
    PersonBarred
    | PersonRestored
    | ExaminationRecorded
    | CertificateRevoked
    | TrainingRecorded
    | CaregiverProfiled
    | FamilyCarerEngaged
    | CaregiverAssigned
)


@dataclass(frozen=True, kw_only=True)
class Bar:
    """A bar, and since when it is over."""

    barred: PersonBarred
    restored: date | None = None

    def holds_on(self, day: date) -> bool:
        """Whether it stands on the day: it ends with its restoration, not with its term."""
        return self.barred.start_date <= day and (self.restored is None or day < self.restored)


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """A level that was won, and since when it is lost."""

    level: CaregiverLevel
    start: date
    revoked: date | None = None

    def holds_on(self, day: date) -> bool:
        return self.start <= day and (self.revoked is None or day < self.revoked)


@dataclass(frozen=True, kw_only=True)
class CarerRecord:
    """What later decisions need to know of a person."""

    bars: tuple[Bar, ...] = ()
    certificates: tuple[Certificate, ...] = ()
    failed: tuple[ExaminationRecorded, ...] = ()
    training: tuple[TrainingRecorded, ...] = ()
    profile: CaregiverProfiled | None = None
    family: tuple[FamilyCarerEngaged, ...] = ()
    assigned: tuple[CaregiverAssigned, ...] = ()

    def barred_on(self, day: date) -> bool:
        return any(bar.holds_on(day) for bar in self.bars)

    def lost_on(self, day: date) -> bool:
        """Whether a certificate was revoked by the day, and none is left that counts."""
        revoked = any(one.revoked is not None and one.revoked <= day for one in self.certificates)
        return revoked and self.level_on(day) is None

    def level_on(self, day: date) -> CaregiverLevel | None:
        """The best level that counts on the day."""
        levels = [one.level for one in self.certificates if one.holds_on(day)]
        return max(levels, key=lambda level: level.rank, default=None)

    def trained_minutes(self, day: date) -> int:
        """Minutes of training completed by the day."""
        return sum(one.minutes for one in self.training if one.completed_date <= day)


def evolve(record: CarerRecord, event: Event) -> CarerRecord:
    """The record after the event. It never refuses: what happened, happened."""
    match event:
        case PersonBarred():
            return replace(record, bars=(*record.bars, Bar(barred=event)))
        case PersonRestored():
            bars = tuple(
                replace(bar, restored=event.restored_date) if bar.barred.bar == event.bar else bar
                for bar in record.bars
            )
            return replace(record, bars=bars)
        case ExaminationRecorded(passed=False):
            return replace(record, failed=(*record.failed, event))
        case ExaminationRecorded():
            won = Certificate(level=event.level, start=event.exam_date)
            return replace(record, certificates=(*record.certificates, won))
        case CertificateRevoked():
            return replace(record, certificates=_without(record.certificates, event))
        case TrainingRecorded():
            return replace(record, training=(*record.training, event))
        case CaregiverProfiled():
            return replace(record, profile=event)
        case FamilyCarerEngaged():
            return replace(record, family=(*record.family, event))
        case CaregiverAssigned():
            kept = tuple(one for one in record.assigned if one.plan != event.plan)
            return replace(record, assigned=(*kept, event))
        case _:
            assert_never(event)


def bars_of(person: UUID, events: Iterable[object]) -> tuple[Bar, ...]:
    """The bars on a person among these events."""
    record = CarerRecord()
    for event in events:
        if isinstance(event, PersonBarred | PersonRestored) and event.person == person:
            record = evolve(record, event)
    return record.bars


def _without(
    certificates: tuple[Certificate, ...], event: CertificateRevoked
) -> tuple[Certificate, ...]:
    """A revocation takes those of its level that were won before it."""
    return tuple(
        replace(one, revoked=event.revoked_date)
        if one.level is event.level and one.holds_on(event.revoked_date)
        else one
        for one in certificates
    )
