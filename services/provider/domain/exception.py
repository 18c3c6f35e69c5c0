"""What is unusual about a visit, and what became of it (异常服务记录). Pure: no clock, no I/O.

A visit that hangs, is disputed, or waits for somebody's approval stands in the exception queue
until people settle it. Its course is on the visit's own stream, beside what it is about.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import assert_never
from uuid import UUID

from kernel.ids import derive
from services.provider.domain.verdict import ConfirmedBy, Dispute, DisputeOutcome, ItemDone


class ExceptionKind(StrEnum):
    """Why a visit is in the queue."""

    NOT_ENDED = "not_ended"  # begun, and not ended within the longest time a visit may last
    NOT_CONFIRMED = "not_confirmed"  # ended, and confirmed or denied by nobody
    DISPUTED = "disputed"  # after its verdict
    CORRECTION = "correction"  # a correction waits for a second person


class ExceptionOutcome(StrEnum):
    """How an exception was settled."""

    ENDED = "ended"
    CONFIRMED = "confirmed"
    DENIED = "denied"
    LAPSED = "lapsed"  # nobody said anything in time: decided as it stands
    CORRECTED = "corrected"
    VOIDED = "voided"  # people found that there is nothing to count
    UPHELD = "upheld"
    NOT_UPHELD = "not_upheld"
    APPROVED = "approved"
    REFUSED = "refused"


BY_PEOPLE = {
    ExceptionKind.NOT_ENDED: {ExceptionOutcome.VOIDED},
    ExceptionKind.NOT_CONFIRMED: set[ExceptionOutcome](),
    ExceptionKind.DISPUTED: {ExceptionOutcome.UPHELD, ExceptionOutcome.NOT_UPHELD},
    ExceptionKind.CORRECTION: {ExceptionOutcome.APPROVED, ExceptionOutcome.REFUSED},
}
"""The outcomes that people may settle a kind with; all others follow from what happens."""


@dataclass(frozen=True, kw_only=True)
class VisitDisputed:
    dispute: UUID
    visit: UUID
    person: UUID
    pool: str
    provider: UUID
    reason: str
    statement: str  # personal
    disputed_by: ConfirmedBy
    disputed_date: date


@dataclass(frozen=True, kw_only=True)
class CorrectionProposed:
    """A correction that counts for more than before: it waits for a second person."""

    correction: UUID
    visit: UUID
    person: UUID
    pool: str
    reason: str
    explanation: str  # personal
    caregiver: UUID
    start_time: str  # ISO 8601 with offset
    end_time: str  # ISO 8601 with offset
    items: tuple[ItemDone, ...]
    corrected_by: str
    proposed_date: date
    provider: UUID


@dataclass(frozen=True, kw_only=True)
class VisitCorrected:
    """What the visit says of itself from here on, whole; what it said before stays on record."""

    correction: UUID
    visit: UUID
    person: UUID
    pool: str
    reason: str
    explanation: str  # personal; empty where it stands in the proposal
    caregiver: UUID
    start_time: str  # ISO 8601 with offset
    end_time: str  # ISO 8601 with offset
    items: tuple[ItemDone, ...]
    corrected_by: str
    approved_by: str  # empty where no second person was needed
    corrected_date: date
    provider: UUID


@dataclass(frozen=True, kw_only=True)
class ExceptionOpened:
    exception: UUID
    visit: UUID
    person: UUID
    pool: str
    provider: UUID
    caregiver: UUID
    kind: ExceptionKind
    opened_date: date
    due_date: date  # last day to settle it


@dataclass(frozen=True, kw_only=True)
class ExceptionSettled:
    exception: UUID
    visit: UUID
    person: UUID
    pool: str
    kind: ExceptionKind
    outcome: ExceptionOutcome
    reason: str  # how it was found out; empty where nobody needed to
    settled_by: str  # an officer; empty where it settled itself
    settled_date: date


Event = VisitDisputed | CorrectionProposed | VisitCorrected | ExceptionOpened | ExceptionSettled


@dataclass(frozen=True, kw_only=True)
class Exceptions:
    """What is, and was, unusual about one visit. Holds no personal words: states are cached."""

    open: tuple[ExceptionOpened, ...] = ()
    settled: tuple[ExceptionSettled, ...] = ()
    disputed: VisitDisputed | None = None
    proposed: CorrectionProposed | None = None  # the one that waits
    corrected: VisitCorrected | None = None  # the last one
    corrections: frozenset[UUID] = frozenset()  # all that were made or proposed
    corrected_count: int = 0

    def of(self, kind: ExceptionKind) -> ExceptionOpened | None:
        """The open exception of a kind."""
        return next((one for one in self.open if one.kind is kind), None)

    def ever(self, kind: ExceptionKind) -> int:
        """How many of a kind were opened so far."""
        open_ones = sum(one.kind is kind for one in self.open)
        return open_ones + sum(one.kind is kind for one in self.settled)

    @property
    def dispute(self) -> Dispute | None:
        """The dispute as verdicts take it; None where nobody disputed."""
        if self.disputed is None:
            return None
        outcome = DisputeOutcome.PENDING
        for one in self.settled:
            if one.kind is ExceptionKind.DISPUTED:
                outcome = DisputeOutcome(one.outcome.value)
        return Dispute(
            reason=self.disputed.reason,
            disputed_date=self.disputed.disputed_date,
            outcome=outcome,
        )


def evolve(now: Exceptions, event: Event) -> Exceptions:
    """The exceptions after the event. It never refuses: what happened, happened."""
    match event:
        case VisitDisputed():
            return replace(now, disputed=replace(event, statement=""))
        case CorrectionProposed():
            return replace(
                now,
                proposed=replace(event, explanation=""),
                corrections=now.corrections | {event.correction},
            )
        case VisitCorrected():
            return replace(
                now,
                corrected=replace(event, explanation=""),
                corrections=now.corrections | {event.correction},
                corrected_count=now.corrected_count + 1,
            )
        case ExceptionOpened():
            return replace(now, open=(*now.open, event))
        case ExceptionSettled():
            waits = event.kind is not ExceptionKind.CORRECTION
            return replace(
                now,
                open=tuple(one for one in now.open if one.exception != event.exception),
                settled=(*now.settled, event),
                proposed=now.proposed if waits else None,
            )
        case _:
            assert_never(event)


@dataclass(frozen=True, kw_only=True)
class About:
    """The visit that an exception is about, and its days."""

    visit: UUID
    person: UUID
    pool: str
    provider: UUID
    caregiver: UUID
    today: date
    due_date: date


def opened(kind: ExceptionKind, about: About, now: Exceptions) -> ExceptionOpened:
    """The next exception of a kind; its id is the same however often it is opened."""
    number = str(now.ever(kind) + 1)
    return ExceptionOpened(
        exception=derive("exception", str(about.visit), kind, number),
        visit=about.visit,
        person=about.person,
        pool=about.pool,
        provider=about.provider,
        caregiver=about.caregiver,
        kind=kind,
        opened_date=about.today,
        due_date=about.due_date,
    )


def settled(
    one: ExceptionOpened,
    outcome: ExceptionOutcome,
    today: date,
    *,
    reason: str = "",
    settled_by: str = "",
) -> ExceptionSettled:
    return ExceptionSettled(
        exception=one.exception,
        visit=one.visit,
        person=one.person,
        pool=one.pool,
        kind=one.kind,
        outcome=outcome,
        reason=reason,
        settled_by=settled_by,
        settled_date=today,
    )


def answered(
    now: Exceptions, what: Iterable[tuple[ExceptionKind, ExceptionOutcome]], today: date
) -> list[ExceptionSettled]:
    """Settles those that are open of what has happened by itself."""
    return [
        settled(one, outcome, today) for kind, outcome in what if (one := now.of(kind)) is not None
    ]
