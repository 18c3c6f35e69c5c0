"""What a detector is: a named, versioned rule, its figures, and the ruling on what it found.

Pure: no clock, no I/O. A detector accuses nobody: its ruling says what was seen, by which rule
and figure, and holds the payment of one visit until people have looked.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from kernel.rules.figure import Figure
from kernel.rules.pack import Pack
from kernel.rules.ruling import FactRef, Ruling, Trace
from services.provider.domain.detection.known import Known
from services.provider.domain.detection.seen import Seen, Suspicion, Values

QUESTION = "risk"
FLAGGED = "flagged"
FIGURES = "provider.detection"  # a table of whole numbers, by name
Limits = Mapping[str, int]
Find = Callable[[Seen, Known, Limits], Iterable[Suspicion]]


@dataclass(frozen=True, kw_only=True)
class Detector:
    """One rule. Its figures are names in the pack's table `provider.detection`."""

    name: str
    version: int
    title: str
    title_zh: str
    source: str  # the pattern it looks for
    figures: tuple[str, ...]
    label: str  # of the ruling's step
    find: Find  # in a visit that became known, among those before it

    @property
    def reason(self) -> str:
        return self.name.upper()

    def seen_in(self, seen: Seen, values: Values, *others: Seen) -> Suspicion:
        """That this detector found a visit worth a look, and what it saw."""
        return Suspicion(
            detector=self.name,
            version=self.version,
            pool=seen.pool,
            day=seen.care_date,
            values=values,
            visit=seen,
            positions=tuple(("provider", one.position) for one in (seen, *others)),
        )


@lru_cache(maxsize=4096)
def figure_of(pack: Pack, day: date) -> Figure:
    """The table of figures in force on a day. Refuses FIGURE_UNKNOWN."""
    return pack.figure(FIGURES, day)


def rule_risk(
    detector: Detector, asked: Mapping[str, str | int], basis: "RiskBasis", subject: str
) -> Ruling:
    """The ruling on what a detector saw: `asked` holds it by value, with the day it is about."""
    figure = figure_of(basis.pack, date.fromisoformat(str(asked["day"])))
    limits = figure.numbers()
    trace = Trace()
    trace.check(
        holds=False,
        clause=figure,
        label=detector.label,
        inputs={
            **{name: value for name, value in asked.items() if name not in _NOT_SEEN},
            **{name: limits[name] for name in detector.figures},
        },
    )
    return Ruling(
        question=QUESTION,
        subject=subject,
        pool=basis.pool,
        asked=asked,
        outcome=FLAGGED,
        reasons=(detector.reason,),
        amounts={"held": int(asked["held_fen"])},
        facts=basis.facts,
        pack=basis.pack.pin,
        steps=trace.steps,
        code_version=basis.code_version,
    )


@dataclass(frozen=True, kw_only=True)
class RiskBasis:
    """What a flag's ruling stands on beside what was seen."""

    pool: str
    facts: tuple[FactRef, ...]
    pack: Pack
    code_version: str


def asked_of(suspicion: Suspicion) -> dict[str, str | int]:
    """What was seen, as the ruling keeps it."""
    return {
        "detector": suspicion.detector,
        "detector_version": suspicion.version,
        "day": suspicion.day.isoformat(),
        "held_fen": suspicion.held_fen,
        **suspicion.values,
    }


_NOT_SEEN = frozenset({"day", "held_fen"})
