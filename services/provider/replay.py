"""Makes verdicts on visits and bookings, and what else is decided here, again (重算)."""

from collections.abc import Sequence

from ltci.provider.v1 import events_pb2

from kernel.replay import RawFact, Redo, fact_of
from kernel.rules.pack import Pack
from kernel.rules.ruling import Fact, Ruling
from services.provider.codec import provider_codec
from services.provider.domain import claim_match, inspection_appeal, inspection_ruling
from services.provider.domain.admission import review_of, rule_designation
from services.provider.domain.booking_rule import question_of as booking_of
from services.provider.domain.booking_rule import rule_booking
from services.provider.domain.detection.catalogue import DETECTORS
from services.provider.domain.detection.detector import RiskBasis, rule_risk
from services.provider.domain.quality import asked_in, rule_quality
from services.provider.domain.verdict import Basis, question_of, rule_visit
from services.provider.incoming import SOURCES, told_in

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


def _redo_booked(payload: bytes, facts: Sequence[RawFact], pack: Pack) -> bytes:
    told = Ruling.read(events_pb2.VisitBooked.FromString(payload).ruling)
    return rule_booking(*booking_of(told), _basis(told, facts, pack)).ruling.to_bytes()


def _redo_decided(payload: bytes, facts: Sequence[RawFact], pack: Pack) -> bytes:
    told = Ruling.read(events_pb2.InspectionDecided.FromString(payload).ruling)
    question = inspection_ruling.question_of(told)
    return inspection_ruling.rule_inspection(question, _basis(told, facts, pack)).to_bytes()


def _redo_appeal(payload: bytes, facts: Sequence[RawFact], pack: Pack) -> bytes:
    told = Ruling.read(events_pb2.InspectionAppealDecided.FromString(payload).ruling)
    question = inspection_appeal.question_of(told)
    return inspection_appeal.rule_appeal(question, _basis(told, facts, pack)).to_bytes()


def _redo_flag(payload: bytes, facts: Sequence[RawFact], pack: Pack) -> bytes:
    """What a detector saw is asked by value: positions and photos are forgotten."""
    told = Ruling.read(events_pb2.RiskFlagged.FromString(payload).ruling)
    basis = RiskBasis(
        pool=told.pool,
        facts=tuple(raw.ref for raw in facts),
        pack=pack,
        code_version=told.code_version,
    )
    detector = DETECTORS[str(told.asked["detector"])]
    return rule_risk(detector, told.asked, basis, told.subject).to_bytes()


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
    known = tuple(map(_fact, facts))
    return Basis(facts=known, pack=pack, code_version=told.code_version)


def _fact(raw: RawFact) -> Fact:
    if raw.service in SOURCES:
        return Fact(raw.ref, told_in(raw.service, raw.type, raw.payload), raw.recorded_at)
    return fact_of(raw, _CODEC)


DECISIONS: dict[str, Redo] = {
    "ltci.provider.v1.ServiceDelivered/1": _redo_delivered,
    "ltci.provider.v1.ServiceRejected/1": _redo_rejected,
    "ltci.provider.v1.VisitBooked/1": _redo_booked,
    "ltci.provider.v1.DesignationReviewed/1": _redo_reviewed,
    "ltci.provider.v1.QualityScored/1": _redo_quality,
    "ltci.provider.v1.ClaimLineMatched/1": _redo_matched,
    "ltci.provider.v1.ClaimLineRefused/1": _redo_refused,
    "ltci.provider.v1.RiskFlagged/1": _redo_flag,
    "ltci.provider.v1.InspectionDecided/1": _redo_decided,
    "ltci.provider.v1.InspectionAppealDecided/1": _redo_appeal,
}
