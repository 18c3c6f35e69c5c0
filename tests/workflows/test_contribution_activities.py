"""A step of a collection goes through all people in chunks, and on from where it was."""

from collections.abc import AsyncIterator
from dataclasses import asdict, replace
from typing import Any

import grpc
import pytest
from ltci.enrollment.v1 import contribution_service_pb2 as pb
from ltci.enrollment.v1 import contribution_service_pb2_grpc as rpc
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from kernel.refusal import Refused
from kernel.rpc import channel
from kernel.rpc.errors import ErrorInterceptor
from workflows.activities.contributions import (
    ContributionActivities,
    Done,
    LastDay,
    YearQuestion,
    YearRules,
    YearStep,
)

STEP = YearStep("320400", 2024, "5b7b8d3e-0c5f-8d0a-9a51-3f1f6a1c2e10")
NEXT = {"": "500", "500": "1000", "1000": ""}


class Office(rpc.ContributionServiceServicer):
    """Three chunks of people; the first call for the second chunk fails."""

    def __init__(self) -> None:
        self.chunks: list[tuple[str, str]] = []

    async def GetContributionYear(self, _request: Any, _context: Any) -> Any:  # noqa: N802
        return pb.ContributionYear(
            deadlines=[pb.Deadline(due_date="2024-02-28", reminder_date="2024-02-08")],
            arrears_suspend=True,
        )

    async def DeterminePoolDues(self, request: Any, context: Any) -> Any:  # noqa: N802
        self.chunks.append((request.after_person, request.request_id))
        if [after for after, _ in self.chunks] == ["", "500"]:
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "too many wait")
        return pb.DuesChunk(
            next_after_person=NEXT[request.after_person],
            person_count=500,
            due_count=499,
            due_fen=7,
            not_determined=[pb.NotDetermined(reason="BASE_MISSING")],
        )

    async def SuspendForArrears(self, _request: Any, _context: Any) -> Any:  # noqa: N802
        raise Refused("FIGURE_UNKNOWN", key="enrollment.arrears_suspend")


@pytest.fixture
async def served() -> AsyncIterator[tuple[ContributionActivities, Office]]:
    server = grpc.aio.server(interceptors=[ErrorInterceptor("test")])
    office = Office()  # type: ignore[abstract]
    rpc.add_ContributionServiceServicer_to_server(office, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with channel.connect(f"127.0.0.1:{port}") as connected:
        yield ContributionActivities(connected), office
    await server.stop(0)


async def test_an_attempt_goes_on_where_the_one_before_it_was(
    served: tuple[ContributionActivities, Office],
) -> None:
    activities, office = served
    environment = ActivityEnvironment()
    beats: list[Any] = []
    environment.on_heartbeat = lambda *told: beats.append(told[0])
    with pytest.raises(ApplicationError):
        await environment.run(activities.determine_pool_dues, STEP)
    assert beats[-1] == asdict(Done("500", 1, 500, 499, 1, 7))

    again = ActivityEnvironment()
    again.info = replace(again.info, heartbeat_details=[beats[-1]])
    done = await again.run(activities.determine_pool_dues, STEP)

    assert done == Done("", 3, 1500, 1497, 3, 21)
    assert [after for after, _ in office.chunks] == ["", "500", "500", "1000"]
    assert office.chunks[1] == office.chunks[2]  # asked for again under the same request id


async def test_what_the_rules_say_and_what_they_refuse(
    served: tuple[ContributionActivities, Office],
) -> None:
    activities, _ = served
    rules = await ActivityEnvironment().run(
        activities.get_contribution_year, YearQuestion("320400", 2024)
    )
    assert rules == YearRules([LastDay("2024-02-28", "2024-02-08")], arrears_suspend=True)
    with pytest.raises(ApplicationError) as refused:
        await ActivityEnvironment().run(activities.suspend_for_arrears, STEP)
    assert (refused.value.type, refused.value.non_retryable) == ("FIGURE_UNKNOWN", True)
