"""What workflows ask of provider about the evidence of visits (佐证销毁)."""

from dataclasses import dataclass

import grpc
from ltci.provider.v1 import evidence_service_pb2 as pb
from ltci.provider.v1 import evidence_service_pb2_grpc as rpc
from temporalio import activity

from kernel.ids import derive
from workflows.activities.calling import ask, signs_of_life

BATCH = 500  # visits a call


@dataclass(frozen=True)
class EvidenceQuestion:
    """A pool's evidence up to a day, as ISO text."""

    pool: str
    up_to_date: str


@dataclass(frozen=True)
class EvidenceStep:
    pool: str
    up_to_date: str
    request_id: str


@dataclass(frozen=True)
class Kept:
    """How much is due, held by flags, and to be waited for.

    Due is what is of `over_date` or before it; more is due on `due_date`.
    """

    due_count: int
    held_count: int
    waiting_count: int
    due_date: str = ""
    over_date: str = ""


class EvidenceActivities:
    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._service = rpc.EvidenceServiceStub(channel)

    @activity.defn(name="provider.GetKeptEvidence")
    async def get_kept_evidence(self, asked: EvidenceQuestion) -> Kept:
        request = pb.GetKeptEvidenceRequest(pool=asked.pool, up_to_date=asked.up_to_date)
        told = await ask(self._service.GetKeptEvidence, request, timeout=8)
        return Kept(
            told.due_count, told.held_count, told.waiting_count, told.due_date, told.over_date
        )

    @activity.defn(name="provider.ForgetEvidence")
    async def forget_evidence(self, asked: EvidenceStep) -> int:
        """Forgets all that is due, batch by batch; how many visits that were.

        An attempt that follows another asks for the batches again under their request ids, from
        the one on that its heartbeat told: what was forgotten then is answered as it was.
        """
        told = activity.info().heartbeat_details
        so_far: list[int] = told[0] if told and told[0] else [0, 0]
        batch, forgotten = so_far
        answer: pb.ForgetEvidenceResponse
        async with signs_of_life(lambda: [batch, forgotten]):
            while True:
                request = pb.ForgetEvidenceRequest(
                    pool=asked.pool,
                    up_to_date=asked.up_to_date,
                    visit_count_max=BATCH,
                    request_id=str(derive(asked.request_id, "batch", str(batch))),
                )
                answer = await ask(self._service.ForgetEvidence, request, timeout=60)
                batch, forgotten = batch + 1, forgotten + answer.forgotten_count
                if not answer.due_count:
                    return forgotten
                activity.heartbeat([batch, forgotten])
