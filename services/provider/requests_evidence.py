"""What a device brings for a visit, checked field by field (佐证字段校验)."""

import re
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from ltci.provider.v1 import provider_service_pb2 as pb
from ltci.provider.v1 import provider_types_pb2 as types

from kernel.clock import SHANGHAI
from kernel.eventstore.handle import Call
from kernel.eventstore.keys import KeyRing
from kernel.rpc.around import Context
from kernel.rpc.private import private_call
from kernel.rpc.validate import Check
from services.provider.application.intake import Brought
from services.provider.domain.device import SIGNATURE_BYTES, Capture
from services.provider.domain.evidence import (
    Evidence,
    Photo,
    SignalResult,
    Signals,
    VisitPhase,
)
from services.provider.domain.findings import skew_seconds
from services.provider.domain.place import Place

MOST_PHOTOS = 8  # at one end of a visit
SHA256_BYTES = 32
LARGEST_RADIUS_M = 1_000_000
LONGEST_READING = 80
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)", re.ASCII)
_DEVICE = (
    r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}",
    "a name of letters, digits and _ . : -, at most 64",
    "由字母、数字及_.:-组成的名称,不超过64个字符",
)
Request: TypeAlias = pb.StartVisitRequest | pb.EndVisitRequest | pb.SubmitVisitRequest


@dataclass(frozen=True, kw_only=True)
class Told:
    """The evidence of a request, if any, and how far its device's clock was ahead."""

    evidence: Evidence | None = None
    skew_seconds: int = 0

    @property
    def skew(self) -> timedelta:
        return timedelta(seconds=self.skew_seconds)


class EvidenceReader:
    """Reads evidence. What it returns counts only after `check.done()`."""

    def __init__(self, keys: KeyRing) -> None:
        self._salt = keys.salt
        self._lookup = keys.lookup_hash

    def read(self, check: Check, request: Request, phase: VisitPhase, now: datetime) -> Told:
        """The evidence of one end of a visit, or of both; `now` is when it was received."""
        if not request.HasField("evidence"):
            return Told()
        told = request.evidence
        if told.HasField("start") and phase is VisitPhase.END:
            check.fail("evidence.start", *_OTHER_END)
        if told.HasField("end") and phase is VisitPhase.START:
            check.fail("evidence.end", *_OTHER_END)
        sent = _sent(check, told.sent_time)
        evidence = Evidence(
            start=None if isinstance(request, pb.EndVisitRequest) else _start(check, request),
            end=_signals(check, "evidence.end", told.end) if told.HasField("end") else None,
            device=check.pattern("evidence.device", told.device, *_DEVICE) if told.device else "",
            sent_time=told.sent_time,
            offline=told.offline,
            signature=_sized(check, "evidence.signature", told.signature, SIGNATURE_BYTES),
        )
        if told.signature:
            check.require("evidence.device", told.device)
        return Told(evidence=evidence, skew_seconds=skew_seconds(sent, now))

    def brought(self, told: Told, capture: Capture) -> Brought | None:
        """The evidence as it is taken in, with a salt of its own; None where none came."""
        if told.evidence is None:
            return None
        return Brought(
            evidence=told.evidence,
            capture=capture,
            skew_seconds=told.skew_seconds,
            salt=self._salt(),
            lookup=self._lookup,
        )


def visit_call(check: Check, request: Request, context: Context, keys: KeyRing) -> Call:
    """Ends the check of a visit's request and returns its call, as `private_call` does.

    When it was sent does not count for what it asks: a device that got no answer sends the same
    capture again, later, and gets the first answer.
    """
    asked = request
    if request.evidence.sent_time:
        asked = deepcopy(request)
        asked.evidence.sent_time = ""
    return private_call(check, asked, context, keys)


def instant_of(check: Check, field: str, value: str, latest: datetime) -> datetime:
    """The instant in Asia/Shanghai, to the second; not after the latest that can be."""
    instant = moment_of(check, field, value, latest)
    if instant > latest:
        check.fail(field, "TIME_IN_FUTURE", "must not be in the future", "不得晚于当前时间")
    return instant


