"""Payment follows merges and splits of persons: reviews, settlement, and no day paid twice."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from ltci.enrollment.v1 import events_pb2 as enrollment_pb
from ltci.payment.v1 import payment_service_pb2 as pb
from ltci.payment.v1 import payment_types_pb2 as types

from kernel.ids import new_id
from kernel.replay import RawFact, raw_fact
from kernel.rules.ruling import Ruling
from services.payment.replay import DECISIONS
from tests.payment.world import World, person_number, world
from tests.support.packs import pack

CHENGDU = "510100"
ANNE, TWIN = person_number(1), person_number(2)
OPEN, ENDED = types.ENTITLEMENT_STATE_OPEN, types.ENTITLEMENT_STATE_ENDED


@pytest.fixture
async def neighbours(database_url: str, tmp_path: Path) -> AsyncIterator[World]:
    async with world(database_url, tmp_path) as running:
        yield running


async def merge(neighbours: World, on: str) -> None:
    for person in (TWIN, ANNE):
        event = enrollment_pb.PersonsMerged(
            person=str(person), survivor=str(ANNE), duplicate=str(TWIN), merged_date=on
        )
        await neighbours.tell("enrollment", "person", (str(person),), "", event)


async def split(neighbours: World) -> None:
    for person in (TWIN, ANNE):
        event = enrollment_pb.PersonsSplit(
            person=str(person), survivor=str(ANNE), duplicate=str(TWIN), split_date="2024-06-20"
        )
        await neighbours.tell("enrollment", "person", (str(person),), "", event)


async def review(neighbours: World, person: UUID) -> Any:
    await neighbours.caught_up()
    return await neighbours.stub.ReviewEntitlement(
        pb.ReviewEntitlementRequest(person=str(person), pool=CHENGDU, request_id=str(new_id()))
    )


async def test_a_death_told_of_the_duplicate_ends_the_survivors_entitlement(
    neighbours: World,
) -> None:
    await neighbours.conclude(ANNE, CHENGDU, "2024-04-01")
    await neighbours.conclude(TWIN, CHENGDU, "2024-04-01", grade=4)
    assert [(await review(neighbours, who)).state for who in (ANNE, TWIN)] == [OPEN, OPEN]

    await merge(neighbours, "2024-06-01")
    gone = await review(neighbours, TWIN)
    assert (gone.state, gone.cause, gone.effective_date) == (ENDED, "MERGED", "2024-06-01")
    assert (await review(neighbours, ANNE)).state == OPEN
    await neighbours.live(TWIN, CHENGDU, "death", "2024-06-15")
    dead = await review(neighbours, ANNE)
    assert (dead.state, dead.cause, dead.effective_date) == (ENDED, "DEATH", "2024-06-16")
    await made_again(neighbours)

    await split(neighbours)
    assert (await review(neighbours, ANNE)).state == OPEN
    apart = await review(neighbours, TWIN)
    assert (apart.state, apart.cause) == (ENDED, "DEATH")
    await made_again(neighbours)


async def test_a_month_is_paid_once_for_those_who_are_one(neighbours: World) -> None:
    await neighbours.conclude(TWIN, CHENGDU, "2024-04-01")
    await neighbours.plan(TWIN, CHENGDU, "family_carer", "2024-04-01")
    await neighbours.settle(CHENGDU, "2024-04")
    await merge(neighbours, "2024-05-01")
    await neighbours.settle(CHENGDU, "2024-05")

    await neighbours.caught_up()
    benefits = await neighbours.benefits(CHENGDU)
    assert sorted((one.person, one.month) for one in benefits) == sorted(
        [(str(TWIN), "2024-04"), (str(ANNE), "2024-05")]
    )
    assert len({one.fund_share_fen for one in benefits}) == 1
    await made_again(neighbours)


async def made_again(neighbours: World) -> None:
    """Every decision comes out the same from the facts that its ruling names."""
    facts: dict[tuple[str, int], RawFact] = {}
    for name, store in neighbours.stores.items():
        for recorded in await store.read_all(0):
            facts[name, recorded.position] = raw_fact(name, recorded)
    own = neighbours.service.parts.store
    for recorded in await own.read_all(0):
        redo = DECISIONS.get(recorded.type)
        if redo is None:
            continue
        event = neighbours.service.parts.codec.decode_clear(recorded.type, recorded.payload)
        ruling = Ruling.parse(event.ruling)
        named = [facts[ref.service, ref.position] for ref in ruling.facts]
        assert redo(recorded.payload, named, pack(CHENGDU)) == event.ruling
