"""As whom a person is insured on a day, as far as amounts depend on it. Pure: no clock, no I/O."""

from datetime import date

from kernel.calendar import add_months
from kernel.rules.collection import transition_months
from kernel.rules.pack import Pack
from services.payment.domain.facts import CaseFacts, CoverageChanged, CoverageStarted

TRANSITION = "enrollment.transition_months"
Told = CoverageStarted | CoverageChanged


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
