"""Times for which a scheme may let an entitlement rest (待遇暂停情形). Pure: no clock, no I/O.

Somebody else pays for the care (work-injury insurance, a third party, another public benefit),
or the person is abroad. The pack's lists say whether the fund pays meanwhile: the first and the
last day reported both belong to the time. Source: the local lists of exclusions (不予支付) and of
benefits not paid together (不得重复享受).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from kernel.rules.pack import Pack
from kernel.rules.precedence import Weighed
from kernel.rules.ruling import Clause, Trace
from services.payment.domain.course import Cause
from services.payment.domain.facts import LifeEventKind

_ONE_DAY = timedelta(days=1)
EXCLUSIONS, OVERLAP = "payment.exclusions", "payment.overlap"
EXCLUDED = "not paid by what the pool excludes"
RULE_NOT_KNOWN = "the pool's rule on it is not known and changes nothing"


@dataclass(frozen=True, slots=True)
class Stay:
    """Days in a row, the first and the last both in; without a last day they go on."""

    first: date
    last: date | None

    def __contains__(self, day: date) -> bool:
        return self.first <= day and (self.last is None or day <= self.last)


@dataclass(frozen=True, slots=True)
class _Ground:
    """A reason to rest: what begins and ends it, and the words of the pack that exclude it."""

    cause: Cause
    began: LifeEventKind
    ended: LifeEventKind
    words: tuple[tuple[str, str], ...]  # list of the pack, word in it


_GROUNDS = (
    _Ground(
        Cause.ABROAD,
        LifeEventKind.MOVED_ABROAD,
        LifeEventKind.RETURNED,
        ((EXCLUSIONS, "abroad"),),
    ),
    _Ground(
        Cause.WORK_INJURY,
        LifeEventKind.WORK_INJURY_BEGAN,
        LifeEventKind.WORK_INJURY_ENDED,
        ((EXCLUSIONS, "work_injury"), (OVERLAP, "work_injury_nursing")),
    ),
    _Ground(
        Cause.THIRD_PARTY,
        LifeEventKind.THIRD_PARTY_BEGAN,
        LifeEventKind.THIRD_PARTY_ENDED,
        ((EXCLUSIONS, "third_party"),),
    ),
    _Ground(
        Cause.OTHER_BENEFIT,
        LifeEventKind.OTHER_BENEFIT_BEGAN,
        LifeEventKind.OTHER_BENEFIT_ENDED,
        ((OVERLAP, "public_care_benefit"),),
    ),
)


class Rests:
    """The times of one person, ready to be asked about days."""

    def __init__(self, weighed: Weighed, pack: Pack) -> None:
        self._pack = pack
        self._times = tuple(
            (ground, tuple(periods(weighed, ground.began, ground.ended))) for ground in _GROUNDS
        )

    def cause_on(self, day: date, trace: Trace | None) -> Cause | None:
        """Why the entitlement rests on a day; None where nothing lets it rest."""
        for ground, times in self._times:
            time = next((one for one in times if day in one), None)
            if time is not None and self._excluded(ground, time, day, trace):
                return ground.cause
        return None

    def turning_days(self) -> Iterator[date]:
        """Every day on which the answer may change."""
        for ground, times in self._times:
            for time in times:
                yield time.first
                if time.last is not None:
                    yield time.last + _ONE_DAY
            if times:
                for key, _ in ground.words:
                    for figure in self._pack.history(key):
                        yield figure.effective_from
                        if figure.effective_to is not None:
                            yield figure.effective_to + _ONE_DAY

    def _excluded(self, ground: _Ground, time: Stay, day: date, trace: Trace | None) -> bool:
        for key, word in ground.words:
            told = {"on_date": f"{day}", "excluded": ground.cause.value, "began": f"{time.first}"}
            figure = next((one for one in self._pack.history(key) if one.holds_on(day)), None)
            if figure is None:
                # Nobody guesses a ground to stop paying; the ruling shows that none is known.
                if trace is not None:
                    clause = Clause(key=key, citation="", verified=False)
                    trace.computed(clause, RULE_NOT_KNOWN, told, "unknown")
                continue
            excluded = word in figure.texts()
            if trace is not None:
                trace.check(holds=not excluded, clause=figure, label=EXCLUDED, inputs=told)
            if excluded:
                return True
        return False


def periods(weighed: Weighed, begins: LifeEventKind, ends: LifeEventKind) -> Iterator[Stay]:
    """The times that reports of a beginning and an end make together.

    Told twice is told once. On one day what is under way ends before it begins again (a
    transfer between hospitals), and what is not begins before it ends.
    """
    began, ended = weighed.days_of(begins), weighed.days_of(ends)
    since: date | None = None
    for day in sorted(began | ended):
        ends_now = day in ended and (since is None or day not in began)
        if since is None and day in began:
            since = day
        if since is not None and ends_now:
            yield Stay(since, day)
            since = None
    if since is not None:
        yield Stay(since, None)
