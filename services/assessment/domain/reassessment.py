"""Reassessments that are due (定期评估 / 状态变更评估). Pure: no clock, no I/O."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from services.assessment.domain.events import ApplicationKind


@dataclass(frozen=True, kw_only=True)
class ReassessmentOrdered:
    person: UUID
    pool: str
    kind: ApplicationKind
    due_date: date
    cause: str


@dataclass(frozen=True, kw_only=True)
class OrderReassessment:
    told: ReassessmentOrdered


@dataclass(frozen=True, kw_only=True)
class Reassessments:
    """What was ordered for a person in a pool."""

    ordered: frozenset[tuple[ApplicationKind, date]] = frozenset()


def decide(command: OrderReassessment, known: Reassessments) -> list[ReassessmentOrdered]:
    """Orders a reassessment once for each kind and day."""
    told = command.told
    return [] if (told.kind, told.due_date) in known.ordered else [told]


def evolve(known: Reassessments, event: ReassessmentOrdered) -> Reassessments:
    """What is known after the order."""
    return Reassessments(ordered=known.ordered | {(event.kind, event.due_date)})
