"""Letters as a service recorded them, for the tests of every service that writes some."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ltci.letters.v1 import events_pb2 as pb

from kernel.eventstore.envelope import Recorded
from kernel.letters.compose import read
from kernel.letters.event import TYPE


@dataclass(frozen=True)
class Written:
    """A letter, and where it stands in the log."""

    recorded: Recorded
    event: pb.LetterIssued
    document: dict[str, Any]


def letters_in(events: Iterable[Recorded]) -> list[Written]:
    """The letters among these events, each read under its hash."""
    found = []
    for one in events:
        if one.type == TYPE:
            event = pb.LetterIssued.FromString(one.payload)
            found.append(Written(one, event, read(event.document, event.hash)))
    return found


def same_append(events: Sequence[Recorded], letter: Written) -> list[str]:
    """The short names of what was recorded together with a letter, the letter left out."""
    wanted = letter.recorded.meta.request_id
    return [
        one.type.rpartition("/")[0].rpartition(".")[2]
        for one in events
        if one.meta.request_id == wanted and one.type != TYPE
    ]
