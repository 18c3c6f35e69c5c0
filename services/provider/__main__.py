"""Runs the service of designated care: `python -m services.provider`."""

import asyncio
from collections.abc import Sequence

import grpc

from kernel.eventstore.feed import LocalFeed, RemoteFeed
from kernel.pack_keeper import PackKeeper
from kernel.rpc.channel import connect
from kernel.service import Parts, Registration, run_service
from services.provider.application.claim_grounds import ClaimGrounds
from services.provider.application.claim_matcher import ClaimMatcher
from services.provider.application.claims import Claims
from services.provider.application.facts import FactReader
from services.provider.application.grounds import GroundsReader
from services.provider.bookings import BookingReader, Bookings
from services.provider.claims import FOLLOWED, ClaimLines, ClaimReader
from services.provider.codec import provider_codec
from services.provider.counts import Counts
from services.provider.counts_reader import CountsReader
from services.provider.exception_list import ExceptionList, ExceptionReader
from services.provider.flag_table import FlagReader, FlagTable
from services.provider.incoming import SOURCES, told_types
from services.provider.inspection_table import InspectionReader, InspectionTable
from services.provider.insured import InsuredFacts, InsuredReader
from services.provider.kept import KeptEvidence, KeptReader
from services.provider.projections import ListReader, Lists
from services.provider.register import Register, RegisterReader
from services.provider.rpc import ProviderServicer
from services.provider.rpc_bookings import BookingServicer
from services.provider.rpc_caregivers import CaregiverServicer
from services.provider.rpc_claims import ClaimServicer
from services.provider.rpc_designation import DesignationServicer, SanctionServicer
from services.provider.rpc_detection import DetectionServicer
from services.provider.rpc_evidence import DeviceServicer, EvidenceServicer
from services.provider.rpc_exceptions import ExceptionServicer
from services.provider.rpc_inspections import InspectionServicer
from services.provider.rpc_monitoring import ComplaintServicer, MonitoringServicer
from services.provider.supervision import Supervisor


def build(parts: Parts, *, detecting: bool = True) -> Registration:
    """The service out of its opened parts; without detectors where `detecting` says so."""
    lists, register = parts.runner(Lists(parts.codec)), parts.runner(Register(parts.codec))
    services = {
        source: connect(address)
        for source, address in parts.settings.service_addresses.items()
        if source != parts.name
    }
    # Detectors wait for what they follow: only for what the environment says is there.
    told = parts.settings.variables
    others = {
        source: channel
        for source, channel in services.items()
        if told.get(f"LTCI_{source.upper()}_ADDRESS")
    }
    insured = parts.runner(
        InsuredFacts(),
        [RemoteFeed(services[source], source, told_types(source)) for source in SOURCES],
    )
    kept = parts.runner(KeptEvidence(parts.codec))
    queue = parts.runner(ExceptionList(parts.codec))
    reader, on_register = ListReader(parts.store, lists), RegisterReader(parts.store, register)
    counts = parts.runner(Counts(parts.codec))
    counted = CountsReader(parts.store, counts)
    # One for all: what it read it keeps.
    facts = FactReader(parts.store, parts.codec)
    grounds = GroundsReader(parts.store, facts, parts.packs, reader.owners)
    bookings = parts.runner(Bookings(parts.codec))
    # Of a visit's events they need one in four.
    about_claims = [LocalFeed(parts.store, parts.name, FOLLOWED)]
    claim_lines = parts.runner(ClaimLines(parts.codec), about_claims)
    claim_reader = ClaimReader(parts.store, claim_lines)
    claims = Claims(
        store=parts.store,
        codec=parts.codec,
        handler=parts.handler,
        clock=parts.clock,
        grounds=ClaimGrounds(parts.store, parts.codec, claim_reader),
        packs=PackKeeper(parts.packs, parts.store),
    )
    matcher = parts.runner(ClaimMatcher(parts.codec, claims, claim_reader), about_claims)
    cases = parts.runner(InspectionTable(parts.codec))
    flags = parts.runner(FlagTable(parts.codec))
    servicers = (
        ProviderServicer(parts, reader, grounds),
        DesignationServicer(parts, on_register, grounds),
        SanctionServicer(parts, on_register, reader.owners, grounds),
        CaregiverServicer(parts, on_register, reader.owners),
        ComplaintServicer(parts, counted),
        MonitoringServicer(parts, counted, grounds),
        BookingServicer(
            parts,
            BookingReader(parts.store, bookings),
            InsuredReader(parts.store, insured),
            grounds,
        ),
        DeviceServicer(parts),
        EvidenceServicer(parts, KeptReader(parts.store, kept)),
        ClaimServicer(parts, claims, claim_reader),
        ExceptionServicer(parts, reader, ExceptionReader(parts.store, queue), grounds),
        InspectionServicer(parts, InspectionReader(parts.store, cases), grounds),
        DetectionServicer(parts, others, FlagReader(parts.store, flags)),
    )

    def add(server: grpc.aio.Server) -> Sequence[str]:
        return [name for one in servicers for name in one.add_to(server)]

    async def close() -> None:
        await asyncio.gather(*(channel.close() for channel in services.values()))

    return Registration(
        add=add,
        runners=[
            lists,
            register,
            queue,
            cases,
            flags,
            claim_lines,
            matcher,
            kept,
            insured,
            bookings,
            counts,
        ],
        close=close,
        background=[Supervisor(parts, others).run] if detecting else [],
    )


def without_detectors(parts: Parts) -> Registration:
    """The same where nobody looks for what is odd."""
    return build(parts, detecting=False)


if __name__ == "__main__":
    run_service("provider", provider_codec, build)
