"""What a conclusion that nobody has decided yet would mean (决定前预览). Pure: no clock, no I/O.

The person's months are computed twice by the rules of a settlement: from the facts known now, and
with the conclusion beside them. Nothing is recorded; months that were determined stay as they are.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from kernel.calendar import Month
from kernel.money import ZERO, Money
from kernel.refusal import Refused
from kernel.rules.pack import Pack
from kernel.rules.ruling import FactRef, canonical
from services.payment.domain.benefit import DeterminedMonth, months_due, rule_benefit
from services.payment.domain.course import Course
from services.payment.domain.facts import CaseFacts, Conclusion, PersonFact
from services.payment.domain.timeline import Timeline

NOT_RECORDED = FactRef("preview", 0, "")  # the conclusion that is thought of


@dataclass(frozen=True, kw_only=True)
class PreviewedMonth:
    """A month with the conclusion and without it; differences are signed fen."""

    month: Month
    determined: Money | None
    known: Money
    would_be: Money
    known_grade: int
    would_be_grade: int
    refused: str = ""

    @property
    def difference_fen(self) -> int:
        return self.would_be.fen - self.known.fen


@dataclass(frozen=True, kw_only=True)
class Effect:
    """What a conclusion would change."""

    months: tuple[PreviewedMonth, ...]
    as_known: Course
    as_would_be: Course
    digest: str

    @property
    def difference_fen(self) -> int:
        return sum(month.difference_fen for month in self.months)


def preview(
    person: UUID,
    pool: str,
    conclusion: Conclusion,
    *,
    facts: Sequence[PersonFact],
    determined: Sequence[DeterminedMonth],
    pack: Pack,
    upto: Month,
) -> Effect:
    """The months up to `upto` in which there is or would be a benefit."""
    known = _Case(person, pool, CaseFacts.of(facts), pack)
    thought = _Case(person, pool, CaseFacts.of([*facts, conclusion]), pack)
    done = {one.month: one.fund_share for one in determined if one.month <= upto}
    due = {*done, *known.due(upto), *thought.due(upto)}
    months = tuple(_month(month, known, thought, done.get(month)) for month in sorted(due))
    return Effect(
        months=months,
        as_known=known.course,
        as_would_be=thought.course,
        digest=_digest(conclusion, facts, months, pack),
    )


class _Case:
    """One reading of the facts."""

    def __init__(self, person: UUID, pool: str, facts: CaseFacts, pack: Pack) -> None:
        self._person, self._pool, self._facts, self._pack = person, pool, facts, pack
        self._paid: Counter[int] = Counter()  # fen of the months before, by calendar year
        self.course = Timeline(facts, pool, pack).course()

    def due(self, upto: Month) -> tuple[Month, ...]:
        return months_due(self._facts, self._pool, self._pack, upto=upto)

    def share(self, month: Month) -> Money:
        """The fund's share of a month; months are asked for in order. Refuses as `rule_benefit`."""
        found = rule_benefit(
            self._person,
            self._pool,
            month,
            facts=self._facts,
            pack=self._pack,
            code_version="preview",
            paid_this_year=Money(self._paid[month.year]),
        )
        self._paid[month.year] += found.fund_share.fen
        return found.fund_share

    def grade(self, month: Month) -> int:
        return self.course.on(month.last).grade


def _month(month: Month, known: _Case, thought: _Case, determined: Money | None) -> PreviewedMonth:
    refused, shares = "", [ZERO, ZERO]
    for place, case in enumerate((known, thought)):
        try:
            shares[place] = case.share(month)
        except Refused as refusal:
            refused = refusal.reason
    if refused:  # half a comparison would be a wrong one
        shares = [ZERO, ZERO]
    return PreviewedMonth(
        month=month,
        determined=determined,
        known=shares[0],
        would_be=shares[1],
        known_grade=known.grade(month),
        would_be_grade=thought.grade(month),
        refused=refused,
    )


def _digest(
    conclusion: Conclusion,
    facts: Sequence[PersonFact],
    months: Sequence[PreviewedMonth],
    pack: Pack,
) -> str:
    told = {
        "application": str(conclusion.application),
        "round": conclusion.round,
        "grade": conclusion.grade,
        "effective_date": str(conclusion.effective_date),
        "facts": sorted(
            f"{fact.ref.service}:{fact.ref.position}:{fact.ref.digest}" for fact in facts
        ),
        "pack": pack.pin,
        "months": [
            [
                str(one.month),
                one.determined.fen if one.determined is not None else "",
                one.known.fen,
                one.would_be.fen,
                one.known_grade,
                one.would_be_grade,
                one.refused,
            ]
            for one in months
        ],
    }
    return hashlib.sha256(canonical(told)).hexdigest()
