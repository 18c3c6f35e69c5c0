"""The whole demo as a person runs it, then once more, then with altered history."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from infra.embedded.stack import Stack
from kernel.config import ROOT
from tests.scenarios.running import document, left_behind, ltci

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@dataclass(frozen=True)
class Demo:
    folder: Path
    told: dict[str, Any]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    folder = tmp_path_factory.mktemp("demo") / "data"
    done = ltci("demo", "--data", folder, "--json", good=False)
    assert done.stdout, done.stderr[-3000:]
    assert done.returncode == 0, (document(done)["differences"], done.stderr[-3000:])
    return Demo(folder, document(done))


def test_every_life_ends_as_an_independent_script_computed(demo: Demo) -> None:
    assert demo.told["differences"] == []
    assert sum(demo.told["people"].values()) == 49


def test_what_was_disputed_is_told_with_what_it_changed(demo: Demo) -> None:
    told = {one["kind"]: one for one in demo.told["disputes"]}

    assert told["objection"]["outcome"] == "dismissed"
    assert told["objection"]["added_fen"] == 0
    for kind in ("review", "appeal"):
        assert told[kind]["grade"] > told[kind]["grade_before"]
        assert told[kind]["added_fen"] > 0


def test_of_what_detectors_flagged_one_case_was_cleared_and_one_confirmed(demo: Demo) -> None:
    assert demo.told["flags"] == {"open": 2, "cleared": 2, "confirmed": 1}


def test_every_decision_comes_out_the_same_again(demo: Demo) -> None:
    replay = demo.told["replay"]

    assert replay["differences"] == []
    assert set(replay["decisions"]) >= {
        "EligibilityDecided",
        "AssessmentGraded",
        "ServiceDelivered",
        "ServiceRejected",
        "EntitlementOpened",
        "EntitlementChanged",
        "EntitlementPaused",
        "EntitlementResumed",
        "EntitlementEnded",
        "BenefitDetermined",
        "ObjectionDecided",
        "ReviewGraded",
        "ReviewFeeDecided",
        "AppealDecided",
        "ClaimLineMatched",
        "RiskFlagged",
        "InspectionDecided",
    }
    assert replay["count"] > 3_000


def test_the_ledgers_balance_and_nothing_is_owed(demo: Demo) -> None:
    for fund in demo.told["funds"].values():
        assert fund["balanced"]
        assert fund["payable_fen"] == 0


def test_higher_caps_give_more_and_the_rules_in_force_give_the_same(demo: Demo) -> None:
    asked = demo.told["whatif"]
    assert asked["zero_check"]["differences"] == []
    assert asked["zero_check"]["decisions"] > 2_000
    assert asked["difference_fen"] == asked["new_fund_fen"] - asked["old_fund_fen"] > 0
    assert asked["gainers"] > 0
    assert (asked["losers"], asked["refused"]) == (0, 0)
    page = Path(asked["page"]).read_text(encoding="utf-8")
    assert page.count("<svg") == 5


def test_nothing_is_left_running(demo: Demo) -> None:
    assert left_behind(demo.folder) == []


def test_a_second_run_changes_nothing(demo: Demo) -> None:
    again = document(ltci("demo", "--data", demo.folder, "--json"))

    assert again["new_events"] == 0
    assert again["differences"] == []
    assert again["disputes"] == demo.told["disputes"]
    assert again["benefits_fen"] == demo.told["benefits_fen"]
    assert again["funds"] == demo.told["funds"]
    assert again["whatif"] == demo.told["whatif"]


@pytest.fixture(scope="module")
def running(demo: Demo) -> Iterator[Stack]:
    with Stack(demo.folder, say=lambda _: None) as stack:
        yield stack


def test_the_story_of_a_case_is_told(running: Stack) -> None:
    story = document(ltci("case", "320402194201091154", "--data", running.folder, "--json"))

    told = [event["event"] for event in story["events"]]
    assert told[0] == "PersonRegistered"
    for event in ("ApplicationSubmitted", "EntitlementPaused", "EntitlementResumed"):
        assert event in told


def test_the_past_is_shown_as_it_was_known(running: Stack) -> None:
    here = ("--data", running.folder, "--json")
    story = document(ltci("case", "320402194201091154", *here))
    middle = story["events"][len(story["events"]) // 2]["known_at"]

    then = document(ltci("case", "320402194201091154", "--known-at", middle, *here))
    funds = [
        document(ltci("fund", "320400", *told, *here)) for told in ((), ("--known-at", middle))
    ]

    assert then["known_at_time"] == middle
    assert then["events"] == [one for one in story["events"] if one["known_at"] <= middle]
    assert 0 < len(then["events"]) < len(story["events"])
    assert [fund["balanced"] for fund in funds] == [True, True]
    assert 0 < funds[1]["entry_count"] < funds[0]["entry_count"]


def test_an_altered_fact_is_found_and_named(running: Stack) -> None:
    at, where = asyncio.run(_flip_a_fact(running))
    try:
        replay = ltci("replay", "--all", "--data", running.folder, "--json", good=False)
    finally:
        asyncio.run(_flip(running, at))

    assert replay.returncode == 1
    differences = document(replay)["differences"]
    assert {(one["what"], one["where"]) for one in differences} >= {("FACT_DIFFERS", where)}
    assert "BenefitDetermined" in " ".join(one["decision"] for one in differences)


def test_an_altered_pack_is_found_and_named(running: Stack) -> None:
    pack = asyncio.run(_alter_a_pack(running, b"107700", b"107701"))
    try:
        replay = ltci("replay", "--all", "--data", running.folder, "--json", good=False)
    finally:
        asyncio.run(_alter_a_pack(running, b"107701", b"107700"))

    assert replay.returncode == 1
    differences = document(replay)["differences"]
    assert {one["what"] for one in differences} == {"PACK_DIFFERS"}
    assert all(pack in one["where"] for one in differences)


def test_two_events_that_changed_places_are_found_and_named(running: Stack) -> None:
    places = asyncio.run(_swap_two_services(running))
    try:
        replay = ltci("replay", "--all", "--data", running.folder, "--json", good=False)
    finally:
        asyncio.run(_swap_two_services(running))

    assert replay.returncode == 1
    found = {(one["what"], one["where"]) for one in document(replay)["differences"]}
    for place in places:
        assert {("FACT_DIFFERS", place), ("CHAIN_BROKEN", place)} <= found


@pytest.mark.parametrize("folder", ["320400_changzhou", "510100_chengdu"])
def test_rules_in_force_change_exactly_nothing(running: Stack, folder: str) -> None:
    span = ("--from", "2024-01-01", "--to", "2025-12-31")
    rules = ROOT / "rules" / folder
    found = document(ltci("whatif", "--pack", rules, *span, "--data", running.folder, "--json"))

    assert found["zero_check"]["differences"] == []
    assert found["changed"] == []
    assert found["refused"] == []
    parts = [
        line for name in ("grade", "group", "setting", "month") for line in found[f"by_{name}"]
    ]
    for line in (found["total"], *parts):
        assert line["difference_fen"] == line["gainers"] == line["losers"] == 0


def test_put_back_nothing_differs(running: Stack) -> None:
    assert (
        document(ltci("replay", "--all", "--data", running.folder, "--json"))["differences"] == []
    )


async def _connected(stack: Stack) -> asyncpg.Connection:
    return await asyncpg.connect(stack.variables["LTCI_DATABASE_URL"])


async def _flip_a_fact(stack: Stack) -> tuple[int, str]:
    """Alters one byte of a delivered service; returns its position and how a ruling names it."""
    connection = await _connected(stack)
    try:
        position = await connection.fetchval(
            "select e.position from provider.events e join provider.kinds k on k.id = e.kind_id"
            " where k.type like 'ltci.provider.v1.ServiceDelivered/%' order by position limit 1"
        )
    finally:
        await connection.close()
    await _flip(stack, position)
    return position, f"provider:{position}"


async def _swap_two_services(stack: Stack) -> tuple[str, ...]:
    """Lets the payloads of two delivered services change places; how rulings name the two."""
    connection = await _connected(stack)
    try:
        rows = await connection.fetch(
            "select e.position from provider.events e join provider.kinds k on k.id = e.kind_id"
            " where k.type like 'ltci.provider.v1.ServiceDelivered/%' order by position limit 2"
        )
        one, other = [row["position"] for row in rows]
        async with connection.transaction():
            await connection.execute("set local session_replication_role = replica")
            await connection.execute(
                "update provider.events a set payload = b.payload from provider.events b"
                " where (a.position, b.position) in (($1, $2), ($2, $1))",
                one,
                other,
            )
    finally:
        await connection.close()
    return f"provider:{one}", f"provider:{other}"


async def _flip(stack: Stack, position: int) -> None:
    """Turns one bit of an event's payload, as nobody could without switching the guard off."""
    connection = await _connected(stack)
    try:
        async with connection.transaction():
            await connection.execute("set local session_replication_role = replica")
            done = await connection.execute(
                "update provider.events set payload ="
                " set_byte(payload, 5, get_byte(payload, 5) # 1)"
                " where position = $1",
                position,
            )
        assert done == "UPDATE 1"
    finally:
        await connection.close()


async def _alter_a_pack(stack: Stack, old: bytes, new: bytes) -> str:
    """Alters a figure in the stored pack of Chengdu; returns the hash under which it is pinned."""
    connection = await _connected(stack)
    try:
        rows = await connection.fetch(
            "select hash, content from payment.packs where pool = '510100'"
        )
        (row,) = [row for row in rows if old in row["content"]]
        async with connection.transaction():
            await connection.execute("set local session_replication_role = replica")
            await connection.execute(
                "update payment.packs set content = $2 where hash = $1",
                row["hash"],
                row["content"].replace(old, new, 1),
            )
        return str(row["hash"])
    finally:
        await connection.close()
