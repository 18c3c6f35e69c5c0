"""The use cases of inspections: the draw of a month, and what was found."""

from collections.abc import Mapping
from datetime import date
from uuid import UUID

from ltci.assessment.v1 import dispute_types_pb2 as types
from ltci.assessment.v1 import inspection_service_pb2 as pb

from kernel.calendar import Month
from kernel.eventstore.handle import Call, StreamKind, Work
from kernel.ids import stream_id
from kernel.refusal import NotFound
from kernel.service import Parts
from services.assessment.candidates import CandidatesReader
from services.assessment.domain import inspection as i
from services.assessment.domain import reassessment as r
from services.assessment.domain import terms
from services.assessment.streams import REASSESSMENTS, reassessments_stream

INSPECTIONS = StreamKind("inspections", i.Inspections(), i.evolve)
SEED = "inspections"


def inspections_stream(pool: str, month: Month) -> UUID:
    return stream_id(INSPECTIONS.category, pool, str(month))


class Inspection:
    """A pool's month of inspections."""

    def __init__(self, parts: Parts, candidates: CandidatesReader) -> None:
        self._handler = parts.handler
        self._keys = parts.keys
        self._clock = parts.clock
        self._packs = parts.packs
        self._candidates = candidates

    async def commit(self, call: Call, pool: str, month: Month) -> pb.InspectionMonth:
        """Fixes the seed by its hash, once."""
        today = self._clock.today()
        command = i.CommitDraw(pool=pool, month=month, seed=self._seed(pool, month), today=today)
        return await self._obey(call, command)

    async def draw(
        self, call: Call, pool: str, month: Month, count: int, told: Mapping[UUID, int]
    ) -> pb.InspectionMonth:
        """Draws from everybody with a benefit today."""
        today, known = self._clock.today(), self._candidates.known()
        command = i.DrawInspections(
            pool=pool,
            month=month,
            count=count,
            seed=self._seed(pool, month),
            candidates=await self._weighed(pool, today, known, told),
            told=told,
            known_position=known,
            today=today,
        )
        return await self._obey(call, command)

    async def reveal(self, call: Call, pool: str, month: Month) -> pb.InspectionMonth:
        """Tells the seed once the month is over."""
        today = self._clock.today()
        command = i.RevealSeed(pool=pool, month=month, seed=self._seed(pool, month), today=today)
        return await self._obey(call, command)

    async def record(self, call: Call, command: i.RecordInspection) -> pb.InspectionMonth:
        """What was found; a changed state orders a reassessment in the same append."""
        return await self._obey(call, command)

    async def month(self, pool: str, month: Month) -> pb.InspectionMonth:
        """Refuses NotFound where nothing was committed."""
        return _told(pool, month, await self._state(pool, month))

    async def candidates(self, pool: str, month: Month) -> list[tuple[UUID, int]]:
        """Those the month was drawn from, with their weights, ordered. Refuses NotFound."""
        drawn = (await self._state(pool, month)).drawn
        if drawn is None:
            raise NotFound("inspection month", f"{pool}/{month}")
        told = {one.person: one.weight for one in drawn.told_weights}
        weighed = await self._weighed(pool, drawn.drawn_date, drawn.known_position, told)
        return sorted(weighed.items())

    async def _weighed(
        self, pool: str, day: date, upto: int, told: Mapping[UUID, int]
    ) -> dict[UUID, int]:
        months = self._packs.pack_for(pool).integer("assessment.inspection_risk_months", day)
        found = await self._candidates.on(pool, day, upto)
        return {
            person: told.get(person, i.weight_of(conclusion, day, months))
            for person, conclusion in found.items()
        }

    async def _obey(self, call: Call, command: i.Command) -> pb.InspectionMonth:
        pool, month = command.pool, command.month
        stream = inspections_stream(pool, month)

        async def work(run: Work) -> pb.InspectionMonth:
            known = await run.load(INSPECTIONS, stream)
            events = i.decide(command, known)
            known = run.record(INSPECTIONS, stream, pool, events)
            for event in events:
                if isinstance(event, i.InspectionRecorded):
                    await self._order(run, event)
            return _told(pool, month, known)

        return await self._handler.execute(call, work, pb.InspectionMonth)

    async def _order(self, run: Work, found: i.InspectionRecorded) -> None:
        if found.finding is not i.InspectionFinding.STATE_CHANGED:
            return
        stream = reassessments_stream(found.pool, found.person)
        known = await run.load(REASSESSMENTS, stream)
        told = r.SpotCheckOrdered(
            person=found.person,
            pool=found.pool,
            cause=r.SpotCheckCause.INSPECTION,
            ordered_date=found.inspected_date,
            due_date=terms.spot_check_due(self._packs.pack_for(found.pool), found.inspected_date),
            inspection=found.inspection,
        )
        events = r.decide(r.OrderReassessment(told=told), known)
        run.record(REASSESSMENTS, stream, found.pool, events)

    async def _state(self, pool: str, month: Month) -> i.Inspections:
        known, version = await self._handler.load(INSPECTIONS, inspections_stream(pool, month))
        if version == 0:
            raise NotFound("inspection month", f"{pool}/{month}")
        return known

    def _seed(self, pool: str, month: Month) -> bytes:
        return self._keys.draw_seed(SEED, pool, month.first)


def _told(pool: str, month: Month, known: i.Inspections) -> pb.InspectionMonth:
    committed, drawn = known.committed, known.drawn
    return pb.InspectionMonth(
        pool=pool,
        month=str(month),
        commitment=committed.commitment if committed else "",
        committed_date=str(committed.committed_date) if committed else "",
        drawn_date=str(drawn.drawn_date) if drawn else "",
        drawn=[
            types.InspectionDraw(
                inspection=str(one.inspection), person=str(one.person), weight=one.weight
            )
            for one in (drawn.drawn if drawn else ())
        ],
        candidates_digest=drawn.candidates_digest if drawn else "",
        candidate_count=drawn.candidate_count if drawn else 0,
        seed=known.seed,
        recorded=[str(one) for one in sorted(known.recorded)],
    )
