"""Persons who are one by the merges that stand, and what their facts are together (并档). Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from services.enrollment.domain.coverage import Coverage, Spell
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
    """The coverage of several who are one: on a day that several have, the first one's counts."""
    spells: list[Spell] = []
    for coverage in coverages:
        for spell in coverage.spells:
            spells += _without(spell, spells)
    return Coverage(spells=tuple(sorted(spells, key=lambda spell: spell.first)))


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
        parts.append(replace(spell, last=other.first - _ONE_DAY))
    if other.last is not None and (spell.last is None or spell.last > other.last):
        parts.append(replace(spell, first=other.last + _ONE_DAY))
    return parts
