"""What callers ask of assessment, checked field by field and made into commands."""

import datetime as dt
from collections.abc import Iterable
from uuid import UUID

from ltci.assessment.v1 import assessment_service_pb2 as pb
from ltci.assessment.v1 import assessment_types_pb2 as types
from ltci.assessment.v1 import intake_types_pb2 as intake

from kernel.clock import Clock
from kernel.eventstore.keys import KeyRing
from kernel.identity_numbers import identity_fault
from kernel.ids import derive
from kernel.rpc.private import person_named
from kernel.rpc.validate import Check, D, WireEnum
from kernel.rules.library import PackLibrary
from kernel.rules.ruling import Ruling
from services.assessment.domain import conclusion, on_site, submission
from services.assessment.domain import events as e
from services.assessment.domain import words as w
from services.assessment.domain.reassessment import ReassessmentOrdered

MOST_LISTED = 50
ELIGIBILITY = "eligibility"  # what enrollment calls the question of its ruling
_ASSESSOR = "[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}"
_REASON = "[A-Z][A-Z0-9_]{0,63}"
_HASH = "(sha256:)?[0-9a-f]{64}"


class Requests:
    """Reads requests. What it returns counts only after `check.done()`."""

    def __init__(self, keys: KeyRing, packs: PackLibrary, clock: Clock) -> None:
        self._keys = keys
        self._pools = packs.pools()
        self._clock = clock

    def submit(
        self, check: Check, asked: pb.SubmitApplicationRequest
    ) -> submission.SubmitApplication:
        papers = asked.missing_papers
        point = self._service_point(check, asked)
        return submission.SubmitApplication(
            today=self._clock.today(),
            recheck=self._recheck(check, asked),
            told=e.ApplicationSubmitted(
                application=derive("application", asked.request_id),
                person=person_named(
                    check, asked.person, asked.identity_number, self._keys, self._clock.today()
                ),
                pool=self.pool(check, asked.pool),
                kind=self._kind(check, asked.kind),
                application_date=self._past_day(check, "application_date", asked.application_date),
                disabled_since_date=self._past_day(
                    check, "disabled_since_date", asked.disabled_since_date
                ),
                missing_papers=_texts(check, "missing_papers", papers),
                agent_name=check.text("agent_name", asked.agent_name, max=100, required=False),
                applicant_kind=_said(
                    check,
                    "applicant_kind",
                    asked.applicant_kind,
                    intake.ApplicantKind,
                    w.ApplicantKind,
                ),
                agent_relation=check.text(
                    "agent_relation", asked.agent_relation, max=40, required=False
                ),
                channel=_said(
                    check, "channel", asked.channel, intake.ApplicationChannel, w.ApplicationChannel
                ),
                service_point=point,
                self_assessment=self_assessment(check, "self_assessment", asked.self_assessment),
            ),
        )

    def _service_point(self, check: Check, asked: pb.SubmitApplicationRequest) -> UUID | None:
        """The point that helped: with its channel, and only then."""
        helped = asked.channel == intake.APPLICATION_CHANNEL_SERVICE_POINT
        if asked.service_point and not helped:
            words = "must be empty unless the channel is SERVICE_POINT", "仅服务点协助申请时填写"
            check.fail("service_point", "NOT_WITH_THIS_CHANNEL", *words)
        if helped:
            return check.uuid("service_point", asked.service_point)
        return None

    def _recheck(
        self, check: Check, asked: pb.SubmitApplicationRequest
    ) -> submission.Recheck | None:
        if not asked.rechecked:
            return None
        return submission.Recheck(
            items=self_assessment(check, "rechecked", asked.rechecked),
            operator=opaque(check, "operator", asked.operator),
            rechecked_date=self._past_day(check, "application_date", asked.application_date),
        )

    def supply(self, check: Check, asked: pb.SupplyPapersRequest) -> submission.SupplyPapers:
        return submission.SupplyPapers(
            application=self.application(check, asked.application),
            received_date=self._past_day(check, "received_date", asked.received_date),
        )

    def withdraw(
        self, check: Check, asked: pb.WithdrawApplicationRequest
    ) -> submission.WithdrawApplication:
        return submission.WithdrawApplication(
            application=self.application(check, asked.application),
            withdrawn_date=self._past_day(check, "withdrawn_date", asked.withdrawn_date),
            deemed=asked.deemed,
            today=self._clock.today(),
        )

    def refuse(
        self, check: Check, asked: pb.RefuseApplicationRequest
    ) -> submission.RefuseApplication:
        application = self.application(check, asked.application)
        if check.require("reasons", list(asked.reasons)):
            check.between("reasons", len(asked.reasons), 1, MOST_LISTED)
        for place, reason in enumerate(asked.reasons):
            field, form = f"reasons[{place}]", ("a code like NOT_COVERED", "代码,如NOT_COVERED")
            check.pattern(field, reason, _REASON, *form)
        return submission.RefuseApplication(
            application=application,
            reasons=tuple(asked.reasons),
            eligibility_decision=check.optional_uuid(
                "eligibility_decision", asked.eligibility_decision
            ),
            today=self._clock.today(),
            ruling=_eligibility(check, asked.eligibility_ruling),
        )

    def record(self, check: Check, asked: pb.RecordOnSiteRequest) -> on_site.RecordOnSite:
        application = self.application(check, asked.application)
        assessor = opaque(check, "assessor", asked.assessor)
        kind = check.enum("assessor_kind", asked.assessor_kind, types.AssessorKind, e.AssessorKind)
        day = self._past_day(check, "assessed_date", asked.assessed_date)
        check.require("scores", list(asked.scores))
        check.between("evidence_hashes", len(asked.evidence_hashes), 0, MOST_LISTED)
        for place, one in enumerate(asked.evidence_hashes):
            check.pattern(
                f"evidence_hashes[{place}]", one, _HASH, "a SHA-256 in hex", "十六进制SHA-256值"
            )
        return on_site.RecordOnSite(
            application=application,
            assessor=assessor,
            assessor_kind=kind,
            assessed_date=day,
            scores=tuple(e.ItemScore(item=one.item, score=one.score) for one in asked.scores),
            evidence_hashes=tuple(asked.evidence_hashes),
        )

    def confirm(
        self, check: Check, asked: pb.ConfirmConclusionRequest
    ) -> conclusion.ConfirmConclusion:
        return conclusion.ConfirmConclusion(
            application=self.application(check, asked.application),
            expert=opaque(check, "expert", asked.expert),
            confirmed_date=self._past_day(check, "confirmed_date", asked.confirmed_date),
        )

    def publish(
        self, check: Check, asked: pb.PublishConclusionRequest
    ) -> conclusion.PublishConclusion:
        application = self.application(check, asked.application)
        return conclusion.PublishConclusion(application=application, today=self._clock.today())

    def deliver(
        self, check: Check, asked: pb.DeliverConclusionRequest
    ) -> conclusion.DeliverConclusion:
        application = self.application(check, asked.application)
        return conclusion.DeliverConclusion(application=application, today=self._clock.today())

    def order(self, check: Check, asked: pb.OrderReassessmentRequest) -> ReassessmentOrdered:
        kind = self._kind(check, asked.kind)
        if asked.kind == types.APPLICATION_KIND_FIRST:
            check.fail(
                "kind",
                "NO_REASSESSMENT",
                "must be periodic or a change of state: a first assessment is applied for",
                "应为定期评估或状态变更评估;初次评估须由本人申请",
            )
        if asked.kind == types.APPLICATION_KIND_SPOT_CHECK:
            check.fail(
                "kind",
                "OWN_ORDER",
                "is ordered by ReassessmentService.OrderSpotCheck, with a clock of its own",
                "抽查后的重新评估应通过OrderSpotCheck安排,期限另计",
            )
        return ReassessmentOrdered(
            person=check.uuid("person", asked.person),
            pool=self.pool(check, asked.pool),
            kind=kind,
            due_date=check.date("due_date", asked.due_date),
            cause=check.text("cause", asked.cause, required=False),
        )

    def application(self, check: Check, asked: str) -> UUID:
        return check.uuid("application", asked)

    def pool(self, check: Check, asked: str) -> str:
        return check.pool("pool", asked, self._pools)

    def _kind(self, check: Check, asked: int) -> e.ApplicationKind:
        return check.enum("kind", asked, types.ApplicationKind, e.ApplicationKind)

    def _past_day(self, check: Check, field: str, told: str) -> dt.date:
        day = check.date(field, told)
        check.not_future(field, day, self._clock.today())
        return day


