"""Makes the decisions of enrollment again, from the facts and the pack their rulings name."""

from collections.abc import Mapping, Sequence

from kernel.replay import RawFact, Redo, fact_of
from kernel.rules.pack import Pack
from kernel.rules.ruling import Ruling
from services.enrollment.codec import enrollment_codec
from services.enrollment.domain import dues
from services.enrollment.domain.account import ContributionDue
from services.enrollment.domain.coverage import EligibilityDecided
from services.enrollment.domain.eligibility import asked_in, rule_eligibility

_codec = enrollment_codec(None)
_ELIGIBILITY = _codec.type_name(EligibilityDecided)
_DUE = _codec.type_name(ContributionDue)


def redo_eligibility(payload: bytes, facts: Sequence[RawFact], pack: Pack) -> bytes:
    """The ruling of an `EligibilityDecided`, made anew by the code of today."""
    decided: EligibilityDecided = _codec.decode_clear(_ELIGIBILITY, payload)
    ruling = Ruling.read(decided.ruling)
    known = [fact_of(raw, _codec) for raw in facts]
    return rule_eligibility(asked_in(ruling), known, pack, ruling.code_version).to_bytes()


def redo_due(payload: bytes, facts: Sequence[RawFact], pack: Pack) -> bytes:
    """The ruling of a `ContributionDue`, made anew by the code of today."""
    due: ContributionDue = _codec.decode_clear(_DUE, payload)
    ruling = Ruling.read(due.ruling)
    known = [fact_of(raw, _codec) for raw in facts]
    return dues.rule_due(dues.asked_in(ruling), known, pack, ruling.code_version).to_bytes()


DECISIONS: Mapping[str, Redo] = {_ELIGIBILITY: redo_eligibility, _DUE: redo_due}
