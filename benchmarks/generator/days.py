"""A caregiver's honest day: where to, when, what is done, and what the device says of it.

Ways take their time, lunch is eaten, some come late, the position is off by some metres, clocks
by some seconds, a check-out is forgotten now and then and corrected, and where there is no
connection the device tells the visit later, sometimes days.
"""

from collections.abc import Sequence

from benchmarks.generator.chance import Chance, picture_of
from benchmarks.generator.city import ITEMS, Carer, City, Person, Point, metres, moved
from benchmarks.generator.sizes import (
    LATE,
    NO_CHECK_OUT,
    OFFLINE,
    SKEWED_CLOCK,
    SPEED_M_A_MINUTE,
)
from benchmarks.generator.visits import Visit
from kernel.ids import derive

DAY, MINUTE = 86_400, 60
_MORNING, _NOON, _AFTERNOON = 8 * 60, 11 * 60 + 30, 13 * 60  # minutes of the day
LEAST_MINUTES = 40  # of a visit's items


class Days:
    """Makes days; the same one is always the same."""

    def __init__(self, city: City) -> None:
        self._city = city
        self._seed = city.sizes.seed

    def honest(self, carer: Carer, day: int) -> list[Visit]:
        """The visits of an honest day, in their order."""
        if not carer.may_care(day):
            return []
        return self.visits(
            carer, day, [p for p in self.people(carer, day) if p.life.cared_for(day)]
        )

    def people(self, carer: Carer, day: int) -> list[Person]:
        """The people whose plan has a visit on this day of the week."""
        weekday = self._city.sizes.day(day).weekday()
        everybody = map(self._city.person, self._city.people_of(carer.number))
        return [person for person in everybody if weekday in person.weekdays]

    def visits(self, carer: Carer, day: int, people: Sequence[Person]) -> list[Visit]:
        """One visit to each of these people, one after the other."""
        chance = Chance(self._seed, "day", carer.number, day)
        if people and people[0].resident:
            return [
                self.visit(carer, person, day, place, _MORNING + chance.between(0, 9), chance)
                for place, person in enumerate(people)
            ]
        clock, here, eaten = _MORNING + chance.between(0, 35), carer.base, False
        made = []
        for place, person in enumerate(people):
            clock += self.way(here, person.home) + chance.between(3, 9)
            if not eaten and clock > _NOON:
                clock, eaten = max(clock + 30, _AFTERNOON - chance.between(0, 25)), True
            if chance.happens(LATE):
                clock += chance.between(10, 30)
            one = self.visit(carer, person, day, place, clock, chance)
            made.append(one)
            clock, here = (one.end - day * DAY) // MINUTE + 1, person.home
        return made

    @staticmethod
    def way(here: Point, there: Point) -> int:
        """Minutes for the way, at least."""
        return round(metres(here, there) / SPEED_M_A_MINUTE) + 1

    def visit(
        self, carer: Carer, person: Person, day: int, place: int, minute: int, chance: Chance
    ) -> Visit:
        """A visit that begins in a minute of the day, with all that belongs to it."""
        items, least = self._items(person, chance)
        start = day * DAY + minute * MINUTE + chance.below(MINUTE)
        end = start + least * MINUTE + chance.between(60, 12 * MINUTE)
        accuracy = chance.between(60, 120) if chance.happens(0.03) else chance.between(4, 30)
        forgotten = chance.happens(NO_CHECK_OUT)
        offline = chance.happens(OFFLINE)
        sent = end + (self._late(chance) if offline else chance.between(5, 90))
        device, skew = self.device(carer.number, day)
        return Visit(
            seed=self._seed,
            carer=carer.number,
            day=day,
            place_in_day=place,
            person=person.number,
            provider=carer.provider,
            start=start,
            end=end,
            home=person.home,
            here=self._seen(person.home, accuracy, chance),
            there=None if forgotten else self._seen(person.home, accuracy, chance),
            accuracy_m=accuracy,
            items=items,
            by_family=chance.happens(0.7),
            device=device,
            skew=skew,
            sent=sent,
            offline=offline,
            photos=tuple(
                picture_of(self._seed, person.number, carer.number, day, place, number)
                for number in range(chance.between(2, 4))
            ),
        )

    def device(self, carer: int, day: int) -> tuple[str, int]:
        """The caregiver's device of the day, and how far its clock is ahead; some get a new one."""
        chance = Chance(self._seed, "device", carer)
        replaced = chance.between(5, 25) if chance.happens(0.03) else self._city.sizes.days
        worse = chance.happens(SKEWED_CLOCK)
        skew = chance.between(-1800, 1800) if worse else round(chance.around(15))
        number = 0 if day < replaced else 1
        return device_id(self._seed, carer, number), skew if number == 0 else 0

    def _items(self, person: Person, chance: Chance) -> tuple[tuple[str, ...], int]:
        """What is done of the plan, and how long that takes."""
        done: list[str] = []
        minutes = 0
        for code in chance.sample(person.plan, len(person.plan)):
            if minutes >= LEAST_MINUTES:
                break
            done.append(code)
            minutes += ITEMS[code].minutes
        if chance.happens(0.25) and len(done) < len(person.plan):
            more = next(code for code in person.plan if code not in done)
            done.append(more)
            minutes += ITEMS[more].minutes
        drifts = self._city.carer(person.carer).provider in self._city.drifting
        if drifts and not person.resident:
            # Everything of the plan, every time: more than anybody else does.
            done, minutes = list(person.plan), sum(ITEMS[c].minutes for c in person.plan)
        return tuple(sorted(done)), minutes

    @staticmethod
    def _seen(place: Point, accuracy: int, chance: Chance) -> Point:
        return moved(place, chance.around(accuracy / 2), chance.around(accuracy / 2))

    @staticmethod
    def _late(chance: Chance) -> int:
        """Seconds until there is a connection: mostly the evening, sometimes days."""
        hours = chance.between(24, 72) if chance.happens(0.15) else chance.between(1, 10)
        return hours * 3600 + chance.below(3600)


def device_id(seed: int, carer: int, number: int) -> str:
    """The id of a caregiver's first or second device."""
    return str(derive("generated device", str(seed), str(carer), str(number)))
