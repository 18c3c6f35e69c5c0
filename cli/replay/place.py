"""How far a replay has come, kept in a file so that one that was killed can go on (断点续算)."""

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cli.replay.report import Report

FILE = "replay.json"
FORMAT = 1

Stretch = tuple[str, int, int]  # service, after a position, up to and with another


@dataclass(frozen=True, kw_only=True)
class Stood:
    """Where a log ended when the replay looked: its epoch, position, and that event's hash."""

    epoch: str
    position: int
    hash: str


@dataclass
class Place:
    """The stretches done and what they showed."""

    heads: dict[str, Stood]
    done: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    report: Report = field(default_factory=Report)

    def finish(self, stretch: Stretch, report: Report) -> None:
        """Notes a stretch as done."""
        service, after, upto = stretch
        self.done[service] = merged([*self.done.get(service, ()), (after, upto)])
        self.report.add(report)

    def missing(self, size: int) -> list[Stretch]:
        """What is not done yet, in pieces of at most `size` positions."""
        found: list[Stretch] = []
        for service, head in self.heads.items():
            begin = 0
            for after, upto in [*self.done.get(service, ()), (head.position, head.position)]:
                found += [
                    (service, first, min(first + size, after))
                    for first in range(begin, after, size)
                ]
                begin = max(begin, upto)
        return found

    @property
    def done_count(self) -> int:
        return sum(upto - after for spans in self.done.values() for after, upto in spans)

    @property
    def total(self) -> int:
        return sum(head.position for head in self.heads.values())

    def save(self, path: Path) -> None:
        """Writes the file at one stroke: whoever is killed leaves the old or the new."""
        told = {
            "format": FORMAT,
            "heads": {service: vars(head) for service, head in self.heads.items()},
            "done": self.done,
            "report": self.report.as_json(),
        }
        handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(told, file, ensure_ascii=False)
        Path(draft).replace(path)


def read_place(path: Path) -> Place | None:
    """The place kept in a file; None where there is none that this code can read."""
    try:
        told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if told["format"] != FORMAT:
            return None
        return Place(
            heads={service: Stood(**head) for service, head in told["heads"].items()},
            done={
                service: [(after, upto) for after, upto in spans]
                for service, spans in told["done"].items()
            },
            report=Report.of_json(told["report"]),
        )
    except (OSError, KeyError, TypeError, ValueError):
        return None


def merged(spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The same positions in as few spans as possible, in order."""
    found: list[tuple[int, int]] = []
    for after, upto in sorted(spans):
        if found and after <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], upto))
        else:
            found.append((after, upto))
    return found


def grown(old: Mapping[str, Stood], now: Mapping[str, Stood], at_old: Mapping[str, str]) -> bool:
    """Whether the logs are still those of `old`, and have at most gone on since.

    `at_old` are the hashes that now stand where the logs ended then.
    """
    return old.keys() == now.keys() and all(
        now[service].epoch == head.epoch
        and now[service].position >= head.position
        and at_old.get(service, "") == head.hash
        for service, head in old.items()
    )
