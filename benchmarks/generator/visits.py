"""One visit as a device tells it: times, place, items, and the evidence beside them."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

from benchmarks.generator.city import Point
from benchmarks.generator.sizes import Fraud
from kernel.ids import derive

SHANGHAI = timezone(timedelta(hours=8))
Photo = tuple[bytes, int]  # SHA-256 and perceptual hash


@dataclass(slots=True)
class Visit:
    """Seconds count from the first moment of the month, +08:00."""

    seed: int
    carer: int
    day: int
    place_in_day: int
    person: int
    provider: int
    start: int
    end: int
    home: Point  # the place of care
    here: Point  # where the device says it was at the start
    there: Point | None  # and at the end; None where nobody checked out
    accuracy_m: int
    items: tuple[str, ...]
    by_family: bool
    device: str
    skew: int  # how many seconds the device's clock is ahead
    sent: int  # when the device sent it, by a right clock
    offline: bool
    photos: tuple[Photo, ...]
    mocked: bool = False
    overcharged: int = 0  # per cent above the list in the claim
    labels: list[tuple[Fraud, bool]] = field(default_factory=list)  # the kind, and whether it is
    # the planted visit itself and not the other one of a pair

    @property
    def name(self) -> str:
        return f"{self.carer}-{self.day}-{self.place_in_day}"

    @property
    def request_id(self) -> str:
        return str(derive("generated visit", str(self.seed), self.name))

    @property
    def visit_id(self) -> str:
        """The visit's id where it is fed as a message."""
        return str(derive("visit", self.request_id))

    @property
    def minutes(self) -> int:
        return (self.end - self.start) // 60


class Times:
    """Instants of the month as text."""

    def __init__(self, first: datetime) -> None:
        self._first = first

    def text(self, second: int) -> str:
        """ISO 8601 with offset, as fast as `isoformat` allows."""
        return (self._first + timedelta(seconds=second)).isoformat()


def times_of(year: int, month: int) -> Times:
    return Times(datetime(year, month, 1, tzinfo=SHANGHAI))
