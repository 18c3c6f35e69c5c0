"""A letter that was issued (文书): what is kept of it, and that it is issued once. Pure.

Every letter is a stream of its own, `letter/{letter}`, so that whoever holds its id finds it. Its
event stands in the same append as the decision it tells.
"""

from dataclasses import dataclass
from datetime import date
from uuid import UUID


@dataclass(frozen=True, kw_only=True)
class LetterIssued:
    """Nothing in it is personal: the addressee's name is put in when it is printed."""

    letter: UUID
    person: UUID | None  # None where it is to a body
    pool: str
    kind: str  # by the names of phrases.toml
    application: UUID | None  # None where it belongs to none
    decision: str  # the short name of the decision's event
    decision_digest: str  # names the decision's event, as `fact_digest` does
    ruling_hash: str  # SHA-256 of the ruling that the decision stands on, in hex
    officer: str  # who acted, an opaque id or a role
    issued_date: date
    languages: tuple[str, ...]
    hash: str  # SHA-256 of the document, in hex
    document: bytes  # canonical JSON
    provider: UUID | None = None  # the body it is to


@dataclass(frozen=True, kw_only=True)
class IssueLetter:
    told: LetterIssued


@dataclass(frozen=True, kw_only=True)
class Letter:
    """One letter, issued or not yet."""

    issued: LetterIssued | None = None


def decide(command: IssueLetter, letter: Letter) -> list[LetterIssued]:
    """Issues a letter once: what was written stays, whatever words are used later."""
    return [] if letter.issued else [command.told]


def evolve(_letter: Letter, event: LetterIssued) -> Letter:
    """The letter once it is issued."""
    return Letter(issued=event)
