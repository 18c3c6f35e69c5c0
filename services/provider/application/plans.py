"""Use cases around care plans."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeAlias
from uuid import UUID

from ltci.provider.v1 import provider_service_pb2 as pb

from kernel.eventstore.handle import Call, Handler, Work
from kernel.refusal import NotFound
from kernel.rules.library import PackLibrary
from services.provider.application.streams import PLANS, PROVIDER, plan_stream, provider_stream
from services.provider.domain import plan
from services.provider.domain.place import Place
from services.provider.domain.plan import CareForm
from services.provider.wire import plan_answer

PlanOwners: TypeAlias = Callable[[Sequence[UUID]], Awaitable[Mapping[UUID, tuple[str, UUID]]]]
"""Whose plans these are: pool and person by plan, without those that do not exist."""


@dataclass(frozen=True, kw_only=True)
class NewPlan:
    """A plan as it is asked for."""

    plan: UUID
    person: UUID
    pool: str
    provider: UUID
    form: CareForm
    start_date: date
    place: Place
    provider_level: str = ""


class CarePlans:
    """Puts plans in force and ends them."""

    def __init__(self, handler: Handler, packs: PackLibrary, owners: PlanOwners) -> None:
        self._handler = handler
        self._packs = packs
        self._owners = owners

    async def approve(self, call: Call, new: NewPlan) -> pb.Plan:
        """Puts the plan in force, and ends an open one before it."""
        stream = plan_stream(new.pool, new.person)

        async def work(work: Work) -> pb.Plan:
            command = plan.ApprovePlan(
                **vars(new),
                agreement=await work.load(PROVIDER, provider_stream(new.provider)),
                forms_offered=self._packs.pack_for(new.pool).forms(new.start_date),
            )
            state = await work.load(PLANS, stream)
            events = plan.decide(command, state)
            state = work.record(PLANS, stream, new.pool, events)
            approved = state.find(new.plan) or state.like(command)
            if approved is None:
                raise AssertionError("an approved plan is among the person's plans")
            return plan_answer(approved)

        return await self._handler.execute(call, work, pb.Plan)

    async def end(self, call: Call, command: plan.EndPlan) -> pb.Plan:
        """Ends the plan. Refuses NOT_FOUND."""

        async def work(work: Work) -> pb.Plan:
            pool, person = await owner_of(self._owners, command.plan)
            stream = plan_stream(pool, person)
            events = plan.decide(command, await work.load(PLANS, stream))
            ended = work.record(PLANS, stream, pool, events).find(command.plan)
            if ended is None:
                raise NotFound("plan", command.plan)
            return plan_answer(ended)

        return await self._handler.execute(call, work, pb.Plan)


async def owner_of(owners: PlanOwners, name: UUID) -> tuple[str, UUID]:
    """Pool and person of a plan. Refuses NOT_FOUND."""
    found = (await owners([name])).get(name)
    if found is None:
        raise NotFound("plan", name)
    return found
