"""What other services know about a person, as far as money depends on it. Pure: no clock, no I/O.

A fact has the day it is about and a place in its service's log. Only the day counts here: the
facts of a case are put in an order of their own, so that the order in which they became known
cannot change what they mean. One thing alone follows the log: a source that puts itself right.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any
from uuid import UUID

from kernel.money import ZERO, Money
from kernel.rules.precedence import Report
from kernel.rules.ruling import FactRef


class LifeEventKind(StrEnum):
    """What may happen in a life that matters to benefits."""

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


class Authority(StrEnum):
    """By what right a conclusion stands."""

    ORDINARY = "ordinary"  # people assessed
    REVIEW = "review"  # other people assessed again (复评)
    APPEAL = "appeal"  # a panel decided (申诉)
    AUTOMATIC = "automatic"  # a rule's consequence: nobody looked at the person


class CareForm(StrEnum):
    """Form of care (护理服务形式), by the names that packs use."""

    HOME_VISITS = "home_visits"
    FAMILY_CARER = "family_carer"
    HOME_AGENCY = "home_agency"
    INSTITUTION = "institution"
    HOSPITAL = "hospital"
    COMMUNITY = "community"
    CARER_BESIDE = "carer_beside"


@dataclass(frozen=True, kw_only=True, slots=True)
class Conclusion:
    """A delivered conclusion of an assessment (评估结论), or a stop that takes the place of one."""

    ref: FactRef
    application: UUID
    grade: int
    eligible: bool  # whether the pool pays for the grade
    conclusion_date: date
    effective_date: date
    valid_until_date: date
    authority: Authority = Authority.ORDINARY
    round: int = 1  # which conclusion of the application


@dataclass(frozen=True, kw_only=True, slots=True)
class LifeEvent:
    """A reported life event (个人事件), unless it is withdrawn."""

    ref: FactRef
    life_event: UUID
    pool: str  # the pooling area that was told
    kind: LifeEventKind
    event_date: date
    source: str = ""  # who says so, by the names in `kernel.rules.precedence`
    denied: bool = False  # the source says that it did not happen on that day

    @property
    def report(self) -> Report:
        """As reports are weighed; of one source's reports the place in the log says the newer."""
        return Report(
            id=self.life_event,
            kind=self.kind.value,
            day=self.event_date,
            source=self.source,
            denied=self.denied,
            arrived=self.ref.position,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class LifeEventWithdrawn:
    """A reported life event turned out wrong."""

    ref: FactRef
    life_event: UUID


@dataclass(frozen=True, kw_only=True, slots=True)
class CoverageEnded:
    """The last day a person was insured in the pool."""

    ref: FactRef
    end_date: date


@dataclass(frozen=True, kw_only=True, slots=True)
class CoverageStarted:
    """A person is insured in the pool from this day, in a group (参保人群)."""

    ref: FactRef
    start_date: date
    group: str = ""  # these three by the names that packs use
    tier: str = ""
    statuses: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class CoverageChanged:
    """An insured person is of another group, tier or status from this day on."""

    ref: FactRef
    change_date: date
    group: str  # these three by the names that packs use
    tier: str = ""
    statuses: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class CoverageSuspended:
    """The insurance in the pool rests from this day on (待遇暂停)."""

    ref: FactRef
    suspension: UUID
    from_date: date


@dataclass(frozen=True, kw_only=True, slots=True)
class CoverageResumed:
    """A suspension is over: this day counts again."""

    ref: FactRef
    suspension: UUID
    resume_date: date


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """A care plan came in force (护理服务计划)."""

    ref: FactRef
    plan: UUID
    provider: UUID
    form: CareForm
    start_date: date
    level: str = ""  # of the provider, by the names that packs use


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanEnd:
    """The last day of a care plan."""

    ref: FactRef
    plan: UUID
    end_date: date


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivered:
    """A visit that counts as service (服务有效), and what it cost."""

    ref: FactRef
    visit: UUID
    plan: UUID
    provider: UUID
    care_date: date
    cost: Money
    minutes: int = 0
    staff: str = ""  # by the names that packs use
    medical_cost: Money = ZERO  # the part of the cost that is medical care


@dataclass(frozen=True, kw_only=True, slots=True)
class Rejected:
    """A verdict that a visit does not count (服务不予认定)."""

    ref: FactRef
    visit: UUID


@dataclass(frozen=True, kw_only=True, slots=True)
class Flagged:
    """A detector wants a look at a visit (风险提示)."""

    ref: FactRef
    flag: UUID
    visit: UUID
    detector: str


@dataclass(frozen=True, kw_only=True, slots=True)
class FlagDecided:
    """People decided about a flag on a visit: cleared, or confirmed."""

    ref: FactRef
    flag: UUID
    visit: UUID
    confirmed: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class ClaimLine:
    """How a provider's claim line for a visit came out (核定), as of this event."""

    ref: FactRef
    line: UUID
    visit: UUID
    approved: Money | None  # None where the line is refused


@dataclass(frozen=True, kw_only=True, slots=True)
class Merged:
    """Two persons are one from a day on (并档), as the stream of `person` tells it."""

    ref: FactRef
    person: UUID
    survivor: UUID
    duplicate: UUID
    merged_date: date


@dataclass(frozen=True, kw_only=True, slots=True)
class Split:
    """A merge was taken back (拆档), as the stream of `person` tells it."""

    ref: FactRef
    person: UUID
    survivor: UUID
    duplicate: UUID


PersonFact = (
    Conclusion
    | LifeEvent
    | LifeEventWithdrawn
    | CoverageEnded
    | CoverageStarted
    | CoverageChanged
    | CoverageSuspended
    | CoverageResumed
    | Plan
    | PlanEnd
    | Delivered
    | Rejected
    | Flagged
    | FlagDecided
    | ClaimLine
    | Merged
    | Split
)


@dataclass(frozen=True, kw_only=True)
class CaseFacts:
    """All facts of one person in one pool, by kind, each kind in the order of its days."""

    conclusions: tuple[Conclusion, ...] = ()
    life_events: tuple[LifeEvent, ...] = ()
    withdrawals: tuple[LifeEventWithdrawn, ...] = ()
    coverage_ends: tuple[CoverageEnded, ...] = ()
    coverage_starts: tuple[CoverageStarted, ...] = ()
    coverage_changes: tuple[CoverageChanged, ...] = ()
    suspensions: tuple[CoverageSuspended, ...] = ()
    resumptions: tuple[CoverageResumed, ...] = ()
    plans: tuple[Plan, ...] = ()
    plan_ends: tuple[PlanEnd, ...] = ()
    deliveries: tuple[Delivered, ...] = ()  # verdicts: of one visit there may be several
    rejections: tuple[Rejected, ...] = ()
    flags: tuple[Flagged, ...] = ()
    flag_decisions: tuple[FlagDecided, ...] = ()
    claim_lines: tuple[ClaimLine, ...] = ()  # of one line there may be several events
    # Of persons who are one (`domain.merging`):
    joined: tuple[tuple[date, "CaseFacts"], ...] = ()  # the facts of all, from these days on
    members: tuple["CaseFacts", ...] = ()  # in a joined case, what each of them brings
    merged_on: date | None = None  # from this day on another's case goes on for this one
    merges: tuple[Merged, ...] = ()  # those that stand

    @classmethod
    def of(cls, facts: Iterable[PersonFact]) -> "CaseFacts":
        """The case that these facts make, in whatever order they come."""
        kinds: dict[type, list[Any]] = {}
        for fact in facts:
            kinds.setdefault(type(fact), []).append(fact)
        told: dict[str, Any] = {
            name: tuple(sorted(kinds.get(kind, ()), key=order))
            for name, (kind, order) in _KINDS.items()
        }
        return cls(**told)

    def on(self, day: date) -> "CaseFacts":
        """What counts on a day: the facts of all who are one by then."""
        return next((facts for first, facts in reversed(self.joined) if first <= day), self)

    @property
    def whole(self) -> "CaseFacts":
        """The facts of all who are one."""
        return self.joined[-1][1] if self.joined else self

    @property
    def valid_until(self) -> date | None:
        """The last day of the newest conclusion; None where there is none."""
        return self.valid_until_as_of(date.max)

    def valid_until_as_of(self, day: date) -> date | None:
        """The last day of the newest conclusion that has effect on a day."""
        told = [
            c.valid_until_date
            for c in in_effect(self.on(day).conclusions, day)
            if c.authority is not Authority.AUTOMATIC
        ]
        return told[-1] if told else None

    @property
    def standing_refs(self) -> tuple[FactRef, ...]:
        """The facts that say whether a person is entitled."""
        whole = self.whole
        return tuple(
            fact.ref
            for facts in (
                whole.conclusions,
                whole.life_events,
                whole.withdrawals,
                whole.coverage_ends,
                whole.coverage_starts,
                whole.coverage_changes,
                whole.suspensions,
                whole.resumptions,
                self.merges,
            )
            for fact in facts
        )

    @property
    def plan_refs(self) -> tuple[FactRef, ...]:
        """The facts that say who cares and how."""
        return tuple(
            fact.ref for facts in (self.whole.plans, self.whole.plan_ends) for fact in facts
        )

    @property
    def care_refs(self) -> tuple[FactRef, ...]:
        """The facts that may keep a delivered visit from counting, or change its cost."""
        return tuple(
            fact.ref
            for facts in (self.rejections, self.flags, self.flag_decisions, self.claim_lines)
            for fact in facts
        )


def in_effect(conclusions: Iterable[Conclusion], day: date) -> list[Conclusion]:
    """Those that have begun by a day and were not set aside, in the order of their first days.

    A later round of an application sets the earlier ones aside from its own first day on.
    """
    begun = [one for one in conclusions if one.effective_date <= day]
    newest: dict[UUID, int] = {}
    for one in begun:
        newest[one.application] = max(one.round, newest.get(one.application, 0))
    return [
        one
        for one in begun
        if one.authority is Authority.AUTOMATIC or one.round == newest[one.application]
    ]


# Of what says the same day, ids decide: any fixed order does, as long as it is not of arrival.
_KINDS: dict[str, tuple[type, Callable[[Any], Any]]] = {
    "conclusions": (
        Conclusion,
        lambda c: (c.effective_date, c.conclusion_date, c.application, c.round),
    ),
    "life_events": (LifeEvent, lambda e: (e.event_date, e.kind, e.life_event)),
    "withdrawals": (LifeEventWithdrawn, lambda w: w.life_event),
    "coverage_ends": (CoverageEnded, lambda c: c.end_date),
    "coverage_starts": (CoverageStarted, lambda c: c.start_date),
    "coverage_changes": (CoverageChanged, lambda c: c.change_date),
    "suspensions": (CoverageSuspended, lambda c: (c.from_date, c.suspension)),
    "resumptions": (CoverageResumed, lambda c: (c.resume_date, c.suspension)),
    "plans": (Plan, lambda p: (p.start_date, p.plan)),
    "plan_ends": (PlanEnd, lambda p: (p.end_date, p.plan)),
    "deliveries": (Delivered, lambda d: (d.care_date, d.visit)),
    "rejections": (Rejected, lambda r: r.visit),
    "flags": (Flagged, lambda f: (f.visit, f.flag)),
    "claim_lines": (ClaimLine, lambda one: (one.visit, one.line)),
    "flag_decisions": (FlagDecided, lambda d: (d.visit, d.flag)),
}
