"""Everything altered in a history is found and named; a replay that was killed goes on."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from ltci.payment.v1 import events_pb2 as payment_pb
from ltci.provider.v1 import events_pb2 as provider_pb

from cli.replay import Report, Resumed, replay_everything
from cli.replay import run as running
from cli.replay.place import FILE, Place, Stood, grown, merged, read_place
from infra.embedded.postgres import EmbeddedPostgres
from kernel.config import ROOT, Settings
from kernel.rpc.server import start_server
from tests.support.history import MONTHS, History, stores
from tests.support.packs import CHANGZHOU, pack
from tests.support.postgres import fresh_database

PEOPLE, VISITS = 5, 3
DELIVERED, STARTED = "ServiceDelivered", "VisitStarted"
SPARE = 9_999_999  # a position that nothing holds


@pytest.fixture(scope="module")
async def dsn(postgres: EmbeddedPostgres) -> str:
    """A small made history, which every test leaves as it was."""
    made = await fresh_database(postgres)
    async with stores(made) as opened:
        await History(opened, pack(CHANGZHOU), visits_a_month=VISITS).make(PEOPLE)
    return made


async def replayed(dsn: str, folder: Path | None = None, **options: Any) -> Report:
    return await replay_everything(Settings({"LTCI_DATABASE_URL": dsn}), folder, **options)


@asynccontextmanager
async def altered(dsn: str, *statements: tuple[Any, ...]) -> AsyncIterator[asyncpg.Connection]:
    """Runs statements as nobody could without switching the guards off; put back at the end."""
    connection = await asyncpg.connect(dsn)
    tables = ("enrollment", "assessment", "provider", "payment")
    try:
        await connection.execute("set session_replication_role = replica")
        for table in tables:
            await connection.execute(
                f"create table kept_{table} as select * from {table}.events;"
                f" create table packs_{table} as select * from {table}.packs"
            )
        for statement, *arguments in statements:
            await connection.execute(statement, *arguments)
        yield connection
    finally:
        for table in tables:
            await connection.execute(
                f"delete from {table}.events; insert into {table}.events table kept_{table};"
                f" delete from {table}.packs; insert into {table}.packs table packs_{table};"
                f" drop table kept_{table}, packs_{table}"
            )
        await connection.close()


async def position(dsn: str, service: str, event: str, place: int = 0) -> int:
    connection = await asyncpg.connect(dsn)
    try:
        found: int = await connection.fetchval(
            f"select e.position from {service}.events e join {service}.kinds k on k.id = e.kind_id"
            " where k.type like $1 order by e.position offset $2 limit 1",
            f"%.{event}/%",
            place,
        )
        return found
    finally:
        await connection.close()


def named(report: Report) -> set[tuple[str, str]]:
    return {(one.what, one.where) for one in report.differences}


async def test_every_decision_comes_out_as_recorded(dsn: str) -> None:
    report = await replayed(dsn)

    assert report.differences == []
    assert report.decisions["BenefitDetermined"] == PEOPLE * len(MONTHS)
    visits = report.decisions["ServiceDelivered"] + report.decisions.get("ServiceRejected", 0)
    assert visits == PEOPLE * len(MONTHS) * VISITS
    assert {"EligibilityDecided", "AssessmentGraded", "EntitlementOpened"} <= set(report.decisions)


async def test_over_the_feeds_the_same_is_found(dsn: str) -> None:
    async with AsyncExitStack() as stack:
        opened = await stack.enter_async_context(stores(dsn))
        addresses = {}
        for service, store in opened.items():
            server = await start_server(service, "127.0.0.1:0", lambda _: [], feed_store=store)
            stack.push_async_callback(server.stop, 0)
            addresses[f"LTCI_{service.upper()}_ADDRESS"] = f"127.0.0.1:{server.port}"
        report = await replay_everything(Settings(addresses), workers=1)

    assert report.differences == []
    assert report.decisions["BenefitDetermined"] == PEOPLE * len(MONTHS)


async def test_an_altered_fact_is_named_with_the_decisions_on_it(dsn: str) -> None:
    at = await position(dsn, "provider", DELIVERED)
    flip = "update provider.events set payload = set_byte(payload, 5, get_byte(payload, 5) # 1)"
    async with altered(dsn, (f"{flip} where position = $1", at)):
        report = await replayed(dsn)

    assert named(report) >= {
        ("FACT_DIFFERS", f"provider:{at}"),
        ("CHAIN_BROKEN", f"provider:{at}"),
    }
    [on_it] = [one for one in report.differences if one.what == "FACT_DIFFERS"]
    assert "BenefitDetermined" in on_it.decision


async def test_an_altered_byte_of_a_pack_is_named(dsn: str) -> None:
    alter = "update payment.packs set content = set_byte(content, 9, get_byte(content, 9) # 1)"
    async with altered(dsn, (alter,)):
        report = await replayed(dsn)

    assert {one.what for one in report.differences} == {"PACK_DIFFERS"}
    assert all(pack(CHANGZHOU).hash in one.where for one in report.differences)


async def test_two_payloads_that_changed_places_are_named(dsn: str) -> None:
    one, other = [await position(dsn, "provider", DELIVERED, place) for place in (0, 1)]
    swap = (
        "update provider.events a set payload = b.payload from provider.events b"
        " where (a.position, b.position) in (($1, $2), ($2, $1))"
    )
    async with altered(dsn, (swap, one, other)):
        report = await replayed(dsn)

    for where in (f"provider:{one}", f"provider:{other}"):
        assert ("CHAIN_BROKEN", where) in named(report)
        assert ("FACT_DIFFERS", where) in named(report)


async def test_two_events_that_changed_places_in_the_log_are_named(dsn: str) -> None:
    at = await position(dsn, "provider", STARTED)
    move = "update provider.events set position = $2 where position = $1"
    async with altered(dsn, (move, at, SPARE), (move, at + 1, at), (move, SPARE, at + 1)):
        report = await replayed(dsn)

    assert ("ORDER_DIFFERS", f"provider:{at}") in named(report)


async def test_a_fact_moved_behind_its_decision_is_named(dsn: str) -> None:
    """The coverage that an eligibility stands on, put behind the decision."""
    fact = await position(dsn, "enrollment", "CoverageStarted")
    decision = await position(dsn, "enrollment", "EligibilityDecided")
    move = "update enrollment.events set position = $2 where position = $1"
    swap = ((move, fact, SPARE), (move, decision, fact), (move, SPARE, decision))
    async with altered(dsn, *swap):
        report = await replayed(dsn)

    assert any(
        one.position == fact and one.what in {"FACT_DIFFERS", "FACT_MISSING"}
        for one in report.differences
    )


async def test_a_missing_event_is_named(dsn: str) -> None:
    at = await position(dsn, "provider", STARTED)
    async with altered(dsn, ("delete from provider.events where position = $1", at)):
        report = await replayed(dsn)

    assert {
        ("EVENT_MISSING", f"provider:{at}"),
        ("TOLD_MISSING", "ltci.provider.v1.VisitStarted/1"),
    } <= named(report)


async def test_what_a_verdict_was_told_must_stand_in_the_visit(dsn: str) -> None:
    at = await position(dsn, "provider", STARTED)
    nearer = await rewritten(dsn, at, lambda m: setattr(m, "distance_m", m.distance_m + 1))
    async with altered(dsn, nearer):
        report = await replayed(dsn)

    [told] = [one for one in report.differences if one.what == "TOLD_DIFFERS"]
    assert told.where == f"provider:{at} distance_m"
    assert told.position == at + 3


async def rewritten(
    dsn: str, at: int, change: Callable[[provider_pb.VisitStarted], None]
) -> tuple[Any, ...]:
    connection = await asyncpg.connect(dsn)
    try:
        payload = await connection.fetchval(
            "select payload from provider.events where position = $1", at
        )
    finally:
        await connection.close()
    message = provider_pb.VisitStarted.FromString(payload)
    change(message)
    changed = message.SerializeToString(deterministic=True)
    return "update provider.events set payload = $2 where position = $1", at, changed


async def test_a_benefit_may_not_know_more_than_its_settlement(dsn: str) -> None:
    at = await position(dsn, "payment", "SettlementFrozen")
    connection = await asyncpg.connect(dsn)
    try:
        payload = await connection.fetchval(
            "select payload from payment.events where position = $1", at
        )
    finally:
        await connection.close()
    frozen = payment_pb.SettlementFrozen.FromString(payload)
    for known in frozen.known:
        known.position = 1
    change = "update payment.events set payload = $2 where position = $1"
    async with altered(dsn, (change, at, frozen.SerializeToString(deterministic=True))):
        report = await replayed(dsn)

    late = [one for one in report.differences if one.what == "FACT_AFTER_DECISION"]
    assert {one.decision for one in late} == {"ltci.payment.v1.BenefitDetermined/1"}
    assert late[0].recorded == "up to 1"


# --- Killed and resumed -----------------------------------------------------------------------

PROGRAM = """
import asyncio, sys
from pathlib import Path
from cli.replay import run
from kernel.config import Settings
run.STRETCH = 20
asyncio.run(run.replay_everything(Settings({"LTCI_DATABASE_URL": sys.argv[1]}), Path(sys.argv[2])))
"""


def killed_in_the_middle(dsn: str, folder: Path) -> Place:
    """A replay that was killed after some of it was done."""
    command = [sys.executable, "-c", PROGRAM, dsn, str(folder)]
    process = subprocess.Popen(command, cwd=ROOT, start_new_session=True)
    end = time.monotonic() + 60
    while not (folder / FILE).exists():
        assert process.poll() is None
        assert time.monotonic() < end
        time.sleep(0.002)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    place = read_place(folder / FILE)
    assert place is not None
    assert 0 < place.done_count < place.total
    return place


async def test_killed_in_the_middle_it_goes_on_where_it_stood(dsn: str, tmp_path: Path) -> None:
    at = await position(dsn, "assessment", "ConclusionDelivered")
    flip = "update assessment.events set payload = set_byte(payload, 5, get_byte(payload, 5) # 1)"
    async with altered(dsn, (f"{flip} where position = $1", at)):
        whole = await replayed(dsn)
        stood = await asyncio.to_thread(killed_in_the_middle, dsn, tmp_path)
        seen: list[int] = []
        told: list[Resumed] = []
        resumed = await replayed(
            dsn,
            tmp_path,
            resume=True,
            progress=lambda done, _: seen.append(done),
            told=told.append,
        )

    assert told == [Resumed(asked=True, found=True)]
    assert seen[0] == stood.done_count
    assert resumed.as_json() == whole.as_json()
    assert resumed.differences
    assert not (tmp_path / FILE).exists()


async def test_another_history_is_replayed_anew(dsn: str, tmp_path: Path) -> None:
    place = await asyncio.to_thread(killed_in_the_middle, dsn, tmp_path)
    place.heads["payment"] = Stood(epoch="another", position=3, hash="")
    place.save(tmp_path / FILE)
    told: list[Resumed] = []

    report = await replayed(dsn, tmp_path, resume=True, told=told.append)

    assert told == [Resumed(asked=True, differs=True)]
    assert report.count == (await replayed(dsn)).count


async def test_without_resume_all_is_done_anew(
    dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "STRETCH", 100)
    (tmp_path / FILE).write_text(json.dumps({"format": 1}))

    report = await replayed(dsn, tmp_path)

    assert report.differences == []
    assert not (tmp_path / FILE).exists()


def test_a_history_that_went_on_is_the_same_history() -> None:
    old = {"payment": Stood(epoch="e", position=10, hash="aa")}
    longer = {"payment": Stood(epoch="e", position=25, hash="bb")}

    assert grown(old, longer, {"payment": "aa"})
    assert not grown(old, longer, {"payment": "cc"})
    assert not grown(longer, old, {"payment": "bb"})
    assert not grown(old, {"payment": Stood(epoch="f", position=25, hash="bb")}, {"payment": "aa"})
    went_on = Place(longer, {"payment": [(0, 10)]})
    assert went_on.missing(10) == [("payment", 10, 20), ("payment", 20, 25)]


def test_what_is_missing_lies_between_what_is_done() -> None:
    place = Place(
        {"payment": Stood(epoch="e", position=10, hash="")}, {"payment": [(2, 4), (6, 7)]}
    )

    assert place.missing(2) == [
        ("payment", 0, 2),
        ("payment", 4, 6),
        ("payment", 7, 9),
        ("payment", 9, 10),
    ]
    assert merged([(4, 6), (0, 2), (2, 4)]) == [(0, 6)]
