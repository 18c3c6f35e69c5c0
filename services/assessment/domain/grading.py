"""From the forms of the on-site assessment to a grade (失能等级). Pure: no clock, no I/O.

Items are summed to a total for each primary indicator, a total gives a level, and the table
combines the levels (组合法). Source: 医保办发〔2021〕37号.

A ruling is kept in the same append as the form that completes the set, so that form has no
position yet: it is part of what was asked. The forms before it are the facts. Where forms differ,
each item is settled (评分分歧处理); then the settlement that closes the last difference may be what
was asked, and every form is a fact.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from kernel.refusal import Invalid, Violation
from kernel.rules.pack import Pack
from kernel.rules.ruling import Fact, Ruling, Trace
from kernel.rules.standard import Standard
from services.assessment.domain.dispute_events import ReviewAssessed
from services.assessment.domain.events import (
    AssessorKind,
    ItemScore,
    ItemSettled,
    OnSiteAssessed,
)
from services.assessment.domain.words import SettledBy

QUESTION = "grade"
_OUTCOME = "grade_"
_ASKED = ("application", "assessor", "assessor_kind", "assessed_date")


@dataclass(frozen=True, kw_only=True)
class Form:
    """One assessor's form."""

    assessor: str
    assessor_kind: AssessorKind
    assessed_date: date
    scores: Mapping[str, int]

    @classmethod
    def of(cls, event: OnSiteAssessed | ReviewAssessed) -> "Form":
        return cls(
            assessor=event.assessor,
            assessor_kind=event.assessor_kind,
            assessed_date=event.assessed_date,
            scores={one.item: one.score for one in event.scores},
        )


@dataclass(frozen=True, kw_only=True)
class Settlement:
    """The score of an item on which the forms differ."""

    item: str
    score: int
    settled_by: SettledBy
    assessor: str
    settled_date: date

    @classmethod
    def of(cls, event: ItemSettled) -> "Settlement":
        return cls(
            item=event.item,
            score=event.score,
            settled_by=event.settled_by,
            assessor=event.assessor,
            settled_date=event.settled_date,
        )

    def asked(self) -> dict[str, str | int]:
        """As a ruling keeps it."""
        return {
            "settled_item": self.item,
            "settled_score": self.score,
            "settled_by": self.settled_by.value,
            "assessor": self.assessor,
            "settled_date": str(self.settled_date),
        }


@dataclass(frozen=True, kw_only=True)
class Question:
    """Which grade follows from this form, or this settlement, and what was before it?"""

    application: UUID
    person: UUID
    pool: str
    form: Form | None = None
    settlement: Settlement | None = None

    def asked(self) -> dict[str, str | int]:
        """As a ruling keeps it."""
        told: dict[str, str | int] = {"application": str(self.application)}
        if self.settlement is not None:
            return told | self.settlement.asked()
        form = self.form
        assert form is not None, "a form or a settlement"  # noqa: S101
        told |= {
            "assessor": form.assessor,
            "assessor_kind": form.assessor_kind.value,
            "assessed_date": str(form.assessed_date),
        }
        return told | dict(form.scores)


def rule_grade(question: Question, facts: Sequence[Fact], pack: Pack, code_version: str) -> Ruling:
    """The grade; its reasons say what stands against a benefit.

    FORMS_DISAGREE, ASSESSORS_MISSING, EXPERT_MISSING, GRADE_NOT_ELIGIBLE. Figures are those of
    the last day of assessment. Refuses FIGURE_UNKNOWN for a day before the rules begin.
    """
    forms, settled = _earlier(facts), _settled(facts)
    if question.form is not None:
        forms.append(question.form)
    if question.settlement is not None:
        settled[question.settlement.item] = question.settlement
    on, standard, trace = last_day(forms), pack.standard(), Trace()
    conditions = conditions_on_site(forms, pack, trace, settled)
    grade = grade_of(_scores(forms, settled, standard, trace), pack, trace)
    conditions["GRADE_NOT_ELIGIBLE"] = is_eligible(grade, pack, on, trace)
    return Ruling(
        question=QUESTION,
        subject=str(question.person),
        pool=question.pool,
        asked=question.asked(),
        outcome=f"{_OUTCOME}{grade}",
        reasons=tuple(reason for reason, holds in conditions.items() if not holds),
        facts=tuple(fact.ref for fact in facts),
        pack=pack.pin,
        steps=trace.steps,
        code_version=code_version,
    )


def grade_in(ruling: Ruling) -> int:
    """The grade a ruling came to, 0 to 5."""
    return int(ruling.outcome.removeprefix(_OUTCOME))


def asked_in(ruling: Ruling) -> Question:
    """The question a ruling answered; ValueError for a ruling on something else."""
    if ruling.question != QUESTION:
        raise ValueError(f"a ruling on {ruling.question}, not on {QUESTION}")
    asked = ruling.asked
    question = Question(
        application=UUID(str(asked["application"])), person=UUID(ruling.subject), pool=ruling.pool
    )
    if "settled_item" in asked:
        settlement = Settlement(
            item=str(asked["settled_item"]),
            score=int(asked["settled_score"]),
            settled_by=SettledBy(str(asked["settled_by"])),
            assessor=str(asked["assessor"]),
            settled_date=date.fromisoformat(str(asked["settled_date"])),
        )
        return replace(question, settlement=settlement)
    form = Form(
        assessor=str(asked["assessor"]),
        assessor_kind=AssessorKind(str(asked["assessor_kind"])),
        assessed_date=date.fromisoformat(str(asked["assessed_date"])),
        scores={item: int(score) for item, score in asked.items() if item not in _ASKED},
    )
    return replace(question, form=form)


