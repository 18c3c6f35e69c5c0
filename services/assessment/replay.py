"""Makes the decisions of assessment again, from the facts and the pack their rulings name."""

from collections.abc import Mapping, Sequence
from typing import Any

from kernel.replay import RawFact, Redo, fact_of
from kernel.rules.pack import Pack
from kernel.rules.ruling import Ruling
from services.assessment.codec import assessment_codec
from services.assessment.domain import (
    appeal_ruling,
    objection,
    reassessment_outcome,
    review_fee,
    review_grading,
)
from services.assessment.domain import dispute_events as d
from services.assessment.domain.events import AssessmentGraded
from services.assessment.domain.grading import asked_in, rule_grade

_codec = assessment_codec(None)
_GRADED = _codec.type_name(AssessmentGraded)


def redo_grade(payload: bytes, facts: Sequence[RawFact], pack: Pack) -> bytes:
    """The ruling of an `AssessmentGraded`, made anew by the code of today."""
    graded: AssessmentGraded = _codec.decode_clear(_GRADED, payload)
    ruling = Ruling.read(graded.ruling)
    known = [fact_of(raw, _codec) for raw in facts]
    return rule_grade(asked_in(ruling), known, pack, ruling.code_version).to_bytes()


def _redo(event_class: type, module: Any) -> Redo:
    def redo(payload: bytes, facts: Sequence[RawFact], pack: Pack) -> bytes:
        """The ruling of a decision after a grade, made anew by the code of today."""
        ruling = Ruling.read(_codec.decode_clear(_codec.type_name(event_class), payload).ruling)
        known = tuple(fact_of(raw, _codec) for raw in facts)
        again: Ruling = module.rule(module.asked_in(ruling), known, pack, ruling.code_version)
        return again.to_bytes()

    return redo


DECISIONS: Mapping[str, Redo] = {
    _GRADED: redo_grade,
    **{
        _codec.type_name(event_class): _redo(event_class, module)
        for event_class, module in (
            (d.ObjectionDecided, objection),
            (d.ReviewGraded, review_grading),
            (d.ReviewFeeDecided, review_fee),
            (d.AppealDecided, appeal_ruling),
            (d.ReassessmentConcluded, reassessment_outcome),
        )
    },
}
