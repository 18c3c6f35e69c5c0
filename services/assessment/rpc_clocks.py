"""`ClockService` on the wire: legal clocks stopped, noted, listed and counted (法定时限)."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

import grpc
from ltci.assessment.v1 import clock_service_pb2 as pb
from ltci.assessment.v1 import clock_service_pb2_grpc as pb_grpc
from ltci.assessment.v1 import clock_types_pb2 as types

from kernel.rpc.around import Context
from kernel.rpc.paging import Page, page_of
from kernel.rpc.private import private_call
from kernel.rpc.validate import Check
from kernel.service import Parts
from services.assessment import wire_clocks
from services.assessment.application import Assessment
from services.assessment.clock_projection import ClocksReader, Key, Punctual, Question
from services.assessment.domain import timekeeping as t
from services.assessment.domain.clocks import clock_of
from services.assessment.domain.events import ClockStep

SERVICE = pb.DESCRIPTOR.services_by_name["ClockService"].full_name
WHOLE = 10_000  # basis points


class ClockServicer(pb_grpc.ClockServiceServicer):
    """The methods of `protos/ltci/assessment/v1/clock_service.proto`."""

    def __init__(self, parts: Parts, assessment: Assessment, reader: ClocksReader) -> None:
        self._keys = parts.keys
        self._clock = parts.clock
        self._packs = parts.packs
        self._assessment = assessment
        self._reader = reader

    def add_to(self, server: grpc.aio.Server) -> Sequence[str]:
        pb_grpc.add_ClockServiceServicer_to_server(self, server)
        return [SERVICE]

    async def GetClocks(  # noqa: N802 - the name in the proto
        self, request: pb.GetClocksRequest, _context: Context
    ) -> pb.Clocks:
        check = Check()
        application = check.uuid("application", request.application)
        check.done()
        place, clocks = await self._assessment.clocks(application)
        return pb.Clocks(
            application=str(application),
            clocks=[wire_clocks.clock(one, *place) for one in clocks],
        )

    async def PauseClock(  # noqa: N802 - the name in the proto
        self, request: pb.PauseClockRequest, context: Context
    ) -> pb.Deadlines:
        check = Check()
        command = t.PauseClock(
            application=check.uuid("application", request.application),
            step=_optional_step(check, request.step),
            reason=check.text("reason", request.reason, max=64),
            from_date=self._past_day(check, "from_date", request.from_date),
            today=self._clock.today(),
        )
        return await self._obey(check, command, request, context)

    async def ResumeClock(  # noqa: N802 - the name in the proto
        self, request: pb.ResumeClockRequest, context: Context
    ) -> pb.Deadlines:
        check = Check()
        command = t.ResumeClock(
            application=check.uuid("application", request.application),
            step=_optional_step(check, request.step),
            resumed_date=self._past_day(check, "resumed_date", request.resumed_date),
            today=self._clock.today(),
        )
        return await self._obey(check, command, request, context)

    async def NoteClock(  # noqa: N802 - the name in the proto
        self, request: pb.NoteClockRequest, context: Context
    ) -> pb.Deadlines:
        check = Check()
        command = t.NoteClock(
            application=check.uuid("application", request.application),
            step=_step(check, "step", request.step),
            notice=check.enum("notice", request.notice, types.ClockNotice, t.ClockNotice),
            today=self._clock.today(),
        )
        return await self._obey(check, command, request, context)

    async def ListClocks(  # noqa: N802 - the name in the proto
        self, request: pb.ListClocksRequest, _context: Context
    ) -> pb.ListClocksResponse:
        check, today = Check(), self._clock.today()
        if request.filter not in pb.ClockFilter.values():
            known = ", ".join(pb.ClockFilter.keys()[1:])
            check.fail(
                "filter", "UNKNOWN_VALUE", f"must be one of: {known}", f"应为以下之一:{known}"
            )
        question = Question(
            pool=self._pool(check, request.pool),
            today=today,
            steps=tuple(_step(check, f"steps[{n}]", one) for n, one in enumerate(request.steps)),
            overdue=request.filter == pb.CLOCK_FILTER_OVERDUE,
            ended=request.filter == pb.CLOCK_FILTER_ALL,
        )
        check.done()
        page = page_of(request)
        found = await self._reader.page(question, _after(page), page.size + 1)
        given, token = found[: page.size], ""
        if len(found) > page.size:
            due, *rest = given[-1].key
            token = page.next_token([str(due), *map(str, rest)])
        shown = ((clock_of(one.run, self._packs.pack_for(one.pool), today), one) for one in given)
        return pb.ListClocksResponse(
            clocks=[
                wire_clocks.clock(clock, row.pool, row.person)
                for clock, row in shown
                if clock is not None
            ],
            next_page_token=token,
        )

    async def GetPunctuality(  # noqa: N802 - the name in the proto
        self, request: pb.GetPunctualityRequest, _context: Context
    ) -> pb.Punctuality:
        check = Check()
        pool = self._pool(check, request.pool)
        first = check.date("first_date", request.first_date)
        last = check.date("last_date", request.last_date)
        check.in_order("last_date", first, last)
        check.done()
        found = await self._reader.punctuality(pool, first, last, self._clock.today())
        return pb.Punctuality(
            pool=pool,
            first_date=first.isoformat(),
            last_date=last.isoformat(),
            steps=[_punctual(one) for one in found],
        )

    async def _obey(
        self,
        check: Check,
        command: t.Timekeeping,
        request: pb.PauseClockRequest | pb.ResumeClockRequest | pb.NoteClockRequest,
        context: Context,
    ) -> pb.Deadlines:
        call = private_call(check, request, context, self._keys)
        answer = await self._assessment.obey(call, command)
        return pb.Deadlines(application=answer.application, deadlines=answer.deadlines)

    def _pool(self, check: Check, told: str) -> str:
        return check.pool("pool", told, self._packs.pools()) if told else ""

    def _past_day(self, check: Check, field: str, told: str) -> date:
        day = check.date(field, told)
        check.not_future(field, day, self._clock.today())
        return day


def _step(check: Check, field: str, number: int) -> ClockStep:
    return check.enum(field, number, types.ClockStep, ClockStep)


def _optional_step(check: Check, number: int) -> ClockStep | None:
    return _step(check, "step", number) if number else None


def _after(page: Page) -> Key | None:
    if page.after is None:
        return None
    due, pool, person, application, step, number = map(str, page.after)
    return date.fromisoformat(due), pool, UUID(person), application, step, int(number)


def _punctual(one: Punctual) -> pb.StepPunctuality:
    return pb.StepPunctuality(
        step=wire_clocks.step(one.step),
        done_count=one.done,
        in_time_count=one.in_time,
        late_count=one.done - one.in_time,
        in_time_basis_points=one.in_time * WHOLE // one.done if one.done else 0,
        total_days_count=one.total_days,
        overdue_count=one.overdue,
        running_count=one.running,
    )
