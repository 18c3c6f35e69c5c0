"""The pool's registers: assessment bodies, assessors and experts, service points."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from ltci.assessment.v1 import assessor_service_pb2 as pb
from ltci.assessment.v1 import intake_service_pb2 as intake

from kernel.eventstore.handle import Call, Work
from kernel.service import Parts
from services.assessment import register_wire as wire
from services.assessment.domain import assessor as a
from services.assessment.domain import body as b
from services.assessment.domain import service_point as s
from services.assessment.streams import (
    ASSESSORS,
    BODIES,
    POINTS,
    assessor_stream,
    body_stream,
    point_stream,
)


class Registers:
    """Who may assess in a pool, for whom they work, and where applications come in."""

    def __init__(self, parts: Parts) -> None:
        self._handler = parts.handler
        self._packs = parts.packs
        self._clock = parts.clock

    async def change_body(self, call: Call, command: b.BodyCommand) -> pb.AssessmentBody:
        """Obeys a command on an assessment body. Refuses as `body.decide`."""
        told = command.told
        stream = body_stream(told.pool, told.body)

        async def work(run: Work) -> pb.AssessmentBody:
            body = await run.load(BODIES, stream)
            events = b.decide(command, body, self._packs.pack_for(told.pool))
            return wire.body(run.record(BODIES, stream, told.pool, events))

        return await self._handler.execute(call, work, pb.AssessmentBody)

    async def register_assessor(self, call: Call, command: a.RegisterAssessor) -> pb.Assessor:
        """Puts somebody on the register. Refuses as `assessor.decide`."""
        return await self._on_assessor(call, command, command.pool, command.assessor)

    async def change_assessor(
        self, call: Call, command: a.BarAssessor | a.RestoreAssessor | a.DeclareTie
    ) -> pb.Assessor:
        """Obeys a command on an assessor. Refuses as `assessor.decide`."""
        return await self._on_assessor(call, command, command.told.pool, command.told.assessor)

    async def register_point(
        self, call: Call, command: s.RegisterServicePoint
    ) -> intake.ServicePoint:
        """Registers a service point."""
        told = command.told
        stream = point_stream(told.pool, told.service_point)

        async def work(run: Work) -> intake.ServicePoint:
            events = s.decide(command, await run.load(POINTS, stream))
            return wire.point(run.record(POINTS, stream, told.pool, events))

        return await self._handler.execute(call, work, intake.ServicePoint)

    async def bodies(self, pool: str, names: Sequence[UUID]) -> list[pb.AssessmentBody]:
        """The bodies as they stand now, in the order given."""
        streams = [body_stream(pool, name) for name in names]
        states = await self._handler.load_many(BODIES, streams)
        return [wire.body(states[stream][0]) for stream in streams]

    async def assessors(self, pool: str, names: Sequence[str]) -> list[pb.Assessor]:
        """The assessors as they stand now, in the order given."""
        streams = [assessor_stream(pool, name) for name in names]
        states = await self._handler.load_many(ASSESSORS, streams)
        today = self._clock.today()
        return [wire.assessor(states[stream][0], today) for stream in streams]

    async def points(self, pool: str, names: Sequence[UUID]) -> list[intake.ServicePoint]:
        """The service points, in the order given."""
        streams = [point_stream(pool, name) for name in names]
        states = await self._handler.load_many(POINTS, streams)
        return [wire.point(states[stream][0]) for stream in streams]

    async def _on_assessor(
        self, call: Call, command: a.AssessorCommand, pool: str, name: str
    ) -> pb.Assessor:
        stream = assessor_stream(pool, name)

        async def work(run: Work) -> pb.Assessor:
            known = await run.load(ASSESSORS, stream)
            obeyed = command
            if isinstance(obeyed, a.RegisterAssessor) and obeyed.body is not None:
                body = await run.load(BODIES, body_stream(pool, obeyed.body))
                in_force = body.in_force(obeyed.registered_date)
                obeyed = replace(obeyed, body_in_force=in_force)
            events = a.decide(obeyed, known, self._packs.pack_for(pool))
            known = run.record(ASSESSORS, stream, pool, events)
            return wire.assessor(known, self._clock.today())

        return await self._handler.execute(call, work, pb.Assessor)
