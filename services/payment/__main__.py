"""Runs payment: `python -m services.payment`."""

import asyncio

from kernel.eventstore.feed import RemoteFeed
from kernel.pack_keeper import PackKeeper
from kernel.rpc.channel import connect
from kernel.rpc.server import together
from kernel.service import Parts, Registration, run_service
from services.payment.application.appends import BulkWriter
from services.payment.application.contributions import POSTED, ContributionPoster
from services.payment.application.determination import Determination
from services.payment.application.entitlements import Entitlements
from services.payment.application.fund import Fund
from services.payment.application.payees import Payees
from services.payment.application.payments import Payments
from services.payment.application.previews import Previews
from services.payment.application.settlements import Settlements
from services.payment.bank import Bank
from services.payment.codec import payment_codec
from services.payment.incoming import ENROLLMENT, SOURCES, fact_types
from services.payment.letters import Letters
from services.payment.projections.balances import BalanceReader, Balances
from services.payment.projections.benefits import BenefitReader, Benefits
from services.payment.projections.facts import FactReader, Facts
from services.payment.projections.instructions import InstructionReader, Instructions
from services.payment.projections.lists import Entitlements as EntitlementList
from services.payment.projections.lists import ListReader
from services.payment.projections.lists import Settlements as SettlementList
from services.payment.rpc import PaymentServicer, Readers, UseCases
from services.payment.rpc_preview import PreviewServicer
from services.payment.states import STATES


def build(parts: Parts) -> Registration:
    """The service out of its opened parts."""
    addresses = parts.settings.service_addresses
    services = {source: connect(addresses[source]) for source in SOURCES}
    bank = connect(parts.settings.bank_address)
    feeds = [RemoteFeed(services[source], source, fact_types(source)) for source in SOURCES]
    contributions = RemoteFeed(services[ENROLLMENT], ENROLLMENT, POSTED)
    writer = BulkWriter(parts.store, parts.codec)

    facts = parts.runner(Facts(), feeds)
    poster = parts.runner(ContributionPoster(writer), [contributions])
    benefits = parts.runner(Benefits(parts.codec))
    instructions = parts.runner(Instructions(parts.codec))
    balances = parts.runner(Balances(parts.codec))
    entitlement_list = parts.runner(EntitlementList(parts.codec))
    settlement_list = parts.runner(SettlementList(parts.codec))

    pool = parts.store.pool
    readers = Readers(
        lists=ListReader(pool, entitlement_list, settlement_list),
        benefits=BenefitReader(pool, benefits, parts.name),
        instructions=InstructionReader(pool, instructions, parts.name),
        balances=BalanceReader(pool, balances, parts.name),
    )
    known_facts = FactReader(pool, facts, benefits)
    packs = PackKeeper(parts.packs, parts.store)
    use_cases = UseCases(
        payees=Payees(parts.handler),
        entitlements=Entitlements(
            parts.handler,
            parts.clock,
            packs,
            known_facts,
            Letters(parts.codec, parts.clock, known_facts.recorded),
        ),
        settlements=Settlements(
            handler=parts.handler,
            store=parts.store,
            clock=parts.clock,
            writer=writer,
            determination=Determination(writer, packs, known_facts, readers.benefits),
            sources=feeds,
            facts=known_facts,
            benefits=readers.benefits,
            instructions=readers.instructions,
        ),
        payments=Payments(
            handler=parts.handler,
            store=parts.store,
            codec=parts.codec,
            clock=parts.clock,
            bank=Bank(bank),
            instructions=readers.instructions,
        ),
        fund=Fund(parts.handler),
    )

    previews = Previews(parts.clock, packs, known_facts, readers.benefits)

    async def close() -> None:
        await asyncio.gather(*(channel.close() for channel in (*services.values(), bank)))

    return Registration(
        add=together(
            PaymentServicer(parts, use_cases, readers).add_to,
            PreviewServicer(parts, previews).add_to,
        ),
        runners=[
            facts,
            poster,
            benefits,
            instructions,
            balances,
            entitlement_list,
            settlement_list,
        ],
        close=close,
        states=STATES,
    )


if __name__ == "__main__":
    run_service("payment", payment_codec, build)
