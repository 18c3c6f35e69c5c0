"""The words of the disability assessment (失能等级评估): its kinds, states and events. Pure.

All applications of a person in a pool are one stream, so that each is decided knowing the
others.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from services.assessment.domain import words as w


class ApplicationKind(StrEnum):
    """Why a person is assessed (评估类型)."""

    FIRST = "first"  # 初次评估
    CHANGE_OF_STATE = "change_of_state"  # 状态变更评估
    PERIODIC = "periodic"  # 定期评估
    SPOT_CHECK = "spot_check"  # 抽查、投诉后的重新评估


class Authority(StrEnum):
    """By what right a conclusion stands."""

    ORDINARY = "ordinary"  # the first round
    REVIEW = "review"  # 复评
    APPEAL = "appeal"  # 申诉


AssessorKind = w.AssessorKind  # who assesses on site


class ApplicationState(StrEnum):
    """Where an application stands."""

    SUPPLEMENT_REQUESTED = "supplement_requested"  # 待补正
    ACCEPTED = "accepted"  # 已受理
    ON_SITE = "on_site"  # 现场评估中
    GRADED = "graded"  # 待确认
    CONFIRMED = "confirmed"  # 已确认
    PUBLISHED = "published"  # 公示中
    DELIVERED = "delivered"  # 已送达
    REFUSED = "refused"  # 不予受理
    WITHDRAWN = "withdrawn"  # 已撤回
    TERMINATED = "terminated"  # 已终止


class ClockStep(StrEnum):
    """A step of the procedure that has a legal time (法定时限)."""

    COMPLETENESS_CHECK = "completeness_check"  # 受理审核
    SUPPLEMENT = "supplement"  # 补正
    ON_SITE = "on_site"  # 现场评估
    CONCLUSION = "conclusion"  # 评估结论
    PUBLICATION = "publication"  # 公示开始
    PUBLICITY = "publicity"  # 公示期
    DELIVERY = "delivery"  # 送达
    REVIEW_REQUEST = "review_request"  # 复评申请期
    VALIDITY = "validity"  # 有效期
    PERIODIC_REASSESSMENT = "periodic_reassessment"  # 定期评估
    CHANGE_REASSESSMENT = "change_reassessment"  # 状态变更评估
    OBJECTION = "objection"  # 异议处理
    REVIEW = "review"  # 复评
    APPEAL = "appeal"  # 申诉处理


@dataclass(frozen=True, kw_only=True)
class ItemScore:
    """The score of one of the 17 items; higher is better."""

    item: str
    score: int


@dataclass(frozen=True, kw_only=True)
class ApplicationSubmitted:
    application: UUID
    person: UUID
    pool: str
    kind: ApplicationKind
    application_date: date
    disabled_since_date: date
    missing_papers: tuple[str, ...]
    agent_name: str
    applicant_kind: w.ApplicantKind | None = None
    agent_relation: str = ""
    channel: w.ApplicationChannel | None = None
    service_point: UUID | None = None
    self_assessment: tuple[w.SelfAssessmentItem, ...] = ()
    self_grade: str = ""


@dataclass(frozen=True, kw_only=True)
class SelfAssessmentRechecked:
    application: UUID
    person: UUID
    items: tuple[w.SelfAssessmentItem, ...]
    self_grade: str
    operator: str
    rechecked_date: date


@dataclass(frozen=True, kw_only=True)
class SupplementRequested:
    application: UUID
    person: UUID
    missing_papers: tuple[str, ...]
    due_date: date


@dataclass(frozen=True, kw_only=True)
class SupplementReceived:
    application: UUID
    person: UUID
    received_date: date


@dataclass(frozen=True, kw_only=True)
class ApplicationAccepted:
    application: UUID
    person: UUID
    accepted_date: date
    conclusion_due_date: date
    ruling: bytes = b""


@dataclass(frozen=True, kw_only=True)
class ApplicationRefused:
    application: UUID
    person: UUID
    reasons: tuple[str, ...]
    eligibility_decision: UUID | None
    refused_date: date
    ruling: bytes = b""


@dataclass(frozen=True, kw_only=True)
class ApplicationWithdrawn:
    application: UUID
    person: UUID
    withdrawn_date: date
    deemed: bool


@dataclass(frozen=True, kw_only=True)
class AssessorsAssigned:
    application: UUID
    person: UUID
    pool: str
    assignment_round: w.AssignmentRound
    assigned: tuple[w.AssignedAssessor, ...]
    draw: w.Draw
    assigned_date: date
    ruling: bytes


@dataclass(frozen=True, kw_only=True)
class AssessorReplaced:
    application: UUID
    person: UUID
    pool: str
    assignment_round: w.AssignmentRound
    assigned: tuple[w.AssignedAssessor, ...]
    draw: w.Draw
    assigned_date: date
    ruling: bytes
    replaced: str
    replacement_cause: w.ReplacementCause


@dataclass(frozen=True, kw_only=True)
class OnSiteAssessed:
    application: UUID
    person: UUID
    assessor: str
    assessor_kind: AssessorKind
    assessed_date: date
    scores: tuple[ItemScore, ...]
    evidence_hashes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ItemSettled:
    application: UUID
    person: UUID
    item: str
    score: int
    reason: str
    settled_by: w.SettledBy
    assessor: str
    settled_date: date


@dataclass(frozen=True, kw_only=True)
class AssessmentGraded:
    application: UUID
    person: UUID
    pool: str
    grade: int
    assessed_date: date
    ruling: bytes


@dataclass(frozen=True, kw_only=True)
class GradeChanged:
    application: UUID
    person: UUID
    pool: str
    computed_grade: int
    grade: int
    reason: str
    expert: str
    changed_date: date
    ruling: bytes


@dataclass(frozen=True, kw_only=True)
class AssessmentTerminated:
    application: UUID
    person: UUID
    pool: str
    termination_reason: w.TerminationReason
    terminated_date: date
    note: str
    ruling: bytes


@dataclass(frozen=True, kw_only=True)
class ConclusionConfirmed:
    application: UUID
    person: UUID
    expert: str
    confirmed_date: date
    complete: bool


@dataclass(frozen=True, kw_only=True)
class ConclusionPublished:
    application: UUID
    person: UUID
    published_date: date
    publicity_end_date: date


@dataclass(frozen=True, kw_only=True)
class ConclusionDelivered:
    application: UUID
    person: UUID
    pool: str
    kind: ApplicationKind
    grade: int
    grade_eligible: bool
    conclusion_date: date
    effective_date: date
    valid_until_date: date
    delivered_date: date
    authority: Authority = Authority.ORDINARY
    round: int = 1  # which conclusion of the application; 0 in events of earlier releases means 1
    replaces_round: int = 0  # set aside from its effective day on; 0: none


@dataclass(frozen=True, kw_only=True)
class ClockPaused:
    application: UUID
    person: UUID
    step: ClockStep
    reason: str
    from_date: date


@dataclass(frozen=True, kw_only=True)
class ClockResumed:
    application: UUID
    person: UUID
    step: ClockStep
    resumed_date: date


@dataclass(frozen=True, kw_only=True)
class ClockReminded:
    application: UUID
    person: UUID
    step: ClockStep
    due_date: date
    reminded_date: date


@dataclass(frozen=True, kw_only=True)
class ClockMissed:
    application: UUID
    person: UUID
    step: ClockStep
    due_date: date
    missed_date: date


Event = (
    ApplicationSubmitted
    | SupplementRequested
    | SupplementReceived
    | ApplicationAccepted
    | ApplicationRefused
    | ApplicationWithdrawn
    | OnSiteAssessed
    | AssessmentGraded
    | ConclusionConfirmed
    | ConclusionPublished
    | ConclusionDelivered
    | SelfAssessmentRechecked
    | AssessorsAssigned
    | AssessorReplaced
    | ItemSettled
    | GradeChanged
    | AssessmentTerminated
    | ClockPaused
    | ClockResumed
    | ClockReminded
    | ClockMissed
)
