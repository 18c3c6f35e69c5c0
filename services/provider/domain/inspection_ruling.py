"""The ruling on a case (案件决定的裁定): was everybody heard, who decides, and what on each flag.

Pure: no clock, no I/O. It stands on the events that the case froze and on the case's own; where a
frozen event is not what it was, the ruling says so. Source: design readings, see the clauses.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import reduce
from typing import cast, get_args
from uuid import UUID

from kernel.rules.pack import Pack
from kernel.rules.ruling import Clause, Fact, FactRef, Ruling, Trace
from services.provider.domain import inspection_events as e
from services.provider.domain.inspection import CONFIRMED, Inspection, evolve, known
from services.provider.domain.inspection_events import FlagFinding, InspectionVerdict
from services.provider.domain.risk import RiskFlagged
from services.provider.domain.verdict import Basis

QUESTION = "inspection"
SERVICE = "provider"
_READING = "design reading: nobody is found guilty unheard; no text was found that says it for this"
EVIDENCE = Clause(key="provider.inspection.evidence", citation=_READING, verified=False)
OTHERS = Clause(key="provider.inspection.other_people", citation=_READING, verified=False)
NOTICED = Clause(key="provider.inspection.noticed", citation=_READING, verified=False)
HEARING = Clause(key="provider.inspection.hearing", citation=_READING, verified=False)
FLAG = Clause(key="provider.inspection.flag", citation=_READING, verified=False)
MATTER = Clause(key="provider.inspection.matter", citation=_READING, verified=False)
OFFICERS = "provider.inspection_officers"
RESPOND, DECISION = "provider.inspection_respond_days", "provider.inspection_decision_days"
APPEAL, APPEAL_DECISION = (
    "provider.inspection_appeal_days",
    "provider.inspection_appeal_decision_days",
)
_EVENTS = get_args(e.Event)


@dataclass(frozen=True, kw_only=True)
class Question:
    """How is the case decided, and was everybody heard?"""

    inspection: UUID
    outcome: InspectionVerdict
    findings: tuple[FlagFinding, ...]
    decided_by: tuple[str, ...]
    decided_date: date
    told_date: date  # day of the letters: nobody loses days because a decision was told late


def rule_inspection(question: Question, basis: Basis) -> Ruling:
    """The ruling; reasons are the conditions that are not met, in the order of the steps.

    Refuses NOT_FOUND for a case that is not among the facts, FIGURE_UNKNOWN.
    """
    inspection = case_in(basis.facts, question.inspection)
    opened = known(question.inspection, inspection)
    trace, pack = Trace(), basis.pack
    held = {"EVIDENCE_CHANGED": check_evidence(trace, inspection, basis.facts)}
    people, day = question.decided_by, question.decided_date
    held["TOO_FEW_OFFICERS"] = check_number(trace, people, pack, day)
    held["SAME_OFFICER"] = check_others(trace, people, inspection.investigators)
    if question.outcome is CONFIRMED:
        held |= _heard(trace, question, inspection, pack)
    trace.check(
        holds=day <= opened.decision_due_date,
        clause=pack.figure(DECISION, opened.opened_date),
        label="decided in time (决定期限)",
        inputs={"decided_date": str(day), "due_date": str(opened.decision_due_date)},
    )
    _found(trace, question, basis.facts)
    if question.outcome is CONFIRMED:
        appeal, told = pack.figure(APPEAL, day), question.told_date
        trace.computed(
            appeal,
            "last day to appeal (申诉期限)",
            {"decided_date": str(day), "told_date": str(told)},
            str(appeal.term().after(told)),
        )
    return Ruling(
        question=QUESTION,
        subject=str(question.inspection),
        pool=opened.pool,
        asked=_asked(question),
        outcome=question.outcome,
        reasons=tuple(reason for reason, holds in held.items() if not holds),
        facts=tuple(fact.ref for fact in basis.facts),
        pack=pack.pin,
        steps=trace.steps,
        code_version=basis.code_version,
    )


def question_of(ruling: Ruling) -> Question:
    """The question that a ruling answers: the inverse of `_asked`."""
    asked = ruling.asked
    found = [str(asked[f"finding_{n}"]).split(" ", 2) for n in range(int(asked["findings_count"]))]
    return Question(
        inspection=UUID(ruling.subject),
        outcome=InspectionVerdict(ruling.outcome),
        findings=tuple(
            FlagFinding(flag=UUID(flag), verdict=InspectionVerdict(verdict), cause=cause)
            for flag, verdict, cause in found
        ),
        decided_by=tuple(str(asked["decided_by"]).split(",")),
        decided_date=date.fromisoformat(str(asked["decided_date"])),
        told_date=date.fromisoformat(str(asked["told_date"])),
    )


def _asked(question: Question) -> dict[str, str | int]:
    return {
        "decided_date": str(question.decided_date),
        "told_date": str(question.told_date),
        "decided_by": ",".join(question.decided_by),
        "findings_count": len(question.findings),
        **{
            f"finding_{n}": f"{one.flag} {one.verdict} {one.cause}"
            for n, one in enumerate(question.findings)
        },
    }


# What both decisions of a case ask for -----------------------------------------------------------


def case_in(facts: Iterable[Fact], name: UUID) -> Inspection:
    """The case as its events among the facts tell it."""
    events = [cast("e.Event", f.event) for f in facts if isinstance(f.event, _EVENTS)]
    return reduce(evolve, (one for one in events if one.inspection == name), Inspection())


def changed(inspection: Inspection, refs: Iterable[FactRef]) -> tuple[FactRef, ...]:
    """The frozen events of this service that are not among what the log holds."""
    there = set(refs)
    own = (one.ref for one in inspection.frozen if one.service == SERVICE)
    return tuple(ref for ref in own if ref not in there)


def check_evidence(trace: Trace, inspection: Inspection, facts: Sequence[Fact]) -> bool:
    different = changed(inspection, (fact.ref for fact in facts))
    return trace.check(
        holds=not different,
        clause=EVIDENCE,
        label="the evidence is what it was when it was frozen (证据未变)",
        inputs={"frozen_count": len(inspection.frozen), "changed_count": len(different)},
    )


def check_number(trace: Trace, people: Sequence[str], pack: Pack, day: date) -> bool:
    needed, several = pack.figure(OFFICERS, day), len(set(people))
    return trace.check(
        holds=several >= needed.integer(),
        clause=needed,
        label="enough people decide (决定人数)",
        inputs={"officers_count": several, "officers_required": needed.integer()},
    )


def check_others(trace: Trace, people: Sequence[str], before: Sequence[str]) -> bool:
    """Who had a part before does not decide; an office's role that both names is the same."""
    same = len(set(people) & set(before))
    return trace.check(
        holds=not same,
        clause=OTHERS,
        label="decided by people who had no part before (回避)",
        inputs={"same_count": same},
    )


