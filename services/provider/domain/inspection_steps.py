"""The steps of a case up to its decision and after it (立案、告知、陈述申辩、听证、结案).

Pure: no clock, no I/O. Decides on the stream `inspection/{inspection}`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import assert_never
from uuid import UUID

from kernel.refusal import Refused
from services.provider.domain import inspection_events as e
from services.provider.domain.inspection import (
    Inspection,
    closing,
    known,
    not_before,
    undecided,
)
from services.provider.domain.inspection_events import (
    FrozenFact,
    InspectionStep,
    frozen_digest,
    in_order,
)


@dataclass(frozen=True, kw_only=True)
class OpenInspection:
    """`frozen` is what the flags or the visits add to what the case stands on."""

    inspection: UUID
    pool: str
    cause: e.InspectionCause
    source: UUID | None
    flags: tuple[UUID, ...]
    provider: UUID | None
    caregiver: UUID | None
    assessor: UUID | None
    frozen: tuple[FrozenFact, ...]
    opened_by: str
    opened_date: date
    notice_due_date: date
    decision_due_date: date


@dataclass(frozen=True, kw_only=True)
class SendNotice:
    inspection: UUID
    officer: str
    noticed_date: date
    respond_by_date: date


@dataclass(frozen=True, kw_only=True)
class FileStatement:
    inspection: UUID
    statement: str
    hearing_wanted: bool
    evidence_hashes: tuple[str, ...]
    filed_date: date


@dataclass(frozen=True, kw_only=True)
class HoldHearing:
    inspection: UUID
    officers: tuple[str, ...]
    attended: bool
    statement: str
    held_date: date


@dataclass(frozen=True, kw_only=True)
class CloseInspection:
    inspection: UUID
    today: date


@dataclass(frozen=True, kw_only=True)
class NoteClock:
    inspection: UUID
    step: InspectionStep
    note: e.InspectionNote
    today: date


Command = OpenInspection | SendNotice | FileStatement | HoldHearing | CloseInspection | NoteClock


def decide(command: Command, inspection: Inspection) -> list[e.Event]:
    """What the command makes happen: nothing, where it was obeyed before.

    Refuses NOT_FOUND for a case that was never opened. The decision itself stands in
    `inspection_decision`.
    """
    match command:
        case OpenInspection():
            return _open(command, inspection)
        case SendNotice():
            return _notice(command, inspection)
        case FileStatement():
            return _state(command, inspection)
        case HoldHearing():
            return _hear(command, inspection)
        case CloseInspection():
            return _close(command, inspection)
        case NoteClock():
            return _note(command, inspection)
        case _:
            assert_never(command)


def _open(command: OpenInspection, inspection: Inspection) -> list[e.Event]:
    new = tuple(one for one in command.flags if one not in inspection.flags)
    if inspection.opened is None:
        frozen = in_order(command.frozen)
        told = vars(command) | {"frozen": frozen, "frozen_digest": frozen_digest(frozen)}
        return [e.InspectionOpened(**told)]
    if not new:
        return []
    added = tuple(one for one in in_order(command.frozen) if one not in inspection.frozen)
    return [
        e.InspectionExtended(
            inspection=command.inspection,
            pool=command.pool,
            flags=new,
            frozen=added,
            frozen_digest=frozen_digest((*inspection.frozen, *added)),
            extended_date=command.opened_date,
        )
    ]


def _notice(command: SendNotice, inspection: Inspection) -> list[e.Event]:
    """Refuses DECIDED_ALREADY, NOTICED_ALREADY, BEFORE_OPENING."""
    opened = known(command.inspection, inspection)
    event = e.InspectionNoticed(**vars(command), pool=opened.pool)
    before = inspection.noticed
    if before and before == replace(event, respond_by_date=before.respond_by_date):
        return []  # told again on another day, it is the first letter that counts
    undecided(command.inspection, inspection)
    if inspection.noticed is not None:
        raise Refused("NOTICED_ALREADY", noticed_date=str(inspection.noticed.noticed_date))
    not_before("BEFORE_OPENING", command.noticed_date, opened.opened_date)
    return [event]


def _state(command: FileStatement, inspection: Inspection) -> list[e.Event]:
    """Refuses DECIDED_ALREADY, NOT_NOTICED, BEFORE_NOTICE.

    One that comes after the last day is taken as long as nothing is decided.
    """
    opened = known(command.inspection, inspection)
    event = e.StatementFiled(**vars(command), pool=opened.pool)
    if event in inspection.statements:
        return []
    _heard(command.inspection, inspection, command.filed_date)
    return [event]


def _hear(command: HoldHearing, inspection: Inspection) -> list[e.Event]:
    """Refuses DECIDED_ALREADY, NOT_NOTICED, BEFORE_NOTICE."""
    opened = known(command.inspection, inspection)
    event = e.HearingHeld(**vars(command), pool=opened.pool)
    if event in inspection.hearings:
        return []
    _heard(command.inspection, inspection, command.held_date)
    return [event]


def _heard(name: UUID, inspection: Inspection, day: date) -> None:
    undecided(name, inspection)
    if inspection.noticed is None:
        raise Refused("NOT_NOTICED", inspection=str(name))
    not_before("BEFORE_NOTICE", day, inspection.noticed.noticed_date)


def _close(command: CloseInspection, inspection: Inspection) -> list[e.Event]:
    """Refuses NOT_DECIDED, APPEAL_OPEN, APPEAL_PERIOD_OPEN."""
    known(command.inspection, inspection)
    if inspection.closed is not None:
        return []
    if inspection.decided is None:
        raise Refused("NOT_DECIDED", state=inspection.state)
    if inspection.appealed is not None:
        raise Refused("APPEAL_OPEN", filed_date=str(inspection.appealed.filed_date))
    until = inspection.decided.appeal_by_date
    if until is not None and command.today <= until:
        raise Refused("APPEAL_PERIOD_OPEN", appeal_by_date=str(until))
    return [closing(command.inspection, inspection, command.today)]


def _note(command: NoteClock, inspection: Inspection) -> list[e.Event]:
    """Refuses NOT_RUNNING, NOT_OVERDUE."""
    opened = known(command.inspection, inspection)
    running = inspection.running
    if running is None or running[0] is not command.step:
        raise Refused("NOT_RUNNING", step=command.step, state=inspection.state)
    due = running[1]
    if _is_noted(inspection.notes, command, due):
        return []
    if command.note is e.InspectionNote.MISSED and command.today <= due:
        raise Refused("NOT_OVERDUE", due_date=str(due))
    return [
        e.InspectionClockNoted(
            inspection=command.inspection,
            pool=opened.pool,
            step=command.step,
            note=command.note,
            due_date=due,
            noted_date=command.today,
        )
    ]


def _is_noted(notes: Sequence[e.InspectionClockNoted], command: NoteClock, due: date) -> bool:
    wanted = (command.step, command.note, due)
    return any((one.step, one.note, one.due_date) == wanted for one in notes)
