"""How an entitlement stands from day to day: a course of standings (待遇状态). Pure."""

from bisect import bisect_right
from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class State(StrEnum):
    """Where an entitlement stands on a day."""

    NONE = "none"  # never graded high enough, or not yet
    OPEN = "open"  # 享受中
    PAUSED = "paused"  # 暂停
    ENDED = "ended"  # 终止


class Cause(StrEnum):
    """Why an entitlement rests or is over."""

    DEATH = "DEATH"
    RECOVERED = "RECOVERED"
    REASSESSMENT_REFUSED = "REASSESSMENT_REFUSED"
    VALIDITY_EXPIRED = "VALIDITY_EXPIRED"
    MOVED_AWAY = "MOVED_AWAY"
    COVERAGE_ENDED = "COVERAGE_ENDED"
    SUSPENDED = "SUSPENDED"
    IN_HOSPITAL = "IN_HOSPITAL"


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """The state on a day: with a grade where open or paused, with a cause where paused or over."""

    state: State
    grade: int = 0
    cause: str = ""


NO_STANDING = Standing(state=State.NONE)


@dataclass(frozen=True, slots=True)
class Course:
    """Standings and the days they begin; each holds until the next. No two in a row are equal."""

    turns: tuple[tuple[date, Standing], ...] = ()

    @classmethod
    def of(cls, standings: dict[date, Standing]) -> "Course":
        """The course with these standings from these days on."""
        turns: list[tuple[date, Standing]] = []
        for day, standing in sorted(standings.items(), key=lambda turn: turn[0]):
            if standing != (turns[-1][1] if turns else NO_STANDING):
                turns.append((day, standing))
        return cls(tuple(turns))

    def on(self, day: date) -> Standing:
        """How it stands on a day; none before the first."""
        turn = self.turn_on(day)
        return turn[1] if turn else NO_STANDING

    def turn_on(self, day: date) -> tuple[date, Standing] | None:
        """The standing on a day with its own first day; None before the first."""
        place = bisect_right(self.turns, day, key=lambda turn: turn[0])
        return self.turns[place - 1] if place else None

    @property
    def last(self) -> tuple[date, Standing] | None:
        """The newest standing and its first day, also one that takes effect later."""
        return self.turns[-1] if self.turns else None

    @property
    def days(self) -> tuple[date, ...]:
        return tuple(day for day, _ in self.turns)

    def turned(self, day: date, standing: Standing) -> "Course":
        """The course with another standing from the day until the next turn."""
        return Course.of(dict(self.turns) | {day: standing})
