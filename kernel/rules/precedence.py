"""Which report counts where sources contradict each other (信息来源优先级). Pure: no clock, no I/O.

Every report is kept; this says which of them stand. Reports are about a thing: a death, or what
happened on one day. About each thing a source has one voice, that of its newest report; where
the voices of sources differ, the stronger source of the pack's table counts. So a weaker source
changes nothing, however late it comes, and the order in which sources speak does not matter;
only a source's own order does, since it may put itself right.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import reduce
from typing import TYPE_CHECKING, TypeAlias
from uuid import UUID

from kernel.rules.figure import Figure, FigureMisread, FigureUnknown

if TYPE_CHECKING:
    from kernel.rules.pack import Pack

KEY = "enrollment.source_precedence"
ANY = "any"
UNNAMED = "unnamed"  # of reports that do not say who speaks
WHO_COUNTS = "of contradicting reports the stronger source counts (信息来源优先级)"
SOURCES = ("person", "provider", "hospital", "register", "assessor", "court")
DEATH, ALIVE = "death", "found_alive"
# What the pack's table may tell apart, by kind of report.
TOPICS: Mapping[str, str] = {
    DEATH: "death",
    ALIVE: "death",
    "admission": "hospital",
    "discharge": "hospital",
    "moved_away": "residence",
    "moved_to_pool": "residence",
    "moved_abroad": "residence",
    "returned": "residence",
    "work_injury_began": "benefit",
    "work_injury_ended": "benefit",
    "other_benefit_began": "benefit",
    "other_benefit_ended": "benefit",
    "third_party_began": "liability",
    "third_party_ended": "liability",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """What a source says of a day: that something happened on it, or, `denied`, that it did not."""

    id: UUID
    kind: str  # by the names in `TOPICS`
    day: date
    source: str  # by the names in `SOURCES`; empty where nobody is named
    denied: bool = False
    arrived: int  # its place among the reports: who came later has the higher one

    @property
    def thing(self) -> tuple[str, date | None]:
        """What it is about: reports about one thing can contradict each other."""
        return (DEATH, None) if self.kind in {DEATH, ALIVE} else (self.kind, self.day)


@dataclass(frozen=True, slots=True)
class Dispute:
    """Of two reports that contradict each other, the one that counts and the one set aside."""

    counts: Report
    aside: Report

    @property
    def topic(self) -> str:
        return TOPICS[self.counts.kind]

    @property
    def source(self) -> str:
        """The source that counts."""
        return self.counts.source or UNNAMED


def told_of(dispute: Dispute) -> dict[str, str | int]:
    """The inputs of the step that says which of two reports counts."""
    counts, aside = dispute.counts, dispute.aside
    return {
        "counts": counts.kind,
        "counts_date": counts.day.isoformat(),
        "counts_denied": counts.denied,
        "aside": aside.kind,
        "aside_date": aside.day.isoformat(),
        "aside_denied": aside.denied,
        "aside_source": aside.source or UNNAMED,
    }


@dataclass(frozen=True, slots=True)
class Weighed:
    """The reports of what counts as having happened, and what was set aside."""

    counting: tuple[Report, ...] = ()
    disputes: tuple[Dispute, ...] = ()

    @property
    def death(self) -> Report | None:
        """The death that counts; None where the person counts as alive."""
        return next((report for report in self.counting if report.kind == DEATH), None)

    def days_of(self, kind: str) -> frozenset[date]:
        """The days on which something of this kind counts as having happened."""
        return frozenset(report.day for report in self.counting if report.kind == kind)


Rank: TypeAlias = Callable[[str], Sequence[str]]  # a topic's sources, the strongest first


def weigh(reports: Iterable[Report], rank: Rank) -> Weighed:
    """What counts of these reports; `rank` is asked only where sources contradict each other."""
    things: defaultdict[tuple[str, date | None], list[Report]] = defaultdict(list)
    for report in sorted(reports, key=lambda one: one.arrived):
        things[report.thing].append(report)
    counting: list[Report] = []
    disputes: list[Dispute] = []
    for (kind, _), told in sorted(things.items(), key=lambda one: (one[0][0], str(one[0][1]))):
        found = _death(told, rank) if kind == DEATH else _happened(told, rank)
        counting += found.counting
        disputes += found.disputes
    counting.sort(key=lambda one: (one.day, one.kind, one.id))
    return Weighed(tuple(counting), tuple(disputes))


def still_said(reports: Iterable[Report], asked: Report) -> tuple[Report, ...]:
    """What a report's source says of its thing: what no newer report of that source replaced."""
    told = [one for one in reports if (one.source, one.thing) == (asked.source, asked.thing)]
    told.sort(key=lambda one: one.arrived)
    if asked.thing[0] != DEATH:
        return tuple(told[-1:])
    voice = reduce(_Voice.hears, told, _Voice())
    return voice.alive if voice.death is None else (voice.death, *voice.alive)


