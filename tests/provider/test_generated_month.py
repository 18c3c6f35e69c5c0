"""The generated month: always the same, honest where it claims to be, and cheated where it says."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from itertools import pairwise
from pathlib import Path

import pytest
from ltci.provider.v1 import provider_service_pb2 as pb

from benchmarks.generator.city import carer_number, metres, person_number
from benchmarks.generator.files import World, write
from benchmarks.generator.judge import Judge
from benchmarks.generator.messages import Messages, keep, kept
from benchmarks.generator.month import month, uploads
from benchmarks.generator.score import Score, Truth, read_truth, score
from benchmarks.generator.sizes import OF_A_DAY, Fraud, Sizes
from benchmarks.generator.visits import SHANGHAI, Visit
from kernel.identity_numbers import identity_fault, is_social_credit_code

CLEAN = Sizes(pool="510100", first=date(2025, 3, 1), people=600, fraud=0.0, seed=7)
CHEATED = Sizes(pool="510100", first=date(2025, 3, 1), people=1400, fraud=0.01, seed=7)
MIDNIGHT = datetime(2025, 3, 1, tzinfo=SHANGHAI)


EVERYTHING_KNOWN = 999  # a day of the month


def reasons(judge: Judge, visit: Visit) -> tuple[str, ...]:
    return judge.ruling(visit, EVERYTHING_KNOWN).reasons


@pytest.fixture(scope="module")
def cheated() -> list[Visit]:
    return list(month(CHEATED))


@pytest.fixture(scope="module")
def planted(cheated: list[Visit]) -> Mapping[Fraud, list[Visit]]:
    found: dict[Fraud, list[Visit]] = defaultdict(list)
    for visit in cheated:
        for kind, is_it in visit.labels:
            if is_it:
                found[kind].append(visit)
    return found


def days_of(visits: list[Visit]) -> Iterator[list[Visit]]:
    """The visits of each caregiver and day, in the order of their starts."""
    by_day: dict[tuple[int, int], list[Visit]] = defaultdict(list)
    for visit in visits:
        by_day[visit.carer, visit.day].append(visit)
    for some in by_day.values():
        yield sorted(some, key=lambda visit: visit.start)


# -- the same, always ----------------------------------------------------------------------------


def test_the_same_seed_writes_the_same_bytes(tmp_path: Path) -> None:
    sizes = Sizes(pool="510100", first=date(2025, 2, 1), people=200, fraud=0.01, seed=3)
    for folder in ("one", "two"):
        write(sizes, tmp_path / folder, lambda _: None)
    names = sorted(path.name for path in (tmp_path / "one").iterdir())

    assert "truth.csv" in names
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_another_seed_writes_another_month() -> None:
    first, second = (
        [
            v.start
            for v in month(
                Sizes(pool="510100", first=date(2025, 2, 1), people=50, fraud=0.0, seed=s)
            )
        ]
        for s in (1, 2)
    )

    assert first != second


def test_every_number_is_well_formed_and_nobody_has_two() -> None:
    sizes = CHEATED
    people = [person_number(sizes.pool, n) for n in range(140_000)]
    carers = [carer_number(sizes.pool, n) for n in range(28_000)]
    world = World(sizes)

    assert len({*people, *carers}) == 168_000
    assert not any(identity_fault(number) for number in (*people[::97], *carers[::97]))
    assert all(is_social_credit_code(str(row[2])) for row in world.providers())


def test_a_whole_pool_has_the_sizes_of_chengdu() -> None:
    sizes = Sizes(pool="510100", first=date(2025, 3, 1), people=140_000, fraud=0.01, seed=1)

    assert sizes.providers == 393
    assert 2_400_000 < sizes.visits < 2_600_000
    assert 27_000 < sizes.carers < 29_000


# -- honest --------------------------------------------------------------------------------------


def test_every_visit_of_a_clean_month_counts() -> None:
    judge = Judge(World(CLEAN), evidence=False)
    visits = list(month(CLEAN))
    rejected = {v.name: told for v in visits if (told := reasons(judge, v))}

    assert len(visits) > 9_000
    assert not rejected
    assert not any(visit.labels for visit in visits)


def test_honest_caregivers_take_their_way_and_stay_below_eight_hours() -> None:
    for day in days_of(list(month(CLEAN))):
        if day[0].carer >= CLEAN.home_carers:
            continue  # residents are cared for side by side, at one place
        assert sum(visit.minutes for visit in day) < 8 * 60
        for before, after in pairwise(day):
            ridden = metres(before.home, after.home) / max(1, after.start - before.end)
            assert after.start > before.end
            assert ridden * 3.6 < 15, "km/h"


def test_honest_months_hold_what_real_ones_do() -> None:
    visits = list(month(CLEAN))
    order = [visit.sent for visit in visits]

    assert any(visit.there is None for visit in visits)  # a check-out that was forgotten
    assert any(visit.offline and visit.sent - visit.end > 86_400 for visit in visits)
    assert order != sorted(order)
    assert any(abs(visit.skew) > 300 for visit in month(CHEATED))
    looks = [photo for visit in visits for photo in visit.photos]
    assert len(set(looks)) == len(looks)


def test_devices_send_some_visits_twice_under_the_same_request() -> None:
    names = [visit.request_id for visit in uploads(CLEAN)]

    assert 0 < len(names) - len(set(names)) < 0.01 * len(names)


# -- cheated -------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [k for k in Fraud if k is not Fraud.PROVIDER_DRIFT])
def test_every_kind_is_planted(kind: Fraud, planted: Mapping[Fraud, list[Visit]]) -> None:
    bodies = {told for told, _, _ in World(CHEATED).bodies()}

    assert kind in bodies or len(planted[kind]) >= (3 if kind in OF_A_DAY else 1)


def test_what_is_not_labelled_is_as_honest_as_before(cheated: list[Visit]) -> None:
    judge = Judge(World(CHEATED), evidence=False)
    unlabelled = [visit for visit in cheated if not visit.labels]

    assert len(unlabelled) > 0.97 * len(cheated)
    assert not [v.name for v in unlabelled[::5] if reasons(judge, v)]


def test_impossible_travel_is_faster_than_any_car(
    cheated: list[Visit], planted: Mapping[Fraud, list[Visit]]
) -> None:
    days = {(d[0].carer, d[0].day): d for d in days_of(cheated)}
    for visit in planted[Fraud.IMPOSSIBLE_TRAVEL]:
        before = [v for v in days[visit.carer, visit.day] if v.end < visit.start][-1]
        assert metres(before.home, visit.home) / (visit.start - before.end) * 3.6 > 60, "km/h"


def test_who_is_at_two_places_overlaps_with_the_other_visit(
    cheated: list[Visit], planted: Mapping[Fraud, list[Visit]]
) -> None:
    days = {(d[0].carer, d[0].day): d for d in days_of(cheated)}
    for visit in planted[Fraud.TWO_PLACES]:
        others = [v for v in days[visit.carer, visit.day] if v is not visit]
        assert any(v.start < visit.end and visit.start < v.end for v in others)


def test_a_shared_device_is_at_work_in_two_hands(
    cheated: list[Visit], planted: Mapping[Fraud, list[Visit]]
) -> None:
    hands: dict[tuple[str, int], set[int]] = defaultdict(set)
    for visit in cheated:
        hands[visit.device, visit.day].add(visit.carer)

    assert all(len(hands[v.device, v.day]) > 1 for v in planted[Fraud.SHARED_DEVICE])
    shared = {(v.device, v.day) for v in planted[Fraud.SHARED_DEVICE]}
    assert {key for key, carers in hands.items() if len(carers) > 1} == shared


def test_a_repeated_photo_looks_like_an_earlier_one(
    cheated: list[Visit], planted: Mapping[Fraud, list[Visit]]
) -> None:
    by_carer: dict[int, list[Visit]] = defaultdict(list)
    for visit in cheated:
        by_carer[visit.carer].append(visit)
    for visit in planted[Fraud.REPEATED_PHOTO]:
        looks = [look for v in by_carer[visit.carer] if v.day < visit.day for _, look in v.photos]
        assert any((look ^ visit.photos[0][1]).bit_count() <= 2 for look in looks)


def test_the_other_kinds_are_what_they_are_called(
    cheated: list[Visit], planted: Mapping[Fraud, list[Visit]]
) -> None:
    city = World(CHEATED).city
    hours: dict[tuple[int, int], int] = defaultdict(int)
    for visit in cheated:
        hours[visit.carer, visit.day] += visit.minutes

    assert all(v.mocked for v in planted[Fraud.MOCK_LOCATION])
    assert all(v.minutes < 30 for v in planted[Fraud.TOO_SHORT])
    assert all(v.overcharged > 0 for v in planted[Fraud.PRICE_ABOVE_LIST])
    assert all(hours[v.carer, v.day] >= 12 * 60 for v in planted[Fraud.HOURS_ABOVE_LIMIT])
    for visit in planted[Fraud.ITEMS_SWAPPED]:
        assert not set(visit.items) <= set(city.person(visit.person).plan)
    for kind in (Fraud.AFTER_DEATH, Fraud.IN_HOSPITAL, Fraud.BEFORE_EFFECT, Fraud.OUTSIDE_PLAN):
        assert all(not city.life(v.person).cared_for(v.day) for v in planted[kind])
    for kind in (Fraud.BARRED_CARER, Fraud.UNCERTIFIED_CARER):
        assert all(not city.carer(v.carer).may_care(v.day) for v in planted[kind])


# -- on the wire ---------------------------------------------------------------------------------


def test_messages_carry_the_evidence_and_are_read_one_by_one(tmp_path: Path) -> None:
    messages = Messages(CLEAN)
    some = list(month(CLEAN))[:1200]
    rows = keep(messages.of(iter(some)), tmp_path / "month.bin")
    read = [pb.ImportVisitsRequest.FromString(raw) for raw in kept(tmp_path / "month.bin")]

    assert rows == 1200
    assert [len(message.rows) for message in read] == [500, 500, 200]
    assert read[0].rows[0].evidence.device == some[0].device
    assert read[0].rows[0].evidence.start.photos[0].sha256 == some[0].photos[0][0]


# -- scoring -------------------------------------------------------------------------------------

TRUTH = Truth(
    planted={"too_short": frozenset({"a", "b"}), "two_places": frozenset({"c"})},
    beside={"two_places": frozenset({"d"})},
)


def test_recall_counts_what_was_planted_and_precision_what_was_flagged() -> None:
    flags = [("too_short", "a"), ("too_short", "x"), ("too_short", "a")]

    places, short = score(TRUTH, flags)

    assert (short.recall, short.precision, short.wrong) == (0.5, 0.5, 1)
    assert (places.recall, places.precision) == (0.0, None)


def test_the_other_visit_of_a_pair_is_right_and_finds_nothing_by_itself() -> None:
    [places, _] = score(TRUTH, [("two_places", "d")])

    assert (places.right, places.found, places.wrong) == (1, 0, 0)


def test_a_flag_on_another_kind_of_fraud_is_neither_right_nor_wrong() -> None:
    [places, _] = score(TRUTH, [("two_places", "a")])

    assert places == Score(kind="two_places", planted=1, found=0, right=0, other=1, wrong=0)


def test_a_kind_that_nobody_planted_has_no_recall() -> None:
    unknown = score(TRUTH, [("left_handed", "z")])[-1]

    assert (unknown.kind, unknown.recall, unknown.precision) == ("left_handed", None, 0.0)


def test_the_written_truth_is_read_as_it_was_planted(
    tmp_path: Path, planted: Mapping[Fraud, list[Visit]]
) -> None:
    write(CHEATED, tmp_path, lambda _: None)
    truth = read_truth(tmp_path / "truth.csv")

    assert set(truth.planted) == set(Fraud)
    for kind, visits in planted.items():
        assert truth.planted[kind] == {visit.visit_id for visit in visits}
