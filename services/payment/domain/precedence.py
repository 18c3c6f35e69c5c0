"""Which conclusion counts on a day, whatever the order in which they came. Pure: no clock, no I/O.

* A later round of an application (a review, a won appeal) sets the earlier ones aside from its own
  first day of effect on.
* Of what people decided, the one with the latest first day counts; of the same day, the latest
  decision.
* A rule's consequence that nobody looked into (a stop for refusing a reassessment, a validity that
  runs out) yields to every newer decision of people, and to a won appeal always: what an appeal
  established stands until people decide anew.

Death, a move, the end of coverage and a stay in hospital are facts of life, not decisions on the
grade: they count whoever decided.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

from services.payment.domain.facts import Authority, Conclusion, in_effect

_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Reign:
    """A conclusion, the first day it counts, and the last day it carries."""

    first: date
    conclusion: Conclusion
    carries_until: date


def reigns(conclusions: Sequence[Conclusion]) -> tuple[Reign, ...]:
    """The conclusions in the order in which they count.

    A new conclusion that was reached while the old one was valid lets the old one go on until it
    takes effect itself (Chongqing's table of reassessments: a new grade from the next month).
    """
    if all(one.authority is Authority.ORDINARY and one.round <= 1 for one in conclusions):
        turns = [(one.effective_date, one) for one in conclusions]
    else:
        turns = list(_turns(conclusions))
    found = [
        Reign(first, conclusion, _carries(conclusion, following))
        for (first, conclusion), following in pairwise(turns)
    ]
    return (*found, *(Reign(first, last, _valid(last)) for first, last in turns[-1:]))


def counting_on(conclusions: Sequence[Conclusion], day: date) -> Conclusion | None:
    """The conclusion that counts on a day; None before the first of people."""
    begun = in_effect(conclusions, day)
    people = [one for one in begun if one.authority is not Authority.AUTOMATIC]
    if not people:
        return None
    decided = people[-1]
    stops = [one for one in begun if _outranks(one, decided)]
    return stops[-1] if stops else decided


def _outranks(one: Conclusion, decided: Conclusion) -> bool:
    """Whether a rule's consequence counts against what people decided."""
    return (
        one.authority is Authority.AUTOMATIC
        and decided.authority is not Authority.APPEAL
        and one.conclusion_date > decided.conclusion_date
    )


def _turns(conclusions: Sequence[Conclusion]) -> Iterator[tuple[date, Conclusion]]:
    before: Conclusion | None = None
    for day in sorted({one.effective_date for one in conclusions}):
        counting = counting_on(conclusions, day)
        if counting is not None and counting is not before:
            yield day, counting
        before = counting


def _carries(conclusion: Conclusion, following: tuple[date, Conclusion]) -> date:
    first, other = following
    reach = _valid(conclusion)
    if other.conclusion_date <= reach:
        reach = max(reach, first - _ONE_DAY)
    return reach


def _valid(conclusion: Conclusion) -> date:
    if conclusion.authority is Authority.ORDINARY or conclusion.authority is Authority.REVIEW:
        return conclusion.valid_until_date
    return date.max  # an appeal does not run out by itself, and a stop is no conclusion to run out
