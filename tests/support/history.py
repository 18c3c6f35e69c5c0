"""A history of any size, made in bulk by the real deciders and codecs in real event stores.

People of one pool, each with an eligibility, an assessment, a plan, visits and a benefit for
each month of 2024. It differs from a lived history in one thing: events come by kind, not mixed.
"""

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from kernel.calendar import Month, add_months
from kernel.clock import SHANGHAI, Clock
from kernel.eventstore.codec import Codec
from kernel.eventstore.envelope import Append, Appended, Meta, StreamAppend
from kernel.eventstore.postgres import EventStore
from kernel.ids import derive, new_id, stream_id
from kernel.money import Money
from kernel.rules.pack import Pack
from kernel.rules.ruling import Fact, FactRef, fact_digest
from services.assessment.codec import assessment_codec
from services.assessment.domain import events as a
from services.assessment.domain import grading
from services.enrollment.codec import enrollment_codec
from services.enrollment.domain import coverage as c
from services.enrollment.domain import eligibility
from services.enrollment.domain.contribution import ContributionCollected, ContributionSource
from services.payment.codec import payment_codec
from services.payment.domain import benefit as b
from services.payment.domain import entitlement as e
from services.payment.domain import settlement as s
from services.payment.domain.course import Course
from services.payment.domain.facts import CaseFacts, PersonFact
from services.payment.incoming import fact_of
from services.provider.codec import provider_codec
from services.provider.domain import visit as v
from services.provider.domain.caregiver import CaregiverRegistered
from services.provider.domain.plan import CareForm, PlanApproved
from services.provider.domain.provider import PriceListed, ProviderAdmitted
from services.provider.domain.verdict import Basis, ConfirmedBy, ItemDone

PROVIDER, CARER = derive("provider", "history"), derive("caregiver", "history")
ITEMS = ("bathing", "feeding", "turning", "dressing", "medication")
PRICE = Money(5_700)
BEGINS = date(2024, 1, 1)
MONTHS = tuple(Month(2024, number) for number in range(1, 13))
VERSION = "history"
PEOPLE_AT_ONCE = 20
PER_PERSON = 3 + len(MONTHS) * (1 + 14)  # decisions


@dataclass(frozen=True, kw_only=True)
class New:
    """Events of one stream, in one append."""

    category: str
    key: tuple[str, ...]
    pool: str
    events: Sequence[Any]


