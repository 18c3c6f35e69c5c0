"""What a replay found: how many decisions of each kind, and every difference."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One decision that does not come out as recorded, or an event that is not as recorded.

    `what` is FACT_MISSING, FACT_DIFFERS, FACT_AFTER_DECISION, PACK_MISSING, PACK_DIFFERS,
    TOLD_MISSING, TOLD_DIFFERS, RULING_UNREADABLE, RULING_DIFFERS, NOT_REPEATABLE for a decision,
    and CHAIN_BROKEN, ORDER_DIFFERS, EVENT_MISSING for the log itself.
    """

    service: str
    position: int
    decision: str  # event type
    what: str
    where: str  # the input: `provider:17`, `pack 320400@…`, `amounts.carer_subsidy`
    recorded: str
    found: str


@dataclass
class Report:
    """Decisions by kind, and every difference."""

    decisions: dict[str, int] = field(default_factory=dict)
    differences: list[Difference] = field(default_factory=list)

    @property
    def count(self) -> int:
        return sum(self.decisions.values())

    def count_one(self, event_type: str) -> None:
        """One more decision of this type."""
        kind = event_type.partition("/")[0].rpartition(".")[2]
        self.decisions[kind] = self.decisions.get(kind, 0) + 1

    def add(self, other: "Report") -> None:
        """Takes in what another part of the history showed."""
        self.decisions = dict(Counter(self.decisions) + Counter(other.decisions))
        self.differences.extend(other.differences)

    def as_json(self) -> dict[str, Any]:
        return {
            "decisions": self.decisions,
            "count": self.count,
            "differences": [asdict(difference) for difference in self.differences],
        }

    @classmethod
    def of_json(cls, told: Mapping[str, Any]) -> "Report":
        """The inverse of `as_json`."""
        differences: Iterable[Mapping[str, Any]] = told["differences"]
        return cls(dict(told["decisions"]), [Difference(**one) for one in differences])
