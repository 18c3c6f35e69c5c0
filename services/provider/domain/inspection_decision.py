"""What a case may be decided as, and an appeal against that (决定、申诉). Pure: no clock, no I/O.

Whether the decision may be made is said by its ruling: its conditions in their order, the first
one that is not met being the refusal.
"""

from dataclasses import dataclass, replace
from datetime import date
from typing import assert_never
from uuid import UUID

from kernel.refusal import Refused
from kernel.rules.ruling import Ruling
from services.provider.domain import inspection_events as e
from services.provider.domain.inspection import (
    CLEARED,
    CONFIRMED,
    Inspection,
    closing,
    evolve,
    known,
    not_before,
)
from services.provider.domain.inspection_events import (
    FlagFinding,
    InspectionAppealOutcome,
    InspectionVerdict,
)
from services.provider.domain.standing import SanctionMeasure

UNFOUNDED = "APPEAL_UNFOUNDED"  # the one reason that is a decision, and no refusal


@dataclass(frozen=True, kw_only=True)
class DecideInspection:
    """`findings` has one for each flag; `appeal_by_date` counts where something is confirmed."""

    inspection: UUID
    findings: tuple[FlagFinding, ...]
    outcome: InspectionVerdict
    decided_by: tuple[str, ...]
    decided_date: date
    appeal_by_date: date
    proposed_measure: SanctionMeasure | None
    proposed_article: str
    reasoning: str
    ruling: Ruling


@dataclass(frozen=True, kw_only=True)
class AppealInspection:
    inspection: UUID
    statement: str
    filed_date: date
    due_date: date


@dataclass(frozen=True, kw_only=True)
class DecideAppeal:
    """`flags` are those for which it is upheld."""

    inspection: UUID
    outcome: InspectionAppealOutcome
    flags: tuple[UUID, ...]
    decided_by: tuple[str, ...]
    decided_date: date
    reasoning: str
    ruling: Ruling


Command = DecideInspection | AppealInspection | DecideAppeal


def decide(command: Command, inspection: Inspection) -> list[e.Event]:
    """What the command makes happen: nothing, where it was obeyed before. Refuses NOT_FOUND."""
    match command:
        case DecideInspection():
            return _decide(command, inspection)
        case AppealInspection():
            return _appeal(command, inspection)
        case DecideAppeal():
            return _decide_appeal(command, inspection)
        case _:
            assert_never(command)


def open_to_decision(name: UUID, inspection: Inspection, decided_date: date) -> e.InspectionOpened:
    """The case that is to be decided. Refuses NOT_FOUND, BEFORE_OPENING."""
    opened = known(name, inspection)
    not_before("BEFORE_OPENING", decided_date, opened.opened_date)
    return opened


def open_to_appeal_decision(name: UUID, inspection: Inspection) -> e.InspectionAppealed:
    """The appeal that is to be decided. Refuses NOT_FOUND, NOT_APPEALED."""
    known(name, inspection)
    if inspection.appealed is None:
        raise Refused("NOT_APPEALED", state=inspection.state)
    return inspection.appealed


def upheld_flags(
    outcome: InspectionAppealOutcome, told: tuple[UUID, ...], inspection: Inspection
) -> tuple[UUID, ...]:
    """The flags that an appeal clears, in their order; all that were confirmed where none is told.

    Refuses NOT_CONFIRMED for a flag that the decision did not confirm.
    """
    if outcome is InspectionAppealOutcome.DISMISSED:
        return ()
    confirmed = inspection.confirmed_flags
    strange = [str(flag) for flag in told if flag not in confirmed]
    if strange:
        raise Refused("NOT_CONFIRMED", flag=strange[0])
    return tuple(flag for flag in confirmed if flag in told) if told else confirmed


def _decide(command: DecideInspection, inspection: Inspection) -> list[e.Event]:
    """Refuses DECIDED_ALREADY, and what the ruling says is not met."""
    opened = open_to_decision(command.inspection, inspection, command.decided_date)
    adverse = command.outcome is CONFIRMED
    told = vars(command) | {
        "pool": opened.pool,
        "provider": opened.provider,
        "appeal_by_date": command.appeal_by_date if adverse else None,
        "ruling": command.ruling.to_bytes(),
    }
    event = e.InspectionDecided(**told)
    before = inspection.decided
    if before is not None:
        # Told again on another day, it is the first letter that counts.
        kept = replace(event, ruling=before.ruling, appeal_by_date=before.appeal_by_date)
        if before == kept:
            return []
        raise Refused("DECIDED_ALREADY", decided_date=str(before.decided_date))
    _may(command.ruling.reasons, inspection)
    after = evolve(inspection, event)
    if adverse:
        return [event]
    return [event, closing(command.inspection, after, command.decided_date)]


def _appeal(command: AppealInspection, inspection: Inspection) -> list[e.Event]:
    """Refuses NOT_DECIDED, NOTHING_TO_APPEAL, APPEALED_ALREADY, APPEAL_TOO_LATE,
    BEFORE_DECISION, in this order.
    """
    opened = known(command.inspection, inspection)
    event = e.InspectionAppealed(**vars(command), pool=opened.pool)
    if inspection.appealed == event:
        return []
    decided = inspection.decided
    if decided is None:
        raise Refused("NOT_DECIDED", state=inspection.state)
    if decided.outcome is CLEARED or decided.appeal_by_date is None:
        raise Refused("NOTHING_TO_APPEAL", inspection=str(command.inspection))
    if inspection.appealed is not None:
        raise Refused("APPEALED_ALREADY", filed_date=str(inspection.appealed.filed_date))
    if command.filed_date > decided.appeal_by_date:
        raise Refused("APPEAL_TOO_LATE", appeal_by_date=str(decided.appeal_by_date))
    not_before("BEFORE_DECISION", command.filed_date, decided.decided_date)
    return [event]


def _decide_appeal(command: DecideAppeal, inspection: Inspection) -> list[e.Event]:
    """Refuses NOT_APPEALED, DECIDED_ALREADY, BEFORE_APPEAL, and what the ruling says is not met."""
    appealed = open_to_appeal_decision(command.inspection, inspection)
    event = e.InspectionAppealDecided(
        inspection=command.inspection,
        pool=appealed.pool,
        outcome=command.outcome,
        cleared_flags=command.flags,
        decided_by=command.decided_by,
        decided_date=command.decided_date,
        reasoning=command.reasoning,
        ruling=command.ruling.to_bytes(),
    )
    before = inspection.appeal_decided
    if before is not None:
        if replace(before, ruling=b"") == replace(event, ruling=b""):
            return []
        raise Refused("DECIDED_ALREADY", decided_date=str(before.decided_date))
    not_before("BEFORE_APPEAL", command.decided_date, appealed.filed_date)
    _may(command.ruling.reasons, inspection)
    after = evolve(inspection, event)
    return [event, closing(command.inspection, after, command.decided_date)]


def _may(reasons: tuple[str, ...], inspection: Inspection) -> None:
    for reason in reasons:
        if reason == UNFOUNDED:
            continue
        noticed = inspection.noticed
        told = {"respond_by_date": str(noticed.respond_by_date)} if noticed else {}
        raise Refused(reason, state=inspection.state, **told)
