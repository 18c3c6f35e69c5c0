"""What people are told of their benefits: each change with its letter, in one append."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from ltci.payment.v1 import events_pb2 as events_pb
from ltci.payment.v1 import payment_service_pb2 as pb

from kernel.ids import new_id
from kernel.rules.ruling import Ruling
from tests.payment.world import World, person_number, world
from tests.support.letters import Written, letters_in, same_append

CHANGZHOU = "320400"
WHO = person_number(1)


@pytest.fixture
async def neighbours(database_url: str, tmp_path: Path) -> AsyncIterator[World]:
    async with world(database_url, tmp_path) as running:
        yield running


async def reviewed(neighbours: World) -> list[Written]:
    """The letters after one more review of the person's entitlement."""
    await neighbours.caught_up()
    await neighbours.stub.ReviewEntitlement(
        pb.ReviewEntitlementRequest(person=str(WHO), pool=CHANGZHOU, request_id=str(new_id()))
    )
    return letters_in(await neighbours.service.parts.store.read_all(0))


async def test_opening_pause_and_end_each_leave_a_letter_with_their_decision(
    neighbours: World,
) -> None:
    await neighbours.conclude(WHO, CHANGZHOU, "2024-03-01")
    [opened] = await reviewed(neighbours)
    await neighbours.live(WHO, CHANGZHOU, "admission", "2024-05-06")
    [_, paused] = await reviewed(neighbours)
    await neighbours.live(WHO, CHANGZHOU, "death", "2024-06-10")
    [_, _, ended] = await reviewed(neighbours)

    events = await neighbours.service.parts.store.read_all(0)
    told = {
        one.event.kind: (same_append(events, one), one.document["good"])
        for one in (opened, paused, ended)
    }
    assert told == {
        "entitlement_opened": (["EntitlementOpened"], True),
        "entitlement_paused": (["EntitlementPaused"], False),
        "entitlement_ended": (["EntitlementEnded"], False),
    }
    assert paused.document["outcomes"] == [
        {"zh": "自2024年5月6日起暂停待遇。", "en": "Benefits rest from 6 May 2024 on."}
    ]
    assert {fact["source"]["zh"] for fact in paused.document["facts"]} == {"参保缴费", "失能评估"}
    assert (opened.document["to"]["en"], ended.document["to"]["en"]) == (
        "To the insured person {name},",
        "To the family of the late {name},",
    )


async def test_a_letter_names_the_ruling_of_its_decision_and_all_its_facts(
    neighbours: World,
) -> None:
    concluded = await neighbours.conclude(WHO, CHANGZHOU, "2024-03-01")
    [letter] = await reviewed(neighbours)

    [decision] = [
        events_pb.EntitlementOpened.FromString(one.payload)
        for one in await neighbours.service.parts.store.read_all(0)
        if "EntitlementOpened" in one.type
    ]
    ruling = Ruling.parse(decision.ruling)
    assert letter.event.ruling_hash == ruling.digest()
    assert [(f["service"], f["position"], f["digest"]) for f in letter.document["facts"]] == [
        (ref.service, ref.position, ref.digest) for ref in ruling.facts
    ]
    assert letter.document["facts"][0]["position"] == concluded
    assert len(letter.document["grounds"]) == len(ruling.steps)


async def test_a_review_that_finds_nothing_new_writes_no_letter(neighbours: World) -> None:
    await neighbours.conclude(WHO, CHANGZHOU, "2024-03-01")
    first = await reviewed(neighbours)

    assert await reviewed(neighbours) == first


async def test_a_late_fact_is_told_by_a_letter_for_each_change_it_makes(neighbours: World) -> None:
    await neighbours.conclude(WHO, CHANGZHOU, "2024-03-01")
    await reviewed(neighbours)
    await neighbours.live(WHO, CHANGZHOU, "admission", "2024-04-01")
    await neighbours.live(WHO, CHANGZHOU, "discharge", "2024-04-10")

    letters = await reviewed(neighbours)

    assert [one.event.kind for one in letters] == [
        "entitlement_opened",
        "entitlement_paused",
        "entitlement_resumed",
    ]
    assert len({one.event.letter for one in letters}) == 3
