"""The pool's database of assessors and experts (评估人员库). Pure: no clock, no I/O.

Source: 医保发〔2023〕29号, recalled: assessors of about two years' practice, experts of an
intermediate title or above, trained and examined.
"""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import assert_never
from uuid import UUID

from kernel.calendar import add_months
from kernel.refusal import NotFound, Refused
from kernel.rules.pack import Pack
from services.assessment.domain.words import AssessorKind, ProfessionalTitle, TieKind

_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class AssessorRegistered:
    assessor: str
    person: UUID
    pool: str
    assessor_kind: AssessorKind
    body: UUID | None
    full_name: str  # personal
    title: ProfessionalTitle
    practice_since_date: date
    trained_date: date
    examined_date: date
    division: str
    registered_date: date


@dataclass(frozen=True, kw_only=True)
class AssessorBarred:
    assessor: str
    pool: str
    start_date: date
    end_date: date | None
    cause: str


@dataclass(frozen=True, kw_only=True)
class AssessorRestored:
    assessor: str
    pool: str
    start_date: date
    cause: str


@dataclass(frozen=True, kw_only=True)
class TieDeclared:
    assessor: str
    pool: str
    tie_kind: TieKind
    provider: UUID | None
    tied_person: UUID | None
    declared_date: date


AssessorEvent = AssessorRegistered | AssessorBarred | AssessorRestored | TieDeclared


@dataclass(frozen=True, kw_only=True)
class RegisterAssessor:
    """Particulars as told; days of training and examination are None where there were none.

    `body_in_force` says whether the named body has an agreement on that day.
    """

    assessor: str
    person: UUID
    pool: str
    assessor_kind: AssessorKind
    body: UUID | None
    full_name: str
    title: ProfessionalTitle
    practice_since_date: date
    trained_date: date | None
    examined_date: date | None
    division: str
    registered_date: date
    body_in_force: bool = True


@dataclass(frozen=True, kw_only=True)
class BarAssessor:
    told: AssessorBarred


@dataclass(frozen=True, kw_only=True)
class RestoreAssessor:
    told: AssessorRestored


@dataclass(frozen=True, kw_only=True)
class DeclareTie:
    told: TieDeclared


AssessorCommand = RegisterAssessor | BarAssessor | RestoreAssessor | DeclareTie


@dataclass(frozen=True, kw_only=True)
class Bar:
    """First and last day of a bar; None until restored."""

    first: date
    last: date | None


@dataclass(frozen=True, kw_only=True)
class Assessor:
    """One of the database. Its ties stay: what tied once is for the draw to leave out."""

    registered: AssessorRegistered | None = None
    bars: tuple[Bar, ...] = ()
    ties: frozenset[tuple[TieKind, UUID]] = frozenset()

    def barred_on(self, day: date) -> bool:
        return any(b.first <= day and (b.last is None or day <= b.last) for b in self.bars)

    @property
    def providers(self) -> frozenset[UUID]:
        """Providers the assessor works for."""
        return frozenset(name for kind, name in self.ties if kind is TieKind.EMPLOYER)

    @property
    def people(self) -> frozenset[UUID]:
        """People the assessor is tied to."""
        return frozenset(name for kind, name in self.ties if kind is not TieKind.EMPLOYER)


def must_be_fit(known: Assessor | None, day: date, *, expert: bool) -> None:
    """Refuses ASSESSOR_BARRED, NOT_AN_EXPERT; whom the database does not know passes."""
    if known is None or known.registered is None:
        return
    if known.barred_on(day):
        raise Refused("ASSESSOR_BARRED", assessor=known.registered.assessor)
    if expert and known.registered.assessor_kind is not AssessorKind.EXPERT:
        raise Refused("NOT_AN_EXPERT", assessor=known.registered.assessor)


def decide(command: AssessorCommand, assessor: Assessor, pack: Pack) -> list[AssessorEvent]:
    """Refuses EXPERIENCE_TOO_SHORT, TITLE_TOO_LOW, NOT_EXAMINED, BODY_NOT_IN_FORCE,
    ANOTHER_PERSON; NOT_BARRED; NotFound.
    """
    if isinstance(command, RegisterAssessor):
        return _register(command, assessor, pack)
    told = command.told
    if assessor.registered is None:
        raise NotFound("assessor", told.assessor)
    match told:
        case AssessorBarred():
            bar = Bar(first=told.start_date, last=told.end_date)
            return [] if bar in assessor.bars else [told]
        case AssessorRestored():
            return _restore(told, assessor)
        case TieDeclared():
            return [] if _tie(told) in assessor.ties else [told]
        case _:
            assert_never(told)


def _register(command: RegisterAssessor, assessor: Assessor, pack: Pack) -> list[AssessorEvent]:
    known, on = assessor.registered, command.registered_date
    if known is not None and known.person != command.person:
        raise Refused("ANOTHER_PERSON", assessor=command.assessor)
    months = pack.integer("assessment.assessor_practice_months", on)
    if add_months(command.practice_since_date, months) > on:
        raise Refused("EXPERIENCE_TOO_SHORT", months_required=str(months))
    lowest = ProfessionalTitle(pack.text("assessment.expert_title_min", on))
    expert = command.assessor_kind is AssessorKind.EXPERT
    if expert and not command.title.reaches(lowest):
        raise Refused("TITLE_TOO_LOW", title_required=lowest)
    trained, examined = command.trained_date, command.examined_date
    if trained is None or examined is None or max(trained, examined) > on:
        raise Refused("NOT_EXAMINED", assessor=command.assessor)
    if (command.body is None and not expert) or not command.body_in_force:
        raise Refused("BODY_NOT_IN_FORCE", body=str(command.body or ""))
    told = AssessorRegistered(
        assessor=command.assessor,
        person=command.person,
        pool=command.pool,
        assessor_kind=command.assessor_kind,
        body=command.body,
        full_name=command.full_name,
        title=command.title,
        practice_since_date=command.practice_since_date,
        trained_date=trained,
        examined_date=examined,
        division=command.division,
        registered_date=on,
    )
    return [] if known == told else [told]


def _restore(told: AssessorRestored, assessor: Assessor) -> list[AssessorEvent]:
    if assessor.barred_on(told.start_date):
        return [told]
    if any(bar.last == told.start_date - _ONE_DAY for bar in assessor.bars):
        return []
    raise Refused("NOT_BARRED", assessor=told.assessor)


def evolve(assessor: Assessor, event: AssessorEvent) -> Assessor:
    """The assessor after the event."""
    match event:
        case AssessorRegistered():
            return replace(assessor, registered=event)
        case AssessorBarred():
            bar = Bar(first=event.start_date, last=event.end_date)
            return replace(assessor, bars=(*assessor.bars, bar))
        case AssessorRestored():
            last = event.start_date - _ONE_DAY
            bars = tuple(
                replace(bar, last=last)
                if bar.first <= event.start_date and (bar.last is None or bar.last > last)
                else bar
                for bar in assessor.bars
            )
            return replace(assessor, bars=bars)
        case TieDeclared():
            return replace(assessor, ties=assessor.ties | {_tie(event)})
        case _:
            assert_never(event)


def _tie(event: TieDeclared) -> tuple[TieKind, UUID]:
    name = event.provider or event.tied_person
    assert name is not None, "checked at the edge"  # noqa: S101
    return event.tie_kind, name
