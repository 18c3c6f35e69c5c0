"""Short ways to say appends in tests of the event store."""

from collections.abc import Awaitable, Sequence
from typing import Protocol
from uuid import UUID

from kernel.eventstore.envelope import Append, Meta, NewEvent, StreamAppend
from kernel.eventstore.postgres import EventStore
from kernel.ids import derive, new_id

SCHEMA = "assessment"
TYPE = "ltci.test.v1.Happened/1"
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class OpenStore(Protocol):
    """Opens one more store on the test's log, as one more process would."""

    def __call__(self, partition_size: int = 1000) -> Awaitable[EventStore]: ...


def part(stream: UUID, expected: int, *payloads: bytes, type: str = TYPE) -> StreamAppend:  # noqa: A002
    """Events with these payloads for one stream."""
    events = tuple(NewEvent(type, payload) for payload in payloads)
    return StreamAppend(stream, "test", "320400", expected, events)


def request(*parts: StreamAppend, id: UUID | None = None, said: bytes = b"please") -> Append:  # noqa: A002
    """One request; the same words under the same id are the same request."""
    request_id = id or new_id()
    meta = Meta(request_id, "operator-7", TRACE, "test-1", "a cause 因")
    return Append(request_id, said, b"answer to " + said, parts, meta)


def new_stream(*payloads: bytes) -> Append:
    """A request that begins a stream of its own."""
    return request(part(new_id(), 0, *(payloads or (b"first",))))


def numbered(count: int, purpose: str = "numbered") -> Sequence[Append]:
    """That many requests with ids that are the same each time."""
    return [
        request(part(derive(purpose, "stream", str(n)), 0, b"%d" % n), id=derive(purpose, str(n)))
        for n in range(count)
    ]
