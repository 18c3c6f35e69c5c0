"""The events of assessment, bound to their messages in `protos/ltci/assessment/v1/events.proto`."""

from ltci.assessment.v1 import events_pb2 as pb

from kernel.eventstore.codec import Codec
from kernel.eventstore.keys import KeyRing
from services.assessment.domain import assessor, body, draws
from services.assessment.domain import events as e
from services.assessment.domain import service_point as point
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
        (e.SelfAssessmentRechecked, pb.SelfAssessmentRechecked),
        (e.AssessorsAssigned, pb.AssessorsAssigned),
        (e.AssessorReplaced, pb.AssessorReplaced),
        (e.ItemSettled, pb.ItemSettled),
        (e.GradeChanged, pb.GradeChanged),
        (e.AssessmentTerminated, pb.AssessmentTerminated),
        (point.ServicePointRegistered, pb.ServicePointRegistered),
        (body.AssessmentBodyDesignated, pb.AssessmentBodyDesignated),
        (body.AssessmentBodySuspended, pb.AssessmentBodySuspended),
        (body.AssessmentBodyRestored, pb.AssessmentBodyRestored),
        (body.AssessmentBodyEnded, pb.AssessmentBodyEnded),
        (assessor.AssessorRegistered, pb.AssessorRegistered),
        (assessor.AssessorBarred, pb.AssessorBarred),
        (assessor.AssessorRestored, pb.AssessorRestored),
        (assessor.TieDeclared, pb.TieDeclared),
        (draws.DrawSeedCommitted, pb.DrawSeedCommitted),
        (draws.DrawMade, pb.DrawMade),
        (draws.DrawSeedRevealed, pb.DrawSeedRevealed),
    )
