"""Events of a person's applications as facts of a ruling (裁定所依据的事实)."""

from collections.abc import Hashable, Iterable
from dataclasses import replace
from typing import Any
from uuid import UUID

from kernel.eventstore.codec import Codec
from kernel.eventstore.handle import code_version
from kernel.eventstore.postgres import EventStore
from kernel.replay import fact_of, raw_fact
from kernel.rules.ruling import Fact
from services.assessment.domain import events as e
from services.assessment.domain.appeal import DecideAppeal
from services.assessment.domain.applicant import Applicant
from services.assessment.domain.conclusion import DeliverConclusion
from services.assessment.domain.decider import Command
from services.assessment.domain.grade_change import ChangeGrade
from services.assessment.domain.grounds import Grounds
from services.assessment.domain.objection import DecideObjection
from services.assessment.domain.on_site import RecordOnSite, SettleItem
from services.assessment.domain.reassessment_outcome import RefuseReassessment
from services.assessment.domain.review import ConfirmReview, RecordReviewForm
from services.assessment.domain.submission import (
    Basis,
    RecheckSelfAssessment,
    RefuseApplication,
    SubmitApplication,
    SupplyPapers,
)
from services.assessment.domain.termination import TerminateAssessment
from services.assessment.letters import conclusion_letter

_ADMISSION = SubmitApplication | SupplyPapers | RefuseApplication | RecheckSelfAssessment


class Facts:
    """Reads the facts that a command's ruling will name."""

    def __init__(self, name: str, store: EventStore, codec: Codec) -> None:
        self._name = name
        self._store = store
        self._codec = codec

    async def given(self, command: Command, stream: UUID, applicant: Applicant) -> Command:
        """The command with its facts, and the version of the code that decides."""
        version = code_version()
        match command:
            case SubmitApplication() | SupplyPapers() | RefuseApplication():
                return await self._admission(command, stream, applicant)
            case RecheckSelfAssessment():
                return await self._admission(command, stream, applicant)
            case RecordOnSite() | SettleItem():
                earlier = await self._on_site(command, stream)
                return replace(command, earlier=earlier, code_version=version)
            case ChangeGrade():
                graded = await self.of(stream, e.AssessmentGraded, e.GradeChanged)
                facts = tuple(_about(command.application, graded))
                return replace(command, facts=facts, code_version=version)
            case TerminateAssessment():
                taken = await self.of(stream, e.ApplicationAccepted)
                facts = tuple(_about(command.application, taken))
                return replace(command, facts=facts, code_version=version)
            case _:
                return await self._after_grade(command, stream, applicant)

    async def _after_grade(self, command: Command, stream: UUID, applicant: Applicant) -> Command:
        """What may follow a grade stands on the whole record."""
        match command:
            case DeliverConclusion(application=own):
                command = replace(command, letter=conclusion_letter(own))
                if _is_first(own, applicant):
                    return command  # it leads to nothing that a ruling would have to say
                return replace(command, grounds=await self._grounds(stream, None))
            case DecideObjection() | RecordReviewForm() | ConfirmReview():
                return replace(command, grounds=await self._grounds(stream, command.application))
            case DecideAppeal() | RefuseReassessment():
                return replace(command, grounds=await self._grounds(stream, command.application))
            case _:
                return command

    async def of(self, stream: UUID, *kinds: type) -> list[Fact]:
        """All events of these kinds, in their order."""
        types = {self._codec.type_name(kind) for kind in kinds}
        return [
            fact_of(raw_fact(self._name, recorded), self._codec)
            for recorded in await self._store.read_stream(stream)
            if recorded.type in types
        ]

    async def _grounds(self, stream: UUID, application: UUID | None) -> Grounds:
        """The events on record about an application, or about all of the person's, as facts."""
        facts = [
            fact_of(raw_fact(self._name, recorded), self._codec)
            for recorded in await self._store.read_stream(stream)
        ]
        about = facts if application is None else _about(application, facts)
        return Grounds(facts=tuple(about), code_version=code_version())

    async def _admission(self, command: _ADMISSION, stream: UUID, applicant: Applicant) -> Command:
        """Earlier conclusions of the person, and assessments broken off."""
        facts: tuple[Fact, ...] = ()
        if applicant.last_ended is not None:
            ended = await self.of(stream, e.ConclusionConfirmed, e.AssessmentTerminated)
            facts = tuple(ended)
        return replace(command, basis=Basis(facts=facts, code_version=code_version()))

    async def _on_site(self, command: RecordOnSite | SettleItem, stream: UUID) -> tuple[Fact, ...]:
        """The latest form of each assessor and settlement of each item, but for what is told."""
        latest: dict[Hashable, Fact] = {}
        recorded = await self.of(stream, e.OnSiteAssessed, e.ItemSettled)
        for fact in _about(command.application, recorded):
            event: Any = fact.event
            form = isinstance(event, e.OnSiteAssessed)
            latest[("form", event.assessor) if form else ("item", event.item)] = fact
        told = (
            ("form", command.assessor)
            if isinstance(command, RecordOnSite)
            else ("item", command.item)
        )
        latest.pop(told, None)
        return tuple(latest.values())


def _is_first(application: UUID, applicant: Applicant) -> bool:
    """Whether it is a first assessment, or none at all."""
    one = applicant.applications.get(application)
    return one is None or one.kind is e.ApplicationKind.FIRST


def _about(application: UUID, facts: Iterable[Fact]) -> list[Fact]:
    return [fact for fact in facts if getattr(fact.event, "application", None) == application]
