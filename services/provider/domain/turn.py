"""One visit at a time under a plan (同一计划同时只有一次服务). Pure: no clock, no I/O.

Decides on the stream `turn/{plan}`, so that of two starts in the same instant one is refused.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from kernel.refusal import Refused
from services.provider.domain.visit import LONGEST


@dataclass(frozen=True, kw_only=True)
class TakeTurn:
    """`free` says whether the visit that took the turn last has ended."""

    plan: UUID
    visit: UUID
    pool: str
    start_time: datetime  # offset +08:00
    free: bool


@dataclass(frozen=True, kw_only=True)
class VisitTurnTaken:
    plan: UUID
    visit: UUID
    pool: str
    start_time: str  # ISO 8601 with offset


@dataclass(frozen=True, kw_only=True)
class Turn:
    """The visit that took the turn last."""

    last: VisitTurnTaken | None = None


def decide(command: TakeTurn, turn: Turn) -> list[VisitTurnTaken]:
    """Takes the turn. Refuses VISIT_RUNNING while another visit goes on.

    A visit that was not ended within the longest time a visit may last holds up no other: it
    stands in the exception queue.
    """
    last = turn.last
    if last is not None:
        if last.visit == command.visit:
            return []
        apart = abs(command.start_time - datetime.fromisoformat(last.start_time))
        if not command.free and apart < LONGEST:
            raise Refused("VISIT_RUNNING", visit=str(last.visit))
    return [
        VisitTurnTaken(
            plan=command.plan,
            visit=command.visit,
            pool=command.pool,
            start_time=command.start_time.isoformat(),
        )
    ]


def evolve(_turn: Turn, event: VisitTurnTaken) -> Turn:
    return Turn(last=event)