def last_day(forms: Sequence[Form]) -> date:
    """The day the assessment was complete on site."""
    return max(form.assessed_date for form in forms)


def differing_items(forms: Sequence[Form]) -> tuple[str, ...]:
    """The items on which the forms do not agree, sorted."""
    items = {item for form in forms for item in form.scores}
    return tuple(
        sorted(item for item in items if len({form.scores.get(item) for form in forms}) > 1)
    )


def experts(forms: Sequence[Form]) -> int:
    return sum(form.assessor_kind is AssessorKind.EXPERT for form in forms)


def check_scores(scores: Sequence[ItemScore], standard: Standard) -> None:
    """Refuses (Invalid) a form that has not each item of the standard once, with a score of it."""
    allowed = {item.code: item.scores for item in standard.items}
    found, seen = [], set()
    for place, one in enumerate(scores):
        at = f"scores[{place}]"
        if one.item not in allowed:
            words = "must be an item of the standard", "应为评估标准中的指标"
            found.append(Violation(f"{at}.item", "UNKNOWN_ITEM", *words))
        elif one.item in seen:
            words = "must not be given twice", "不得重复填写"
            found.append(Violation(f"{at}.item", "ITEM_TWICE", *words))
        elif one.score not in allowed[one.item]:
            told = ", ".join(map(str, allowed[one.item]))
            words = f"must be one of: {told}", f"应为以下之一:{told}"
            found.append(Violation(f"{at}.score", "SCORE_NOT_ALLOWED", *words))
        seen.add(one.item)
    missing = ", ".join(code for code in allowed if code not in seen)
    if missing:
        words = f"must hold every item, missing: {missing}", f"缺少指标:{missing}"
        found.append(Violation("scores", "ITEMS_MISSING", *words))
    if found:
        raise Invalid(found)


def _earlier(facts: Sequence[Fact]) -> list[Form]:
    return [Form.of(fact.event) for fact in facts if isinstance(fact.event, OnSiteAssessed)]


def _settled(facts: Sequence[Fact]) -> dict[str, Settlement]:
    told = [fact.event for fact in facts if isinstance(fact.event, ItemSettled)]
    return {event.item: Settlement.of(event) for event in told}


def conditions_on_site(
    forms: Sequence[Form], pack: Pack, trace: Trace, settled: Collection[str] = ()
) -> dict[str, bool]:
    """What must hold for forms to make a grade, by the reason told where it does not."""
    on = last_day(forms)
    return {
        "FORMS_DISAGREE": _agree(forms, settled, pack.standard(), trace),
        "ASSESSORS_MISSING": _enough(forms, pack, on, trace),
        "EXPERT_MISSING": _with_experts(forms, pack, on, trace),
    }


def _agree(
    forms: Sequence[Form], settled: Collection[str], standard: Standard, trace: Trace
) -> bool:
    differing = [item for item in differing_items(forms) if item not in settled]
    return trace.check(
        holds=not differing,
        clause=standard.items_clause,
        label="the forms agree on every item (评估结果一致)",
        inputs={"forms": len(forms), "differing": ",".join(differing)},
    )


def _scores(
    forms: Sequence[Form], settled: Mapping[str, Settlement], standard: Standard, trace: Trace
) -> dict[str, int]:
    """The scores that count: those of the forms, and where they differ the settled one."""
    scores = dict(forms[-1].scores)
    for item in differing_items(forms):
        if item in settled:
            told = settled[item]
            inputs = {"settled_item": item, "settled_by": told.settled_by.value}
            label = "score of an item on which the forms differ (评分分歧处理)"
            trace.computed(standard.items_clause, label, inputs, told.score)
            scores[item] = told.score
    return scores


def _enough(forms: Sequence[Form], pack: Pack, on: date, trace: Trace) -> bool:
    figure = pack.figure("assessment.min_assessors", on)
    present = len({form.assessor for form in forms})
    return trace.check(
        holds=present >= figure.integer(),
        clause=figure,
        label="enough people on site (现场评估人数)",
        inputs={"assessors": present, "assessors_required": figure.integer()},
    )


def _with_experts(forms: Sequence[Form], pack: Pack, on: date, trace: Trace) -> bool:
    figure = pack.figure("assessment.min_experts_on_site", on)
    return trace.check(
        holds=experts(forms) >= figure.integer(),
        clause=figure,
        label="enough experts among them (现场评估专家人数)",
        inputs={"experts": experts(forms), "experts_required": figure.integer()},
    )


def grade_of(scores: Mapping[str, int], pack: Pack, trace: Trace) -> int:
    """The grade that the pool's standard gives to these scores."""
    standard, levels = pack.standard(), {}
    for dimension in standard.dimensions:
        summed = {item.code: scores[item.code] for item in dimension.items}
        total = sum(summed.values())
        name = f"{dimension.name_en} ({dimension.name_zh})"
        trace.computed(standard.items_clause, f"{name}: total", summed, total)
        levels[dimension.code] = dimension.level(total)
        trace.computed(
            dimension.bands_clause, f"{name}: level", {"total": total}, levels[dimension.code]
        )
    worse = max(levels["cognition"], levels["perception"])
    grade = standard.cell(levels["adl"], worse)
    trace.computed(
        standard.matrix_clause,
        "grade by combination (组合法)",
        {"adl_level": levels["adl"], "worse_other_level": worse},
        grade,
    )
    return grade


def is_eligible(grade: int, pack: Pack, on: date, trace: Trace) -> bool:
    """Whether the pool pays for the grade."""
    figure = pack.figure("assessment.eligible_grades", on)
    return trace.check(
        holds=grade in figure.integers(),
        clause=figure,
        label="the pool pays for this grade (待遇等级)",
        inputs={"grade": grade, "grades": ",".join(map(str, figure.integers()))},
    )
