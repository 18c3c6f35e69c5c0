"""Held, rejected and late cleared visits, over real gRPC, PostgreSQL and the provider's feed."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.message import Message
from ltci.provider.v1 import events_pb2 as provider_pb

from kernel.config import ROOT
from kernel.ids import derive
from kernel.rules.ruling import Ruling
from tests.payment.world import HOME, World, person_number, world

CHANGZHOU = "320400"
WHO = person_number(1)
BY_CLAIMS = """
[claim_required]
title = "A visit is paid only once its claim line matched"
unit = "yes or no"
[[claim_required.values]]
effective_from = 2022-01-01
value = true
source = "D"
verified = false
citation = { document = "test", article = "", published = "" }
note = "a test's own"
"""


@pytest.fixture
async def neighbours(database_url: str, tmp_path: Path) -> AsyncIterator[World]:
    async with world(database_url, tmp_path) as running:
        yield running


@pytest.fixture
async def paid_by_claims(database_url: str, tmp_path: Path) -> AsyncIterator[World]:
    """Changzhou, if it paid visits by their claims."""
    rules = tmp_path / "rules"
    for name in ("national", "standards", "320400_changzhou"):
        shutil.copytree(ROOT / "rules" / name, rules / name)
    with (rules / "320400_changzhou" / "provider.toml").open("a", encoding="utf-8") as file:
        file.write(BY_CLAIMS)
    async with world(database_url, tmp_path, rules=rules) as running:
        yield running


async def cared_for(neighbours: World) -> str:
    """Somebody with home visits from May on; the plan."""
    await neighbours.conclude(WHO, CHANGZHOU, "2024-05-01")
    return await neighbours.plan(WHO, CHANGZHOU, "home_visits")


def visit_of(plan: str, on: str) -> str:
    return str(derive("visit", plan, on))


def flag_of(visit: str) -> str:
    return str(derive("flag", "impossible_travel", "1", visit))


async def flag(neighbours: World, visit: str, on: str) -> None:
    event = provider_pb.RiskFlagged(
        flag=flag_of(visit),
        detector="impossible_travel",
        detector_version=1,
        visit=visit,
        person=str(WHO),
        pool=CHANGZHOU,
        provider=str(HOME),
        care_date=on,
        cost_fen=8000,
        ruling=b"{}",
    )
    await neighbours.tell("provider", "flag", (event.flag,), CHANGZHOU, event)


async def decide(
    neighbours: World,
    visit: str,
    kind: type[provider_pb.RiskCleared] | type[provider_pb.RiskConfirmed],
) -> None:
    event: Message = kind(
        flag=flag_of(visit),
        visit=visit,
        person=str(WHO),
        pool=CHANGZHOU,
        provider=str(HOME),
        decided_date="2024-06-10",
        cause="looked at",
    )
    await neighbours.tell("provider", "flag", (flag_of(visit),), CHANGZHOU, event)


async def reject(neighbours: World, plan: str, on: str) -> None:
    event = provider_pb.ServiceRejected(
        visit=visit_of(plan, on),
        plan=plan,
        person=str(WHO),
        pool=CHANGZHOU,
        provider=str(HOME),
        care_date=on,
        reasons=["NOT_CONFIRMED"],
        cost_fen=8000,
        ruling=b"{}",
    )
    await neighbours.tell("provider", "visit", (event.visit,), CHANGZHOU, event)


async def claim(
    neighbours: World, plan: str, on: str, approved_fen: int, line: str = "line"
) -> None:
    """A line's match; nothing approved refuses it."""
    told: dict[str, Any] = {
        "line": str(derive("claim_line", on, line)),
        "person": str(WHO),
        "pool": CHANGZHOU,
        "provider": str(HOME),
        "month": on[:7],
        "visit": visit_of(plan, on),
        "care_date": on,
        "asked_fen": 8000,
        "adjusted_fen": 8000,
        "ruling": b"{}",
    }
    event: Message = (
        provider_pb.ClaimLineMatched(approved_fen=approved_fen, **told)
        if approved_fen
        else provider_pb.ClaimLineRefused(**told)
    )
    await neighbours.tell("provider", "claimed", (str(WHO), on[:7]), CHANGZHOU, event)


async def costs(neighbours: World) -> dict[str, int]:
    """The eligible cost of each month that was determined."""
    await neighbours.caught_up()
    return {one.month: one.eligible_cost_fen for one in await neighbours.benefits(CHANGZHOU)}


