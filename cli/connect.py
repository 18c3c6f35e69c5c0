"""Finds the stack that runs and reaches its services.

Addresses come from the environment (`LTCI_*_ADDRESS`) where it names any, else from the
`stack.json` that a running stack keeps in its data folder. Channels open when first used.
"""

import fcntl
import os
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Self

import grpc
import typer
from ltci.assessment.v1 import (
    appeal_service_pb2_grpc,
    assessment_service_pb2_grpc,
    assessor_service_pb2_grpc,
    assignment_service_pb2_grpc,
    objection_service_pb2_grpc,
    review_service_pb2_grpc,
)
from ltci.bank.v1 import bank_service_pb2_grpc
from ltci.enrollment.v1 import (
    contribution_service_pb2_grpc,
    eligibility_service_pb2_grpc,
    enrollment_service_pb2_grpc,
    person_service_pb2_grpc,
    transfer_service_pb2_grpc,
)
from ltci.events.v1 import feed_pb2_grpc
from ltci.payment.v1 import payment_service_pb2_grpc
from ltci.provider.v1 import (
    booking_service_pb2_grpc,
    caregiver_service_pb2_grpc,
    claim_service_pb2_grpc,
    evidence_service_pb2_grpc,
    exception_service_pb2_grpc,
    inspection_service_pb2_grpc,
    provider_service_pb2_grpc,
    sanction_service_pb2_grpc,
)

from cli.output import Failure
from infra.embedded.stack import running_stack
from kernel.clock import Clock
from kernel.config import Settings
from kernel.rpc.channel import connect

ACTOR = "cli"
DEFAULT_DATA = Path(".data")
DataOption = Annotated[
    Path,
    typer.Option("--data", envvar="LTCI_DATA", help="Data folder of the stack.", file_okay=False),
]


class NoStack(Failure):
    """Nothing runs where the command looked."""

    def __init__(self, folder: Path) -> None:
        option = "" if folder == DEFAULT_DATA else f" --data {folder}"
        super().__init__(
            f"no stack is running on {folder}: start one with `ltci up{option}`",
            f"{folder} 上没有正在运行的系统：请先执行 `ltci up{option}`",
            reason="NO_STACK",
        )


def running_settings(
    folder: Path | None = None, environment: Mapping[str, str] | None = None
) -> Settings:
    """The settings of the stack to talk to.

    Refuses (`NoStack`) where neither the environment nor the data folder names one. An
    environment that names a service stands alone: a stack of this machine and one elsewhere
    never mix.
    """
    given = os.environ if environment is None else environment
    own = Settings.from_environment(given).variables
    if any(name.endswith("_ADDRESS") for name in own):
        return Settings(own)
    data = folder or Path(given.get("LTCI_DATA") or DEFAULT_DATA)
    found = running_stack(data)
    if not found or not _is_running(data):
        raise NoStack(data)
    return Settings({**found, **own})


