"""Who lives, cares and provides in the city: everything follows from a number.

Nothing is kept: a person is made when asked for, so that a city of any size takes no memory.
Identity numbers are well-formed and were given to nobody.
"""

import math
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from benchmarks.generator.chance import Chance, spread
from benchmarks.generator.sizes import (
    ASSESSED_EACH,
    BARRED,
    BEGINS,
    COUPLES,
    DIES,
    IN_HOSPITAL,
    LEAVES,
    PEOPLE_A_CARER,
    REVOKED,
    WEEKLY_VISITS,
    Fraud,
    Sizes,
)
from kernel.identity_numbers import credit_check_character, identity_check_character

CENTRE = (30_657_000, 104_066_000)  # microdegrees
NORTH = 8.993  # microdegrees a metre
EAST = NORTH / math.cos(math.radians(30.657))
WORKING_DAYS = range(6)  # Monday to Saturday
SURNAMES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜"
GIVEN = ("玉兰", "建国", "秀英", "德明", "桂芳", "志强", "淑贞", "文华", "凤英", "永福")
Point = tuple[int, int]  # latitude and longitude, microdegrees


@dataclass(frozen=True)
class Item:
    """A service item of the price lists (服务项目)."""

    code: str
    name: str
    yuan: str
    minutes: int
    medical: bool = False

    @property
    def fen(self) -> int:
        whole, _, part = self.yuan.partition(".")
        return int(whole) * 100 + int(part)


# Names of the older list; minutes after Changzhou's, prices made up.
PLANNED = (
    Item("L01", "头面部清洁梳理", "15.00", 10),
    Item("L02", "洗发", "25.00", 20),
    Item("L03", "指/趾甲护理", "12.00", 10),
    Item("L04", "手足部清洁", "12.00", 10),
    Item("L05", "温水擦浴", "45.50", 30),
    Item("L08", "口腔清洁", "10.00", 10),
    Item("L10", "整理床单位", "12.00", 10),
    Item("L11", "排泄护理", "18.00", 15),
    Item("L19", "协助翻身叩背排痰", "16.00", 15),
    Item("L25", "压疮预防护理", "20.00", 15),
)
DEAR = (  # in no plan of this city, though on every price list
    Item("L06", "沐浴", "88.00", 20),
    Item("M29", "鼻饲", "60.00", 15, medical=True),
    Item("M37", "压疮伤口换药", "95.00", 20, medical=True),
)
RESIDENT_DAY = Item("I01", "机构护理日", "98.00", 420)
ITEMS = {item.code: item for item in (*PLANNED, *DEAR, RESIDENT_DAY)}


@dataclass(frozen=True, slots=True)
class Life:
    """What happens to a person in the month; days from 0 on, -1 for never."""

    kind: str = ""  # dies, in_hospital, begins, leaves
    day: int = -1
    until: int = -1  # the last day in hospital
    cheated: Fraud | None = None  # who goes on all the same

    def cared_for(self, day: int) -> bool:
        """Whether honest people would care on the day."""
        match self.kind:
            case "dies" | "leaves":
                return day < self.day
            case "in_hospital":
                return not self.day <= day <= self.until
            case "begins":
                return day >= self.day
            case _:
                return True

    def cheats_on(self, day: int) -> bool:
        """Whether a visit that should not be is claimed on the day."""
        if self.cheated is None or self.cared_for(day):
            return False
        if self.kind == "begins":
            return day >= self.day - 3
        if self.kind == "in_hospital":
            return self.day < day < self.until
        return self.day < day <= self.day + 4


@dataclass(frozen=True, slots=True)
class Person:
    number: int
    carer: int
    home: Point
    weekdays: tuple[int, ...]
    plan: tuple[str, ...]  # items
    life: Life
    resident: bool


@dataclass(frozen=True, slots=True)
class Carer:
    """A caregiver; `stops` is the day from which he or she may not care any more."""

    number: int
    provider: int
    base: Point
    stops: int = -1
    barred: bool = False
    cheated: Fraud | None = None

    def may_care(self, day: int) -> bool:
        return self.stops < 0 or day < self.stops

    def cheats_on(self, day: int) -> bool:
        return self.cheated is not None and self.stops <= day < self.stops + 5


