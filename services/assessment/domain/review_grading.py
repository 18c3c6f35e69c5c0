"""The grade of a second round (复评等级), by the standard of the first. Pure: no clock, no I/O.

As in `grading`, the form that completes the set is part of what was asked. The facts are the
first round's grade and forms, and the second round's forms before.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from kernel.rules.pack import Pack
from kernel.rules.ruling import Clause, Fact, Ruling, Trace
from services.assessment.domain import grounds as g
from services.assessment.domain.dispute_events import ReviewAssessed
from services.assessment.domain.events import (
    AssessmentGraded,
    AssessorKind,
    GradeChanged,
    OnSiteAssessed,
)
from services.assessment.domain.grading import (
    Form,
    conditions_on_site,
    grade_in,
    grade_of,
    is_eligible,
    last_day,
)

__all__ = ["Question", "asked_in", "compare", "grade_before", "grade_in", "rule"]

QUESTION = "review_grade"
_ASKED = ("application", "assessor", "assessor_kind", "assessed_date")
RESULT = Clause(
    key="assessment.review_result",
    citation="长期护理保险失能等级评估管理办法(试行), 医保发〔2023〕29号: review",
    verified=False,
)


@dataclass(frozen=True, kw_only=True)
class Question:
    """Which grade follows from this form of the second round and those before it?"""

    application: UUID
    person: UUID
    pool: str
    form: Form


def rule(question: Question, facts: Sequence[Fact], pack: Pack, code_version: str) -> Ruling:
    """The grade of the second round; reasons as of the first, and SAME_ASSESSOR."""
    earlier = [Form.of(f.event) for f in facts if isinstance(f.event, ReviewAssessed)]
    first = [f.event.assessor for f in facts if isinstance(f.event, OnSiteAssessed)]
    forms, trace = [*earlier, question.form], Trace()
    conditions = conditions_on_site(forms, pack, trace)
    conditions["SAME_ASSESSOR"] = g.check_other_people(trace, [f.assessor for f in forms], first)
    grade = grade_of(question.form.scores, pack, trace)
    conditions["GRADE_NOT_ELIGIBLE"] = is_eligible(grade, pack, last_day(forms), trace)
    compare(grade_before(facts), grade, trace)
    form = question.form
    return Ruling(
        question=QUESTION,
        subject=str(question.person),
        pool=question.pool,
        asked={
            "application": str(question.application),
            "assessor": form.assessor,
            "assessor_kind": form.assessor_kind.value,
            "assessed_date": str(form.assessed_date),
            **form.scores,
        },
        outcome=f"grade_{grade}",
        reasons=tuple(reason for reason, holds in conditions.items() if not holds),
        facts=g.refs(facts),
        pack=pack.pin,
        steps=trace.steps,
        code_version=code_version,
    )


def compare(before: int, grade: int, trace: Trace) -> bool:
    """Whether the second round came to the same grade as the first."""
    same = before == grade
    trace.computed(
        RESULT,
        "the result against the first (复评结果与初评比较)",
        {"grade_before": before, "grade": grade},
        "same_result" if same else "other_result",
    )
    return same


def grade_before(facts: Sequence[Fact]) -> int:
    """The grade of the first round, as an expert changed it; LookupError where none is a fact."""
    first = g.event_in(facts, GradeChanged) or g.event_in(facts, AssessmentGraded)
    if first is None:
        raise LookupError("the first grade is not among the facts")
    return first.grade


def asked_in(ruling: Ruling) -> Question:
    """The question a ruling answered; ValueError for a ruling on something else."""
    if ruling.question != QUESTION:
        raise ValueError(f"a ruling on {ruling.question}, not on {QUESTION}")
    asked = ruling.asked
    return Question(
        application=UUID(str(asked["application"])),
        person=UUID(ruling.subject),
        pool=ruling.pool,
        form=Form(
            assessor=str(asked["assessor"]),
            assessor_kind=AssessorKind(str(asked["assessor_kind"])),
            assessed_date=date.fromisoformat(str(asked["assessed_date"])),
            scores={item: int(score) for item, score in asked.items() if item not in _ASKED},
        ),
    )
