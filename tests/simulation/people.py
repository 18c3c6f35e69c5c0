"""A person of the simulation, and what may be asked of the services in that person's name.

Every request id follows from the person and the step, so a story told twice is told once.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from ltci.assessment.v1 import assessment_service_pb2 as assessment
from ltci.assessment.v1 import assessment_types_pb2 as assessment_types
from ltci.enrollment.v1 import enrollment_service_pb2 as enrollment
from ltci.enrollment.v1 import enrollment_types_pb2 as enrollment_types
from ltci.payment.v1 import payment_service_pb2 as payment

from kernel.ids import derive
from tests.assessment.forms import scores
from tests.simulation.region import Region
from tests.support.packs import CHANGZHOU
from tests.support.people import person as somebody


def form(grade: int) -> dict[str, int]:
    """A form that comes to the grade."""
    best = scores()
    match grade:
        case 0:
            return best
        case 2:
            lost = ("adl_walking", "adl_transfer", "adl_stairs", "adl_bathing", "adl_toilet")
            return best | dict.fromkeys(lost, 0)
        case 3:
            return best | {item: 0 for item in best if item.startswith("adl_")}
        case 4:
            lost_mind = {"cog_time": 1, "cog_person": 1, "cog_space": 1, "cog_memory": 0}
            return form(3) | lost_mind
        case 5:
            return form(3) | {item: 0 for item in best if item.startswith("cog_")}
    raise ValueError(grade)


@dataclass
class Person:
    """Somebody in Changzhou, with the applications made so far."""

    region: Region
    number: int
    id: str = ""
    applications: list[str] = field(default_factory=list)

    def once(self, *step: object) -> str:
        return str(derive("simulation", str(self.number), *map(str, step)))

    @property
    def application(self) -> str:
        return self.applications[-1]

    # Insured -------------------------------------------------------------------------------

    async def register(self, since: date, years: Sequence[int] = ()) -> None:
        """Registered, covered, and paid up for the years."""
        who, desk = somebody(self.number), self.region.connection.enrollment
        told = await desk.RegisterPerson(
            enrollment.RegisterPersonRequest(
                identity_kind=enrollment_types.IDENTITY_KIND_RESIDENT,
                identity_number=who.identity_number,
                full_name=who.full_name,
                registered_date=str(since),
                request_id=self.once("register"),
            )
        )
        self.id = told.person
        await desk.StartCoverage(
            enrollment.StartCoverageRequest(
                person=self.id,
                pool=CHANGZHOU,
                group=enrollment_types.INSURED_GROUP_RESIDENT,
                start_date=str(since),
                request_id=self.once("cover"),
            )
        )
        for year in years:
            await self.contribute(year)

    async def contribute(self, year: int) -> None:
        today = await self.region.today()
        await self.region.connection.enrollment.CollectContribution(
            enrollment.CollectContributionRequest(
                person=self.id,
                pool=CHANGZHOU,
                source=enrollment_types.CONTRIBUTION_SOURCE_PERSON,
                amount_fen=3000,
                year=year,
                paid_date=str(today),
                request_id=self.once("contribute", year),
            )
        )

    async def report(self, kind: str, day: date, source: str = "REGISTER") -> str:
        told = await self.region.connection.enrollment.ReportLifeEvent(
            enrollment.ReportLifeEventRequest(
                person=self.id,
                pool=CHANGZHOU,
                kind=enrollment_types.LifeEventKind.Value(f"LIFE_EVENT_KIND_{kind}"),
                event_date=str(day),
                source=enrollment_types.FactSource.Value(f"FACT_SOURCE_{source}"),
                request_id=self.once(kind, day, source),
            )
        )
        return str(told.life_event)

    # Assessed ------------------------------------------------------------------------------

    def asked(self, kind: str = "FIRST", **more: Any) -> dict[str, Any]:
        """What an application says unless told otherwise."""
        return {
            "person": self.id,
            "pool": CHANGZHOU,
            "kind": assessment_types.ApplicationKind.Value(f"APPLICATION_KIND_{kind}"),
            **more,
        }

    async def apply(self, kind: str = "FIRST", **more: Any) -> str:
        """A new application of today; the person has been disabled for a year."""
        today = await self.region.today()
        asked = {
            "application_date": str(today),
            "disabled_since_date": str(today - timedelta(days=365)),
            "request_id": self.once("apply", len(self.applications)),
        }
        told = await self.region.connection.assessment.SubmitApplication(
            assessment.SubmitApplicationRequest(**self.asked(kind, **{**asked, **more}))
        )
        self.applications.append(told.application)
        return str(told.application)

    async def supply(self) -> None:
        await self._assessment("SupplyPapers", received_date=str(await self.region.today()))

    async def withdraw(self) -> None:
        await self._assessment("WithdrawApplication", withdrawn_date=str(await self.region.today()))

    async def refuse(self, *reasons: str) -> None:
        """An officer does not take the application."""
        await self._assessment("RefuseApplication", reasons=reasons)

    async def visited(
        self,
        grade: int,
        by: Sequence[str] = ("assessor-1", "expert-1"),
        on: date | None = None,
        **changed: int,
    ) -> None:
        """One form of each of these people, all alike, of today or of an earlier day."""
        for assessor in by:
            kind = "EXPERT" if assessor.startswith("expert") else "ASSESSOR"
            await self._assessment(
                "RecordOnSite",
                assessor,
                request="RecordOnSite",
                assessor=assessor,
                assessor_kind=assessment_types.AssessorKind.Value(f"ASSESSOR_KIND_{kind}"),
                assessed_date=str(on or await self.region.today()),
                scores=[
                    assessment_types.ItemScore(item=item, score=score)
                    for item, score in (form(grade) | changed).items()
                ],
            )

    async def confirmed(
        self, by: Sequence[str] = ("expert-2", "expert-3"), on: date | None = None
    ) -> None:
        for expert in by:
            await self._assessment(
                "ConfirmConclusion",
                expert,
                expert=expert,
                confirmed_date=str(on or await self.region.today()),
            )

    async def state(self, application: str = "") -> Any:
        return await self.region.connection.assessment.GetApplication(
            assessment.GetApplicationRequest(application=application or self.application)
        )

    async def entitlement(self) -> Any:
        """How the person stands with payment today."""
        return await self.region.connection.payment.GetEntitlement(
            payment.GetEntitlementRequest(person=self.id, pool=CHANGZHOU)
        )

    async def _assessment(self, method: str, *step: object, request: str = "", **told: Any) -> Any:
        made = getattr(assessment, f"{request or method}Request")
        return await getattr(self.region.connection.assessment, method)(
            made(
                application=self.application,
                request_id=self.once(method, self.application, *step),
                **told,
            )
        )
