"""Use cases around the evidence of visits: what is kept, what proves it, and its end (佐证销毁)."""

from datetime import date, datetime
from uuid import UUID

from ltci.provider.v1 import evidence_service_pb2 as pb

from kernel.eventstore.codec import Codec
from kernel.eventstore.handle import Call, Handler, Work
from kernel.eventstore.keys import KeyRing
from kernel.eventstore.postgres import EventStore
from kernel.refusal import NotFound
from kernel.rules.library import PackLibrary
from services.provider.application.streams import FORGOTTEN, VISIT, forgotten_stream, visit_stream
from services.provider.domain import forgetting
from services.provider.domain.evidence import EvidenceKept, evidence_bytes
from services.provider.kept import KeptReader
from services.provider.wire import evidence_answer, part_answer

EVIDENCE_DAYS = "provider.visit_evidence_days"


class Forgetting:
    """Shows evidence, and destroys the keys of what nobody needs any more."""

    def __init__(
        self,
        handler: Handler,
        store: EventStore,
        codec: Codec,
        keys: KeyRing,
        packs: PackLibrary,
        kept: KeptReader,
    ) -> None:
        self._handler = handler
        self._store = store
        self._codec = codec
        self._keys = keys
        self._packs = packs
        self._kept = kept

    async def find(
        self, visit: UUID, known_at: datetime | None, *, with_content: bool
    ) -> pb.VisitEvidence:
        """What is kept of a visit's evidence. Refuses NOT_FOUND for an unknown visit."""
        stream = visit_stream(visit)
        state, version = await self._handler.load_known(VISIT, stream, known_at)
        if not version:
            raise NotFound("visit", visit)
        answer = evidence_answer(state)
        for recorded in await self._store.read_stream(stream, upto=version):
            # Opened here and nowhere kept: states hold findings alone.
            if not recorded.type.startswith(_KEPT):
                continue
            event: EvidenceKept = await self._codec.decode(recorded)
            content = b"" if event.evidence is None else evidence_bytes(event.evidence)
            answer.parts.append(part_answer(event, content, with_content=with_content))
        return answer

    async def counts(self, pool: str, up_to: date, today: date) -> pb.KeptEvidence:
        """How much is kept up to a day, and when more of it may be forgotten."""
        days = self._days(pool, up_to)
        over = min(up_to, forgetting.last_due(today, days))
        found = await self._kept.counts(pool, over, up_to)
        due = ""
        if found.next_day is not None:
            due = forgetting.due_on(found.next_day, days).isoformat()
        return pb.KeptEvidence(
            due_count=found.due,
            held_count=found.held,
            waiting_count=found.waiting,
            due_date=due,
            over_date=over.isoformat(),
        )

    async def forget(
        self, call: Call, pool: str, up_to: date, most: int, now: datetime
    ) -> pb.ForgetEvidenceResponse:
        """Forgets up to so many visits of the days up to one. Refuses OBJECTION_PERIOD_RUNS.

        The keys go first, then it is put on record: where the second is not reached, the next
        call finds the same visits and records them, and destroying a key twice changes nothing.
        """
        repeated = await self._store.find_request(call.request_id, call.fingerprint)
        if repeated is not None:
            return pb.ForgetEvidenceResponse.FromString(repeated.answer)
        forgetting.check_due(up_to, now.date(), self._days(pool, up_to))
        due = await self._kept.due(pool, up_to, most)
        visits = {visit for told in due.values() for visit, _ in told}
        await self._keys.destroy_all(visits)
        found = await self._kept.counts(pool, up_to, up_to)
        answer = pb.ForgetEvidenceResponse(
            forgotten_count=len(visits),
            due_count=max(0, found.due - len(visits)),
            held_count=found.held,
        )

        async def work(work: Work) -> pb.ForgetEvidenceResponse:
            for day, told in due.items():
                stream = forgotten_stream(pool, day)
                command = forgetting.ForgetEvidence(pool=pool, care_date=day, visits=told)
                events = forgetting.decide(command, await work.load(FORGOTTEN, stream))
                work.record(FORGOTTEN, stream, pool, events)
            return answer

        return await self._handler.execute(call, work, pb.ForgetEvidenceResponse)

    def _days(self, pool: str, day: date) -> int:
        return self._packs.pack_for(pool).integer(EVIDENCE_DAYS, day)


_KEPT = "ltci.provider.v1.EvidenceKept/"
