"""A case against a provider, a caregiver or an assessor (案件查处): opened, told, heard, decided.

Nobody is found guilty unheard: what is confirmed needs a notice, its time to answer, a hearing
where one was asked for, and people who had no part before. What is cleared needs none of that.
A case ends no benefit; it may propose a sanction, which people impose.
Pure: no clock, no I/O. Source: notice, hearing, decision and appeal are asked for by the field's
rules; no text with days was found, so the days are design readings of the pack.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import assert_never
from uuid import UUID

from kernel.calendar import Month
from kernel.ids import derive
from kernel.refusal import NotFound, Refused
from services.provider.domain import inspection_events as e
from services.provider.domain.inspection_events import (
    FlagFinding,
    FrozenFact,
    InspectionAppealOutcome,
    InspectionState,
    InspectionStep,
    InspectionVerdict,
    frozen_digest,
    in_order,
)
from services.provider.domain.risk import RiskFlagged

MOST_FLAGS = 200  # of a case: each is decided, and recorded, with the others in one append
CONFIRMED, CLEARED = InspectionVerdict.CONFIRMED, InspectionVerdict.CLEARED


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """What later decisions need to know, and no more."""

    opened: e.InspectionOpened | None = None
    flags: tuple[UUID, ...] = ()  # in the order in which they joined
    frozen: tuple[FrozenFact, ...] = ()
    digest: str = ""
    noticed: e.InspectionNoticed | None = None
    statements: tuple[e.StatementFiled, ...] = ()
    hearings: tuple[e.HearingHeld, ...] = ()
    decided: e.InspectionDecided | None = None
    appealed: e.InspectionAppealed | None = None
    appeal_decided: e.InspectionAppealDecided | None = None
    closed: e.InspectionClosed | None = None
    notes: tuple[e.InspectionClockNoted, ...] = ()

    @property
    def state(self) -> InspectionState:
        if self.closed is not None:
            return InspectionState.CLOSED
        if self.appealed is not None:
            return InspectionState.APPEALED
        if self.decided is not None:
            return InspectionState.DECIDED
        return InspectionState.NOTICED if self.noticed else InspectionState.OPENED

    @property
    def hearing_wanted(self) -> bool:
        return any(one.hearing_wanted for one in self.statements)

    @property
    def confirmed_flags(self) -> tuple[UUID, ...]:
        """Those that the decision confirmed, whatever an appeal said."""
        found = self.decided.findings if self.decided else ()
        return tuple(one.flag for one in found if one.verdict is CONFIRMED)

    @property
    def investigators(self) -> tuple[str, ...]:
        """Who opened the case and who told the other side: they do not decide it."""
        told = [self.opened.opened_by] if self.opened else []
        return tuple(told + ([self.noticed.officer] if self.noticed else []))

    @property
    def running(self) -> tuple[InspectionStep, date] | None:
        """The step that the office owes, and its last day; None where it owes none."""
        match self.state:
            case InspectionState.OPENED if self.opened:
                return InspectionStep.NOTICE, self.opened.notice_due_date
            case InspectionState.NOTICED if self.opened:
                return InspectionStep.DECISION, self.opened.decision_due_date
            case InspectionState.APPEALED if self.appealed:
                return InspectionStep.APPEAL_DECISION, self.appealed.due_date
            case _:
                return None

    def takes(self) -> bool:
        """Whether a further flag may join: what the other side was told does not grow."""
        return self.state is InspectionState.OPENED and len(self.flags) < MOST_FLAGS


def case_of_flag(told: RiskFlagged, number: int) -> UUID:
    """The case that a flag belongs to: of its body, its person and its month of care.

    A flag that finds the first case closed to it goes to the second, and so on. That the month
    is the span is a design reading: money is settled by it.
    """
    about = (told.provider, told.caregiver, told.assessor)
    names = [str(one) if one else "" for one in about]
    month = Month.of(told.care_date)
    return derive("inspection", told.pool, *names, str(month), str(number))


def known(name: UUID, inspection: Inspection) -> e.InspectionOpened:
    """What the case was opened as. Refuses NOT_FOUND."""
    if inspection.opened is None:
        raise NotFound("inspection", name)
    return inspection.opened


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


def evolve(inspection: Inspection, event: e.Event) -> Inspection:
    """The case after the event. It never refuses: what happened, happened."""
    match event:
        case e.InspectionOpened():
            return replace(
                inspection,
                opened=event,
                flags=event.flags,
                frozen=event.frozen,
                digest=event.frozen_digest,
            )
        case e.InspectionExtended():
            return replace(
                inspection,
                flags=(*inspection.flags, *event.flags),
                frozen=in_order((*inspection.frozen, *event.frozen)),
                digest=event.frozen_digest,
            )
        case e.InspectionNoticed():
            return replace(inspection, noticed=event)
        case e.StatementFiled():
            return replace(inspection, statements=(*inspection.statements, event))
        case e.HearingHeld():
            return replace(inspection, hearings=(*inspection.hearings, event))
        case e.InspectionClockNoted():
            return replace(inspection, notes=(*inspection.notes, event))
        case _:
            return _judged(inspection, event)


def _judged(
    inspection: Inspection,
    event: e.InspectionDecided
    | e.InspectionAppealed
    | e.InspectionAppealDecided
    | e.InspectionClosed,
) -> Inspection:
    match event:
        case e.InspectionDecided():
            return replace(inspection, decided=event)
        case e.InspectionAppealed():
            # One that was on its way when the case was closed opens it again.
            return replace(inspection, appealed=event, closed=None)
        case e.InspectionAppealDecided():
            return replace(inspection, appeal_decided=event)
        case e.InspectionClosed():
            return replace(inspection, closed=event)
        case _:
            assert_never(event)


def verdicts(inspection: Inspection) -> Mapping[UUID, InspectionVerdict]:
    """What counts on each flag now: the decision, and what an appeal made of it."""
    found = (
        {one.flag: one.verdict for one in inspection.decided.findings}
        if (inspection.decided)
        else {}
    )
    cleared = inspection.appeal_decided.cleared_flags if inspection.appeal_decided else ()
    return found | dict.fromkeys(cleared, CLEARED)


def end_of(inspection: Inspection) -> InspectionVerdict:
    """How a decided case ends: confirmed where anything stays so."""
    if inspection.decided is None or inspection.decided.outcome is CLEARED:
        return CLEARED
    appeal = inspection.appeal_decided
    if appeal is None or appeal.outcome is InspectionAppealOutcome.DISMISSED:
        return CONFIRMED
    return CONFIRMED if CONFIRMED in verdicts(inspection).values() else CLEARED


def closing(name: UUID, inspection: Inspection, day: date) -> e.InspectionClosed:
    """The end of a case that nothing is left to do in."""
    pool = known(name, inspection).pool
    return e.InspectionClosed(
        inspection=name, pool=pool, outcome=end_of(inspection), closed_date=day
    )


def undecided(name: UUID, inspection: Inspection) -> e.InspectionOpened:
    """The case while it can still be worked on. Refuses NOT_FOUND, DECIDED_ALREADY."""
    told = known(name, inspection)
    if inspection.decided is not None:
        raise Refused("DECIDED_ALREADY", decided_date=str(inspection.decided.decided_date))
    return told


def not_before(reason: str, day: date, earliest: date) -> None:
    """Refuses with the reason where the day comes before what it follows."""
    if day < earliest:
        raise Refused(reason, earliest_date=str(earliest))


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
    if inspection.noticed == event:
        return []
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


def findings(
    told: Sequence[FlagFinding],
    rest: InspectionVerdict | None,
    cause: str,
    inspection: Inspection,
) -> tuple[tuple[FlagFinding, ...], InspectionVerdict]:
    """A finding for each flag in the order of the flags, and what it comes to for the case.

    `rest` is for the flags that are not named, and for a case without flags.
    Refuses FINDINGS_INCOMPLETE.
    """
    named = {one.flag: one for one in told}
    strange = [str(flag) for flag in named if flag not in inspection.flags]
    missing = [flag for flag in inspection.flags if flag not in named]
    if strange or len(named) < len(told):
        raise Refused("FINDINGS_INCOMPLETE", not_in_case=",".join(strange))
    if rest is None and (missing or not inspection.flags):
        raise Refused("FINDINGS_INCOMPLETE", missing_count=str(len(missing)))
    found = tuple(
        named.get(flag) or FlagFinding(flag=flag, verdict=rest or CLEARED, cause=cause)
        for flag in inspection.flags
    )
    adverse = {one.verdict for one in found} if found else {rest}
    return found, CONFIRMED if CONFIRMED in adverse else CLEARED
