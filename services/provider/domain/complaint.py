"""A complaint or report about designated care (投诉举报). Pure: no clock, no I/O.

Two clocks run on it: to accept it, and to answer it once accepted; the caller brings their last
days. What was found decides nothing by itself: it may lead to an inspection, and counts in the
provider's quality score. Source: 国家医疗保障局令第5号, reports about the use of medical funds;
that it is followed for care is a design reading.
"""

from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import assert_never
from uuid import UUID

from kernel.refusal import NotFound, Refused


class ComplaintChannel(StrEnum):
    """How it came in."""

    HOTLINE = "hotline"
    LETTER = "letter"
    IN_PERSON = "in_person"
    ONLINE = "online"
    TRANSFERRED = "transferred"


class ComplaintOutcome(StrEnum):
    """What looking into it showed."""

    SUBSTANTIATED = "substantiated"
    NOT_SUBSTANTIATED = "not_substantiated"
    CANNOT_BE_CHECKED = "cannot_be_checked"


@dataclass(frozen=True, kw_only=True)
class ComplaintFiled:
    complaint: UUID
    pool: str
    provider: UUID | None = None
    caregiver: UUID | None = None
    visit: UUID | None = None
    assessor: UUID | None = None
    channel: ComplaintChannel
    anonymous: bool
    words: str  # personal
    contact: str = ""  # personal
    filed_date: date
    accept_due_date: date


@dataclass(frozen=True, kw_only=True)
class ComplaintAccepted:
    complaint: UUID
    pool: str
    accepted_date: date
    answer_due_date: date


@dataclass(frozen=True, kw_only=True)
class ComplaintAnswered:
    complaint: UUID
    pool: str
    provider: UUID | None = None
    outcome: ComplaintOutcome
    reasons: str  # personal
    answered_date: date


Event = ComplaintFiled | ComplaintAccepted | ComplaintAnswered


@dataclass(frozen=True, kw_only=True)
class FileComplaint:
    filed: ComplaintFiled


@dataclass(frozen=True, kw_only=True)
class AcceptComplaint:
    complaint: UUID
    today: date
    answer_due_date: date


@dataclass(frozen=True, kw_only=True)
class AnswerComplaint:
    complaint: UUID
    outcome: ComplaintOutcome
    reasons: str
    today: date


Command = FileComplaint | AcceptComplaint | AnswerComplaint


@dataclass(frozen=True, kw_only=True)
class Complaint:
    """A complaint as far as it has come."""

    filed: ComplaintFiled | None = None
    accepted: ComplaintAccepted | None = None
    answered: ComplaintAnswered | None = None

    @property
    def due(self) -> date | None:
        """The last day of what is to be done next; None once it is answered."""
        if self.filed is None or self.answered is not None:
            return None
        return self.accepted.answer_due_date if self.accepted else self.filed.accept_due_date


def decide(command: Command, complaint: Complaint) -> list[Event]:
    """What the command makes happen: nothing, where it was obeyed before.

    Refuses NOT_FOUND, NOT_ACCEPTED, ANSWERED_ALREADY.
    """
    match command:
        case FileComplaint(filed=filed):
            return [] if complaint.filed is not None else [filed]
        case AcceptComplaint():
            return _accept(command, complaint)
        case AnswerComplaint():
            return _answer(command, complaint)
        case _:
            assert_never(command)


def evolve(complaint: Complaint, event: Event) -> Complaint:
    """The complaint after the event."""
    match event:
        case ComplaintFiled():
            return replace(complaint, filed=event)
        case ComplaintAccepted():
            return replace(complaint, accepted=event)
        case ComplaintAnswered():
            return replace(complaint, answered=event)
        case _:
            assert_never(event)


def _accept(command: AcceptComplaint, complaint: Complaint) -> list[Event]:
    filed = _known(command.complaint, complaint)
    if complaint.answered is not None:
        raise Refused("ANSWERED_ALREADY", on=complaint.answered.answered_date.isoformat())
    if complaint.accepted is not None:
        return []
    return [
        ComplaintAccepted(
            complaint=filed.complaint,
            pool=filed.pool,
            accepted_date=command.today,
            answer_due_date=command.answer_due_date,
        )
    ]


def _answer(command: AnswerComplaint, complaint: Complaint) -> list[Event]:
    filed = _known(command.complaint, complaint)
    before = complaint.answered
    if before is not None:
        if (before.outcome, before.reasons) == (command.outcome, command.reasons):
            return []
        raise Refused("ANSWERED_ALREADY", on=before.answered_date.isoformat())
    if complaint.accepted is None:
        raise Refused("NOT_ACCEPTED", complaint=str(filed.complaint))
    return [
        ComplaintAnswered(
            complaint=filed.complaint,
            pool=filed.pool,
            provider=filed.provider,
            outcome=command.outcome,
            reasons=command.reasons,
            answered_date=command.today,
        )
    ]


def _known(name: UUID, complaint: Complaint) -> ComplaintFiled:
    if complaint.filed is None:
        raise NotFound("complaint", name)
    return complaint.filed
