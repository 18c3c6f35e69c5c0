"""Reads the logs in their order, and says what the detectors find (筛查). Pure: no clock, no I/O.

Live and over all history it is the same fold: an event sees those before it and nothing else, so
where the log is cut, or into how many pieces, changes no flag that was found before. A flag is
told once for each subject, detector and version.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import lru_cache
from sys import intern
from typing import Any
from uuid import UUID

from google.protobuf.message import Message
from ltci.assessment.v1 import assessment_types_pb2 as assessment_types
from ltci.assessment.v1 import events_pb2 as assessment
from ltci.enrollment.v1 import enrollment_types_pb2 as enrollment_types
from ltci.enrollment.v1 import events_pb2 as enrollment
from ltci.payment.v1 import events_pb2 as payment
from ltci.provider.v1 import events_pb2 as provider
from ltci.provider.v1 import provider_types_pb2 as types

from services.provider.domain.detection import of_peers
from services.provider.domain.detection.catalogue import DETECTORS
from services.provider.domain.detection.detector import Detector, Limits
from services.provider.domain.detection.known import Known, Source, Span
from services.provider.domain.detection.of_facts import (
    AFTER_DEATH,
    BEFORE_EFFECT,
    IN_HOSPITAL,
    OF_STANDING,
)
from services.provider.domain.detection.of_peers import Months, month_of
from services.provider.domain.detection.of_visits import (
    OUTSIDE_PLAN,
    PRICE_ABOVE_LIST,
    price_above_list,
)
from services.provider.domain.detection.seen import Seen, Suspicion
from services.provider.domain.evidence import Photo
from services.provider.domain.place import Place

LimitsOf = Callable[[str, date], Limits | None]
"""The figures of a pool on a day; None where the pool's rules have none."""

FOLLOWED: Mapping[str, tuple[type[Message], ...]] = {
    "provider": (
        provider.PlanApproved,
        provider.PlanEnded,
        provider.PriceListed,
        provider.VisitStarted,
        provider.VisitEnded,
        provider.EvidenceKept,
        provider.ServiceDelivered,
        provider.ServiceRejected,
        provider.PersonBarred,
        provider.PersonRestored,
        provider.CertificateRevoked,
        provider.ClaimLineMatched,
    ),
    "enrollment": (enrollment.LifeEventReported, enrollment.LifeEventWithdrawn),
    "payment": (payment.EntitlementOpened,),
    "assessment": (assessment.OnSiteAssessed, assessment.AssessmentGraded),
}
"""What is read of which service's log."""

_INSTITUTION = {types.CARE_FORM_INSTITUTION, types.CARE_FORM_HOSPITAL, types.CARE_FORM_COMMUNITY}
_ABOVE = "PRICE_ABOVE_LIST"  # a claim line was adjusted
_PENDING_MOST = 100_000  # visits begun and not decided yet; the oldest are dropped beyond


@dataclass(frozen=True, slots=True)
class Heard:
    """An event of a log, its personal part left out; a plan's place comes beside it."""

    source: str
    position: int
    message: Any
    day: date  # on which it was recorded
    place: Place | None = None


@dataclass(slots=True)
class _Plan:
    plan: UUID
    person: UUID
    place: Place | None
    home: bool
    provider: UUID


@dataclass(slots=True)
class _Visit:
    """What was told of a visit before its verdict."""

    caregiver: UUID
    start: int
    end: int = 0
    items: tuple[str, ...] = ()
    device: str = ""
    mocked: bool = False
    photos: tuple[Photo, ...] = ()


