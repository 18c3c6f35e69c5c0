"""What the provider service's own rule says of a generated visit, without the service.

A verdict stands on what was known on the day the visit came in, and no more.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from benchmarks.generator.chance import Chance
from benchmarks.generator.city import carer_number, person_number
from benchmarks.generator.files import World
from benchmarks.generator.ground import ground, plan_of, provider_of
from benchmarks.generator.visits import SHANGHAI, Visit
from kernel.config import ROOT
from kernel.ids import derive
from kernel.rules.library import PackLibrary
from kernel.rules.ruling import Fact, FactRef, Ruling
from services.provider.application.streams import caregiver_stream, plan_stream, provider_stream
from services.provider.domain.carer_record import CertificateRevoked, PersonBarred
from services.provider.domain.evidence import VisitFindings
from services.provider.domain.place import Place, distance_m
from services.provider.domain.plan import PlanEnded
from services.provider.domain.provider import PriceListed
from services.provider.domain.signals import Evident
from services.provider.domain.verdict import (
    Basis,
    ConfirmedBy,
    ItemDone,
    Question,
    rule_visit,
)

_GROUND_KNOWN = -10  # day of the month on which what stands before it is known, at the latest
_NO_DIGEST = "0" * 64


class Judge:
    """Asks the rule about visits of one world."""

    def __init__(self, world: World, *, evidence: bool = True) -> None:
        """Without evidence: as where devices bring none."""
        self._world, self._brings = world, evidence
        self._pack = PackLibrary(ROOT / "rules").pack_for(world.sizes.pool)
        first = world.sizes.first
        self._midnight = datetime(first.year, first.month, first.day, tzinfo=SHANGHAI)
        self._facts: dict[UUID, tuple[tuple[int, Fact], ...]] = {}
        self._prices: dict[UUID, dict[str, PriceListed]] = defaultdict(dict)
        for stream in ground(world, lambda number: derive("person", number)):
            self._facts[stream.name] = tuple(
                (
                    self._known_day(event),
                    Fact(FactRef("provider", place, "0" * 32), event, self._midnight),
                )
                for place, event in enumerate(stream.events, start=1)
            )
            for event in stream.events:
                if isinstance(event, PriceListed):
                    self._prices[event.provider][event.item] = event

    def known(self) -> Iterator[tuple[int, Any]]:
        """All it stands on, with the day of the month on which each became known."""
        for facts in self._facts.values():
            for day, fact in facts:
                yield day, fact.event

    def ruling(self, visit: Visit, day: int) -> Ruling:
        """The verdict on a visit that came in on a day of the month."""
        pool = self._world.sizes.pool
        who = derive("person", person_number(pool, visit.person))
        carer = derive("person", carer_number(pool, visit.carer))
        provider = provider_of(self._world, visit.provider)
        prices = self._prices[provider]
        question = Question(
            visit=UUID(visit.visit_id),
            plan=plan_of(self._world, visit.person),
            caregiver=carer,
            start_time=self._midnight + timedelta(seconds=visit.start),
            end_time=self._midnight + timedelta(seconds=visit.end),
            distance_m=distance_m(_place(visit.here), _place(visit.home)),
            # Of one body's list; a day in an institution is done by nobody else.
            items=tuple(ItemDone(item=item, price=prices[item].price) for item in visit.items),
            confirmed_by=ConfirmedBy.FAMILY if visit.by_family else ConfirmedBy.PERSON,
            evident=self._evident(visit) if self._brings else None,
        )
        streams = plan_stream(pool, who), provider_stream(provider), caregiver_stream(carer)
        facts = tuple(
            fact for stream in streams for known, fact in self._facts[stream] if known <= day
        )
        return rule_visit(question, Basis(facts=facts, pack=self._pack, code_version=""))

    def listed_fen(self, visit: Visit) -> int:
        """What its items cost by the list."""
        prices = self._prices[provider_of(self._world, visit.provider)]
        return sum(prices[item].price.fen for item in visit.items)

    def _known_day(self, event: object) -> int:
        """Bars are told at once or days later, forgeries and ends of plans up to weeks later."""
        first, seed = self._world.sizes.first, self._world.sizes.seed
        match event:
            case PersonBarred():
                latest, day, who = 4, event.start_date, event.person
            case CertificateRevoked():
                latest, day, who = 14, event.revoked_date, event.caregiver
            case PlanEnded():
                latest, day, who = 6, event.end_date, event.person
            case _:
                return _GROUND_KNOWN
        return (day - first).days + Chance(seed, "known", who).between(0, latest)

    @staticmethod
    def _evident(visit: Visit) -> Evident:
        """What the service would read from the evidence; signatures and markers are none."""
        end = -1 if visit.there is None else distance_m(_place(visit.there), _place(visit.home))
        findings = VisitFindings(
            device=visit.device,
            end_distance_m=end,
            accuracy_m=visit.accuracy_m,
            mocked=visit.mocked,
            clock_skew_seconds=visit.skew,
            offline=visit.offline,
        )
        return Evident(findings=findings, digests=(_NO_DIGEST,))


def _place(point: tuple[int, int]) -> Place:
    return Place(latitude_microdegrees=point[0], longitude_microdegrees=point[1])
