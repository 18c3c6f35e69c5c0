"""What happens in a case (案件查处): the events of the stream `inspection/{inspection}`, and words.

Pure: no clock, no I/O. The words of either side are personal and sealed with the case's own key.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from kernel.rules.ruling import FactRef
from services.provider.domain.standing import SanctionMeasure


class InspectionCause(StrEnum):
    """What led to a case."""

    FLAG = "flag"
    COMPLAINT = "complaint"
    SAMPLE = "sample"


class InspectionVerdict(StrEnum):
    """What people decided on a flag, or on a case without flags."""

    CLEARED = "cleared"
    CONFIRMED = "confirmed"


class InspectionAppealOutcome(StrEnum):
    """What became of an appeal."""

    UPHELD = "upheld"
    DISMISSED = "dismissed"


class InspectionState(StrEnum):
    """Where a case stands."""

    OPENED = "opened"
    NOTICED = "noticed"
    DECIDED = "decided"
    APPEALED = "appealed"
    CLOSED = "closed"


class InspectionStep(StrEnum):
    """The steps of the office that have a last day."""

    NOTICE = "notice"
    DECISION = "decision"
    APPEAL_DECISION = "appeal_decision"


class InspectionNote(StrEnum):
    """What is noted of a last day."""

    REMINDED = "reminded"
    MISSED = "missed"


@dataclass(frozen=True, kw_only=True)
class FrozenFact:
    """An event on which a case stands, as a ruling names a fact."""

    service: str
    position: int
    digest: str

    @classmethod
    def of(cls, ref: FactRef) -> "FrozenFact":
        return cls(service=ref.service, position=ref.position, digest=ref.digest)

    @property
    def ref(self) -> FactRef:
        return FactRef(self.service, self.position, self.digest)


def frozen_digest(frozen: Iterable[FrozenFact]) -> str:
    """SHA-256 over `service position digest` lines in the order of the log, in hex."""
    lines = [f"{one.service} {one.position} {one.digest}" for one in in_order(frozen)]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def in_order(frozen: Iterable[FrozenFact]) -> tuple[FrozenFact, ...]:
    """Each once, by service and position."""
    return tuple(FrozenFact.of(ref) for ref in sorted({one.ref for one in frozen}))


@dataclass(frozen=True, kw_only=True)
class FlagFinding:
    """What was decided on one flag, and why, in words that name nobody."""

    flag: UUID
    verdict: InspectionVerdict
    cause: str


@dataclass(frozen=True, kw_only=True)
class InspectionOpened:
    inspection: UUID
    pool: str
    cause: InspectionCause
    source: UUID | None = None  # the complaint or the sample
    flags: tuple[UUID, ...] = ()
    provider: UUID | None = None
    caregiver: UUID | None = None
    assessor: UUID | None = None
    frozen: tuple[FrozenFact, ...] = ()
    frozen_digest: str
    opened_by: str
    opened_date: date
    notice_due_date: date
    decision_due_date: date


@dataclass(frozen=True, kw_only=True)
class InspectionExtended:
    inspection: UUID
    pool: str
    flags: tuple[UUID, ...]
    frozen: tuple[FrozenFact, ...]  # that they add
    frozen_digest: str  # over all of the case
    extended_date: date


@dataclass(frozen=True, kw_only=True)
class InspectionNoticed:
    inspection: UUID
    pool: str
    officer: str
    noticed_date: date
    respond_by_date: date


@dataclass(frozen=True, kw_only=True)
class StatementFiled:
    inspection: UUID
    pool: str
    statement: str = ""  # personal
    hearing_wanted: bool
    evidence_hashes: tuple[str, ...] = ()
    filed_date: date


@dataclass(frozen=True, kw_only=True)
class HearingHeld:
    inspection: UUID
    pool: str
    officers: tuple[str, ...]
    attended: bool
    statement: str = ""  # personal
    held_date: date


@dataclass(frozen=True, kw_only=True)
class InspectionDecided:
    inspection: UUID
    pool: str
    provider: UUID | None = None
    outcome: InspectionVerdict
    findings: tuple[FlagFinding, ...]
    decided_by: tuple[str, ...]
    decided_date: date
    appeal_by_date: date | None = None  # None where nothing was confirmed
    proposed_measure: SanctionMeasure | None = None
    proposed_article: str = ""
    reasoning: str = ""  # personal
    ruling: bytes


@dataclass(frozen=True, kw_only=True)
class InspectionAppealed:
    inspection: UUID
    pool: str
    statement: str = ""  # personal
    filed_date: date
    due_date: date


@dataclass(frozen=True, kw_only=True)
class InspectionAppealDecided:
    inspection: UUID
    pool: str
    outcome: InspectionAppealOutcome
    cleared_flags: tuple[UUID, ...]
    decided_by: tuple[str, ...]
    decided_date: date
    reasoning: str = ""  # personal
    ruling: bytes


@dataclass(frozen=True, kw_only=True)
class InspectionClosed:
    inspection: UUID
    pool: str
    outcome: InspectionVerdict
    closed_date: date


@dataclass(frozen=True, kw_only=True)
class InspectionClockNoted:
    inspection: UUID
    pool: str
    step: InspectionStep
    note: InspectionNote
    due_date: date
    noted_date: date


Event = (
    InspectionOpened
    | InspectionExtended
    | InspectionNoticed
    | StatementFiled
    | HearingHeld
    | InspectionDecided
    | InspectionAppealed
    | InspectionAppealDecided
    | InspectionClosed
    | InspectionClockNoted
)
