"""Unannounced inspections by a sample that an outsider can recompute (飞行检查). Pure: no clock.

The seed's hash is recorded before the day of the draw, the seed itself when the month is over. The
candidates are everybody with a benefit; each full span of `assessment.inspection_risk_months` since
the conclusion is one more ticket, since the older a conclusion is, the likelier the state changed.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from uuid import UUID

from kernel.calendar import Month, add_months
from kernel.draw import HEAVIEST, commitment, drawn_by_weight
from kernel.ids import derive
from kernel.refusal import NotFound, Refused
from services.assessment.domain.order import not_before


class InspectionFinding(StrEnum):
    """What an inspection found."""

    AS_ASSESSED = "as_assessed"
    STATE_CHANGED = "state_changed"
    NOT_MET = "not_met"


@dataclass(frozen=True, kw_only=True)
class InspectionDraw:
    """One person drawn, or weighed."""

    inspection: UUID | None = None
    person: UUID
    weight: int


@dataclass(frozen=True, kw_only=True)
class InspectionDrawCommitted:
    pool: str
    month: Month
    commitment: str
    committed_date: date


@dataclass(frozen=True, kw_only=True)
class InspectionsDrawn:
    pool: str
    month: Month
    drawn_date: date
    drawn: tuple[InspectionDraw, ...]
    candidates_digest: str
    candidate_count: int
    commitment: str
    told_weights: tuple[InspectionDraw, ...]
    known_position: int


@dataclass(frozen=True, kw_only=True)
class InspectionSeedRevealed:
    pool: str
    month: Month
    seed: str


@dataclass(frozen=True, kw_only=True)
class InspectionRecorded:
    inspection: UUID
    person: UUID
    pool: str
    month: Month
    inspectors: tuple[str, ...]
    inspected_date: date
    finding: InspectionFinding
    evidence_hashes: tuple[str, ...]


Event = InspectionDrawCommitted | InspectionsDrawn | InspectionSeedRevealed | InspectionRecorded


@dataclass(frozen=True, kw_only=True)
class CommitDraw:
    pool: str
    month: Month
    seed: bytes
    today: date


@dataclass(frozen=True, kw_only=True)
class DrawInspections:
    """`candidates` are the weights that count, told ones included."""

    pool: str
    month: Month
    count: int
    seed: bytes
    candidates: Mapping[UUID, int]
    told: Mapping[UUID, int]
    known_position: int
    today: date


@dataclass(frozen=True, kw_only=True)
class RevealSeed:
    pool: str
    month: Month
    seed: bytes
    today: date


@dataclass(frozen=True, kw_only=True)
class RecordInspection:
    pool: str
    month: Month
    inspection: UUID
    inspectors: tuple[str, ...]
    inspected_date: date
    finding: InspectionFinding
    evidence_hashes: tuple[str, ...]


Command = CommitDraw | DrawInspections | RevealSeed | RecordInspection


@dataclass(frozen=True, kw_only=True)
class Inspections:
    """A month's inspections in a pool."""

    committed: InspectionDrawCommitted | None = None
    drawn: InspectionsDrawn | None = None
    seed: str = ""
    recorded: Mapping[UUID, InspectionRecorded] = field(default_factory=dict)


def decide(command: Command, known: Inspections) -> list[Event]:
    """What the command makes happen: nothing, where it was obeyed before."""
    match command:
        case CommitDraw():
            return _commit(command, known)
        case DrawInspections():
            return _draw(command, known)
        case RevealSeed():
            return _reveal(command, known)
        case RecordInspection():
            return _record(command, known)


def evolve(known: Inspections, event: Event) -> Inspections:
    """What is known after the event."""
    match event:
        case InspectionDrawCommitted():
            return replace(known, committed=event)
        case InspectionsDrawn():
            return replace(known, drawn=event)
        case InspectionSeedRevealed():
            return replace(known, seed=event.seed)
        case InspectionRecorded():
            return replace(known, recorded={**known.recorded, event.inspection: event})


def weight_of(conclusion: date, on: date, months_a_ticket: int) -> int:
    """Tickets of a person whose conclusion is of this day."""
    weight = 1
    while weight < HEAVIEST and add_months(conclusion, weight * months_a_ticket) <= on:
        weight += 1
    return weight


