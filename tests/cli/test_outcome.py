"""What counts as another end of a demo's life, and what does not."""

from typing import Any

import pytest

from cli.demo.outcome import Life, Outcome

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
