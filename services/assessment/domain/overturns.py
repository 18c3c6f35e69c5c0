"""How often what was decided did not stand: numbers for the law-maker (争议与改判统计). Pure.

An objection, a review and an appeal are a dispute each. What it attacked (clauses of the ruling,
items of the form) and who had assessed before (assessors, and the bodies they belong to) each get
the dispute counted; it counts as overturned where the objection or appeal was upheld, or the
review came to another grade. An item is overturned where the review scored it otherwise, or where
an appeal that attacked it was upheld.
"""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from services.assessment.domain import dispute_events as d
from services.assessment.domain.assessor import AssessorRegistered

TEN_THOUSAND = 10_000


class By(StrEnum):
    """What disputes are counted by."""

    KIND = "kind"  # objection, review, appeal
    CLAUSE = "clause"
    ITEM = "item"
    ASSESSOR = "assessor"
    BODY = "body"


@dataclass(frozen=True, kw_only=True)
class Line:
    """How many disputes were filed, decided and overturned; `overturned_bp` of the decided."""

    by: By
    name: str
    filed: int
    decided: int
    overturned: int

    @property
    def overturned_bp(self) -> int:
        """Share of the decided that were overturned, in basis points, rounded down."""
        return self.overturned * TEN_THOUSAND // self.decided if self.decided else 0


@dataclass
class Overturns:
    """The counts so far. Events may be told in the order of the log only."""

    _filed: Counter[tuple[By, str]] = field(default_factory=Counter)
    _decided: Counter[tuple[By, str]] = field(default_factory=Counter)
    _overturned: Counter[tuple[By, str]] = field(default_factory=Counter)
    _bodies: dict[str, str] = field(default_factory=dict)  # by assessor
    _attacked: dict[UUID, tuple[str, ...]] = field(default_factory=dict)  # items, by application

    def tell(self, event: object) -> None:
        """Counts an event; what is no dispute passes."""
        match event:
            case AssessorRegistered() if event.body:
                self._bodies[event.assessor] = str(event.body)
            case d.ObjectionFiled():
                self._file("objection", event.attacked_clauses, event.attacked_items)
            case d.ReviewRequested() | d.ReviewOrdered():
                self._attacked[event.application] = event.attacked_items
                self._file("review", event.attacked_clauses, event.attacked_items)
            case d.AppealFiled():
                self._file("appeal", event.attacked_clauses, event.attacked_items)
            case d.ObjectionDecided():
                self._judge("objection", event, upheld=event.outcome is d.ObjectionOutcome.UPHELD)
            case d.AppealDecided():
                self._judge("appeal", event, upheld=event.outcome is d.AppealOutcome.UPHELD)
            case d.ReviewGraded():
                self._review(event)

    def lines(self) -> list[Line]:
        """All lines, the most overturned of each kind first."""
        places = sorted({*self._filed, *self._decided})
        found = [
            Line(
                by=by,
                name=name,
                filed=self._filed[by, name],
                decided=self._decided[by, name],
                overturned=self._overturned[by, name],
            )
            for by, name in places
        ]
        order = list(By)
        return sorted(found, key=lambda one: (order.index(one.by), -one.overturned, one.name))

    def _file(self, kind: str, clauses: Collection[str], items: Collection[str]) -> None:
        self._filed.update(_places(kind, clauses, items))

    def _judge(
        self, kind: str, event: d.ObjectionDecided | d.AppealDecided, *, upheld: bool
    ) -> None:
        places = _places(kind, event.attacked_clauses, event.attacked_items)
        places += self._people(event.original_assessors)
        self._decide(places, places if upheld else [])

    def _review(self, event: d.ReviewGraded) -> None:
        changed = {change.item for change in event.changed_items}
        attacked = {*self._attacked.pop(event.application, ()), *changed}
        places = _places("review", event.attacked_clauses, ())
        places += self._people(event.original_assessors)
        overturned = places if event.grade != event.grade_before else []
        self._decide(
            [*places, *((By.ITEM, item) for item in attacked)],
            [*overturned, *((By.ITEM, item) for item in changed)],
        )

    def _decide(
        self, decided: Collection[tuple[By, str]], overturned: Collection[tuple[By, str]]
    ) -> None:
        self._decided.update(decided)
        self._overturned.update(overturned)

    def _people(self, assessors: Collection[str]) -> list[tuple[By, str]]:
        """Those who had assessed, and their bodies: each body once a dispute."""
        bodies = {self._bodies[one] for one in assessors if one in self._bodies}
        return [
            *((By.ASSESSOR, one) for one in dict.fromkeys(assessors)),
            *((By.BODY, body) for body in sorted(bodies)),
        ]


def _places(kind: str, clauses: Collection[str], items: Collection[str]) -> list[tuple[By, str]]:
    return [
        (By.KIND, kind),
        *((By.CLAUSE, clause) for clause in dict.fromkeys(clauses)),
        *((By.ITEM, item) for item in dict.fromkeys(items)),
    ]
