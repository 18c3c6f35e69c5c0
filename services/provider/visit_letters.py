"""What a person is told of a visit that was disputed (服务异议处理文书).

Only what people decided about a dispute is written: the other verdicts answer who uploads,
corrects or settles.
"""

from collections.abc import Mapping, Sequence

from kernel.clock import Clock
from kernel.eventstore.codec import Codec
from kernel.eventstore.handle import Work
from kernel.eventstore.postgres import EventStore
from kernel.letters.compose import Matter, letter_id
from kernel.letters.issuing import facts_told, issue
from kernel.replay import raw_fact
from kernel.rules.pack import Pack
from kernel.rules.ruling import Ruling, fact_digest
from services.provider.application.facts import SERVICE
from services.provider.domain.exception import ExceptionKind, ExceptionSettled
from services.provider.domain.visit import Event, ServiceDelivered, ServiceRejected

DISPUTE_OUTCOME = "visit_dispute_outcome"
LETTERS: Mapping[type, str] = {ExceptionSettled: DISPUTE_OUTCOME}


class VisitLetters:
    """Writes the letter of a dispute's outcome, in the same append."""

    def __init__(self, store: EventStore, codec: Codec, clock: Clock) -> None:
        self._store = store
        self._codec = codec
        self._clock = clock

    async def accompany(self, run: Work, events: Sequence[Event], pack: Pack) -> None:
        """Issues the letter where the events settle a dispute: it tells the verdict on it."""
        if not any(_of_dispute(event) for event in events):
            return
        for event in events:
            if isinstance(event, ServiceDelivered | ServiceRejected):
                await issue(run, await self._matter(run, event), pack)

    async def _matter(self, run: Work, verdict: ServiceDelivered | ServiceRejected) -> Matter:
        ruling = Ruling.read(verdict.ruling)
        type_, payload = self._codec.clear(verdict)
        recorded = await self._store.read_positions([ref.position for ref in ruling.facts])
        digest = fact_digest(type_, payload)
        return Matter(
            kind=DISPUTE_OUTCOME,
            letter=letter_id(DISPUTE_OUTCOME, digest),
            person=verdict.person,
            pool=verdict.pool,
            application=None,
            decision=type(verdict).__name__,
            decision_digest=digest,
            rulings=(ruling,),
            recorded=ruling,
            facts=facts_told(raw_fact(SERVICE, event) for event in recorded),
            officer=run.call.actor,
            issued_date=self._clock.today(),
        )


def _of_dispute(event: Event) -> bool:
    return isinstance(event, ExceptionSettled) and event.kind is ExceptionKind.DISPUTED
