"""Whatever is tried in whatever order: nobody is found guilty unheard, and the last word is one."""

from collections.abc import Sequence
from datetime import date, timedelta
from functools import reduce
from typing import Any

from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from kernel.refusal import NotFound, Refused
from services.provider.domain import inspection as i
from services.provider.domain import inspection_decision as d
from services.provider.domain import inspection_events as e
from services.provider.domain import inspection_steps as case_steps
from tests.provider.cases import (
    CLEARED,
    CONFIRMED,
    ONE,
    OTHERS,
    PANEL,
    TWO,
    answering,
    appealing,
    deciding,
    frozen,
    hearing,
    judging,
    noticing,
    opening,
    question,
)

FLAGS = (ONE, TWO)
DAYS = st.integers(0, 60).map(lambda n: date(2024, 3, 11) + timedelta(days=n))
PEOPLE = st.sampled_from((PANEL, OTHERS, PANEL[:1], ("inspector-1", "chief-1")))


@st.composite
def steps(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    name = draw(st.sampled_from(("open", "notice", "answer", "hear", "decide", "appeal", "judge")))
    return name, {
        "day": draw(DAYS),
        "people": draw(PEOPLE),
        "yes": draw(st.booleans()),
        "also": draw(st.booleans()),
    }


def good(name: str, after: int, people: Sequence[str] = PANEL) -> tuple[str, dict[str, Any]]:
    day = date(2024, 3, 11) + timedelta(days=after)
    return name, {"day": day, "people": people, "yes": True, "also": False}


COURSE = (
    good("notice", 2),
    good("answer", 6),
    good("hear", 12),
    good("decide", 20),
    good("appeal", 25),
    good("judge", 40, OTHERS),
)


@st.composite
def courses(draw: st.DrawFn) -> list[tuple[str, dict[str, Any]]]:
    """The course of a case in which some steps are left out and others come between."""
    tried: list[tuple[str, dict[str, Any]]] = []
    for step in COURSE:
        tried += draw(st.lists(steps(), max_size=1))
        tried += [step] * draw(st.integers(0, 4).map(bool))
    return tried + draw(st.lists(steps(), max_size=3))


def command(name: str, told: dict[str, Any], events: Sequence[e.Event]) -> Any:
    """The command of a step, as far as the case lets it be made."""
    day, people, yes = told["day"], told["people"], told["yes"]
    match name:
        case "open":
            return opening(*FLAGS[: 1 + yes])
        case "notice":
            return noticing(noticed_date=day, respond_by_date=day + timedelta(days=14))
        case "answer":
            return answering(filed_date=day, hearing_wanted=yes)
        case "hear":
            return hearing(held_date=day, attended=yes)
        case "decide":
            flags = reduce(i.evolve, events, i.Inspection()).flags
            known = [one for one in FLAGS if one.flag in flags]
            words = (CONFIRMED if yes else CLEARED, CONFIRMED if told["also"] else CLEARED)
            found = list(zip(known, words, strict=False))
            asked = question(*found, decided_by=people, decided_date=day)
            return deciding(asked, events, *FLAGS)
        case "appeal":
            return appealing(filed_date=day)
        case _:
            outcomes = e.InspectionAppealOutcome
            outcome = outcomes.UPHELD if yes else outcomes.DISMISSED
            case = reduce(i.evolve, events, i.Inspection())
            cleared = [one for one in FLAGS if one.flag in case.confirmed_flags and yes]
            return judging(
                outcome, events, *FLAGS, cleared=cleared, decided_by=people, decided_date=day
            )


@settings(max_examples=300, deadline=None)
@for_all(courses())
def test_nobody_is_found_guilty_unheard_whatever_is_tried(
    tried: list[tuple[str, dict[str, Any]]],
) -> None:
    case, events = i.Inspection(), list[e.Event]()
    for name, told in [("open", {"day": None, "people": (), "yes": True}), *tried]:
        try:
            asked = command(name, told, events)
            deciding_ = d.decide if isinstance(asked, d.Command) else case_steps.decide
            new = deciding_(asked, case)
            assert (deciding_(asked, reduce(i.evolve, new, case)) == []) or name == "open"
        except (Refused, NotFound):
            continue
        case, events = reduce(i.evolve, new, case), [*events, *new]
        check(case)


def check(case: i.Inspection) -> None:
    assert case.digest == e.frozen_digest(case.frozen)
    assert {one.ref for one in frozen(*FLAGS)} >= {one.ref for one in case.frozen}
    decided = case.decided
    if decided is None:
        assert case.closed is None
        return
    assert len(set(decided.decided_by)) >= 2
    assert not set(decided.decided_by) & set(case.investigators)
    assert [one.flag for one in decided.findings] == list(case.flags)
    if decided.outcome is CLEARED:
        assert case.closed is not None
        assert case.appealed is None
        return
    assert case.noticed is not None
    assert case.statements or decided.decided_date > case.noticed.respond_by_date
    if case.hearing_wanted:
        assert any(one.held_date <= decided.decided_date for one in case.hearings)
    if case.appeal_decided is not None:
        assert case.appealed is not None
        assert not set(case.appeal_decided.decided_by) & set(decided.decided_by)
        assert set(case.appeal_decided.cleared_flags) <= set(case.confirmed_flags)
        assert case.closed is not None


@for_all(st.permutations(frozen(ONE, TWO, ONE)), st.integers(0, 3))
def test_the_digest_is_of_what_is_frozen_and_of_nothing_else(
    gathered: list[e.FrozenFact], dropped: int
) -> None:
    whole = e.frozen_digest(frozen(ONE, TWO))
    assert e.frozen_digest(gathered) != whole or len(set(gathered)) == 2
    assert e.frozen_digest(gathered) == e.frozen_digest([*gathered, *gathered])
    if dropped < len(gathered):
        fewer = [one for one in gathered if one != gathered[dropped]]
        assert e.frozen_digest(fewer) != e.frozen_digest(gathered)
