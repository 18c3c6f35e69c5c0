"""An assessment office in memory: commands decided, events kept with their places in the log."""

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from types import ModuleType
from typing import Any
from uuid import UUID

from kernel.ids import derive
from kernel.rules.pack import Pack
from kernel.rules.ruling import Fact, FactRef, Ruling
from services.assessment.domain import (
    appeal,
    appeal_ruling,
    conclusion,
    objection,
    on_site,
    reassessment_outcome,
    review,
    review_fee,
    review_grading,
    submission,
)
from services.assessment.domain import decider as d
from services.assessment.domain import dispute_events as de
from services.assessment.domain import events as e
from services.assessment.domain.applicant import Applicant, evolve
from services.assessment.domain.disputed import Disputed
from services.assessment.domain.grounds import Grounds
from services.assessment.letters import conclusion_letter
from tests.assessment.forms import bedridden, items
from tests.support.packs import CHANGZHOU, pack

PERSON = derive("test", "somebody")
FIRST, SECOND = derive("test", "first"), derive("test", "second")
OBJECTION, APPEAL = derive("test", "objection"), derive("test", "appeal")
APPLIED, VISITED, CONCLUDED = date(2024, 3, 4), date(2024, 3, 18), date(2024, 3, 25)
PUBLISHED, PUBLIC_UNTIL = date(2024, 3, 26), date(2024, 3, 31)
DELIVERED = date(2024, 4, 1)
RULINGS: dict[type, ModuleType] = {
    de.ObjectionDecided: objection,
    de.ReviewGraded: review_grading,
    de.ReviewFeeDecided: review_fee,
    de.AppealDecided: appeal_ruling,
    de.ReassessmentConcluded: reassessment_outcome,
}


@dataclass
class Desk:
    """One person's applications."""

    pack: Pack = field(default_factory=lambda: pack(CHANGZHOU))
    applicant: Applicant = field(default_factory=Applicant)
    facts: list[Fact] = field(default_factory=list)

    def do(self, *commands: d.Command) -> list[Any]:
        """The events of these commands, one after the other."""
        made: list[Any] = []
        for command in commands:
            events = d.decide(self._on_record(command), self.applicant, self.pack)
            for event in events:
                self._keep(event)
            made += events
        return made

    def redone(self, event: Any) -> bytes:
        """The ruling of a decision, made again from the facts it names."""
        module, ruling = RULINGS[type(event)], Ruling.parse(event.ruling)
        known = tuple(fact for fact in self.facts if fact.ref in ruling.facts)
        again: Ruling = module.rule(module.asked_in(ruling), known, self.pack, "test")
        return again.to_bytes()

    @property
    def disputed(self) -> Disputed:
        return self.applicant.disputed(FIRST)

    def _on_record(self, command: Any) -> Any:
        if isinstance(command, on_site.RecordOnSite):
            earlier = [
                fact
                for fact in self.facts
                if isinstance(fact.event, e.OnSiteAssessed)
                and fact.event.application == command.application
                and fact.event.assessor != command.assessor
            ]
            return replace(command, earlier=tuple(earlier), code_version="test")
        if not hasattr(command, "grounds"):
            return command
        own = None if isinstance(command, conclusion.DeliverConclusion) else command.application
        facts = tuple(f for f in self.facts if own in {None, f.event.application})  # type: ignore[attr-defined]
        return replace(command, grounds=Grounds(facts=facts, code_version="test"))

    def _keep(self, event: Any) -> None:
        place = len(self.facts) + 1
        ref = FactRef("assessment", place, f"{place:032x}")
        self.facts.append(Fact(ref, event, datetime(2024, 4, 1, tzinfo=UTC)))
        self.applicant = evolve(self.applicant, event)


def submit(
    application: UUID = FIRST,
    kind: e.ApplicationKind = e.ApplicationKind.FIRST,
    on: date = APPLIED,
    pool: str = CHANGZHOU,
) -> submission.SubmitApplication:
    return submission.SubmitApplication(
        told=e.ApplicationSubmitted(
            application=application,
            person=PERSON,
            pool=pool,
            kind=kind,
            application_date=on,
            disabled_since_date=date(2023, 1, 1),
            missing_papers=(),
            agent_name="",
        )
    )


def first_form(
    assessor: str,
    told: dict[str, int] | None = None,
    application: UUID = FIRST,
    on: date = VISITED,
) -> on_site.RecordOnSite:
    expert = "expert" in assessor
    return on_site.RecordOnSite(
        application=application,
        assessor=assessor,
        assessor_kind=e.AssessorKind.EXPERT if expert else e.AssessorKind.ASSESSOR,
        assessed_date=on,
        scores=items(told or bedridden()),
        evidence_hashes=(),
    )


def confirmation(
    expert: str, application: UUID = FIRST, on: date = CONCLUDED
) -> conclusion.ConfirmConclusion:
    return conclusion.ConfirmConclusion(application=application, expert=expert, confirmed_date=on)


def delivery(application: UUID = FIRST, on: date = DELIVERED) -> conclusion.DeliverConclusion:
    return conclusion.DeliverConclusion(
        application=application, today=on, letter=conclusion_letter(application)
    )


def graded(**changes: Any) -> Desk:
    """Two forms that agree: grade 3, unless told otherwise."""
    desk = Desk(**{name: changes.pop(name) for name in ("pack",) if name in changes})
    told = changes.pop("told", None)
    pool = changes.pop("pool", CHANGZHOU)
    desk.do(submit(pool=pool), first_form("assessor-1", told), first_form("expert-1", told))
    desk.do(confirmation("expert-2"), confirmation("expert-3"))
    return desk