class City:
    """The people of one pool."""

    def __init__(self, sizes: Sizes) -> None:
        self.sizes = sizes
        self.cheated_lives = self._planted_lives()
        self.cheating_carers = self._planted_carers()
        seed, bodies = sizes.seed, sizes.planted_bodies
        self.drifting = frozenset(spread(bodies, sizes.home_providers, seed, "drifting"))
        self.lenient = frozenset(spread(bodies, sizes.assessors, seed, "lenient"))
        half = sizes.assessors // 2  # others than the lenient ones
        tied = spread(bodies, sizes.assessors, seed, "tied")
        free = [a if a not in self.lenient else (a + half) % sizes.assessors for a in tied]
        houses = spread(bodies, sizes.home_providers, seed, "tied houses")
        self.tied = dict(zip(houses, free, strict=False))  # provider → assessor
        self.seat = lru_cache(maxsize=512)(self._seat)
        self.carer = lru_cache(maxsize=4096)(self._carer)

    def _seat(self, provider: int) -> Point:
        chance = Chance(self.sizes.seed, "seat", provider)
        return _near(CENTRE, 25_000, chance)

    def _carer(self, number: int) -> Carer:
        sizes = self.sizes
        chance = Chance(sizes.seed, "carer", number)
        if number < sizes.home_carers:
            provider = number * sizes.home_providers // sizes.home_carers
            base = _near(self.seat(provider), 6_000, chance)
        else:
            inside = sizes.carers - sizes.home_carers
            place = (number - sizes.home_carers) * sizes.institutions // inside
            provider = sizes.home_providers + place
            base = self.seat(provider)
        cheated = self.cheating_carers.get(number)
        fate, day = chance.share(), chance.between(5, sizes.days - 8)
        barred = cheated is Fraud.BARRED_CARER or (cheated is None and fate < BARRED)
        stops = barred or cheated is not None or fate < BARRED + REVOKED
        return Carer(
            number=number,
            provider=provider,
            base=base,
            stops=day if stops else -1,
            barred=barred,
            cheated=cheated,
        )

    def person(self, number: int) -> Person:
        sizes = self.sizes
        chance = Chance(sizes.seed, "person", number)
        resident = number >= sizes.at_home
        if resident:
            carer = sizes.home_carers + (number - sizes.at_home) // PEOPLE_A_CARER
            home, weekdays = self.carer(carer).base, tuple(range(7))
            plan: tuple[str, ...] = (RESIDENT_DAY.code,)
        else:
            carer = number // PEOPLE_A_CARER
            home = _near(self.carer(carer).base, 1_200, chance)
            couple = Chance(sizes.seed, "couple", number).happens(COUPLES)
            if couple and number % PEOPLE_A_CARER:
                home = self.person(number - 1).home
            weekdays = tuple(sorted(chance.sample(WORKING_DAYS, chance.pick(WEEKLY_VISITS))))
            plan = tuple(sorted(item.code for item in chance.sample(PLANNED, 6)))
        return Person(number, carer, home, weekdays, plan, self.life(number), resident)

    def life(self, number: int) -> Life:
        """What the month holds for a person."""
        days = self.sizes.days
        chance = Chance(self.sizes.seed, "life", number)
        fate, day, stay = chance.share(), chance.between(4, days - 10), chance.between(4, 9)
        cheated = self.cheated_lives.get(number)
        kind = _KINDS[cheated] if cheated else _kind(fate)
        if not kind:
            return Life()
        return Life(kind, day, day + stay if kind == "in_hospital" else -1, cheated)

    def people_of(self, carer: int) -> range:
        """The people whom a caregiver looks after."""
        sizes = self.sizes
        if carer < sizes.home_carers:
            first, end = carer * PEOPLE_A_CARER, sizes.at_home
        else:
            first = sizes.at_home + (carer - sizes.home_carers) * PEOPLE_A_CARER
            end = sizes.people
        return range(first, min(first + PEOPLE_A_CARER, end))

    def carers_of(self, provider: int) -> range:
        """The caregivers at a provider of care at home."""
        carers, providers = self.sizes.home_carers, self.sizes.home_providers
        return range(-(-provider * carers // providers), -(-(provider + 1) * carers // providers))

    def assessor_of(self, person: int) -> int | None:
        """Who assessed the person in the month; None where nobody did."""
        chance = Chance(self.sizes.seed, "assessed", person)
        if chance.below(ASSESSED_EACH):
            return None
        provider = self.carer(self.person(person).carer).provider
        tied = self.tied.get(provider)
        if tied is not None and chance.happens(0.9):
            return tied
        return chance.below(self.sizes.assessors)

    def grade(self, person: int, assessor: int) -> int:
        """The grade that the assessor found."""
        chance = Chance(self.sizes.seed, "grade", person)
        grade = chance.pick((2, 3, 3, 3, 4, 4, 5))
        return max(grade, chance.pick((4, 5, 5, 5))) if assessor in self.lenient else grade

    def _planted_lives(self) -> dict[int, Fraud]:
        sizes = self.sizes
        count = max(3, sizes.cases // 2) if sizes.cases else 0  # some two or three visits each
        found: dict[int, Fraud] = {}
        for kind in _KINDS:
            for number in spread(count, sizes.at_home, sizes.seed, kind):
                found.setdefault(number, kind)
        return found

    def _planted_carers(self) -> dict[int, Fraud]:
        sizes = self.sizes
        count = max(1, sizes.cases // 12) if sizes.cases else 0  # some dozen visits each
        found: dict[int, Fraud] = {}
        for kind in (Fraud.BARRED_CARER, Fraud.UNCERTIFIED_CARER):
            for number in spread(count, sizes.home_carers, sizes.seed, kind):
                found.setdefault(number, kind)
        return found


_KINDS = {
    Fraud.AFTER_DEATH: "dies",
    Fraud.IN_HOSPITAL: "in_hospital",
    Fraud.BEFORE_EFFECT: "begins",
    Fraud.OUTSIDE_PLAN: "leaves",
}


def _kind(fate: float) -> str:
    for kind, share in (
        ("dies", DIES),
        ("in_hospital", IN_HOSPITAL),
        ("begins", BEGINS),
        ("leaves", LEAVES),
    ):
        if fate < share:
            return kind
        fate -= share
    return ""


def _near(place: Point, metres: int, chance: Chance) -> Point:
    """A place within so many metres, evenly over the circle."""
    way, turn = metres * math.sqrt(chance.share()), 2 * math.pi * chance.share()
    return moved(place, way * math.cos(turn), way * math.sin(turn))


def moved(place: Point, north_m: float, east_m: float) -> Point:
    return place[0] + round(north_m * NORTH), place[1] + round(east_m * EAST)


def metres(here: Point, there: Point) -> float:
    """The way between two places of one city, over a plane."""
    return math.hypot((here[0] - there[0]) / NORTH, (here[1] - there[1]) / EAST)


# -- names -------------------------------------------------------------------------------------

_OLD, _YOUNG = (date(1930, 1, 1), 10_950), (date(1965, 1, 1), 12_000)


@lru_cache(maxsize=4096)
def identity_number(division: str, number: int) -> str:
    """The number of a person (division …04), a carer (…05) or an assessor (…06)."""
    first, days = _OLD if division.endswith("4") else _YOUNG
    born = first + timedelta(days=number % days)
    digits = f"{division}{born:%Y%m%d}{900 + number // days:03d}"
    return digits + identity_check_character(digits)


def person_number(pool: str, number: int) -> str:
    return identity_number(f"{pool[:4]}04", number)


def carer_number(pool: str, number: int) -> str:
    return identity_number(f"{pool[:4]}05", number)


def assessor_number(pool: str, number: int) -> str:
    return identity_number(f"{pool[:4]}06", number)


def credit_code(pool: str, number: int) -> str:
    """The social credit code of a provider."""
    body = f"52{pool[:4]}04MA6G{number:05d}"
    return body + credit_check_character(body)


def name_of(number: int) -> str:
    return SURNAMES[number % len(SURNAMES)] + GIVEN[number // len(SURNAMES) % len(GIVEN)]
