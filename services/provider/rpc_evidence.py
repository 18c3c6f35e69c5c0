"""`DeviceService` and `EvidenceService` on the wire: they translate and nothing else."""

from collections.abc import Sequence

import grpc
from ltci.provider.v1 import device_service_pb2 as devices
from ltci.provider.v1 import device_service_pb2_grpc, evidence_service_pb2_grpc
from ltci.provider.v1 import evidence_service_pb2 as pb

from kernel.rpc.around import Context
from kernel.rpc.private import private_call
from kernel.rpc.two_times import known_at
from kernel.rpc.validate import Check
from kernel.service import Parts
from services.provider.application.devices import Devices
from services.provider.application.forgetting import Forgetting
from services.provider.kept import KeptReader
from services.provider.requests_devices import DeviceRequests

DEVICE = devices.DESCRIPTOR.services_by_name["DeviceService"].full_name
EVIDENCE = pb.DESCRIPTOR.services_by_name["EvidenceService"].full_name
MOST_VISITS, USUAL_VISITS = 1_000, 500


class DeviceServicer(device_service_pb2_grpc.DeviceServiceServicer):
    """The methods of `protos/ltci/provider/v1/device_service.proto`."""

    def __init__(self, parts: Parts) -> None:
        self._keys = parts.keys
        self._clock = parts.clock
        self._read = DeviceRequests(parts.keys, parts.packs, parts.clock)
        self._devices = Devices(parts.handler, parts.keys)

    def add_to(self, server: grpc.aio.Server) -> Sequence[str]:
        device_service_pb2_grpc.add_DeviceServiceServicer_to_server(self, server)
        return [DEVICE]

    async def RegisterDevice(  # noqa: N802 - the name in the proto
        self, request: devices.RegisterDeviceRequest, context: Context
    ) -> devices.Device:
        check = Check()
        asked = self._read.registration(check, request)
        call = private_call(check, request, context, self._keys)
        return await self._devices.register(call, asked)

    async def RetireDevice(  # noqa: N802 - the name in the proto
        self, request: devices.RetireDeviceRequest, context: Context
    ) -> devices.Device:
        check = Check()
        command = self._read.retirement(check, request)
        call = private_call(check, request, context, self._keys)
        return await self._devices.retire(call, command)

    async def GetDevice(  # noqa: N802 - the name in the proto
        self, request: devices.GetDeviceRequest, _context: Context
    ) -> devices.Device:
        check = Check()
        name = check.uuid("device", request.device)
        moment = known_at(check, request, self._clock)
        check.done()
        return await self._devices.find(name, moment)

    async def SetPlaceMarkers(  # noqa: N802 - the name in the proto
        self, request: devices.SetPlaceMarkersRequest, context: Context
    ) -> devices.PlaceMarkers:
        check = Check()
        asked = self._read.markers(check, request)
        call = private_call(check, request, context, self._keys)
        return await self._devices.set_markers(call, asked)


class EvidenceServicer(evidence_service_pb2_grpc.EvidenceServiceServicer):
    """The methods of `protos/ltci/provider/v1/evidence_service.proto`."""

    def __init__(self, parts: Parts, kept: KeptReader) -> None:
        self._keys = parts.keys
        self._clock = parts.clock
        self._pools = parts.packs.pools()
        self._forgetting = Forgetting(
            parts.handler, parts.store, parts.codec, parts.keys, parts.packs, kept
        )

    def add_to(self, server: grpc.aio.Server) -> Sequence[str]:
        evidence_service_pb2_grpc.add_EvidenceServiceServicer_to_server(self, server)
        return [EVIDENCE]

    async def GetEvidence(  # noqa: N802 - the name in the proto
        self, request: pb.GetEvidenceRequest, _context: Context
    ) -> pb.VisitEvidence:
        check = Check()
        visit = check.uuid("visit", request.visit)
        moment = known_at(check, request, self._clock)
        check.done()
        return await self._forgetting.find(visit, moment, with_content=request.with_content)

    async def GetKeptEvidence(  # noqa: N802 - the name in the proto
        self, request: pb.GetKeptEvidenceRequest, _context: Context
    ) -> pb.KeptEvidence:
        check = Check()
        pool = check.pool("pool", request.pool, self._pools)
        up_to = check.date("up_to_date", request.up_to_date)
        check.done()
        return await self._forgetting.counts(pool, up_to, self._clock.today())

    async def ForgetEvidence(  # noqa: N802 - the name in the proto
        self, request: pb.ForgetEvidenceRequest, context: Context
    ) -> pb.ForgetEvidenceResponse:
        check = Check()
        pool = check.pool("pool", request.pool, self._pools)
        up_to = check.date("up_to_date", request.up_to_date)
        most = check.between("visit_count_max", request.visit_count_max, 0, MOST_VISITS)
        call = private_call(check, request, context, self._keys)
        now = self._clock.now()
        return await self._forgetting.forget(call, pool, up_to, most or USUAL_VISITS, now)