async def test_of_a_month_only_what_is_neither_held_nor_rejected_is_paid(
    neighbours: World,
) -> None:
    plan = await cared_for(neighbours)
    days = ("2024-05-03", "2024-05-04", "2024-05-05", "2024-05-06")
    for day in days:
        await neighbours.deliver(WHO, CHANGZHOU, plan, day, 8000)
    open_, cleared, confirmed, rejected = days
    for day in (open_, cleared, confirmed):
        await flag(neighbours, visit_of(plan, day), day)
    await decide(neighbours, visit_of(plan, cleared), provider_pb.RiskCleared)
    await decide(neighbours, visit_of(plan, confirmed), provider_pb.RiskConfirmed)
    await reject(neighbours, plan, rejected)

    await neighbours.settle(CHANGZHOU, "2024-05")

    assert await costs(neighbours) == {"2024-05": 8000}
    [determined] = await neighbours.events("BenefitDetermined")
    ruling = Ruling.parse(determined.ruling)
    left_out = [step for step in ruling.steps if step.verdict == "not_met"]
    assert {str(step.inputs["care_date"]) for step in left_out} == {open_, confirmed, rejected}


async def test_a_month_that_was_all_held_is_caught_up_once_it_is_cleared(
    neighbours: World,
) -> None:
    plan = await cared_for(neighbours)
    await neighbours.deliver(WHO, CHANGZHOU, plan, "2024-05-03", 8000)
    await flag(neighbours, visit_of(plan, "2024-05-03"), "2024-05-03")
    await neighbours.settle(CHANGZHOU, "2024-05")
    before = await costs(neighbours)

    await decide(neighbours, visit_of(plan, "2024-05-03"), provider_pb.RiskCleared)
    await neighbours.settle(CHANGZHOU, "2024-06")

    assert (before, await costs(neighbours)) == ({}, {"2024-05": 8000})


async def test_what_is_cleared_after_its_month_was_determined_waits_like_a_late_visit(
    neighbours: World,
) -> None:
    plan = await cared_for(neighbours)
    for day in ("2024-05-03", "2024-05-04"):
        await neighbours.deliver(WHO, CHANGZHOU, plan, day, 8000)
    await flag(neighbours, visit_of(plan, "2024-05-03"), "2024-05-03")
    await neighbours.settle(CHANGZHOU, "2024-05")

    await decide(neighbours, visit_of(plan, "2024-05-03"), provider_pb.RiskCleared)
    await neighbours.deliver(WHO, CHANGZHOU, plan, "2024-05-05", 8000)
    await neighbours.settle(CHANGZHOU, "2024-06")

    assert await costs(neighbours) == {"2024-05": 8000}


async def test_a_paid_visit_is_not_paid_again_in_the_month_a_later_verdict_gives_it(
    neighbours: World,
) -> None:
    plan = await cared_for(neighbours)
    await neighbours.deliver(WHO, CHANGZHOU, plan, "2024-05-28", 8000)
    await neighbours.settle(CHANGZHOU, "2024-05")

    moved: Any = provider_pb.ServiceDelivered(
        visit=visit_of(plan, "2024-05-28"),
        plan=plan,
        person=str(WHO),
        pool=CHANGZHOU,
        provider=str(HOME),
        care_date="2024-06-01",
        minutes=60,
        cost_fen=8000,
        ruling=b"{}",
    )
    await neighbours.tell("provider", "visit", (moved.visit,), CHANGZHOU, moved)
    await neighbours.settle(CHANGZHOU, "2024-06")

    assert await costs(neighbours) == {"2024-05": 8000}


async def test_a_pool_may_pay_what_claims_approve_and_nothing_else(paid_by_claims: World) -> None:
    plan = await cared_for(paid_by_claims)
    matched, reduced, refused, unclaimed = (f"2024-05-{day:02d}" for day in range(3, 7))
    for day in (matched, reduced, refused, unclaimed):
        await paid_by_claims.deliver(WHO, CHANGZHOU, plan, day, 8000)
    await claim(paid_by_claims, plan, matched, 8000)
    await claim(paid_by_claims, plan, reduced, 0)
    await claim(paid_by_claims, plan, reduced, 5000)  # matched again
    await claim(paid_by_claims, plan, refused, 8000)
    await claim(paid_by_claims, plan, refused, 0)

    await paid_by_claims.settle(CHANGZHOU, "2024-05")

    assert await costs(paid_by_claims) == {"2024-05": 13000}


async def test_elsewhere_claims_move_no_money(neighbours: World) -> None:
    plan = await cared_for(neighbours)
    await neighbours.deliver(WHO, CHANGZHOU, plan, "2024-05-03", 8000)
    await claim(neighbours, plan, "2024-05-03", 0)

    await neighbours.settle(CHANGZHOU, "2024-05")

    assert await costs(neighbours) == {"2024-05": 8000}
