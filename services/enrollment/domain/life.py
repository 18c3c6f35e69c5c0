"""What happened in a person's life that matters to benefits (个人事件). Pure: no clock, no I/O."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import assert_never
from uuid import UUID

from kernel.refusal import NotFound, Refused


class LifeEventKind(StrEnum):
    """What may happen."""

    DEATH = "death"  # 死亡
    ADMISSION = "admission"  # 入院
    DISCHARGE = "discharge"  # 出院
    MOVED_AWAY = "moved_away"  # 迁出


class FactSource(StrEnum):
    """Who says so (信息来源)."""

    PERSON = "person"
    PROVIDER = "provider"
    HOSPITAL = "hospital"
    REGISTER = "register"


@dataclass(frozen=True, kw_only=True)
class ReportLifeEvent:
    life_event: UUID
    person: UUID
    pool: str
    kind: LifeEventKind
    event_date: date
    source: FactSource


@dataclass(frozen=True, kw_only=True)
class WithdrawLifeEvent:
    life_event: UUID
    person: UUID
    cause: str


Command = ReportLifeEvent | WithdrawLifeEvent


@dataclass(frozen=True, kw_only=True)
class LifeEventReported:
    life_event: UUID
    person: UUID
    pool: str
    kind: LifeEventKind
    event_date: date
    source: FactSource


@dataclass(frozen=True, kw_only=True)
class LifeEventWithdrawn:
    life_event: UUID
    person: UUID
    cause: str


Event = LifeEventReported | LifeEventWithdrawn


@dataclass(frozen=True, kw_only=True)
class Life:
    """What was reported, and what of it was taken back."""

    reported: Mapping[UUID, LifeEventReported] = field(default_factory=dict)
    withdrawn: frozenset[UUID] = frozenset()

    @property
    def standing(self) -> tuple[LifeEventReported, ...]:
        """The reports that were not taken back, in the order they came."""
        return tuple(r for r in self.reported.values() if r.life_event not in self.withdrawn)

    @property
    def death(self) -> LifeEventReported | None:
        return next((r for r in self.standing if r.kind is LifeEventKind.DEATH), None)

    def same(self, kind: LifeEventKind, day: date) -> LifeEventReported | None:
        """The standing report of this kind for this day."""
        return next((r for r in self.standing if (r.kind, r.event_date) == (kind, day)), None)


def decide(command: Command, life: Life) -> list[Event]:
    """Takes a report once for each kind and day, or takes one back.

    Refuses DEAD_ALREADY where another day of death is known; NotFound for a report unknown.
    """
    match command:
        case ReportLifeEvent():
            return _report(command, life)
        case WithdrawLifeEvent():
            if command.life_event not in life.reported:
                raise NotFound("life_event", command.life_event)
            if command.life_event in life.withdrawn:
                return []
            withdrawn = LifeEventWithdrawn(
                life_event=command.life_event, person=command.person, cause=command.cause
            )
            return [withdrawn]
        case _:
            assert_never(command)


def evolve(life: Life, event: Event) -> Life:
    """The life as known after the event."""
    match event:
        case LifeEventReported():
            return Life(
                reported={**life.reported, event.life_event: event}, withdrawn=life.withdrawn
            )
        case LifeEventWithdrawn():
            return Life(reported=life.reported, withdrawn=life.withdrawn | {event.life_event})
        case _:
            assert_never(event)


def _report(command: ReportLifeEvent, life: Life) -> list[Event]:
    if life.same(command.kind, command.event_date) is not None:
        return []
    if command.kind is LifeEventKind.DEATH and life.death is not None:
        raise Refused("DEAD_ALREADY", death_date=str(life.death.event_date))
    reported = LifeEventReported(
        life_event=command.life_event,
        person=command.person,
        pool=command.pool,
        kind=command.kind,
        event_date=command.event_date,
        source=command.source,
    )
    return [reported]
