"""Runs the service of designated care: `python -m services.provider`."""

from collections.abc import Sequence

import grpc

from kernel.service import Parts, Registration, run_service
from services.provider.application.facts import FactReader
from services.provider.application.grounds import GroundsReader
from services.provider.codec import provider_codec
from services.provider.counts import Counts
from services.provider.counts_reader import CountsReader
from services.provider.projections import ListReader, Lists
from services.provider.register import Register, RegisterReader
from services.provider.rpc import ProviderServicer
from services.provider.rpc_caregivers import CaregiverServicer
from services.provider.rpc_designation import DesignationServicer, SanctionServicer
from services.provider.rpc_monitoring import ComplaintServicer, MonitoringServicer


def build(parts: Parts) -> Registration:
    """The service out of its opened parts."""
    lists, register = parts.runner(Lists(parts.codec)), parts.runner(Register(parts.codec))
    reader, on_register = ListReader(parts.store, lists), RegisterReader(parts.store, register)
    counts = parts.runner(Counts(parts.codec))
    counted = CountsReader(parts.store, counts)
    facts = FactReader(parts.store, parts.codec)
    grounds = GroundsReader(parts.store, facts, parts.packs, reader.owners)
    servicers = (
        ProviderServicer(parts, reader),
        DesignationServicer(parts, on_register, reader.owners),
        SanctionServicer(parts, on_register, reader.owners),
        CaregiverServicer(parts, on_register, reader.owners),
        ComplaintServicer(parts, counted),
        MonitoringServicer(parts, counted, grounds),
    )

    def add(server: grpc.aio.Server) -> Sequence[str]:
        return [name for one in servicers for name in one.add_to(server)]

    return Registration(add=add, runners=[lists, register, counts])


if __name__ == "__main__":
    run_service("provider", provider_codec, build)
