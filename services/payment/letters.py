"""Which events of payment are told in a letter, and what each letter rests on (待遇文书).

A new event that a person must be told of is one line in `LETTERS`.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from kernel.clock import Clock
from kernel.eventstore.codec import Codec
from kernel.eventstore.handle import Work
from kernel.letters.compose import Matter, letter_id
from kernel.letters.issuing import facts_told, issue
from kernel.replay import RawFact
from kernel.rules.pack import Pack
from kernel.rules.ruling import FactRef, Ruling, fact_digest
from services.payment.domain import entitlement as e

LETTERS: Mapping[type, str] = {
    e.EntitlementOpened: "entitlement_opened",
    e.EntitlementChanged: "entitlement_changed",
    e.EntitlementPaused: "entitlement_paused",
    e.EntitlementResumed: "entitlement_resumed",
    e.EntitlementEnded: "entitlement_ended",
}
Recorded = Callable[[Sequence[FactRef]], Awaitable[Sequence[RawFact]]]


class Letters:
    """Writes the letters of what was decided, in the same append."""

    def __init__(self, codec: Codec, clock: Clock, recorded: Recorded) -> None:
        """`recorded` finds the facts that a ruling names."""
        self._codec = codec
        self._clock = clock
        self._recorded = recorded

    async def accompany(self, run: Work, events: Sequence[e.Event], pack: Pack) -> None:
        """Issues a letter for each of the events that needs one."""
        for event in events:
            if type(event) in LETTERS:
                await issue(run, await self._matter(run, event), pack)

    async def _matter(self, run: Work, event: Any) -> Matter:
        kind, ruling = LETTERS[type(event)], Ruling.read(event.ruling)
        type_, payload = self._codec.clear(event)
        facts = await self._recorded(ruling.facts)
        return Matter(
            kind=kind,
            letter=letter_id(kind, fact_digest(type_, payload)),
            person=event.person,
            pool=event.pool,
            application=None,
            decision=type(event).__name__,
            decision_digest=fact_digest(type_, payload),
            rulings=(ruling,),
            recorded=ruling,
            facts=facts_told(facts),
            officer=run.call.actor,
            issued_date=self._clock.today(),
        )
