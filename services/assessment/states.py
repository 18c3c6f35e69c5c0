"""What is counted by state: applications, objections, reviews and appeals."""

from typing import Any

from ltci.assessment.v1 import events_pb2 as pb

from kernel.states import StateKind
from services.assessment.domain.events import ApplicationState as State


def _outcome(event: Any) -> str:
    """`upheld` or `dismissed`."""
    outcome = event.DESCRIPTOR.fields_by_name["outcome"].enum_type
    return str(outcome.values_by_number[event.outcome].name).rpartition("_")[2].lower()


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
    StateKind(
        kind="objection",
        name=("objection",),
        states={pb.ObjectionFiled: "open", pb.ObjectionDecided: _outcome},
    ),
    StateKind(
        kind="review",
        name=("application",),
        states={
            pb.ReviewRequested: "under_way",
            pb.ReviewOrdered: "under_way",
            pb.ReviewGraded: "graded",
            pb.ReviewConfirmed: lambda event: "confirmed" if event.complete else "",
            pb.ReviewPublished: "published",
        },
    ),
    StateKind(
        kind="appeal",
        name=("appeal",),
        states={pb.AppealFiled: "open", pb.AppealDecided: _outcome},
    ),
)
