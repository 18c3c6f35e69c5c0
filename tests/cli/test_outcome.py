"""What counts as another end of a demo's life, and what does not."""

from datetime import UTC, datetime
from typing import Any

import pytest

from cli.case import Line
from cli.demo.outcome import Life, Outcome, _life

NUMBER = "320402199001011090"


def differences(life: Life, expected: dict[str, Any]) -> list[str]:
    outcome = Outcome({NUMBER: life}, {}, {})
    return outcome.differences({"people": {NUMBER: expected}, "pools": {}})


def end(**other: Any) -> Life:
    return Life("320400", "a-person", "entitled:3", {"2024-03": 90_000}, **other)


def test_a_payment_held_as_unknown_and_proven_paid_is_no_other_end() -> None:
    held = end(payment_unknown_then_paid=True)
    assert differences(held, end().told()) == []


@pytest.mark.parametrize(
    "fact", ["payment_unknown_then_paid", "payment_returned_then_paid"], ids=str
)
def test_a_fate_that_was_expected_and_not_seen_is_a_difference(fact: str) -> None:
    expected = end().told() | {fact: True}
    assert differences(end(), expected) == [f"320402********1090: {fact} is None, expected True"]


def test_a_payment_that_came_back_unexpectedly_is_a_difference() -> None:
    returned = end(payment_returned_then_paid=True)
    assert len(differences(returned, end().told())) == 1


def test_of_several_verdicts_on_a_visit_the_last_one_counts() -> None:
    def line(position: int, event: str, visit: str, *reasons: str) -> Line:
        says: dict[str, Any] = {"visit": visit} | ({"reasons": list(reasons)} if reasons else {})
        moment = datetime(2024, 3, position, tzinfo=UTC)
        return Line(
            known_at=moment,
            person="a-person",
            service="provider",
            position=position,
            event=event,
            says=says,
            decision=True,
        )

    story = [
        line(1, "ServiceDelivered", "a"),
        line(2, "ServiceRejected", "b", "TOO_SHORT"),
        line(3, "ServiceRejected", "a", "DISPUTED"),
        line(4, "ServiceRejected", "c", "DISPUTED"),
        line(5, "ServiceDelivered", "c"),
    ]

    assert _life("320400", "a-person", story).rejected_visits == {"DISPUTED": 1, "TOO_SHORT": 1}
