"""Fraud on single days: an honest day turned into one that somebody cheated on, and labelled.

Each kind is what field reports describe (a place that is simulated, another one's device, a
photo of last week), done so that the visit by itself looks like any other where it can.
"""

from collections import deque
from collections.abc import Callable

from benchmarks.generator.chance import Chance, spread
from benchmarks.generator.city import DEAR, ITEMS, Carer, City, Person, metres
from benchmarks.generator.days import DAY, MINUTE, Days
from benchmarks.generator.sizes import OF_A_DAY, Fraud
from benchmarks.generator.visits import Visit

_ASKED = 16  # colleagues looked at for a person far away
_ADDED = 50  # place in the day of the first visit that is added
_MANY_HOURS = 12 * 60  # minutes of care in a day above every limit
LEAST_WAY_M = 3_000  # in two minutes nobody gets so far


class Planter:
    """Plants what is due, a case a day of a caregiver; what does not fit waits for the next."""

    def __init__(self, city: City, days: Days) -> None:
        self._city = city
        self._days = days
        self._due: deque[Fraud] = deque()
        self._lent: set[tuple[int, int]] = set()  # carers of whom a device was borrowed, and days
        self._by_day = self._calendar()
        self._ways: dict[Fraud, Callable[[Carer, int, list[Visit], Chance], bool]] = {
            Fraud.IMPOSSIBLE_TRAVEL: self._impossible_travel,
            Fraud.TWO_PLACES: self._two_places,
            Fraud.SHARED_DEVICE: self._shared_device,
            Fraud.REPEATED_PHOTO: self._repeated_photo,
            Fraud.MOCK_LOCATION: self._mock_location,
            Fraud.TOO_SHORT: self._too_short,
            Fraud.ITEMS_SWAPPED: self._items_swapped,
            Fraud.PRICE_ABOVE_LIST: self._price_above_list,
            Fraud.HOURS_ABOVE_LIMIT: self._hours_above_limit,
        }

    def day(self, carer: Carer, day: int) -> list[Visit]:
        """The caregiver's day as it is claimed."""
        kind = self._by_day.pop((carer.number, day), None)
        if kind is not None:
            self._due.append(kind)
        visits = self._claimed(carer, day)
        honest = carer.number < self._city.sizes.home_carers and not any(v.labels for v in visits)
        if self._due and visits and honest:
            chance = Chance(self._city.sizes.seed, "fraud", carer.number, day)
            if self._ways[self._due[0]](carer, day, visits, chance):
                self._due.popleft()
        return visits

    def _calendar(self) -> dict[tuple[int, int], Fraud]:
        """When which kind is due: as many of each, spread over caregivers and days."""
        sizes, found = self._city.sizes, dict[tuple[int, int], Fraud]()
        for kind in OF_A_DAY:
            count = max(3, sizes.cases // 3) if kind is Fraud.HOURS_ABOVE_LIMIT else sizes.cases
            for carer in spread(count if sizes.cases else 0, sizes.home_carers, sizes.seed, kind):
                # Later days are left free, so that all of it finds its place.
                day = Chance(sizes.seed, "due", kind, carer).below(sizes.days - 6)
                while (carer, day) in found:
                    day = (day + 1) % (sizes.days - 6)
                found[carer, day] = kind
        return found

    def _claimed(self, carer: Carer, day: int) -> list[Visit]:
        """An honest day, with the visits of those who go on when they should not."""
        cheats = carer.cheats_on(day)
        if not cheats and not carer.may_care(day):
            return []
        people = self._days.people(carer, day)
        wanted = [
            p for p in people if p.life.cared_for(day) or (not cheats and p.life.cheats_on(day))
        ]
        visits = self._days.visits(carer, day, wanted)
        for visit, person in zip(visits, wanted, strict=True):
            if cheats and carer.cheated is not None:
                visit.labels.append((carer.cheated, True))
            elif person.life.cheated is not None and not person.life.cared_for(day):
                visit.labels.append((person.life.cheated, True))
        return visits

    # -- kinds -----------------------------------------------------------------------------

    def _impossible_travel(
        self, carer: Carer, day: int, visits: list[Visit], chance: Chance
    ) -> bool:
        before = visits[-1]
        person = self._elsewhere(carer, day, before)
        if person is None:
            return False
        minute = (before.end - day * DAY) // MINUTE + 2
        added = self._days.visit(carer, person, day, _ADDED, minute, chance)
        return _add(visits, added, Fraud.IMPOSSIBLE_TRAVEL, before)

    def _two_places(self, carer: Carer, day: int, visits: list[Visit], chance: Chance) -> bool:
        beside = chance.pick(visits)
        person = self._elsewhere(carer, day, beside)
        if person is None:
            return False
        minute = (beside.start - day * DAY) // MINUTE + chance.between(5, 20)
        added = self._days.visit(carer, person, day, _ADDED, minute, chance)
        return _add(visits, added, Fraud.TWO_PLACES, beside)

    def _shared_device(self, carer: Carer, day: int, visits: list[Visit], _chance: Chance) -> bool:
        colleagues = self._city.carers_of(carer.provider)
        if len(colleagues) < 2:
            return False
        other = colleagues[(carer.number - colleagues.start + 1) % len(colleagues)]
        if not self._days.honest(self._city.carer(other), day):
            return False  # its owner must be at work with it
        if (carer.number, day) in self._lent:
            return False  # and works with it on this day
        self._lent.add((other, day))
        device, skew = self._days.device(other, day)
        for visit in visits:
            visit.device, visit.skew = device, skew
            visit.labels.append((Fraud.SHARED_DEVICE, True))
        return True

    def _repeated_photo(self, carer: Carer, day: int, visits: list[Visit], chance: Chance) -> bool:
        for earlier in range(day - 1, max(-1, day - 8), -1):
            old = [v for v in self._days.honest(carer, earlier) if v.photos]
            if old:
                break
        else:
            return False
        visit = chance.pick(visits)
        sha256, look = chance.pick(old).photos[0]
        if chance.happens(0.5):
            # Saved anew: another file, and a look that differs in a bit or two.
            sha256 = bytes([sha256[0] ^ 1, *sha256[1:]])
            for bit in chance.sample(range(64), chance.between(1, 2)):
                look ^= 1 << bit
        visit.photos = ((sha256, look), *visit.photos[1:])
        visit.labels.append((Fraud.REPEATED_PHOTO, True))
        return True

    def _mock_location(self, _carer: Carer, _day: int, visits: list[Visit], chance: Chance) -> bool:
        visit = chance.pick(visits)
        visit.mocked, visit.here, visit.there, visit.accuracy_m = True, visit.home, visit.home, 5
        visit.labels.append((Fraud.MOCK_LOCATION, True))
        return True

    def _too_short(self, _carer: Carer, _day: int, visits: list[Visit], chance: Chance) -> bool:
        visit = chance.pick(visits)
        visit.end = visit.start + chance.between(8, 20) * MINUTE
        visit.sent = max(visit.sent, visit.end + 5)
        visit.labels.append((Fraud.TOO_SHORT, True))
        return True

    def _items_swapped(self, _carer: Carer, _day: int, visits: list[Visit], chance: Chance) -> bool:
        visit = chance.pick(visits)
        room = (visit.end - visit.start) // MINUTE
        dear = [item.code for item in chance.sample(DEAR, 2)]
        kept = visit.items[: max(1, len(visit.items) - 2)]
        if sum(ITEMS[code].minutes for code in (*dear, *kept)) > room:
            kept = ()
        visit.items = tuple(sorted((*dear, *kept)))
        visit.labels.append((Fraud.ITEMS_SWAPPED, True))
        return True

    def _price_above_list(
        self, _carer: Carer, _day: int, visits: list[Visit], chance: Chance
    ) -> bool:
        visit = chance.pick(visits)
        visit.overcharged = chance.between(15, 60)
        visit.labels.append((Fraud.PRICE_ABOVE_LIST, True))
        return True

    def _hours_above_limit(
        self, carer: Carer, day: int, visits: list[Visit], chance: Chance
    ) -> bool:
        """Visits booked on one who had reached the limit long before, until late at night."""
        added: list[Visit] = []
        minutes = sum(visit.minutes for visit in visits)
        last = visits[-1]
        for person in self._others(carer, day):
            if minutes >= _MANY_HOURS:
                break
            minute = (last.end - day * DAY) // MINUTE + 3 + self._days.way(last.home, person.home)
            last = self._days.visit(carer, person, day, _ADDED + len(added), minute, chance)
            added.append(last)
            minutes += last.minutes
        if minutes < _MANY_HOURS or last.end >= (day + 1) * DAY - MINUTE:
            return False
        visits += added
        for visit in visits:
            # Any of the day may be false; the one that cannot be is the one beyond it.
            visit.labels.append((Fraud.HOURS_ABOVE_LIMIT, visit is last))
        return True

    # -- people who are cared for by others ------------------------------------------------

    def _others(self, carer: Carer, day: int) -> list[Person]:
        """People of colleagues with nothing planned on the day and nothing odd in their lives."""
        weekday = self._city.sizes.day(day).weekday()
        colleagues = self._city.carers_of(carer.provider)
        start = carer.number - colleagues.start
        near = [colleagues[(start + n) % len(colleagues)] for n in range(1, len(colleagues))]
        people = [
            self._city.person(number)
            for other in near[:_ASKED]
            for number in self._city.people_of(other)
        ]
        return [p for p in people if not p.life.kind and weekday not in p.weekdays]

    def _elsewhere(self, carer: Carer, day: int, visit: Visit) -> Person | None:
        """The one of them who lives farthest from a visit, where that is far enough."""
        others = self._others(carer, day)
        if not others:
            return None
        farthest = max(others, key=lambda person: metres(person.home, visit.home))
        return farthest if metres(farthest.home, visit.home) >= LEAST_WAY_M else None


def _add(visits: list[Visit], added: Visit, kind: Fraud, beside: Visit) -> bool:
    added.labels.append((kind, True))
    beside.labels.append((kind, False))
    for other in visits:
        way = Days.way(added.home, other.home) * MINUTE
        if other is not beside and other.start - way < added.end and added.start - way < other.end:
            other.labels.append((kind, False))  # no time is left for the way to the next ones
    visits.append(added)
    return True
