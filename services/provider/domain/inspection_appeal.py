"""The ruling on an appeal in a case (申诉决定的裁定). Pure: no clock, no I/O.

Other people decide it than those who had a part before. It stands on the same frozen events.
"""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from kernel.refusal import NotFound
from kernel.rules.ruling import Clause, Ruling, Trace
from services.provider.domain.inspection import Inspection, known
from services.provider.domain.inspection_events import InspectionAppealOutcome
from services.provider.domain.inspection_ruling import (
    APPEAL,
    APPEAL_DECISION,
    case_in,
    check_evidence,
    check_number,
    check_others,
)
from services.provider.domain.verdict import Basis

QUESTION = "inspection_appeal"
_READING = "design reading: a decision can be looked at by other people"
JUDGED = Clause(key="provider.inspection.judged", citation=_READING, verified=False)
CLEARS = Clause(key="provider.inspection.appeal_clears", citation=_READING, verified=False)


@dataclass(frozen=True, kw_only=True)
class Question:
    """Is the appeal right, and for which flags?"""

    inspection: UUID
    outcome: InspectionAppealOutcome
    flags: tuple[UUID, ...]
    decided_by: tuple[str, ...]
    decided_date: date


def rule_appeal(question: Question, basis: Basis) -> Ruling:
    """The ruling; reasons are conditions that are not met, and APPEAL_UNFOUNDED.

    Refuses NOT_FOUND for a case or an appeal that is not among the facts, FIGURE_UNKNOWN.
    """
    inspection = case_in(basis.facts, question.inspection)
    opened = known(question.inspection, inspection)
    appealed, decided = inspection.appealed, inspection.decided
    if appealed is None or decided is None:
        raise NotFound("appeal", question.inspection)
    trace, pack, day = Trace(), basis.pack, question.decided_date
    held = {"EVIDENCE_CHANGED": check_evidence(trace, inspection, basis.facts)}
    held["TOO_FEW_OFFICERS"] = check_number(trace, question.decided_by, pack, day)
    held["SAME_OFFICER"] = check_others(trace, question.decided_by, _before(inspection))
    trace.check(
        holds=decided.appeal_by_date is None or appealed.filed_date <= decided.appeal_by_date,
        clause=pack.figure(APPEAL, decided.decided_date),
        label="appealed in time (申诉期限)",
        inputs={
            "filed_date": str(appealed.filed_date),
            "appeal_by_date": str(decided.appeal_by_date or ""),
        },
    )
    trace.check(
        holds=day <= appealed.due_date,
        clause=pack.figure(APPEAL_DECISION, appealed.filed_date),
        label="decided in time (申诉决定期限)",
        inputs={"decided_date": str(day), "due_date": str(appealed.due_date)},
    )
    held["APPEAL_UNFOUNDED"] = trace.check(
        holds=question.outcome is InspectionAppealOutcome.UPHELD,
        clause=JUDGED,
        label="the appeal is well founded (申诉成立)",
        inputs={},
    )
    if question.flags:
        trace.computed(
            CLEARS,
            "what the appeal clears (申诉解除)",
            {"confirmed_count": len(inspection.confirmed_flags)},
            len(question.flags),
        )
    return Ruling(
        question=QUESTION,
        subject=str(question.inspection),
        pool=opened.pool,
        asked={
            "decided_date": str(day),
            "decided_by": ",".join(question.decided_by),
            "flags": ",".join(map(str, question.flags)),
        },
        outcome=question.outcome,
        reasons=tuple(reason for reason, holds in held.items() if not holds),
        facts=tuple(fact.ref for fact in basis.facts),
        pack=pack.pin,
        steps=trace.steps,
        code_version=basis.code_version,
    )


def question_of(ruling: Ruling) -> Question:
    """The question that a ruling answers."""
    asked = ruling.asked
    return Question(
        inspection=UUID(ruling.subject),
        outcome=InspectionAppealOutcome(ruling.outcome),
        flags=tuple(UUID(one) for one in str(asked["flags"]).split(",") if one),
        decided_by=tuple(str(asked["decided_by"]).split(",")),
        decided_date=date.fromisoformat(str(asked["decided_date"])),
    )


def _before(inspection: Inspection) -> tuple[str, ...]:
    """Everybody who had a part in the case."""
    decided = inspection.decided.decided_by if inspection.decided else ()
    heard = [one for hearing in inspection.hearings for one in hearing.officers]
    return (*inspection.investigators, *heard, *decided)
