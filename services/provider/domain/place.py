"""Where care is given, and how far two places are apart. Pure: no clock, no I/O."""

import math
from dataclasses import dataclass

EARTH_RADIUS_M = 6_371_009  # mean radius, GRS 80
_RADIANS = math.pi / 180_000_000  # of a microdegree


@dataclass(frozen=True, kw_only=True)
class Place:
    """A point on WGS 84, in millionths of a degree so that no fraction is lost."""

    latitude_microdegrees: int
    longitude_microdegrees: int


def distance_m(here: Place, there: Place) -> int:
    """The way between two places over the sphere (haversine), rounded to whole metres.

    Computed once, when a visit is recorded, and kept: decisions compare the kept integer.
    """
    south = here.latitude_microdegrees * _RADIANS
    north = there.latitude_microdegrees * _RADIANS
    turn = (there.longitude_microdegrees - here.longitude_microdegrees) * _RADIANS
    chord = (
        math.sin((north - south) / 2) ** 2
        + math.cos(south) * math.cos(north) * math.sin(turn / 2) ** 2
    )
    # Rounding may lift the chord of two antipodes a hair above one.
    return round(2 * EARTH_RADIUS_M * math.asin(math.sqrt(min(1.0, chord))))
