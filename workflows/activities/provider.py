"""What workflows ask of provider (定点服务)."""

from dataclasses import dataclass

import grpc
from ltci.provider.v1 import designation_service_pb2 as pb
from ltci.provider.v1 import designation_service_pb2_grpc as rpc
from ltci.provider.v1 import exception_service_pb2 as exception_pb
from ltci.provider.v1 import exception_service_pb2_grpc as exception_rpc
from temporalio import activity

from workflows.activities.calling import ask


@dataclass(frozen=True)
class OpenAgreement:
    """A provider's agreement whose end is not recorded yet; days as ISO texts."""

    agreement: str
    last_served_date: str
    appraisal_year: int = 0
    appraisal_due_date: str = ""


@dataclass(frozen=True)
class AgreementStep:
    provider: str
    agreement: str
    request_id: str
    agreement_year: int = 0


@dataclass(frozen=True)
class SweepStep:
    pool: str
    request_id: str


@dataclass(frozen=True)
class Swept:
    """What a sweep came to, and how the queue stands after it."""

    more: bool
    open_count: int
    overdue_count: int
    opened_count: int = 0
    lapsed_count: int = 0


class ProviderActivities:
    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._service = rpc.DesignationServiceStub(channel)
        self._exceptions = exception_rpc.ExceptionServiceStub(channel)

    @activity.defn(name="provider.SweepVisits")
    async def sweep_visits(self, asked: SweepStep) -> Swept:
        """Opens exceptions of a pool's visits whose time has come, and lets others lapse."""
        request = exception_pb.SweepVisitsRequest(pool=asked.pool, request_id=asked.request_id)
        told = await ask(self._exceptions.SweepVisits, request, timeout=10)
        return Swept(
            more=told.more,
            open_count=told.open_count,
            overdue_count=told.overdue_count,
            opened_count=told.opened_count,
            lapsed_count=told.lapsed_count,
        )

    @activity.defn(name="provider.GetOpenAgreement")
    async def get_open_agreement(self, provider: str) -> OpenAgreement | None:
        """The provider's first agreement whose end is not recorded, as it stands now."""
        request = pb.GetStandingRequest(provider=provider)
        return _open(await ask(self._service.GetStanding, request, timeout=5))

    @activity.defn(name="provider.EndAgreement")
    async def end_agreement(self, asked: AgreementStep) -> OpenAgreement | None:
        """Records the end; what is open afterwards."""
        request = pb.EndAgreementRequest(
            provider=asked.provider, agreement=asked.agreement, request_id=asked.request_id
        )
        return _open(await ask(self._service.EndAgreement, request, timeout=10))

    @activity.defn(name="provider.OrderAppraisal")
    async def order_appraisal(self, asked: AgreementStep) -> OpenAgreement | None:
        """Orders the appraisal of a year; what is open afterwards."""
        request = pb.OrderAppraisalRequest(
            provider=asked.provider,
            agreement=asked.agreement,
            agreement_year=asked.agreement_year,
            request_id=asked.request_id,
        )
        return _open(await ask(self._service.OrderAppraisal, request, timeout=10))


def _open(standing: pb.Standing) -> OpenAgreement | None:
    for one in standing.agreements:
        if not one.ended:
            return OpenAgreement(
                agreement=one.agreement,
                last_served_date=one.last_served_date,
                appraisal_year=one.appraisal_year,
                appraisal_due_date=one.appraisal_due_date,
            )
    return None
