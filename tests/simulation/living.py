"""Has many people live their stories, day by day, and says where one did not end as told."""

import asyncio
import heapq
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from random import Random

from ltci.assessment.v1 import assessment_types_pb2 as assessment_types
from ltci.payment.v1 import payment_types_pb2 as payment_types

from tests.simulation import disputes, refusals  # noqa: F401 - they tell stories
from tests.simulation.people import Person
from tests.simulation.region import Region
from tests.simulation.stories import STORIES, Life

AT_ONCE = 16  # people who act side by side
TAKES_EFFECT = timedelta(days=62)  # a conclusion takes effect by the month after the next
Told = Callable[[date, int], None]


def cast(region: Region, count: int, first: int = 1) -> list[Life]:
    """So many people, the stories in turn; each with chances of its own, always the same."""
    names = sorted(STORIES)
    return [
        Life(
            story=names[place % len(names)],
            person=Person(region=region, number=first + place),
            chance=Random(first + place),
        )
        for place in range(count)
    ]


async def live(
    region: Region, lives: Sequence[Life], begins: date, ends: date, told: Told | None = None
) -> None:
    """Every story to its end, and the days to the last one. A story that fails fails the run."""
    stories = [STORIES[life.story](life, begins) for life in lives]
    waiting = [(begins, place) for place in range(len(lives))]
    heapq.heapify(waiting)
    free = asyncio.Semaphore(AT_ONCE)

    async def step(place: int) -> tuple[date, int] | None:
        async with free:
            try:
                return await anext(stories[place]), place
            except StopAsyncIteration:
                return None

    today = begins
    while today <= ends:
        await region.pass_to(today)
        due = []
        while waiting and waiting[0][0] <= today:
            due.append(heapq.heappop(waiting)[1])
        if due:
            for going_on in await asyncio.gather(*(step(place) for place in due)):
                if going_on is not None:
                    heapq.heappush(waiting, going_on)
            await region.quiet()
        if told is not None:
            told(today, len(waiting))
        # Processes wake in between by their own timers; where nobody acts, weeks go at one stroke.
        following = min(waiting[0][0], ends) if waiting else ends
        today = max(today + timedelta(days=1), following)
    unfinished = [f"{lives[place].story} {lives[place].person.number}" for _, place in waiting]
    assert not unfinished, unfinished


async def differences(lives: Sequence[Life]) -> list[str]:
    """Every case whose applications or entitlement did not end as its story says."""
    free = asyncio.Semaphore(AT_ONCE)

    async def one(life: Life) -> list[str]:
        async with free:
            return [f"{life.story} {life.person.number}: {what}" for what in await _differs(life)]

    return [line for lines in await asyncio.gather(*map(one, lives)) for line in lines]


async def _differs(life: Life) -> list[str]:
    person, end = life.person, life.end
    states = []
    for application in person.applications:
        found = await person.state(application)
        name = assessment_types.ApplicationState.Name(found.state)
        states.append(name.removeprefix("APPLICATION_STATE_"))
    wrong = []
    if tuple(states) != end.applications:
        wrong.append(f"applications {states}, not {list(end.applications)}")
    try:
        stands = await person.entitlement()
    except Exception as error:  # noqa: BLE001 - told with the case
        wrong.append(f"entitlement: {error}")
        return wrong
    state = payment_types.EntitlementState.Name(stands.state).removeprefix("ENTITLEMENT_STATE_")
    if (state, stands.grade if state == "OPEN" else 0, stands.cause) != (
        end.entitlement,
        end.grade,
        end.cause,
    ):
        wrong.append(
            f"entitlement {state} {stands.grade} {stands.cause},"
            f" not {end.entitlement} {end.grade} {end.cause}"
        )
    return wrong