def public(**changes: Any) -> Desk:
    desk = graded(**changes)
    if desk.applicant.applications[FIRST].grade_eligible:
        desk.do(conclusion.PublishConclusion(application=FIRST, today=PUBLISHED))
    return desk


def delivered(**changes: Any) -> Desk:
    desk = public(**changes)
    desk.do(delivery())
    return desk


def object_to(on: date = date(2024, 3, 28), **changes: Any) -> objection.FileObjection:
    told: dict[str, Any] = {
        "application": FIRST,
        "objection": OBJECTION,
        "objector": derive("test", "neighbour"),
        "objector_name": "邻居",
        "objector_contact": "13900000000",
        "statement": "看到他自己上下楼",
        "attacked_clauses": ("assessment_standard.items",),
        "attacked_items": ("adl_stairs",),
        "filed_date": on,
    }
    return objection.FileObjection(**(told | changes))


def decide_objection(
    outcome: de.ObjectionOutcome, by: tuple[str, ...] = ("officer-1",), **changes: Any
) -> objection.DecideObjection:
    told: dict[str, Any] = {
        "application": FIRST,
        "objection": OBJECTION,
        "outcome": outcome,
        "reasoning": "现场录像与异议不符",
        "decided_by": by,
        "decided_date": date(2024, 4, 8),
    }
    return objection.DecideObjection(**(told | changes))


def ask_review(on: date = date(2024, 4, 3), **changes: Any) -> review.RequestReview:
    told: dict[str, Any] = {
        "application": FIRST,
        "requested_date": on,
        "attacked_clauses": (),
        "attacked_items": ("cog_time",),
    }
    return review.RequestReview(**(told | changes))


def second_form(
    assessor: str, told: dict[str, int] | None = None, **changes: Any
) -> review.RecordReviewForm:
    fields: dict[str, Any] = {
        "application": FIRST,
        "assessor": assessor,
        "assessor_kind": e.AssessorKind.EXPERT if "expert" in assessor else e.AssessorKind.ASSESSOR,
        "assessed_date": date(2024, 4, 10),
        "scores": items(told or bedridden()),
        "evidence_hashes": (),
        "place": de.AssessmentPlace.HOME,
    }
    return review.RecordReviewForm(**(fields | changes))


def second_round(told: dict[str, int] | None = None, **changes: Any) -> tuple[Any, ...]:
    """Both forms and both confirmations, by other people."""
    return (
        second_form("assessor-5", told, **changes),
        second_form("expert-5", told, **changes),
        confirm_review("expert-6"),
        confirm_review("expert-7"),
    )


def confirm_review(expert: str, on: date = date(2024, 4, 12)) -> review.ConfirmReview:
    return review.ConfirmReview(application=FIRST, expert=expert, confirmed_date=on)


def appeal_against(
    against: de.AppealAgainst, on: date = date(2024, 5, 6), **changes: Any
) -> appeal.FileAppeal:
    told: dict[str, Any] = {
        "application": FIRST,
        "appeal": APPEAL,
        "against": against,
        "statement": "评估时正在发热",
        "attacked_clauses": (),
        "attacked_items": (),
        "filed_date": on,
    }
    return appeal.FileAppeal(**(told | changes))


def decide_appeal(**changes: Any) -> appeal.DecideAppeal:
    """Upheld: grade 4 from May on."""
    told: dict[str, Any] = {
        "application": FIRST,
        "appeal": APPEAL,
        "outcome": de.AppealOutcome.UPHELD,
        "grade": 4,
        "effective_date": date(2024, 4, 1),
        "panel": ("member-1", "member-2"),
        "decided_date": date(2024, 6, 3),
        "preview_digest": "0" * 64,
        "reasoning": "复核材料支持更高等级",
    }
    return appeal.DecideAppeal(**(told | changes))


def refuse_reassessment(**changes: Any) -> reassessment_outcome.RefuseReassessment:
    told: dict[str, Any] = {
        "application": FIRST,
        "kind": e.ApplicationKind.PERIODIC,
        "refused_date": date(2026, 3, 2),
        "ordered": True,
    }
    return reassessment_outcome.RefuseReassessment(**(told | changes))


def reassess(
    desk: Desk, told: dict[str, int], kind: e.ApplicationKind = e.ApplicationKind.PERIODIC
) -> list[Any]:
    """A second application, graded and delivered: the events of the delivery."""
    on = date(2025, 3, 3)
    desk.do(
        submit(SECOND, kind, on, desk.pack.pool),
        first_form("assessor-7", told, SECOND, on),
        first_form("expert-7", told, SECOND, on),
        confirmation("expert-8", SECOND, on),
        confirmation("expert-9", SECOND, on),
    )
    if desk.applicant.applications[SECOND].grade_eligible:
        desk.do(conclusion.PublishConclusion(application=SECOND, today=on))
    return desk.do(delivery(SECOND, date(2025, 3, 10)))


def facts_of(desk: Desk, *kinds: type) -> tuple[Fact, ...]:
    return tuple(fact for fact in desk.facts if isinstance(fact.event, kinds))


def with_change(facts: tuple[Fact, ...], kind: type, **changes: Any) -> tuple[Fact, ...]:
    """The facts, those of a kind told otherwise."""
    return tuple(
        replace(fact, event=replace(fact.event, **changes))  # type: ignore[type-var]
        if isinstance(fact.event, kind)
        else fact
        for fact in facts
    )
