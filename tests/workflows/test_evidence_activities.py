"""What workflows ask of provider about evidence, against the real service."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from ltci.provider.v1 import provider_service_pb2_grpc as pb_grpc
from temporalio.testing import ActivityEnvironment

from services.provider.__main__ import without_detectors as build
from services.provider.codec import provider_codec
from tests.provider.evident import shown
from tests.provider.test_service import CHANGZHOU, admission, approval, price, registration
from tests.support.service import Running, running
from workflows.activities import evidence
from workflows.activities.evidence import (
    EvidenceActivities,
    EvidenceQuestion,
    EvidenceStep,
    Kept,
)

STEP = EvidenceStep(CHANGZHOU, "2024-07-01", "a-step")
QUESTION = EvidenceQuestion(CHANGZHOU, "2024-07-31")


@pytest.fixture
async def provider(database_url: str, tmp_path: Path) -> AsyncIterator[Running]:
    """The service with five visits whose evidence nobody can object to any more."""
    async with running("provider", database_url, tmp_path, provider_codec, build) as service:
        stub: Any = pb_grpc.ProviderServiceStub(service.channel)
        await stub.AdmitProvider(admission())
        await stub.SetPrice(price("bath", 6000, 50))
        await stub.SetPrice(price("hair", 2000, 20))
        await stub.RegisterCaregiver(registration())
        await stub.ApprovePlan(approval())
        for number in range(5):
            await stub.SubmitVisit(shown(f"visit {number}"))
        service.set_day(date(2024, 8, 31))
        yield service


async def forgotten_in(service: Running) -> int:
    return sum(".EvidenceForgotten/" in event.type for event in await service.events_after(0))


async def test_all_that_is_due_is_forgotten_batch_by_batch_and_an_attempt_goes_on(
    provider: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evidence, "BATCH", 2)
    asks, beats = EvidenceActivities(provider.channel), []
    kept = await ActivityEnvironment().run(asks.get_kept_evidence, QUESTION)
    assert kept == Kept(5, 0, 0, "", "2024-07-01")

    environment = ActivityEnvironment()
    environment.on_heartbeat = lambda *told: beats.append(told[0])
    assert await environment.run(asks.forget_evidence, STEP) == 5
    assert [told for told in beats if told != [0, 0]][:2] == [[1, 2], [2, 4]]
    assert await forgotten_in(provider) == 3

    # Broken off after its first batch was told, and once before anything was.
    for details in ([[1, 2]], []):
        again = ActivityEnvironment()
        again.info = replace(again.info, heartbeat_details=details, attempt=2)
        assert await again.run(asks.forget_evidence, STEP) == 5
    assert await forgotten_in(provider) == 3
    assert (await ActivityEnvironment().run(asks.get_kept_evidence, QUESTION)).due_count == 0
