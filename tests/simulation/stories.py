"""The branches that a case may take, each told once and lived by many people on different days.

A story is an async generator: it acts, and yields the day it goes on. It ends with the states it
says its case must be in; `lived` compares them with what the services say.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random

from ltci.assessment.v1 import assessment_types_pb2 as assessment_types

from tests.simulation.people import Person

Story = AsyncIterator[date]


@dataclass
class End:
    """How a case must end: the state of each application in turn, and of the entitlement."""

    applications: tuple[str, ...]
    entitlement: str
    grade: int = 0
    cause: str = ""


@dataclass
class Life:
    """A person with a story, and the end it leads to."""

    story: str
    person: Person
    chance: Random
    end: End = field(default_factory=lambda: End((), "NONE"))
    late: tuple[date, date] | None = None  # a day that a fact changed, and when it was told

    def days(self, first: int, last: int) -> timedelta:
        return timedelta(days=self.chance.randint(first, last))


Telling = Callable[[Life, date], Story]
STORIES: dict[str, Telling] = {}


def story(telling: Telling) -> Telling:
    STORIES[telling.__name__] = telling
    return telling


# What most stories have in common --------------------------------------------------------------


EARLY, LATE = (1, 10), (75, 130)  # days after the begin on which people apply


async def insured(
    life: Life, begins: date, *, years: int = 3, applies: tuple[int, int] = LATE
) -> Story:
    """Registered long ago, paid up for this year and the next ones, applies some day.

    Who applies early lives to see the validity end, who applies late does not.
    """
    await life.person.register(date(begins.year - 1, 1, 1), range(begins.year, begins.year + years))
    yield begins + life.days(*applies)
    await life.person.apply()


async def graded(life: Life, grade: int) -> Story:
    """Visited and confirmed in good time."""
    yield await soon(life, 3, 12)
    await life.person.visited(grade)
    yield await soon(life, 1, 8)
    await life.person.confirmed()


async def delivered(life: Life, grade: int) -> Story:
    """Graded, and the conclusion made public and delivered by its process."""
    async for day in graded(life, grade):
        yield day
    async for day in until(life, "DELIVERED"):
        yield day


async def soon(life: Life, first: int, last: int) -> date:
    return await life.person.region.today() + life.days(first, last)


async def until(life: Life, state: str, patience: int = 120) -> Story:
    """Day by day, until the application is in the state; fails where it never comes."""
    for _ in range(patience):
        now = await state_of(life)
        if now == state:
            return
        yield await life.person.region.today() + timedelta(days=1)
    raise AssertionError(f"{life.story} {life.person.number}: {now}, never {state}")


async def state_of(life: Life, application: str = "") -> str:
    found = await life.person.state(application)
    return assessment_types.ApplicationState.Name(found.state).removeprefix("APPLICATION_STATE_")


async def entitled(life: Life, begins: date, grade: int) -> Story:
    """In the middle of a running entitlement."""
    async for day in insured(life, begins):
        yield day
    async for day in delivered(life, grade):
        yield day
    yield await soon(life, 60, 200)


# Ends of an assessment -------------------------------------------------------------------------


@story
async def entitled_until_it_expires(life: Life, begins: date) -> Story:
    """Nobody asks for the periodic reassessment: the validity ends, and the benefit with it."""
    grade = life.chance.choice([2, 3, 4, 5])
    async for day in insured(life, begins, applies=EARLY):
        yield day
    async for day in delivered(life, grade):
        yield day
    life.end = End(("DELIVERED",), "ENDED", cause="VALIDITY_EXPIRED")


@story
async def not_disabled_enough(life: Life, begins: date) -> Story:
    async for day in insured(life, begins):
        yield day
    async for day in delivered(life, 0):
        yield day
    life.end = End(("DELIVERED",), "NONE")


@story
async def refused_as_not_paid_up(life: Life, begins: date) -> Story:
    async for day in insured(life, begins, years=0):
        yield day
    async for day in until(life, "REFUSED", 5):
        yield day
    assert "NOT_PAID_UP" in (await life.person.state()).reasons
    life.end = End(("REFUSED",), "NONE")


@story
async def papers_never_come(life: Life, begins: date) -> Story:
    await life.person.register(date(begins.year - 1, 1, 1), [begins.year])
    yield begins + life.days(*LATE)
    await life.person.apply(missing_papers=["medical record"])
    async for day in until(life, "WITHDRAWN"):
        yield day
    life.end = End(("WITHDRAWN",), "NONE")


@story
async def papers_come_in_time(life: Life, begins: date) -> Story:
    await life.person.register(date(begins.year - 1, 1, 1), [begins.year, begins.year + 1])
    yield begins + life.days(*LATE)
    await life.person.apply(missing_papers=["medical record", "identity paper"])
    yield await soon(life, 1, 4)
    await life.person.supply()
    async for day in delivered(life, 3):
        yield day
    life.end = End(("DELIVERED",), "OPEN", 3)


@story
async def thinks_better_of_it(life: Life, begins: date) -> Story:
    async for day in insured(life, begins):
        yield day
    yield await soon(life, 1, 20)
    await life.person.withdraw()
    life.end = End(("WITHDRAWN",), "NONE")


@story
async def assessors_come_late(life: Life, begins: date) -> Story:
    """The clock runs out, is told, and the assessment goes on."""
    async for day in insured(life, begins):
        yield day
    yield await soon(life, 55, 80)
    async for day in delivered(life, 4):
        yield day
    life.end = End(("DELIVERED",), "OPEN", 4)


# A running entitlement --------------------------------------------------------------------------


@story
async def in_hospital_and_back(life: Life, begins: date) -> Story:
    async for day in entitled(life, begins, 3):
        yield day
    today = await life.person.region.today()
    await life.person.report("ADMISSION", today - timedelta(days=4), "HOSPITAL")
    life.late = today - timedelta(days=4), today
    yield await soon(life, 5, 30)
    await life.person.report("DISCHARGE", await life.person.region.today(), "HOSPITAL")
    life.end = End(("DELIVERED",), "OPEN", 3)


@story
async def state_changes_for_the_worse(life: Life, begins: date) -> Story:
    async for day in entitled(life, begins, 3):
        yield day
    yield await soon(life, 190, 220)
    await life.person.apply("CHANGE_OF_STATE")
    async for day in delivered(life, 5):
        yield day
    yield await soon(life, 35, 40)
    life.end = End(("DELIVERED", "DELIVERED"), "OPEN", 5)


@story
async def recovers(life: Life, begins: date) -> Story:
    async for day in entitled(life, begins, 2):
        yield day
    yield await soon(life, 190, 220)
    await life.person.apply("CHANGE_OF_STATE")
    async for day in delivered(life, 0):
        yield day
    yield await soon(life, 35, 40)
    life.end = End(("DELIVERED", "DELIVERED"), "ENDED", cause="RECOVERED")


@story
async def dies_entitled(life: Life, begins: date) -> Story:
    async for day in entitled(life, begins, 4):
        yield day
    today = await life.person.region.today()
    died = today - life.days(5, 60)
    await life.person.report("DEATH", died)
    life.late = died + timedelta(days=1), today
    life.end = End(("DELIVERED",), "ENDED", cause="DEATH")


@story
async def dies_in_hospital(life: Life, begins: date) -> Story:
    async for day in entitled(life, begins, 5):
        yield day
    await life.person.report("ADMISSION", await life.person.region.today(), "HOSPITAL")
    yield await soon(life, 3, 9)
    await life.person.report("DEATH", await life.person.region.today(), "HOSPITAL")
    life.end = End(("DELIVERED",), "ENDED", cause="DEATH")
