"""`ProviderService` on the wire: it translates and nothing else."""

from collections.abc import AsyncIterator, Sequence

import grpc
from ltci.provider.v1 import provider_service_pb2 as pb
from ltci.provider.v1 import provider_service_pb2_grpc

from kernel.eventstore.handle import Call
from kernel.refusal import Invalid
from kernel.rpc.around import Context
from kernel.rpc.bulk import Numbered, Row, answer_rows, numbered
from kernel.rpc.paging import page_of
from kernel.rpc.pipeline import in_order
from kernel.rpc.private import private_call
from kernel.rpc.two_times import known_at
from kernel.rpc.validate import Check
from kernel.service import Parts
from services.provider.application.agreements import Agreements
from services.provider.application.grounds import Grounds, GroundsReader
from services.provider.application.plans import CarePlans
from services.provider.application.visits import Upload, Visits, persons, with_evidence
from services.provider.projections import ListReader
from services.provider.requests import Requests, visit_named
from services.provider.requests_evidence import visit_call

SERVICE = pb.DESCRIPTOR.services_by_name["ProviderService"].full_name
_DOMAIN = "provider.ltci"
MESSAGES_AT_ONCE = 3  # of an import: read, decided and written side by side


class ProviderServicer(provider_service_pb2_grpc.ProviderServiceServicer):
    """The methods of `protos/ltci/provider/v1/provider_service.proto`."""

    def __init__(self, parts: Parts, lists: ListReader, grounds: GroundsReader) -> None:
        self._handler = parts.handler
        self._keys = parts.keys
        self._clock = parts.clock
        self._read = Requests(parts.keys, parts.packs, parts.clock)
        self._agreements = Agreements(parts.handler)
        self._plans = CarePlans(parts.handler, parts.packs, lists.owners)
        self._visits = Visits(parts.handler, grounds, parts.keys.prepare_new)
        self._lists = lists

    def add_to(self, server: grpc.aio.Server) -> Sequence[str]:
        provider_service_pb2_grpc.add_ProviderServiceServicer_to_server(self, server)
        return [SERVICE]

    async def AdmitProvider(  # noqa: N802 - the name in the proto
        self, request: pb.AdmitProviderRequest, context: Context
    ) -> pb.Provider:
        check = Check()
        command = self._read.admission(check, request)
        call = private_call(check, request, context, self._keys)
        return await self._agreements.change(call, command)

    async def SetPrice(  # noqa: N802 - the name in the proto
        self, request: pb.SetPriceRequest, context: Context
    ) -> pb.Provider:
        check = Check()
        command = self._read.price(check, request)
        call = private_call(check, request, context, self._keys)
        return await self._agreements.change(call, command)

    async def SuspendAgreement(  # noqa: N802 - the name in the proto
        self, request: pb.SuspendAgreementRequest, context: Context
    ) -> pb.Provider:
        check = Check()
        command = self._read.suspension(check, request)
        call = private_call(check, request, context, self._keys)
        return await self._agreements.change(call, command)

    async def GetProvider(  # noqa: N802 - the name in the proto
        self, request: pb.GetProviderRequest, _context: Context
    ) -> pb.Provider:
        check = Check()
        name = check.uuid("provider", request.provider)
        moment = known_at(check, request, self._clock)
        check.done()
        return await self._agreements.find(name, moment)

    async def ListProviders(  # noqa: N802 - the name in the proto
        self, request: pb.ListProvidersRequest, _context: Context
    ) -> pb.ListProvidersResponse:
        check = Check()
        pool = self._read.pool(check, request.pool)
        check.done()
        page = page_of(request)
        found = await self._lists.providers(pool, page.after, page.size + 1)
        rows, more = found[: page.size], len(found) > page.size
        return pb.ListProvidersResponse(
            providers=rows, next_page_token=page.next_token((rows[-1].provider,)) if more else ""
        )

    async def RegisterCaregiver(  # noqa: N802 - the name in the proto
        self, request: pb.RegisterCaregiverRequest, context: Context
    ) -> pb.Caregiver:
        check = Check()
        command = self._read.registration(check, request)
        call = private_call(check, request, context, self._keys)
        return await self._agreements.register(call, command)

    async def ApprovePlan(  # noqa: N802 - the name in the proto
        self, request: pb.ApprovePlanRequest, context: Context
    ) -> pb.Plan:
        check = Check()
        command = self._read.new_plan(check, request)
        call = private_call(check, request, context, self._keys)
        return await self._plans.approve(call, command)

    async def EndPlan(  # noqa: N802 - the name in the proto
        self, request: pb.EndPlanRequest, context: Context
    ) -> pb.Plan:
        check = Check()
        command = self._read.plan_end(check, request)
        call = private_call(check, request, context, self._keys)
        return await self._plans.end(call, command)

    async def ListPlans(  # noqa: N802 - the name in the proto
        self, request: pb.ListPlansRequest, _context: Context
    ) -> pb.ListPlansResponse:
        check = Check()
        person = check.uuid("person", request.person)
        pool = self._read.pool(check, request.pool)
        check.done()
        page = page_of(request)
        found = await self._lists.plans(person, pool, page.after, page.size + 1)
        rows, more = found[: page.size], len(found) > page.size
        last = (rows[-1].start_date, rows[-1].plan) if more else ()
        return pb.ListPlansResponse(
            plans=rows, next_page_token=page.next_token(last) if more else ""
        )

    async def StartVisit(  # noqa: N802 - the name in the proto
        self, request: pb.StartVisitRequest, context: Context
    ) -> pb.Visit:
        check = Check()
        command = self._read.begin(check, request)
        call = visit_call(check, request, context, self._keys)
        return await self._visits.start(call, command)

    async def EndVisit(  # noqa: N802 - the name in the proto
        self, request: pb.EndVisitRequest, context: Context
    ) -> pb.Visit:
        check = Check()
        command = self._read.ending(check, request)
        call = visit_call(check, request, context, self._keys)
        return await self._visits.end(call, command, self._clock.today())

    async def ConfirmVisit(  # noqa: N802 - the name in the proto
        self, request: pb.ConfirmVisitRequest, context: Context
    ) -> pb.Visit:
        check = Check()
        command = self._read.confirmation(check, request)
        call = private_call(check, request, context, self._keys)
        return await self._visits.confirm(call, *command, self._clock.today())

    async def SubmitVisit(  # noqa: N802 - the name in the proto
        self, request: pb.SubmitVisitRequest, context: Context
    ) -> pb.Visit:
        check = Check()
        command = self._read.upload(check, request)
        call = visit_call(check, request, context, self._keys)
        return await self._visits.submit(call, command)

    async def ImportVisits(  # noqa: N802 - the name in the proto
        self, request_iterator: AsyncIterator[pb.ImportVisitsRequest], context: Context
    ) -> AsyncIterator[pb.ImportVisitsResponse]:
        async def answered(message: Numbered[pb.ImportVisitsRequest]) -> pb.ImportVisitsResponse:
            rows = await self._visit_rows(message.request, context)
            results = await answer_rows(
                self._handler,
                rows,
                first_row=message.first_row,
                validate_only=message.request.validate_only,
                domain=_DOMAIN,
            )
            # Sealed: nobody asks for these keys again soon, and people's keys need the room.
            self._keys.release(visit_named(asked.request_id) for asked in message.request.rows)
            return pb.ImportVisitsResponse(results=results)

        messages = numbered(request_iterator)
        async for answer in in_order(messages, answered, at_once=MESSAGES_AT_ONCE):
            yield answer

    async def GetVisit(  # noqa: N802 - the name in the proto
        self, request: pb.GetVisitRequest, _context: Context
    ) -> pb.Visit:
        check = Check()
        name = check.uuid("visit", request.visit)
        moment = known_at(check, request, self._clock)
        check.done()
        return await self._visits.find(name, moment)

    async def ListVisits(  # noqa: N802 - the name in the proto
        self, request: pb.ListVisitsRequest, _context: Context
    ) -> pb.ListVisitsResponse:
        check = Check()
        person = check.uuid("person", request.person)
        pool = self._read.pool(check, request.pool)
        month = check.optional_month("month", request.month)
        check.done()
        page = page_of(request)
        found = await self._lists.visits(person, pool, month, page.after, page.size + 1)
        rows, more = found[: page.size], len(found) > page.size
        last = (rows[-1].start_time, rows[-1].visit) if more else ()
        return pb.ListVisitsResponse(
            visits=rows, next_page_token=page.next_token(last) if more else ""
        )

    async def _visit_rows(
        self, request: pb.ImportVisitsRequest, context: Context
    ) -> list[Row[pb.Visit] | Exception]:
        """Each row for itself; what they stand on is read once for all of them."""
        told: list[tuple[Call, Upload] | Invalid] = []
        for asked in request.rows:
            try:
                check = Check()
                upload = self._read.upload(check, asked)
                told.append((visit_call(check, asked, context, self._keys), upload))
            except Invalid as invalid:
                told.append(invalid)
        uploads = [one[1] for one in told if not isinstance(one, Invalid)]
        grounds = await self._visits.grounds(uploads)
        if not request.validate_only:
            # In one look instead of one a visit.
            await self._keys.prepare(persons(grounds, uploads))
            await self._keys.prepare_new(with_evidence(uploads))
        return [one if isinstance(one, Invalid) else self._visit_row(*one, grounds) for one in told]

    def _visit_row(self, call: Call, upload: Upload, grounds: Grounds) -> Row[pb.Visit]:
        return Row(
            call=call,
            work=self._visits.submitting(upload, grounds),
            answer_class=pb.Visit,
            name=lambda visit: visit.visit,
        )
