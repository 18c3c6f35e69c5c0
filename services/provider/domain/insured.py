"""A cared-for person as the other services tell it: entitled or not, alive, in hospital. Pure.

Payment says from which day on a person is entitled, at which grade (待遇核定); it has weighed
reports that contradict each other. Enrollment tells the life events themselves (生存状态变更),
each as it was reported; here one counts unless it was denied or taken back.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

DEATH, ADMISSION, DISCHARGE = "death", "admission", "discharge"


class EntitlementState(StrEnum):
    """How an entitlement stands on a day."""

    NONE = "none"  # nothing is known of one
    OPEN = "open"  # 享受中
    PAUSED = "paused"  # 暂停
    ENDED = "ended"  # 终止


@dataclass(frozen=True, kw_only=True)
class EntitlementTold:
    """From a day on the entitlement stands otherwise; what is None stays as it was."""

    person: UUID
    pool: str
    effective_date: date
    state: EntitlementState | None = None
    grade: int | None = None
    cause: str = ""


@dataclass(frozen=True, kw_only=True)
class LifeEventTold:
    """A report about the person's life; `denied` where it says that it did not happen."""

    person: UUID
    life_event: UUID
    kind: str
    event_date: date
    denied: bool = False


@dataclass(frozen=True, kw_only=True)
class LifeEventTakenBack:
    """A report that was wrong."""

    person: UUID
    life_event: UUID


Told = EntitlementTold | LifeEventTold | LifeEventTakenBack


@dataclass(frozen=True, kw_only=True)
class Standing:
    """An entitlement on a day: its grade where it runs, its cause where it rests or is over."""

    state: EntitlementState = EntitlementState.NONE
    grade: int = 0
    cause: str = ""


@dataclass(frozen=True, kw_only=True)
class Insured:
    """What was told of one person, in the order in which it was recorded."""

    turns: tuple[tuple[date, Standing], ...] = ()  # by day
    deaths: tuple[date, ...] = ()
    stays: tuple[tuple[date, date | None], ...] = ()  # admitted, discharged

    def standing_on(self, day: date) -> Standing:
        """How the entitlement stands on a day."""
        held = [standing for first, standing in self.turns if first <= day]
        return held[-1] if held else Standing()

    def entitled_on(self, day: date) -> bool:
        return self.standing_on(day).state is EntitlementState.OPEN

    @property
    def first_entitled(self) -> date | None:
        """The first day of benefit; None where there was none."""
        opened = (day for day, one in self.turns if one.state is EntitlementState.OPEN)
        return next(opened, None)

    @property
    def died(self) -> date | None:
        """The day of death, the earliest of several; None while the person lives."""
        return min(self.deaths, default=None)

    def in_hospital_on(self, day: date) -> bool:
        """Whether the day lies within a stay; the days of admission and discharge do not.

        Care can be given on them: design reading.
        """
        return any(first < day and (last is None or day < last) for first, last in self.stays)


def insured_of(told: Iterable[object]) -> Insured:
    """The person after these facts, in the order of their positions; others are passed over."""
    turns: dict[date, Standing] = {}
    life: dict[UUID, LifeEventTold] = {}
    for one in told:
        match one:
            case EntitlementTold():
                turns[one.effective_date] = _turned(turns, one)
            case LifeEventTold():
                life[one.life_event] = one
            case LifeEventTakenBack():
                life.pop(one.life_event, None)
    denied = {(one.kind, one.event_date) for one in life.values() if one.denied}
    counts = [one for one in life.values() if (one.kind, one.event_date) not in denied]

    def days(kind: str) -> list[date]:
        return sorted({one.event_date for one in counts if one.kind == kind})

    return Insured(
        turns=tuple(sorted(turns.items(), key=lambda turn: turn[0])),
        deaths=tuple(days(DEATH)),
        stays=tuple(_stays(days(ADMISSION), days(DISCHARGE))),
    )


def _turned(turns: dict[date, Standing], told: EntitlementTold) -> Standing:
    before = [day for day in turns if day <= told.effective_date]
    now = turns[max(before)] if before else Standing()
    state = told.state or now.state
    # The cause of a rest holds on through a change of grade, and not beyond the rest.
    cause = told.cause or (now.cause if state is now.state else "")
    grade = now.grade if told.grade is None else told.grade
    return Standing(state=state, grade=0 if state is EntitlementState.ENDED else grade, cause=cause)


def _stays(
    admitted: Sequence[date], discharged: Sequence[date]
) -> Iterator[tuple[date, date | None]]:
    """Told twice is told once; a stay that began anew on the day another ended is a new one."""
    since: date | None = None
    for day in sorted({*admitted, *discharged}):
        if since is not None and day in discharged:
            yield since, day
            since = None
        if since is None and day in admitted:
            since = day
    if since is not None:
        yield since, None
