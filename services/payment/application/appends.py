"""Many events of one kind at once: the same guarantees as one by one, written in bulk.

Each event is a request of its own, with an id made from what it is about. So repeating the
whole, after a crash anywhere, writes what is missing and nothing twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from uuid import UUID

from google.protobuf.message import Message

from kernel import telemetry
from kernel.eventstore.codec import Codec
from kernel.eventstore.envelope import Append, Appended, Meta, Repeated, StreamAppend
from kernel.eventstore.handle import StreamKind, code_version
from kernel.eventstore.postgres import EventStore
from kernel.ids import derive


@dataclass(frozen=True, kw_only=True)
class First:
    """The first event of a stream that gets no second one by this way.

    `name` and what is in `means` say what is asked; another event under the same name is refused.
    """

    name: tuple[str, ...]
    means: str
    kind: StreamKind[Any, Any]
    stream: UUID
    pool: str
    event: object
    answer: Message


class BulkWriter:
    """Writes first events of streams."""

    def __init__(self, store: EventStore, codec: Codec) -> None:
        self._store = store
        self._codec = codec

    async def write(self, actor: str, firsts: Sequence[First]) -> list[Appended | Repeated]:
        """What became of each, in the order given. Refuses RequestReused, VersionConflict."""
        if not firsts:
            return []
        with telemetry.detail("append"):
            traceparent = telemetry.current_traceparent()
            appends = [await self._append(actor, traceparent, first) for first in firsts]
            return await self._store.bulk_append(appends)

    async def _append(self, actor: str, traceparent: str, first: First) -> Append:
        request_id = derive(*first.name)
        return Append(
            request_id=request_id,
            fingerprint=sha256(f"{request_id}\0{first.means}".encode()).digest(),
            answer=first.answer.SerializeToString(deterministic=True),
            streams=(
                StreamAppend(
                    stream=first.stream,
                    category=first.kind.category,
                    pool=first.pool,
                    expected_version=0,
                    events=(await self._codec.encode(first.stream, 1, first.event),),
                ),
            ),
            meta=Meta(
                request_id=request_id,
                actor=actor,
                traceparent=traceparent,
                code_version=code_version(),
            ),
        )