class Watch:
    """The fold. Feed it events in the order in which they were recorded."""

    def __init__(self, limits_of: LimitsOf, detectors: Collection[str] = ()) -> None:
        """All detectors, or those named."""
        wanted = [one for name, one in DETECTORS.items() if not detectors or name in detectors]
        self._wanted = wanted
        self._names = {one.name for one in wanted}
        self._limits_of = limits_of
        self._known = Known()
        self._months = Months()
        self._told: set[tuple[str, str]] = set()
        self._plans: dict[UUID, _Plan] = {}
        self._visits: dict[UUID, _Visit] = {}
        self._minutes: dict[tuple[UUID, str], list[tuple[date, int]]] = defaultdict(list)
        self._life: dict[str, tuple[str, UUID, date]] = {}
        self._assessors: dict[str, list[str]] = defaultdict(list)  # by application
        self._looked: set[tuple[str, str]] = set()  # months whose peers were looked at
        self._today = date.min
        self._ones: dict[UUID, UUID] = {}  # one object for each carer and body: there are millions
        self._admitted: dict[UUID, None] = {}  # today, in the order told

    def hear(self, heard: Heard) -> Sequence[Suspicion]:
        """What became worth a look by this event."""
        found: list[Suspicion] = []
        if heard.day > self._today:
            self._today = heard.day
            found += self._stayed()
            found += self._peers()
        match heard.message:
            case provider.VisitStarted() as m:
                self._visits[UUID(m.visit)] = _Visit(
                    self._one(UUID(m.caregiver)), _seconds(m.start_time)
                )
                if len(self._visits) > _PENDING_MOST:
                    self._visits.pop(next(iter(self._visits)))
            case provider.VisitEnded() as m:
                self._ended(m)
            case provider.EvidenceKept() as m:
                self._evidence(m)
            case provider.ServiceDelivered() | provider.ServiceRejected() as m:
                found += self._decided(m, heard.position)
            case _:
                found += self._fact(heard)
        return [one for one in found if self._is_new(one)]

    # -- visits ------------------------------------------------------------------------------

    def _ended(self, m: provider.VisitEnded) -> None:
        visit = self._visits.get(UUID(m.visit))
        if visit is not None:
            visit.end = _seconds(m.end_time)
            visit.items = tuple(intern(done.item) for done in m.items)

    def _evidence(self, m: provider.EvidenceKept) -> None:
        visit = self._visits.get(UUID(m.visit))
        if visit is None:
            return
        found = m.findings
        visit.device = intern(found.device) or visit.device
        visit.mocked = visit.mocked or found.mocked
        visit.photos += tuple(
            Photo(sha256=photo.sha256, perceptual_hash=photo.perceptual_hash)
            for photo in found.photos
        )

    def _decided(
        self, m: provider.ServiceDelivered | provider.ServiceRejected, position: int
    ) -> Iterator[Suspicion]:
        visit = self._visits.pop(UUID(m.visit), None)
        plan = self._plans.get(UUID(m.plan))
        if visit is None or plan is None:
            return  # a later verdict of a visit that was looked at, or one without a beginning
        day = _day(m.care_date)
        body = self._one(UUID(m.provider))
        rejected = isinstance(m, provider.ServiceRejected)
        seen = Seen(
            visit=UUID(m.visit),
            plan=plan.plan,
            person=self._one(UUID(m.person)),
            pool=intern(m.pool),
            provider=body,
            caregiver=visit.caregiver,
            care_date=day,
            start=visit.start,
            end=visit.end,
            items=visit.items,
            cost_fen=m.cost_fen,
            delivered=not rejected,
            reasons=tuple(m.reasons) if isinstance(m, provider.ServiceRejected) else (),
            place=plan.place,
            home=plan.home,
            device=visit.device,
            mocked=visit.mocked,
            photos=visit.photos,
            items_minutes=sum(self._minutes_of(body, item, day) for item in visit.items),
            position=position,
        )
        limits = self._limits_of(seen.pool, day)
        if limits is not None:
            for one in self._wanted:
                yield from one.find(seen, self._known, limits)
        self._known.add(replace(seen, photos=()), seen.photos)
        self._months.count(seen)

    def _one(self, name: UUID) -> UUID:
        return self._ones.setdefault(name, name)

    def _minutes_of(self, body: UUID, item: str, day: date) -> int:
        minutes = 0
        for effective, told in self._minutes.get((body, item), ()):
            if effective <= day:
                minutes = told
        return minutes

    # -- facts -------------------------------------------------------------------------------

    def _fact(self, heard: Heard) -> Iterator[Suspicion]:
        source = (heard.source, heard.position)
        match heard.message:
            case provider.PlanApproved() as m:
                body = UUID(m.provider)
                plan, home = UUID(m.plan), m.form not in _INSTITUTION
                self._plans[plan] = _Plan(plan, UUID(m.person), heard.place, home, body)
                self._months.bodies[UUID(m.person)] = body
            case provider.PlanEnded() as m:
                span = Span(date.fromisoformat(m.end_date), None, source)
                self._known.ended[UUID(m.plan)] = span
                yield from self._again((OUTSIDE_PLAN,), self._known.of_person(UUID(m.person)))
            case provider.PriceListed() as m:
                listed = self._minutes[UUID(m.provider), m.item]
                listed.append((date.fromisoformat(m.effective_date), m.minutes))
                listed.sort(key=lambda one: one[0])
            case provider.PersonBarred() as m:
                who = UUID(m.person)
                span = Span(date.fromisoformat(m.start_date), None, source)
                self._known.barred[who].append(span)
                yield from self._again(OF_STANDING, self._known.of_carer_since(who, span.first))
            case provider.PersonRestored() as m:
                for span in self._known.barred.get(UUID(m.person), ()):
                    span.last = span.last or date.fromisoformat(m.restored_date)
            case provider.CertificateRevoked() as m:
                who = UUID(m.caregiver)
                span = Span(date.fromisoformat(m.revoked_date), None, source)
                self._known.revoked[who] = span
                yield from self._again(OF_STANDING, self._known.of_carer_since(who, span.first))
            case provider.ClaimLineMatched() as m if _ABOVE in m.reasons:
                yield from self._claimed(m, source)
            case payment.EntitlementOpened() as m:
                who = UUID(m.person)
                span = Span(date.fromisoformat(m.effective_date), None, source)
                self._known.entitled[who].append(span)
                yield from self._again((BEFORE_EFFECT,), self._known.of_person(who))
            case _:
                yield from self._told_elsewhere(heard, source)

    def _claimed(self, m: provider.ClaimLineMatched, source: Source) -> Iterator[Suspicion]:
        """A line that asks too much is adjusted; that it was tried is worth a look."""
        if PRICE_ABOVE_LIST.name not in self._names or not m.visit:
            return
        for seen in self._known.of_person(UUID(m.person)):
            limits = self._limits_of(seen.pool, seen.care_date)
            if limits is not None and seen.visit == UUID(m.visit):
                yield from price_above_list(seen, m.asked_fen, m.adjusted_fen, source, limits)

    def _told_elsewhere(self, heard: Heard, source: Source) -> Iterator[Suspicion]:
        match heard.message:
            case enrollment.LifeEventReported() as m if not m.denied:
                yield from self._lived(m, source)
            case enrollment.LifeEventWithdrawn() as m:
                self._unlived(m.life_event)
            case assessment.OnSiteAssessed() as m:
                if m.assessor_kind == assessment_types.ASSESSOR_KIND_ASSESSOR:
                    self._assessors[m.application].append(m.assessor)
            case assessment.AssessmentGraded() as m:
                day = date.fromisoformat(m.assessed_date)
                for assessor in self._assessors.pop(m.application, ()):
                    self._months.grade(m.pool, assessor, day, UUID(m.person), m.grade)
            case _:
                return

    def _lived(self, m: enrollment.LifeEventReported, source: Source) -> Iterator[Suspicion]:
        who, day = UUID(m.person), date.fromisoformat(m.event_date)
        kind = enrollment_types.LifeEventKind.Name(m.kind).removeprefix("LIFE_EVENT_KIND_")
        self._life[m.life_event] = (kind, who, day)
        match kind:
            case "DEATH":
                self._known.deaths[who] = Span(day, None, source)
                yield from self._again((AFTER_DEATH,), self._known.of_person(who))
            case "ADMISSION":
                self._known.stays[who].append(Span(day, None, source))
                self._known.stays[who].sort(key=lambda span: span.first)
                self._admitted[who] = None
            case "DISCHARGE":
                for span in self._known.stays.get(who, ()):
                    if span.first <= day and (span.last is None or day < span.last):
                        span.last = day
            case _:
                return

    def _stayed(self) -> Iterator[Suspicion]:
        """Holds visits against the stays told yesterday.

        Hospitals tell a stay when it is over: the admission, and the discharge right behind it.
        """
        admitted, self._admitted = self._admitted, {}
        for who in admitted:
            yield from self._again((IN_HOSPITAL,), self._known.of_person(who))

    def _unlived(self, life_event: str) -> None:
        kind, who, day = self._life.pop(life_event, ("", None, date.min))
        if who is None:
            return
        if kind == "DEATH":
            self._known.deaths.pop(who, None)
        elif kind == "ADMISSION":
            stays = self._known.stays[who]
            self._known.stays[who] = [span for span in stays if span.first != day]

    def _again(
        self, detectors: Sequence[Detector], visits: Iterator[Seen] | Sequence[Seen]
    ) -> Iterator[Suspicion]:
        """Holds visits known already against a fact that came later."""
        wanted = [one for one in detectors if one.name in self._names]
        for seen in list(visits) if wanted else ():
            limits = self._limits_of(seen.pool, seen.care_date)
            if limits is not None:
                for one in wanted:
                    yield from one.find(seen, self._known, limits)

    # -- peers -------------------------------------------------------------------------------

    def _peers(self) -> Iterator[Suspicion]:
        """The months that are over for long enough, each once."""
        for key in sorted({*self._months.visits, *self._months.assessed}):
            pool, month = key
            last = _last_day(month)
            limits = self._limits_of(pool, last)
            if limits is None or key in self._looked:
                continue
            if self._today <= last + timedelta(days=limits["peer_after_days"]):
                continue
            self._looked.add(key)
            for name, look in _LOOKS.items():
                if name in self._names:
                    yield from look(self._months, key, last, limits)
            if of_peers.ASSESSOR_TIED.name in self._names:
                yield from self._tied_before(key, limits["tied_months"])
            self._months.forget(key, limits["tied_months"])

    def _tied_before(self, key: tuple[str, str], count: int) -> Iterator[Suspicion]:
        """Looks again at whom assessors saw in months before: a plan follows weeks later."""
        for earlier in self._months.before(key, count):
            last = _last_day(earlier[1])
            limits = self._limits_of(earlier[0], last)
            if limits is not None and earlier in self._looked:
                yield from of_peers.tied_assessors(self._months, earlier, last, limits)

    def _is_new(self, one: Suspicion) -> bool:
        key = (one.detector, one.subject)
        if key in self._told:
            return False
        self._told.add(key)
        return True


_LOOKS: Mapping[str, Callable[[Months, tuple[str, str], date, Limits], Iterator[Suspicion]]] = {
    of_peers.PROVIDER_DRIFT.name: of_peers.drifting_providers,
    of_peers.ASSESSOR_DRIFT.name: of_peers.drifting_assessors,
    of_peers.ASSESSOR_TIED.name: of_peers.tied_assessors,
}


@lru_cache(maxsize=1024)
def _day(text: str) -> date:
    return date.fromisoformat(text)


def _seconds(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())


def _last_day(month: str) -> date:
    year, number = map(int, month.split("-"))
    return date(year + number // 12, number % 12 + 1, 1) - timedelta(days=1)


__all__ = ["FOLLOWED", "Heard", "Watch", "month_of"]
