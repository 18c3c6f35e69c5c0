"""The draws of a pool on a day (当日抽取): one seed, fixed before them and told after. Pure.

Draws are numbered without a gap, so that none can be made and left out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import assert_never
from uuid import UUID

from kernel.draw import commitment
from kernel.refusal import Invalid, Refused, Violation


@dataclass(frozen=True, kw_only=True)
class DrawSeedCommitted:
    pool: str
    drawn_date: date
    commitment: str


@dataclass(frozen=True, kw_only=True)
class DrawMade:
    pool: str
    drawn_date: date
    number: int
    application: UUID
    purpose: str
    assigned: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class DrawSeedRevealed:
    pool: str
    drawn_date: date
    seed: str


DrawEvent = DrawSeedCommitted | DrawMade | DrawSeedRevealed


@dataclass(frozen=True, kw_only=True)
class CommitDrawSeed:
    pool: str
    drawn_date: date
    seed: bytes = field(repr=False)
    today: date


@dataclass(frozen=True, kw_only=True)
class RevealDrawSeed:
    pool: str
    drawn_date: date
    seed: bytes = field(repr=False)
    today: date


@dataclass(frozen=True, kw_only=True)
class DrawDay:
    """A pool's draws of a day, as far as they came."""

    commitment: str = ""
    seed: str = ""
    made: tuple[DrawMade, ...] = ()
    load: Mapping[str, int] = field(default_factory=dict)  # assignments by assessor

    @property
    def next_number(self) -> int:
        return len(self.made) + 1


def decide(command: CommitDrawSeed | RevealDrawSeed, day: DrawDay) -> list[DrawEvent]:
    """Refuses (`Invalid`) a day that is over; DAY_NOT_OVER, NOT_COMMITTED."""
    on = command.drawn_date
    match command:
        case CommitDrawSeed():
            if day.commitment:
                return []
            if on < command.today:
                words = "must be today or later", "应为今天或以后"
                raise Invalid([Violation("drawn_date", "DATE_IN_PAST", *words)])
            told = commitment(command.seed)
            return [DrawSeedCommitted(pool=command.pool, drawn_date=on, commitment=told)]
        case RevealDrawSeed():
            if day.seed:
                return []
            if not day.commitment:
                raise Refused("NOT_COMMITTED", drawn_date=str(on))
            if command.today <= on:
                raise Refused("DAY_NOT_OVER", drawn_date=str(on))
            return [DrawSeedRevealed(pool=command.pool, drawn_date=on, seed=command.seed.hex())]
        case _:
            assert_never(command)


def evolve(day: DrawDay, event: DrawEvent) -> DrawDay:
    """The day after the event."""
    match event:
        case DrawSeedCommitted():
            return replace(day, commitment=event.commitment)
        case DrawMade():
            load = {name: day.load.get(name, 0) + 1 for name in event.assigned}
            return replace(day, made=(*day.made, event), load={**day.load, **load})
        case DrawSeedRevealed():
            return replace(day, seed=event.seed)
        case _:
            assert_never(event)
