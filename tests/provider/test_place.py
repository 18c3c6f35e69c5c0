"""How far two places are apart."""

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from services.provider.domain.place import Place, distance_m
from tests.provider.care import HOME, NEXT_DOOR

places = st.builds(
    Place,
    latitude_microdegrees=st.integers(-90_000_000, 90_000_000),
    longitude_microdegrees=st.integers(-180_000_000, 180_000_000),
)


def place(latitude: int, longitude: int) -> Place:
    return Place(latitude_microdegrees=latitude, longitude_microdegrees=longitude)


SHANGHAI = place(31_230_400, 121_473_700)
BEIJING = place(39_904_200, 116_407_400)


@pytest.mark.parametrize(
    ("here", "there", "expected"),
    [
        (HOME, HOME, 0),
        (HOME, NEXT_DOOR, 111),  # a thousandth of a degree of latitude
        (place(0, 0), place(0, 180_000_000), 20_015_115),  # half the way round
        (place(0, 179_999_500), place(0, -179_999_500), 111),  # across the date line
        (SHANGHAI, BEIJING, 1_067_312),
    ],
)
def test_known_distances(here: Place, there: Place, expected: int) -> None:
    assert expected == distance_m(here, there)


@for_all(here=places, there=places)
def test_a_distance_is_the_same_both_ways_and_on_the_earth(here: Place, there: Place) -> None:
    assert distance_m(here, there) == distance_m(there, here)
    assert 0 <= distance_m(here, there) <= 20_015_115
