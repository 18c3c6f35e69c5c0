"""Runs the service of designated care: `python -m services.provider`."""

from collections.abc import Sequence

import grpc

from kernel.service import Parts, Registration, run_service
from services.provider.codec import provider_codec
from services.provider.kept import KeptEvidence, KeptReader
from services.provider.projections import ListReader, Lists
from services.provider.register import Register, RegisterReader
from services.provider.rpc import ProviderServicer
from services.provider.rpc_caregivers import CaregiverServicer
from services.provider.rpc_designation import DesignationServicer, SanctionServicer
from services.provider.rpc_evidence import DeviceServicer, EvidenceServicer


def build(parts: Parts) -> Registration:
    """The service out of its opened parts."""
    lists, register = parts.runner(Lists(parts.codec)), parts.runner(Register(parts.codec))
    kept = parts.runner(KeptEvidence(parts.codec))
    reader, on_register = ListReader(parts.store, lists), RegisterReader(parts.store, register)
    servicers = (
        ProviderServicer(parts, reader),
        DesignationServicer(parts, on_register, reader.owners),
        SanctionServicer(parts, on_register, reader.owners),
        CaregiverServicer(parts, on_register, reader.owners),
        DeviceServicer(parts),
        EvidenceServicer(parts, KeptReader(parts.store, kept)),
    )

    def add(server: grpc.aio.Server) -> Sequence[str]:
        return [name for one in servicers for name in one.add_to(server)]

    return Registration(add=add, runners=[lists, register, kept])


if __name__ == "__main__":
    run_service("provider", provider_codec, build)
