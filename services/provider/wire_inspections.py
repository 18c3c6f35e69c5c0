"""Cases as the messages that callers get."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ltci.provider.v1 import inspection_service_pb2 as pb
from ltci.provider.v1 import inspection_types_pb2 as types
from ltci.provider.v1 import provider_types_pb2

from kernel.rules.ruling import FactRef
from services.provider.domain import inspection_events as e
from services.provider.domain.inspection import Inspection
from services.provider.domain.inspection_ruling import SERVICE, changed
from services.provider.domain.risk import Flag
from services.provider.inspection_letters import letters_of
from services.provider.wire import day_text


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """The frozen events of a case, compared with what the log holds now."""

    frozen: tuple[e.FrozenFact, ...]
    digest: str
    digest_now: str
    changed: tuple[FactRef, ...]

    @classmethod
    def of(cls, case: Inspection, now: Sequence[FactRef]) -> "Evidence":
        """`now` is what stands at the places in this service's log."""
        elsewhere = [one for one in case.frozen if one.service != SERVICE]
        return cls(
            frozen=case.frozen,
            digest=case.digest,
            digest_now=e.frozen_digest([*map(e.FrozenFact.of, now), *elsewhere]),
            changed=changed(case, now),
        )


def case_answer(case: Inspection) -> pb.Inspection:
    """The case without flags, words and evidence: what a step answers, and keeps as its answer."""
    opened = case.opened
    if opened is None:
        raise ValueError("only a case that was opened has an answer")
    running = case.running
    outcome = types.INSPECTION_VERDICT_UNSPECIFIED
    if case.closed:
        outcome = number(types.InspectionVerdict, "INSPECTION_VERDICT_", case.closed.outcome)
    return pb.Inspection(
        inspection=str(opened.inspection),
        pool=opened.pool,
        state=number(types.InspectionState, "INSPECTION_STATE_", case.state),
        cause=number(types.InspectionCause, "INSPECTION_CAUSE_", opened.cause),
        source=_text(opened.source),
        provider=_text(opened.provider),
        caregiver=_text(opened.caregiver),
        assessor=_text(opened.assessor),
        flag_count=len(case.flags),
        opened_date=opened.opened_date.isoformat(),
        opened_by=opened.opened_by,
        noticed_date=day_text(case.noticed.noticed_date if case.noticed else None),
        respond_by_date=day_text(case.noticed.respond_by_date if case.noticed else None),
        statements=map(_statement, case.statements),
        hearings=map(_hearing, case.hearings),
        decision=_decision(case.decided) if case.decided else None,
        appeal=_appeal(case) if case.appealed else None,
        closed_date=day_text(case.closed.closed_date if case.closed else None),
        due_date=day_text(running[1] if running else None),
        notes=map(_note, case.notes),
        decision_due_date=opened.decision_due_date.isoformat(),
        letters=map(str, letters_of(case)),
        outcome=outcome,
    )


def case_file(case: Inspection, flags: Iterable[Flag], evidence: Evidence) -> pb.Inspection:
    """The whole case: with its flags, the words of either side and its evidence."""
    answer = case_answer(case)
    answer.flags.extend(_flag(one) for one in flags)
    for told, words in zip(answer.statements, case.statements, strict=True):
        told.statement = words.statement
    for heard, record in zip(answer.hearings, case.hearings, strict=True):
        heard.statement = record.statement
    if case.decided:
        answer.decision.reasoning = case.decided.reasoning
    if case.appealed:
        answer.appeal.statement = case.appealed.statement
    if case.appeal_decided:
        answer.appeal.reasoning = case.appeal_decided.reasoning
    answer.evidence.CopyFrom(_evidence(evidence))
    return answer


def number(wire: Any, prefix: str, value: StrEnum) -> Any:
    """The proto enum's number of a domain value."""
    return wire.Value(prefix + value.upper())


def _flag(flag: Flag) -> pb.InspectedFlag:
    told, word = flag.flagged, flag.word
    if told is None:
        raise ValueError("only a flag that was raised has an answer")
    verdict = types.INSPECTION_VERDICT_UNSPECIFIED
    if word is not None:
        confirmed = flag.confirmed
        verdict = (
            types.INSPECTION_VERDICT_CONFIRMED if confirmed else types.INSPECTION_VERDICT_CLEARED
        )
    return pb.InspectedFlag(
        flag=str(told.flag),
        detector=told.detector,
        detector_version=told.detector_version,
        visit=_text(told.visit),
        care_date=told.care_date.isoformat(),
        cost_fen=told.cost.fen,
        verdict=verdict,
        cause=word.cause if word else "",
        ruling=told.ruling,
    )


def _statement(told: e.StatementFiled) -> pb.InspectionStatement:
    return pb.InspectionStatement(
        filed_date=told.filed_date.isoformat(),
        hearing_wanted=told.hearing_wanted,
        evidence_hashes=told.evidence_hashes,
    )


def _hearing(told: e.HearingHeld) -> pb.InspectionHearing:
    return pb.InspectionHearing(
        held_date=told.held_date.isoformat(), officers=told.officers, attended=told.attended
    )


def _decision(told: e.InspectionDecided) -> pb.InspectionDecision:
    measure = told.proposed_measure
    return pb.InspectionDecision(
        outcome=number(types.InspectionVerdict, "INSPECTION_VERDICT_", told.outcome),
        decided_by=told.decided_by,
        decided_date=told.decided_date.isoformat(),
        appeal_by_date=day_text(told.appeal_by_date),
        proposed_measure=number(provider_types_pb2.SanctionMeasure, "SANCTION_MEASURE_", measure)
        if measure
        else provider_types_pb2.SANCTION_MEASURE_UNSPECIFIED,
        proposed_article=told.proposed_article,
        findings=[
            types.FlagFinding(
                flag=str(one.flag),
                verdict=number(types.InspectionVerdict, "INSPECTION_VERDICT_", one.verdict),
                cause=one.cause,
            )
            for one in told.findings
        ],
    )


def _appeal(case: Inspection) -> pb.InspectionAppeal | None:
    filed, decided = case.appealed, case.appeal_decided
    if filed is None:
        return None
    answer = pb.InspectionAppeal(
        filed_date=filed.filed_date.isoformat(), due_date=filed.due_date.isoformat()
    )
    if decided is not None:
        answer.outcome = number(
            types.InspectionAppealOutcome, "INSPECTION_APPEAL_OUTCOME_", decided.outcome
        )
        answer.decided_by.extend(decided.decided_by)
        answer.decided_date = decided.decided_date.isoformat()
    return answer


def _note(told: e.InspectionClockNoted) -> pb.InspectionClockEntry:
    return pb.InspectionClockEntry(
        step=number(types.InspectionStep, "INSPECTION_STEP_", told.step),
        note=number(types.InspectionNote, "INSPECTION_NOTE_", told.note),
        due_date=told.due_date.isoformat(),
        noted_date=told.noted_date.isoformat(),
    )


def _evidence(told: Evidence) -> pb.FrozenEvidence:
    return pb.FrozenEvidence(
        frozen=[
            types.FrozenFact(service=one.service, position=one.position, digest=one.digest)
            for one in told.frozen
        ],
        digest=told.digest,
        digest_now=told.digest_now,
        unchanged=told.digest == told.digest_now,
        changed_positions=[one.position for one in told.changed],
        elsewhere_count=sum(one.service != SERVICE for one in told.frozen),
    )


def _text(value: object | None) -> str:
    return str(value) if value is not None else ""
