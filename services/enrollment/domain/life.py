"""What happened in a person's life that matters to benefits (个人事件). Pure: no clock, no I/O."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import assert_never
from uuid import UUID

from kernel.refusal import NotFound
from kernel.rules.precedence import Rank, Report, Weighed, still_said, weigh


class LifeEventKind(StrEnum):
    """What may happen."""

    DEATH = "death"  # 死亡
    ADMISSION = "admission"  # 入院
    DISCHARGE = "discharge"  # 出院
    MOVED_AWAY = "moved_away"  # 迁出
    MOVED_TO_POOL = "moved_to_pool"  # 转移至其他统筹地区
    MOVED_ABROAD = "moved_abroad"  # 出国出境
    RETURNED = "returned"  # 回国入境
    WORK_INJURY_BEGAN = "work_injury_began"  # 工伤生活护理费
    WORK_INJURY_ENDED = "work_injury_ended"
    OTHER_BENEFIT_BEGAN = "other_benefit_began"  # 其他公共护理待遇
    OTHER_BENEFIT_ENDED = "other_benefit_ended"
    THIRD_PARTY_BEGAN = "third_party_began"  # 第三人负担
    THIRD_PARTY_ENDED = "third_party_ended"
    FOUND_ALIVE = "found_alive"  # 确认存活


OF_DEATH = frozenset({LifeEventKind.DEATH, LifeEventKind.FOUND_ALIVE})


class FactSource(StrEnum):
    """Who says so (信息来源)."""

    PERSON = "person"
    PROVIDER = "provider"
    HOSPITAL = "hospital"
    REGISTER = "register"  # of civil affairs or the police
    ASSESSOR = "assessor"
    COURT = "court"


@dataclass(frozen=True, kw_only=True)
class ReportLifeEvent:
    life_event: UUID
    person: UUID
    pool: str
    kind: LifeEventKind
    event_date: date
    source: FactSource
    denied: bool = False  # says that it did not happen on that day


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
    denied: bool = False


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
    def reports(self) -> tuple[Report, ...]:
        """The standing reports as `kernel.rules.precedence` weighs them."""
        return tuple(_report_of(told, arrived) for arrived, told in enumerate(self.standing))

    def weighed(self, rank: Rank) -> Weighed:
        """What counts of the standing reports."""
        return weigh(self.reports, rank)

    def same(self, report: ReportLifeEvent) -> LifeEventReported | None:
        """The report by which the source says the same already, and still does."""
        said = still_said(self.reports, _report_of(report, 0))
        told = (self.reported[one.id] for one in said)
        return next((one for one in told if _says(one) == _says(report)), None)


def decide(command: Command, life: Life) -> list[Event]:
    """Takes a report unless its source said the same last, or takes one back.

    A report that contradicts others is kept beside them. Refuses NotFound for a report unknown.
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
    if life.same(command) is not None:
        return []
    reported = LifeEventReported(
        life_event=command.life_event,
        person=command.person,
        pool=command.pool,
        kind=command.kind,
        event_date=command.event_date,
        source=command.source,
        denied=command.denied,
    )
    return [reported]


def _says(one: ReportLifeEvent | LifeEventReported) -> tuple[LifeEventKind, date, bool]:
    return (one.kind, one.event_date, one.denied)


def _report_of(told: ReportLifeEvent | LifeEventReported, arrived: int) -> Report:
    return Report(
        id=told.life_event,
        kind=told.kind.value,
        day=told.event_date,
        source=told.source.value,
        denied=told.denied,
        arrived=arrived,
    )
