"""What visits are judged on: the plan that is meant, and the facts around it.

Facts are read for as many visits as there are at once: the plans, then their providers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import reduce
from typing import cast
from uuid import UUID

from kernel.eventstore.postgres import EventStore
from kernel.pack_keeper import PackKeeper
from kernel.refusal import Invalid, NotFound, Violation
from kernel.rules.library import PackLibrary
from kernel.rules.pack import Pack
from kernel.rules.ruling import Fact
from services.provider.application.facts import FactReader
from services.provider.application.intake import Brought, keep, streams_of
from services.provider.application.plans import PlanOwners
from services.provider.application.streams import caregiver_stream, plan_stream, provider_stream
from services.provider.domain import plan
from services.provider.domain.evidence import EvidenceKept
from services.provider.domain.plan import Plan, PlanApproved, Plans
from services.provider.domain.provider import PriceListed, price_on
from services.provider.domain.verdict import Basis, ItemDone

Facts = Mapping[UUID, tuple[Fact, ...]]


@dataclass(frozen=True, kw_only=True)
class Meant:
    """Which plan and whose hands a visit names: a plan, or a person and a pool, or all three."""

    plan: UUID | None
    person: UUID | None
    pool: str
    caregiver: UUID | None
    brought: Brought | None = None  # the evidence, where it came with any


class Grounds:
    """The plans and facts gathered for some visits, as they stood at one moment."""

    def __init__(self, owners: Mapping[UUID, tuple[str, UUID]], facts: Facts) -> None:
        self._owners = owners
        self._facts = facts
        self._plans: dict[UUID, Plans] = {}

    def plan(self, meant: Meant, day: date) -> Plan:
        """The plan that is meant on a day of care. Refuses NOT_FOUND."""
        stream = stream_of(meant, self._owners)
        plans = self._folded(stream) if stream is not None else Plans()
        found = plans.find(meant.plan) if meant.plan is not None else plans.meant_on(day)
        if found is None:
            raise NotFound("plan", meant.plan or f"of person {meant.person}")
        return found

    def priced(self, approved: PlanApproved, items: Sequence[str], day: date) -> list[ItemDone]:
        """The items at the provider's list prices of the day.

        An item that is not listed then is bad input, told by its place.
        """
        facts = self._facts.get(provider_stream(approved.provider), ())
        listed = [fact.event for fact in facts if isinstance(fact.event, PriceListed)]
        done: list[ItemDone] = []
        wrong: list[Violation] = []
        for place, item in enumerate(items):
            price = price_on(listed, item, day)
            if price is None:
                wrong.append(Violation(f"items[{place}]", "ITEM_NOT_LISTED", *_NOT_LISTED))
            else:
                done.append(ItemDone(item=item, price=price.price))
        if wrong:
            raise Invalid(wrong)
        return done

    def medical(self, approved: PlanApproved, item: str, day: date) -> bool:
        """Whether the provider's list of the day has the item as medical care (医疗护理)."""
        facts = self._facts.get(provider_stream(approved.provider), ())
        listed = [fact.event for fact in facts if isinstance(fact.event, PriceListed)]
        price = price_on(listed, item, day)
        return price is not None and price.medical

    def basis(
        self, approved: PlanApproved, caregiver: UUID, pack: Pack, code_version: str, *others: UUID
    ) -> Basis:
        """What the verdict on a visit under this plan by this caregiver stands on.

        Where it is not clear yet who cared, the facts about others are there, too.
        """
        streams = (
            plan_stream(approved.pool, approved.person),
            provider_stream(approved.provider),
            *(caregiver_stream(one) for one in (caregiver, *others)),
        )
        facts = tuple(fact for stream in streams for fact in self._facts.get(stream, ()))
        return Basis(facts=facts, pack=pack, code_version=code_version)

    def kept(
        self, meant: Meant, approved: PlanApproved, visit: UUID, day: date
    ) -> EvidenceKept | None:
        """The evidence that came for a visit under the plan, held against what is on record."""
        if meant.brought is None:
            return None
        return keep(meant.brought, approved, visit, day, self._facts)

    def providers(self) -> set[UUID]:
        """The providers of all plans among the facts."""
        events = (fact.event for facts in self._facts.values() for fact in facts)
        return {event.provider for event in events if isinstance(event, PlanApproved)}

    def _folded(self, stream: UUID) -> Plans:
        plans = self._plans.get(stream)
        if plans is None:
            events = [cast("plan.Event", fact.event) for fact in self._facts.get(stream, ())]
            plans = self._plans[stream] = reduce(plan.evolve, events, Plans())
        return plans


class GroundsReader:
    """Gathers grounds from the store, and pins the rules that verdicts use."""

    def __init__(
        self, store: EventStore, facts: FactReader, packs: PackLibrary, owners: PlanOwners
    ) -> None:
        self.facts = facts
        self._packs = PackKeeper(packs, store)
        self._owners = owners

    async def gather(self, visits: Sequence[Meant]) -> Grounds:
        """The grounds of all these visits, in three looks at most."""
        plans = list({m.plan for m in visits if m.plan is not None and m.person is None})
        owners = await self._owners(plans) if plans else {}
        streams = {stream_of(meant, owners) for meant in visits} - {None}
        streams |= {caregiver_stream(m.caregiver) for m in visits if m.caregiver is not None}
        for meant in visits:
            if meant.brought is not None:
                streams |= set(streams_of(meant.brought, owner_of_plan(meant, owners)))
        facts = await self.facts.read([stream for stream in streams if stream is not None])
        providers = Grounds(owners, facts).providers()
        facts |= await self.facts.read([provider_stream(name) for name in providers])
        return Grounds(owners, facts)

    async def pack(self, pool: str) -> Pack:
        """The pool's rules, kept in the store before a ruling names them."""
        return await self._packs.pack_for(pool)


def stream_of(meant: Meant, owners: Mapping[UUID, tuple[str, UUID]]) -> UUID | None:
    """The stream of the plan that is meant; None where nobody knows the plan."""
    owner = owner_of_plan(meant, owners)
    return plan_stream(*owner) if owner else None


def owner_of_plan(meant: Meant, owners: Mapping[UUID, tuple[str, UUID]]) -> tuple[str, UUID] | None:
    """Pool and person of the plan that is meant; None where nobody knows the plan."""
    if meant.person is not None:
        return meant.pool, meant.person
    return owners.get(meant.plan) if meant.plan is not None else None


_NOT_LISTED = (
    "must be on the provider's price list on the day of care",
    "应在服务当日该机构的价目表中",
)