@dataclass
class History:
    """The stores of the four services and what has been told to them."""

    stores: Mapping[str, EventStore]
    pack: Pack
    visits_a_month: int = 14
    grades: tuple[int, ...] = (3, 4, 5, 2)
    versions: dict[UUID, int] = field(default_factory=dict)
    _codecs: dict[str, Codec] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._codecs = {
            "enrollment": enrollment_codec(None),
            "assessment": assessment_codec(None),
            "provider": provider_codec(None),
            "payment": payment_codec(None),
        }

    async def tell(self, service: str, news: Sequence[New]) -> list[list[Fact]]:
        """Appends in bulk; the events as facts, with the positions they got."""
        codec, appends, told = self._codecs[service], [], []
        for new in news:
            stream = stream_id(new.category, *new.key)
            before = self.versions.get(stream, 0)
            events = tuple(
                [
                    await codec.encode(stream, before + place, event)
                    for place, event in enumerate(new.events, 1)
                ]
            )
            self.versions[stream] = before + len(events)
            request = new_id()
            part = StreamAppend(stream, new.category, new.pool, before, events)
            meta = Meta(request, "history", "", VERSION)
            appends.append(Append(request, request.bytes, b"", (part,), meta))
            told.append(events)
        outcomes = await self.stores[service].bulk_append(appends)
        now = Clock().now()
        facts: list[list[Fact]] = []
        for new, events, outcome in zip(news, told, outcomes, strict=True):
            assert isinstance(outcome, Appended)
            facts.append(
                [
                    Fact(
                        FactRef(
                            service,
                            outcome.first_position + place,
                            fact_digest(encoded.type, encoded.payload),
                        ),
                        event,
                        now,
                    )
                    for place, (event, encoded) in enumerate(zip(new.events, events, strict=True))
                ]
            )
        return facts

    async def make(self, people: int) -> None:
        """Lives so many people through the year and settles its months."""
        for store in self.stores.values():
            await store.put_pack(self.pack.hash, self.pack.pool, self.pack.content)
        common = await self.provider()
        cases: dict[UUID, list[PersonFact]] = {}
        for begin in range(0, people, PEOPLE_AT_ONCE):
            numbers = range(begin, min(begin + PEOPLE_AT_ONCE, people))
            persons = {derive("person", f"history {number}"): number for number in numbers}
            await self._insure(persons)
            for person, fact in (await self._assess(persons)).items():
                cases.setdefault(person, []).append(fact)
            for person, facts in (await self._care(persons, common)).items():
                cases[person] += facts
        await self._pay(cases)

    async def provider(self) -> list[Fact]:
        """The provider with its prices, and who cares; their facts."""
        admitted = ProviderAdmitted(
            provider=PROVIDER,
            pool=self.pack.pool,
            provider_name="Home",
            social_credit_code="91320400MA1MABCD00",
            agreement_start_date=BEGINS,
            agreement_end_date=date(2026, 12, 31),
        )
        prices = [
            PriceListed(
                provider=PROVIDER,
                item=item,
                item_name=item,
                price=PRICE,
                effective_date=BEGINS,
                minutes=10,
            )
            for item in ITEMS
        ]
        registered = CaregiverRegistered(
            caregiver=CARER,
            provider=PROVIDER,
            full_name="",
            certificate="",
            registered_date=BEGINS,
        )
        told = await self.tell(
            "provider",
            [
                New(category="provider", key=(f"{PROVIDER}",), pool="", events=[admitted, *prices]),
                New(category="caregiver", key=(f"{CARER}",), pool="", events=[registered]),
            ],
        )
        return [fact for facts in told for fact in facts]

    async def _insure(self, persons: Mapping[UUID, int]) -> None:
        pool, groups = self.pack.pool, tuple(c.InsuredGroup)
        started = [
            c.CoverageStarted(
                person=person,
                pool=pool,
                group=groups[number % len(groups)],
                start_date=date(2021, 1, 1),
            )
            for person, number in persons.items()
        ]
        paid = [
            ContributionCollected(
                contribution=derive("contribution", str(person)),
                person=person,
                pool=pool,
                source=ContributionSource.PERSON,
                amount=Money(12_000),
                year=2023,
                paid_date=date(2023, 1, 5),
            )
            for person in persons
        ]
        coverage = await self.tell("enrollment", [_of("coverage", pool, one) for one in started])
        contributions = await self.tell(
            "enrollment",
            [
                New(
                    category="contributions",
                    key=(pool, str(one.person), "2023"),
                    pool=pool,
                    events=[one],
                )
                for one in paid
            ],
        )
        decided = []
        for person, first, second in zip(persons, coverage, contributions, strict=True):
            day = date(2023, 11, 20)
            question = eligibility.Question(person=person, pool=pool, on_date=day)
            ruling = eligibility.rule_eligibility(question, [*first, *second], self.pack, VERSION)
            decided.append(
                c.EligibilityDecided(
                    decision=derive("decision", str(person)),
                    person=person,
                    pool=pool,
                    on_date=day,
                    eligible=ruling.outcome == eligibility.ELIGIBLE,
                    reasons=ruling.reasons,
                    ruling=ruling.to_bytes(),
                )
            )
        await self.tell("enrollment", [_of("coverage", pool, one) for one in decided])

    async def _assess(self, persons: Mapping[UUID, int]) -> dict[UUID, PersonFact]:
        """Two forms that agree, the grade, and the conclusion as it is delivered."""
        pool, day = self.pack.pool, date(2023, 12, 10)
        forms = {
            person: _form(person, self.grades[number % len(self.grades)], self.pack, day)
            for person, number in persons.items()
        }
        first = [form("S1", a.AssessorKind.ASSESSOR) for form in forms.values()]
        earlier = await self.tell("assessment", [_of("application", pool, one) for one in first])
        news = []
        for (person, form), facts in zip(forms.items(), earlier, strict=True):
            last = form("S2", a.AssessorKind.EXPERT)
            question = grading.Question(
                application=last.application, person=person, pool=pool, form=grading.Form.of(last)
            )
            ruling = grading.rule_grade(question, facts, self.pack, VERSION)
            grade = grading.grade_in(ruling)
            graded = a.AssessmentGraded(
                application=last.application,
                person=person,
                pool=pool,
                grade=grade,
                assessed_date=day,
                ruling=ruling.to_bytes(),
            )
            delivered = a.ConclusionDelivered(
                application=last.application,
                person=person,
                pool=pool,
                kind=a.ApplicationKind.FIRST,
                grade=grade,
                grade_eligible="GRADE_NOT_ELIGIBLE" not in ruling.reasons,
                conclusion_date=date(2023, 12, 20),
                effective_date=BEGINS,
                valid_until_date=add_months(date(2023, 12, 20), 24) - timedelta(days=1),
                delivered_date=date(2023, 12, 29),
            )
            key = (pool, str(person))
            news.append(
                New(category="application", key=key, pool=pool, events=[last, graded, delivered])
            )
        told = await self.tell("assessment", news)
        return {
            person: self._known("assessment", facts[-1])
            for person, facts in zip(persons, told, strict=True)
        }

    async def _care(
        self, persons: Mapping[UUID, int], common: Sequence[Fact]
    ) -> dict[UUID, list[PersonFact]]:
        pool = self.pack.pool
        plans = [
            PlanApproved(
                plan=derive("plan", str(person)),
                person=person,
                pool=pool,
                provider=PROVIDER,
                form=CareForm.HOME_VISITS if number % 5 else CareForm.FAMILY_CARER,
                start_date=BEGINS,
            )
            for person, number in persons.items()
        ]
        approved = await self.tell("provider", [_of("plan", pool, plan) for plan in plans])
        facts = {
            plan.person: [self._known("provider", told[0])]
            for plan, told in zip(plans, approved, strict=True)
        }
        for month in MONTHS:
            news: list[New] = []
            for plan, told in zip(plans, approved, strict=True):
                basis = Basis(facts=(*common, *told), pack=self.pack, code_version=VERSION)
                for number in range(self.visits_a_month):
                    day = month.first + timedelta(days=2 * number)
                    events = v.decide(submitted_visit(plan, day, basis), v.Visit())
                    visit = events[0].visit
                    news.append(New(category="visit", key=(str(visit),), pool=pool, events=events))
            for recorded in await self.tell("provider", news):
                delivered = recorded[-1]
                if isinstance(delivered.event, v.ServiceDelivered):
                    person = delivered.event.person
                    facts[person].append(self._known("provider", delivered))
        return facts

    async def _pay(self, cases: Mapping[UUID, Sequence[PersonFact]]) -> None:
        pool = self.pack.pool
        people = {person: CaseFacts.of(facts) for person, facts in cases.items()}
        await self.tell("payment", [self._entitlement(*one) for one in people.items()])
        known = tuple(
            [
                s.KnownUpTo(service=service, position=(await store.head()).position)
                for service, store in self.stores.items()
                if service != "payment"
            ]
        )
        for month in MONTHS:
            frozen = s.SettlementFrozen(pool=pool, month=month, known=known, case_count=len(people))
            key = (pool, str(month))
            told = [New(category="settlement", key=key, pool=pool, events=[frozen])]
            await self.tell("payment", told)
            news = [
                New(
                    category="benefit",
                    key=(pool, str(person), str(month)),
                    pool=pool,
                    events=determined,
                )
                for person, facts in people.items()
                if (determined := self._benefit(person, month, facts))
            ]
            await self.tell("payment", news)

    def _entitlement(self, person: UUID, facts: CaseFacts) -> New:
        review = e.ReviewEntitlement(
            person=person,
            pool=self.pack.pool,
            today=BEGINS,
            facts=facts,
            pack=self.pack,
            code_version=VERSION,
        )
        key = (self.pack.pool, str(person))
        events = e.decide(review, Course())
        return New(category="entitlement", key=key, pool=self.pack.pool, events=events)

    def _benefit(self, person: UUID, month: Month, facts: CaseFacts) -> list[b.BenefitDetermined]:
        if month not in b.months_due(facts, self.pack.pool, self.pack, upto=month):
            return []
        command = b.DetermineBenefit(
            person=person,
            pool=self.pack.pool,
            month=month,
            settled_month=month,
            facts=facts,
            pack=self.pack,
            code_version=VERSION,
        )
        return b.decide(command, b.Benefit())

    def _known(self, service: str, fact: Fact) -> PersonFact:
        codec = self._codecs[service]
        event_type = codec.type_name(type(fact.event))
        message = codec._by_class[type(fact.event)].shape.write(fact.event)
        return fact_of(event_type, message.SerializeToString(deterministic=True), fact.ref)