def moment_of(check: Check, field: str, value: str, otherwise: datetime) -> datetime:
    """The instant in Asia/Shanghai, to the second, to come or past; `otherwise` without one."""
    instant = _instant(check, field, value) if check.require(field, value) else None
    return otherwise if instant is None else instant.replace(microsecond=0)


def _sent(check: Check, value: str) -> datetime | None:
    return _instant(check, "evidence.sent_time", value) if value else None


def _instant(check: Check, field: str, value: str) -> datetime | None:
    try:
        if not _INSTANT.fullmatch(value):
            raise ValueError(value)
        return datetime.fromisoformat(value).astimezone(SHANGHAI)
    except (ValueError, OverflowError):
        check.fail(field, "NOT_AN_INSTANT", *_NOT_AN_INSTANT)
        return None


def _start(check: Check, request: pb.StartVisitRequest | pb.SubmitVisitRequest) -> Signals:
    """The signals at the start; the visit's own place stands for them where none are given."""
    told = request.evidence
    if not told.HasField("start"):
        return Signals(place=_place(request.place))
    signals = _signals(check, "evidence.start", told.start)
    if told.start.HasField("place") and told.start.place != request.place:
        check.fail("evidence.start.place", *_PLACE_DIFFERS)
    return signals


def _signals(check: Check, at: str, told: types.Signals) -> Signals:
    if not told.HasField("place"):
        check.fail(f"{at}.place", "REQUIRED", "must be given", "必填")
    place = _place(told.place)
    for name, value, most in (
        ("latitude", place.latitude_microdegrees, 90_000_000),
        ("longitude", place.longitude_microdegrees, 180_000_000),
    ):
        check.between(f"{at}.place.{name}_microdegrees", value, -most, most)
    if told.device_time:
        _instant(check, f"{at}.device_time", told.device_time)
    return Signals(
        place=place,
        accuracy_m=check.between(f"{at}.accuracy_m", told.accuracy_m, 0, LARGEST_RADIUS_M),
        mocked=told.mocked,
        device_time=told.device_time,
        beacon=_reading(check, f"{at}.beacon", told.beacon),
        tag=_reading(check, f"{at}.tag", told.tag),
        photos=_photos(check, f"{at}.photos", told.photos),
        face=_face(check, f"{at}.face", told.face),
        family_code=_reading(check, f"{at}.family_code", told.family_code),
    )


def _place(told: types.Place) -> Place:
    return Place(
        latitude_microdegrees=told.latitude_microdegrees,
        longitude_microdegrees=told.longitude_microdegrees,
    )


def _photos(check: Check, field: str, photos: Sequence[types.Photo]) -> tuple[Photo, ...]:
    check.between(field, len(photos), 0, MOST_PHOTOS)
    found = []
    for place, photo in enumerate(photos):
        name = f"{field}[{place}].sha256"
        if check.require(name, photo.sha256):
            _sized(check, name, photo.sha256, SHA256_BYTES)
        found.append(Photo(sha256=photo.sha256, perceptual_hash=photo.perceptual_hash))
    return tuple(found)


def _face(check: Check, field: str, number: int) -> SignalResult | None:
    if number == types.SIGNAL_RESULT_UNSPECIFIED:
        return None
    return check.enum(field, number, types.SignalResult, SignalResult)


def _reading(check: Check, field: str, value: str) -> str:
    return check.text(field, value, max=LONGEST_READING, required=False)


def _sized(check: Check, field: str, value: bytes, size: int) -> bytes:
    """The bytes, exactly so many where there are any."""
    if value and len(value) != size:
        check.fail(field, "WRONG_LENGTH", f"must be {size} bytes", f"应为{size}字节")
    return value


_NOT_AN_INSTANT = (
    "must be a date and time with offset, written like 2024-03-01T09:30:00+08:00",
    "应为带时区的日期时间,格式如2024-03-01T09:30:00+08:00",
)
_OTHER_END = (
    "OTHER_END",
    "must not be given here: it is about the other end of the visit",
    "此处不应填写:属于服务的另一端",
)
_PLACE_DIFFERS = (
    "PLACE_DIFFERS",
    "must be the same as the visit's place",
    "应与服务签到位置一致",
)
