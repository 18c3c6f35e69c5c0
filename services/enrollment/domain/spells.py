"""The times a person is insured in a pool, as whom, and what of them rests. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from uuid import UUID

from kernel.calendar import Month

_ONE_DAY = timedelta(days=1)


class InsuredGroup(StrEnum):
    """Groups of insured (参保人群)."""

    EMPLOYEE = "employee"  # 职工
    RETIREE = "retiree"  # 退休人员
    FLEXIBLE = "flexible"  # 灵活就业人员
    RESIDENT = "resident"  # 城乡居民
    MINOR = "minor"  # 未成年人、学生


class SuspensionCause(StrEnum):
    """Why a coverage rests (待遇暂停原因)."""

    ARREARS = "arrears"  # 欠费
    MEDICAL_GAP = "medical_gap"  # 医保中断


@dataclass(frozen=True, kw_only=True)
class Standing:
    """As whom a person is insured from a day on."""

    since: date
    group: InsuredGroup
    tier: str = ""
    statuses: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Spell:
    """Insured from the first day to the last, both in; without a last day it goes on."""

    group: InsuredGroup  # on the first day, as are tier and statuses
    first: date
    last: date | None = None
    tier: str = ""
    statuses: tuple[str, ...] = ()
    changes: tuple[Standing, ...] = ()  # by their days

    def __contains__(self, day: date) -> bool:
        return self.first <= day and (self.last is None or day <= self.last)

    @property
    def standings(self) -> tuple[Standing, ...]:
        """As whom the person is insured, the first standing included, by their days."""
        first = Standing(since=self.first, group=self.group, tier=self.tier, statuses=self.statuses)
        return (first, *self.changes)

    def standing(self, day: date) -> Standing:
        """As whom the person is insured on a day of the spell."""
        return [standing for standing in self.standings if standing.since <= day][-1]

    @property
    def newest(self) -> Standing:
        return self.standings[-1]

    def overlaps(self, first: date, last: date) -> bool:
        return self.first <= last and (self.last is None or self.last >= first)


@dataclass(frozen=True, kw_only=True)
class Suspension:
    """A time that rests: from its first day to the day before it counts again."""

    suspension: UUID
    cause: SuspensionCause
    first: date
    year: int = 0
    resumed: date | None = None
    paid: date | None = None

    def __contains__(self, day: date) -> bool:
        return self.first <= day and (self.resumed is None or day < self.resumed)


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """The spells in their order, and what of them rests."""

    spells: tuple[Spell, ...] = ()
    suspensions: Mapping[UUID, Suspension] = field(default_factory=dict)

    @property
    def latest(self) -> Spell | None:
        return self.spells[-1] if self.spells else None

    def on(self, day: date) -> Spell | None:
        """The spell that has the day."""
        return next((spell for spell in self.spells if day in spell), None)

    def in_year(self, year: int) -> bool:
        """Whether insured on at least one day of the year."""
        return self.first_within(Month(year, 1).first, Month(year, 12).last) is not None

    def first_within(self, first: date, last: date) -> date | None:
        """The first insured day of a period; None where there is none."""
        days = (max(first, spell.first) for spell in self.spells if spell.overlaps(first, last))
        return min(days, default=None)

    def suspended_on(self, day: date) -> Suspension | None:
        """What lets the day rest: of several, the one that began first."""
        resting = [one for one in self.suspensions.values() if day in one]
        return min(resting, key=lambda one: (one.first, one.cause, one.year), default=None)

    def suspension_for(self, cause: SuspensionCause, year: int) -> Suspension | None:
        """The newest suspension of a cause, and of a year for arrears."""
        of_it = [s for s in self.suspensions.values() if (s.cause, s.year) == (cause, year)]
        return max(of_it, key=lambda one: one.first, default=None)

    @property
    def resting_since(self) -> date | None:
        """First day of the earliest suspension that is not over."""
        return min((s.first for s in self.suspensions.values() if s.resumed is None), default=None)

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
