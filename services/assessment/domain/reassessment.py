"""Reassessments that are due (定期评估 / 状态变更评估 / 抽查后的重新评估). Pure: no clock."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from services.assessment.domain.events import ApplicationKind


class SpotCheckCause(StrEnum):
    """Why a reassessment outside its turn is ordered."""

    SPOT_CHECK = "spot_check"  # 抽查、巡查
    COMPLAINT = "complaint"  # 投诉举报
    INSPECTION = "inspection"  # 飞行检查


@dataclass(frozen=True, kw_only=True)
class ReassessmentOrdered:
    person: UUID
    pool: str
    kind: ApplicationKind
    due_date: date
    cause: str


@dataclass(frozen=True, kw_only=True)
class SpotCheckOrdered:
    """A reassessment outside its turn, with a clock of its own."""

    person: UUID
    pool: str
    cause: SpotCheckCause
    ordered_date: date
    due_date: date
    inspection: UUID | None


@dataclass(frozen=True, kw_only=True)
class OrderReassessment:
    told: ReassessmentOrdered | SpotCheckOrdered


@dataclass(frozen=True, kw_only=True)
class Reassessments:
    """What was ordered for a person in a pool."""

    ordered: frozenset[tuple[ApplicationKind, date]] = frozenset()

    def has(self, kind: ApplicationKind) -> bool:
        """Whether any of the kind was ordered."""
        return any(ordered == kind for ordered, _ in self.ordered)


def decide(
    command: OrderReassessment, known: Reassessments
) -> list[ReassessmentOrdered | SpotCheckOrdered]:
    """Orders a reassessment once for each kind and day."""
    told = command.told
    return [] if (_kind(told), told.due_date) in known.ordered else [told]


def evolve(known: Reassessments, event: ReassessmentOrdered | SpotCheckOrdered) -> Reassessments:
    """What is known after the order."""
    return Reassessments(ordered=known.ordered | {(_kind(event), event.due_date)})


def _kind(told: ReassessmentOrdered | SpotCheckOrdered) -> ApplicationKind:
    return told.kind if isinstance(told, ReassessmentOrdered) else ApplicationKind.SPOT_CHECK
