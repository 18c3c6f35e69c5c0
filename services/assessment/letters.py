"""Which events of assessment are told in a letter, and what each letter rests on (评估文书).

A new event that a person must be told of is one line in `LETTERS`: its kind of letter, and
`carried` where the event keeps its own ruling. `_FACTS` names more facts than the application.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from kernel.eventstore.handle import Work, code_version
from kernel.letters.compose import Matter, letter_id
from kernel.letters.issuing import facts_elsewhere, facts_told, issue
from kernel.replay import RawFact, raw_fact
from kernel.rules.pack import Pack
from kernel.rules.ruling import Ruling, fact_digest
from kernel.service import Parts
from services.assessment.domain import dispute_events as d
from services.assessment.domain import events as e
from services.assessment.domain import notices
from services.assessment.domain.applicant import Applicant, Application, Recorded

CONCLUSION, REVIEW = "conclusion", "review_outcome"
_Rule = Callable[[Any, Application, Pack, str], Ruling]


def carried(event: Any, _one: Application, _pack: Pack, _code_version: str) -> Ruling:
    """The ruling that the event itself keeps."""
    return Ruling.read(event.ruling)


def _refusal(
    event: e.ApplicationRefused, one: Application, pack: Pack, code_version: str
) -> Ruling:
    """The ruling on the admission; what was refused before there was one has its bare reasons."""
    if event.ruling:
        return carried(event, one, pack, code_version)
    return notices.of_refusal(event, one, pack, code_version)


LETTERS: Mapping[type, tuple[str, _Rule]] = {
    e.ApplicationAccepted: ("acceptance", notices.of_acceptance),
    e.SupplementRequested: ("supplement", notices.of_supplement),
    e.ApplicationRefused: ("refusal", _refusal),
    e.ApplicationWithdrawn: ("withdrawal", notices.of_withdrawal),
    e.ConclusionDelivered: (CONCLUSION, notices.of_conclusion),
    d.ObjectionDecided: ("objection_outcome", carried),
    d.ReviewFeeDecided: ("review_fee", carried),
    d.AppealDecided: ("appeal_outcome", carried),
    d.ReassessmentConcluded: ("reassessment_outcome", carried),
    e.AssessmentTerminated: ("termination", carried),
}
_APPLIED = (e.ApplicationSubmitted,)
# What happened before, and belongs in the letter as its facts.
_FACTS: Mapping[str, tuple[type, ...]] = {
    "acceptance": (e.ApplicationSubmitted, e.SupplementReceived),
    "supplement": (e.ApplicationSubmitted,),
    "refusal": (e.ApplicationSubmitted,),
    "withdrawal": (e.ApplicationSubmitted, e.SupplementRequested),
    CONCLUSION: (
        e.ApplicationSubmitted,
        e.OnSiteAssessed,
        e.ItemSettled,
        e.GradeChanged,
        e.ConclusionConfirmed,
        e.ConclusionPublished,
    ),
    "objection_outcome": (e.ConclusionPublished, d.ObjectionFiled),
    REVIEW: (d.ReviewRequested, d.ReviewOrdered, d.ReviewAssessed, d.ReviewConfirmed),
    "review_fee": (d.ReviewRequested,),
    "appeal_outcome": (d.AppealFiled,),
}


def letter_for(event: object) -> tuple[str, _Rule] | None:
    """The kind of letter that tells an event, and what it rests on; None for those without.

    The conclusion of an appeal is told by the letter of the panel's decision.
    """
    if isinstance(event, e.ConclusionDelivered) and event.authority is e.Authority.APPEAL:
        return None
    if isinstance(event, e.ConclusionDelivered) and event.authority is e.Authority.REVIEW:
        return REVIEW, notices.of_review
    return LETTERS.get(type(event))


def _names(event: Any) -> tuple[str, ...]:
    """What tells the letters of one kind about one application apart."""
    match event:
        case d.ObjectionDecided(objection=name) | d.AppealDecided(appeal=name):
            return (str(name),)
        case d.ReassessmentConcluded(reassessment=name):
            return (str(name),)
        case _:
            return (str(event.application),)


def conclusion_letter(application: UUID) -> UUID:
    """The letter of an application's conclusion; there is one at most."""
    return letter_id(CONCLUSION, str(application))


