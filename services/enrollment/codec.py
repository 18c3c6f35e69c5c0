"""The events of enrollment, bound to their messages in `protos/ltci/enrollment/v1/events.proto`."""

from ltci.enrollment.v1 import events_pb2 as pb

from kernel.eventstore.codec import Codec
from kernel.eventstore.keys import KeyRing
from services.enrollment.domain import (
    account,
    contribution,
    contribution_year,
    coverage,
    employer,
    life,
    person,
)


def enrollment_codec(keys: KeyRing | None) -> Codec:
    """Without keys nothing personal can be read or written: enough for feeds and replay."""
    return Codec(
        keys,
        (person.PersonRegistered, pb.PersonRegistered),
        (person.PersonCorrected, pb.PersonCorrected),
        (coverage.CoverageStarted, pb.CoverageStarted),
        (coverage.CoverageEnded, pb.CoverageEnded),
        (coverage.CoverageChanged, pb.CoverageChanged),
        (coverage.CoverageSuspended, pb.CoverageSuspended),
        (coverage.CoverageResumed, pb.CoverageResumed),
        (coverage.EligibilityDecided, pb.EligibilityDecided),
        (contribution.ContributionCollected, pb.ContributionCollected),
        (account.ContributionDue, pb.ContributionDue),
        (account.ContributionRefunded, pb.ContributionRefunded),
        (contribution_year.ContributionYearOpened, pb.ContributionYearOpened),
        (contribution_year.ContributionsReminded, pb.ContributionsReminded),
        (employer.EmployerRegistered, pb.EmployerRegistered),
        (employer.StaffDeclared, pb.StaffDeclared),
        (life.LifeEventReported, pb.LifeEventReported),
        (life.LifeEventWithdrawn, pb.LifeEventWithdrawn),
    )
