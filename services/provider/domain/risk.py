"""Flags of detectors (风险提示), and what became of them. Pure: no clock, no I/O.

A flag accuses nobody: it holds the payment of one visit and leads to an inspection, whose
decision clears or confirms it. It never ends a benefit.

**The latest word counts**: an appeal that succeeds clears a flag that was confirmed, by a
`RiskCleared` after the `RiskConfirmed`. Whoever pays takes the event at the highest position.
What was cleared is never confirmed again: that would need a new flag.
"""

from dataclasses import dataclass, replace
from datetime import date
from typing import assert_never
from uuid import UUID

from kernel.money import ZERO, Money
from kernel.refusal import NotFound, Refused


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


@dataclass(frozen=True, kw_only=True)
class ClearRisk:
    """`inspection` says so; None where an officer clears the flag without one."""

    flag: UUID
    inspection: UUID | None
    decided_date: date
    cause: str


@dataclass(frozen=True, kw_only=True)
class ConfirmRisk:
    flag: UUID
    inspection: UUID
    decided_date: date
    cause: str


@dataclass(frozen=True, kw_only=True)
class Flag:
    """A flag, and the latest word on it."""

    flagged: RiskFlagged | None = None
    word: RiskCleared | RiskConfirmed | None = None

    @property
    def confirmed(self) -> bool:
        return isinstance(self.word, RiskConfirmed)

    @property
    def cleared(self) -> bool:
        return isinstance(self.word, RiskCleared)


def decide(command: ClearRisk | ConfirmRisk, flag: Flag) -> list[Event]:
    """What the command makes happen: nothing, where it was obeyed before.

    Refuses NOT_FOUND for what was never flagged, CLEARED_ALREADY.
    """
    told = raised(command.flag, flag)
    known = {"visit": told.visit, "person": told.person, "pool": told.pool}
    event = vars(command) | known | {"provider": told.provider}
    match command:
        case ClearRisk():
            if flag.cleared:
                return []
            return [RiskCleared(**event)]
        case ConfirmRisk():
            if flag.cleared:
                raise Refused("CLEARED_ALREADY", flag=str(command.flag))
            if flag.confirmed:
                return []
            return [RiskConfirmed(**event)]
        case _:
            assert_never(command)


def evolve(flag: Flag, event: Event) -> Flag:
    """The flag after the event. It never refuses: what happened, happened."""
    match event:
        case RiskFlagged():
            return replace(flag, flagged=event)
        case RiskCleared() | RiskConfirmed():
            return replace(flag, word=event)
        case _:
            assert_never(event)


def raised(name: UUID, flag: Flag) -> RiskFlagged:
    """What the flag says. Refuses NOT_FOUND."""
    if flag.flagged is None:
        raise NotFound("flag", name)
    return flag.flagged


@dataclass(frozen=True, kw_only=True)
class FlagRisk:
    """What a detector found, with its ruling."""

    told: RiskFlagged


def flag_risk(command: FlagRisk, flag: Flag) -> list[Event]:
    """A flag is raised once, whatever the detector finds again."""
    return [] if flag.flagged is not None else [command.told]