@asynccontextmanager
async def stores(dsn: str) -> Any:
    """The four services' stores in one database."""
    async with AsyncExitStack() as stack:
        opened = {}
        for service in ("enrollment", "assessment", "provider", "payment"):
            opened[service] = await EventStore.open(dsn, service, clock=Clock())
            stack.push_async_callback(opened[service].close)
        yield opened


def _of(category: str, pool: str, event: Any) -> New:
    return New(category=category, key=(pool, str(event.person)), pool=pool, events=[event])


def _form(person: UUID, grade: int, pack: Pack, day: date) -> Any:
    """Forms that come to about the grade: the fewer points, the more severe."""
    standard = pack.standard()
    scores = []
    for item in standard.items:
        low, high = min(item.scores), max(item.scores)
        keeps = {5: low, 4: low, 3: low}.get(grade, sorted(item.scores)[len(item.scores) // 2])
        severe = item.code.startswith("adl_") or grade == 5 or (grade == 4 and "cog" in item.code)
        scores.append(a.ItemScore(item=item.code, score=keeps if severe else high))

    def form(assessor: str, kind: a.AssessorKind) -> a.OnSiteAssessed:
        return a.OnSiteAssessed(
            application=derive("application", str(person)),
            person=person,
            assessor=assessor,
            assessor_kind=kind,
            assessed_date=day,
            scores=tuple(scores),
            evidence_hashes=(),
        )

    return form


def submitted_visit(plan: PlanApproved, day: date, basis: Basis) -> v.SubmitVisit:
    """A visit uploaded whole; of some items, and one in fifty too short."""
    begins = datetime(day.year, day.month, day.day, 9, tzinfo=SHANGHAI)
    visit = derive("visit", str(plan.plan), str(day))
    minutes = 60 if visit.int % 50 else 10  # one in fifty is too short
    items = tuple(ItemDone(item=item, price=PRICE) for item in ITEMS[: 1 + visit.int % 3])
    return v.SubmitVisit(
        start=v.StartVisit(
            visit=visit,
            plan=plan.plan,
            person=plan.person,
            pool=plan.pool,
            provider=plan.provider,
            caregiver=CARER,
            start_time=begins,
            place=None,  # type: ignore[arg-type]  # as after an erasure: there are no keys here
            distance_m=visit.int % 200,
        ),
        end=v.EndVisit(visit=visit, end_time=begins + timedelta(minutes=minutes), items=items),
        confirm=v.ConfirmVisit(
            visit=visit, provider=plan.provider, confirmed_by=ConfirmedBy.FAMILY, basis=basis
        ),
    )