@dataclass(frozen=True, kw_only=True)
class Case:
    """What was decided in one append, and what stood on the stream before."""

    stream: UUID
    pool: str
    applicant: Applicant  # after the events
    events: Sequence[Recorded]
    eligibility: Ruling | None = None  # of enrollment, where a refusal rests on it


class Letters:
    """Writes the letters of what was decided, in the same append."""

    def __init__(self, parts: Parts) -> None:
        self._name = parts.name
        self._store = parts.store
        self._codec = parts.codec
        self._clock = parts.clock

    async def accompany(self, run: Work, case: Case, pack: Pack) -> None:
        """Issues a letter for each of the events that needs one."""
        wanted = [event for event in case.events if letter_for(event)]
        if not wanted:
            return
        known = await self._known(case)
        for event in wanted:
            await issue(run, self._matter(run, event, case, known, pack), pack)

    def _matter(
        self, run: Work, event: Any, case: Case, known: Sequence[RawFact], pack: Pack
    ) -> Matter:
        found = letter_for(event)
        assert found is not None, "only of events that are told"  # noqa: S101
        kind, rule = found
        one = case.applicant.applications[event.application]
        type_, payload = self._codec.clear(event)
        own = rule(event, one, pack, code_version())
        recorded = own if rule is carried else self._basis(event, known, one, case)
        return Matter(
            kind=kind,
            letter=letter_id(kind, *_names(event)),
            person=one.person,
            pool=case.pool,
            application=one.application,
            decision=type(event).__name__,
            decision_digest=fact_digest(type_, payload),
            rulings=_together(recorded, own),
            recorded=recorded,
            facts=(
                *facts_told(self._facts(kind, known, one)),
                *facts_elsewhere(recorded, self._name),
            ),
            officer=run.call.actor,
            issued_date=self._clock.today(),
        )

    async def _known(self, case: Case) -> list[RawFact]:
        """The person's applications as recorded, and what this append adds to them."""
        recorded = [raw_fact(self._name, one) for one in await self._store.read_stream(case.stream)]
        now = self._clock.now()
        return recorded + [
            RawFact(self._name, 0, *self._codec.clear(event), now) for event in case.events
        ]

    def _facts(self, kind: str, known: Sequence[RawFact], one: Application) -> list[RawFact]:
        types = {self._codec.type_name(event_class) for event_class in _FACTS.get(kind, _APPLIED)}
        return [fact for fact in known if fact.type in types and self._belongs(fact, one)]

    def _basis(
        self, event: Any, known: Sequence[RawFact], one: Application, case: Case
    ) -> Ruling | None:
        """The recorded decision that a letter rests on, where its event is not only that.

        An acceptance rests on its admission and tells a day besides; a refusal on enrollment's
        decision where that is handed over; a conclusion on the grade, as an expert changed it.
        """
        match event:
            case e.ConclusionDelivered(authority=e.Authority.REVIEW):
                return self._last_ruling((d.ReviewGraded,), known, one)
            case e.ConclusionDelivered():
                return self._last_ruling((e.AssessmentGraded, e.GradeChanged), known, one)
            case e.ApplicationAccepted() | e.ApplicationRefused():
                refused = isinstance(event, e.ApplicationRefused)
                admission = Ruling.read(event.ruling) if event.ruling else None
                return (case.eligibility if refused else None) or admission
            case _:
                return None

    def _last_ruling(
        self, kinds: tuple[type, ...], known: Sequence[RawFact], one: Application
    ) -> Ruling | None:
        graded = {self._codec.type_name(event_class) for event_class in kinds}
        rulings = [
            Ruling.read(self._codec.decode_clear(fact.type, fact.payload).ruling)
            for fact in known
            if fact.type in graded and self._belongs(fact, one)
        ]
        return rulings[-1] if rulings else None

    def _belongs(self, fact: RawFact, one: Application) -> bool:
        event = self._codec.decode_clear(fact.type, fact.payload)
        return bool(event.application == one.application)


def _together(recorded: Ruling | None, own: Ruling) -> tuple[Ruling, ...]:
    """What is told, in its order: a grade before what follows from it, a refusal before its cause.

    Of a refusal, the steps of the decision on eligibility say more than the bare reasons.
    """
    if recorded is None or recorded == own:
        return (own,)
    if not own.reasons:
        return (recorded, own)
    bare = own.question == notices.QUESTION
    return (replace(own, steps=()) if bare else own, recorded)
