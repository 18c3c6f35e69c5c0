"""The counts on the wall follow the events: each thing is counted once, where it stands now."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest
from google.protobuf.message import Message
from ltci.payment.v1 import events_pb2 as pb

from kernel.eventstore.feed import FeedEvent
from kernel.ids import derive
from kernel.states import StateCounts
from services.payment.states import STATES

POOL = "320400"
PREFIX = "wall."


class Wall:
    """The projection's tables in a database."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._counts = StateCounts(STATES)

    async def open(self) -> None:
        await self._connection.execute("create schema wall")
        await self._connection.execute(self._counts.tables.replace("{prefix}", PREFIX))

    async def take(self, *messages: Message) -> None:
        await self._counts.apply(self._connection, _events(messages), PREFIX)

    async def shown(self) -> dict[tuple[str, str], int]:
        rows = await self._connection.fetch(f"select kind, state, things from {PREFIX}count")
        return {(row["kind"], row["state"]): row["things"] for row in rows if row["things"]}


def _events(messages: Sequence[Message]) -> list[FeedEvent]:
    return [
        FeedEvent(
            source="payment",
            position=place,
            stream=derive("stream", str(place)),
            version=1,
            category="any",
            pool=POOL,
            type=f"{message.DESCRIPTOR.full_name}/1",
            payload=message.SerializeToString(),
            recorded_at=datetime(2024, 3, 1, tzinfo=UTC),
            hash=b"",
            traceparent="",
            request_id=derive("request", str(place)),
            actor="test",
        )
        for place, message in enumerate(messages, start=1)
    ]


@pytest.fixture
async def wall(database_url: str) -> AsyncIterator[Wall]:
    connection = await asyncpg.connect(database_url)
    wall = Wall(connection)
    await wall.open()
    yield wall
    await connection.close()


def opened(person: str, day: str) -> Message:
    return pb.EntitlementOpened(person=person, pool=POOL, effective_date=day)


def paused(person: str, day: str) -> Message:
    return pb.EntitlementPaused(person=person, pool=POOL, effective_date=day)


def resumed(person: str, day: str) -> Message:
    return pb.EntitlementResumed(person=person, pool=POOL, effective_date=day)


def ended(person: str, day: str) -> Message:
    return pb.EntitlementEnded(person=person, pool=POOL, effective_date=day)


async def test_each_thing_is_counted_where_it_stands(wall: Wall) -> None:
    await wall.take(opened("a", "2024-03-01"), opened("b", "2024-03-01"))
    assert await wall.shown() == {("entitlement", "open"): 2}

    await wall.take(
        paused("a", "2024-04-01"),
        pb.PaymentInstructed(instruction="i", pool=POOL),
        pb.PaymentUnknown(instruction="i"),
        pb.BenefitPaid(instruction="i", pool=POOL),
        pb.LedgerPosted(entry="e", pool=POOL),
    )
    assert await wall.shown() == {
        ("entitlement", "open"): 1,
        ("entitlement", "paused"): 1,
        ("instruction", "paid"): 1,
    }


async def test_a_late_fact_about_the_past_says_nothing_about_now(wall: Wall) -> None:
    await wall.take(opened("a", "2024-03-01"), ended("a", "2024-09-01"))
    await wall.take(paused("a", "2024-05-01"), resumed("a", "2024-05-10"))

    assert await wall.shown() == {("entitlement", "ended"): 1}


async def test_a_settlement_is_opened_frozen_and_closed_once(wall: Wall) -> None:
    months: list[dict[str, Any]] = [{"pool": POOL, "month": m} for m in ("2024-03", "2024-04")]
    await wall.take(*(pb.SettlementOpened(**month) for month in months))
    await wall.take(pb.SettlementFrozen(**months[0]), pb.SettlementClosed(**months[0]))

    assert await wall.shown() == {("settlement", "closed"): 1, ("settlement", "opened"): 1}
