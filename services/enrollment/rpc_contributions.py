"""`ContributionService` on the wire: it translates and nothing else."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

import grpc
from ltci.enrollment.v1 import contribution_service_pb2 as pb
from ltci.enrollment.v1 import contribution_service_pb2_grpc as pb_grpc

from kernel.eventstore.handle import Call
from kernel.refusal import Invalid
from kernel.rpc.around import Context
from kernel.rpc.bulk import Row, answer_rows, check_rows
from kernel.rpc.paging import page_of
from kernel.rpc.private import private_call
from kernel.rpc.two_times import known_at
from kernel.rpc.validate import Check
from kernel.service import Parts
from services.enrollment import wire_contributions as wire
from services.enrollment.account_tables import AccountReader
from services.enrollment.application.accounts import Accounts
from services.enrollment.application.contribution_years import ContributionYears
from services.enrollment.application.dues import Dues
from services.enrollment.application.employers import Employers
from services.enrollment.domain import dues as d
from services.enrollment.requests_contributions import ContributionRequests

_ArrearsStep = Callable[[Call, str, int, UUID | None, int], Awaitable[tuple[Sequence[UUID], int]]]
SERVICE = pb.DESCRIPTOR.services_by_name["ContributionService"].full_name


@dataclass(frozen=True, kw_only=True)
class ContributionCases:
    """The use cases behind the methods."""

    dues: Dues
    accounts: Accounts
    employers: Employers
    years: ContributionYears


class ContributionServicer(pb_grpc.ContributionServiceServicer):
    """The methods of `protos/ltci/enrollment/v1/contribution_service.proto`."""

    def __init__(self, parts: Parts, cases: ContributionCases, reader: AccountReader) -> None:
        self._handler = parts.handler
        self._keys = parts.keys
        self._clock = parts.clock
        self._store = parts.store
        self._codec = parts.codec
        self._domain = f"{parts.name}.ltci"
        self._requests = ContributionRequests(parts.keys, parts.packs, parts.clock)
        self._dues = cases.dues
        self._accounts = cases.accounts
        self._employers = cases.employers
        self._years = cases.years
        self._reader = reader

    def add_to(self, server: grpc.aio.Server) -> Sequence[str]:
        pb_grpc.add_ContributionServiceServicer_to_server(self, server)
        return [SERVICE]

    async def DetermineDues(  # noqa: N802 - the name in the proto
        self, request: pb.DetermineDuesRequest, context: Context
    ) -> pb.Due:
        check = Check()
        question = self._requests.question(check, request)
        call = private_call(check, request, context, self._keys)
        return await self._dues.determine(call, question)

    async def DeterminePoolDues(  # noqa: N802 - the name in the proto
        self, request: pb.DeterminePoolDuesRequest, context: Context
    ) -> pb.DuesChunk:
        check = Check()
        pool = self._requests.pool(check, request.pool)
        year = self._requests.year(check, request.year)
        after, size = self._requests.chunk(check, request.after_person, request.chunk_size)
        call = private_call(check, request, context, self._keys)
        await self._caught_up()
        persons = await self._reader.insured_after(pool, after, size)
        questions = [d.Question(person=person, pool=pool, year=year) for person in persons]
        return await self._chunk(call, questions, size)

    async def DetermineEmployerDues(  # noqa: N802 - the name in the proto
        self, request: pb.DetermineEmployerDuesRequest, context: Context
    ) -> pb.DuesChunk:
        check = Check()
        code = check.social_credit_code("social_credit_code", request.social_credit_code)
        month = check.month("month", request.month)
        after, size = self._requests.chunk(check, request.after_person, request.chunk_size)
        call = private_call(check, request, context, self._keys)
        employer = await self._employers.employer(code)
        await self._caught_up()
        persons = await self._reader.staff_after(employer.employer, month, after, size)
        questions = [
            d.Question(
                person=person,
                pool=employer.pool,
                year=month.year,
                month=month,
                employer=employer.employer,
            )
            for person in persons
        ]
        return await self._chunk(call, questions, size)

    async def ListDues(  # noqa: N802 - the name in the proto
        self, request: pb.ListDuesRequest, _context: Context
    ) -> pb.ListDuesResponse:
        check = Check()
        pool = self._requests.pool(check, request.pool)
        year = self._requests.year(check, request.year)
        person = check.optional_uuid("person", request.person)
        check.done()
        page = page_of(request)
        after = None
        if page.after:
            after = (UUID(str(page.after[0])), str(page.after[1]), str(page.after[2]))
        found = await self._reader.positions(
            pool, year, person=person, after=after, limit=page.size + 1
        )
        given = found[: page.size]
        recorded = await self._store.read_positions([position for _, position in given])
        told = {one.position: self._codec.decode_clear(one.type, one.payload) for one in recorded}
        last = [str(part) for part in given[-1][0]] if given else []
        return pb.ListDuesResponse(
            dues=[wire.due(told[position], with_ruling=False) for _, position in given],
            next_page_token=page.next_token(last) if len(found) > page.size else "",
        )

    async def GetAccount(  # noqa: N802 - the name in the proto
        self, request: pb.GetAccountRequest, _context: Context
    ) -> pb.Account:
        check = Check()
        person = check.uuid("person", request.person)
        pool = self._requests.pool(check, request.pool)
        year = self._requests.year(check, request.year)
        moment = known_at(check, request, self._clock)
        check.done()
        account = await self._accounts.account(pool, person, year, moment)
        day = moment.date() if moment is not None else self._clock.today()
        return wire.account(person, pool, year, account, account.owed(day).fen)

    async def GetPoolAccount(  # noqa: N802 - the name in the proto
        self, request: pb.GetPoolAccountRequest, _context: Context
    ) -> pb.PoolAccount:
        check = Check()
        pool = self._requests.pool(check, request.pool)
        year = self._requests.year(check, request.year)
        check.done()
        await self._caught_up()
        return pb.PoolAccount(
            lines=[wire.pool_line(line) for line in await self._reader.sums(pool, year)]
        )

    async def RefundContribution(  # noqa: N802 - the name in the proto
        self, request: pb.RefundContributionRequest, context: Context
    ) -> pb.Refund:
        check = Check()
        told = self._requests.refund(check, request)
        call = private_call(check, request, context, self._keys)
        return await self._accounts.refund(call, told)

    async def RegisterEmployer(  # noqa: N802 - the name in the proto
        self, request: pb.RegisterEmployerRequest, context: Context
    ) -> pb.Employer:
        check = Check()
        told = self._requests.employer(check, request)
        call = private_call(check, request, context, self._keys)
        return await self._employers.register(call, told)

    async def GetEmployer(  # noqa: N802 - the name in the proto
        self, request: pb.GetEmployerRequest, _context: Context
    ) -> pb.Employer:
        check = Check()
        code = check.social_credit_code("social_credit_code", request.social_credit_code)
        check.done()
        return wire.employer(await self._employers.employer(code))

    async def ImportStaff(  # noqa: N802 - the name in the proto
        self, request_iterator: AsyncIterator[pb.ImportStaffRequest], context: Context
    ) -> AsyncIterator[pb.ImportStaffResponse]:
        first_row = 0
        async for request in request_iterator:
            check_rows(request.rows)
            results = await answer_rows(
                self._handler,
                [self._staff_row(row, context) for row in request.rows],
                first_row=first_row,
                validate_only=request.validate_only,
                domain=self._domain,
            )
            first_row += len(request.rows)
            yield pb.ImportStaffResponse(results=results)

    async def OpenContributionYear(  # noqa: N802 - the name in the proto
        self, request: pb.OpenContributionYearRequest, context: Context
    ) -> pb.ContributionYear:
        check = Check()
        pool = self._requests.pool(check, request.pool)
        year = self._requests.year(check, request.year)
        call = private_call(check, request, context, self._keys)
        return await self._years.open(call, pool, year)

    async def GetContributionYear(  # noqa: N802 - the name in the proto
        self, request: pb.GetContributionYearRequest, _context: Context
    ) -> pb.ContributionYear:
        check = Check()
        pool = self._requests.pool(check, request.pool)
        year = self._requests.year(check, request.year)
        check.done()
        return await self._years.year(pool, year)

    async def RemindContributions(  # noqa: N802 - the name in the proto
        self, request: pb.RemindContributionsRequest, context: Context
    ) -> pb.Reminded:
        check = Check()
        pool = self._requests.pool(check, request.pool)
        year = self._requests.year(check, request.year)
        due_date = check.date("due_date", request.due_date)
        call = private_call(check, request, context, self._keys)
        return await self._years.remind(call, pool, year, due_date)

    async def SuspendForArrears(  # noqa: N802 - the name in the proto
        self, request: pb.SuspendForArrearsRequest, context: Context
    ) -> pb.ArrearsChunk:
        return await self._arrears(request, context, lambda years: years.suspend)

    async def ResumeAfterPayment(  # noqa: N802 - the name in the proto
        self, request: pb.ResumeAfterPaymentRequest, context: Context
    ) -> pb.ArrearsChunk:
        return await self._arrears(request, context, lambda years: years.resume)

    async def _arrears(
        self,
        request: pb.SuspendForArrearsRequest | pb.ResumeAfterPaymentRequest,
        context: Context,
        step: Callable[[ContributionYears], _ArrearsStep],
    ) -> pb.ArrearsChunk:
        check = Check()
        pool = self._requests.pool(check, request.pool)
        year = self._requests.year(check, request.year)
        after, size = self._requests.chunk(check, request.after_person, request.chunk_size)
        call = private_call(check, request, context, self._keys)
        persons, changed = await step(self._years)(call, pool, year, after, size)
        return pb.ArrearsChunk(
            next_after_person=_next(persons, size),
            person_count=len(persons),
            changed_count=changed,
        )

    async def _chunk(self, call: Call, questions: Sequence[d.Question], size: int) -> pb.DuesChunk:
        chunk = await self._dues.determine_many(call, questions)
        return pb.DuesChunk(
            next_after_person=_next(chunk.persons, size),
            person_count=len(chunk.persons),
            due_count=len(chunk.dues),
            due_fen=chunk.due.fen,
            not_determined=[wire.not_determined(*refused) for refused in chunk.refused],
        )

    def _staff_row(self, asked: pb.StaffRow, context: Context) -> Row[pb.Staff] | Exception:
        check = Check()
        try:
            told = self._requests.staff(check, asked)
            call = private_call(check, asked, context, self._keys)
        except Invalid as invalid:
            return invalid
        return Row(
            call=call,
            work=self._employers.declaring(told),
            answer_class=pb.Staff,
            name=_staff_name,
        )

    async def _caught_up(self) -> None:
        """The read models hold what was known at the call."""
        await self._reader.wait_for((await self._store.head()).position)


def _next(persons: Sequence[UUID], size: int) -> str:
    """Where the next chunk goes on; empty where this was the last one."""
    return str(persons[-1]) if len(persons) == size else ""


def _staff_name(staff: pb.Staff) -> str:
    return f"employers/{staff.employer}/staff/{staff.person}/{staff.month}"
