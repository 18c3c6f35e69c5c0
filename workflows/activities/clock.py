"""The business clock for workflows, which may not read a clock themselves."""

from dataclasses import dataclass

from temporalio import activity

from kernel.clock import Clock


@dataclass(frozen=True)
class ClockReading:
    """The mapping as plain numbers: seconds since 1970, and the speed."""

    real_origin: float
    business_origin: float
    speed: float


class ClockActivities:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    @activity.defn(name="clock.Read")
    async def read_clock(self) -> ClockReading:
        """The mapping in force now."""
        mapping = self._clock.mapping()
        return ClockReading(
            real_origin=mapping.real_origin.timestamp(),
            business_origin=mapping.business_origin.timestamp(),
            speed=mapping.speed,
        )
