"""Makes verdicts on visits and reviews of designations again from their facts (重算)."""

from collections.abc import Sequence

from ltci.provider.v1 import events_pb2

from kernel.replay import RawFact, Redo, fact_of
from kernel.rules.pack import Pack
from kernel.rules.ruling import Ruling
from services.provider.codec import provider_codec
from services.provider.domain.admission import review_of, rule_designation
from services.provider.domain.quality import asked_in, rule_quality
from services.provider.domain.verdict import Basis, question_of, rule_visit

_CODEC = provider_codec(None)


def _redo_delivered(payload: bytes, facts: Sequence[RawFact], pack: Pack) -> bytes:
    return _redo(events_pb2.ServiceDelivered.FromString(payload).ruling, facts, pack)


def _redo_rejected(payload: bytes, facts: Sequence[RawFact], pack: Pack) -> bytes:
    return _redo(events_pb2.ServiceRejected.FromString(payload).ruling, facts, pack)


def _redo_reviewed(payload: bytes, facts: Sequence[RawFact], pack: Pack) -> bytes:
    told = Ruling.read(events_pb2.DesignationReviewed.FromString(payload).ruling)
    return rule_designation(review_of(told), _basis(told, facts, pack)).to_bytes()


def _redo_quality(payload: bytes, _facts: Sequence[RawFact], pack: Pack) -> bytes:
    told = Ruling.read(events_pb2.QualityScored.FromString(payload).ruling)
    return rule_quality(asked_in(told, pack)).to_bytes()


def _redo(ruling: bytes, facts: Sequence[RawFact], pack: Pack) -> bytes:
    told = Ruling.read(ruling)
    return rule_visit(question_of(told), _basis(told, facts, pack)).to_bytes()


def _basis(told: Ruling, facts: Sequence[RawFact], pack: Pack) -> Basis:
    known = tuple(fact_of(raw, _CODEC) for raw in facts)
    return Basis(facts=known, pack=pack, code_version=told.code_version)


DECISIONS: dict[str, Redo] = {
    "ltci.provider.v1.ServiceDelivered/1": _redo_delivered,
    "ltci.provider.v1.ServiceRejected/1": _redo_rejected,
    "ltci.provider.v1.DesignationReviewed/1": _redo_reviewed,
    "ltci.provider.v1.QualityScored/1": _redo_quality,
}
