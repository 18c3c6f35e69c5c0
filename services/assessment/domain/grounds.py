"""What decisions after a grade stand on, and the conditions they share. Pure: no clock, no I/O."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeVar
from uuid import UUID

from kernel.refusal import Invalid, Violation
from kernel.rules.figure import Figure
from kernel.rules.pack import Pack
from kernel.rules.ruling import Clause, Fact, FactRef, Trace

E = TypeVar("E")
_ADMINISTRATION = "长期护理保险失能等级评估管理办法(试行), 医保发〔2023〕29号"
OTHER_PEOPLE = Clause(
    key="assessment.other_people", citation=f"{_ADMINISTRATION}: other people", verified=False
)


@dataclass(frozen=True, kw_only=True)
class Grounds:
    """The events on record about an application, oldest first, as facts for a ruling."""

    facts: tuple[Fact, ...] = ()
    code_version: str = ""

    def of(self, *kinds: type[E]) -> tuple[Fact, ...]:
        """The facts of these kinds."""
        return tuple(fact for fact in self.facts if isinstance(fact.event, kinds))

    def newest(self, *kinds: type[E]) -> tuple[Fact, ...]:
        """The newest fact of each of these kinds."""
        found = [self.of(kind)[-1:] for kind in kinds]
        return tuple(fact for facts in found for fact in facts)


def event_in(facts: Sequence[Fact], kind: type[E]) -> E | None:
    """The newest event of a kind among facts."""
    events = [fact.event for fact in facts if isinstance(fact.event, kind)]
    return events[-1] if events else None


def refs(facts: Sequence[Fact]) -> tuple[FactRef, ...]:
    return tuple(fact.ref for fact in facts)


def check_other_people(trace: Trace, deciding: Sequence[str], before: Sequence[str]) -> bool:
    """Nobody decides on the own earlier work."""
    twice = sorted(set(deciding) & set(before))
    return trace.check(
        holds=not twice,
        clause=OTHER_PEOPLE,
        label="decided by people who had no part in it before (由其他人员处理)",
        inputs={"people_now": len(set(deciding)), "people_twice": ",".join(twice)},
    )


def check_in_time(
    trace: Trace, figure: Figure | Clause, label: str, days: Mapping[str, date]
) -> bool:
    """The first of the two days is not after the second, the last day that counts."""
    (first, day), (last, limit) = days.items()
    return trace.check(
        holds=day <= limit,
        clause=figure,
        label=label,
        inputs={first: f"{day}", last: f"{limit}"},
    )


def known_figure(pack: Pack, key: str, on: date) -> Figure | None:
    """The figure in force on a day; None where the pool has none: nobody guesses one."""
    return next((figure for figure in pack.history(key) if figure.holds_on(on)), None)


def joined(names: Sequence[str]) -> str:
    """A list as a ruling holds it."""
    return ",".join(names)


def parted(told: object) -> tuple[str, ...]:
    """The list that `joined` wrote."""
    return tuple(one for one in str(told).split(",") if one)


def uuid_in(asked: Mapping[str, str | int], name: str) -> UUID:
    return UUID(str(asked[name]))


def date_in(asked: Mapping[str, str | int], name: str) -> date:
    return date.fromisoformat(str(asked[name]))


def check_items(field: str, items: Sequence[str], pack: Pack) -> None:
    """Items that are named are items of the pool's standard. Refuses Invalid."""
    known = {item.code for item in pack.standard().items}
    found = [
        Violation(
            f"{field}[{place}]",
            "UNKNOWN_ITEM",
            "is no item of the assessment standard",
            "评估标准中没有该指标",
        )
        for place, item in enumerate(items)
        if item not in known
    ]
    if found:
        raise Invalid(found)
