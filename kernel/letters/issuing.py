"""Issues letters in the append of the decisions they tell (文书出具).

A service has one table from its events to the matter of a letter. `issue` records the letter with
the decision, so that neither is ever there without the other.
"""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from kernel.clock import SHANGHAI
from kernel.eventstore.handle import StreamKind, Work
from kernel.ids import stream_id
from kernel.letters.compose import FactTold, Matter, compose
from kernel.letters.issued import IssueLetter, Letter, LetterIssued, decide, evolve
from kernel.messages import about, contents, event_name, message_of
from kernel.replay import RawFact
from kernel.rules.pack import Pack
from kernel.rules.ruling import Ruling

LETTERS = StreamKind("letter", Letter(), evolve)
# What a person knows, or what the steps say one by one.
_LEFT_OUT = frozenset({"application", "scores", "evidence_hashes", "missing_papers", "life_event"})


def letter_stream(letter: UUID) -> UUID:
    """A letter has a stream of its own: its id is enough to find it."""
    return stream_id(LETTERS.category, str(letter))


async def issue(run: Work, matter: Matter, pack: Pack) -> LetterIssued:
    """Records the letter in the append of `run`; a letter that was issued before stays as it is."""
    stream = letter_stream(matter.letter)
    known = await run.load(LETTERS, stream)
    if known.issued is not None:
        return known.issued
    told = compose(matter, pack)
    run.record(LETTERS, stream, matter.pool, decide(IssueLetter(told=told), known))
    return told


def facts_told(facts: Iterable[RawFact]) -> tuple[FactTold, ...]:
    """Recorded events as a letter tells them, in the order in which they became known."""
    return tuple(map(_told, sorted(facts, key=lambda fact: (fact.recorded_at, fact.position))))


def _told(fact: RawFact) -> FactTold:
    message = message_of(fact)
    says = {name: value for name, value in contents(message).items() if name not in _LEFT_OUT}
    return FactTold(
        ref=fact.ref,
        event=event_name(fact.type),
        about=about(message),
        known=minute(fact.recorded_at),
        says=says,
    )


def facts_elsewhere(ruling: Ruling | None, service: str) -> tuple[FactTold, ...]:
    """The facts of a ruling that other services keep: told by their place and digest alone."""
    refs = [ref for ref in ruling.facts if ref.service != service] if ruling else []
    return tuple(FactTold(ref=ref, event="", about="", known="", says={}) for ref in refs)


def minute(moment: datetime) -> str:
    """A moment in local time, to the minute."""
    return moment.astimezone(SHANGHAI).isoformat(timespec="minutes")
