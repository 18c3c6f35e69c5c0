"""A person's insurance in one pool (参保关系). Pure: no clock, no I/O.

Coverage may end and begin again: a spell is the time from one start to the next end.
"""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from typing import assert_never
from uuid import UUID

from kernel.calendar import Month
from kernel.refusal import Refused

_ONE_DAY = timedelta(days=1)


class InsuredGroup(StrEnum):
    """Groups of insured (参保人群)."""

    EMPLOYEE = "employee"  # 职工
    RETIREE = "retiree"  # 退休人员
    FLEXIBLE = "flexible"  # 灵活就业人员
    RESIDENT = "resident"  # 城乡居民
    MINOR = "minor"  # 未成年人、学生


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
class RecordEligibility:
    """Keeps a decision that was made by `domain.eligibility`."""

    decided: "EligibilityDecided"


Command = StartCoverage | EndCoverage | RecordEligibility


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
class EligibilityDecided:
    decision: UUID
    person: UUID
    pool: str
    on_date: date
    eligible: bool
    reasons: tuple[str, ...]
    ruling: bytes


Event = CoverageStarted | CoverageEnded | EligibilityDecided


@dataclass(frozen=True, kw_only=True)
class Spell:
    """Insured from the first day to the last, both in; without a last day it goes on."""

    group: InsuredGroup
    first: date
    last: date | None = None

    def __contains__(self, day: date) -> bool:
        return self.first <= day and (self.last is None or day <= self.last)


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """The spells in their order."""

    spells: tuple[Spell, ...] = ()

    @property
    def latest(self) -> Spell | None:
        return self.spells[-1] if self.spells else None

    def on(self, day: date) -> Spell | None:
        """The spell that has the day."""
        return next((spell for spell in self.spells if day in spell), None)

    def in_year(self, year: int) -> bool:
        """Whether insured on at least one day of the year."""
        first, last = Month(year, 1).first, Month(year, 12).last
        return any(
            spell.first <= last and (spell.last is None or spell.last >= first)
            for spell in self.spells
        )

    def unbroken_since(self, day: date) -> date | None:
        """First day of the coverage that goes on without a gap to this day; None if uncovered."""
        current = self.on(day)
        if current is None:
            return None
        since = current.first
        for spell in reversed(self.spells):
            if spell.last == since - _ONE_DAY:
                since = spell.first
        return since


def decide(command: Command, coverage: Coverage) -> list[Event]:
    """Starts or ends a spell, or keeps a decision.

    Refuses ALREADY_COVERED where a spell is under way with another group or first day, or the
    new one would reach into an old one; NOT_COVERED, ENDS_BEFORE_START.
    """
    match command:
        case StartCoverage():
            return _start(command, coverage)
        case EndCoverage():
            return _end(command, coverage)
        case RecordEligibility(decided=decided):
            return [decided]
        case _:
            assert_never(command)


def evolve(coverage: Coverage, event: Event) -> Coverage:
    """The coverage after the event; a decision leaves it as it is."""
    match event:
        case CoverageStarted():
            spell = Spell(group=event.group, first=event.start_date)
            return Coverage(spells=(*coverage.spells, spell))
        case CoverageEnded():
            *before, latest = coverage.spells
            return Coverage(spells=(*before, replace(latest, last=event.end_date)))
        case EligibilityDecided():
            return coverage
        case _:
            assert_never(event)


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
