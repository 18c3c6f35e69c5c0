"""What a reassessment leads to (重新评估结果的处理). Pure: no clock, no I/O.

The table of Chongqing: payment unaffected, it goes on; another payment, a new grade from the next
month; no longer eligible, it stops from the next month; refused without cause, it stops from the
month after the validity ends. Each pool's words stand in `assessment.periodic_effect`.

"Unaffected" is asked of the pack: every amount, ratio and quota that depends on the grade says the
same for both, so that it holds whatever the form of care. Where the pack says nothing about
amounts, another grade counts as another payment.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from kernel.calendar import Month
from kernel.ids import derive
from kernel.refusal import Refused
from kernel.rules.pack import Pack
from kernel.rules.ruling import Clause, Fact, Ruling, Trace
from services.assessment.domain import dispute_events as d
from services.assessment.domain import events as e
from services.assessment.domain import grounds as g
from services.assessment.domain import terms
from services.assessment.domain.applicant import Applicant, Application
from services.assessment.domain.dispute_events import ReassessmentOutcome as Outcome
from services.assessment.domain.disputed import Conclusion
from services.assessment.domain.grading import is_eligible
from services.assessment.domain.order import not_before

QUESTION = "reassessment"
EFFECT = "assessment.periodic_effect"
PAID_ALIKE = Clause(
    key="assessment.paid_alike",
    citation="amounts of the two grades in the pool's own figures: design reading",
    verified=False,
)
_BY_GRADE = ("payment.amounts.", "payment.ratios.", "payment.quotas.")
_OUTCOMES = {
    "continue": Outcome.CONTINUE,
    "next_month": Outcome.NEW_GRADE,
    "stop_next_month": Outcome.STOP,
    "stop_month_after_validity": Outcome.STOP,
}


@dataclass(frozen=True, kw_only=True)
class RefuseReassessment:
    """The person refuses to be reassessed without cause (无正当理由拒绝)."""

    application: UUID  # of the conclusion in force
    kind: e.ApplicationKind
    refused_date: date
    ordered: bool = False  # whether such a reassessment was ordered
    grounds: g.Grounds = field(default_factory=g.Grounds)


def refuse(
    command: RefuseReassessment, one: Application, applicant: Applicant, pack: Pack
) -> list[d.DisputeEvent]:
    """Refuses NOT_DELIVERED, REASSESSED_ALREADY, NOT_ORDERED."""
    found = applicant.disputed(one.application)
    if found.newest is None:
        raise Refused("NOT_DELIVERED", state=one.state)
    if found.stop is not None and found.stop.concluded_date == command.refused_date:
        return []
    newest = in_force(applicant)
    if newest is None or newest[0] != one.application:
        raise Refused("REASSESSED_ALREADY", application=str(newest[0]) if newest else "")
    if not command.ordered:
        raise Refused("NOT_ORDERED", kind=command.kind)
    not_before("refused_date", command.refused_date, found.newest.delivered_date)
    question = Question(
        reassessment=derive("reassessment", str(one.application), str(command.refused_date)),
        application=one.application,
        person=one.person,
        pool=one.pool,
        kind=command.kind,
        refused=True,
        concluded_date=command.refused_date,
    )
    facts = command.grounds.newest(e.ConclusionDelivered)
    return [_concluded(question, facts, pack, command.grounds.code_version)]


def concluded(
    delivered: e.ConclusionDelivered, applicant: Applicant, grounds: g.Grounds, pack: Pack
) -> list[d.DisputeEvent]:
    """What a reassessment's conclusion leads to; nothing for a first one.

    `grounds` hold the facts of all the person's applications. Where the pool's table is not
    known, the conclusion speaks for itself.
    """
    is_first = delivered.kind is e.ApplicationKind.FIRST or in_force(applicant) is None
    on = delivered.conclusion_date
    if is_first or g.known_figure(pack, EFFECT, on) is None:
        return []
    facts = [
        fact
        for fact in grounds.of(e.AssessmentGraded, e.GradeChanged)
        if isinstance(fact.event, e.AssessmentGraded | e.GradeChanged)
        and fact.event.application == delivered.application
    ]
    facts += grounds.newest(e.ConclusionDelivered)
    question = Question(
        reassessment=derive("reassessment", str(delivered.application)),
        application=delivered.application,
        person=delivered.person,
        pool=delivered.pool,
        kind=delivered.kind,
        refused=False,
        concluded_date=on,
    )
    return [_concluded(question, facts, pack, grounds.code_version)]


def in_force(applicant: Applicant) -> tuple[UUID, Conclusion] | None:
    """The newest delivered conclusion of the person, with its application."""
    found = [
        (disputed.newest.effective_date, disputed.newest.delivered_date, application)
        for application, disputed in applicant.disputes.items()
        if disputed.newest is not None
    ]
    if not found:
        return None
    application = max(found)[2]
    newest = applicant.disputed(application).newest
    assert newest is not None  # noqa: S101 - it was looked for
    return application, newest


# The ruling ------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Question:
    """What does this reassessment lead to?"""

    reassessment: UUID
    application: UUID
    person: UUID
    pool: str
    kind: e.ApplicationKind
    refused: bool
    concluded_date: date


def rule(question: Question, facts: Sequence[Fact], pack: Pack, code_version: str) -> Ruling:
    """The outcome by the pool's table. Facts: the conclusion before, and the new grade."""
    before = g.event_in(facts, e.ConclusionDelivered)
    if before is None:
        raise LookupError("the conclusion before is not among the facts")
    trace, on = Trace(), question.concluded_date
    if question.refused:
        case, grade = "refused_without_cause", before.grade
    else:
        graded = g.event_in(facts, e.GradeChanged) or g.event_in(facts, e.AssessmentGraded)
        if graded is None:
            raise LookupError("the new grade is not among the facts")
        grade = graded.grade
        case = _case(before.grade, grade, pack, on, trace)
    effect = pack.figure(EFFECT, on)
    word = str(effect.table()[case])
    inputs: dict[str, str | int] = {"case": case}
    if question.refused:
        inputs["valid_until_date"] = str(before.valid_until_date)
    trace.computed(effect, "what it leads to (结果处理)", inputs, word)
    outcome = _OUTCOMES[word]
    return Ruling(
        question=QUESTION,
        subject=str(question.person),
        pool=question.pool,
        asked={
            "reassessment": str(question.reassessment),
            "application": str(question.application),
            "kind": question.kind.value,
            "refused": question.refused,
            "concluded_date": str(on),
            "grade_before": before.grade,
            "grade": grade,
            "effective_date": str(_effective(word, on, before.valid_until_date)),
        },
        outcome=outcome.value,
        reasons=_reasons(outcome, refused=question.refused),
        facts=g.refs(facts),
        pack=pack.pin,
        steps=trace.steps,
        code_version=code_version,
    )


