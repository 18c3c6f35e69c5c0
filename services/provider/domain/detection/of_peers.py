"""Detectors that hold bodies and assessors against their peers (偏离同行). Pure.

A month is looked at once it is over; what counts is what was known by then. Deviation is the
robust score (distance from the median over the median distance), in hundredths, whole numbers.
Patterns 5 and 11 of the field reports: inflated grades, ties between assessors and providers.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from datetime import date
from statistics import median_low
from typing import TypeVar
from uuid import UUID

from services.provider.domain.detection.detector import Detector, Limits
from services.provider.domain.detection.known import Known
from services.provider.domain.detection.seen import Seen, Suspicion

_SOURCE = "飞行检查与大数据筛查：偏离同行、评估与护理机构关联"
_HUNDRED = 100
_PERMILLE = 1000
Body = TypeVar("Body", UUID, str)
Key = tuple[str, str]  # pool and month


class Months:
    """Counts by month that a look at peers needs."""

    def __init__(self) -> None:
        self.visits: dict[Key, Counter[UUID]] = defaultdict(Counter)  # by provider
        self.short: dict[Key, Counter[UUID]] = defaultdict(Counter)
        self.home: dict[Key, Counter[UUID]] = defaultdict(Counter)  # visits at home that count
        self.fen: dict[Key, Counter[UUID]] = defaultdict(Counter)  # and what they cost
        self.assessed: dict[Key, dict[str, list[int]]] = defaultdict(dict)  # grades by assessor
        self.people: dict[Key, dict[str, set[UUID]]] = defaultdict(dict)  # by assessor
        self.bodies: dict[UUID, UUID] = {}  # provider by person, the newest

    def count(self, seen: Seen) -> None:
        key = (seen.pool, month_of(seen.care_date))
        self.visits[key][seen.provider] += 1
        # Just long enough: the time of the items and hardly more.
        if seen.items_minutes and seen.minutes <= seen.items_minutes:
            self.short[key][seen.provider] += 1
        if seen.home and seen.delivered:
            self.home[key][seen.provider] += 1
            self.fen[key][seen.provider] += seen.cost_fen

    def grade(self, pool: str, assessor: str, day: date, person: UUID, grade: int) -> None:
        key = (pool, month_of(day))
        self.assessed[key].setdefault(assessor, []).append(grade)
        self.people[key].setdefault(assessor, set()).add(person)

    def before(self, key: Key, count: int) -> list[Key]:
        """The months of the pool before one, at most so many, of which assessments are known."""
        pool, month = key
        oldest = _number(month) - count
        return sorted(
            told
            for told in self.people
            if told[0] == pool and oldest <= _number(told[1]) < _number(month)
        )

    def forget(self, key: Key, count: int) -> None:
        """Drops a month; who was assessed is kept for so many months more."""
        for table in (self.visits, self.short, self.home, self.fen, self.assessed):
            table.pop(key, None)
        pool, month = key
        for told in [one for one in self.people if one[0] == pool]:
            if _number(told[1]) < _number(month) - count:
                del self.people[told]


def drifting_providers(months: Months, key: Key, last: date, limits: Limits) -> Iterator[Suspicion]:
    """Providers far above others: in visits just long enough, or in the cost of a visit at home."""
    yield from _always_short(months, key, last, limits)
    yield from _always_dear(months, key, last, limits)


def _always_short(months: Months, key: Key, last: date, limits: Limits) -> Iterator[Suspicion]:
    """The share of visits that are just long enough."""
    visits, short = months.visits.get(key, Counter()), months.short.get(key, Counter())
    shares = {
        provider: short[provider] * _PERMILLE // count
        for provider, count in visits.items()
        if count >= limits["peer_visits_min"]
    }
    for provider, score, middle in _outliers(shares, limits, limits["peer_distance_min"]):
        values: dict[str, str | int] = {
            "share_permille": shares[provider],
            "peers_permille": middle,
            "score": score,
        }
        yield Suspicion(
            detector=PROVIDER_DRIFT.name,
            version=PROVIDER_DRIFT.version,
            pool=key[0],
            day=last,
            values=values,
            provider=provider,
        )


def _always_dear(months: Months, key: Key, last: date, limits: Limits) -> Iterator[Suspicion]:
    """What a visit at home costs in the mean: all of the plan every time, more than anybody."""
    fen = months.fen.get(key, Counter())
    means = {
        provider: fen[provider] // count
        for provider, count in months.home.get(key, Counter()).items()
        if count >= limits["peer_visits_min"]
    }
    least = median_low(means.values()) * limits["peer_cost_permille_min"] if means else 0
    for provider, score, middle in _outliers(means, limits, least // _PERMILLE):
        yield Suspicion(
            detector=PROVIDER_DRIFT.name,
            version=PROVIDER_DRIFT.version,
            pool=key[0],
            day=last,
            values={"mean_fen": means[provider], "peers_fen": middle, "score": score},
            provider=provider,
        )


def drifting_assessors(months: Months, key: Key, last: date, limits: Limits) -> Iterator[Suspicion]:
    """Assessors whose mean grade is far above that of others."""
    means = {
        assessor: sum(grades) * _HUNDRED // len(grades)
        for assessor, grades in months.assessed.get(key, {}).items()
        if len(grades) >= limits["peer_assessments_min"]
    }
    for assessor, score, middle in _outliers(means, limits, limits["peer_distance_min"]):
        values: dict[str, str | int] = {
            "mean_grade_hundredths": means[assessor],
            "peers_hundredths": middle,
            "score": score,
        }
        yield Suspicion(
            detector=ASSESSOR_DRIFT.name,
            version=ASSESSOR_DRIFT.version,
            pool=key[0],
            day=last,
            values=values,
            assessor=assessor,
        )


def tied_assessors(months: Months, key: Key, last: date, limits: Limits) -> Iterator[Suspicion]:
    """Assessors most of whose people are cared for by one body that cares for few of the others."""
    everybody = [
        months.bodies[person]
        for people in months.people.get(key, {}).values()
        for person in people
        if person in months.bodies
    ]
    overall = Counter(everybody)
    for assessor, people in months.people.get(key, {}).items():
        bodies = Counter(months.bodies[person] for person in people if person in months.bodies)
        count = sum(bodies.values())
        if count < limits["tied_people_min"]:
            continue
        body, most = bodies.most_common(1)[0]
        share = most * _PERMILLE // count
        usual = overall[body] * _PERMILLE // len(everybody)
        if share >= limits["tied_permille_min"] and share >= usual * limits["tied_times_min"]:
            yield Suspicion(
                detector=ASSESSOR_TIED.name,
                version=ASSESSOR_TIED.version,
                pool=key[0],
                day=last,
                values={"share_permille": share, "usual_permille": usual, "people": count},
                provider=body,
                assessor=assessor,
            )


def month_of(day: date) -> str:
    return f"{day.year}-{day.month:02d}"


def _number(month: str) -> int:
    year, number = map(int, month.split("-"))
    return year * 12 + number


def _outliers(
    told: Mapping[Body, int], limits: Limits, distance: int
) -> Iterator[tuple[Body, int, int]]:
    """Who is far above the others: with the score in hundredths and the middle."""
    if len(told) < limits["peers_min"]:
        return
    middle = median_low(told.values())
    spread = max(1, median_low(abs(value - middle) for value in told.values()))
    for name, value in sorted(told.items(), key=lambda one: str(one[0])):
        score = (value - middle) * _HUNDRED // spread
        if score >= limits["peer_score_min"] and value - middle >= distance:
            yield name, score, middle


def _never(_new: Seen, _known: Known, _limits: Limits) -> Iterator[Suspicion]:
    """Nothing in a single visit: these look at a month."""
    yield from ()


_FIGURES = ("peers_min", "peer_score_min", "peer_distance_min")
PROVIDER_DRIFT = Detector(
    name="provider_drift",
    version=1,
    title="A provider whose visits are far more often just long enough, or dearer, than others'",
    title_zh="机构偏离同行",
    source=_SOURCE,
    figures=("peer_visits_min", "peer_cost_permille_min", *_FIGURES),
    label="the provider's visits are like those of others",
    find=_never,
)
ASSESSOR_DRIFT = Detector(
    name="assessor_drift",
    version=1,
    title="An assessor whose grades are far above others'",
    title_zh="评估员评级偏离同行",
    source=_SOURCE,
    figures=("peer_assessments_min", *_FIGURES),
    label="the assessor's grades are like those of others",
    find=_never,
)
ASSESSOR_TIED = Detector(
    name="assessor_tied",
    version=1,
    title="An assessor whose people go to one provider",
    title_zh="评估员与机构关联",
    source=_SOURCE,
    figures=("tied_people_min", "tied_permille_min", "tied_times_min", "tied_months"),
    label="the assessor's people go to many providers",
    find=_never,
)
OF_PEERS = (PROVIDER_DRIFT, ASSESSOR_DRIFT, ASSESSOR_TIED)
