"""Makes the decisions of assessment again, from the facts and the pack their rulings name."""

from collections.abc import Mapping, Sequence

from kernel.replay import RawFact, Redo, fact_of
from kernel.rules.pack import Pack
from kernel.rules.ruling import Ruling
from services.assessment.codec import assessment_codec
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


DECISIONS: Mapping[str, Redo] = {_GRADED: redo_grade}
