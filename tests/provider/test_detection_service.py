"""Flags over real gRPC and real PostgreSQL: found live, recorded once, made again, backtested."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from ltci.provider.v1 import detection_service_pb2 as pb
from ltci.provider.v1 import detection_service_pb2_grpc as pb_grpc
from ltci.provider.v1 import events_pb2
from ltci.provider.v1 import provider_service_pb2 as provider_pb
from ltci.provider.v1 import provider_service_pb2_grpc as provider_grpc

from kernel.replay import raw_fact
from kernel.rules.ruling import Ruling
from services.provider.__main__ import build
from services.provider.codec import provider_codec
from services.provider.replay import DECISIONS
from services.provider.supervision import Supervisor
from tests.provider.test_service import CHANGZHOU, admission, approval, price, registration, upload
from tests.support.service import Running, refused, running
from tests.support.temporal import eventually

FLAGGED = "ltci.provider.v1.RiskFlagged/1"
FAR_AWAY = 1_000_000  # microdegrees


@pytest.fixture
async def provider(database_url: str, tmp_path: Path) -> AsyncIterator[Running]:
    async with running("provider", database_url, tmp_path, provider_codec, build) as service:
        yield service


@pytest.fixture
def stub(provider: Running) -> Any:
    return pb_grpc.DetectionServiceStub(provider.channel)


@pytest.fixture
async def pair(provider: Running) -> list[provider_pb.Visit]:
    """Two visits of one caregiver at the same hour, a hundred kilometres apart."""
    services: Any = provider_grpc.ProviderServiceStub(provider.channel)
    await services.AdmitProvider(admission())
    await services.SetPrice(price("bath", 6000, 50))
    await services.SetPrice(price("hair", 2000, 20))
    await services.RegisterCaregiver(registration())
    near = await services.ApprovePlan(approval())
    away = approval()
    away.identity_number, away.request_id = "", "7b4f5b9e-8f0e-4c39-9a77-4a2a4a7b3c01"
    away.person = "0b0f2c6a-4a3c-8a59-9a3e-7d4f4f0e3c11"
    away.place.latitude_microdegrees += FAR_AWAY
    far = await services.ApprovePlan(away)
    first = upload("near")
    second = upload("far")
    for told, plan in ((first, near), (second, far)):
        told.identity_number, told.pool, told.plan = "", "", plan.plan
    second.place.latitude_microdegrees += FAR_AWAY
    return [await services.SubmitVisit(told) for told in (first, second)]


async def flags(stub: Any, **asked: Any) -> list[pb.Flag]:
    answer = await stub.ListFlags(pb.ListFlagsRequest(pool=CHANGZHOU, **asked))
    return list(answer.flags)


async def two_flags(stub: Any) -> list[pb.Flag]:
    return await eventually(lambda: flags(stub), lambda seen: len(seen) == 2)


async def test_both_visits_that_cannot_be_are_flagged_and_held(
    stub: Any, pair: list[provider_pb.Visit]
) -> None:
    found = await two_flags(stub)

    assert {one.visit for one in found} == {visit.visit for visit in pair}
    for one in found:
        assert (one.detector, one.version, one.held_fen) == ("two_places", 1, pair[0].cost_fen)
        assert one.state == pb.FLAG_STATE_OPEN
        assert int(one.seen["way_m"]) > 100_000
    assert await flags(stub, detector="mock_location") == []
    assert await flags(stub, state=pb.FLAG_STATE_CLEARED) == []
    assert await flags(stub, first_date="2024-03-05") == []


async def test_a_restarted_detector_records_nothing_twice(
    provider: Running, stub: Any, pair: list[provider_pb.Visit]
) -> None:
    assert len(pair) == len(await two_flags(stub))
    head = await provider.head()

    again = Supervisor(provider.service.parts, {})
    await again.read_once()

    assert await provider.head() == head


async def test_a_flag_is_made_again_from_its_ruling(
    provider: Running, stub: Any, pair: list[provider_pb.Visit]
) -> None:
    assert len(pair) == len(await two_flags(stub))
    packs = provider.service.parts.packs
    events = await provider.events_after(0)
    raws = {event.position: raw_fact("provider", event) for event in events}
    rulings = []
    for event in events:
        if event.type == FLAGGED:
            ruling = Ruling.parse(_ruling(event.payload))
            facts = [raws[ref.position] for ref in ruling.facts]
            assert [raw.ref for raw in facts] == list(ruling.facts)
            assert len(facts) == 2  # the verdicts on both visits
            again = DECISIONS[FLAGGED](event.payload, facts, packs.pack_for(CHANGZHOU))
            rulings.append(again == _ruling(event.payload))
    assert rulings == [True, True]


async def test_a_backtest_finds_what_was_found_and_records_nothing(
    provider: Running, stub: Any, pair: list[provider_pb.Visit]
) -> None:
    recorded = {one.flag for one in await two_flags(stub)}
    head = await provider.head()

    parts = [part async for part in stub.Backtest(pb.BacktestRequest(pool=CHANGZHOU))]

    found = [one for part in parts for one in part.flags]
    assert {one.flag for one in found} == recorded
    assert all(one.recorded and one.known_date == "2024-07-01" for one in found)
    assert sum(part.read_count for part in parts) == parts[-1].event_count == head
    only = pb.BacktestRequest(pool=CHANGZHOU, detectors=["mock_location"])
    assert [one async for part in stub.Backtest(only) for one in part.flags] == []
    assert await provider.head() == head
    assert len(pair) == 2


async def test_the_catalogue_names_each_rule_with_its_figures(stub: Any) -> None:
    told = await stub.ListDetectors(pb.ListDetectorsRequest(pool=CHANGZHOU))

    by_name = {one.detector: one for one in told.detectors}
    assert len(by_name) >= 17
    travel = by_name["impossible_travel"]
    assert {one.figure for one in travel.figures} >= {"travel_km_an_hour"}
    assert not travel.verified  # a design reading says so
    page = await stub.ListDetectors(pb.ListDetectorsRequest(pool=CHANGZHOU, page_size=3))
    rest = pb.ListDetectorsRequest(pool=CHANGZHOU, page_token=page.next_page_token)
    assert len(page.detectors) + len((await stub.ListDetectors(rest)).detectors) == len(by_name)


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"detector": "nose"}, "detector"),
        ({"first_date": "soon"}, "first_date"),
        ({"pool": "1"}, "pool"),
    ],
)
async def test_what_is_asked_wrongly_is_told_by_its_field(
    stub: Any, asked: dict[str, Any], field: str
) -> None:
    problem = await refused(stub.ListFlags(pb.ListFlagsRequest(**({"pool": CHANGZHOU} | asked))))

    assert problem.code == "INVALID_ARGUMENT"
    assert [one.field for one in problem.violations] == [field]


def _ruling(payload: bytes) -> bytes:
    ruling: bytes = events_pb2.RiskFlagged.FromString(payload).ruling
    return ruling
