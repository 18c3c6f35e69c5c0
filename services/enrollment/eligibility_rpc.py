"""`EligibilityService` on the wire: many questions in one call. It translates and nothing else."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

import grpc
from ltci.enrollment.v1 import eligibility_service_pb2 as pb
from ltci.enrollment.v1 import eligibility_service_pb2_grpc as pb_grpc

from kernel.refusal import Invalid, without_traceback
from kernel.rpc.around import Context
from kernel.rpc.errors import outcome_of, status_of
from kernel.rpc.private import person_named
from kernel.rpc.two_times import known_at
from kernel.rpc.validate import Check
from kernel.rules.ruling import Ruling
from kernel.service import Parts
from services.enrollment import wire
from services.enrollment.application.eligibility import Eligibility
from services.enrollment.domain.eligibility import Question

SERVICE = pb.DESCRIPTOR.services_by_name["EligibilityService"].full_name
MOST_QUESTIONS = 1000


class EligibilityServicer(pb_grpc.EligibilityServiceServicer):
    """The methods of `protos/ltci/enrollment/v1/eligibility_service.proto`."""

    def __init__(self, parts: Parts, eligibility: Eligibility) -> None:
        self._keys = parts.keys
        self._clock = parts.clock
        self._pools = frozenset(parts.packs.pools())
        self._domain = f"{parts.name}.ltci"
        self._eligibility = eligibility

    def add_to(self, server: grpc.aio.Server) -> Sequence[str]:
        pb_grpc.add_EligibilityServiceServicer_to_server(self, server)
        return [SERVICE]

    async def BatchCheckEligibility(  # noqa: N802 - the name in the proto
        self, request: pb.BatchCheckEligibilityRequest, _context: Context
    ) -> pb.BatchCheckEligibilityResponse:
        check, today = Check(), self._clock.today()
        pool = check.pool("pool", request.pool, self._pools)
        on_date = check.date("on_date", request.on_date)
        check.not_future("on_date", on_date, today)
        check.between("questions", len(request.questions), 0, MOST_QUESTIONS)
        moment = known_at(check, request, self._clock)
        check.done()
        read = [
            self._question(place, asked, pool, on_date, today)
            for place, asked in enumerate(request.questions)
        ]
        questions = await self._of_whom(
            [
                (one, bool(asked.identity_number))
                for one, asked in zip(read, request.questions, strict=True)
                if isinstance(one, Question)
            ]
        )
        ruled = iter(await self._eligibility.check_many(questions, moment))
        answered = [next(ruled) if isinstance(one, Question) else one for one in read]
        return pb.BatchCheckEligibilityResponse(
            answers=[self._answer(one, whole=request.with_rulings) for one in answered]
        )

    async def _of_whom(self, asked: Sequence[tuple[Question, bool]]) -> list[Question]:
        """The questions; those by a paper are about the person to whom it leads."""
        papers = [question.person for question, by_paper in asked if by_paper]
        led = await self._eligibility.led_to(papers) if papers else {}
        return [
            replace(question, person=led[question.person]) if by_paper else question
            for question, by_paper in asked
        ]

    def _question(
        self,
        place: int,
        asked: pb.EligibilityQuestion,
        pool: str,
        on_date: dt.date,
        today: dt.date,
    ) -> Question | Invalid:
        check = Check(at=f"questions[{place}].")
        person = person_named(check, asked.person, asked.identity_number, self._keys, today)
        try:
            check.done()
        except Invalid as invalid:
            return without_traceback(invalid)
        return Question(person=person, pool=pool, on_date=on_date)

    def _answer(self, one: Ruling | Exception, *, whole: bool) -> pb.EligibilityAnswer:
        if isinstance(one, Exception):
            return pb.EligibilityAnswer(status=status_of(outcome_of(one), self._domain))
        return pb.EligibilityAnswer(eligibility=wire.eligibility(one, whole=whole))
