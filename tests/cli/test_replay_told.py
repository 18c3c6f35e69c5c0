"""What later verdicts on a visit keep by value is held against the visit's own events."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from cli.replay.logs import Entry
from cli.replay.told import WITNESSES
from kernel.replay import RawFact
from kernel.rules.ruling import Ruling
from services.provider.codec import provider_codec
from services.provider.domain import visit as v
from services.provider.domain.exception import ExceptionOutcome
from tests.provider.test_visit_review import (
    AGREED,
    CONFIRMED,
    COUNTED,
    LOOK,
    RIGHT,
    SAID,
    Command,
    decide,
    opened_by,
    settle,
)
from tests.provider.test_visit_rules import DISPUTE, END, START

CODEC = provider_codec(None)
SETTLED = settle(opened_by(*COUNTED, SAID), ExceptionOutcome.NOT_UPHELD)
TWICE = replace(AGREED, correction=SAID.dispute)
STORIES: dict[str, tuple[Command, ...]] = {
    "confirmed": COUNTED,
    "denied": (START, END, DISPUTE),
    "disputed": (*COUNTED, SAID, SETTLED),
    "corrected twice": (*COUNTED, RIGHT, TWICE),
    "all of it": (*COUNTED, SAID, RIGHT, SETTLED, TWICE),
    "never ended": (START, LOOK, AGREED, CONFIRMED),
    "ended after it was corrected": (START, AGREED, END, CONFIRMED),
}


def told(*commands: Command) -> tuple[list[Entry], list[tuple[int, v.Verdict]]]:
    """The log of the visit, and the verdicts in it with their places."""
    state, entries, verdicts = v.Visit(), list[Entry](), list[tuple[int, v.Verdict]]()
    for command in commands:
        for event in decide(command, state):
            state = v.evolve(state, event)
            if isinstance(event, v.ServiceDelivered | v.ServiceRejected):
                verdicts.append((len(entries), event))
            type_, payload = CODEC.clear(event)
            place = len(entries) + 1
            fact = RawFact("provider", place, type_, payload, datetime(2024, 3, 4, tzinfo=UTC))
            entries.append(Entry(fact, "visit", place, "320400", b""))
    return entries, verdicts


@pytest.mark.parametrize("story", STORIES)
def test_every_verdict_says_what_its_visit_says(story: str) -> None:
    entries, verdicts = told(*STORIES[story])

    assert verdicts
    for place, verdict in verdicts:
        witness = WITNESSES[entries[place].type]
        assert witness(entries[:place], Ruling.read(verdict.ruling).asked) == []


LIES: dict[str, tuple[str, str | int]] = {
    "outcome": ("dispute_outcome", "upheld"),
    "reason": ("dispute_reason", "POOR_CARE"),
    "corrections": ("corrected_count", 1),
    "caregiver": ("caregiver", "somebody"),
    "end": ("end_time", "2024-03-04T12:00:00+08:00"),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_verdict_that_says_otherwise_is_named(lie: str) -> None:
    name, value = LIES[lie]
    entries, verdicts = told(*STORIES["all of it"])
    place, verdict = verdicts[-1]
    asked = {**Ruling.read(verdict.ruling).asked, name: value}

    [(position, differs, _, _)] = WITNESSES[entries[place].type](entries[:place], asked)
    assert (differs, position > 0) == (name, True)


def test_what_was_never_recorded_is_missed() -> None:
    entries, verdicts = told(*STORIES["disputed"])
    place, verdict = verdicts[-1]
    kept = [entry for entry in entries[:place] if "Disputed" not in entry.type]
    kept = [entry for entry in kept if "ExceptionSettled" not in entry.type]

    missed = WITNESSES[entries[place].type](kept, Ruling.read(verdict.ruling).asked)
    assert {(position, where) for position, where, _, _ in missed} == {
        (0, "ltci.provider.v1.VisitDisputed/1")
    }
