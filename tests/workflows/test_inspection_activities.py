"""What the processes of cases ask of the real service, and what they make of its answers."""

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from ltci.provider.v1 import inspection_service_pb2_grpc as rpc
from ltci.provider.v1 import provider_service_pb2 as provider_pb
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from services.provider.__main__ import build
from services.provider.codec import provider_codec
from tests.provider.test_inspection_service import DECIDED, confirmed, flagged, request_id, visits
from tests.support.service import Running, running
from workflows.activities.inspections import (
    FlagStep,
    InspectionActivities,
    InspectionCall,
    InspectionClock,
    InspectionStanding,
)

__all__ = ["visits"]


@pytest.fixture
async def provider(database_url: str, tmp_path: Path) -> AsyncIterator[Running]:
    async with running("provider", database_url, tmp_path, provider_codec, build) as service:
        yield service


async def test_a_case_is_opened_looked_at_noted_and_closed(
    provider: Running,
    visits: list[provider_pb.Visit],
) -> None:
    doing, run = InspectionActivities(provider.channel), ActivityEnvironment().run
    stub: Any = rpc.InspectionServiceStub(provider.channel)
    flag = await flagged(provider, visits[0])
    asked = FlagStep(str(flag.flag), request_id("take up"))
    case = await run(doing.open_inspection, asked)
    assert case == InspectionStanding(case.inspection, "OPENED", due_date="2024-07-08")
    assert await run(doing.open_inspection, asked) == case

    clock = InspectionClock(case.inspection, "NOTICE", "MISSED", request_id("missed"))
    with pytest.raises(ApplicationError) as caught:
        await run(doing.note_inspection_clock, clock)
    assert (caught.value.type, caught.value.non_retryable) == ("NOT_OVERDUE", True)

    await confirmed(provider, stub, [flag])
    now = await run(doing.get_inspection, case.inspection)
    assert now == InspectionStanding(
        case.inspection,
        "DECIDED",
        respond_by_date="2024-07-17",
        appeal_by_date="2024-08-08",
        answered=True,
    )
    close = InspectionCall(case.inspection, request_id("close"))
    provider.set_day(DECIDED)
    with pytest.raises(ApplicationError):
        await run(doing.close_inspection, close)
    provider.set_day(date(2024, 8, 9))
    closed = await run(doing.close_inspection, close)
    assert (closed.state, closed.outcome) == ("CLOSED", "CONFIRMED")
