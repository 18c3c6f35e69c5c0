"""`ltci detect`: flags for people and machines, a backtest, the catalogue; bad input is told."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from ltci.provider.v1 import detection_service_pb2_grpc as pb_grpc
from ltci.provider.v1 import provider_service_pb2 as provider_pb
from typer.testing import CliRunner

from cli.__main__ import app
from services.provider.__main__ import build
from services.provider.codec import provider_codec
from tests.provider.test_detection_service import pair, two_flags
from tests.provider.test_service import CHANGZHOU
from tests.support.service import Running, running

__all__ = ["pair"]


@pytest.fixture
async def provider(database_url: str, tmp_path: Path) -> AsyncIterator[Running]:
    async with running("provider", database_url, tmp_path, provider_codec, build) as service:
        yield service


async def called(provider: Running, *words: str) -> Any:
    environment = {
        "LTCI_PROVIDER_ADDRESS": provider.address,
        "LTCI_CLOCK_FILE": str(provider.folder / "clock.json"),
    }
    return await asyncio.to_thread(
        CliRunner().invoke, app, ["detect", *words, "--lang", "en"], env=environment
    )


async def test_people_and_machines_are_told_what_is_held(
    provider: Running, pair: list[provider_pb.Visit]
) -> None:
    assert len(await two_flags(pb_grpc.DetectionServiceStub(provider.channel))) == len(pair)

    told = await called(provider, CHANGZHOU)
    assert told.exit_code == 0, told.output
    assert "two_places" in told.output
    assert "160.00" in told.output  # both visits

    document = json.loads((await called(provider, CHANGZHOU, "--json")).stdout)
    assert {one["state"] for one in document} == {"FLAG_STATE_OPEN"}
    past = json.loads((await called(provider, CHANGZHOU, "--backtest", "--json")).stdout)
    assert {one["flag"] for one in past} == {one["flag"] for one in document}
    nothing = await called(provider, CHANGZHOU, "--detector", "mock_location")
    assert "nothing was flagged" in nothing.output


async def test_the_catalogue_is_shown_and_what_is_wrong_is_told(provider: Running) -> None:
    told = await called(provider, CHANGZHOU, "--list")
    assert "impossible_travel" in told.output
    wrong = await called(provider, CHANGZHOU, "--backtest", "--detector", "nose")
    assert wrong.exit_code == 2
    assert "impossible_travel" in wrong.output  # one of those there are