class Connection:
    """Lazily opened channels to the five services. Use as an async context manager."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._channels: dict[str, grpc.aio.Channel] = {}
        self._clock = Clock(settings.clock_file)

    @classmethod
    def to_stack(cls, folder: Path | None = None) -> Self:
        """A connection to the running stack. Refuses (`NoStack`) where there is none."""
        return cls(running_settings(folder))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_exc: object) -> None:
        for channel in self._channels.values():
            await channel.close()
        self._channels.clear()

    def clock(self) -> Clock:
        """The stack's business clock."""
        return self._clock

    def channel(self, service: str) -> grpc.aio.Channel:
        """The channel to `enrollment`, `assessment`, `provider`, `payment` or `bank`."""
        if service not in self._channels:
            addresses = {**self.settings.service_addresses, "bank": self.settings.bank_address}
            self._channels[service] = connect(addresses[service])
        return self._channels[service]

    @cached_property
    def enrollment(self) -> "enrollment_service_pb2_grpc.EnrollmentServiceAsyncStub":
        return enrollment_service_pb2_grpc.EnrollmentServiceStub(self.channel("enrollment"))

    @cached_property
    def persons(self) -> "person_service_pb2_grpc.PersonServiceAsyncStub":
        return person_service_pb2_grpc.PersonServiceStub(self.channel("enrollment"))

    @cached_property
    def transfers(self) -> "transfer_service_pb2_grpc.TransferServiceAsyncStub":
        return transfer_service_pb2_grpc.TransferServiceStub(self.channel("enrollment"))

    @cached_property
    def contributions(self) -> "contribution_service_pb2_grpc.ContributionServiceAsyncStub":
        return contribution_service_pb2_grpc.ContributionServiceStub(self.channel("enrollment"))

    @cached_property
    def eligibility(self) -> "eligibility_service_pb2_grpc.EligibilityServiceAsyncStub":
        return eligibility_service_pb2_grpc.EligibilityServiceStub(self.channel("enrollment"))

    @cached_property
    def assessment(self) -> "assessment_service_pb2_grpc.AssessmentServiceAsyncStub":
        return assessment_service_pb2_grpc.AssessmentServiceStub(self.channel("assessment"))

    @cached_property
    def objections(self) -> "objection_service_pb2_grpc.ObjectionServiceAsyncStub":
        return objection_service_pb2_grpc.ObjectionServiceStub(self.channel("assessment"))

    @cached_property
    def reviews(self) -> "review_service_pb2_grpc.ReviewServiceAsyncStub":
        return review_service_pb2_grpc.ReviewServiceStub(self.channel("assessment"))

    @cached_property
    def appeals(self) -> "appeal_service_pb2_grpc.AppealServiceAsyncStub":
        return appeal_service_pb2_grpc.AppealServiceStub(self.channel("assessment"))

    @cached_property
    def assessors(self) -> "assessor_service_pb2_grpc.AssessorServiceAsyncStub":
        """The registers of assessment bodies and assessors."""
        return assessor_service_pb2_grpc.AssessorServiceStub(self.channel("assessment"))

    @cached_property
    def assignment(self) -> "assignment_service_pb2_grpc.AssignmentServiceAsyncStub":
        """The draws of people for assessments."""
        return assignment_service_pb2_grpc.AssignmentServiceStub(self.channel("assessment"))

    @cached_property
    def provider(self) -> "provider_service_pb2_grpc.ProviderServiceAsyncStub":
        return provider_service_pb2_grpc.ProviderServiceStub(self.channel("provider"))

    @cached_property
    def bookings(self) -> "booking_service_pb2_grpc.BookingServiceAsyncStub":
        """The provider service's part about bookings."""
        return booking_service_pb2_grpc.BookingServiceStub(self.channel("provider"))

    @cached_property
    def evidence(self) -> "evidence_service_pb2_grpc.EvidenceServiceAsyncStub":
        return evidence_service_pb2_grpc.EvidenceServiceStub(self.channel("provider"))

    @cached_property
    def sanctions(self) -> "sanction_service_pb2_grpc.SanctionServiceAsyncStub":
        """The provider service's part about sanctions."""
        return sanction_service_pb2_grpc.SanctionServiceStub(self.channel("provider"))

    @cached_property
    def caregivers(self) -> "caregiver_service_pb2_grpc.CaregiverServiceAsyncStub":
        """The provider service's part about caregivers."""
        return caregiver_service_pb2_grpc.CaregiverServiceStub(self.channel("provider"))

    @cached_property
    def claims(self) -> "claim_service_pb2_grpc.ClaimServiceAsyncStub":
        """The provider service's part about claims."""
        return claim_service_pb2_grpc.ClaimServiceStub(self.channel("provider"))

    @cached_property
    def exceptions(self) -> "exception_service_pb2_grpc.ExceptionServiceAsyncStub":
        """Disputes, corrections and the exception queue of visits."""
        return exception_service_pb2_grpc.ExceptionServiceStub(self.channel("provider"))

    @cached_property
    def inspections(self) -> "inspection_service_pb2_grpc.InspectionServiceAsyncStub":
        """The provider service's cases."""
        return inspection_service_pb2_grpc.InspectionServiceStub(self.channel("provider"))

    @cached_property
    def payment(self) -> "payment_service_pb2_grpc.PaymentServiceAsyncStub":
        return payment_service_pb2_grpc.PaymentServiceStub(self.channel("payment"))

    @cached_property
    def bank(self) -> "bank_service_pb2_grpc.BankServiceAsyncStub":
        return bank_service_pb2_grpc.BankServiceStub(self.channel("bank"))

    def feed(self, service: str) -> "feed_pb2_grpc.EventFeedServiceAsyncStub":
        """The event feed of one of the four services."""
        return feed_pb2_grpc.EventFeedServiceStub(self.channel(service))


def _is_running(folder: Path) -> bool:
    """Whether a stack holds the folder's lock: the file alone outlives a stack that was killed."""
    try:
        with (folder / "lock").open("r") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
