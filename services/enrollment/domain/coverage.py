"""A person's insurance in one pool (参保关系). Pure: no clock, no I/O.

Coverage may end and begin again: a spell is the time from one start to the next end. Within a
spell the person may change groups, and the spell may rest for a while (待遇暂停). The order in
which changes, suspensions and resumptions become known does not change where they end.
"""

from dataclasses import dataclass, replace
from datetime import date
from typing import assert_never
from uuid import UUID

from kernel.money import Money
from kernel.refusal import Refused
from services.enrollment.domain.spells import (
    Coverage,
    InsuredGroup,
    Spell,
    Standing,
    Suspension,
    SuspensionCause,
)

__all__ = ["Coverage", "InsuredGroup", "Spell", "Standing", "Suspension", "SuspensionCause"]


@dataclass(frozen=True, kw_only=True)
class StartCoverage:
    person: UUID
    pool: str
    group: InsuredGroup
    start_date: date
    tier: str = ""
    statuses: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class EndCoverage:
    person: UUID
    pool: str
    end_date: date
    cause: str


@dataclass(frozen=True, kw_only=True)
class ChangeCoverage:
    """Another group, tier or other statuses from a day on (参保人群变更)."""

    person: UUID
    pool: str
    group: InsuredGroup
    change_date: date
    tier: str = ""
    statuses: tuple[str, ...] = ()
    cause: str = ""


@dataclass(frozen=True, kw_only=True)
class SuspendCoverage:
    """Let a coverage rest, and what the rules and the account say about it."""

    suspension: UUID
    person: UUID
    pool: str
    from_date: date
    cause: SuspensionCause
    year: int = 0
    provided: bool = True  # whether the pool's rules let it rest for this cause
    owed: Money | None = None  # of the year, for arrears


@dataclass(frozen=True, kw_only=True)
class ResumeCoverage:
    """Let the suspension of this cause and year be over from a day on."""

    person: UUID
    pool: str
    cause: SuspensionCause
    resume_date: date
    year: int = 0
    paid_date: date | None = None


@dataclass(frozen=True, kw_only=True)
class RecordEligibility:
    """Keeps a decision that was made by `domain.eligibility`."""

    decided: "EligibilityDecided"


Command = (
    StartCoverage
    | EndCoverage
    | ChangeCoverage
    | SuspendCoverage
    | ResumeCoverage
    | RecordEligibility
)


@dataclass(frozen=True, kw_only=True)
class CoverageStarted:
    person: UUID
    pool: str
    group: InsuredGroup
    start_date: date
    tier: str = ""  # 缴费档次
    statuses: tuple[str, ...] = ()  # 人员身份, by the names that packs use


@dataclass(frozen=True, kw_only=True)
class CoverageEnded:
    person: UUID
    pool: str
    end_date: date
    cause: str


@dataclass(frozen=True, kw_only=True)
class CoverageChanged:
    person: UUID
    pool: str
    group: InsuredGroup
    change_date: date
    tier: str = ""
    statuses: tuple[str, ...] = ()
    cause: str = ""


@dataclass(frozen=True, kw_only=True)
class CoverageSuspended:
    suspension: UUID
    person: UUID
    pool: str
    from_date: date
    cause: SuspensionCause
    year: int


@dataclass(frozen=True, kw_only=True)
class CoverageResumed:
    suspension: UUID
    person: UUID
    pool: str
    resume_date: date
    paid_date: date | None = None


@dataclass(frozen=True, kw_only=True)
class EligibilityDecided:
    decision: UUID
    person: UUID
    pool: str
    on_date: date
    eligible: bool
    reasons: tuple[str, ...]
    ruling: bytes


Event = (
    CoverageStarted
    | CoverageEnded
    | CoverageChanged
    | CoverageSuspended
    | CoverageResumed
    | EligibilityDecided
)


def decide(command: Command, coverage: Coverage) -> list[Event]:
    """Starts, ends or changes a spell, lets it rest or count again, or keeps a decision.

    Refuses ALREADY_COVERED where a spell is under way with another group or first day, or the
    new one would reach into an old one; NOT_COVERED, ENDS_BEFORE_START, CHANGED_ALREADY;
    SUSPENSION_NOT_PROVIDED, NOT_IN_ARREARS, SUSPENDED_ALREADY; NOT_SUSPENDED,
    RESUMES_BEFORE_SUSPENSION.
    """
    match command:
        case StartCoverage():
            return _start(command, coverage)
        case EndCoverage():
            return _end(command, coverage)
        case ChangeCoverage():
            return _change(command, coverage)
        case SuspendCoverage():
            return _suspend(command, coverage)
        case ResumeCoverage():
            return _resume(command, coverage)
        case RecordEligibility(decided=decided):
            return [decided]
        case _:
            assert_never(command)


