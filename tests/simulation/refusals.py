"""How an assessment ends before there is a conclusion: refused, broken off, death on the way."""

from collections.abc import Callable
from datetime import date, timedelta

from ltci.assessment.v1 import intake_types_pb2 as intake_types
from ltci.assessment.v1 import on_site_service_pb2 as on_site_pb
from ltci.assessment.v1 import on_site_service_pb2_grpc as on_site_rpc

from tests.simulation.people import Person
from tests.simulation.stories import (
    End,
    Life,
    Story,
    Telling,
    delivered,
    insured,
    soon,
    story,
    until,
)

# Changzhou's list (不予受理); what enrollment or the days decide has stories of its own.
STATED = (
    "OUT_OF_SCOPE",
    "PAPERS_FALSE",
    "MEDICAL_STATUS_FROZEN",
    "WORK_INJURY_ALLOWANCE",
    "THIRD_PARTY_LIABLE",
    "NOT_IN_POOL",
    "OTHER",
)
BROKEN_OFF = ("ASSESSMENT_REFUSED", "OBSTRUCTION", "FALSE_INFORMATION", "UNREACHABLE")


async def terminate(person: Person, reason: str) -> None:
    stub = on_site_rpc.OnSiteServiceStub(person.region.connection.channel("assessment"))
    await stub.TerminateAssessment(
        on_site_pb.TerminateAssessmentRequest(
            application=person.application,
            reason=intake_types.TerminationReason.Value(f"TERMINATION_REASON_{reason}"),
            terminated_date=str(await person.region.today()),
            request_id=person.once("terminate", person.application),
        )
    )


def named(name: str) -> Callable[[Telling], Telling]:
    """A story for one of several reasons."""

    def told(telling: Telling) -> Telling:
        telling.__name__ = name
        return story(telling)

    return told


# Refused ---------------------------------------------------------------------------------------


@story
async def disabled_too_short(life: Life, begins: date) -> Story:
    await life.person.register(date(begins.year - 1, 1, 1), [begins.year])
    yield begins + life.days(1, 100)
    since = await life.person.region.today() - timedelta(days=60)
    await life.person.apply(disabled_since_date=str(since))
    yield await soon(life, 1, 3)
    assert list((await life.person.state()).reasons) == ["DISABLED_TOO_SHORT"]
    life.end = End(("REFUSED",), "NONE")


@story
async def too_soon_after_the_last(life: Life, begins: date) -> Story:
    async for day in insured(life, begins):
        yield day
    async for day in delivered(life, 0):
        yield day
    yield await soon(life, 20, 90)
    await life.person.apply()
    yield await soon(life, 1, 3)
    assert list((await life.person.state()).reasons) == ["TOO_SOON_AFTER_LAST"]
    life.end = End(("DELIVERED", "REFUSED"), "NONE")


def _refused_by_an_officer(reason: str) -> Telling:
    @named(f"refused_{reason.lower()}")
    async def refused(life: Life, begins: date) -> Story:
        async for day in insured(life, begins):
            yield day
        yield await soon(life, 1, 5)
        await life.person.refuse(reason)
        yield await soon(life, 1, 3)
        assert list((await life.person.state()).reasons) == [reason]
        life.end = End(("REFUSED",), "NONE")

    return refused


for _reason in STATED:
    _refused_by_an_officer(_reason)


# Broken off ------------------------------------------------------------------------------------


def _broken_off(reason: str) -> Telling:
    @named(f"broken_off_{reason.lower()}")
    async def broken_off(life: Life, begins: date) -> Story:
        async for day in insured(life, begins):
            yield day
        yield await soon(life, 3, 20)
        await terminate(life.person, reason)
        life.end = End(("TERMINATED",), "NONE")

    return broken_off


for _reason in BROKEN_OFF:
    _broken_off(_reason)


# Death on the way ------------------------------------------------------------------------------


async def _dies(life: Life) -> None:
    await life.person.report("DEATH", await life.person.region.today())
    await terminate(life.person, "DEATH")
    life.end = End(("TERMINATED",), "NONE")


@story
async def dies_before_the_papers_came(life: Life, begins: date) -> Story:
    await life.person.register(date(begins.year - 1, 1, 1), [begins.year])
    yield begins + life.days(1, 100)
    await life.person.apply(missing_papers=["medical record"])
    yield await soon(life, 1, 2)
    await _dies(life)


@story
async def dies_before_the_visit(life: Life, begins: date) -> Story:
    async for day in insured(life, begins):
        yield day
    yield await soon(life, 1, 12)
    await _dies(life)


@story
async def dies_between_two_forms(life: Life, begins: date) -> Story:
    async for day in insured(life, begins):
        yield day
    yield await soon(life, 1, 12)
    await life.person.visited(3, by=["assessor-1"])
    yield await soon(life, 0, 2)
    await _dies(life)


@story
async def dies_before_the_experts_confirm(life: Life, begins: date) -> Story:
    async for day in insured(life, begins):
        yield day
    yield await soon(life, 1, 12)
    await life.person.visited(4)
    yield await soon(life, 1, 5)
    await _dies(life)


@story
async def dies_in_publicity(life: Life, begins: date) -> Story:
    """There is a conclusion, and nobody left whom it could give a benefit."""
    async for day in insured(life, begins):
        yield day
    yield await soon(life, 1, 12)
    await life.person.visited(4)
    await life.person.confirmed()
    async for day in until(life, "PUBLISHED", 20):
        yield day
    await life.person.report("DEATH", await life.person.region.today())
    async for day in until(life, "DELIVERED"):
        yield day
    life.end = End(("DELIVERED",), "ENDED", cause="DEATH")