# Whether everybody was heard --------------------------------------------------------------------


def _heard(trace: Trace, question: Question, inspection: Inspection, pack: Pack) -> dict[str, bool]:
    noticed, day = inspection.noticed, question.decided_date
    told = noticed is not None and noticed.noticed_date <= day
    held = {
        "NOT_NOTICED": trace.check(
            holds=told,
            clause=NOTICED,
            label="the other side was told (已告知)",
            inputs={"noticed_date": str(noticed.noticed_date) if noticed else ""},
        )
    }
    if noticed is None:
        return held
    held["RESPOND_PERIOD_OPEN"] = trace.check(
        holds=bool(inspection.statements) or day > noticed.respond_by_date,
        clause=pack.figure(RESPOND, noticed.noticed_date),
        label="the other side answered, or could have (陈述申辩)",
        inputs={
            "statement_count": len(inspection.statements),
            "respond_by_date": str(noticed.respond_by_date),
            "decided_date": str(day),
        },
    )
    if inspection.hearing_wanted:
        days = [one.held_date for one in inspection.hearings if one.held_date <= day]
        held["HEARING_DUE"] = trace.check(
            holds=bool(days),
            clause=HEARING,
            label="the hearing that was asked for was held (听证)",
            inputs={"held_date": str(max(days)) if days else ""},
        )
    return held


def _found(trace: Trace, question: Question, facts: Iterable[Fact]) -> None:
    """What was decided on each flag; on the matter itself where the case has none."""
    flagged = {f.event.flag: f.event for f in facts if isinstance(f.event, RiskFlagged)}
    for one in question.findings:
        told = flagged.get(one.flag)
        inputs: dict[str, str | int] = {
            "cause": one.cause,
            "detector": told.detector if told else "",
            "detector_version": told.detector_version if told else 0,
            "care_date": str(told.care_date) if told else "",
            "cost_fen": told.cost.fen if told else 0,
        }
        trace.computed(FLAG, "what was decided on the flag (认定)", inputs, one.verdict)
    if not question.findings:
        trace.computed(MATTER, "what was decided on the matter (认定)", {}, question.outcome)
