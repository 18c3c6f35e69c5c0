"""An expert puts another grade in the place of the computed one (专家调整等级). Pure.

Both grades are kept and shown with the reasons; the experts who confirm confirm the changed one.
Source: 医保发〔2023〕29号, as told by local rules: experts conclude from the record.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from kernel.refusal import Invalid, Refused, Violation
from kernel.rules.pack import Pack
from kernel.rules.ruling import Clause, Fact, Ruling, Trace
from services.assessment.domain import events as e
from services.assessment.domain.applicant import Application, State
from services.assessment.domain.assessor import Assessor, must_be_fit
from services.assessment.domain.grading import is_eligible
from services.assessment.domain.order import not_before

QUESTION = "grade_change"
CHANGED = Clause(
    key="assessment.expert_change",
    citation="医保发〔2023〕29号, as told by local rules: experts conclude from the record",
    verified=False,
)


@dataclass(frozen=True, kw_only=True)
class ChangeGrade:
    """`facts`: the grading that is changed, for the ruling."""

    application: UUID
    grade: int
    reason: str
    expert: str
    changed_date: date
    facts: tuple[Fact, ...] = ()
    code_version: str = ""
    registered: Assessor | None = None  # in the pool's database, where known


@dataclass(frozen=True, kw_only=True)
class Question:
    """What does the expert's grade mean, where the forms give another?"""

    application: UUID
    person: UUID
    pool: str
    computed_grade: int
    grade: int
    expert: str
    assessed_date: date
    changed_date: date


def change(command: ChangeGrade, one: Application, pack: Pack) -> list[e.Event]:
    """Refuses NOT_GRADED, CONCLUDED_ALREADY, GRADE_UNCHANGED, ASSESSOR_BARRED, NOT_AN_EXPERT."""
    names = pack.standard().grade_names
    if command.grade not in names:
        words = f"must be one of: {', '.join(map(str, names))}", "应为评估标准中的等级"
        raise Invalid([Violation("grade", "OUT_OF_RANGE", *words)])
    if one.assessed is None or one.grade is None:
        raise Refused("NOT_GRADED", state=one.state)
    last = one.changed
    if last is not None and (last.grade, last.expert, last.reason, last.changed_date) == (
        command.grade,
        command.expert,
        command.reason,
        command.changed_date,
    ):
        return []
    if one.state is not State.GRADED:
        raise Refused("CONCLUDED_ALREADY", state=one.state)
    if command.grade == one.grade:
        raise Refused("GRADE_UNCHANGED", grade=str(one.grade))
    not_before("changed_date", command.changed_date, one.assessed)
    must_be_fit(command.registered, command.changed_date, expert=True)
    question = Question(
        application=one.application,
        person=one.person,
        pool=one.pool,
        computed_grade=last.computed_grade if last else one.grade,
        grade=command.grade,
        expert=command.expert,
        assessed_date=one.assessed,
        changed_date=command.changed_date,
    )
    ruling = rule_change(question, command.facts, pack, command.code_version)
    changed = e.GradeChanged(
        application=one.application,
        person=one.person,
        pool=one.pool,
        computed_grade=question.computed_grade,
        grade=command.grade,
        reason=command.reason,
        expert=command.expert,
        changed_date=command.changed_date,
        ruling=ruling.to_bytes(),
    )
    return [changed]


def rule_change(question: Question, facts: Sequence[Fact], pack: Pack, code_version: str) -> Ruling:
    """The changed grade; GRADE_NOT_ELIGIBLE where the pool pays nothing for it.

    The grades with a benefit are those of the last day of assessment, as for the computed grade.
    """
    trace = Trace()
    trace.computed(
        CHANGED,
        "grade changed by an expert (专家调整等级)",
        {"computed_grade": question.computed_grade, "changed_date": str(question.changed_date)},
        question.grade,
    )
    pays = is_eligible(question.grade, pack, question.assessed_date, trace)
    return Ruling(
        question=QUESTION,
        subject=str(question.person),
        pool=question.pool,
        asked={
            "application": str(question.application),
            "computed_grade": question.computed_grade,
            "grade": question.grade,
            "expert": question.expert,
            "assessed_date": str(question.assessed_date),
            "changed_date": str(question.changed_date),
        },
        outcome=f"grade_{question.grade}",
        reasons=() if pays else ("GRADE_NOT_ELIGIBLE",),
        facts=tuple(fact.ref for fact in facts),
        pack=pack.pin,
        steps=trace.steps,
        code_version=code_version,
    )


def asked_in(ruling: Ruling) -> Question:
    """The question a ruling answered; ValueError for a ruling on something else."""
    if ruling.question != QUESTION:
        raise ValueError(f"a ruling on {ruling.question}, not on {QUESTION}")
    asked = ruling.asked
    return Question(
        application=UUID(str(asked["application"])),
        person=UUID(ruling.subject),
        pool=ruling.pool,
        computed_grade=int(asked["computed_grade"]),
        grade=int(asked["grade"]),
        expert=str(asked["expert"]),
        assessed_date=date.fromisoformat(str(asked["assessed_date"])),
        changed_date=date.fromisoformat(str(asked["changed_date"])),
    )
