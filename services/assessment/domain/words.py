"""The words around an application: who applies and where, who assesses, how a draw went. Pure."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class AssessorKind(StrEnum):
    """Who assesses on site."""

    ASSESSOR = "assessor"  # 评估员
    EXPERT = "expert"  # 评估专家


class ApplicantKind(StrEnum):
    """Who applies (申请人)."""

    PERSON = "person"  # 本人
    GUARDIAN = "guardian"  # 监护人
    AGENT = "agent"  # 代理人


class ApplicationChannel(StrEnum):
    """How an application was made (申请渠道)."""

    ONLINE = "online"  # 线上
    WINDOW = "window"  # 经办窗口
    SERVICE_POINT = "service_point"  # 服务点协助


class ServicePointLevel(StrEnum):
    """Level of a service point (三级服务网点)."""

    COUNTY = "county"  # 县区
    TOWN = "town"  # 镇街
    VILLAGE = "village"  # 村社区


class ServicePointKind(StrEnum):
    """Whether people come to it or it comes to them."""

    FIXED = "fixed"  # 固定
    MOBILE = "mobile"  # 流动


class SelfCare(StrEnum):
    """How well a person does something alone (自评表)."""

    INDEPENDENT = "independent"  # 独立
    PARTLY = "partly"  # 部分独立
    DEPENDENT = "dependent"  # 依赖


class ProfessionalTitle(StrEnum):
    """Professional title (专业技术职称), from the lowest to the highest."""

    NONE = "none"  # 无
    JUNIOR = "junior"  # 初级
    INTERMEDIATE = "intermediate"  # 中级
    ASSOCIATE_SENIOR = "associate_senior"  # 副高级
    SENIOR = "senior"  # 正高级

    def reaches(self, lowest: "ProfessionalTitle") -> bool:
        """Whether it is that title or a higher one."""
        order = list(ProfessionalTitle)
        return order.index(self) >= order.index(lowest)


class TieKind(StrEnum):
    """What ties an assessor to somebody (利害关系)."""

    EMPLOYER = "employer"  # 任职于护理服务机构
    RELATIVE = "relative"  # 近亲属
    OTHER = "other"  # 其他利害关系


class AssignmentRound(StrEnum):
    """Which assessment people are assigned to."""

    FIRST = "first"  # 初评
    REVIEW = "review"  # 复评


class ExclusionReason(StrEnum):
    """Why a registered assessor could not be drawn, the first that holds."""

    BARRED = "barred"
    BODY_NOT_IN_FORCE = "body_not_in_force"
    SAME_PERSON = "same_person"
    TIED = "tied"
    SERVES_PERSON = "serves_person"
    EARLIER_ROUND = "earlier_round"
    RECUSED = "recused"
    DAY_FULL = "day_full"
    ASSIGNED_BEFORE = "assigned_before"


class ReplacementCause(StrEnum):
    """Why an assigned assessor is replaced."""

    REFUSED = "refused"
    PREVENTED = "prevented"
    CONFLICT = "conflict"


class SettledBy(StrEnum):
    """Who settled an item on which the forms differ."""

    AGREEMENT = "agreement"  # 协商一致
    EXPERT = "expert"  # 专家认定


class TerminationReason(StrEnum):
    """Why an assessment was broken off (终止评估)."""

    ASSESSMENT_REFUSED = "assessment_refused"  # 拒绝评估
    OBSTRUCTION = "obstruction"  # 干扰评估
    FALSE_INFORMATION = "false_information"  # 提供虚假信息
    DEATH = "death"  # 死亡
    UNREACHABLE = "unreachable"  # 无法联系


@dataclass(frozen=True, kw_only=True)
class SelfAssessmentItem:
    """The answer to one item of the self-assessment form."""

    item: str
    answer: SelfCare


@dataclass(frozen=True, kw_only=True)
class AssignedAssessor:
    """Somebody assigned to assess on site."""

    assessor: str
    assessor_kind: AssessorKind


@dataclass(frozen=True, kw_only=True)
class DrawCandidate:
    """One who could be drawn; `near` come first, in the order drawn."""

    assessor: str
    assessor_kind: AssessorKind
    weight: int
    near: bool


@dataclass(frozen=True, kw_only=True)
class DrawExclusion:
    """One who could not be drawn, and why."""

    assessor: str
    reason: ExclusionReason


@dataclass(frozen=True, kw_only=True)
class Draw:
    """A draw with all that is needed to draw again once the seed is told."""

    number: int  # within pool and day
    purpose: str
    drawn_date: date
    commitment: str
    candidates: tuple[DrawCandidate, ...]
    exclusions: tuple[DrawExclusion, ...]
    drawn: tuple[str, ...]  # all candidates, in the order drawn
    kept: tuple[str, ...]
    last_team: tuple[str, ...]
