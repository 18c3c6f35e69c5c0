"""Waiting follows the business clock, whatever is done to it."""

from datetime import timedelta

from tests.support.temporal import Town


async def test_a_clock_that_stood_makes_the_process_sleep_on(town: Town) -> None:
    application = town.submit("person", "2024-01-01", missing_papers=True)
    handle = await town.start_assessment(application)
    await town.attribute(handle, "LtciWaitsFor", "MISSING_PAPERS")
    await town.pass_until("2024-01-10")

    await town.set_clock(stood=timedelta(days=3))

    await town.pass_until("2024-01-16")  # the 19th by the clock the process knew
    await town.attribute(handle, "LtciWaitsFor", "MISSING_PAPERS")
    assert town.calls == []
    await town.pass_until("2024-01-17")
    assert (await town.ended(handle)).state == "WITHDRAWN"


async def test_a_clock_set_ahead_wakes_the_process_when_it_is_told(town: Town) -> None:
    application = town.submit("person", "2024-01-01", missing_papers=True)
    handle = await town.start_assessment(application)
    await town.attribute(handle, "LtciWaitsFor", "MISSING_PAPERS")

    await town.set_clock(speed=1440.0)
    await handle.signal("clock_changed")

    await town.pass_until("2024-01-17")
    assert (await town.ended(handle)).state == "WITHDRAWN"
    assert town.calls == ["withdraw deemed=True on 2024-01-17"]
