"""What each detector finds of planted fraud, and how often it is wrong (recall and precision).

A generated month is told to the fold of the detectors as the services would have recorded it,
in the order in which it would have become known, in one process and without servers. Verdicts
come from the domain's rule. The flags are held against what was planted.

    python -m benchmarks detect [PEOPLE [SEED]]
"""

import json
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from time import perf_counter
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks._cost import peak_mib
from benchmarks.generator.city import credit_code
from benchmarks.generator.files import World
from benchmarks.generator.ground import provider_of
from benchmarks.generator.log import Log
from benchmarks.generator.score import Flag, Score, Truth, score
from benchmarks.generator.sizes import Sizes
from benchmarks.generator.visits import Visit
from kernel.config import ROOT
from kernel.rules.library import PackLibrary
from services.provider.domain.detection.seen import Suspicion
from services.provider.supervision import limits_of
from services.provider.watch import Watch

PEOPLE = 1_400
_AT_ONCE = 20_000  # events made, then heard: only the hearing is timed


@dataclass(frozen=True, kw_only=True)
class Result:
    """What came of one month."""

    scores: list[Score]
    visits: int
    events: int
    seconds: float  # in the fold alone
    clean_visits: int  # with nothing planted on or beside them
    clean_flagged: int
    clean_people: int  # of whom a clean visit was flagged
    clean_held_fen: int  # the cost of those of them that count
    clean_cost_fen: int  # of all clean visits that count
    wrong: list[tuple[str, str, str]]  # detector, subject, what it saw


def detect(sizes: Sizes, most: int | None = None) -> Result:
    """Tells a month to the detectors, with at most so many visits, and scores them."""
    world = World(sizes)
    log = Log(world)
    watch = Watch(limits_of(PackLibrary(ROOT / "rules")))
    planted: dict[str, set[str]] = defaultdict(set)
    beside: dict[str, set[str]] = defaultdict(set)
    visits = labelled = 0

    def tell(visit: Visit) -> None:
        nonlocal visits, labelled
        visits += 1
        labelled += bool(visit.labels)
        for kind, is_it in visit.labels:
            (planted if is_it else beside)[kind].add(visit.visit_id)

    found: list[Suspicion] = []
    events, seconds = 0, 0.0
    for some in _portions(log.events(tell, most)):
        begun = perf_counter()
        for heard in some:
            found += watch.hear(heard)
        seconds += perf_counter() - begun
        events += len(some)
    for kind, _, subject in world.bodies():
        planted[kind].add(subject)
    truth = Truth(
        planted={kind: frozenset(told) for kind, told in planted.items()},
        beside={kind: frozenset(told) for kind, told in beside.items()},
    )
    codes = {provider_of(world, n): credit_code(sizes.pool, n) for n in range(sizes.providers)}
    flags: list[tuple[Flag, Suspicion]] = [
        ((one.detector, _subject(one, codes)), one) for one in found
    ]
    cheated = truth.cheated
    wrong = [(flag, one) for flag, one in flags if flag[1] not in cheated]
    held = {flag[1]: one.visit for flag, one in wrong if one.visit is not None}
    return Result(
        scores=score(truth, [flag for flag, _ in flags]),
        visits=visits,
        events=events,
        seconds=seconds,
        clean_visits=visits - labelled,
        clean_flagged=len(held),
        clean_people=len({seen.person for seen in held.values()}),
        clean_held_fen=sum(log.cost_fen.get(name, 0) for name in held),
        clean_cost_fen=sum(fen for name, fen in log.cost_fen.items() if name not in cheated),
        wrong=[(*flag, str(dict(one.values))) for flag, one in wrong],
    )


def _portions(events: Iterator[Any]) -> Iterator[list[Any]]:
    some = []
    for event in events:
        some.append(event)
        if len(some) == _AT_ONCE:
            yield some
            some = []
    yield some


def _subject(one: Suspicion, codes: dict[Any, str]) -> str:
    """As the truth names it: a visit by its id, an assessor by name, a body by its code."""
    if one.visit is not None:
        return str(one.visit.visit)
    if one.assessor:
        return one.assessor
    return codes[one.provider]


def show(result: Result) -> None:
    table = Table(title="Planted fraud, and what the detectors found of it")
    for heading in (
        "kind",
        "planted",
        "found",
        "recall",
        "right",
        "wrong",
        "precision",
        "on other fraud",
    ):
        table.add_column(heading, justify="left" if heading == "kind" else "right")
    for one in result.scores:
        table.add_row(
            one.kind,
            f"{one.planted:,}",
            f"{one.found:,}",
            _share(one.recall),
            f"{one.right:,}",
            f"{one.wrong:,}",
            _share(one.precision),
            f"{one.other:,}",
        )
    Console(width=110).print(table)
    print(
        f"{result.visits:,} visits, {result.events:,} events;"
        f" {result.visits / result.seconds:,.0f} visits a second through the fold,"
        f" peak {peak_mib(os.getpid()):,.0f} MiB with the generator\n"
        f"clean visits flagged: {result.clean_flagged:,} of {result.clean_visits:,},"
        f" of {result.clean_people:,} people; held {result.clean_held_fen:,} fen"
        f" of {result.clean_cost_fen:,}. A flag holds a payment to the provider until people"
        f" have looked; it changes nobody's benefit."
    )


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def told(result: Result) -> dict[str, Any]:
    """The result as JSON has it."""
    scores: Iterable[dict[str, Any]] = (
        asdict(one) | {"recall": one.recall, "precision": one.precision} for one in result.scores
    )
    return asdict(result) | {
        "scores": list(scores),
        "visits_per_second": round(result.visits / result.seconds),
        "peak_mib": round(peak_mib(os.getpid())),
    }


def main(arguments: list[str]) -> None:
    people = int(arguments[0]) if arguments else PEOPLE
    seed = int(arguments[1]) if len(arguments) > 1 else 1
    sizes = Sizes(pool="510100", first=date(2025, 3, 1), people=people, fraud=0.01, seed=seed)
    result = detect(sizes)
    show(result)
    output = Path("build/bench/detect.json")
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(
        json.dumps({"people": people, "seed": seed, **told(result)}, indent=2, ensure_ascii=False)
        + "\n"
    )
    print(f"written to {output}")
