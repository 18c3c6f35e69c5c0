"""What a pool's history holds of a range of days: decisions, and each person's facts.

Reads only. What lies outside the range stays as it was decided: the draft rules are taken to be
in force from the first day of the range to the last.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from ltci.enrollment.v1 import enrollment_types_pb2 as enrollment_types
from ltci.enrollment.v1 import events_pb2 as enrollment_pb
from ltci.payment.v1 import events_pb2 as payment_pb

from cli.replay.judge import BENEFIT, REDO, Frozen, carries_ruling, ruling_bytes
from cli.replay.logs import Entry, Logs
from cli.replay.part import frozen_of
from kernel.calendar import Month
from kernel.replay import RawFact
from kernel.rules.ruling import FactRef, Ruling
from services.payment.domain.facts import PersonFact
from services.payment.incoming import SOURCES, fact_of, fact_types, place_of

COVERAGE_STARTED = "ltci.enrollment.v1.CoverageStarted/1"
UNKNOWN_GROUP = "unknown"


@dataclass(frozen=True, kw_only=True)
class Range:
    """Days of care, both in; a month belongs to it where all its days do."""

    first: date
    last: date

    def has_day(self, day: date) -> bool:
        return self.first <= day <= self.last

    def has_month(self, month: Month) -> bool:
        return self.first <= month.first and month.last <= self.last


@dataclass(frozen=True, kw_only=True)
class RecordedBenefit:
    """A month as it was determined."""

    person: UUID
    month: Month
    settled_month: Month
    ruling: Ruling


@dataclass
class PoolHistory:
    """A pool's facts and what its settlements knew; decisions are read as a stream."""

    pool: str
    frozen: Frozen
    facts: dict[UUID, list[PersonFact]] = field(default_factory=dict)
    groups: dict[UUID, list[tuple[date, str]]] = field(default_factory=dict)
    benefits: dict[tuple[UUID, Month], RecordedBenefit] = field(default_factory=dict)
    of_person: dict[UUID, list[RecordedBenefit]] = field(default_factory=dict)
    last_pin: str = ""  # the pack that payment used last

    @property
    def runs(self) -> list[Month]:
        """The settlement runs that were frozen, in order."""
        return sorted(Month.parse(month) for pool, month in self.frozen if pool == self.pool)

    def known(self, run: Month) -> Mapping[str, int]:
        """The last positions that a run knew."""
        return self.frozen[self.pool, str(run)]

    def keep(self, benefit: RecordedBenefit) -> None:
        """Takes in a month that was determined."""
        self.benefits[benefit.person, benefit.month] = benefit
        self.of_person.setdefault(benefit.person, []).append(benefit)
        self.last_pin = benefit.ruling.pack

    def group(self, person: UUID, on: date) -> str:
        """The group of insured a person belonged to on a day, as far as that is known."""
        told = [group for start, group in self.groups.get(person, ()) if start <= on]
        return told[-1] if told else UNKNOWN_GROUP


async def read_history(logs: Logs, pool: str) -> PoolHistory:
    """Everything but the decisions."""
    history = PoolHistory(pool, await frozen_of(logs))
    for source in SOURCES:
        async for entry in logs[source].of_types(fact_types(source)):
            _take_fact(history, source, entry)
    async for entry in logs["payment"].of_types([BENEFIT]):
        m = payment_pb.BenefitDetermined.FromString(entry.fact.payload)
        if m.pool != pool:
            continue
        history.keep(
            RecordedBenefit(
                person=UUID(m.person),
                month=Month.parse(m.month),
                settled_month=Month.parse(m.settled_month),
                ruling=Ruling.read(m.ruling),
            )
        )
    return history


async def decisions(
    logs: Logs, pool: str, within: Range
) -> AsyncIterator[tuple[str, RawFact, Ruling]]:
    """The pool's recorded decisions of those days, but for benefits: service, event, ruling."""
    for service, kinds in REDO.items():
        wanted = [kind for kind in kinds if kind != BENEFIT]
        async for entry in logs[service].of_types(wanted):
            if not carries_ruling(service, entry.fact):
                continue
            ruling = Ruling.read(ruling_bytes(entry.fact))
            if ruling.pool == pool and within.has_day(day_of(ruling)):
                yield service, entry.fact, ruling


_DAYS = (
    "on_date",
    "assessed_date",
    "start_time",
    "decided_date",
    "concluded_date",
    "settled_date",
    "application_date",
    "terminated_date",
    "review_date",
    "day",
)


def day_of(ruling: Ruling) -> date:
    """The day that a decision is about; what is due for a year or a month, its first."""
    asked = ruling.asked
    told = next((str(asked[name]) for name in _DAYS if asked.get(name)), "")
    if told:
        return date.fromisoformat(told[:10])
    if "month" in asked:
        return Month.parse(str(asked["month"])).first
    return Month(int(asked["year"]), 1).first


def _take_fact(history: PoolHistory, source: str, entry: Entry) -> None:
    raw = entry.fact
    place = place_of(source, raw.type, raw.payload)
    if place is None or place.pool not in {"", history.pool}:
        return
    ref: FactRef = raw.ref
    history.facts.setdefault(place.person, []).append(fact_of(raw.type, raw.payload, ref))
    if raw.type == COVERAGE_STARTED:
        m: Any = enrollment_pb.CoverageStarted.FromString(raw.payload)
        name = enrollment_types.InsuredGroup.Name(m.group).removeprefix("INSURED_GROUP_").lower()
        told = history.groups.setdefault(place.person, [])
        told.append((date.fromisoformat(m.start_date), name))
        told.sort()
