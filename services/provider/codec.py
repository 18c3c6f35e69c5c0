"""Which domain event is which public message."""

from ltci.provider.v1 import events_pb2 as pb

from kernel.eventstore.codec import Codec
from kernel.eventstore.keys import KeyRing
from services.provider.domain import caregiver, plan, provider, visit


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
    )
