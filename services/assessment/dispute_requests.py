"""What callers ask about objections, reviews and appeals, checked and made into commands."""

import datetime as dt
from collections.abc import Iterable, Sequence
from uuid import UUID

from ltci.assessment.v1 import appeal_service_pb2 as appeal_pb
from ltci.assessment.v1 import assessment_types_pb2 as types
from ltci.assessment.v1 import dispute_types_pb2 as dispute_types
from ltci.assessment.v1 import objection_service_pb2 as objection_pb
from ltci.assessment.v1 import reassessment_service_pb2 as reassessment_pb
from ltci.assessment.v1 import review_service_pb2 as review_pb

from kernel.clock import Clock
from kernel.eventstore.keys import KeyRing
from kernel.identity_numbers import identity_fault
from kernel.ids import derive
from kernel.rpc.private import RESIDENT
from kernel.rpc.validate import Check
from kernel.rules.library import PackLibrary
from services.assessment.domain import appeal, objection, review, terms
from services.assessment.domain import dispute_events as d
from services.assessment.domain import events as e
from services.assessment.domain.reassessment import SpotCheckCause, SpotCheckOrdered
from services.assessment.domain.reassessment_outcome import RefuseReassessment

MOST_LISTED = 50
MOST_WORDS = 2_000
HIGHEST_GRADE = 5
_PEOPLE = "[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}"
_CLAUSE = r"[a-z0-9_]+(\.[a-z0-9_-]+)*"
_HASH = "(sha256:)?[0-9a-f]{64}"
_DIGEST = "[0-9a-f]{64}"
_REFUSED = {e.ApplicationKind.PERIODIC, e.ApplicationKind.SPOT_CHECK}


class DisputeRequests:
    """Reads requests. What it returns counts only after `check.done()`."""

    def __init__(self, keys: KeyRing, packs: PackLibrary, clock: Clock) -> None:
        self._keys = keys
        self._packs = packs
        self._clock = clock

    def file_objection(
        self, check: Check, asked: objection_pb.FileObjectionRequest
    ) -> objection.FileObjection:
        for field in ("objector_name", "objector_contact"):
            if not getattr(asked, field).strip():
                check.fail(
                    field,
                    "ANONYMOUS",
                    "must be given: an objection is made in real name",
                    "必填：异议须实名提出",
                )
        return objection.FileObjection(
            application=check.uuid("application", asked.application),
            objection=derive("objection", asked.request_id),
            objector=self._objector(check, asked),
            objector_name=check.text("objector_name", asked.objector_name, max=100, required=False),
            objector_contact=check.text("objector_contact", asked.objector_contact, required=False),
            statement=check.text("statement", asked.statement, max=MOST_WORDS),
            attacked_clauses=_clauses(check, asked.attacked_clauses),
            attacked_items=_listed(check, "attacked_items", asked.attacked_items),
            filed_date=self._past_day(check, "filed_date", asked.filed_date),
        )

    def decide_objection(
        self, check: Check, asked: objection_pb.DecideObjectionRequest
    ) -> objection.DecideObjection:
        """Without its application, which the caller does not tell."""
        return objection.DecideObjection(
            application=UUID(int=0),
            objection=check.uuid("objection", asked.objection),
            outcome=check.enum(
                "outcome", asked.outcome, dispute_types.ObjectionOutcome, d.ObjectionOutcome
            ),
            reasoning=check.text("reasoning", asked.reasoning, max=MOST_WORDS),
            decided_by=people_of(check, "decided_by", asked.decided_by),
            decided_date=self._past_day(check, "decided_date", asked.decided_date),
        )

    def request_review(
        self, check: Check, asked: review_pb.RequestReviewRequest
    ) -> review.RequestReview:
        return review.RequestReview(
            application=check.uuid("application", asked.application),
            requested_date=self._past_day(check, "requested_date", asked.requested_date),
            attacked_clauses=_clauses(check, asked.attacked_clauses),
            attacked_items=_listed(check, "attacked_items", asked.attacked_items),
        )

    def record_form(
        self, check: Check, asked: review_pb.RecordReviewFormRequest
    ) -> review.RecordReviewForm:
        check.require("scores", list(asked.scores))
        return review.RecordReviewForm(
            application=check.uuid("application", asked.application),
            assessor=_opaque(check, "assessor", asked.assessor),
            assessor_kind=check.enum(
                "assessor_kind", asked.assessor_kind, types.AssessorKind, e.AssessorKind
            ),
            assessed_date=self._past_day(check, "assessed_date", asked.assessed_date),
            scores=tuple(e.ItemScore(item=one.item, score=one.score) for one in asked.scores),
            evidence_hashes=hashes_of(check, asked.evidence_hashes),
            place=check.enum(
                "place", asked.place, dispute_types.AssessmentPlace, d.AssessmentPlace
            ),
        )

    def confirm(self, check: Check, asked: review_pb.ConfirmReviewRequest) -> review.ConfirmReview:
        return review.ConfirmReview(
            application=check.uuid("application", asked.application),
            expert=_opaque(check, "expert", asked.expert),
            confirmed_date=self._past_day(check, "confirmed_date", asked.confirmed_date),
        )

    def publish(self, check: Check, asked: review_pb.PublishReviewRequest) -> review.PublishReview:
        application = check.uuid("application", asked.application)
        return review.PublishReview(application=application, today=self._clock.today())

    def deliver(self, check: Check, asked: review_pb.DeliverReviewRequest) -> review.DeliverReview:
        application = check.uuid("application", asked.application)
        return review.DeliverReview(application=application, today=self._clock.today())

    def file_appeal(self, check: Check, asked: appeal_pb.FileAppealRequest) -> appeal.FileAppeal:
        return appeal.FileAppeal(
            application=check.uuid("application", asked.application),
            appeal=derive("appeal", asked.request_id),
            against=check.enum(
                "against", asked.against, dispute_types.AppealAgainst, d.AppealAgainst
            ),
            statement=check.text("statement", asked.statement, max=MOST_WORDS),
            attacked_clauses=_clauses(check, asked.attacked_clauses),
            attacked_items=_listed(check, "attacked_items", asked.attacked_items),
            filed_date=self._past_day(check, "filed_date", asked.filed_date),
        )

    def decide_appeal(
        self, check: Check, asked: appeal_pb.DecideAppealRequest
    ) -> appeal.DecideAppeal:
        """Without its application, which the caller does not tell."""
        if asked.preview_digest:
            words = ("the digest of a preview, 64 hex digits", "预览摘要（64位十六进制）")
            check.pattern("preview_digest", asked.preview_digest, _DIGEST, *words)
        return appeal.DecideAppeal(
            application=UUID(int=0),
            appeal=check.uuid("appeal", asked.appeal),
            outcome=check.enum(
                "outcome", asked.outcome, dispute_types.AppealOutcome, d.AppealOutcome
            ),
            grade=grade(check, asked.grade) if asked.HasField("grade") else None,
            effective_date=check.optional_date("effective_date", asked.effective_date),
            panel=people_of(check, "panel", asked.panel),
            decided_date=self._past_day(check, "decided_date", asked.decided_date),
            preview_digest=asked.preview_digest,
            reasoning=check.text("reasoning", asked.reasoning, max=MOST_WORDS),
        )

    def order_spot_check(
        self, check: Check, asked: reassessment_pb.OrderSpotCheckRequest
    ) -> SpotCheckOrdered:
        pool = check.pool("pool", asked.pool, self._packs.pools())
        day = self._past_day(check, "ordered_date", asked.ordered_date)
        person = check.uuid("person", asked.person)
        cause = check.enum("cause", asked.cause, dispute_types.SpotCheckCause, SpotCheckCause)
        check.done()
        return SpotCheckOrdered(
            person=person,
            pool=pool,
            cause=cause,
            ordered_date=day,
            due_date=terms.spot_check_due(self._packs.pack_for(pool), day),
            inspection=None,
        )

    def refuse_reassessment(
        self, check: Check, asked: reassessment_pb.RefuseReassessmentRequest
    ) -> RefuseReassessment:
        kind = check.enum("kind", asked.kind, types.ApplicationKind, e.ApplicationKind)
        if asked.kind and kind not in _REFUSED:
            check.fail(
                "kind",
                "NOT_ORDERED_BY_AGENCY",
                "must be periodic or after a spot check: who asked for it may withdraw",
                "应为定期评估或抽查后的重新评估；本人申请的可撤回",
            )
        return RefuseReassessment(
            application=check.uuid("application", asked.application),
            kind=kind,
            refused_date=self._past_day(check, "refused_date", asked.refused_date),
        )

    def _objector(self, check: Check, asked: objection_pb.FileObjectionRequest) -> UUID:
        """The id whose key seals the name: the person's where told, else one of its own."""
        number = asked.objector_identity_number
        if not number:
            return derive("objector", asked.request_id)
        today = self._clock.today()
        told = check.identity_number("objector_identity_number", number, today=today)
        return self._keys.person_id(RESIDENT, told)

    def _past_day(self, check: Check, field: str, told: str) -> dt.date:
        day = check.date(field, told)
        check.not_future(field, day, self._clock.today())
        return day


