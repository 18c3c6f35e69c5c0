"""Detectors that look at one visit, its evidence and its items (服务记录). Pure.

Patterns 1, 4 and 11 of the field reports: simulated places, short or empty visits, swapped items
(串换), photos used again.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace

from services.provider.domain.detection.detector import Detector, Limits
from services.provider.domain.detection.known import Known, Source
from services.provider.domain.detection.seen import Seen, Suspicion, Values

_SOURCE = "公开案例与飞行检查通报：虚假服务、服务时长不足、串换项目、照片重复使用"
_WHOLE = 100
_NO_PLAN = "PLAN_NOT_IN_FORCE"


def _repeated_photo(new: Seen, known: Known, limits: Limits) -> Iterator[Suspicion]:
    """A photo of another visit; of the two, the one that began later is flagged."""
    for photo in new.photos:
        found = known.same_file(photo.sha256)
        likes = [found] if found is not None else []
        if photo.perceptual_hash:
            likes += known.look_alikes(photo.perceptual_hash, limits["photo_bits"])
        for other in likes:
            if other.visit == new.visit:
                continue
            first, second = sorted((other, new), key=lambda seen: (seen.start, seen.visit))
            values = {"other_visit": str(first.visit), "photo": photo.sha256.hex()}
            yield REPEATED_PHOTO.seen_in(second, values, first)
            break


def _mock_location(new: Seen, _known: Known, _limits: Limits) -> Iterator[Suspicion]:
    if new.mocked:
        yield MOCK_LOCATION.seen_in(new, {"mocked": 1})


def _too_short(new: Seen, _known: Known, limits: Limits) -> Iterator[Suspicion]:
    """Less time than the items take; a share of it is forgiven."""
    if new.minutes * _WHOLE < new.items_minutes * limits["minutes_percent_min"]:
        values = {"minutes": new.minutes, "items_minutes": new.items_minutes}
        yield TOO_SHORT.seen_in(new, values)


def _items_swapped(new: Seen, known: Known, limits: Limits) -> Iterator[Suspicion]:
    """Items that this plan has in no other visit, more than one at once, once it is known enough.

    The visit by which it is known enough is the moment to look at those before it, too.
    """
    usual = known.usual.get(new.plan, Counter())
    count, enough = sum(usual.values()), limits["usual_items_min"]
    if count >= enough:
        yield from _strange(new, usual, limits)
        return
    if not new.delivered or count + len(new.items) < enough:
        return
    usual = usual + Counter(new.items)
    for seen in (*known.of_person(new.person), new):
        if seen.plan == new.plan:
            others = usual - Counter(seen.items) if seen.delivered else usual
            for told in _strange(seen, others, limits):
                yield (
                    told
                    if seen is new
                    else replace(told, positions=(*told.positions, ("provider", new.position)))
                )


def _strange(seen: Seen, usual: Mapping[str, int], limits: Limits) -> Iterator[Suspicion]:
    strange = [item for item in seen.items if item not in usual]
    if len(strange) >= limits["strange_items_min"]:
        yield ITEMS_SWAPPED.seen_in(seen, {"strange_items": ",".join(strange)})


def _outside_plan(new: Seen, known: Known, _limits: Limits) -> Iterator[Suspicion]:
    """What the verdict did not count is flagged, too, and what came before the end was told."""
    ended = known.ended.get(new.plan)
    if _NO_PLAN in new.reasons:
        yield OUTSIDE_PLAN.seen_in(new, {"verdict": _NO_PLAN})
    elif ended is not None and new.care_date > ended.first:
        told = OUTSIDE_PLAN.seen_in(new, {"end_date": ended.first.isoformat()})
        yield replace(told, positions=(*told.positions, ended.source))


def price_above_list(
    seen: Seen, asked_fen: int, list_fen: int, source: Source, limits: Limits
) -> Iterator[Suspicion]:
    """A claim that asks far more than the price list of the day says, for a visit that is known.

    A little more is a slip: the match of claims leaves it unpaid, and nothing is held.
    """
    if asked_fen * _WHOLE > list_fen * (_WHOLE + limits["claim_percent_over_max"]):
        values: Values = {"asked_fen": asked_fen, "listed_fen": list_fen}
        told = PRICE_ABOVE_LIST.seen_in(seen, values)
        yield replace(told, positions=(*told.positions, source))


def _never(_new: Seen, _known: Known, _limits: Limits) -> Iterator[Suspicion]:
    """Nothing in the visit itself: it costs what the list says until somebody claims more."""
    yield from ()


REPEATED_PHOTO = Detector(
    name="repeated_photo",
    version=1,
    title="A photo of another visit",
    title_zh="照片重复使用",
    source=_SOURCE,
    figures=("photo_bits",),
    label="no photo was used before",
    find=_repeated_photo,
)
MOCK_LOCATION = Detector(
    name="mock_location",
    version=1,
    title="A simulated place",
    title_zh="虚拟定位",
    source=_SOURCE,
    figures=(),
    label="the device's place is not simulated",
    find=_mock_location,
)
TOO_SHORT = Detector(
    name="too_short",
    version=1,
    title="Too short for the items",
    title_zh="服务时长不足以完成项目",
    source=_SOURCE,
    figures=("minutes_percent_min",),
    label="the visit lasted about as long as its items take",
    find=_too_short,
)
ITEMS_SWAPPED = Detector(
    name="items_swapped",
    version=1,
    title="Items that the plan never had",
    title_zh="串换项目",
    source=_SOURCE,
    figures=("usual_items_min", "strange_items_min"),
    label="the items are those of the plan",
    find=_items_swapped,
)
OUTSIDE_PLAN = Detector(
    name="outside_plan",
    version=1,
    title="Care without a plan in force",
    title_zh="计划外服务",
    source=_SOURCE,
    figures=(),
    label="a plan was in force",
    find=_outside_plan,
)
PRICE_ABOVE_LIST = Detector(
    name="price_above_list",
    version=1,
    title="More is claimed than the price list says",
    title_zh="超价目申报",
    source=_SOURCE,
    figures=("claim_percent_over_max",),
    label="no more is claimed than the list prices of what was done, or hardly more",
    find=_never,
)
OF_VISITS = (
    REPEATED_PHOTO,
    MOCK_LOCATION,
    TOO_SHORT,
    ITEMS_SWAPPED,
    OUTSIDE_PLAN,
    PRICE_ABOVE_LIST,
)
