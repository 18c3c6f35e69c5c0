"""The words of what follows a conclusion: objection, review, appeal, reassessment. Pure.

Objection (异议), review (复评) and appeal (申诉) stand in the person's stream of applications, so
that a conclusion is delivered knowing of them.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from kernel.money import Money
from services.assessment.domain.events import ApplicationKind, AssessorKind, ItemScore


class ObjectionOutcome(StrEnum):
    """How an objection was decided."""

    DISMISSED = "dismissed"  # 不成立
    UPHELD = "upheld"  # 成立


class AppealAgainst(StrEnum):
    """What an appeal is against."""

    CONCLUSION = "conclusion"  # 评估结论
    REFUSAL = "refusal"  # 不予受理
    REASSESSMENT_STOP = "reassessment_stop"  # 停止待遇


class AppealOutcome(StrEnum):
    """How an appeal was decided."""

    DISMISSED = "dismissed"  # 驳回
    UPHELD = "upheld"  # 撤销或变更


class AssessmentPlace(StrEnum):
    """Where an assessment took place."""

    HOME = "home"  # 居家
    INSTITUTION = "institution"  # 机构


class FeePayer(StrEnum):
    """Who bears the fee of a review."""

    APPLICANT = "applicant"
    FUND = "fund"


class ReassessmentOutcome(StrEnum):
    """What a reassessment leads to."""

    CONTINUE = "continue"
    NEW_GRADE = "new_grade"
    STOP = "stop"


@dataclass(frozen=True, kw_only=True)
class ItemChange:
    """An item that two rounds scored differently."""

    item: str
    score_before: int
    score: int


@dataclass(frozen=True, kw_only=True)
class ObjectionFiled:
    objection: UUID
    application: UUID
    person: UUID
    pool: str
    objector: UUID
    objector_name: str
    objector_contact: str
    statement: str
    attacked_clauses: tuple[str, ...]
    attacked_items: tuple[str, ...]
    filed_date: date
    due_date: date


@dataclass(frozen=True, kw_only=True)
class ObjectionDecided:
    objection: UUID
    application: UUID
    person: UUID
    pool: str
    outcome: ObjectionOutcome
    reasoning: str
    decided_by: tuple[str, ...]
    decided_date: date
    attacked_clauses: tuple[str, ...]
    attacked_items: tuple[str, ...]
    original_assessors: tuple[str, ...]
    ruling: bytes


@dataclass(frozen=True, kw_only=True)
class ReviewRequested:
    application: UUID
    person: UUID
    pool: str
    requested_date: date
    due_date: date
    attacked_clauses: tuple[str, ...]
    attacked_items: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ReviewOrdered:
    application: UUID
    person: UUID
    pool: str
    objection: UUID
    ordered_date: date
    due_date: date
    attacked_clauses: tuple[str, ...]
    attacked_items: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ReviewAssessed:
    application: UUID
    person: UUID
    assessor: str
    assessor_kind: AssessorKind
    assessed_date: date
    scores: tuple[ItemScore, ...]
    evidence_hashes: tuple[str, ...]
    place: AssessmentPlace


@dataclass(frozen=True, kw_only=True)
class ReviewGraded:
    application: UUID
    person: UUID
    pool: str
    grade: int
    grade_before: int
    assessed_date: date
    changed_items: tuple[ItemChange, ...]
    original_assessors: tuple[str, ...]
    attacked_clauses: tuple[str, ...]
    ruling: bytes


@dataclass(frozen=True, kw_only=True)
class ReviewConfirmed:
    application: UUID
    person: UUID
    expert: str
    confirmed_date: date
    complete: bool


@dataclass(frozen=True, kw_only=True)
class ReviewFeeDecided:
    application: UUID
    person: UUID
    pool: str
    payer: FeePayer
    fee: Money | None
    decided_date: date
    ruling: bytes


@dataclass(frozen=True, kw_only=True)
class ReviewPublished:
    application: UUID
    person: UUID
    published_date: date
    publicity_end_date: date


@dataclass(frozen=True, kw_only=True)
class AppealFiled:
    appeal: UUID
    application: UUID
    person: UUID
    pool: str
    against: AppealAgainst
    told_date: date
    filed_date: date
    file_by_date: date | None
    due_date: date | None
    statement: str
    attacked_clauses: tuple[str, ...]
    attacked_items: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class AppealDecided:
    appeal: UUID
    application: UUID
    person: UUID
    pool: str
    against: AppealAgainst
    outcome: AppealOutcome
    grade: int | None
    grade_before: int | None
    effective_date: date | None
    panel: tuple[str, ...]
    decided_date: date
    preview_digest: str
    reasoning: str
    attacked_clauses: tuple[str, ...]
    attacked_items: tuple[str, ...]
    original_assessors: tuple[str, ...]
    ruling: bytes


@dataclass(frozen=True, kw_only=True)
class ReassessmentConcluded:
    reassessment: UUID
    application: UUID
    person: UUID
    pool: str
    kind: ApplicationKind
    outcome: ReassessmentOutcome
    refused: bool
    grade_before: int
    grade: int
    effective_date: date
    concluded_date: date
    ruling: bytes


DisputeEvent = (
    ObjectionFiled
    | ObjectionDecided
    | ReviewRequested
    | ReviewOrdered
    | ReviewAssessed
    | ReviewGraded
    | ReviewConfirmed
    | ReviewFeeDecided
    | ReviewPublished
    | AppealFiled
    | AppealDecided
    | ReassessmentConcluded
)
