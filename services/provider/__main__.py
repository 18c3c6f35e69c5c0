"""Runs the service of designated care: `python -m services.provider`."""

import asyncio
from collections.abc import Sequence

import grpc

from kernel.eventstore.feed import RemoteFeed
from kernel.rpc.channel import connect
from kernel.service import Parts, Registration, run_service
from services.provider.bookings import BookingReader, Bookings
from services.provider.codec import provider_codec
from services.provider.incoming import SOURCES, told_types
from services.provider.insured import InsuredFacts, InsuredReader
from services.provider.projections import ListReader, Lists
from services.provider.register import Register, RegisterReader
from services.provider.rpc import ProviderServicer
from services.provider.rpc_bookings import BookingServicer
from services.provider.rpc_caregivers import CaregiverServicer
from services.provider.rpc_designation import DesignationServicer, SanctionServicer


def build(parts: Parts) -> Registration:
    """The service out of its opened parts."""
    lists, register = parts.runner(Lists(parts.codec)), parts.runner(Register(parts.codec))
    services = {source: connect(parts.settings.service_addresses[source]) for source in SOURCES}
    insured = parts.runner(
        InsuredFacts(),
        [RemoteFeed(services[source], source, told_types(source)) for source in SOURCES],
    )
    reader, on_register = ListReader(parts.store, lists), RegisterReader(parts.store, register)
    bookings = parts.runner(Bookings(parts.codec))
    servicers = (
        ProviderServicer(parts, reader),
        DesignationServicer(parts, on_register, reader.owners),
        SanctionServicer(parts, on_register, reader.owners),
        CaregiverServicer(parts, on_register, reader.owners),
        BookingServicer(
            parts,
            BookingReader(parts.store, bookings),
            InsuredReader(parts.store, insured),
            reader.owners,
        ),
    )

    def add(server: grpc.aio.Server) -> Sequence[str]:
        return [name for one in servicers for name in one.add_to(server)]

    async def close() -> None:
        await asyncio.gather(*(channel.close() for channel in services.values()))

    return Registration(add=add, runners=[lists, register, insured, bookings], close=close)


if __name__ == "__main__":
    run_service("provider", provider_codec, build)
