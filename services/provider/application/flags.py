"""Use case: what a detector found is recorded as a flag, once, with its ruling."""

import hashlib
from collections.abc import Sequence
from uuid import UUID

from google.protobuf.empty_pb2 import Empty

from kernel.eventstore.handle import Call, Handler, Work, code_version
from kernel.eventstore.postgres import EventStore
from kernel.ids import derive
from kernel.money import Money
from kernel.pack_keeper import PackKeeper
from kernel.replay import raw_fact
from kernel.rules.ruling import FactRef
from services.provider.application.facts import SERVICE
from services.provider.application.streams import FLAG, flag_stream
from services.provider.domain.detection.catalogue import DETECTORS
from services.provider.domain.detection.detector import RiskBasis, asked_of, rule_risk
from services.provider.domain.detection.seen import Suspicion
from services.provider.domain.risk import FlagRisk, RiskFlagged, flag_risk

ACTOR = "detector"


def flag_of(suspicion: Suspicion) -> UUID:
    """The flag's id: always the same for a detector, its version and what it found."""
    return derive("flag", suspicion.detector, str(suspicion.version), suspicion.subject)


class Flags:
    """Records flags."""

    def __init__(self, handler: Handler, store: EventStore, packs: PackKeeper) -> None:
        self._handler = handler
        self._store = store
        self._packs = packs

    async def record(self, suspicion: Suspicion, elsewhere: Sequence[FactRef]) -> None:
        """Flags it, unless it was flagged before. `elsewhere` are its facts of other services."""
        name = flag_of(suspicion)
        # What was seen may read otherwise after a restart: the flag is the same.
        fingerprint = hashlib.sha256(name.bytes).digest()
        call = Call(derive("flagging", str(name)), fingerprint, ACTOR)

        async def work(work: Work) -> Empty:
            told = await self._flagged(name, suspicion, elsewhere)
            stream = flag_stream(name)
            events = flag_risk(FlagRisk(told=told), await work.load(FLAG, stream))
            work.record(FLAG, stream, suspicion.pool, events)
            return Empty()

        await self._handler.execute(call, work, Empty)

    async def _flagged(
        self, name: UUID, suspicion: Suspicion, elsewhere: Sequence[FactRef]
    ) -> RiskFlagged:
        pack = await self._packs.pack_for(suspicion.pool)
        own = [position for service, position in suspicion.positions if service == SERVICE]
        recorded = await self._store.read_positions(own) if own else []
        facts = [raw_fact(SERVICE, one).ref for one in recorded]
        seen = suspicion.visit
        asked = asked_of(suspicion)
        basis = RiskBasis(
            pool=suspicion.pool,
            facts=(*facts, *elsewhere),
            pack=pack,
            code_version=code_version(),
        )
        ruling = rule_risk(DETECTORS[suspicion.detector], asked, basis, suspicion.subject)
        return RiskFlagged(
            flag=name,
            detector=suspicion.detector,
            detector_version=suspicion.version,
            visit=seen.visit if seen else None,
            person=seen.person if seen else None,
            pool=suspicion.pool,
            provider=seen.provider if seen else suspicion.provider,
            caregiver=seen.caregiver if seen else None,
            assessor=_assessor(suspicion),
            care_date=suspicion.day,
            cost=Money(suspicion.held_fen),
            ruling=ruling.to_bytes(),
        )


def _assessor(suspicion: Suspicion) -> UUID | None:
    """An assessor's name in the pool, as an id."""
    told = suspicion.assessor
    return derive("assessor", suspicion.pool, told) if told else None
