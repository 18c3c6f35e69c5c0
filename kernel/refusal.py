"""The ways a request can be turned down, told apart by what its caller can do about it.

A refusal is an answer, not a fault: it carries a stable reason, and the rpc layer gives it to
the caller word by word. Pure: no clock, no I/O.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

E = TypeVar("E", bound=Exception)


def without_traceback(error: E) -> E:
    """The error as an answer that is kept for a while: without the way it came.

    A traceback holds every frame it passed with all that these know; an answer that lies in a
    list of one of them would keep itself, and thousands of rows beside it, alive.
    """
    return error.with_traceback(None)


class Refused(Exception):  # noqa: N818 - named as the answer it is
    """A rule forbids it now: asking again changes nothing until the facts change.

    `reason` is UPPER_SNAKE_CASE and part of the interface; facts are short strings for the
    reader, never personal data.
    """

    def __init__(self, reason: str, /, **facts: str) -> None:
        self.reason = reason
        self.facts = facts
        told = ", ".join(f"{name}={value}" for name, value in sorted(facts.items()))
        super().__init__(f"{reason} ({told})" if told else reason)


@dataclass(frozen=True, slots=True)
class Violation:
    """What is wrong with one field (字段错误), in English and Chinese."""

    field: str
    reason: str
    message: str
    message_zh: str


class Invalid(Exception):  # noqa: N818 - named as the answer it is
    """The request itself is wrong, whatever the facts: every violation at once."""

    def __init__(self, violations: Iterable[Violation]) -> None:
        self.violations = tuple(violations)
        if not self.violations:
            raise ValueError("an invalid request has at least one violation")
        super().__init__("; ".join(f"{v.field}: {v.message}" for v in self.violations))

    @property
    def reason(self) -> str:
        """The reason of the first violation; fields are checked in a fixed order."""
        return self.violations[0].reason


class NotFound(Exception):  # noqa: N818 - named as the answer it is
    """There is no such thing: `kind` is its name in the protos, `id` what was asked for."""

    def __init__(self, kind: str, id: object) -> None:  # noqa: A002 - the interface's own word
        self.kind = kind
        self.id = str(id)
        super().__init__(f"no {kind} {self.id}")


class RequestReused(Exception):  # noqa: N818 - named as the answer it is
    """The request id was used before for a request of other content."""

    def __init__(self, request_id: object = "") -> None:
        self.request_id = str(request_id)
        super().__init__(f"request id {self.request_id} was used for another request".strip())
