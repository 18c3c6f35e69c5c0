"""A case against a provider, a caregiver or an assessor (案件查处), and where it stands.

Nobody is found guilty unheard: what is confirmed needs a notice, its time to answer, a hearing
where one was asked for, and people who had no part before. What is cleared needs none of that.
A case ends no benefit; it may propose a sanction, which people impose. Its steps are decided in
`inspection_steps`, its decisions in `inspection_decision`.
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
