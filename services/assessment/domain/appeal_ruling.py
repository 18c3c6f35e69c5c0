"""The ruling on an appeal (申诉裁定). Pure: no clock, no I/O."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from kernel.rules.figure import Figure
from kernel.rules.pack import Pack
from kernel.rules.ruling import Clause, Fact, Ruling, Trace
from services.assessment.domain import dispute_events as d
from services.assessment.domain import events as e
from services.assessment.domain import grounds as g
from services.assessment.domain.dispute_events import AppealAgainst as Against
from services.assessment.domain.dispute_events import AppealOutcome as Outcome
from services.assessment.domain.grading import is_eligible

QUESTION = "appeal"
JUDGED = Clause(
    key="assessment.judged_by_people",
    citation="长期护理保险失能等级评估管理办法(试行), 医保发〔2023〕29号: decided by people",
    verified=False,
)
UNKNOWN_TIME = Clause(
    key="assessment.appeal_time_unknown",
    citation="no time limit found for the pool",
    verified=False,
)
ESTABLISHED = Clause(
    key="assessment.appeal_establishes",
    citation="the panel's decision takes the place of the conclusion: design reading",
    verified=False,
)
_ATTACKED: dict[Against, type] = {
    Against.CONCLUSION: e.ConclusionDelivered,
    Against.REFUSAL: e.ApplicationRefused,
    Against.REASSESSMENT_STOP: d.ReassessmentConcluded,
}


@dataclass(frozen=True, kw_only=True)
class Question:
    """How does the panel decide, and did it go about it as the rules ask?"""

    appeal: UUID
    application: UUID
    person: UUID
    pool: str
    outcome: Outcome
    grade: int | None
    effective_date: date | None
    panel: tuple[str, ...]
    decided_date: date
    preview_digest: str


def facts_for(appeal: UUID, grounds: g.Grounds) -> tuple[Fact, ...]:
    """The appeal, what it is against, and everything that tells who had a part before."""
    filed = tuple(
        fact
        for fact in grounds.of(d.AppealFiled)
        if isinstance(fact.event, d.AppealFiled) and fact.event.appeal == appeal
    )
    told = g.event_in(filed, d.AppealFiled)
    attacked = grounds.newest(_ATTACKED[told.against]) if told else ()
    people = grounds.of(*_NAMES)
    return (*filed, *attacked, *people)


def rule(question: Question, facts: Sequence[Fact], pack: Pack, code_version: str) -> Ruling:
    """How an appeal was decided; reasons APPEAL_UNFOUNDED, GRADE_NOT_ELIGIBLE."""
    filed = g.event_in(facts, d.AppealFiled)
    if filed is None:
        raise LookupError("the appeal is not among the facts")
    trace, on = Trace(), question.decided_date
    _in_time(pack, filed, question, trace)
    figure = pack.figure("assessment.appeal_panel", on)
    trace.check(
        holds=len(question.panel) >= figure.integer(),
        clause=figure,
        label="enough members on the panel (合议人数)",
        inputs={"panel_members": len(question.panel), "panel_required": figure.integer()},
    )
    g.check_other_people(trace, question.panel, _people(facts))
    upheld = question.outcome is Outcome.UPHELD
    trace.check(
        holds=upheld,
        clause=JUDGED,
        label="the appeal is well founded (申诉成立)",
        inputs={
            "attacked_items": g.joined(filed.attacked_items),
            "attacked_clauses": g.joined(filed.attacked_clauses),
        },
    )
    reasons = [] if upheld else ["APPEAL_UNFOUNDED"]
    if question.grade is not None:
        trace.computed(
            ESTABLISHED,
            "what the panel establishes (申诉决定的等级)",
            {"effective_date": str(question.effective_date), "decided_date": str(on)},
            question.grade,
        )
        if not is_eligible(question.grade, pack, on, trace):
            reasons.append("GRADE_NOT_ELIGIBLE")
    return Ruling(
        question=QUESTION,
        subject=str(question.person),
        pool=question.pool,
        asked=_asked(question),
        outcome=question.outcome.value,
        reasons=tuple(reasons),
        facts=g.refs(facts),
        pack=pack.pin,
        steps=trace.steps,
        code_version=code_version,
    )


def asked_in(ruling: Ruling) -> Question:
    """The question a ruling answered."""
    asked = ruling.asked
    grade, effective = asked.get("grade"), asked.get("effective_date")
    return Question(
        appeal=g.uuid_in(asked, "appeal"),
        application=g.uuid_in(asked, "application"),
        person=UUID(ruling.subject),
        pool=ruling.pool,
        outcome=Outcome(str(asked["outcome"])),
        grade=None if grade is None else int(grade),
        effective_date=None if effective is None else date.fromisoformat(str(effective)),
        panel=g.parted(asked["panel"]),
        decided_date=g.date_in(asked, "decided_date"),
        preview_digest=str(asked["preview_digest"]),
    )


def _asked(question: Question) -> dict[str, str | int]:
    told: dict[str, str | int] = {
        "appeal": str(question.appeal),
        "application": str(question.application),
        "outcome": question.outcome.value,
        "panel": g.joined(question.panel),
        "decided_date": str(question.decided_date),
        "preview_digest": question.preview_digest,
    }
    if question.grade is not None:
        told["grade"] = question.grade
    if question.effective_date is not None:
        told["effective_date"] = str(question.effective_date)
    return told


def _in_time(pack: Pack, filed: d.AppealFiled, question: Question, trace: Trace) -> None:
    """The two clocks, each as far as the pool's time is known."""
    _clock(
        trace,
        g.known_figure(pack, "assessment.appeal_days", filed.told_date),
        "filed in time (申诉期限)",
        ("filed_date", filed.filed_date),
        ("file_by_date", filed.file_by_date),
    )
    _clock(
        trace,
        g.known_figure(pack, "assessment.appeal_decision_days", filed.filed_date),
        "decided in time (申诉决定期限)",
        ("decided_date", question.decided_date),
        ("due_date", filed.due_date),
    )


def _clock(
    trace: Trace,
    figure: Figure | None,
    label: str,
    done: tuple[str, date],
    limit: tuple[str, date | None],
) -> None:
    name, day = done
    last, until = limit
    if figure is None or until is None:
        trace.computed(UNKNOWN_TIME, label, {name: str(day)}, "unknown")
    else:
        g.check_in_time(trace, figure, label, {name: day, last: until})


_NAMES = (
    e.OnSiteAssessed,
    e.ConclusionConfirmed,
    d.ReviewAssessed,
    d.ReviewConfirmed,
    d.ObjectionDecided,
    d.AppealDecided,
)


def _people(facts: Sequence[Fact]) -> list[str]:
    """Everybody the facts name as having had a part."""
    found: list[str] = []
    for fact in facts:
        match fact.event:
            case e.OnSiteAssessed(assessor=one) | d.ReviewAssessed(assessor=one):
                found.append(one)
            case e.ConclusionConfirmed(expert=one) | d.ReviewConfirmed(expert=one):
                found.append(one)
            case d.ObjectionDecided(decided_by=several) | d.AppealDecided(panel=several):
                found += several
    return found
