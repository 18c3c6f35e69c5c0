"""A changed copy of a frozen dataclass, the quick way."""

from dataclasses import dataclass

import pytest

from kernel.frozen import replace


@dataclass(frozen=True, kw_only=True)
class Point:
    x: int
    y: int = 0


def test_the_copy_has_the_changes_and_the_original_stays() -> None:
    point = Point(x=1, y=2)

    assert replace(point, y=3) == Point(x=1, y=3)
    assert point == Point(x=1, y=2)


def test_a_field_that_is_not_there_is_refused() -> None:
    with pytest.raises(TypeError, match="has no field z"):
        replace(Point(x=1), z=3)
