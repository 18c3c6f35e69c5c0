"""The month as messages of `ImportVisits`, and kept in a file that is read message by message."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from ltci.provider.v1 import provider_service_pb2 as pb
from ltci.provider.v1 import provider_types_pb2 as types

from benchmarks.generator.city import Point, carer_number, person_number
from benchmarks.generator.sizes import Sizes
from benchmarks.generator.visits import Times, Visit, times_of

ROWS = 500  # a message, as many as it may have


class Messages:
    """Makes requests of visits."""

    def __init__(self, sizes: Sizes, *, evidence: bool = True, sent: bool = True) -> None:
        """`sent` is left out where the month is long past: its clocks would seem years off."""
        self._pool = sizes.pool
        self._times: Times = times_of(sizes.first.year, sizes.first.month)
        self._evidence = evidence
        self._sent = sent

    def request(self, visit: Visit) -> pb.SubmitVisitRequest:
        return pb.SubmitVisitRequest(
            identity_number=person_number(self._pool, visit.person),
            pool=self._pool,
            caregiver_identity_number=carer_number(self._pool, visit.carer),
            start_time=self._times.text(visit.start),
            end_time=self._times.text(visit.end),
            place=_place(visit.here),
            items=visit.items,
            confirmed_by=types.CONFIRMED_BY_FAMILY
            if visit.by_family
            else types.CONFIRMED_BY_PERSON,
            request_id=visit.request_id,
            evidence=self.evidence(visit) if self._evidence else None,
        )

    def evidence(self, visit: Visit) -> types.Evidence:
        end = None
        if visit.there is not None:
            end = types.Signals(
                place=_place(visit.there),
                accuracy_m=visit.accuracy_m,
                mocked=visit.mocked,
                device_time=self._times.text(visit.end + visit.skew),
            )
        return types.Evidence(
            start=types.Signals(
                place=_place(visit.here),
                accuracy_m=visit.accuracy_m,
                mocked=visit.mocked,
                device_time=self._times.text(visit.start + visit.skew),
                photos=[
                    types.Photo(sha256=sha256, perceptual_hash=look)
                    for sha256, look in visit.photos
                ],
            ),
            end=end,
            device=visit.device,
            sent_time=self._times.text(visit.sent + visit.skew) if self._sent else "",
            offline=visit.offline,
        )

    def of(self, visits: Iterator[Visit], rows: int = ROWS) -> Iterator[pb.ImportVisitsRequest]:
        """The visits in messages of so many rows."""
        while some := [self.request(visit) for visit in islice(visits, rows)]:
            yield pb.ImportVisitsRequest(rows=some)


def keep(messages: Iterator[pb.ImportVisitsRequest], file: Path) -> int:
    """Writes the messages to a file, each after its length; returns the rows."""
    rows = 0
    with file.open("wb") as out:
        for message in messages:
            raw = message.SerializeToString()
            out.write(len(raw).to_bytes(4, "big") + raw)
            rows += len(message.rows)
    return rows


def kept(file: Path) -> Iterator[bytes]:
    """The messages of such a file, one in memory at a time."""
    with file.open("rb") as source:
        while head := source.read(4):
            yield source.read(int.from_bytes(head, "big"))


def _place(place: Point) -> types.Place:
    return types.Place(latitude_microdegrees=place[0], longitude_microdegrees=place[1])
