"""Makes the decisions of assessment again, from the facts and the pack their rulings name."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kernel.replay import RawFact, Redo, fact_of
from kernel.rules.pack import Pack
from kernel.rules.ruling import Fact, Ruling
from services.assessment.codec import assessment_codec
from services.assessment.domain import (
    admission,
    appeal_ruling,
    assignment,
    grade_change,
    grading,
    objection,
    reassessment_outcome,
    review_fee,
    review_grading,
    termination,
)
from services.assessment.domain import dispute_events as d
from services.assessment.domain import events as e

_codec = assessment_codec(None)
Rule = Callable[[Any, Sequence[Fact], Pack, str], Ruling]


def _redo(event: type, asked_in: Callable[[Ruling], Any], rule: Rule) -> tuple[str, Redo]:
    """The event's type, and how its ruling is made anew by the code of today."""
    name = _codec.type_name(event)

    def redo(payload: bytes, facts: Sequence[RawFact], pack: Pack) -> bytes:
        decided: Any = _codec.decode_clear(name, payload)
        ruling = Ruling.read(decided.ruling)
        known = [fact_of(raw, _codec) for raw in facts]
        return rule(asked_in(ruling), known, pack, ruling.code_version).to_bytes()

    return name, redo


# Admissions that were recorded before they had a ruling; there is nothing in them to make again.
ONCE_WITHOUT_RULING = frozenset(
    {_codec.type_name(e.ApplicationAccepted), _codec.type_name(e.ApplicationRefused)}
)
DECISIONS: Mapping[str, Redo] = dict(
    [
        _redo(e.ApplicationAccepted, admission.asked_in, admission.rule_admission),
        _redo(e.ApplicationRefused, admission.asked_in, admission.rule_admission),
        _redo(e.AssessorsAssigned, assignment.asked_in, assignment.rule_assignment),
        _redo(e.AssessorReplaced, assignment.asked_in, assignment.rule_assignment),
        _redo(e.AssessmentGraded, grading.asked_in, grading.rule_grade),
        _redo(e.GradeChanged, grade_change.asked_in, grade_change.rule_change),
        _redo(e.AssessmentTerminated, termination.asked_in, termination.rule_termination),
        _redo(d.ObjectionDecided, objection.asked_in, objection.rule),
        _redo(d.ReviewGraded, review_grading.asked_in, review_grading.rule),
        _redo(d.ReviewFeeDecided, review_fee.asked_in, review_fee.rule),
        _redo(d.AppealDecided, appeal_ruling.asked_in, appeal_ruling.rule),
        _redo(d.ReassessmentConcluded, reassessment_outcome.asked_in, reassessment_outcome.rule),
    ]
)
