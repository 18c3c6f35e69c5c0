"""Which events of a case are told in a letter, and to whom (查处文书).

Everybody concerned gets one: the provider, and the caregiver or the assessor where one is meant.
A new event that must be told is one line in `LETTERS`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from kernel.clock import Clock
from kernel.eventstore.codec import Codec
from kernel.eventstore.handle import Work, code_version
from kernel.letters.compose import Matter, letter_id
from kernel.letters.issuing import facts_told, issue
from kernel.replay import RawFact
from kernel.rules.pack import Pack
from kernel.rules.ruling import Ruling, fact_digest
from services.provider.domain import inspection_events as e
from services.provider.domain.inspection import CLEARED, Inspection, known
from services.provider.domain.inspection_notice import of_notice
from services.provider.domain.risk import RiskFlagged

NOTICE, CONFIRMED_LETTER, CLEARED_LETTER, APPEAL_OUTCOME = (
    "inspection_notice",
    "inspection_confirmed",
    "inspection_cleared",
    "inspection_appeal_outcome",
)
LETTERS: Mapping[type, tuple[str, ...]] = {
    e.InspectionNoticed: (NOTICE,),
    e.InspectionDecided: (CONFIRMED_LETTER, CLEARED_LETTER),
    e.InspectionAppealDecided: (APPEAL_OUTCOME,),
}
MOST_FACTS = 50  # flags that a letter lists; the rest are counted in its grounds


@dataclass(frozen=True, kw_only=True)
class Addressee:
    """Who gets a letter: a body, or a person by the line that addresses it."""

    person: UUID | None = None
    provider: UUID | None = None
    line: str

    @property
    def name(self) -> str:
        return str(self.person or self.provider)


def addressees(opened: e.InspectionOpened) -> Iterator[Addressee]:
    """Everybody whom the case is about."""
    if opened.provider is not None:
        yield Addressee(provider=opened.provider, line="to_provider")
    for person in (opened.caregiver, opened.assessor):
        if person is not None:
            yield Addressee(person=person, line="to_carer")


def letters_of(inspection: Inspection) -> tuple[UUID, ...]:
    """The letters that the case's events were told in, in their order."""
    opened = inspection.opened
    told = (inspection.noticed, inspection.decided, inspection.appeal_decided)
    if opened is None:
        return ()
    kinds = [kind_of(event, inspection) for event in told if event is not None]
    return tuple(
        _letter(kind, opened.inspection, one)
        for kind in filter(None, kinds)
        for one in addressees(opened)
    )


def kind_of(event: e.Event, inspection: Inspection) -> str:
    """The kind of letter that tells the event; empty for those without.

    Who was never told of a case need not be told that nothing came of it.
    """
    match event:
        case e.InspectionNoticed():
            return NOTICE
        case e.InspectionDecided(outcome=outcome):
            if outcome is not CLEARED:
                return CONFIRMED_LETTER
            return CLEARED_LETTER if inspection.noticed else ""
        case e.InspectionAppealDecided():
            return APPEAL_OUTCOME
        case _:
            return ""


def _letter(kind: str, inspection: UUID, to: Addressee) -> UUID:
    return letter_id(kind, str(inspection), to.name)


@dataclass(frozen=True, kw_only=True)
class Told:
    """A case after its events, with the recorded events that a letter lists."""

    inspection: Inspection
    events: Sequence[e.Event]
    flags: Sequence[tuple[RawFact, RiskFlagged]]


class Letters:
    """Writes the letters of a case, in the append of what they tell."""

    def __init__(self, codec: Codec, clock: Clock) -> None:
        self._codec = codec
        self._clock = clock

    async def accompany(self, run: Work, case: Told, pack: Pack) -> None:
        """Issues the letters of each of the events that has some."""
        for event in case.events:
            kind = kind_of(event, case.inspection)
            if not kind:
                continue
            opened = known(event.inspection, case.inspection)
            ruling = _ruling(event, case, pack)
            for to in addressees(opened):
                await issue(run, self._matter(run, kind, event, case, ruling, to), pack)

    def _matter(
        self, run: Work, kind: str, event: Any, case: Told, ruling: Ruling, to: Addressee
    ) -> Matter:
        type_, payload = self._codec.clear(event)
        return Matter(
            kind=kind,
            letter=_letter(kind, event.inspection, to),
            person=to.person,
            pool=event.pool,
            application=None,
            decision=type(event).__name__,
            decision_digest=fact_digest(type_, payload),
            rulings=(ruling,),
            recorded=None if kind == NOTICE else ruling,
            facts=facts_told(raw for raw, _ in case.flags[:MOST_FACTS]),
            officer=run.call.actor,
            issued_date=self._clock.today(),
            to=to.line,
            provider=to.provider,
        )


def _ruling(event: Any, case: Told, pack: Pack) -> Ruling:
    """The ruling that the event keeps; of a notice, what follows from the case."""
    if isinstance(event, e.InspectionNoticed):
        flags = [(raw.ref, told) for raw, told in case.flags]
        return of_notice(event, case.inspection, flags, pack, code_version())
    return Ruling.read(event.ruling)
