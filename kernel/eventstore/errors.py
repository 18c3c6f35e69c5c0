"""What an event store refuses, and why."""

from uuid import UUID

from eventsourcing.persistence import IntegrityError, OperationalError, PersistenceError

from kernel.refusal import RequestReused

__all__ = [
    "HistoryDiffers",
    "RequestReused",
    "StoreOverloaded",
    "StoreUnavailable",
    "VersionConflict",
]


class VersionConflict(IntegrityError):  # noqa: N818 - named as what happened
    """The stream moved on since the caller read it: read again and decide again."""

    def __init__(self, stream: UUID, expected: int, actual: int) -> None:
        super().__init__(f"stream {stream} is at version {actual}, not {expected}")
        self.stream = stream
        self.expected = expected
        self.actual = actual


class StoreOverloaded(PersistenceError):  # noqa: N818 - named as what happened
    """More appends wait than the store takes; nothing was kept, try later."""


class StoreUnavailable(OperationalError):  # noqa: N818 - named as what happened
    """The database did not answer in time. Repeat with the same request id to learn the outcome."""


class HistoryDiffers(PersistenceError):  # noqa: N818 - named as what happened
    """The reader's cursor is from another history (a restored or replaced log)."""
