"""Detectors that hold the visits of caregivers against each other (护理人员). Pure.

Patterns 1 and 3 of the field reports: claimed while away, orders booked on other caregivers
because the hours' limit was reached, devices handed round.
"""

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

from services.provider.domain.detection.detector import Detector, Limits
from services.provider.domain.detection.known import Known
from services.provider.domain.detection.seen import MINUTE, Seen, Suspicion
from services.provider.domain.place import distance_m

_HOUR = 3600
_KM = 1000
_SOURCE = "公开案例：定位关闭或虚拟定位、冒用他人接单、设备共用 (2022)沪0114刑初643号"


def _impossible_travel(new: Seen, known: Known, limits: Limits) -> Iterator[Suspicion]:
    """Two visits one after the other, too far apart for the time between them."""
    for other in known.around(new):
        first, second = sorted((new, other), key=lambda seen: seen.start)
        gap = second.start - first.end
        # What overlaps too little for two places at once leaves no time for the way either.
        if gap < -limits["overlap_minutes"] * MINUTE or gap > _HOUR * limits["travel_hours_max"]:
            continue
        way = _apart(first, second)
        # Places are right within the tolerance of a check-in, at both ends.
        way -= 2 * limits["place_tolerance_m"]
        if way * _HOUR > limits["travel_km_an_hour"] * _KM * (
            max(gap, 0) + limits["travel_grace_s"]
        ):
            values: dict[str, str | int] = {
                "way_m": way,
                "seconds_between": gap,
                "other_visit": str(other.visit),
            }
            yield IMPOSSIBLE_TRAVEL.seen_in(new, values, other)
            yield IMPOSSIBLE_TRAVEL.seen_in(other, values | {"other_visit": str(new.visit)}, new)


def _two_places(new: Seen, known: Known, limits: Limits) -> Iterator[Suspicion]:
    """Two visits at the same time in different places."""
    for other in known.around(new):
        both = min(new.end, other.end) - max(new.start, other.start)
        if both <= limits["overlap_minutes"] * MINUTE or new.person == other.person:
            continue
        way = _apart(new, other)
        if way > limits["place_tolerance_m"]:
            values: dict[str, str | int] = {
                "way_m": way,
                "minutes_both": both // MINUTE,
                "other_visit": str(other.visit),
            }
            yield TWO_PLACES.seen_in(new, values, other)
            yield TWO_PLACES.seen_in(other, values | {"other_visit": str(new.visit)}, new)


def _shared_device(new: Seen, known: Known, limits: Limits) -> Iterator[Suspicion]:
    """The device of somebody else; who used it more on other days owns it.

    Days on which nobody could say whose it is are looked at again as it is used on.
    """
    if not new.device:
        return
    since = new.care_date - timedelta(days=limits["device_days_max"])
    for day in sorted({new.care_date, *known.shared_days(new.device, since)}):
        hands = {
            carer: [seen for seen in known.of_carer(carer, day) if seen.device == new.device]
            for carer in sorted(known.carers_with(new.device, day), key=str)
        }
        if day == new.care_date:
            hands.setdefault(new.caregiver, []).append(new)
        if len(hands) < 2:
            continue
        uses, elsewhen = known.uses[new.device], dict[UUID, int]()
        for carer, visits in hands.items():
            elsewhen[carer] = uses[carer] - sum(seen is not new for seen in visits)
            elsewhen[carer] += carer == new.caregiver and day != new.care_date
        owner = max(hands, key=lambda carer: elsewhen[carer])
        for carer, visits in hands.items():
            if elsewhen[carer] < elsewhen[owner]:
                values: dict[str, str | int] = {"device": new.device, "other_carer": str(owner)}
                for seen in visits:
                    yield SHARED_DEVICE.seen_in(seen, values, hands[owner][0])


def _hours_above_limit(new: Seen, known: Known, limits: Limits) -> Iterator[Suspicion]:
    """More minutes of care on a day than one person can give; of homes only."""
    if not new.home:
        return
    others = [seen for seen in known.of_carer(new.caregiver, new.care_date) if seen.home]
    minutes = new.minutes + sum(seen.minutes for seen in others)
    if minutes > limits["day_minutes_max"]:
        # Those of the end of the day went beyond it, in whatever order they became known.
        total = 0
        for seen in sorted([*others, new], key=lambda seen: (seen.start, seen.visit)):
            total += seen.minutes
            if total > limits["day_minutes_max"]:
                yield HOURS_ABOVE_LIMIT.seen_in(seen, {"minutes_of_day": minutes}, *others[:8])


def _apart(one: Seen, other: Seen) -> int:
    """Metres between two places of care; 0 where one is not known."""
    if one.place is None or other.place is None:
        return 0
    return distance_m(one.place, other.place)


IMPOSSIBLE_TRAVEL = Detector(
    name="impossible_travel",
    version=1,
    title="The way from one visit to the next cannot be done in the time",
    title_zh="两次服务间行程不可能完成",
    source=_SOURCE,
    figures=(
        "travel_km_an_hour",
        "travel_grace_s",
        "travel_hours_max",
        "place_tolerance_m",
        "overlap_minutes",
    ),
    label="the caregiver could get from one visit to the next",
    find=_impossible_travel,
)
TWO_PLACES = Detector(
    name="two_places",
    version=1,
    title="One caregiver at two places at the same time",
    title_zh="同一护理人员同时在两处服务",
    source=_SOURCE,
    figures=("overlap_minutes", "place_tolerance_m"),
    label="the caregiver was at one place at a time",
    find=_two_places,
)
SHARED_DEVICE = Detector(
    name="shared_device",
    version=1,
    title="The device of another caregiver",
    title_zh="多名护理人员共用设备",
    source=_SOURCE,
    figures=("device_days_max",),
    label="the device is the caregiver's own",
    find=_shared_device,
)
HOURS_ABOVE_LIMIT = Detector(
    name="hours_above_limit",
    version=1,
    title="More hours of care in a day than one person can give",
    title_zh="单日服务时长超限",
    source=_SOURCE,
    figures=("day_minutes_max",),
    label="the caregiver's minutes of the day are within the limit",
    find=_hours_above_limit,
)
OF_CARERS = (IMPOSSIBLE_TRAVEL, TWO_PLACES, SHARED_DEVICE, HOURS_ABOVE_LIMIT)
