"""Which domain event is which public message."""

from ltci.provider.v1 import events_pb2 as pb

from kernel.eventstore.codec import Codec
from kernel.eventstore.keys import KeyRing
from services.provider.domain import (
    caregiver,
    carer_record,
    complaint,
    designation,
    evidence,
    plan,
    provider,
    quality,
    risk,
    standing,
    visit,
)


def provider_codec(keys: KeyRing | None) -> Codec:
    """The service's codec; without keys it reads only, and nothing personal."""
    return Codec(
        keys,
        (provider.ProviderAdmitted, pb.ProviderAdmitted),
        (provider.AgreementSuspended, pb.AgreementSuspended),
        (provider.PriceListed, pb.PriceListed),
        (caregiver.CaregiverRegistered, pb.CaregiverRegistered),
        (plan.PlanApproved, pb.PlanApproved),
        (plan.PlanEnded, pb.PlanEnded),
        (visit.VisitStarted, pb.VisitStarted),
        (visit.VisitEnded, pb.VisitEnded),
        (visit.VisitConfirmed, pb.VisitConfirmed),
        (visit.ServiceDelivered, pb.ServiceDelivered),
        (visit.ServiceRejected, pb.ServiceRejected),
        (designation.DesignationApplied, pb.DesignationApplied),
        (designation.DesignationReviewed, pb.DesignationReviewed),
        (designation.DesignationPublished, pb.DesignationPublished),
        (standing.AgreementSigned, pb.AgreementSigned),
        (standing.SanctionImposed, pb.SanctionImposed),
        (standing.SanctionLifted, pb.SanctionLifted),
        (standing.ExitRequested, pb.ExitRequested),
        (standing.AgreementEnded, pb.AgreementEnded),
        (standing.AppraisalOrdered, pb.AppraisalOrdered),
        (standing.AppraisalRecorded, pb.AppraisalRecorded),
        (standing.PlansHandedOver, pb.PlansHandedOver),
        (carer_record.PersonBarred, pb.PersonBarred),
        (carer_record.PersonRestored, pb.PersonRestored),
        (carer_record.ExaminationRecorded, pb.ExaminationRecorded),
        (carer_record.CertificateRevoked, pb.CertificateRevoked),
        (carer_record.TrainingRecorded, pb.TrainingRecorded),
        (carer_record.CaregiverProfiled, pb.CaregiverProfiled),
        (carer_record.FamilyCarerEngaged, pb.FamilyCarerEngaged),
        (carer_record.CaregiverAssigned, pb.CaregiverAssigned),
        (evidence.EvidenceKept, pb.EvidenceKept),
        (risk.RiskFlagged, pb.RiskFlagged),
        (risk.RiskCleared, pb.RiskCleared),
        (risk.RiskConfirmed, pb.RiskConfirmed),
        (complaint.ComplaintFiled, pb.ComplaintFiled),
        (complaint.ComplaintAccepted, pb.ComplaintAccepted),
        (complaint.ComplaintAnswered, pb.ComplaintAnswered),
        (quality.QualityScored, pb.QualityScored),
    )
