"""Makes the verdicts on visits again from their facts (重算)."""

from collections.abc import Sequence

from ltci.provider.v1 import events_pb2

from kernel.replay import RawFact, Redo, fact_of
from kernel.rules.pack import Pack
from kernel.rules.ruling import Ruling
from services.provider.codec import provider_codec
from services.provider.domain.verdict import Basis, question_of, rule_visit

_CODEC = provider_codec(None)


def _redo_delivered(payload: bytes, facts: Sequence[RawFact], pack: Pack) -> bytes:
    return _redo(events_pb2.ServiceDelivered.FromString(payload).ruling, facts, pack)


def _redo_rejected(payload: bytes, facts: Sequence[RawFact], pack: Pack) -> bytes:
    return _redo(events_pb2.ServiceRejected.FromString(payload).ruling, facts, pack)


def _redo(ruling: bytes, facts: Sequence[RawFact], pack: Pack) -> bytes:
    told = Ruling.read(ruling)
    known = tuple(fact_of(raw, _CODEC) for raw in facts)
    basis = Basis(facts=known, pack=pack, code_version=told.code_version)
    return rule_visit(question_of(told), basis).to_bytes()


DECISIONS: dict[str, Redo] = {
    "ltci.provider.v1.ServiceDelivered/1": _redo_delivered,
    "ltci.provider.v1.ServiceRejected/1": _redo_rejected,
}
