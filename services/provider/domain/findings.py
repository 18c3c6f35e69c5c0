"""What is read from a visit's evidence, once, at its intake (佐证核对). Pure: no clock, no I/O.

Receipt, keyed hashes and the verdict of a signature are brought by the caller: the evidence is
compared, and what stays says nothing of where anybody was.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from services.provider.domain.device import Markers
from services.provider.domain.evidence import (
    Evidence,
    SignalResult,
    Signals,
    VisitFindings,
    worse,
)
from services.provider.domain.place import Place, distance_m

NOT_SAID = -1  # a distance where the device did not say
_MINUTE = 60

Hashed: TypeAlias = Callable[[str, str], str]
"""The keyed hash of a marker: by its kind and what was read."""


@dataclass(frozen=True, kw_only=True)
class Compared:
    """What a visit's evidence is held against."""

    home: Place  # the place of care in the plan
    markers: Markers | None  # of the person's home; None where none are on record
    hashed: Hashed
    signature: SignalResult | None
    skew_seconds: int


def skew_seconds(sent: datetime | None, received: datetime) -> int:
    """How far the device's clock was ahead when it sent; 0 where it did not say."""
    return 0 if sent is None else round((sent - received).total_seconds())


def correction(skew: int) -> timedelta:
    """What is taken off a device's times: its clock's error, in whole minutes.

    A message is under way for some seconds; in whole minutes that way is not taken for a wrong
    clock, so a visit gets the same times however long its upload took.
    """
    return timedelta(seconds=round(skew / _MINUTE) * _MINUTE)


def find(evidence: Evidence, against: Compared) -> VisitFindings:
    """The findings on an evidence; a signal that was not given has no result."""
    start, end = evidence.start, evidence.end
    both = [one for one in (start, end) if one is not None]
    return VisitFindings(
        device=evidence.device,
        start_distance_m=max(0, _distance(start, against.home)),
        end_distance_m=_distance(end, against.home),
        accuracy_m=max((one.accuracy_m for one in both), default=0),
        mocked=any(one.mocked for one in both),
        clock_skew_seconds=against.skew_seconds,
        signature=against.signature,
        beacon=_marker("beacon", (one.beacon for one in both), against),
        tag=_marker("tag", (one.tag for one in both), against),
        face=worse(*(one.face for one in both)),
        family_code=_marker("family_code", (one.family_code for one in both), against),
        offline=evidence.offline,
        photos=tuple(photo for one in both for photo in one.photos),
    )


def _distance(signals: Signals | None, home: Place) -> int:
    if signals is None or signals.place is None:
        return NOT_SAID
    return distance_m(signals.place, home)


def _marker(kind: str, told: Iterable[str], against: Compared) -> SignalResult | None:
    """Whether every marker of a kind that was read belongs to the home."""
    read = {one for one in told if one}
    if not read:
        return None
    on_record = against.markers.of(kind) if against.markers is not None else frozenset()
    if not on_record:
        return SignalResult.UNKNOWN
    ours = all(against.hashed(kind, one) in on_record for one in read)
    return SignalResult.MATCHED if ours else SignalResult.NOT_MATCHED
