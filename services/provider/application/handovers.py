"""Use case: the people of a provider that stopped go to others."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date
from typing import TypeAlias
from uuid import UUID

from ltci.provider.v1 import sanction_service_pb2 as pb

from kernel.eventstore.handle import Call, Handler, Work
from kernel.ids import derive
from kernel.refusal import Refused
from services.provider.application.streams import PLANS, PROVIDER, plan_stream, provider_stream
from services.provider.domain import handover
from services.provider.domain.agreement import admitted
from services.provider.domain.handover import Handover, Left, Receiver
from services.provider.domain.plan import CareForm, Plan, covers
from services.provider.domain.standing import PlansHandedOver

MOVED_A_CALL = 200  # all of them in one append
LOOKED_AT = 400  # plans whose streams are read in one call
RunningPlans: TypeAlias = Callable[[UUID, str], Awaitable[list[tuple[UUID, UUID]]]]
"""Plan and person of a provider's plans that have not ended before the day, by age."""


class Handovers:
    """Moves plans from a provider that stopped to others."""

    def __init__(self, handler: Handler, running: RunningPlans) -> None:
        self._handler = handler
        self._running = running

    async def hand_over(
        self, call: Call, provider: UUID, day: date, receivers: tuple[Receiver, ...]
    ) -> pb.HandOverPlansResponse:
        """Moves at most `MOVED_A_CALL` plans, in one append.

        Refuses PROVIDER_SERVES while the provider may serve on the day, PROVIDER_NOT_IN_POOL
        and RECEIVER_NOT_IN_FORCE for a receiver.
        """

        async def work(work: Work) -> pb.HandOverPlansResponse:
            stream = provider_stream(provider)
            old = await work.load(PROVIDER, stream)
            pool = admitted(provider, old).pool
            if old.serves_on(day):
                raise Refused("PROVIDER_SERVES", on=day.isoformat())
            able = [await _able(work, receiver, pool, day) for receiver in receivers]
            listed = await self._running(provider, day.isoformat())
            now, rest = listed[:LOOKED_AT], listed[LOOKED_AT:]
            plans = await _plans(work, pool, now, provider, day)
            numbered = [(plan, derive("handover", str(plan.approved.plan))) for plan in plans]
            found = handover.order(numbered, able, day, MOVED_A_CALL)
            if found.full:  # then there is no place for the rest either
                found = replace(found, left=(*found.left, *map(_without_place, rest)))
            else:
                found = replace(found, waiting=found.waiting + len(rest))
            for moved in found.moved:
                theirs = plan_stream(pool, moved.plan.approved.person)
                state = await work.load(PLANS, theirs)
                work.record(PLANS, theirs, pool, handover.decide(moved, state, day))
            events = [_told(provider, pool, day, found)] if found.moved or found.left else []
            work.record(PROVIDER, stream, pool, events)
            return _answer(found)

        return await self._handler.execute(call, work, pb.HandOverPlansResponse)


async def _able(work: Work, receiver: Receiver, pool: str, day: date) -> Receiver:
    """The receiver with the forms of care that its agreement covers."""
    state = await work.load(PROVIDER, provider_stream(receiver.provider))
    if admitted(receiver.provider, state).pool != pool:
        raise Refused("PROVIDER_NOT_IN_POOL", provider=str(receiver.provider), pool=pool)
    if not state.serves_on(day):
        raise Refused("RECEIVER_NOT_IN_FORCE", provider=str(receiver.provider))
    forms = frozenset(form for form in CareForm if covers(state, form, day))
    return replace(receiver, forms=forms)


async def _plans(
    work: Work, pool: str, listed: list[tuple[UUID, UUID]], provider: UUID, day: date
) -> list[Plan]:
    """The listed plans as they stand; the list may be a moment behind."""
    streams = [plan_stream(pool, person) for _, person in listed]
    states = await work.load_many(PLANS, streams)
    found: list[Plan] = []
    for (name, _), stream in zip(listed, streams, strict=True):
        plan = states[stream].find(name)
        if plan is None or plan.approved.provider != provider:
            continue
        if plan.end_date is None or plan.end_date >= day:
            found.append(plan)
    return found


def _told(provider: UUID, pool: str, day: date, found: Handover) -> PlansHandedOver:
    return PlansHandedOver(
        provider=provider,
        pool=pool,
        handover_date=day,
        moved_plans=tuple(one.plan.approved.plan for one in found.moved),
        plans_without_provider=tuple(one.plan for one in found.left),
    )


def _without_place(listed: tuple[UUID, UUID]) -> Left:
    plan, person = listed
    return Left(plan=plan, person=person, reason=handover.NO_PLACE_LEFT)


def _answer(found: Handover) -> pb.HandOverPlansResponse:
    return pb.HandOverPlansResponse(
        moved=[
            pb.MovedPlan(
                plan=str(one.plan.approved.plan),
                new_plan=str(one.new_plan),
                person=str(one.plan.approved.person),
                provider=str(one.provider),
            )
            for one in found.moved
        ],
        without_provider=[
            pb.PlanWithoutProvider(plan=str(one.plan), person=str(one.person), reason=one.reason)
            for one in found.left
        ],
        remaining_count=found.waiting,
    )