def asked_in(ruling: Ruling) -> Question:
    """The question a ruling answered."""
    asked = ruling.asked
    return Question(
        reassessment=g.uuid_in(asked, "reassessment"),
        application=g.uuid_in(asked, "application"),
        person=UUID(ruling.subject),
        pool=ruling.pool,
        kind=e.ApplicationKind(str(asked["kind"])),
        refused=bool(asked["refused"]),
        concluded_date=g.date_in(asked, "concluded_date"),
    )


def paid_alike(pack: Pack, before: int, grade: int, on: date) -> bool:
    """Whether the pool pays the same for two grades, in whatever form of care."""
    if before == grade:
        return True
    figures = [
        figure
        for key in pack.figure_keys
        if key.startswith(_BY_GRADE) and (figure := g.known_figure(pack, key, on)) is not None
    ]
    return bool(figures) and all(
        _alike(figure.value, figure.dimensions, str(before), str(grade)) for figure in figures
    )


def _alike(value: Any, by: Sequence[str], before: str, grade: str) -> bool:
    if not by or not isinstance(value, Mapping):
        return True
    if by[0] != "grade":
        return all(_alike(item, by[1:], before, grade) for item in value.values())
    one, other = (value.get(key, value.get("any")) for key in (before, grade))
    return bool(one == other and one != "unknown")


def _case(before: int, grade: int, pack: Pack, on: date, trace: Trace) -> str:
    if not is_eligible(grade, pack, on, trace):
        return "not_eligible"
    alike = paid_alike(pack, before, grade, on)
    trace.computed(
        PAID_ALIKE,
        "what is paid for the two grades (待遇标准比较)",
        {"grade_before": before, "grade": grade},
        "paid_alike" if alike else "paid_otherwise",
    )
    return "paid_alike" if alike else "paid_otherwise"


def _effective(word: str, on: date, valid_until: date) -> date:
    if word == "stop_month_after_validity":
        return Month.of(valid_until).next().first
    return terms.effective(on)


def _reasons(outcome: Outcome, *, refused: bool) -> tuple[str, ...]:
    if outcome is not Outcome.STOP:
        return ()
    return ("REASSESSMENT_REFUSED",) if refused else ("GRADE_NOT_ELIGIBLE",)


def _concluded(
    question: Question, facts: Sequence[Fact], pack: Pack, code_version: str
) -> d.ReassessmentConcluded:
    ruling = rule(question, facts, pack, code_version)
    return d.ReassessmentConcluded(
        reassessment=question.reassessment,
        application=question.application,
        person=question.person,
        pool=question.pool,
        kind=question.kind,
        outcome=Outcome(ruling.outcome),
        refused=question.refused,
        grade_before=int(ruling.asked["grade_before"]),
        grade=int(ruling.asked["grade"]),
        effective_date=g.date_in(ruling.asked, "effective_date"),
        concluded_date=question.concluded_date,
        ruling=ruling.to_bytes(),
    )
