"""The month as the services would have recorded it, for the fold of the detectors: no servers.

Everything comes on the day on which it would have become known: plans before the month, visits
as devices send them with the verdict of the services' own rule, and facts late. A register tells
a death days after it, a hospital a stay when it is over, a court a forged certificate weeks
later, a provider its claims in the next month. How late is assumed.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Any, TypeAlias
from uuid import UUID

from ltci.assessment.v1 import assessment_types_pb2 as assessment_types
from ltci.assessment.v1 import events_pb2 as assessment
from ltci.enrollment.v1 import enrollment_types_pb2 as enrollment_types
from ltci.enrollment.v1 import events_pb2 as enrollment
from ltci.payment.v1 import events_pb2 as payment
from ltci.provider.v1 import events_pb2 as pb
from ltci.provider.v1 import provider_types_pb2 as types

from benchmarks.generator.chance import Chance
from benchmarks.generator.city import carer_number, person_number
from benchmarks.generator.days import DAY
from benchmarks.generator.files import World, claimed_fen
from benchmarks.generator.ground import plan_of, provider_of
from benchmarks.generator.judge import Judge
from benchmarks.generator.month import month
from benchmarks.generator.visits import Visit, times_of
from kernel.ids import derive
from services.provider.domain.place import Place
from services.provider.domain.plan import PlanApproved, PlanEnded
from services.provider.watch import Heard

_BEFORE = 10  # days before the month on which plans are approved
_SLIPS = 0.002  # of claim lines: a little more than the list, by mistake
_CLAIMED = (3, 12)  # days after the month
_LOOKED_AT = 20  # days after the month on which the last thing becomes known
Told: TypeAlias = tuple[str, Any, Place | None]


class Log:
    """The events of all services in the order in which they became known."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._sizes = world.sizes
        self._times = times_of(world.sizes.first.year, world.sizes.first.month)
        self._judge = Judge(world)
        self._heads: dict[str, int] = defaultdict(int)
        self._claims: list[tuple[int, Visit]] = []
        self.cost_fen: dict[str, int] = {}  # of visits that count, by id

    def events(self, tell: Callable[[Visit], None], most: int | None = None) -> Iterator[Heard]:
        """Everything, or with so many visits; `tell` hears of each before its events come."""
        facts: dict[int, list[Told]] = defaultdict(list)
        for day, told in self._facts():
            facts[day].append(told)
        days = sorted(facts, reverse=True)
        for visit in islice(month(self._sizes), most):
            day = max(visit.sent // DAY, visit.day)
            while days and days[-1] <= day:
                # What an office tells, it tells in the morning; the visits of the day follow.
                yield from self._all(days[-1], facts.pop(days.pop()))
            tell(visit)
            yield from self._all(day, self._visit(visit, day))
            self._claim(visit)
        for day in sorted(facts.keys() | {day for day, _ in self._claims}):
            yield from self._all(day, facts.get(day, []))
            yield from self._all(day, [self._line(v) for due, v in self._claims if due == day])
        last = self._sizes.days + _LOOKED_AT
        closing = assessment.AssessmentGraded(pool=self._sizes.pool, assessed_date=self._day(last))
        yield from self._all(last, [("assessment", closing, None)])

    def _all(self, day: int, told: list[Told]) -> Iterator[Heard]:
        recorded = self._sizes.first + timedelta(days=day)
        for source, message, place in told:
            self._heads[source] += 1
            yield Heard(source, self._heads[source], message, recorded, place)

    def _day(self, number: int) -> str:
        return self._sizes.day(number).isoformat()

    # -- facts -----------------------------------------------------------------------------

    def _facts(self) -> Iterator[tuple[int, Told]]:
        yield from self._of_ground()
        for number in range(self._sizes.people):
            yield from self._assessed(number)
            yield from self._lived(number)

    def _of_ground(self) -> Iterator[tuple[int, Told]]:
        for day, event in self._judge.known():
            message: Any
            name = type(event).__name__
            place = None
            if isinstance(event, PlanApproved):
                message = pb.PlanApproved(
                    plan=str(event.plan),
                    person=str(event.person),
                    pool=event.pool,
                    provider=str(event.provider),
                    form=types.CareForm.Value(f"CARE_FORM_{event.form.name}"),
                    start_date=event.start_date.isoformat(),
                )
                place = event.place
            elif name == "PriceListed":
                message = pb.PriceListed(**_cells(event, "provider", "item", "effective_date"))
                message.minutes = event.minutes
            elif name == "PersonBarred":
                message = pb.PersonBarred(**_cells(event, "person", "pool", "start_date"))
            elif name == "CertificateRevoked":
                message = pb.CertificateRevoked(**_cells(event, "caregiver", "revoked_date"))
            elif isinstance(event, PlanEnded):
                message = pb.PlanEnded(**_cells(event, "plan", "person", "pool", "end_date"))
            else:
                continue
            yield day, ("provider", message, place)

    def _assessed(self, number: int) -> Iterator[tuple[int, Told]]:
        assessor = self._world.city.assessor_of(number)
        if assessor is None:
            return
        pool, day = self._sizes.pool, number % 20 - 51  # as in the file of applications
        known: dict[str, Any] = {
            "application": str(derive("generated application", str(number))),
            "person": str(person_of(pool, number)),
            "assessed_date": self._day(day),
        }
        seen = assessment.OnSiteAssessed(
            **known,
            assessor=f"{pool}-assessor-{assessor}",
            assessor_kind=assessment_types.ASSESSOR_KIND_ASSESSOR,
        )
        grade = self._world.city.grade(number, assessor)
        yield day, ("assessment", seen, None)
        graded = assessment.AssessmentGraded(**known, pool=pool, grade=grade)
        yield day + 5, ("assessment", graded, None)

    def _lived(self, number: int) -> Iterator[tuple[int, Told]]:
        pool, life = self._sizes.pool, self._world.city.life(number)
        who, chance = str(person_of(pool, number)), Chance(self._sizes.seed, "told", number)
        begins, opened = -60, -_BEFORE
        if life.kind == "begins":
            begins, opened = life.day, life.day + chance.between(-10, 5)
        entitled = payment.EntitlementOpened(
            person=who, pool=pool, effective_date=self._day(begins), grade=3
        )
        yield opened, ("payment", entitled, None)
        if life.kind == "dies":
            yield life.day + chance.between(0, 20), self._event(who, "DEATH", life.day)
        if life.kind == "in_hospital":
            known = life.until + chance.between(0, 4)
            yield known, self._event(who, "ADMISSION", life.day)
            yield known, self._event(who, "DISCHARGE", life.until)

    def _event(self, person: str, kind: str, day: int) -> Told:
        told = enrollment.LifeEventReported(
            life_event=str(derive("generated life event", person, kind)),
            person=person,
            pool=self._sizes.pool,
            kind=enrollment_types.LifeEventKind.Value(f"LIFE_EVENT_KIND_{kind}"),
            event_date=self._day(day),
        )
        return "enrollment", told, None

    # -- visits ----------------------------------------------------------------------------

    def _visit(self, visit: Visit, day: int) -> list[Told]:
        """A visit that was uploaded whole: its start, evidence, end and verdict."""
        ruling = self._judge.ruling(visit, day)
        pool = self._sizes.pool
        of_visit: dict[str, Any] = {
            "visit": visit.visit_id,
            "person": str(person_of(pool, visit.person)),
        }
        of_plan: dict[str, Any] = {"plan": str(plan_of(self._world, visit.person)), "pool": pool}
        started = pb.VisitStarted(
            **of_visit,
            **of_plan,
            caregiver=str(carer_of(pool, visit.carer)),
            start_time=self._times.text(visit.start),
        )
        photos = [types.Photo(sha256=sha, perceptual_hash=look) for sha, look in visit.photos]
        kept = pb.EvidenceKept(
            **of_visit,
            pool=pool,
            findings=types.VisitFindings(device=visit.device, mocked=visit.mocked, photos=photos),
        )
        ended = pb.VisitEnded(
            **of_visit,
            end_time=self._times.text(visit.end),
            items=[types.ItemDone(item=item) for item in visit.items],
        )
        verdict: dict[str, Any] = {
            **of_visit,
            **of_plan,
            "provider": str(provider_of(self._world, visit.provider)),
            "care_date": self._day(visit.day),
            "cost_fen": ruling.amounts["cost"],
        }
        decided: Any
        if ruling.reasons:
            decided = pb.ServiceRejected(**verdict, reasons=ruling.reasons)
        else:
            decided = pb.ServiceDelivered(**verdict, minutes=visit.minutes)
            self.cost_fen[visit.visit_id] = ruling.amounts["cost"]
        return [("provider", message, None) for message in (started, kept, ended, decided)]

    def _claim(self, visit: Visit) -> None:
        """Lines that ask for what the list says are left out: nothing follows from them."""
        chance = Chance(self._sizes.seed, "claim", visit.name)
        if not visit.overcharged and not chance.happens(_SLIPS):
            return
        self._claims.append((self._sizes.days + chance.between(*_CLAIMED), visit))

    def _line(self, visit: Visit) -> Told:
        chance = Chance(self._sizes.seed, "slip", visit.name)
        asked = listed = self._judge.listed_fen(visit)
        if visit.overcharged:
            asked = sum(claimed_fen(visit, item) for item in visit.items)
        else:
            asked += listed * chance.between(1, 8) // 100
        line = pb.ClaimLineMatched(
            person=str(person_of(self._sizes.pool, visit.person)),
            pool=self._sizes.pool,
            visit=visit.visit_id,
            asked_fen=asked,
            adjusted_fen=min(asked, listed),
            reasons=["PRICE_ABOVE_LIST"] if asked > listed else [],
        )
        return "provider", line, None


def person_of(pool: str, number: int) -> UUID:
    return derive("person", person_number(pool, number))


def carer_of(pool: str, number: int) -> UUID:
    return derive("person", carer_number(pool, number))


def _cells(event: Any, *names: str) -> dict[str, Any]:
    told = {name: getattr(event, name) for name in names}
    return {
        name: value.isoformat() if isinstance(value, date | datetime) else str(value)
        for name, value in told.items()
    }
