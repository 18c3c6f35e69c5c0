"""The events of assessment, bound to their messages in `protos/ltci/assessment/v1/events.proto`."""

from ltci.assessment.v1 import events_pb2 as pb

from kernel.eventstore.codec import Codec
from kernel.eventstore.keys import KeyRing
from services.assessment.domain import events as e
from services.assessment.domain.reassessment import ReassessmentOrdered


def assessment_codec(keys: KeyRing | None) -> Codec:
    """Without keys nothing personal can be read or written: enough for feeds and replay."""
    return Codec(
        keys,
        (e.ApplicationSubmitted, pb.ApplicationSubmitted),
        (e.SupplementRequested, pb.SupplementRequested),
        (e.SupplementReceived, pb.SupplementReceived),
        (e.ApplicationAccepted, pb.ApplicationAccepted),
        (e.ApplicationRefused, pb.ApplicationRefused),
        (e.ApplicationWithdrawn, pb.ApplicationWithdrawn),
        (e.OnSiteAssessed, pb.OnSiteAssessed),
        (e.AssessmentGraded, pb.AssessmentGraded),
        (e.ConclusionConfirmed, pb.ConclusionConfirmed),
        (e.ConclusionPublished, pb.ConclusionPublished),
        (e.ConclusionDelivered, pb.ConclusionDelivered),
        (ReassessmentOrdered, pb.ReassessmentOrdered),
        (e.ClockPaused, pb.ClockPaused),
        (e.ClockResumed, pb.ClockResumed),
        (e.ClockReminded, pb.ClockReminded),
        (e.ClockMissed, pb.ClockMissed),
    )
