"""`PreviewService` on the wire: it translates and nothing else."""

from collections.abc import Sequence

import grpc
from ltci.payment.v1 import payment_types_pb2 as types
from ltci.payment.v1 import preview_service_pb2 as pb
from ltci.payment.v1 import preview_service_pb2_grpc as pb_grpc

from kernel.rpc.around import Context
from kernel.rpc.validate import Check
from kernel.service import Parts
from services.payment.application.previews import Previews
from services.payment.domain.course import Course
from services.payment.domain.facts import Authority, Conclusion
from services.payment.domain.preview import NOT_RECORDED, Effect, PreviewedMonth

MOST_ROUNDS = 100
HIGHEST_GRADE = 5


class PreviewServicer(pb_grpc.PreviewServiceServicer):
    """The methods of `protos/ltci/payment/v1/preview_service.proto`."""

    def __init__(self, parts: Parts, previews: Previews) -> None:
        self._pools = parts.packs.pools()
        self._previews = previews

    def add_to(self, server: grpc.aio.Server) -> Sequence[str]:
        pb_grpc.add_PreviewServiceServicer_to_server(self, server)
        return [pb.DESCRIPTOR.services_by_name["PreviewService"].full_name]

    async def PreviewConclusion(  # noqa: N802 - the name in the proto
        self, request: pb.PreviewConclusionRequest, _context: Context
    ) -> pb.ConclusionEffect:
        check = Check()
        person = check.uuid("person", request.person)
        pool = check.pool("pool", request.pool, self._pools)
        first = check.date("effective_date", request.effective_date)
        last = check.date("valid_until_date", request.valid_until_date)
        check.in_order("valid_until_date", first, last)
        thought = Conclusion(
            ref=NOT_RECORDED,
            application=check.uuid("application", request.application),
            grade=check.between("grade", request.grade, 0, HIGHEST_GRADE),
            eligible=request.grade_eligible,
            conclusion_date=check.date("conclusion_date", request.conclusion_date),
            effective_date=first,
            valid_until_date=last,
            authority=Authority.APPEAL,
            round=check.between("round", request.round, 1, MOST_ROUNDS),
        )
        check.done()
        return _told(await self._previews.conclusion(person, pool, thought))


def _told(effect: Effect) -> pb.ConclusionEffect:
    return pb.ConclusionEffect(
        months=[_month(month) for month in effect.months],
        as_known=_turns(effect.as_known),
        as_would_be=_turns(effect.as_would_be),
        difference_fen=effect.difference_fen,
        digest=effect.digest,
    )


def _month(one: PreviewedMonth) -> pb.PreviewedMonth:
    return pb.PreviewedMonth(
        month=str(one.month),
        settled=one.determined is not None,
        determined_fen=one.determined.fen if one.determined is not None else 0,
        known_fen=one.known.fen,
        would_be_fen=one.would_be.fen,
        difference_fen=one.difference_fen,
        known_grade=one.known_grade,
        would_be_grade=one.would_be_grade,
        refused=one.refused,
    )


def _turns(course: Course) -> list[pb.EntitlementTurn]:
    return [
        pb.EntitlementTurn(
            effective_date=str(day),
            state=types.EntitlementState.Value(f"ENTITLEMENT_STATE_{standing.state.upper()}"),
            grade=standing.grade,
            cause=standing.cause,
        )
        for day, standing in course.turns
    ]
