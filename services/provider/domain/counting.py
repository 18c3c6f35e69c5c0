"""What is counted of a provider's month of care (服务监测计数). Pure: no clock, no I/O.

Each thing that is counted (a visit, a flag, a complaint) has one state, and its counts follow from
that state alone. A change takes the old counts away and adds the new ones, so the sums never depend
on the order in which different things were told.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

BUCKET_MINUTES = 15  # lengths of visits are counted by quarters of an hour
Key = tuple[str, str]  # what is counted, and which of these


@dataclass(frozen=True, kw_only=True)
class CountedVisit:
    """A visit with a verdict."""

    day: str  # of care
    caregiver: str = ""
    minutes: int = 0
    delivered: bool
    reasons: tuple[str, ...] = ()
    cost_fen: int = 0
    verdict_count: int = 1  # more than one: it was corrected


@dataclass(frozen=True, kw_only=True)
class CountedFlag:
    """A flag of a detector, and its fate: `open`, `cleared` or `confirmed`."""

    detector: str
    fate: str = "open"


@dataclass(frozen=True, kw_only=True)
class CountedComplaint:
    """A complaint by its outcome; empty while it is not answered."""

    outcome: str = ""


Counted = CountedVisit | CountedFlag | CountedComplaint


def counts_of(thing: Counted | None) -> Counter[Key]:
    """What one thing adds to the sums of its month."""
    match thing:
        case None:
            return Counter()
        case CountedVisit():
            return _of_visit(thing)
        case CountedFlag():
            return Counter({("flag", f"{thing.detector}/{thing.fate}"): 1})
        case CountedComplaint():
            return Counter({("complaint", thing.outcome or "open"): 1})


def moved(before: Counted | None, after: Counted | None) -> Mapping[Key, int]:
    """What the sums change by, where a thing changes its state."""
    change = counts_of(after)
    change.subtract(counts_of(before))
    return {key: count for key, count in change.items() if count}


def _of_visit(visit: CountedVisit) -> Counter[Key]:
    verdict = "delivered" if visit.delivered else "rejected"
    counts: Counter[Key] = Counter(
        {
            ("visit", verdict): 1,
            (f"day_{verdict}", visit.day): 1,
            ("cost_fen", verdict): visit.cost_fen,
            ("minutes", f"{visit.minutes // BUCKET_MINUTES * BUCKET_MINUTES:04d}"): 1,
        }
    )
    counts.update({("reason", reason): 1 for reason in visit.reasons})
    if visit.delivered and visit.caregiver:
        counts["caregiver_minutes", visit.caregiver] += visit.minutes
    if visit.verdict_count > 1:
        counts["visit", "corrected"] += 1
    return counts