def grade(check: Check, told: int) -> int:
    return check.between("grade", told, 0, HIGHEST_GRADE)


def hashes_of(check: Check, told: Sequence[str]) -> tuple[str, ...]:
    check.between("evidence_hashes", len(told), 0, MOST_LISTED)
    for place, one in enumerate(told):
        words = ("a SHA-256 in hex", "十六进制SHA-256值")
        check.pattern(f"evidence_hashes[{place}]", one, _HASH, *words)
    return tuple(told)


def _listed(check: Check, field: str, told: Iterable[str]) -> tuple[str, ...]:
    texts = tuple(check.text(f"{field}[{n}]", one, max=100) for n, one in enumerate(told))
    check.between(field, len(texts), 0, MOST_LISTED)
    return texts


def _clauses(check: Check, told: Iterable[str]) -> tuple[str, ...]:
    texts = _listed(check, "attacked_clauses", told)
    for place, one in enumerate(texts):
        words = ("a clause as a ruling names it", "裁定中的依据名称")
        check.pattern(f"attacked_clauses[{place}]", one, _CLAUSE, *words)
    return texts


def people_of(check: Check, field: str, told: Iterable[str]) -> tuple[str, ...]:
    people = tuple(_opaque(check, f"{field}[{place}]", one) for place, one in enumerate(told))
    if check.require(field, people):
        check.between(field, len(people), 1, MOST_LISTED)
    return people


def _opaque(check: Check, field: str, told: str) -> str:
    """A role's or person's id in another register: never a name or an identity number."""
    form = ("an id of at most 64 letters, digits and _ . : -", "不超过64位的编号")
    check.pattern(field, told, _PEOPLE, *form)
    if identity_fault(told.upper()) is None:
        check.fail(field, "PERSONAL", "must not be an identity number", "不得填写身份号码")
    return told
