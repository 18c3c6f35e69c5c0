"""Visits as logs tell them, for detectors: short to write, nothing odd unless said."""

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from ltci.provider.v1 import events_pb2 as pb
from ltci.provider.v1 import provider_types_pb2 as types

from kernel.clock import SHANGHAI
from kernel.ids import derive
from services.provider.domain.detection.detector import FIGURES, Limits
from services.provider.domain.detection.seen import Suspicion
from services.provider.domain.place import Place
from services.provider.watch import Heard, Watch
from tests.support.packs import CHENGDU, pack

HERE, NEAR, FAR = (  # 100 m and 10 km apart
    Place(latitude_microdegrees=30_650_000 + north, longitude_microdegrees=104_060_000)
    for north in (0, 900, 90_000)
)
DAY = date(2025, 3, 4)
BODY = derive("test", "body")
FIGURE: Limits = pack(CHENGDU).figure(FIGURES, DAY).numbers()


def named(name: str) -> UUID:
    return derive("test", name)


class Log:
    """Events in the order in which they are told."""

    def __init__(self) -> None:
        self.events: list[Heard] = []
        self._heads: Counter[str] = Counter()
        self._planned: set[str] = set()

    def tell(self, source: str, message: Any, day: date = DAY, place: Place | None = None) -> None:
        self._heads[source] += 1
        self.events.append(Heard(source, self._heads[source], message, day, place))

    def price(self, item: str, minutes: int) -> None:
        told = pb.PriceListed(
            provider=str(BODY), item=item, effective_date="2024-01-01", minutes=minutes
        )
        self.tell("provider", told)

    def plan(
        self, person: str, place: Place | None = HERE, form: int = 1, body: UUID = BODY
    ) -> None:
        self._planned.add(person)
        told = pb.PlanApproved(
            plan=str(named(f"plan {person}")),
            person=str(named(person)),
            pool=CHENGDU,
            provider=str(body),
            form=types.CareForm.Name(form),  # type: ignore[arg-type]
            start_date="2024-01-01",
        )
        self.tell("provider", told, place=place)

    def visit(
        self,
        name: str,
        person: str = "person",
        carer: str = "carer",
        *,
        at: str = "09:00",
        minutes: int = 60,
        day: date = DAY,
        known: date | None = None,
        items: Sequence[str] = ("L01",),
        reasons: Sequence[str] = (),
        findings: dict[str, Any] | None = None,
        body: UUID = BODY,
    ) -> UUID:
        """A visit that counts, unless reasons are given against it."""
        if person not in self._planned:
            self.plan(person, body=body)
        visit = named(name)
        start = datetime.fromisoformat(f"{day}T{at}:00").replace(tzinfo=SHANGHAI)
        end = start + timedelta(minutes=minutes)
        told: dict[str, Any] = {"visit": str(visit), "person": str(named(person))}
        known = known or day
        started = pb.VisitStarted(
            **told,
            plan=str(named(f"plan {person}")),
            pool=CHENGDU,
            caregiver=str(named(carer)),
            start_time=start.isoformat(),
        )
        self.tell("provider", started, known)
        if findings is not None:
            kept = pb.EvidenceKept(**told, pool=CHENGDU, findings=types.VisitFindings(**findings))
            self.tell("provider", kept, known)
        done = [types.ItemDone(item=item, price_fen=5_000) for item in items]
        self.tell("provider", pb.VisitEnded(**told, end_time=end.isoformat(), items=done), known)
        verdict: dict[str, Any] = {
            **told,
            "plan": str(named(f"plan {person}")),
            "pool": CHENGDU,
            "provider": str(body),
            "care_date": day.isoformat(),
            "cost_fen": 5_000 * len(items),
        }
        decided = (
            pb.ServiceRejected(**verdict, reasons=reasons)
            if reasons
            else pb.ServiceDelivered(**verdict, minutes=minutes)
        )
        self.tell("provider", decided, known)
        return visit


def flags(events: Sequence[Heard], *detectors: str) -> list[Suspicion]:
    """What is found in the events, in the order in which it was."""
    watch = Watch(lambda _pool, _day: FIGURE, detectors)
    return [one for event in events for one in watch.hear(event)]


def flagged(log: Log, detector: str) -> set[str]:
    """The subjects that one detector found."""
    return {one.subject for one in flags(log.events) if one.detector == detector}
