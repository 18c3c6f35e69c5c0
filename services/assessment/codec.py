"""The events of assessment, bound to their messages in `protos/ltci/assessment/v1/events.proto`."""

from ltci.assessment.v1 import events_pb2 as pb

from kernel.eventstore.codec import Codec
from kernel.eventstore.keys import KeyRing
from kernel.letters.event import LETTER
from services.assessment.domain import assessor, body, draws
from services.assessment.domain import dispute_events as d
from services.assessment.domain import events as e
from services.assessment.domain import inspection as i
from services.assessment.domain import service_point as point
from services.assessment.domain.reassessment import ReassessmentOrdered, SpotCheckOrdered


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
        LETTER,
        (d.ObjectionFiled, pb.ObjectionFiled),
        (d.ObjectionDecided, pb.ObjectionDecided),
        (d.ReviewRequested, pb.ReviewRequested),
        (d.ReviewOrdered, pb.ReviewOrdered),
        (d.ReviewAssessed, pb.ReviewAssessed),
        (d.ReviewGraded, pb.ReviewGraded),
        (d.ReviewConfirmed, pb.ReviewConfirmed),
        (d.ReviewFeeDecided, pb.ReviewFeeDecided),
        (d.ReviewPublished, pb.ReviewPublished),
        (d.AppealFiled, pb.AppealFiled),
        (d.AppealDecided, pb.AppealDecided),
        (d.ReassessmentConcluded, pb.ReassessmentConcluded),
        (SpotCheckOrdered, pb.SpotCheckOrdered),
        (i.InspectionDrawCommitted, pb.InspectionDrawCommitted),
        (i.InspectionsDrawn, pb.InspectionsDrawn),
        (i.InspectionSeedRevealed, pb.InspectionSeedRevealed),
        (i.InspectionRecorded, pb.InspectionRecorded),
        (e.ClockPaused, pb.ClockPaused),
        (e.ClockResumed, pb.ClockResumed),
        (e.ClockReminded, pb.ClockReminded),
        (e.ClockMissed, pb.ClockMissed),
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
