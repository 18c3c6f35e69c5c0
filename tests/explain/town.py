"""One person's case in four real services: insured, graded, cared for, paid for."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from ltci.assessment.v1 import assessment_service_pb2 as assessment
from ltci.assessment.v1 import assessment_types_pb2 as assessment_types
from ltci.enrollment.v1 import enrollment_service_pb2 as enrollment
from ltci.enrollment.v1 import enrollment_types_pb2 as enrollment_types
from ltci.payment.v1 import payment_service_pb2 as payment
from ltci.provider.v1 import provider_service_pb2 as provider
from ltci.provider.v1 import provider_types_pb2 as provider_types

from cli.connect import Connection
from kernel.config import Settings
from kernel.eventstore.keys import read_master_key
from kernel.ids import derive
from kernel.rpc.server import start_server
from kernel.service import assembled
from services.assessment.__main__ import build as build_assessment
from services.assessment.codec import assessment_codec
from services.enrollment.__main__ import build as build_enrollment
from services.enrollment.codec import enrollment_codec
from services.payment.__main__ import build as build_payment
from services.payment.codec import payment_codec
from services.provider.__main__ import without_detectors as build_provider
from services.provider.codec import provider_codec
from tests.assessment.forms import bedridden
from tests.support.packs import CHANGZHOU
from tests.support.people import person
from tests.support.service import TODAY, set_clock

PARTS: tuple[tuple[str, Any, Any], ...] = (
    ("enrollment", enrollment_codec, build_enrollment),
    ("assessment", assessment_codec, build_assessment),
    ("provider", provider_codec, build_provider),
    ("payment", payment_codec, build_payment),
)
SOMEBODY, CARER = person(1), person(2)
CODE = "91350100M000100Y43"
HOME = provider_types.Place(latitude_microdegrees=31_779_000, longitude_microdegrees=119_974_000)
AWAY = provider_types.Place(latitude_microdegrees=31_799_000, longitude_microdegrees=119_974_000)


def once(name: str) -> str:
    return str(derive("town", name))


@dataclass
class Town:
    """The services, and what became of the person."""

    connection: Connection
    folder: Path
    person: str = ""
    ids: dict[str, str] = field(default_factory=dict)  # decisions by name

    async def live(self) -> None:
        """From registration to the settled month."""
        await self._insured()
        await self._graded()
        await self._cared_for()
        await self._paid()

    async def _insured(self) -> None:
        desk = self.connection.enrollment
        told = await desk.RegisterPerson(
            enrollment.RegisterPersonRequest(
                identity_kind=enrollment_types.IDENTITY_KIND_RESIDENT,
                identity_number=SOMEBODY.identity_number,
                full_name=SOMEBODY.full_name,
                registered_date="2022-01-10",
                request_id=once("register"),
            )
        )
        self.person = told.person
        await desk.StartCoverage(
            enrollment.StartCoverageRequest(
                person=self.person,
                pool=CHANGZHOU,
                group=enrollment_types.INSURED_GROUP_RESIDENT,
                start_date="2022-01-01",
                request_id=once("cover"),
            )
        )
        self.ids["refused"] = await self._eligible("unpaid")
        await desk.CollectContribution(
            enrollment.CollectContributionRequest(
                person=self.person,
                pool=CHANGZHOU,
                source=enrollment_types.CONTRIBUTION_SOURCE_PERSON,
                amount_fen=3000,
                year=2024,
                paid_date="2024-01-05",
                request_id=once("contribute"),
            )
        )
        self.ids["eligibility"] = await self._eligible("paid")

    async def _eligible(self, name: str) -> str:
        told = await self.connection.enrollment.DecideEligibility(
            enrollment.DecideEligibilityRequest(
                person=self.person, pool=CHANGZHOU, on_date="2024-03-01", request_id=once(name)
            )
        )
        return str(told.decision)

    async def _graded(self) -> None:
        desk = self.connection.assessment
        applied = await desk.SubmitApplication(
            assessment.SubmitApplicationRequest(
                person=self.person,
                pool=CHANGZHOU,
                kind=assessment_types.APPLICATION_KIND_FIRST,
                application_date="2024-03-04",
                disabled_since_date="2023-01-01",
                request_id=once("apply"),
            )
        )
        self.ids["application"] = application = applied.application
        for assessor, kind in (("assessor-1", "ASSESSOR"), ("expert-1", "EXPERT")):
            scores = [
                assessment_types.ItemScore(item=item, score=score)
                for item, score in bedridden().items()
            ]
            await desk.RecordOnSite(
                assessment.RecordOnSiteRequest(
                    application=application,
                    assessor=assessor,
                    assessor_kind=assessment_types.AssessorKind.Value(f"ASSESSOR_KIND_{kind}"),
                    assessed_date="2024-03-18",
                    scores=scores,
                    evidence_hashes=["0" * 64],
                    request_id=once(assessor),
                )
            )
        for expert in ("expert-2", "expert-3"):
            await desk.ConfirmConclusion(
                assessment.ConfirmConclusionRequest(
                    application=application,
                    expert=expert,
                    confirmed_date="2024-03-25",
                    request_id=once(expert),
                )
            )
        await desk.PublishConclusion(
            assessment.PublishConclusionRequest(application=application, request_id=once("public"))
        )
        set_clock(self.folder / "clock.json", date(2024, 8, 1))
        await desk.DeliverConclusion(
            assessment.DeliverConclusionRequest(application=application, request_id=once("deliver"))
        )

    async def _cared_for(self) -> None:
        desk = self.connection.provider
        await desk.AdmitProvider(
            provider.AdmitProviderRequest(
                pool=CHANGZHOU,
                provider_name="常州安心护理站",
                social_credit_code=CODE,
                agreement_start_date="2024-01-01",
                agreement_end_date="2024-12-31",
                request_id=once("admit"),
            )
        )
        await desk.SetPrice(
            provider.SetPriceRequest(
                social_credit_code=CODE,
                item="bath",
                item_name="沐浴",
                price_fen=60_000,
                minutes=50,
                effective_date="2024-01-01",
                request_id=once("price"),
            )
        )
        await desk.RegisterCaregiver(
            provider.RegisterCaregiverRequest(
                identity_number=CARER.identity_number,
                full_name=CARER.full_name,
                social_credit_code=CODE,
                registered_date="2024-01-01",
                request_id=once("carer"),
            )
        )
        await desk.ApprovePlan(
            provider.ApprovePlanRequest(
                identity_number=SOMEBODY.identity_number,
                pool=CHANGZHOU,
                social_credit_code=CODE,
                form=provider_types.CARE_FORM_HOME_VISITS,
                start_date="2024-04-01",
                place=HOME,
                request_id=once("plan"),
            )
        )
        for day in (8, 15, 22):  # 600.00 each: more than the month's cap of 1500.00
            await self._visit(f"visit {day}", f"2024-04-{day:02d}", HOME)
        self.ids["rejected"] = await self._visit("far", "2024-04-25", AWAY)

    async def _visit(self, name: str, day: str, place: Any) -> str:
        told = await self.connection.provider.SubmitVisit(
            provider.SubmitVisitRequest(
                identity_number=SOMEBODY.identity_number,
                pool=CHANGZHOU,
                caregiver_identity_number=CARER.identity_number,
                start_time=f"{day}T09:00:00+08:00",
                end_time=f"{day}T10:30:00+08:00",
                place=place,
                items=["bath"],
                confirmed_by=provider_types.CONFIRMED_BY_FAMILY,
                evidence=_evidence(place) if name == "visit 8" else None,
                request_id=once(name),
            )
        )
        return str(told.visit)

    async def _paid(self) -> None:
        desk = self.connection.payment
        await desk.RegisterPayee(
            payment.RegisterPayeeRequest(
                social_credit_code=CODE,
                holder_name="常州安心护理站",
                account_number="6222020000000001",
                registered_date="2024-01-01",
                request_id=once("payee"),
            )
        )
        pool_month: dict[str, Any] = {"pool": CHANGZHOU, "month": "2024-04"}
        await desk.OpenSettlement(
            payment.OpenSettlementRequest(**pool_month, request_id=once("open"))
        )
        await desk.FreezeSettlement(
            payment.FreezeSettlementRequest(**pool_month, request_id=once("freeze"))
        )
        await desk.ReviewEntitlement(
            payment.ReviewEntitlementRequest(
                person=self.person, pool=CHANGZHOU, request_id=once("review")
            )
        )
        await desk.DetermineBenefits(
            payment.DetermineBenefitsRequest(**pool_month, request_id=once("determine"))
        )
        await desk.CloseSettlement(
            payment.CloseSettlementRequest(**pool_month, request_id=once("close"))
        )
        found = await desk.ListBenefits(payment.ListBenefitsRequest(pool=CHANGZHOU))
        self.ids["benefit"] = found.benefits[0].benefit


@asynccontextmanager
async def town(dsn: str, folder: Path) -> AsyncIterator[Town]:
    """The four services on free ports, in one database, and a connection that may read it."""
    set_clock(folder / "clock.json", TODAY)
    read_master_key(folder / "master.key", create=True)
    variables = {
        "LTCI_DATABASE_URL": dsn,
        "LTCI_KEYS_DATABASE_URL": dsn,
        "LTCI_MASTER_KEY_FILE": str(folder / "master.key"),
        "LTCI_CLOCK_FILE": str(folder / "clock.json"),
    }
    async with AsyncExitStack() as closing:
        ready = []
        for name, codec, build in PARTS:
            settings = Settings.from_environment(variables)
            service = await closing.enter_async_context(assembled(name, settings, codec, build))
            server = await start_server(
                name,
                "127.0.0.1:0",
                service.registration.add,
                feed_store=service.parts.store,
                cases=service.cases,
            )
            closing.push_async_callback(server.stop, 0.5)
            variables[f"LTCI_{name.upper()}_ADDRESS"] = f"127.0.0.1:{server.port}"
            ready.append(service.ready)
        connection = Connection(Settings.from_environment(variables))
        await closing.enter_async_context(connection)
        living = Town(connection=connection, folder=folder)
        await living.live()
        for caught_up in ready:
            await caught_up()
        yield living


def _evidence(place: Any) -> provider_types.Evidence:
    """What a device brings of a visit that began and ended at a place."""
    photo = provider_types.Photo(sha256=b"p" * 32, perceptual_hash=7)
    start = provider_types.Signals(place=place, accuracy_m=15, beacon="bedside-7", photos=[photo])
    end = provider_types.Signals(place=place, accuracy_m=20)
    return provider_types.Evidence(start=start, end=end, device="D-0001")