def _eligibility(check: Check, told: bytes) -> Ruling | None:
    """The ruling of a decision on eligibility; None where none was told."""
    if not told:
        return None
    try:
        ruling = Ruling.parse(told)
    except ValueError:
        ruling = None
    if ruling is None or ruling.question != ELIGIBILITY:
        check.fail(
            "eligibility_ruling",
            "NO_RULING",
            "must be the ruling of a decision on eligibility, as it was recorded",
            "应为待遇享受条件审核的裁定原文",
        )
    return ruling


def _texts(check: Check, field: str, texts: Iterable[str]) -> tuple[str, ...]:
    told = tuple(check.text(f"{field}[{place}]", text, max=100) for place, text in enumerate(texts))
    check.between(field, len(told), 0, MOST_LISTED)
    return told


def self_assessment(
    check: Check, field: str, told: Iterable[intake.SelfAssessmentItem]
) -> tuple[w.SelfAssessmentItem, ...]:
    """The form's answers; whether all items are there is for the pool's form to say."""
    return tuple(
        w.SelfAssessmentItem(
            item=check.text(f"{field}[{place}].item", one.item, max=64),
            answer=check.enum(f"{field}[{place}].answer", one.answer, intake.SelfCare, w.SelfCare),
        )
        for place, one in enumerate(told)
    )


def _said(check: Check, field: str, told: int, wire: WireEnum, domain: type[D]) -> D | None:
    """One of the words, where the caller said any."""
    return check.enum(field, told, wire, domain) if told else None


def opaque(check: Check, field: str, told: str) -> str:
    """A role's or person's id in another register: never a name or an identity number."""
    form = ("an id of at most 64 letters, digits and _ . : -", "不超过64位的编号")
    check.pattern(field, told, _ASSESSOR, *form)
    if identity_fault(told.upper()) is None:
        check.fail(field, "PERSONAL", "must not be an identity number", "不得填写身份号码")
    return told