def ranks_of(pack: "Pack") -> Rank:
    """The order of sources as the pack's newest table says it.

    How reports are weighed is a rule of procedure: the newest table holds for all days.
    Refuses FIGURE_UNKNOWN where the pack has none.
    """
    return lambda topic: ranking(precedence_figure(pack), topic)


def precedence_figure(pack: "Pack") -> Figure:
    """The pack's newest table. Refuses FIGURE_UNKNOWN where there is none."""
    history = pack.history(KEY)
    if not history:
        raise FigureUnknown(KEY, pack.pool)
    return history[-1]


def ranking(figure: Figure, topic: str) -> tuple[str, ...]:
    """A topic's sources, the strongest first: its own row, or the one for any."""
    table = figure.table()
    return tuple(table.get(topic, table[ANY]))


def read_precedence(figure: Figure) -> Mapping[str, tuple[str, ...]]:
    """The table as it must be: a row `any`, every row with every source once."""
    table = figure.table()
    if ANY not in table or not set(table) <= {ANY, *TOPICS.values()}:
        raise ValueError(f"rows are {ANY} and any of {', '.join(sorted(set(TOPICS.values())))}")
    for topic, sources in table.items():
        if not isinstance(sources, list):
            raise FigureMisread(f"{figure.key}: {topic} wants a list of sources")
        if sorted(sources) != sorted(SOURCES):
            raise ValueError(f"{topic} has each of {', '.join(SOURCES)} once")
    return {topic: tuple(sources) for topic, sources in table.items()}


def _happened(told: Sequence[Report], rank: Rank) -> Weighed:
    """Whether one thing happened on its day: each source's newest word, the strongest first."""
    voices = {report.source: report for report in told}
    if len({voice.denied for voice in voices.values()}) == 1:
        first = min(voices.values(), key=lambda one: one.id)
        return Weighed(() if first.denied else (first,))
    ordered = _by_strength(voices, rank(TOPICS[told[0].kind]))
    counts = ordered[0]
    aside = tuple(Dispute(counts, one) for one in ordered if one.denied != counts.denied)
    return Weighed(() if counts.denied else (counts,), aside)


@dataclass(frozen=True, slots=True)
class _Voice:
    """What one source says of a death: its newest day, and days it found the person alive."""

    death: Report | None = None
    alive: tuple[Report, ...] = ()

    def hears(self, report: Report) -> "_Voice":
        """The voice after one more report of its own: the newer one replaces what it denies."""
        if report.kind == DEATH:
            kept = tuple(one for one in self.alive if one.day <= report.day)
            return _Voice(report, kept)
        denied = self.death is not None and self.death.day < report.day
        return _Voice(None if denied else self.death, (*self.alive, report))

    @property
    def seen(self) -> Report | None:
        """The last day it found the person alive."""
        return max(self.alive, key=lambda one: (one.day, one.id), default=None)


def _death(told: Sequence[Report], rank: Rank) -> Weighed:
    """The death that counts. Being found alive contradicts a death on an earlier day only."""
    voices: defaultdict[str, _Voice] = defaultdict(_Voice)
    for report in told:
        voices[report.source] = voices[report.source].hears(report)
    deaths = [voice.death for voice in voices.values() if voice.death is not None]
    seen = [voice.seen for voice in voices.values() if voice.seen is not None]
    if not deaths:
        return Weighed()
    last_seen = max((one.day for one in seen), default=date.min)
    if len({one.day for one in deaths}) == 1 and last_seen <= deaths[0].day:
        return Weighed((min(deaths, key=lambda one: one.id),))
    return _strongest_death(voices, rank(TOPICS[DEATH]))


def _strongest_death(voices: Mapping[str, _Voice], rank: Sequence[str]) -> Weighed:
    counts: Report | None = None
    seen: Report | None = None  # the latest day on which a source so far found the person alive
    disputes: list[Dispute] = []
    for source in sorted(voices, key=lambda one: _place(one, rank)):
        voice = voices[source]
        if voice.death is not None:
            if counts is not None:
                if counts.day != voice.death.day:
                    disputes.append(Dispute(counts, voice.death))
            elif seen is not None and seen.day > voice.death.day:
                disputes.append(Dispute(seen, voice.death))
            else:
                counts = voice.death
        found = voice.seen
        if found is not None and counts is not None and found.day > counts.day:
            disputes.append(Dispute(counts, found))
        elif found is not None and (seen is None or found.day > seen.day):
            seen = found
    return Weighed(() if counts is None else (counts,), tuple(disputes))


def _by_strength(voices: Mapping[str, Report], rank: Sequence[str]) -> list[Report]:
    return [voices[source] for source in sorted(voices, key=lambda one: _place(one, rank))]


def _place(source: str, rank: Sequence[str]) -> tuple[int, str]:
    """Where a source stands; one that the table does not name is weaker than all it names."""
    return (rank.index(source) if source in rank else len(rank), source)
