"""What is counted by state: applications (失能评估申请)."""

from ltci.assessment.v1 import events_pb2 as pb

from kernel.states import StateKind
from services.assessment.domain.events import ApplicationState as State

STATES = (
    StateKind(
        kind="application",
        name=("application",),
        states={
            pb.SupplementRequested: State.SUPPLEMENT_REQUESTED,
            pb.ApplicationAccepted: State.ACCEPTED,
            pb.OnSiteAssessed: State.ON_SITE,
            pb.AssessmentGraded: State.GRADED,
            # The second expert's confirmation makes the conclusion.
            pb.ConclusionConfirmed: lambda event: State.CONFIRMED if event.complete else "",
            pb.ConclusionPublished: State.PUBLISHED,
            pb.ConclusionDelivered: State.DELIVERED,
            pb.ApplicationRefused: State.REFUSED,
            pb.ApplicationWithdrawn: State.WITHDRAWN,
            pb.AssessmentTerminated: State.TERMINATED,
        },
    ),
)