def purpose(pool: str, month: Month) -> str:
    """What the draw is for, as its tickets are made."""
    return f"inspections/{pool}/{month}"


def candidates_digest(candidates: Mapping[UUID, int]) -> str:
    """SHA-256 of `person weight` lines, sorted."""
    lines = sorted(f"{person} {weight}" for person, weight in candidates.items())
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def draw(seed: bytes, pool: str, month: Month, candidates: Mapping[UUID, int]) -> list[UUID]:
    """Everybody with a ticket, in the order in which they are drawn."""
    weights = {str(person): weight for person, weight in candidates.items()}
    return [UUID(name) for name in drawn_by_weight(seed, purpose(pool, month), weights)]


def _commit(command: CommitDraw, known: Inspections) -> list[Event]:
    if known.committed is not None:
        return []
    return [
        InspectionDrawCommitted(
            pool=command.pool,
            month=command.month,
            commitment=commitment(command.seed),
            committed_date=command.today,
        )
    ]


def _draw(command: DrawInspections, known: Inspections) -> list[Event]:
    """Refuses NOT_COMMITTED, DRAWN_ALREADY, COMMITTED_TODAY, NO_CANDIDATES."""
    if known.committed is None:
        raise Refused("NOT_COMMITTED", month=str(command.month))
    if known.drawn is not None:
        raise Refused("DRAWN_ALREADY", drawn_date=str(known.drawn.drawn_date))
    if command.today <= known.committed.committed_date:
        raise Refused("COMMITTED_TODAY", committed_date=str(known.committed.committed_date))
    chosen = draw(command.seed, command.pool, command.month, command.candidates)[: command.count]
    if not chosen:
        raise Refused("NO_CANDIDATES", pool=command.pool)
    return [
        InspectionsDrawn(
            pool=command.pool,
            month=command.month,
            drawn_date=command.today,
            drawn=tuple(
                InspectionDraw(
                    inspection=derive("inspection", command.pool, str(command.month), str(person)),
                    person=person,
                    weight=command.candidates[person],
                )
                for person in chosen
            ),
            candidates_digest=candidates_digest(command.candidates),
            candidate_count=len(command.candidates),
            commitment=known.committed.commitment,
            told_weights=_weights(command.told),
            known_position=command.known_position,
        )
    ]


def _reveal(command: RevealSeed, known: Inspections) -> list[Event]:
    """Refuses NOT_DRAWN, MONTH_NOT_OVER: during the month it would announce the inspections."""
    if known.drawn is None:
        raise Refused("NOT_DRAWN", month=str(command.month))
    if known.seed:
        return []
    if command.today <= command.month.last:
        raise Refused("MONTH_NOT_OVER", month=str(command.month))
    seed = command.seed.hex()
    return [InspectionSeedRevealed(pool=command.pool, month=command.month, seed=seed)]


def _record(command: RecordInspection, known: Inspections) -> list[Event]:
    """Refuses NotFound, NOT_DRAWN, RECORDED_ALREADY."""
    if known.drawn is None:
        raise Refused("NOT_DRAWN", month=str(command.month))
    drawn = {one.inspection: one for one in known.drawn.drawn}.get(command.inspection)
    if drawn is None:
        raise NotFound("inspection", command.inspection)
    recorded = InspectionRecorded(
        inspection=command.inspection,
        person=drawn.person,
        pool=command.pool,
        month=command.month,
        inspectors=command.inspectors,
        inspected_date=command.inspected_date,
        finding=command.finding,
        evidence_hashes=command.evidence_hashes,
    )
    before = known.recorded.get(command.inspection)
    if before == recorded:
        return []
    if before is not None:
        raise Refused("RECORDED_ALREADY", inspected_date=str(before.inspected_date))
    not_before("inspected_date", command.inspected_date, known.drawn.drawn_date)
    return [recorded]


def _weights(told: Mapping[UUID, int]) -> tuple[InspectionDraw, ...]:
    ordered: Sequence[tuple[UUID, int]] = sorted(told.items())
    return tuple(InspectionDraw(person=person, weight=weight) for person, weight in ordered)
