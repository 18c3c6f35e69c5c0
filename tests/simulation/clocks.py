"""The legal clocks of a simulated region: which were missed, and whether somebody recorded it."""

from typing import Any

from ltci.assessment.v1 import clock_service_pb2 as pb
from ltci.assessment.v1 import clock_service_pb2_grpc as pb_grpc
from ltci.assessment.v1 import clock_types_pb2 as types

from tests.simulation.region import Region
from tests.support.packs import CHANGZHOU

_LATE = {types.CLOCK_STATE_LATE, types.CLOCK_STATE_OVERDUE}


async def missed_clocks(place: Region) -> tuple[int, list[str], list[str]]:
    """How many of the applications' clocks were missed, those of them without a record, and those
    in time that are recorded as missed.
    """
    clocks = [clock for clock in await all_clocks(place) if clock.application]
    late = [clock for clock in clocks if clock.state in _LATE]
    # Papers that never came are told by what follows from it: the application is withdrawn.
    silent = [c for c in late if not c.missed and c.step != types.CLOCK_STEP_SUPPLEMENT]
    in_time = [clock for clock in clocks if clock.state == types.CLOCK_STATE_IN_TIME]
    wrongly = [clock for clock in in_time if clock.missed]
    return len(late), list(map(_told, silent)), list(map(_told, wrongly))


def _told(clock: types.Clock) -> str:
    return f"{clock.application} {types.ClockStep.Name(clock.step)} due {clock.due_date}"


async def all_clocks(place: Region) -> list[Any]:
    stub: Any = pb_grpc.ClockServiceStub(place.connection.channel("assessment"))
    found: list[Any] = []
    token = ""
    while True:
        page = await stub.ListClocks(
            pb.ListClocksRequest(
                pool=CHANGZHOU, filter=pb.CLOCK_FILTER_ALL, page_size=500, page_token=token
            )
        )
        found += page.clocks
        token = page.next_page_token
        if not token:
            return found
