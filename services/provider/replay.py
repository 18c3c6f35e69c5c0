"""Makes verdicts on visits, matches of claim lines and reviews of designations again (重算)."""

from collections.abc import Sequence

from ltci.provider.v1 import events_pb2

from kernel.replay import RawFact, Redo, fact_of
from kernel.rules.pack import Pack
from kernel.rules.ruling import Ruling
from services.provider.codec import provider_codec
from services.provider.domain import claim_match
from services.provider.domain.admission import review_of, rule_designation
from services.provider.domain.verdict import Basis, question_of, rule_visit

_CODEC = provider_codec(None)


def _redo_delivered(payload: bytes, facts: Sequence[RawFact], pack: Pack) -> bytes:
    return _redo(events_pb2.ServiceDelivered.FromString(payload).ruling, facts, pack)


def _redo_rejected(payload: bytes, facts: Sequence[RawFact], pack: Pack) -> bytes:
    return _redo(events_pb2.ServiceRejected.FromString(payload).ruling, facts, pack)


def _redo_reviewed(payload: bytes, facts: Sequence[RawFact], pack: Pack) -> bytes:
    told = Ruling.read(events_pb2.DesignationReviewed.FromString(payload).ruling)
    return rule_designation(review_of(told), _basis(told, facts, pack)).to_bytes()


def _redo(ruling: bytes, facts: Sequence[RawFact], pack: Pack) -> bytes:
    told = Ruling.read(ruling)
    return rule_visit(question_of(told), _basis(told, facts, pack)).to_bytes()


def _redo_matched(payload: bytes, facts: Sequence[RawFact], pack: Pack) -> bytes:
    return _redo_line(events_pb2.ClaimLineMatched.FromString(payload).ruling, facts, pack)


def _redo_refused(payload: bytes, facts: Sequence[RawFact], pack: Pack) -> bytes:
    return _redo_line(events_pb2.ClaimLineRefused.FromString(payload).ruling, facts, pack)


def _redo_line(ruling: bytes, facts: Sequence[RawFact], pack: Pack) -> bytes:
    told = Ruling.read(ruling)
    known = [fact_of(raw, _CODEC) for raw in facts]
    asked = claim_match.question_of(told)
    return claim_match.rule_line(asked, known, pack, told.code_version).ruling.to_bytes()


def _basis(told: Ruling, facts: Sequence[RawFact], pack: Pack) -> Basis:
    known = tuple(fact_of(raw, _CODEC) for raw in facts)
    return Basis(facts=known, pack=pack, code_version=told.code_version)


DECISIONS: dict[str, Redo] = {
    "ltci.provider.v1.ServiceDelivered/1": _redo_delivered,
    "ltci.provider.v1.ServiceRejected/1": _redo_rejected,
    "ltci.provider.v1.DesignationReviewed/1": _redo_reviewed,
    "ltci.provider.v1.ClaimLineMatched/1": _redo_matched,
    "ltci.provider.v1.ClaimLineRefused/1": _redo_refused,
}
