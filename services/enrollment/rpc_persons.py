"""`PersonService` on the wire: it translates and nothing else."""

from collections.abc import Sequence

import grpc
from ltci.enrollment.v1 import enrollment_service_pb2 as enrollment_pb
from ltci.enrollment.v1 import person_service_pb2 as pb
from ltci.enrollment.v1 import person_service_pb2_grpc as pb_grpc

from kernel.rpc.around import Context
from kernel.rpc.call import actor_of
from kernel.rpc.paging import page_of
from kernel.rpc.private import private_call
from kernel.rpc.two_times import known_at
from kernel.rpc.validate import Check
from kernel.service import Parts
from services.enrollment import wire
from services.enrollment.application.upkeep import Upkeep
from services.enrollment.requests_persons import PersonRequests

SERVICE = pb.DESCRIPTOR.services_by_name["PersonService"].full_name


class PersonServicer(pb_grpc.PersonServiceServicer):
    """The methods of `protos/ltci/enrollment/v1/person_service.proto`."""

    def __init__(self, parts: Parts, upkeep: Upkeep) -> None:
        self._keys = parts.keys
        self._clock = parts.clock
        self._pools = parts.packs.pools()
        self._requests = PersonRequests(parts.keys, parts.clock)
        self._upkeep = upkeep

    def add_to(self, server: grpc.aio.Server) -> Sequence[str]:
        pb_grpc.add_PersonServiceServicer_to_server(self, server)
        return [SERVICE]

    async def CorrectPerson(  # noqa: N802 - the name in the proto
        self, request: pb.CorrectPersonRequest, context: Context
    ) -> enrollment_pb.Person:
        check = Check()
        command = self._requests.correct(check, request)
        call = private_call(check, request, context, self._keys)
        return wire.person((await self._upkeep.correct(call, command)).registered_as)

    async def AddIdentity(  # noqa: N802 - the name in the proto
        self, request: pb.AddIdentityRequest, context: Context
    ) -> pb.Identity:
        check = Check()
        command = self._requests.add_identity(check, request)
        call = private_call(check, request, context, self._keys)
        return await self._upkeep.add_identity(call, command)

    async def EndIdentity(  # noqa: N802 - the name in the proto
        self, request: pb.EndIdentityRequest, context: Context
    ) -> pb.Identity:
        check = Check()
        command = self._requests.end_identity(check, request)
        call = private_call(check, request, context, self._keys)
        return await self._upkeep.end_identity(call, command)

    async def ListIdentities(  # noqa: N802 - the name in the proto
        self, request: pb.ListIdentitiesRequest, _context: Context
    ) -> pb.ListIdentitiesResponse:
        check = Check()
        person = check.uuid("person", request.person)
        check.done()
        page = page_of(request)
        after = int(page.after[0]) if page.after else 0
        found = await self._upkeep.identities(person)
        end = after + page.size
        return pb.ListIdentitiesResponse(
            identities=found[after:end],
            next_page_token=page.next_token([end]) if len(found) > end else "",
        )

    async def GetPersonByIdentity(  # noqa: N802 - the name in the proto
        self, request: pb.GetPersonByIdentityRequest, _context: Context
    ) -> enrollment_pb.Person:
        check = Check()
        paper = self._requests.paper(check, request)
        check.done()
        return wire.person((await self._upkeep.find(paper)).registered_as)

    async def MergePersons(  # noqa: N802 - the name in the proto
        self, request: pb.MergePersonsRequest, context: Context
    ) -> pb.MergedPersons:
        check = Check()
        command = self._requests.merge(check, request)
        call = private_call(check, request, context, self._keys)
        return await self._upkeep.merge(call, command, death_confirmed=request.death_confirmed)

    async def SplitPersons(  # noqa: N802 - the name in the proto
        self, request: pb.SplitPersonsRequest, context: Context
    ) -> pb.MergedPersons:
        check = Check()
        command = self._requests.split(check, request)
        call = private_call(check, request, context, self._keys)
        return await self._upkeep.split(call, command)

    async def GetMergedPersons(  # noqa: N802 - the name in the proto
        self, request: pb.GetMergedPersonsRequest, _context: Context
    ) -> pb.MergedPersons:
        check = Check()
        person = check.uuid("person", request.person)
        moment = known_at(check, request, self._clock)
        check.done()
        return await self._upkeep.merged(person, moment)

    async def ProtectPerson(  # noqa: N802 - the name in the proto
        self, request: pb.ProtectPersonRequest, context: Context
    ) -> pb.Protection:
        check = Check()
        command = self._requests.protect(check, request)
        call = private_call(check, request, context, self._keys)
        return await self._upkeep.protect(call, command)

    async def EndProtection(  # noqa: N802 - the name in the proto
        self, request: pb.EndProtectionRequest, context: Context
    ) -> pb.Protection:
        check = Check()
        command = self._requests.end_protection(check, request)
        call = private_call(check, request, context, self._keys)
        return await self._upkeep.protect(call, command)

    async def RevealAddress(  # noqa: N802 - the name in the proto
        self, request: pb.RevealAddressRequest, context: Context
    ) -> pb.Address:
        check = Check()
        command = self._requests.reveal(check, request, actor_of(context))
        call = private_call(check, request, context, self._keys)
        return await self._upkeep.reveal(call, command)

    async def ListLifeEvents(  # noqa: N802 - the name in the proto
        self, request: pb.ListLifeEventsRequest, _context: Context
    ) -> pb.ListLifeEventsResponse:
        check = Check()
        person = check.uuid("person", request.person)
        pool = check.pool("pool", request.pool, self._pools)
        moment = known_at(check, request, self._clock)
        check.done()
        page = page_of(request)
        after = int(page.after[0]) if page.after else 0
        found = [
            one for one in await self._upkeep.life(person, pool, moment) if one.position > after
        ]
        given = found[: page.size]
        return pb.ListLifeEventsResponse(
            life_events=[
                pb.WeighedLifeEvent(
                    life_event=wire.reported(one.report, withdrawn=one.withdrawn),
                    counts=one.counts,
                )
                for one in given
            ],
            next_page_token=page.next_token([given[-1].position]) if len(found) > page.size else "",
        )
