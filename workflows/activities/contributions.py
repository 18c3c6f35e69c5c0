"""What workflows ask of enrollment about contributions (年度征缴)."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

import grpc
from ltci.enrollment.v1 import contribution_service_pb2 as pb
from ltci.enrollment.v1 import contribution_service_pb2_grpc as rpc
from temporalio import activity

from kernel.ids import derive
from workflows.activities.calling import ask, signs_of_life

CHUNK = 500  # people a call


@dataclass(frozen=True)
class YearStep:
    """A step of a pool's year."""

    pool: str
    year: int
    request_id: str


@dataclass(frozen=True)
class YearQuestion:
    pool: str
    year: int


@dataclass(frozen=True)
class Reminder:
    """Remind before a last day to pay."""

    pool: str
    year: int
    due_date: str
    request_id: str


@dataclass(frozen=True)
class Reminded:
    person_count: int
    owed_fen: int


@dataclass(frozen=True)
class LastDay:
    """A last day to pay; the reminder's day is empty where there is none."""

    due_date: str
    reminder_date: str = ""


@dataclass(frozen=True)
class YearRules:
    """What the pool's rules say about a year; nothing where they do not say."""

    deadlines: list[LastDay]
    arrears_suspend: bool


@dataclass(frozen=True)
class Done:
    """How far a step has gone through a pool's people; also what the heartbeat carries."""

    after_person: str = ""
    chunk_count: int = 0
    person_count: int = 0
    done_count: int = 0  # dues determined, people suspended or counting again
    not_done_count: int = 0  # dues that could not be determined
    due_fen: int = 0


class ContributionActivities:
    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._service = rpc.ContributionServiceStub(channel)

    @activity.defn(name="enrollment.GetContributionYear")
    async def get_contribution_year(self, asked: YearQuestion) -> YearRules:
        request = pb.GetContributionYearRequest(pool=asked.pool, year=asked.year)
        told = await ask(self._service.GetContributionYear, request, timeout=8)
        return YearRules(
            deadlines=[LastDay(one.due_date, one.reminder_date) for one in told.deadlines],
            arrears_suspend=told.arrears_suspend,
        )

    @activity.defn(name="enrollment.RemindContributions")
    async def remind_contributions(self, asked: Reminder) -> Reminded:
        request = pb.RemindContributionsRequest(**asdict(asked))
        async with signs_of_life():
            told = await ask(self._service.RemindContributions, request, timeout=110)
        return Reminded(told.person_count, told.owed_fen)

    @activity.defn(name="enrollment.DeterminePoolDues")
    async def determine_pool_dues(self, asked: YearStep) -> Done:
        """Determines the dues of all people of the pool, chunk by chunk."""

        async def chunk(so_far: Done) -> Done:
            request = pb.DeterminePoolDuesRequest(**_chunk_of(asked, so_far))
            told = await ask(self._service.DeterminePoolDues, request, timeout=110)
            return replace(
                _gone_on(so_far, told, told.due_count),
                not_done_count=so_far.not_done_count + len(told.not_determined),
                due_fen=so_far.due_fen + told.due_fen,
            )

        return await _through(chunk)

    @activity.defn(name="enrollment.SuspendForArrears")
    async def suspend_for_arrears(self, asked: YearStep) -> Done:
        """Suspends all who owe what they should have paid, chunk by chunk."""
        return await self._arrears(
            self._service.SuspendForArrears, pb.SuspendForArrearsRequest, asked
        )

    @activity.defn(name="enrollment.ResumeAfterPayment")
    async def resume_after_payment(self, asked: YearStep) -> Done:
        """Lets all count again who have paid since, chunk by chunk."""
        method, request = self._service.ResumeAfterPayment, pb.ResumeAfterPaymentRequest
        return await self._arrears(method, request, asked)

    async def _arrears(
        self, method: Callable[..., Any], request_class: Callable[..., Any], asked: YearStep
    ) -> Done:
        async def chunk(so_far: Done) -> Done:
            told = await ask(method, request_class(**_chunk_of(asked, so_far)), timeout=110)
            return _gone_on(so_far, told, told.changed_count)

        return await _through(chunk)


async def _through(chunk: Callable[[Done], Awaitable[Done]]) -> Done:
    """All chunks of a step; an attempt goes on where the heartbeat of the one before it was.

    A chunk that was done but not yet told by a heartbeat is asked for again under the same
    request id: what was done in it is found done.
    """
    told = activity.info().heartbeat_details
    so_far = Done(**told[0]) if told and told[0] else Done()
    async with signs_of_life(lambda: asdict(so_far)):
        while so_far.chunk_count == 0 or so_far.after_person:
            so_far = await chunk(so_far)
            activity.heartbeat(asdict(so_far))
    return so_far


def _chunk_of(asked: YearStep, so_far: Done) -> dict[str, Any]:
    return {
        "pool": asked.pool,
        "year": asked.year,
        "after_person": so_far.after_person,
        "chunk_size": CHUNK,
        "request_id": str(derive(asked.request_id, "chunk", so_far.after_person)),
    }


def _gone_on(so_far: Done, told: pb.DuesChunk | pb.ArrearsChunk, done: int) -> Done:
    return replace(
        so_far,
        after_person=told.next_after_person,
        chunk_count=so_far.chunk_count + 1,
        person_count=so_far.person_count + told.person_count,
        done_count=so_far.done_count + done,
    )
