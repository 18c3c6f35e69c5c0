"""What is known by a moment, indexed as detectors ask for it. Pure: no clock, no I/O.

It only grows by what comes next in the log, so a detector that looks at a visit cannot see what
came later. Days of care older than `KEPT` before the newest are dropped: memory stays bounded.
"""

from array import array
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from uuid import UUID

from services.provider.domain.detection.seen import Seen
from services.provider.domain.evidence import Photo

KEPT = timedelta(days=100)  # days of care: a quarter, and late uploads
_PRUNED_EVERY = timedelta(days=7)
_BANDS = 4  # of 16 bits: two hashes that differ in fewer bits than bands share one of them
_BAND_BITS = 16
_BAND = (1 << _BAND_BITS) - 1
Source = tuple[str, int]  # service and position of a fact


@dataclass(slots=True)
class Span:
    """Days from one to another, and the fact that says so."""

    first: date
    last: date | None
    source: Source


@dataclass(slots=True)
class _Photos:
    """Perceptual hashes by their bands: near ones are found without comparing all."""

    hashes: "array[int]" = field(default_factory=lambda: array("Q"))
    visits: list[Seen] = field(default_factory=list)
    bands: "list[dict[int, array[int]]]" = field(
        default_factory=lambda: [{} for _ in range(_BANDS)]
    )
    files: dict[bytes, Seen] = field(default_factory=dict)


class Known:
    """Visits and facts known by now."""

    def __init__(self) -> None:
        self.deaths: dict[UUID, Span] = {}
        self.stays: dict[UUID, list[Span]] = defaultdict(list)  # in hospital
        self.entitled: dict[UUID, list[Span]] = defaultdict(list)
        self.barred: dict[UUID, list[Span]] = defaultdict(list)
        self.revoked: dict[UUID, Span] = {}
        self.ended: dict[UUID, Span] = {}  # plans, by their last day
        self.uses: dict[str, Counter[UUID]] = defaultdict(Counter)  # visits by device and carer
        self.usual: dict[UUID, Counter[str]] = defaultdict(Counter)  # items by plan
        self._by_carer: dict[tuple[UUID, date], list[Seen]] = defaultdict(list)
        self._by_person: dict[UUID, list[Seen]] = defaultdict(list)
        self._by_device: dict[tuple[str, date], set[UUID]] = defaultdict(set)
        self._shared: dict[str, set[date]] = defaultdict(set)  # days in more than one hand
        self._photos = _Photos()
        self._newest = date.min
        self._pruned = date.min

    def add(self, seen: Seen, photos: Sequence[Photo]) -> None:
        """Keeps a visit for those to come, and its photos in the index alone."""
        self._by_carer[seen.caregiver, seen.care_date].append(seen)
        self._by_person[seen.person].append(seen)
        if seen.device:
            hands = self._by_device[seen.device, seen.care_date]
            hands.add(seen.caregiver)
            if len(hands) > 1:
                self._shared[seen.device].add(seen.care_date)
            self.uses[seen.device][seen.caregiver] += 1
        if seen.delivered:
            self.usual[seen.plan].update(seen.items)
        for photo in photos:
            self._add_photo(seen, photo.sha256, photo.perceptual_hash)
        self._newest = max(self._newest, seen.care_date)
        if self._newest - self._pruned > _PRUNED_EVERY:
            self._prune()

    def of_carer(self, caregiver: UUID, day: date) -> list[Seen]:
        """The visits of a caregiver on a day of care, in the order in which they became known."""
        return self._by_carer.get((caregiver, day), [])

    def around(self, seen: Seen) -> Iterator[Seen]:
        """Other visits of the caregiver on the day, the day before and the day after."""
        for shift in (-1, 0, 1):
            for other in self.of_carer(seen.caregiver, seen.care_date + timedelta(days=shift)):
                if other.visit != seen.visit:
                    yield other

    def of_person(self, person: UUID) -> list[Seen]:
        return self._by_person.get(person, [])

    def of_carer_since(self, caregiver: UUID, day: date) -> Iterator[Seen]:
        """The visits of a caregiver from a day of care on."""
        while day <= self._newest:
            yield from self.of_carer(caregiver, day)
            day += timedelta(days=1)

    def carers_with(self, device: str, day: date) -> set[UUID]:
        """Who used a device on a day of care."""
        return self._by_device.get((device, day), set())

    def shared_days(self, device: str, since: date) -> list[date]:
        """The days of care since then on which more than one used a device."""
        days = self._shared.get(device)
        return sorted(day for day in days if day >= since) if days else []

    def same_file(self, sha256: bytes) -> Seen | None:
        return self._photos.files.get(sha256)

    def look_alikes(self, perceptual_hash: int, bits: int) -> Iterator[Seen]:
        """Visits with a photo that differs in at most so many bits (fewer than the bands)."""
        told: set[int] = set()
        for number, bands in enumerate(self._photos.bands):
            for place in bands.get(_band(perceptual_hash, number), ()):
                if place in told:
                    continue
                told.add(place)
                if (self._photos.hashes[place] ^ perceptual_hash).bit_count() <= bits:
                    yield self._photos.visits[place]

    def _add_photo(self, seen: Seen, sha256: bytes, perceptual_hash: int) -> None:
        photos = self._photos
        photos.files.setdefault(sha256, seen)
        if not perceptual_hash:
            return
        place = len(photos.hashes)
        photos.hashes.append(perceptual_hash)
        photos.visits.append(seen)
        for number, bands in enumerate(photos.bands):
            key = _band(perceptual_hash, number)
            found = bands.get(key)
            if found is None:
                found = bands[key] = array("I")
            found.append(place)

    def _prune(self) -> None:
        """Drops what is too old to matter."""
        self._pruned = self._newest
        oldest = self._newest - KEPT
        for key in [key for key in self._by_carer if key[1] < oldest]:
            del self._by_carer[key]
        for used in [used for used in self._by_device if used[1] < oldest]:
            del self._by_device[used]
        for device, days in list(self._shared.items()):
            kept_days = {day for day in days if day >= oldest}
            if kept_days:
                self._shared[device] = kept_days
            else:
                del self._shared[device]
        for person, visits in list(self._by_person.items()):
            kept = [seen for seen in visits if seen.care_date >= oldest]
            if kept:
                self._by_person[person] = kept
            else:
                del self._by_person[person]
        photos = self._photos
        if photos.visits and photos.visits[0].care_date < oldest:
            self._photos = _Photos()
            told = list(zip(photos.hashes, photos.visits, strict=True))
            files = {sha: seen for sha, seen in photos.files.items() if seen.care_date >= oldest}
            for perceptual_hash, seen in told:
                if seen.care_date >= oldest:
                    self._add_photo(seen, b"", perceptual_hash)
            self._photos.files = files


def _band(perceptual_hash: int, number: int) -> int:
    return perceptual_hash >> (number * _BAND_BITS) & _BAND
