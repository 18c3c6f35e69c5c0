"""Which report counts where sources contradict each other, whatever the order they come in."""

import json
from dataclasses import replace
from datetime import date, timedelta
from itertools import count
from random import Random

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from kernel.ids import derive
from kernel.rules.pack import Pack
from kernel.rules.precedence import (
    ALIVE,
    DEATH,
    SOURCES,
    TOPICS,
    Report,
    Weighed,
    precedence_figure,
    ranking,
    ranks_of,
    read_precedence,
    still_said,
    weigh,
)
from kernel.rules.reading import PackInvalid
from kernel.rules.ruling import canonical
from tests.support.packs import CHANGZHOU, library, pack

FIRST = date(2024, 3, 1)
RANK = ranks_of(pack(CHANGZHOU))
_arrivals = count(1)


def told(kind: str, day: int, source: str, *, denied: bool = False) -> Report:
    """A report on the n-th of March, arriving after all before it."""
    arrived = next(_arrivals)
    return Report(
        id=derive("report", kind, str(day), source, str(denied), str(arrived)),
        kind=kind,
        day=FIRST + timedelta(days=day - 1),
        source=source,
        denied=denied,
        arrived=arrived,
    )


def death(*reports: Report) -> int | None:
    """The day of March on which the person died, as it counts."""
    found = weigh(reports, RANK).death
    return None if found is None else found.day.day


def test_of_two_days_of_death_the_stronger_source_counts() -> None:
    assert death(told(DEATH, 1, "provider"), told(DEATH, 3, "register")) == 3
    assert death(told(DEATH, 3, "register"), told(DEATH, 1, "provider")) == 3
    assert death(told(DEATH, 3, "register"), told(DEATH, 2, "court")) == 2


def test_of_one_source_the_newer_report_replaces_the_older() -> None:
    assert death(told(DEATH, 1, "register"), told(DEATH, 3, "register")) == 3
    assert death(told(DEATH, 3, "register"), told(DEATH, 1, "register")) == 1


def test_being_found_alive_denies_a_death_before_that_day_only() -> None:
    assert death(told(DEATH, 1, "provider"), told(ALIVE, 9, "register")) is None
    assert death(told(DEATH, 9, "provider"), told(ALIVE, 1, "register")) == 9
    assert death(told(DEATH, 1, "register"), told(ALIVE, 9, "provider")) == 1
    assert death(told(DEATH, 1, "register"), told(ALIVE, 9, "register")) is None
    assert death(told(ALIVE, 9, "register"), told(DEATH, 1, "register")) == 1


def test_a_weaker_death_does_not_count_where_a_stronger_source_found_the_person_alive() -> None:
    reports = told(DEATH, 1, "person"), told(DEATH, 2, "court"), told(ALIVE, 9, "court")
    assert death(*reports) is None
    assert death(*reports, told(DEATH, 12, "provider")) == 12


def test_a_hospital_knows_its_stays_better_than_the_register() -> None:
    stay, never = told("admission", 4, "hospital"), told("admission", 4, "register", denied=True)
    for reports in ((stay, never), (never, stay)):
        assert weigh(reports, RANK).days_of("admission") == {date(2024, 3, 4)}
    denied = told("admission", 4, "hospital", denied=True)
    assert weigh([told("admission", 4, "provider"), denied], RANK).days_of("admission") == set()


def test_what_was_set_aside_is_told_with_what_counts() -> None:
    weaker, stronger = told(DEATH, 1, "provider"), told(DEATH, 3, "register")
    (dispute,) = weigh([weaker, stronger], RANK).disputes
    assert (dispute.counts, dispute.aside, dispute.topic) == (stronger, weaker, "death")


def test_the_table_is_asked_only_where_sources_contradict_each_other() -> None:
    def never(topic: str) -> tuple[str, ...]:
        raise AssertionError(topic)

    agreeing = [told(DEATH, 3, source) for source in SOURCES]
    agreeing += [told(ALIVE, 3, "court"), told("admission", 1, "person")]
    assert death(*agreeing) == 3
    assert weigh(agreeing, never).disputes == ()


WORDS = st.builds(
    told,
    st.sampled_from(tuple(TOPICS)),
    st.integers(1, 6),
    st.sampled_from(SOURCES),
    denied=st.booleans(),
).map(lambda one: replace(one, denied=one.denied and one.kind not in {DEATH, ALIVE}))


def counted(found: Weighed) -> set[tuple[str, date]]:
    return {(report.kind, report.day) for report in found.counting}


@for_all(st.lists(WORDS, max_size=10), st.randoms(use_true_random=False))
def test_the_order_in_which_sources_speak_does_not_change_what_counts(
    reports: list[Report], random: Random
) -> None:
    """Any order that keeps each source's own: only a source may put itself right."""
    queues = {s: [one for one in reports if one.source == s] for s in SOURCES}
    shuffled: list[Report] = []
    while left := [queue for queue in queues.values() if queue]:
        one = random.choice(left).pop(0)
        shuffled.append(replace(one, arrived=len(shuffled)))
    first = weigh([replace(one, arrived=n) for n, one in enumerate(reports)], RANK)

    assert counted(weigh(shuffled, RANK)) == counted(first)


@for_all(st.lists(WORDS, max_size=8), WORDS)
def test_a_later_word_of_a_weaker_source_changes_nothing_where_a_stronger_one_spoke(
    reports: list[Report], late: Report
) -> None:
    rank = RANK(TOPICS[late.kind])
    said = [one.source for one in reports if one.thing == late.thing and one.kind == late.kind]
    if late.kind == ALIVE or not any(rank.index(s) < rank.index(late.source) for s in said):
        return
    before = counted(weigh(reports, RANK))
    if late.kind == DEATH and not any(kind == DEATH for kind, _ in before):
        return  # found alive, and dead later: no contradiction
    late = replace(late, arrived=10**9)
    assert counted(weigh([*reports, late], RANK)) == before


def test_a_source_still_says_what_it_did_not_replace() -> None:
    alive, dead = told(ALIVE, 1, "register"), told(DEATH, 5, "register")
    assert set(still_said([alive, dead], dead)) == {alive, dead}
    found = told(ALIVE, 7, "register")
    assert set(still_said([alive, dead, found], dead)) == {alive, found}


# -- the table -----------------------------------------------------------------------------------


def test_every_pool_says_which_source_counts() -> None:
    for pool in library().pools():
        table = read_precedence(precedence_figure(pack(pool)))
        assert ranking(precedence_figure(pack(pool)), "death") == table["any"]


@pytest.mark.parametrize(
    ("row", "wrong"),
    [
        ({"any": list(SOURCES[:-1])}, "each of"),
        ({"any": [*SOURCES[:-1], SOURCES[0]]}, "each of"),
        ({"hospital": list(SOURCES)}, "rows are any"),
        ({"any": list(SOURCES), "weather": list(SOURCES)}, "rows are any"),
    ],
)
def test_a_table_that_leaves_a_source_out_is_no_table(row: dict[str, object], wrong: str) -> None:
    content = json.loads(pack(CHANGZHOU).content)
    content["files"]["enrollment"]["source_precedence"]["values"][0]["value"] = row
    with pytest.raises(PackInvalid, match=wrong):
        Pack.parse(canonical(content))