def evolve(coverage: Coverage, event: Event) -> Coverage:
    """The coverage after the event; a decision leaves it as it is."""
    match event:
        case CoverageStarted():
            spell = Spell(
                group=event.group,
                first=event.start_date,
                tier=event.tier,
                statuses=event.statuses,
            )
            return replace(coverage, spells=(*coverage.spells, spell))
        case CoverageEnded():
            *before, latest = coverage.spells
            return replace(coverage, spells=(*before, replace(latest, last=event.end_date)))
        case CoverageChanged():
            return replace(coverage, spells=tuple(_changed(coverage, event)))
        case CoverageSuspended():
            suspension = Suspension(
                suspension=event.suspension,
                cause=event.cause,
                first=event.from_date,
                year=event.year,
            )
            return _rests(coverage, suspension)
        case CoverageResumed():
            known = coverage.suspensions[event.suspension]
            over = replace(known, resumed=event.resume_date, paid=event.paid_date)
            return _rests(coverage, over)
        case EligibilityDecided():
            return coverage
        case _:
            assert_never(event)


def _changed(coverage: Coverage, event: CoverageChanged) -> list[Spell]:
    """The spells, the one that has the day of the change with it."""
    standing = Standing(
        since=event.change_date, group=event.group, tier=event.tier, statuses=event.statuses
    )
    return [
        replace(spell, changes=tuple(sorted((*spell.changes, standing), key=lambda s: s.since)))
        if event.change_date in spell
        else spell
        for spell in coverage.spells
    ]


def _rests(coverage: Coverage, suspension: Suspension) -> Coverage:
    suspensions = {**coverage.suspensions, suspension.suspension: suspension}
    return replace(coverage, suspensions=suspensions)


def _start(command: StartCoverage, coverage: Coverage) -> list[Event]:
    latest = coverage.latest
    if latest is not None:
        if (latest.group, latest.first) == (command.group, command.start_date):
            return []
        if latest.last is None or command.start_date <= latest.last:
            raise Refused(
                "ALREADY_COVERED", pool=command.pool, since=str(latest.first), group=latest.group
            )
    started = CoverageStarted(
        person=command.person,
        pool=command.pool,
        group=command.group,
        start_date=command.start_date,
        tier=command.tier,
        statuses=command.statuses,
    )
    return [started]


def _end(command: EndCoverage, coverage: Coverage) -> list[Event]:
    latest = coverage.latest
    if latest is not None and latest.last == command.end_date:
        return []
    if latest is None or latest.last is not None:
        raise Refused("NOT_COVERED", pool=command.pool)
    if command.end_date < latest.first:
        raise Refused("ENDS_BEFORE_START", pool=command.pool, start_date=str(latest.first))
    ended = CoverageEnded(
        person=command.person, pool=command.pool, end_date=command.end_date, cause=command.cause
    )
    return [ended]


def _change(command: ChangeCoverage, coverage: Coverage) -> list[Event]:
    spell = coverage.on(command.change_date)
    if spell is None:
        raise Refused("NOT_COVERED", pool=command.pool)
    told = (command.group, command.tier, command.statuses)
    for known in spell.standings:
        if known.since == command.change_date:
            if (known.group, known.tier, known.statuses) == told:
                return []
            raise Refused("CHANGED_ALREADY", pool=command.pool, group=known.group)
    # A change to what counts anyway is kept: a change of a day before may still become known.
    changed = CoverageChanged(
        person=command.person,
        pool=command.pool,
        group=command.group,
        change_date=command.change_date,
        tier=command.tier,
        statuses=command.statuses,
        cause=command.cause,
    )
    return [changed]


def _suspend(command: SuspendCoverage, coverage: Coverage) -> list[Event]:
    known = coverage.suspension_for(command.cause, command.year)
    if known is not None and known.first == command.from_date:
        return []
    if not command.provided:
        raise Refused("SUSPENSION_NOT_PROVIDED", pool=command.pool, cause=command.cause)
    if coverage.on(command.from_date) is None:
        raise Refused("NOT_COVERED", pool=command.pool)
    if command.owed is not None and not command.owed:
        raise Refused("NOT_IN_ARREARS", pool=command.pool, year=str(command.year))
    if known is not None and (known.resumed is None or command.from_date < known.resumed):
        raise Refused("SUSPENDED_ALREADY", pool=command.pool, since=str(known.first))
    suspended = CoverageSuspended(
        suspension=command.suspension,
        person=command.person,
        pool=command.pool,
        from_date=command.from_date,
        cause=command.cause,
        year=command.year,
    )
    return [suspended]


def _resume(command: ResumeCoverage, coverage: Coverage) -> list[Event]:
    known = coverage.suspension_for(command.cause, command.year)
    if known is not None and known.resumed == command.resume_date:
        return []
    if known is None or known.resumed is not None:
        raise Refused("NOT_SUSPENDED", pool=command.pool, cause=command.cause)
    if command.resume_date < known.first:
        raise Refused("RESUMES_BEFORE_SUSPENSION", pool=command.pool, since=str(known.first))
    resumed = CoverageResumed(
        suspension=known.suspension,
        person=command.person,
        pool=command.pool,
        resume_date=command.resume_date,
        paid_date=command.paid_date,
    )
    return [resumed]
