"""`TransferService` on the wire: it translates and nothing else."""

from collections.abc import Sequence
from uuid import UUID

import grpc
from ltci.assessment.v1 import events_pb2 as assessment_pb
from ltci.enrollment.v1 import transfer_service_pb2 as pb
from ltci.enrollment.v1 import transfer_service_pb2_grpc as pb_grpc

from kernel.rpc.around import Context
from kernel.rpc.private import private_call
from kernel.rpc.validate import Check
from kernel.service import Parts
from services.enrollment.application.transfers import Transfers
from services.enrollment.brought import manifest_of
from services.enrollment.bundle import CONCLUSION

SERVICE = pb.DESCRIPTOR.services_by_name["TransferService"].full_name
MOST_CONCLUSIONS = 100


class TransferServicer(pb_grpc.TransferServiceServicer):
    """The methods of `protos/ltci/enrollment/v1/transfer_service.proto`."""

    def __init__(self, parts: Parts, transfers: Transfers) -> None:
        self._keys = parts.keys
        self._pools = parts.packs.pools()
        self._transfers = transfers

    def add_to(self, server: grpc.aio.Server) -> Sequence[str]:
        pb_grpc.add_TransferServiceServicer_to_server(self, server)
        return [SERVICE]

    async def OfferTransfer(  # noqa: N802 - the name in the proto
        self, request: pb.OfferTransferRequest, context: Context
    ) -> pb.TransferBundle:
        check = Check()
        person = check.uuid("person", request.person)
        pools = (
            check.pool("from_pool", request.from_pool, self._pools),
            check.pool("to_pool", request.to_pool),
        )
        _check_conclusions(check, request)
        call = private_call(check, request, context, self._keys)
        return await self._transfers.offer(call, person, pools, list(request.conclusions))

    async def AcceptTransfer(  # noqa: N802 - the name in the proto
        self, request: pb.AcceptTransferRequest, context: Context
    ) -> pb.Transfer:
        check = Check()
        person = self._person(check, request)
        call = private_call(check, request, context, self._keys)
        return await self._transfers.accept(call, request.bundle, person)

    async def RejectTransfer(  # noqa: N802 - the name in the proto
        self, request: pb.RejectTransferRequest, context: Context
    ) -> pb.Transfer:
        check = Check()
        person = self._person(check, request)
        cause = check.text("cause", request.cause)
        call = private_call(check, request, context, self._keys)
        return await self._transfers.reject(call, request.bundle, person, cause)

    async def GetTransferKey(  # noqa: N802 - the name in the proto
        self, _request: pb.GetTransferKeyRequest, _context: Context
    ) -> pb.TransferKey:
        key = self._keys.public_key
        return pb.TransferKey(public_key=key, public_key_hex=key.hex())

    def _person(
        self, check: Check, request: pb.AcceptTransferRequest | pb.RejectTransferRequest
    ) -> UUID:
        """The person here: as told, or as in the bundle where both pools are in one deployment."""
        given = check.require("bundle.manifest", request.bundle.manifest)
        manifest = manifest_of(request.bundle) if given else pb.TransferManifest()
        if given:
            check.pool("bundle.manifest.to_pool", manifest.to_pool, self._pools)
        return check.uuid("person", request.person or manifest.person) if given else UUID(int=0)


def _check_conclusions(check: Check, request: pb.OfferTransferRequest) -> None:
    """Each is a conclusion of this pool; whose it is, the bundle's reader sees by the person."""
    if len(request.conclusions) > MOST_CONCLUSIONS:
        check.fail(
            "conclusions",
            "TOO_MANY",
            f"must be at most {MOST_CONCLUSIONS}",
            f"不得超过{MOST_CONCLUSIONS}条",
        )
    for place, event in enumerate(request.conclusions):
        m = assessment_pb.ConclusionDelivered()
        readable = event.type == CONCLUSION and _parsed(m, event.payload)
        if not readable or m.pool != request.from_pool:
            check.fail(
                f"conclusions[{place}]",
                "NOT_A_CONCLUSION",
                "must be a ConclusionDelivered event of the old pool, as the feed gives it",
                "应为原统筹地区评估服务事件流中的结论送达事件",
            )


def _parsed(message: assessment_pb.ConclusionDelivered, payload: bytes) -> bool:
    try:
        message.ParseFromString(payload)
    except Exception:  # noqa: BLE001 - whatever it is, it is no conclusion
        return False
    return True
