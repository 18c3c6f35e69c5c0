"""Flags of detectors (风险提示), and what became of them. Pure: no clock, no I/O.

A flag accuses nobody: it holds the payment of one visit and leads to an inspection, whose
decision clears or confirms it. It never ends a benefit.
"""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from kernel.money import ZERO, Money


@dataclass(frozen=True, kw_only=True)
class RiskFlagged:
    flag: UUID
    detector: str
    detector_version: int
    visit: UUID | None = None  # None where it is about no single visit
    person: UUID | None = None
    pool: str
    provider: UUID | None = None
    caregiver: UUID | None = None
    assessor: UUID | None = None
    care_date: date  # or the last day looked at
    cost: Money = ZERO  # held
    ruling: bytes


@dataclass(frozen=True, kw_only=True)
class RiskCleared:
    flag: UUID
    inspection: UUID | None = None
    visit: UUID | None = None
    person: UUID | None = None
    pool: str
    provider: UUID | None = None
    decided_date: date
    cause: str


@dataclass(frozen=True, kw_only=True)
class RiskConfirmed:
    flag: UUID
    inspection: UUID | None = None
    visit: UUID | None = None
    person: UUID | None = None
    pool: str
    provider: UUID | None = None
    decided_date: date
    cause: str


Event = RiskFlagged | RiskCleared | RiskConfirmed
