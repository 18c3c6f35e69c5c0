"""What the visits of a month stand on, as events of the provider service, stream by stream.

For benchmarks and tests, which do not want to ask for 140 000 plans one by one. What a pool
would tell through the import commands is in the CSV files.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from benchmarks.generator.city import (
    ITEMS,
    carer_number,
    credit_code,
    name_of,
    person_number,
)
from benchmarks.generator.files import World, certificate_of
from kernel.eventstore.handle import StreamKind
from kernel.ids import derive
from kernel.money import Money
from services.provider.application.streams import (
    CAREGIVER,
    PLANS,
    PROVIDER,
    caregiver_stream,
    plan_stream,
    provider_named,
    provider_stream,
)
from services.provider.domain.caregiver import CaregiverRegistered
from services.provider.domain.carer_record import (
    BarredRole,
    CaregiverLevel,
    CertificateRevoked,
    ExaminationRecorded,
    PersonBarred,
)
from services.provider.domain.place import Place
from services.provider.domain.plan import CareForm, PlanApproved, PlanEnded
from services.provider.domain.provider import PriceListed, ProviderAdmitted

PersonId = Callable[[str], UUID]
"""The id of whoever has this identity number."""


@dataclass(frozen=True, kw_only=True)
class Stream:
    """A stream and all that is recorded in it before the visits."""

    kind: StreamKind[Any, Any]
    name: UUID
    pool: str
    events: tuple[object, ...]


def ground(world: World, person_id: PersonId) -> Iterator[Stream]:
    """Providers with their prices, caregivers, and plans."""
    sizes = world.sizes
    for number in range(sizes.providers):
        yield _provider(world, number)
    for number in range(sizes.carers):
        yield _carer(world, number, person_id)
    for number in range(sizes.people):
        yield _plan(world, number, person_id)


def provider_of(world: World, number: int) -> UUID:
    return provider_named(credit_code(world.sizes.pool, number))


def plan_of(world: World, number: int) -> UUID:
    return derive("generated plan", str(world.sizes.seed), str(number))


def _provider(world: World, number: int) -> Stream:
    pool, name = world.sizes.pool, provider_of(world, number)
    admitted = ProviderAdmitted(
        provider=name,
        pool=pool,
        provider_name=f"示例机构{number:03d}",
        social_credit_code=credit_code(pool, number),
        agreement_start_date=world.start,
        agreement_end_date=world.end,
    )
    prices = (
        PriceListed(
            provider=name,
            item=item.code,
            item_name=item.name,
            price=Money(item.fen),
            effective_date=world.start,
            minutes=item.minutes,
            medical=item.medical,
        )
        for item in map(ITEMS.__getitem__, world.items_of(number))
    )
    return Stream(kind=PROVIDER, name=provider_stream(name), pool=pool, events=(admitted, *prices))


def _carer(world: World, number: int, person_id: PersonId) -> Stream:
    pool, told = world.sizes.pool, world.city.carer(number)
    who = person_id(carer_number(pool, number))
    certificate = certificate_of(pool, number)
    events: list[object] = [
        CaregiverRegistered(
            caregiver=who,
            provider=provider_of(world, told.provider),
            full_name=name_of(number),
            certificate=certificate,
            registered_date=world.start,
        )
    ]
    if told.stops >= 0:
        day = world.sizes.day(told.stops)
        if told.barred:
            events.append(
                PersonBarred(
                    bar=derive("generated bar", pool, str(number)),
                    person=who,
                    provider=provider_of(world, told.provider),
                    pool=pool,
                    role=BarredRole.STAFF,
                    serious=False,
                    start_date=day,
                    end_date=world.end,
                    cause="虚假服务",
                    article="医保办发〔2024〕21号, Art. 45",
                )
            )
        else:
            events += _lost_certificate(world, number, who)
    return Stream(kind=CAREGIVER, name=caregiver_stream(who), pool=pool, events=tuple(events))


def _lost_certificate(world: World, number: int, who: UUID) -> list[object]:
    certificate = certificate_of(world.sizes.pool, number)
    day = world.sizes.day(world.city.carer(number).stops)
    return [
        ExaminationRecorded(
            caregiver=who,
            level=CaregiverLevel.FIVE,
            passed=True,
            certificate=certificate,
            exam_date=world.start,
        ),
        CertificateRevoked(
            caregiver=who,
            level=CaregiverLevel.FIVE,
            revoked_date=day,
            cause="证书系伪造",
        ),
    ]


def _plan(world: World, number: int, person_id: PersonId) -> Stream:
    pool, person = world.sizes.pool, world.city.person(number)
    who = person_id(person_number(pool, number))
    name = plan_of(world, number)
    events: list[object] = [
        PlanApproved(
            plan=name,
            person=who,
            pool=pool,
            provider=provider_of(world, world.city.carer(person.carer).provider),
            form=CareForm.INSTITUTION if person.resident else CareForm.HOME_VISITS,
            start_date=world.sizes.first,
            place=Place(
                latitude_microdegrees=person.home[0], longitude_microdegrees=person.home[1]
            ),
        )
    ]
    if person.life.kind == "leaves":
        day = world.sizes.day(person.life.day - 1)
        events.append(PlanEnded(plan=name, person=who, pool=pool, end_date=day, cause="ENDED"))
    return Stream(kind=PLANS, name=plan_stream(pool, who), pool=pool, events=tuple(events))
