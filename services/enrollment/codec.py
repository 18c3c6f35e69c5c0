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
    identity,
    life,
    person,
    transferred,
    upkeep,
)


def enrollment_codec(keys: KeyRing | None) -> Codec:
    """Without keys nothing personal can be read or written: enough for feeds and replay."""
    return Codec(
        keys,
        (person.PersonRegistered, pb.PersonRegistered),
        (person.PersonCorrected, pb.PersonCorrected),
        (upkeep.IdentityAdded, pb.IdentityAdded),
        (upkeep.IdentityEnded, pb.IdentityEnded),
        (upkeep.PersonsMerged, pb.PersonsMerged),
        (upkeep.PersonsSplit, pb.PersonsSplit),
        (upkeep.PersonProtected, pb.PersonProtected),
        (upkeep.ProtectionEnded, pb.ProtectionEnded),
        (upkeep.AddressRevealed, pb.AddressRevealed),
        (transferred.TransferOffered, pb.TransferOffered),
        (transferred.TransferAccepted, pb.TransferAccepted),
        (transferred.TransferRejected, pb.TransferRejected),
        (identity.IdentityBound, pb.IdentityBound),
        (identity.IdentityReleased, pb.IdentityReleased),
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
