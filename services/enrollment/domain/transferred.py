"""What became of a person's transfers between pools (转移接续). Pure: no clock, no I/O."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import assert_never
from uuid import UUID

from kernel.refusal import Refused


class GradeDecision(StrEnum):
    """What a new pool makes of the old one's grade (失能等级互认)."""

    NO_GRADE = "no_grade"
    GRADE_ACCEPTED = "grade_accepted"
    GRADE_REOPENED = "grade_reopened"


@dataclass(frozen=True, kw_only=True)
class TransferOffered:
    transfer: UUID
    person: UUID
    from_pool: str
    to_pool: str
    last_insured_date: date
    event_count: int
    manifest_hash: str
    offered_date: date


@dataclass(frozen=True, kw_only=True)
class TransferAccepted:
    transfer: UUID
    person: UUID
    from_pool: str
    to_pool: str
    start_date: date
    insured_since_date: date | None
    months_counted: int
    grade_decision: GradeDecision
    grade: int
    application: UUID | None
    valid_until_date: date | None
    bundle: bytes
    ruling: bytes


@dataclass(frozen=True, kw_only=True)
class TransferRejected:
    transfer: UUID
    person: UUID
    from_pool: str
    to_pool: str
    cause: str
    rejected_date: date


Event = TransferOffered | TransferAccepted | TransferRejected


@dataclass(frozen=True, kw_only=True)
class Transfers:
    """What became of a person's transfers out of a pool and into it."""

    offered: frozenset[str] = frozenset()  # manifests, by their hash
    accepted: frozenset[UUID] = frozenset()
    rejected: frozenset[UUID] = frozenset()


def decide(event: Event, transfers: Transfers) -> list[Event]:
    """Keeps what was found, once. Refuses REJECTED_ALREADY, ACCEPTED_ALREADY."""
    match event:
        case TransferOffered(manifest_hash=manifest):
            return [] if manifest in transfers.offered else [event]
        case TransferAccepted(transfer=transfer):
            if transfer in transfers.rejected:
                raise Refused("REJECTED_ALREADY", transfer=str(transfer))
            return [] if transfer in transfers.accepted else [event]
        case TransferRejected(transfer=transfer):
            if transfer in transfers.accepted:
                raise Refused("ACCEPTED_ALREADY", transfer=str(transfer))
            return [] if transfer in transfers.rejected else [event]
        case _:
            assert_never(event)


def evolve(transfers: Transfers, event: Event) -> Transfers:
    """The transfers after the event."""
    match event:
        case TransferOffered(manifest_hash=manifest):
            return replace(transfers, offered=transfers.offered | {manifest})
        case TransferAccepted(transfer=transfer):
            return replace(transfers, accepted=transfers.accepted | {transfer})
        case TransferRejected(transfer=transfer):
            return replace(transfers, rejected=transfers.rejected | {transfer})
        case _:
            assert_never(event)


def insured_since(since: date, arrived: Sequence[TransferAccepted]) -> date:
    """The first day that counts of a coverage without a gap: in another pool, where that counts."""
    earlier = (one for one in arrived if one.start_date == since and one.insured_since_date)
    return min((one.insured_since_date or since for one in earlier), default=since)
