"""`EnrollmentService` on the wire: it translates and nothing else."""

from collections.abc import AsyncIterator, Sequence
from uuid import UUID

import grpc
from ltci.enrollment.v1 import enrollment_service_pb2 as pb
from ltci.enrollment.v1 import enrollment_service_pb2_grpc as pb_grpc

from kernel.eventstore.handle import Call
from kernel.refusal import Invalid
from kernel.rpc.around import Context
from kernel.rpc.bulk import Row, answer_rows, check_rows
from kernel.rpc.call import actor_of, fingerprint
from kernel.rpc.paging import page_of
from kernel.rpc.private import keyed, private_call
from kernel.rpc.two_times import known_at
from kernel.rpc.validate import Check
from kernel.service import Parts
from services.enrollment import wire
from services.enrollment.application.contributions import Contributions
from services.enrollment.application.coverage import Coverages
from services.enrollment.application.eligibility import Eligibility
from services.enrollment.application.persons import Persons
from services.enrollment.projections import InsuredReader
from services.enrollment.requests import Requests

SERVICE = pb.DESCRIPTOR.services_by_name["EnrollmentService"].full_name


class EnrollmentServicer(pb_grpc.EnrollmentServiceServicer):
    """The methods of `protos/ltci/enrollment/v1/enrollment_service.proto`."""

    def __init__(
        self,
        parts: Parts,
        persons: Persons,
        coverages: Coverages,
        contributions: Contributions,
        eligibility: Eligibility,
        insured: InsuredReader,
    ) -> None:
        self._handler = parts.handler
        self._keys = parts.keys
        self._clock = parts.clock
        self._store = parts.store
        self._domain = f"{parts.name}.ltci"
        self._requests = Requests(parts.keys, parts.packs, parts.clock)
        self._persons = persons
        self._coverages = coverages
        self._contributions = contributions
        self._eligibility = eligibility
        self._insured = insured

    def add_to(self, server: grpc.aio.Server) -> Sequence[str]:
        pb_grpc.add_EnrollmentServiceServicer_to_server(self, server)
        return [SERVICE]

    async def RegisterPerson(  # noqa: N802 - the name in the proto
        self, request: pb.RegisterPersonRequest, context: Context
    ) -> pb.Person:
        check = Check()
        command = self._requests.register(check, request)
        call = private_call(check, request, context, self._keys)
        return wire.person(await self._persons.register(call, command))

    async def ImportPersons(  # noqa: N802 - the name in the proto
        self, request_iterator: AsyncIterator[pb.ImportPersonsRequest], context: Context
    ) -> AsyncIterator[pb.ImportPersonsResponse]:
        first_row = 0
        async for request in request_iterator:
            check_rows(request.rows)
            results = await answer_rows(
                self._handler,
                await self._person_rows(request, context),
                first_row=first_row,
                validate_only=request.validate_only,
                domain=self._domain,
            )
            first_row += len(request.rows)
            yield pb.ImportPersonsResponse(results=results)

    async def GetPerson(  # noqa: N802 - the name in the proto
        self, request: pb.GetPersonRequest, _context: Context
    ) -> pb.Person:
        check = Check()
        person = check.uuid("person", request.person)
        moment = known_at(check, request, self._clock)
        check.done()
        return wire.person(await self._persons.person(person, moment))

    async def ListPersons(  # noqa: N802 - the name in the proto
        self, request: pb.ListPersonsRequest, _context: Context
    ) -> pb.ListPersonsResponse:
        check = Check()
        pool = self._requests.pool(check, request.pool)
        check.done()
        page = page_of(request)
        after = UUID(str(page.after[0])) if page.after else None
        found = await self._insured.coverages(pool, after=after, limit=page.size + 1)
        given = found[: page.size]
        return pb.ListPersonsResponse(
            coverages=[wire.coverage(person, pool, spell) for person, spell in given],
            next_page_token=page.next_token([str(given[-1][0])]) if len(found) > page.size else "",
        )

    async def StartCoverage(  # noqa: N802 - the name in the proto
        self, request: pb.StartCoverageRequest, context: Context
    ) -> pb.Coverage:
        check = Check()
        command = self._requests.start_coverage(check, request)
        call = private_call(check, request, context, self._keys)
        return await self._persons.start_coverage(call, command)

    async def EndCoverage(  # noqa: N802 - the name in the proto
        self, request: pb.EndCoverageRequest, context: Context
    ) -> pb.Coverage:
        check = Check()
        command = self._requests.end_coverage(check, request)
        call = private_call(check, request, context, self._keys)
        return await self._persons.end_coverage(call, command)

    async def ChangeCoverage(  # noqa: N802 - the name in the proto
        self, request: pb.ChangeCoverageRequest, context: Context
    ) -> pb.Coverage:
        check = Check()
        command = self._requests.change_coverage(check, request)
        call = private_call(check, request, context, self._keys)
        return await self._coverages.change(call, command)

    async def SuspendCoverage(  # noqa: N802 - the name in the proto
        self, request: pb.SuspendCoverageRequest, context: Context
    ) -> pb.Coverage:
        check = Check()
        command = self._requests.suspend_coverage(check, request)
        call = private_call(check, request, context, self._keys)
        return await self._coverages.suspend(call, command)

    async def ResumeCoverage(  # noqa: N802 - the name in the proto
        self, request: pb.ResumeCoverageRequest, context: Context
    ) -> pb.Coverage:
        check = Check()
        person, pool, cause, told = self._requests.resume_coverage(check, request)
        call = private_call(check, request, context, self._keys)
        return await self._coverages.resume(call, person, pool, cause, year=request.year, told=told)

    async def CollectContribution(  # noqa: N802 - the name in the proto
        self, request: pb.CollectContributionRequest, context: Context
    ) -> pb.Contribution:
        check = Check()
        told = self._requests.contribution(check, request)
        call = private_call(check, request, context, self._keys)
        return await self._contributions.collect(call, told)

    async def ImportContributions(  # noqa: N802 - the name in the proto
        self, request_iterator: AsyncIterator[pb.ImportContributionsRequest], context: Context
    ) -> AsyncIterator[pb.ImportContributionsResponse]:
        first_row = 0
        async for request in request_iterator:
            check_rows(request.rows)
            results = await answer_rows(
                self._handler,
                [self._contribution_row(row, context) for row in request.rows],
                first_row=first_row,
                validate_only=request.validate_only,
                domain=self._domain,
            )
            first_row += len(request.rows)
            yield pb.ImportContributionsResponse(results=results)

    async def ListContributions(  # noqa: N802 - the name in the proto
        self, request: pb.ListContributionsRequest, _context: Context
    ) -> pb.ListContributionsResponse:
        check = Check()
        person = check.uuid("person", request.person)
        pool = self._requests.pool(check, request.pool)
        moment = known_at(check, request, self._clock)
        check.done()
        page = page_of(request)
        after = int(page.after[0]) if page.after else 0
        upto = None if moment is None else await self._store.position_at(moment)
        found = await self._insured.contributions(
            person, pool, after=after, upto=upto, limit=page.size + 1
        )
        given = found[: page.size]
        return pb.ListContributionsResponse(
            contributions=[wire.contribution(event) for _, event in given],
            next_page_token=page.next_token([given[-1][0]]) if len(found) > page.size else "",
        )

    async def ReportLifeEvent(  # noqa: N802 - the name in the proto
        self, request: pb.ReportLifeEventRequest, context: Context
    ) -> pb.LifeEvent:
        check = Check()
        command = self._requests.report(check, request)
        call = private_call(check, request, context, self._keys)
        return await self._persons.report_life_event(call, command)

    async def WithdrawLifeEvent(  # noqa: N802 - the name in the proto
        self, request: pb.WithdrawLifeEventRequest, context: Context
    ) -> pb.LifeEvent:
        check = Check()
        command = self._requests.withdraw(check, request)
        call = private_call(check, request, context, self._keys)
        return await self._persons.withdraw_life_event(call, command)

    async def CheckEligibility(  # noqa: N802 - the name in the proto
        self, request: pb.CheckEligibilityRequest, _context: Context
    ) -> pb.Eligibility:
        check = Check()
        question = self._requests.question(check, request)
        moment = known_at(check, request, self._clock)
        check.done()
        return await self._eligibility.check(question, moment)

    async def DecideEligibility(  # noqa: N802 - the name in the proto
        self, request: pb.DecideEligibilityRequest, context: Context
    ) -> pb.Eligibility:
        check = Check()
        question = self._requests.question(check, request)
        call = private_call(check, request, context, self._keys)
        return await self._eligibility.decide(call, question)

    async def _person_rows(
        self, request: pb.ImportPersonsRequest, context: Context
    ) -> list[Row[pb.Person] | Exception]:
        rows: list[Row[pb.Person] | Exception] = []
        persons = []
        for asked in request.rows:
            try:
                person, row = self._person_row(asked, context)
                persons.append(person)
                rows.append(row)
            except Invalid as invalid:
                rows.append(invalid)
        if not request.validate_only:
            await self._keys.prepare(persons)  # in one look instead of one a person
        return rows

    def _person_row(self, asked: pb.PersonRow, context: Context) -> tuple[UUID, Row[pb.Person]]:
        """Registration and coverage as one command, under the request id of the registration."""
        check = Check()
        register = self._requests.register(check, asked.person, "person.")
        start = self._requests.start_coverage(
            check, asked.coverage, "coverage.", person=register.person
        )
        request_id = check.uuid("person.request_id", asked.person.request_id)
        check.done()
        told = pb.PersonRow()
        told.CopyFrom(asked)
        told.person.ClearField("request_id")
        told.coverage.ClearField("request_id")
        told.coverage.ClearField("person")
        call = Call(request_id, fingerprint(told, without=()), actor_of(context))
        return register.person, Row(
            call=keyed(call, self._keys),
            work=self._persons.importing(register, start),
            answer_class=pb.Person,
            name=_person_name,
        )

    def _contribution_row(
        self, asked: pb.CollectContributionRequest, context: Context
    ) -> Row[pb.Contribution] | Exception:
        check = Check()
        try:
            told = self._requests.contribution(check, asked)
            call = private_call(check, asked, context, self._keys)
        except Invalid as invalid:
            return invalid
        return Row(
            call=call,
            work=self._contributions.collecting(told),
            answer_class=pb.Contribution,
            name=_contribution_name,
        )


def _person_name(person: pb.Person) -> str:
    return f"persons/{person.person}"


def _contribution_name(contribution: pb.Contribution) -> str:
    return f"contributions/{contribution.contribution}"
