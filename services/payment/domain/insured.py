"""As whom a person is insured on a day, as far as amounts depend on it. Pure: no clock, no I/O."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from kernel.calendar import add_months
from kernel.rules.collection import transition_months
from kernel.rules.pack import Pack
from services.payment.domain.facts import CaseFacts, CoverageChanged, CoverageStarted

TRANSITION = "enrollment.transition_months"
Told = CoverageStarted | CoverageChanged
_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Insurance:
    """When one person is insured in the pool, and when that rests."""

    starts: tuple[date, ...]
    ends: tuple[date, ...]  # last days
    rests: tuple[tuple[date, date | None], ...]  # first day, and the day that counts again

    @classmethod
    def of(cls, facts: CaseFacts) -> "Insurance":
        resumed = {one.suspension: one.resume_date for one in facts.resumptions}
        return cls(
            starts=tuple(start.start_date for start in facts.coverage_starts),
            ends=tuple(end.end_date for end in facts.coverage_ends),
            rests=tuple((one.from_date, resumed.get(one.suspension)) for one in facts.suspensions),
        )

    def last_end(self, day: date) -> date | None:
        """The last day insured before the day; None where no end is known."""
        return max((end for end in self.ends if end < day), default=None)

    def began_again(self, ended: date, day: date) -> bool:
        return any(ended < start <= day for start in self.starts)

    def has(self, day: date) -> bool:
        """Whether insured on the day, by what is known."""
        if not any(start <= day for start in self.starts):
            return False
        ended = self.last_end(day)
        return ended is None or self.began_again(ended, day)

    def suspended_from(self, day: date) -> date | None:
        """First day of the suspension that has the day; of several, the earliest."""
        firsts = (f for f, again in self.rests if f <= day and (again is None or day < again))
        return min(firsts, default=None)

    def turning_days(self) -> Iterator[date]:
        """Every day on which an answer may change."""
        yield from (day + _ONE_DAY for day in self.ends)
        yield from self.starts
        for first, again in self.rests:
            yield first
            if again is not None:
                yield again


def insured_as(facts: CaseFacts, day: date) -> Told | None:
    """What was told last of the person, by its day: a start or a change."""
    told = _until(facts, day)
    return told[-1] if told else None


def group_on(facts: CaseFacts, pack: Pack, day: date) -> str:
    """The group of insured; after a change the one before, while the pool's transition lasts."""
    told = _until(facts, day)
    if not told:
        return ""
    latest = told[-1].group
    others = [place for place, one in enumerate(told) if one.group != latest]
    if not others or not pack.mentions(TRANSITION):
        return latest
    before, turn = told[others[-1]], told[others[-1] + 1]
    if not isinstance(turn, CoverageChanged):
        return latest  # another coverage began: nothing changed within one
    figure = pack.figure(TRANSITION, turn.change_date)
    months = transition_months(figure, before.group, turn.group)
    return before.group if day < add_months(turn.change_date, months) else latest


def _until(facts: CaseFacts, day: date) -> list[Told]:
    """Starts and changes up to a day, in the order of their days; a start before a change."""
    told: list[tuple[date, int, Told]] = [
        *((start.start_date, 0, start) for start in facts.coverage_starts),
        *((change.change_date, 1, change) for change in facts.coverage_changes),
    ]
    told.sort(key=lambda one: one[:2])
    return [one for on, _, one in told if on <= day]
