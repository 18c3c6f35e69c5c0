"""Facts about the same days may come in any order: every person ends alike.

What one service learns late, another may know already; a process may be in the middle of its
clocks. Only what the law itself puts in an order stays in it: papers before a visit, a report
before it is taken back.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import date, timedelta
from pathlib import Path
from random import Random

import pytest
from ltci.enrollment.v1 import enrollment_service_pb2 as enrollment
from ltci.payment.v1 import payment_service_pb2 as payment

from infra.embedded.postgres import EmbeddedPostgres
from tests.simulation.people import Person
from tests.simulation.region import Region, region
from tests.support.packs import CHANGZHOU
from tests.support.postgres import fresh_database

BEGINS, ENDS = date(2025, 1, 6), date(2026, 1, 5)  # all facts come late, about the year before
ORDERS = 12
DAYS = ("2024-03-01", "2024-06-09", "2024-06-12", "2024-07-01", "2024-11-20", "2024-11-21")
# What must come before what.
BEFORE = {
    "visited": {"applied"},
    "confirmed": {"visited"},
    "applied": {"paid"},
    "found alive": {"taken for dead"},
    "died": {"found alive"},
}
FACTS = (
    "paid",
    "applied",
    "visited",
    "confirmed",
    "admitted",
    "discharged",
    "taken for dead",
    "found alive",
    "died",
)


def any_order(chance: Random) -> list[str]:
    """An order of the facts that the law allows."""
    left, told = list(FACTS), list[str]()
    while left:
        may = [fact for fact in left if BEFORE.get(fact, set()) <= set(told)]
        told.append(chance.choice(may))
        left.remove(told[-1])
    return told


async def live(person: Person, order: list[str], chance: Random) -> None:
    """Has the facts come in this order, some days apart."""
    reports: dict[str, str] = {}

    async def report(name: str, kind: str, day: date, source: str) -> None:
        reports[name] = await person.report(kind, day, source)

    async def withdraw() -> None:
        await person.region.connection.enrollment.WithdrawLifeEvent(
            enrollment.WithdrawLifeEventRequest(
                life_event=reports["taken for dead"],
                person=person.id,
                cause="a namesake",
                request_id=person.once("found alive"),
            )
        )

    happens: dict[str, Callable[[], Awaitable[object]]] = {
        "paid": lambda: person.contribute(2024),
        "applied": lambda: person.apply(
            application_date="2024-01-15", disabled_since_date="2023-01-01"
        ),
        "visited": lambda: person.visited(3, on=date(2024, 1, 30)),
        "confirmed": lambda: person.confirmed(on=date(2024, 2, 5)),
        "admitted": lambda: report("in", "ADMISSION", date(2024, 6, 10), "HOSPITAL"),
        "discharged": lambda: report("out", "DISCHARGE", date(2024, 6, 20), "HOSPITAL"),
        "taken for dead": lambda: report("taken for dead", "DEATH", date(2024, 5, 3), "PROVIDER"),
        "found alive": withdraw,
        "died": lambda: report("died", "DEATH", date(2024, 11, 20), "REGISTER"),
    }
    await person.register(date(2022, 1, 1))
    for fact in order:
        await happens[fact]()
        if chance.random() < 1 / 3:
            await person.region.quiet()
            later = await person.region.today() + timedelta(days=chance.randint(1, 6))
            await person.region.pass_to(later)


async def stands(person: Person) -> list[tuple[object, ...]]:
    """How the person stands on each of the days, as known at the end."""
    found: list[tuple[object, ...]] = []
    for day in DAYS:
        insured = await person.region.connection.enrollment.CheckEligibility(
            enrollment.CheckEligibilityRequest(person=person.id, pool=CHANGZHOU, on_date=day)
        )
        entitled = await person.region.connection.payment.GetEntitlement(
            payment.GetEntitlementRequest(person=person.id, pool=CHANGZHOU, as_of_date=day)
        )
        found.append((day, list(insured.reasons), entitled.state, entitled.grade, entitled.cause))
    return found


@pytest.fixture
async def place(postgres: EmbeddedPostgres, tmp_path: Path) -> AsyncIterator[Region]:
    async with region(await fresh_database(postgres), tmp_path, BEGINS) as made:
        yield made


async def test_facts_that_come_in_any_order_end_alike(place: Region) -> None:
    ends = {}
    for number in range(ORDERS):
        chance = Random(number)
        order, person = any_order(chance), Person(region=place, number=500 + number)
        await live(person, order, chance)
        ends[number] = (order, person)
    await place.quiet()
    await place.pass_to(ENDS)

    stood = {number: await stands(person) for number, (_, person) in ends.items()}

    different = {n: (ends[n][0], s) for n, s in stood.items() if s != stood[0]}
    assert different == {}
    states = [state for _, _, state, _, _ in stood[0]]
    assert len(set(states)) >= 3  # open, paused and ended: the days tell them apart
