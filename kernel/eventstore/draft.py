"""A batch of appends, judged against the heads of their streams and made into rows.

Pure: no clock, no I/O. The same judgement serves single appends, imports and the slow, locked
way; only what happens to the rows differs.
"""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from kernel.eventstore.envelope import (
    Append,
    Appended,
    NewEvent,
    Repeated,
    StreamAppend,
    link,
    microseconds,
    pack_kind,
    pack_meta,
)
from kernel.eventstore.errors import RequestReused, VersionConflict

Head = tuple[int, bytes]  # version and hash of a stream's last event
Kind = tuple[str, str, str]  # type, category, pool
NO_STREAM: Head = (0, b"")

EventRow = tuple[
    int, datetime, UUID, int, int, bytes, bytes | None, UUID | None, bytes, bytes
]  # position, recorded_at, stream, version, kind_id, payload, sealed, key_id, meta, hash
RequestRow = tuple[UUID, bytes, bytes, int, int, datetime]
# request_id, fingerprint, answer, first_position, last_position, recorded_at

Verdict = Appended | Repeated | Exception


class UnknownKind(LookupError):  # noqa: N818 - named as what happened
    """An event of a kind that has no number yet: give it one and judge again."""

    def __init__(self, kind: Kind) -> None:
        super().__init__(kind)
        self.kind = kind


class Draft:
    """Rows for the log from `position` on, all recorded at one instant."""

    def __init__(
        self,
        position: int,
        recorded_at: datetime,
        heads: Mapping[UUID, Head],
        kinds: Mapping[Kind, tuple[int, bytes]],
    ) -> None:
        self.start = self.position = position
        self.recorded_at = recorded_at
        self.events: list[EventRow] = []
        self.requests: list[RequestRow] = []
        self.heads: dict[UUID, Head] = {}  # of the streams this draft moves
        self._standing = heads
        self._kinds = kinds
        self._instant = microseconds(recorded_at)
        self._accepted: dict[UUID, RequestRow] = {}

    def judge(self, append: Append) -> Verdict:
        """Takes the append's rows in and says so, or leaves the draft as it was and says why."""
        earlier = self._accepted.get(append.request_id)
        if earlier is not None:
            return repeated(append, earlier)
        count = len(self.events)
        moved: dict[UUID, Head] = {}
        try:
            meta = pack_meta(append.meta)
            for part in append.streams:
                self._extend(part, meta, moved)
        except Exception as error:
            # Whatever is wrong with one append must not touch its neighbours.
            del self.events[count:]
            if isinstance(error, UnknownKind):
                raise
            return error
        self.heads.update(moved)
        return self._accept(append, len(self.events) - count)

    def _extend(self, part: StreamAppend, meta: bytes, moved: dict[UUID, Head]) -> None:
        stream = part.stream
        head = moved.get(stream) or self.heads.get(stream) or self._standing.get(stream, NO_STREAM)
        version, chain = head
        if version != part.expected_version:
            raise VersionConflict(stream, part.expected_version, version)
        name, position = stream.bytes, self.start + len(self.events)
        for event in part.events:
            kind_id, kind = self._kind(event, part)
            version += 1
            position += 1
            chain = link(chain, name, version, kind, event, meta, self._instant)
            self.events.append(
                (
                    position,
                    self.recorded_at,
                    stream,
                    version,
                    kind_id,
                    event.payload,
                    event.sealed,
                    event.key_id,
                    meta,
                    chain,
                )
            )
        moved[stream] = (version, chain)

    def _kind(self, event: NewEvent, part: StreamAppend) -> tuple[int, bytes]:
        kind = (event.type, part.category, part.pool)
        number = self._kinds.get(kind)
        if number is None:
            pack_kind(*kind)  # refuses what could never get a number
            raise UnknownKind(kind)
        return number

    def _accept(self, append: Append, count: int) -> Appended:
        first, last = (self.position + 1, self.position + count) if count else (0, 0)
        self.position += count
        row = (
            append.request_id,
            append.fingerprint,
            append.answer,
            first,
            last,
            self.recorded_at,
        )
        self.requests.append(row)
        self._accepted[append.request_id] = row
        return Appended(first, last)


def repeated(append: Append, earlier: RequestRow) -> Repeated | RequestReused:
    """What a request is told whose id was seen before."""
    _, fingerprint, answer, _, last_position, _ = earlier
    if fingerprint != append.fingerprint:
        return RequestReused(append.request_id)
    return Repeated(answer, last_position)
