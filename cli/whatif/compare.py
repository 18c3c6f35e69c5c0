"""Old and new side by side: who gains, who loses, how much, by grade, group, setting and month."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from cli.whatif.rerun import MonthResult, Refusal, Result, same
from kernel.calendar import Month
from kernel.rules.ruling import Ruling

UNKNOWN = "unknown"
SHOWN_DIFFERENCES = 20


@dataclass(frozen=True, kw_only=True)
class Sums:
    """Amounts of a month or of many, in fen."""

    cost: int = 0  # eligible cost
    fund: int = 0
    own: int = 0

    @classmethod
    def of(cls, ruling: Ruling | None) -> "Sums":
        if ruling is None:
            return cls()
        told = ruling.amounts
        return cls(cost=told["eligible_cost"], fund=told["fund_share"], own=told["personal_share"])

    def __add__(self, other: "Sums") -> "Sums":
        return Sums(
            cost=self.cost + other.cost, fund=self.fund + other.fund, own=self.own + other.own
        )


@dataclass(frozen=True, kw_only=True)
class Row:
    """One person's month, old and new. Where the draft refuses, there is no new."""

    person: UUID
    month: Month
    group: str
    grade: str
    setting: str
    old: Sums
    new: Sums
    refused: Refusal | None = None

    @property
    def difference(self) -> int:
        return self.new.fund - self.old.fund


@dataclass(frozen=True, kw_only=True)
class Line:
    """The sum of some rows that can be compared."""

    label: str
    months: int
    old: Sums
    new: Sums
    gainers: int  # people
    losers: int

    @property
    def difference(self) -> int:
        return self.new.fund - self.old.fund

    def as_json(self) -> dict[str, Any]:
        return {
            "label": self.label,
            "months": self.months,
            "old_fund_fen": self.old.fund,
            "new_fund_fen": self.new.fund,
            "difference_fen": self.difference,
            "old_personal_fen": self.old.own,
            "new_personal_fen": self.new.own,
            "gainers": self.gainers,
            "losers": self.losers,
        }


@dataclass
class ZeroCheck:
    """The same machinery under the packs that the decisions pin: it must change nothing."""

    decisions: int = 0
    months_without: int = 0  # settled months without a benefit, which must stay without
    differences: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        return not self.differences

    def hold(self, name: str, recorded: Ruling | None, again: Result | None) -> None:
        """Holds one result against what was recorded."""
        if recorded is None:
            self.months_without += 1
        else:
            self.decisions += 1
        # A month that the rules could not decide then was not recorded, and they cannot now.
        undecided = recorded is None and isinstance(again, Refusal)
        if not undecided and not same(recorded, again):
            self.differences.append(name)

    def as_json(self) -> dict[str, Any]:
        return {
            "decisions": self.decisions,
            "months_without_benefit": self.months_without,
            "differences": self.differences,
        }


@dataclass
class Comparison:
    """Everything a what-if run found."""

    rows: list[Row] = field(default_factory=list)
    decisions: Counter[str] = field(default_factory=Counter)
    changed: Counter[tuple[str, str, str]] = field(default_factory=Counter)  # kind, was, now
    refused: Counter[tuple[str, str, str]] = field(default_factory=Counter)  # kind, reason, key
    zero: ZeroCheck = field(default_factory=ZeroCheck)
    without_facts: int = 0  # people newly eligible, of whose need nothing is known

    def take(self, kind: str, recorded: Ruling | None, again: Result | None) -> None:
        """Counts one decision made again under the draft."""
        if recorded is not None or again is not None:
            self.decisions[kind] += 1
        if isinstance(again, Refusal):
            self.refused[kind, again.reason, again.key] += 1
        elif not same(recorded, again):
            self.changed[kind, outcome(recorded), outcome(again)] += 1

    def take_month(self, result: MonthResult, group: str) -> None:
        """A month of a person, if it has or would have a benefit."""
        self.take("benefit", result.recorded, result.again)
        if result.recorded is None and result.again is None:
            return
        again = None if isinstance(result.again, Refusal) else result.again
        grade, setting = placed(again or result.recorded)
        self.rows.append(
            Row(
                person=result.person,
                month=result.month,
                group=group,
                grade=grade,
                setting=setting,
                old=Sums.of(result.recorded),
                new=Sums.of(again),
                refused=result.again if isinstance(result.again, Refusal) else None,
            )
        )

    @property
    def comparable(self) -> list[Row]:
        return [row for row in self.rows if row.refused is None]

    def total(self) -> Line:
        return _line("all", self.comparable)

    def refused_total(self) -> Line:
        """What was paid in the months that the draft cannot decide: in no other sum."""
        return _line("refused", [row for row in self.rows if row.refused is not None])

    def lines(self, name: str) -> list[Line]:
        """Sums by `grade`, `group`, `setting` or `month`, in the order of their labels."""
        return _lines(self.comparable, lambda row: str(getattr(row, name)))

    def by_person(self) -> dict[UUID, int]:
        """What each person's months differ by, in fen."""
        return _by_person(self.comparable)

    def as_json(self) -> dict[str, Any]:
        """No person is named, not even by an opaque id: those are in the CSV."""
        return {
            "total": self.total().as_json(),
            "refused_total": self.refused_total().as_json(),
            **{
                f"by_{name}": [line.as_json() for line in self.lines(name)]
                for name in ("grade", "group", "setting", "month")
            },
            "decisions": dict(sorted(self.decisions.items())),
            "changed": [
                {"decision": kind, "was": was, "now": now, "count": count}
                for (kind, was, now), count in sorted(self.changed.items())
            ],
            "refused": [
                {"decision": kind, "reason": reason, "key": key, "count": count}
                for (kind, reason, key), count in sorted(self.refused.items())
            ],
            "newly_eligible_without_facts": self.without_facts,
            "zero_check": self.zero.as_json(),
        }


def outcome(ruling: Result | None) -> str:
    """An outcome with its reasons, in one line."""
    if ruling is None:
        return "none"
    if isinstance(ruling, Refusal):
        return ruling.reason
    reasons = ", ".join(ruling.reasons)
    return f"{ruling.outcome} ({reasons})" if reasons else ruling.outcome


def placed(ruling: Ruling | None) -> tuple[str, str]:
    """Grade and form of care of a month; both where it changes within it: `3→4`."""
    if ruling is None:
        return UNKNOWN, UNKNOWN
    told = [step.inputs for step in ruling.steps if {"grade", "form"} <= step.inputs.keys()]
    return (
        "→".join(dict.fromkeys(str(one["grade"]) for one in told)) or UNKNOWN,
        "→".join(dict.fromkeys(str(one["form"]) for one in told)) or UNKNOWN,
    )


def _lines(rows: Iterable[Row], label: Callable[[Row], str]) -> list[Line]:
    buckets: dict[str, list[Row]] = {}
    for row in rows:
        buckets.setdefault(label(row), []).append(row)
    return [_line(name, bucket) for name, bucket in sorted(buckets.items())]


def _line(label: str, rows: Sequence[Row]) -> Line:
    people = _by_person(rows).values()
    return Line(
        label=label,
        months=len(rows),
        old=sum((row.old for row in rows), Sums()),
        new=sum((row.new for row in rows), Sums()),
        gainers=sum(difference > 0 for difference in people),
        losers=sum(difference < 0 for difference in people),
    )


def _by_person(rows: Iterable[Row]) -> dict[UUID, int]:
    people: dict[UUID, int] = {}
    for row in rows:
        people[row.person] = people.get(row.person, 0) + row.difference
    return people
