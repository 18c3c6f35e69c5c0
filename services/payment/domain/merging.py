"""Persons who turned out to be one, as far as money depends on it (并档). Pure: no clock, no I/O.

Each keeps a case of its own, and the days before the merge stay as they were paid. From its
first day on, the survivor's case stands on the facts of all, and the duplicate's entitlement is
over: no day is paid under two ids. What happened in the person's life holds for all of them on
every day. Taken back, a merge leaves nothing behind.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from uuid import UUID

from services.payment.domain.facts import (
    CaseFacts,
    LifeEvent,
    LifeEventWithdrawn,
    Merged,
    PersonFact,
    Split,
)

_OF_LIFE = (LifeEvent, LifeEventWithdrawn)
Owned = Mapping[UUID, Iterable[PersonFact]]  # facts by the person they were told of


def named_in(owned: Owned) -> frozenset[UUID]:
    """Everybody whom the merges among the facts name: their facts are needed too."""
    merges = (fact for fact in _facts(owned) if isinstance(fact, Merged))
    return frozenset(who for merge in merges for who in (merge.survivor, merge.duplicate))


def case_of(person: UUID, owned: Owned) -> CaseFacts:
    """The case of a person, with what others' facts mean for it; its own facts without a merge."""
    own = list(owned.get(person, ()))
    into = {merge.duplicate: merge for merge in _standing(owned)}
    group = _group(person, into)
    if group == {person}:
        return CaseFacts.of(own)
    told = {who: list(owned.get(who, ())) for who in sorted(group)}
    life = [fact for fact in _facts(told) if isinstance(fact, _OF_LIFE)]
    rest = {who: [fact for fact in told[who] if not isinstance(fact, _OF_LIFE)] for who in told}
    joins = _joins(person, into)
    stages = []
    for day in sorted(set(joins.values())):
        members = [person, *(who for who in sorted(joins) if joins[who] <= day)]
        facts = [fact for who in members for fact in rest[who]]
        parts = tuple(CaseFacts.of(rest[who]) for who in members)
        stages.append((day, replace(CaseFacts.of([*facts, *life]), members=parts)))
    merge = into.get(person)
    return replace(
        CaseFacts.of([*rest[person], *life]),
        joined=tuple(stages),
        merged_on=merge.merged_date if merge else None,
        merges=tuple(sorted((into[who] for who in group if who in into), key=_place)),
    )


def _standing(owned: Owned) -> Iterator[Merged]:
    """The merges that were not taken back, each as the duplicate's own stream tells it."""
    newest: dict[UUID, Merged | Split] = {}
    told = [fact for fact in _facts(owned) if isinstance(fact, Merged | Split)]
    for fact in sorted(told, key=_place):
        if fact.person == fact.duplicate:
            newest[fact.duplicate] = fact
    yield from (fact for fact in newest.values() if isinstance(fact, Merged))


def _group(person: UUID, into: Mapping[UUID, Merged]) -> set[UUID]:
    """All who are one with the person."""
    root = person
    while root in into:
        root = into[root].survivor
    found = [root]
    for one in found:
        found += [duplicate for duplicate, merge in into.items() if merge.survivor == one]
    return set(found)


def _joins(person: UUID, into: Mapping[UUID, Merged]) -> dict[UUID, date]:
    """Those who were merged into the person, at last through others, and from which day on."""
    below: defaultdict[UUID, list[Merged]] = defaultdict(list)
    for merge in into.values():
        below[merge.survivor].append(merge)
    joins: dict[UUID, date] = {}
    reached = [(person, date.min)]
    for one, since in reached:
        for merge in below[one]:
            joins[merge.duplicate] = max(since, merge.merged_date)
            reached.append((merge.duplicate, joins[merge.duplicate]))
    return joins


def _facts(owned: Owned) -> Iterator[PersonFact]:
    return (fact for facts in owned.values() for fact in facts)


def _place(fact: Merged | Split) -> int:
    return fact.ref.position
