"""Imports: the same appends with the same guarantees, written by COPY in chunks.

A chunk is one commit. The writer lets other appends pass between chunks, and with others at
work it leaves them two thirds of the time.
"""

from collections.abc import Iterator, Sequence

from kernel.eventstore.connections import Connection
from kernel.eventstore.draft import Draft
from kernel.eventstore.envelope import Append

CHUNK_ROWS = 1000

_EVENT_COLUMNS = (
    "position",
    "recorded_at",
    "stream",
    "version",
    "kind_id",
    "payload",
    "sealed",
    "key_id",
    "meta",
    "hash",
)
_REQUEST_COLUMNS = (
    "request_id",
    "fingerprint",
    "answer",
    "first_position",
    "last_position",
    "recorded_at",
)


def chunks(appends: Sequence[Append]) -> Iterator[list[Append]]:
    """The appends in their order, in portions of one commit each."""
    chunk: list[Append] = []
    count = 0
    for append in appends:
        chunk.append(append)
        count += 1 + sum(len(part.events) for part in append.streams)
        if count >= CHUNK_ROWS:
            yield chunk
            chunk, count = [], 0
    if chunk:
        yield chunk


async def copy_rows(connection: Connection, schema: str, draft: Draft) -> str:
    """Writes a draft by COPY, in a transaction that holds the log's lock."""
    await connection.copy_records_to_table(
        "events", schema_name=schema, records=draft.events, columns=_EVENT_COLUMNS
    )
    await connection.copy_records_to_table(
        "requests", schema_name=schema, records=draft.requests, columns=_REQUEST_COLUMNS
    )
    await connection.execute(
        f"UPDATE {schema}.log SET last_position = $1, last_recorded_at = $2",
        draft.position,
        draft.recorded_at,
    )
    return "kept"
