"""The self-assessment form (自评表) and its grade A to G. Pure: no clock, no I/O.

Source: 长期护理失能等级自评表; items and table stand beside the assessment standard.
"""

from collections.abc import Sequence

from kernel.refusal import Invalid, Violation
from kernel.rules.standard import Standard
from services.assessment.domain.words import SelfAssessmentItem, SelfCare


def grade_of(items: Sequence[SelfAssessmentItem], standard: Standard, field: str) -> str:
    """The grade of a whole form, "" where there is none. Refuses `Invalid` a form in part."""
    if not items:
        return ""
    form = standard.self_assessment
    if form is None:
        words = "must be empty: the pool has no such form", "本地没有自评表,不得填写"
        raise Invalid([Violation(field, "NO_FORM_HERE", *words)])
    _check(items, tuple(form.items), field)
    return form.grade(one.item for one in items if one.answer is SelfCare.DEPENDENT)


def _check(items: Sequence[SelfAssessmentItem], wanted: Sequence[str], field: str) -> None:
    found: list[Violation] = []
    seen: set[str] = set()
    for place, one in enumerate(items):
        at = f"{field}[{place}].item"
        if one.item not in wanted:
            words = f"must be one of: {', '.join(wanted)}", f"应为下列之一:{', '.join(wanted)}"
            found.append(Violation(at, "UNKNOWN_ITEM", *words))
        elif one.item in seen:
            found.append(Violation(at, "ITEM_TWICE", "must not be given twice", "不得重复填写"))
        seen.add(one.item)
    missing = ", ".join(code for code in wanted if code not in seen)
    if missing:
        words = f"must hold every item, missing: {missing}", f"缺少项目:{missing}"
        found.append(Violation(field, "ITEMS_MISSING", *words))
    if found:
        raise Invalid(found)
