"""Persons who are one by the merges that stand, and what their facts are together (并档). Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

from services.enrollment.domain.account import Account, ContributionDue
from services.enrollment.domain.coverage import Coverage, Spell, Suspension
from services.enrollment.domain.upkeep import PersonsMerged

_ONE_DAY = timedelta(days=1)


def in_order(merges: Iterable[PersonsMerged]) -> tuple[UUID, ...]:
    """All who are one by these merges: the survivor of all first, the rest in a fixed order.

    The order is that of the tree, not of the days on which merges became known.
    """
    into = {merge.duplicate: merge.survivor for merge in merges}
    found = sorted(set(into.values()) - set(into))
    for person in found:
        found += sorted(duplicate for duplicate, survivor in into.items() if survivor == person)
    return tuple(found)


def together(coverages: Sequence[Coverage]) -> Coverage:
    """The spells of several who are one: on a day that several have, the first one's counts.

    What rests is asked of each one's own coverage, with `resting_on`.
    """
    spells: list[Spell] = []
    for coverage in coverages:
        for spell in coverage.spells:
            spells += _without(spell, spells)
    return Coverage(spells=tuple(sorted(spells, key=lambda spell: spell.first)))


def resting_on(day: date, coverages: Sequence[Coverage]) -> Suspension | None:
    """What lets a day rest; of several who are one, nothing while one has the day and does not."""
    having = [one for one in coverages if one.on(day)] or coverages
    resting = [one.suspended_on(day) for one in having]
    found = [suspension for suspension in resting if suspension is not None]
    return found[0] if found and len(found) == len(resting) else None


def accounts_together(accounts: Sequence[Account]) -> Account:
    """The account of several who are one: one person owes a time once, whoever of them paid.

    Of what is due for the same time, the first one's that owes anything counts.
    """
    dues: dict[tuple[str, str], ContributionDue] = {}
    for account in accounts:
        for time, due in account.dues.items():
            if time not in dues or not dues[time].shares:
                dues[time] = due
    return Account(
        dues=dues,
        paid=tuple(one for account in accounts for one in account.paid),
        refunds=tuple(one for account in accounts for one in account.refunds),
    )


def _without(spell: Spell, taken: Sequence[Spell]) -> list[Spell]:
    """What is left of a spell outside of days that others have."""
    left = [spell]
    for other in taken:
        left = [part for one in left for part in _cut(one, other)]
    return left


def _cut(spell: Spell, other: Spell) -> list[Spell]:
    if spell.last is not None and spell.last < other.first:
        return [spell]
    if other.last is not None and other.last < spell.first:
        return [spell]
    parts = []
    if spell.first < other.first:
        parts.append(_until(spell, other.first - _ONE_DAY))
    if other.last is not None and (spell.last is None or spell.last > other.last):
        parts.append(_from(spell, other.last + _ONE_DAY))
    return parts


def _until(spell: Spell, last: date) -> Spell:
    kept = tuple(change for change in spell.changes if change.since <= last)
    return replace(spell, last=last, changes=kept)


def _from(spell: Spell, first: date) -> Spell:
    """The rest of a spell, as whom the person is insured by then."""
    standing = spell.standing(first)
    return replace(
        spell,
        first=first,
        group=standing.group,
        tier=standing.tier,
        statuses=standing.statuses,
        changes=tuple(change for change in spell.changes if change.since > first),
    )
