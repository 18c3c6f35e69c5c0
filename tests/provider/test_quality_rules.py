"""A provider's quality score: whole points from counts, whatever the order of events."""

from collections import Counter
from datetime import date
from typing import Any

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from kernel.calendar import Month
from kernel.ids import derive
from kernel.refusal import Refused
from kernel.rules.ruling import Ruling
from services.provider.domain import quality as q
from services.provider.domain.counting import (
    Counted,
    CountedComplaint,
    CountedFlag,
    CountedVisit,
    Key,
    moved,
)
from tests.support.packs import CHANGZHOU, pack


def asked(**changes: Any) -> q.ScoreProvider:
    told: dict[str, Any] = {
        "provider": derive("test", "provider"),
        "pool": CHANGZHOU,
        "month": Month(2024, 3),
        "counts": q.MonthCounts(delivered_count=90, rejected_count=10),
        "known_position": 7,
        "today": date(2024, 4, 1),
        "pack": pack(CHANGZHOU),
        "code_version": "test",
    }
    return q.ScoreProvider(**(told | changes))


def points(**counts: int) -> int:
    [scored] = q.decide(asked(counts=q.MonthCounts(**counts)), None)
    return scored.points


def test_a_clean_month_has_all_points() -> None:
    assert points(delivered_count=100) == 1000


def test_every_part_costs_its_points() -> None:
    assert points(delivered_count=90, rejected_count=10) == 960
    assert points(delivered_count=100, corrected_count=50) == 950
    assert points(delivered_count=100, complaint_count=1) == 950
    assert points(delivered_count=100, flag_count=2) == 900
    assert points(delivered_count=100, flag_count=99) == 750


def test_a_bad_month_falls_short_and_its_ruling_says_so() -> None:
    counts = q.MonthCounts(delivered_count=1, rejected_count=99, complaint_count=9)
    ruling = q.rule_quality(asked(counts=counts))
    assert (ruling.outcome, ruling.amounts["points"]) == (q.BELOW, 4 + 100 + 0 + 250)
    assert q.rule_quality(asked()).outcome == q.ENOUGH


def test_many_visits_dilute_a_complaint() -> None:
    assert points(delivered_count=10_000, complaint_count=1) == 995


def test_a_month_is_scored_when_it_is_over_and_had_visits() -> None:
    with pytest.raises(Refused, match="MONTH_NOT_OVER"):
        q.decide(asked(today=date(2024, 3, 31)), None)
    with pytest.raises(Refused, match="NO_VISITS"):
        q.decide(asked(counts=q.MonthCounts()), None)


def test_only_other_counts_make_a_new_score() -> None:
    [first] = q.decide(asked(), None)
    assert q.decide(asked(known_position=99), first) == []
    more = q.MonthCounts(delivered_count=91, rejected_count=10)
    assert len(q.decide(asked(counts=more), first)) == 1


def test_a_score_is_made_again_from_its_ruling() -> None:
    [scored] = q.decide(asked(), None)
    again = q.rule_quality(q.asked_in(Ruling.parse(scored.ruling), pack(CHANGZHOU)))
    assert again.to_bytes() == scored.ruling


# --- The order of events -------------------------------------------------------------------------

visits = st.builds(
    CountedVisit,
    day=st.sampled_from(["2024-03-04", "2024-03-05"]),
    caregiver=st.sampled_from(["a", "b"]),
    minutes=st.integers(1, 300),
    delivered=st.booleans(),
    reasons=st.just(()),
    cost_fen=st.integers(0, 9000),
    verdict_count=st.integers(1, 3),
)
flags = st.builds(
    CountedFlag, detector=st.just("d"), fate=st.sampled_from(["open", "cleared", "confirmed"])
)
complaints = st.builds(CountedComplaint, outcome=st.sampled_from(["", "substantiated"]))
courses = st.lists(st.lists(st.one_of(visits, flags, complaints), min_size=1, max_size=3))


@for_all(things=courses, order=st.randoms(use_true_random=False))
def test_the_sums_do_not_depend_on_the_order_of_events(
    things: list[list[Counted]], order: Any
) -> None:
    """Each thing goes through its states in their order; things mix as they like."""
    turns = [n for n, course in enumerate(things) for _ in course]
    straight = added_up(things, turns)
    order.shuffle(turns)
    assert added_up(things, turns) == straight
    if q.counts_in(straight).visit_count:
        [one] = q.decide(asked(counts=q.counts_in(straight)), None)
        assert 0 <= one.points <= 1000


def added_up(things: list[list[Counted]], turns: list[int]) -> dict[Key, int]:
    sums: Counter[Key] = Counter()
    at = [0] * len(things)
    for n in turns:
        before = things[n][at[n] - 1] if at[n] else None
        sums.update(moved(before, things[n][at[n]]))
        at[n] += 1
    return {key: total for key, total in sums.items() if total}
