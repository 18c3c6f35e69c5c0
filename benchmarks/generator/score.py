"""How well detectors did: what they flagged, held against what was planted.

A planted subject that was flagged is *found*; the share found is the recall. A flag is *right*
where its subject is planted with that kind, or stands beside it (the other one of two visits
that cannot both be). A flag on a visit with another kind planted is counted apart, since it is
no clean one: it is neither right nor wrong. The precision is right / (right + wrong).
"""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.generator.sizes import Fraud

Flag = tuple[str, str]  # the detector's kind and its subject: a visit's id, a body's code


@dataclass(frozen=True, kw_only=True)
class Truth:
    """What was planted, by kind."""

    planted: Mapping[str, frozenset[str]]
    beside: Mapping[str, frozenset[str]]

    @property
    def cheated(self) -> frozenset[str]:
        """Every subject with anything planted on it or beside it."""
        return frozenset().union(*self.planted.values(), *self.beside.values())


@dataclass(frozen=True, kw_only=True)
class Score:
    """One detector's result."""

    kind: str
    planted: int
    found: int
    right: int
    other: int  # flags on what was planted with another kind
    wrong: int

    @property
    def recall(self) -> float | None:
        """None where nothing was planted."""
        return self.found / self.planted if self.planted else None

    @property
    def precision(self) -> float | None:
        """None where nothing was flagged that is either right or wrong."""
        flagged = self.right + self.wrong
        return self.right / flagged if flagged else None


def read_truth(file: Path) -> Truth:
    """The truth that the generator wrote."""
    planted: dict[str, set[str]] = {}
    beside: dict[str, set[str]] = {}
    with file.open(encoding="utf-8", newline="") as source:
        for row in csv.DictReader(source):
            side = planted if row["planted"] == "1" else beside
            side.setdefault(row["kind"], set()).add(row["subject"])
    return Truth(
        planted={kind: frozenset(found) for kind, found in planted.items()},
        beside={kind: frozenset(found) for kind, found in beside.items()},
    )


def score(truth: Truth, flags: Iterable[Flag]) -> list[Score]:
    """A score for each kind that was planted or flagged; a flag given twice counts once."""
    flagged: dict[str, set[str]] = {kind: set() for kind in truth.planted}
    for kind, subject in flags:
        flagged.setdefault(kind, set()).add(subject)
    cheated = truth.cheated
    scores = []
    for kind in sorted(flagged, key=_order):
        planted = truth.planted.get(kind, frozenset())
        meant = planted | truth.beside.get(kind, frozenset())
        found = flagged[kind]
        scores.append(
            Score(
                kind=kind,
                planted=len(planted),
                found=len(planted & found),
                right=len(found & meant),
                other=len((found - meant) & cheated),
                wrong=len(found - meant - cheated),
            )
        )
    return scores


def _order(kind: str) -> tuple[int, str]:
    known = [fraud.value for fraud in Fraud]
    return (known.index(kind) if kind in known else len(known), kind)
