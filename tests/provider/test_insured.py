"""What the other services tell of a person: entitled or not, alive, in hospital."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from ltci.enrollment.v1 import enrollment_types_pb2 as life
from ltci.enrollment.v1 import events_pb2 as enrollment_pb
from ltci.payment.v1 import events_pb2 as payment_pb

from kernel.eventstore.feed import FeedBatch, FeedEvent
from kernel.ids import derive
from kernel.projection import ProjectionRunner
from kernel.rules.ruling import fact_digest
from services.enrollment.codec import enrollment_codec
from services.payment.codec import payment_codec
from services.provider.__main__ import build
from services.provider.codec import provider_codec
from services.provider.domain.insured import (
    EntitlementState,
    EntitlementTold,
    LifeEventTakenBack,
    LifeEventTold,
    Standing,
    insured_of,
)
from services.provider.incoming import ENROLLMENT, PAYMENT, told_types
from services.provider.insured import InsuredFacts, InsuredReader
from tests.provider.care import PERSON, POOL, at
from tests.support.service import running

OPEN, PAUSED, ENDED = EntitlementState.OPEN, EntitlementState.PAUSED, EntitlementState.ENDED
MARCH = date(2024, 3, 1)


def told(day: date, **changes: Any) -> EntitlementTold:
    return EntitlementTold(person=PERSON, pool=POOL, effective_date=day, **changes)


def happened(kind: str, day: date, name: str = "", **changes: Any) -> LifeEventTold:
    return LifeEventTold(
        person=PERSON,
        life_event=derive("test", name or f"{kind} {day}"),
        kind=kind,
        event_date=day,
        **changes,
    )


def test_nobody_is_entitled_of_whom_nothing_was_told() -> None:
    assert insured_of([]).standing_on(MARCH) == Standing()
    assert insured_of([]).first_entitled is None


def test_an_entitlement_holds_from_its_day_with_its_grade_and_rests_with_a_cause() -> None:
    insured = insured_of(
        [
            told(MARCH, state=OPEN, grade=3),
            told(date(2024, 3, 10), state=PAUSED, cause="IN_HOSPITAL"),
            told(date(2024, 3, 12), grade=4),
            told(date(2024, 3, 20), state=OPEN),
            told(date(2024, 4, 1), state=ENDED, cause="DEATH"),
        ]
    )

    assert insured.standing_on(date(2024, 2, 29)) == Standing()
    assert insured.standing_on(MARCH) == Standing(state=OPEN, grade=3)
    assert insured.standing_on(date(2024, 3, 13)) == Standing(
        state=PAUSED, grade=4, cause="IN_HOSPITAL"
    )
    assert insured.standing_on(date(2024, 3, 20)) == Standing(state=OPEN, grade=4)
    assert insured.standing_on(date(2024, 4, 2)) == Standing(state=ENDED, cause="DEATH")
    assert insured.first_entitled == MARCH


def test_a_late_fact_turns_the_past_up_to_the_next_turn() -> None:
    insured = insured_of(
        [
            told(MARCH, state=OPEN, grade=3),
            told(date(2024, 3, 20), grade=4),
            told(date(2024, 3, 10), state=PAUSED, cause="ABROAD"),
        ]
    )

    assert insured.standing_on(date(2024, 3, 15)).state is PAUSED
    assert insured.standing_on(date(2024, 3, 25)) == Standing(state=OPEN, grade=4)


def test_a_death_counts_unless_denied_or_taken_back() -> None:
    death = happened("death", MARCH)
    other = happened("death", MARCH, "register", denied=True)

    assert insured_of([death]).died == MARCH
    assert insured_of([death, other]).died is None
    gone = LifeEventTakenBack(person=PERSON, life_event=death.life_event)
    assert insured_of([death, gone]).died is None


def test_days_of_admission_and_discharge_are_not_within_a_stay() -> None:
    insured = insured_of([happened("admission", MARCH), happened("discharge", date(2024, 3, 5))])

    inside = [day for day in range(1, 7) if insured.in_hospital_on(date(2024, 3, day))]
    assert inside == [2, 3, 4]


def test_every_fact_is_of_a_type_that_its_service_writes() -> None:
    assert set(told_types(PAYMENT)) <= set(payment_codec(None).types)
    assert set(told_types(ENROLLMENT)) <= set(enrollment_codec(None).types)


class _Told:
    """A feed of another service, told from a list."""

    def __init__(self, source: str, *messages: Any) -> None:
        self.source = source
        self.events = tuple(
            FeedEvent(
                source=source,
                position=position,
                stream=derive("test", source),
                version=position,
                category="test",
                pool=POOL,
                type=f"{message.DESCRIPTOR.full_name}/1",
                payload=message.SerializeToString(deterministic=True),
                recorded_at=at("08:00"),
                hash=hashlib.sha256(b"").digest(),
                traceparent="",
                request_id=derive("test", str(position)),
                actor="test",
            )
            for position, message in enumerate(messages, start=1)
        )

    async def batches(self, after: int = 0, epoch: str | None = None) -> AsyncIterator[FeedBatch]:
        del epoch
        yield FeedBatch(tuple(e for e in self.events if e.position > after), len(self.events), "")
        await asyncio.Event().wait()

    async def head(self) -> int:
        return len(self.events)


async def test_both_feeds_are_kept_as_facts_that_a_ruling_can_name(
    database_url: str, tmp_path: Path
) -> None:
    opened = payment_pb.EntitlementOpened(
        person=str(PERSON), pool=POOL, effective_date="2024-03-01", grade=3, ruling=b"{}"
    )
    died = enrollment_pb.LifeEventReported(
        life_event=str(derive("test", "death")),
        person=str(PERSON),
        pool="310000",
        kind=life.LIFE_EVENT_KIND_DEATH,
        event_date="2024-04-01",
    )
    feeds = [_Told(PAYMENT, opened), _Told(ENROLLMENT, died)]
    async with running("provider", database_url, tmp_path, provider_codec, build) as service:
        store = service.service.parts.store
        projection = InsuredFacts()
        projection.name = "insured_told"
        runner = ProjectionRunner(store.pool, store.schema, projection, feeds)
        await runner.open()
        task = asyncio.create_task(runner.run())
        try:
            for feed in feeds:
                await runner.wait_for(feed.source, 1, 10)
            facts = (await InsuredReader(store, runner).read(POOL, [PERSON]))[PERSON]
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    assert [fact.ref.service for fact in facts] == [ENROLLMENT, PAYMENT]
    whole = fact_digest("ltci.payment.v1.EntitlementOpened/1", opened.SerializeToString())
    assert facts[1].ref.digest == whole
    insured = insured_of(fact.event for fact in facts)
    assert insured.entitled_on(MARCH)
    assert insured.died == date(2024, 4, 1)


@pytest.mark.parametrize("pool", ["310000", POOL])
async def test_a_service_alone_is_ready_and_knows_nobody(
    database_url: str, tmp_path: Path, pool: str
) -> None:
    async with running("provider", database_url, tmp_path, provider_codec, build) as service:
        await service.caught_up()
        runner = next(r for r in service.service.runners if r.name == "insured")
        reader = InsuredReader(service.service.parts.store, runner)
        assert await reader.read(pool, [PERSON]) == {PERSON: ()}
