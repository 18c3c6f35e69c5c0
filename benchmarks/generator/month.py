"""The month as it arrives: visit after visit, late ones later, none held longer than it waits."""

import heapq
from collections.abc import Iterator

from benchmarks.generator.chance import Chance
from benchmarks.generator.city import City
from benchmarks.generator.days import DAY, Days
from benchmarks.generator.planting import Planter
from benchmarks.generator.sizes import Sizes
from benchmarks.generator.visits import Visit

REPEATED = 0.003  # uploads that a device sends twice, since it saw no answer; assumed


def month(sizes: Sizes) -> Iterator[Visit]:
    """Every visit of the month, in the order in which the devices send them, day by day.

    What was captured without a connection comes on the day it was sent, in no order; only that
    waits in memory.
    """
    city = City(sizes)
    planter = Planter(city, Days(city))
    waiting: list[tuple[int, int, Visit]] = []
    number = 0
    for day in range(sizes.days):
        for carer in range(sizes.carers):
            for visit in planter.day(city.carer(carer), day):
                sent_day = visit.sent // DAY
                if sent_day == day and not visit.offline:
                    yield visit
                    continue
                shuffled = Chance(sizes.seed, "turn", visit.name).below(1 << 40)
                heapq.heappush(waiting, (max(sent_day, day) << 40 | shuffled, number, visit))
                number += 1
        while waiting and waiting[0][0] >> 40 <= day:
            yield heapq.heappop(waiting)[2]
    while waiting:
        yield heapq.heappop(waiting)[2]


def uploads(sizes: Sizes) -> Iterator[Visit]:
    """The month with what devices send twice: the same visit under the same request id."""
    for visit in month(sizes):
        yield visit
        if Chance(sizes.seed, "again", visit.name).happens(REPEATED):
            yield visit
