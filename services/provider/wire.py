"""Domain states as the messages that callers get."""

from datetime import date

from ltci.provider.v1 import evidence_service_pb2 as evidence
from ltci.provider.v1 import provider_service_pb2 as pb
from ltci.provider.v1 import provider_types_pb2 as types

from kernel.money import total
from services.provider.domain.evidence import EvidenceKept, SignalResult, VisitFindings
from services.provider.domain.plan import Plan
from services.provider.domain.provider import Provider
from services.provider.domain.visit import ServiceDelivered, ServiceRejected, Visit


def provider_answer(provider: Provider) -> pb.Provider:
    """The provider, admitted before."""
    admitted = provider.admitted
    if admitted is None:
        raise ValueError("only an admitted provider has an answer")
    return pb.Provider(
        provider=str(admitted.provider),
        pool=admitted.pool,
        provider_name=admitted.provider_name,
        social_credit_code=admitted.social_credit_code,
        agreement_start_date=admitted.agreement_start_date.isoformat(),
        agreement_end_date=admitted.agreement_end_date.isoformat(),
        suspended_from_date=day_text(provider.suspended_from),
    )


def plan_answer(plan: Plan) -> pb.Plan:
    """The plan; its place stays at home."""
    approved = plan.approved
    return pb.Plan(
        plan=str(approved.plan),
        person=str(approved.person),
        pool=approved.pool,
        provider=str(approved.provider),
        form=types.CareForm.Value(f"CARE_FORM_{approved.form.upper()}"),
        start_date=approved.start_date.isoformat(),
        end_date=day_text(plan.end_date),
    )


def visit_answer(visit: Visit) -> pb.Visit:
    """The visit as far as it has come; it has begun."""
    started, care, verdict = visit.started, visit.care, visit.verdict
    if started is None:
        raise ValueError("only a visit that began has an answer")
    return pb.Visit(
        visit=str(started.visit),
        plan=str(started.plan),
        person=str(started.person),
        pool=started.pool,
        state=_state(visit),
        start_time=care.start_time.isoformat() if care else started.start_time,
        end_time=care.end_time.isoformat() if care else "",
        cost_fen=total(done.price for done in care.items).fen if care else 0,
        reasons=verdict.reasons if isinstance(verdict, ServiceRejected) else (),
        recorded_start_time=started.start_time,
    )


def evidence_answer(visit: Visit) -> evidence.VisitEvidence:
    """How far the visit has come and its ruling, still without its evidence; it has begun."""
    started, verdict = visit.started, visit.verdict
    if started is None:
        raise ValueError("only a visit that began has an answer")
    return evidence.VisitEvidence(
        visit=str(started.visit),
        pool=started.pool,
        state=_state(visit),
        reasons=verdict.reasons if isinstance(verdict, ServiceRejected) else (),
        ruling=verdict.ruling if verdict is not None else b"",
    )


def part_answer(
    event: EvidenceKept, content: bytes, *, with_content: bool
) -> evidence.EvidencePart:
    """One evidence: what was read from it, and itself where it is there and asked for."""
    return evidence.EvidencePart(
        phase=types.VisitPhase.Value(f"VISIT_PHASE_{event.phase.upper()}"),
        digest=event.digest,
        findings=_findings(event.findings),
        readable=bool(content),
        content=content if with_content else b"",
        salt=event.salt if with_content else b"",
    )


def _findings(found: VisitFindings) -> types.VisitFindings:
    told = {**vars(found)}
    for name in ("signature", "beacon", "tag", "face", "family_code"):
        told[name] = _signal(told[name])
    told["photos"] = [types.Photo(**vars(photo)) for photo in found.photos]
    return types.VisitFindings(**told)


def _signal(result: SignalResult | None) -> types.SignalResult.ValueType:
    if result is None:
        return types.SIGNAL_RESULT_UNSPECIFIED
    return types.SignalResult.Value(f"SIGNAL_RESULT_{result.upper()}")


def _state(visit: Visit) -> types.VisitState.ValueType:
    match visit.verdict:
        case ServiceDelivered():
            return types.VISIT_STATE_DELIVERED
        case ServiceRejected():
            return types.VISIT_STATE_REJECTED
        case None:
            return types.VISIT_STATE_ENDED if visit.care else types.VISIT_STATE_STARTED


def day_text(day: date | None) -> str:
    """The day as ISO 8601, empty for none."""
    return "" if day is None else day.isoformat()
