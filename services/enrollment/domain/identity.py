"""Identity papers, and whom a paper leads to (证件). Pure: no clock, no I/O.

A person is registered with one paper, from whose number the person's id follows. Any other paper
leads to the person by a stream of its own, so that one paper never leads to two.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import assert_never
from uuid import UUID

from kernel.refusal import Refused


class IdentityKind(StrEnum):
    """Kinds of identity papers (证件类型)."""

    RESIDENT = "resident"  # 公民身份号码
    PASSPORT = "passport"
    HONG_KONG = "hong_kong"  # 港澳居民居住证
    MACAU = "macau"
    TAIWAN = "taiwan"  # 台湾居民居住证
    FOREIGN_PERMANENT = "foreign_permanent"  # 外国人永久居留身份证


# Residence permits follow the rule of residents' numbers, GB 11643, with prefixes of their own.
PREFIXES = {
    IdentityKind.HONG_KONG: "81",
    IdentityKind.MACAU: "82",
    IdentityKind.TAIWAN: "83",
}
WITH_BIRTH_DATE = frozenset({IdentityKind.RESIDENT, *PREFIXES})


@dataclass(frozen=True, kw_only=True)
class BindIdentity:
    paper: UUID
    person: UUID
    bound_date: date


@dataclass(frozen=True, kw_only=True)
class ReleaseIdentity:
    paper: UUID
    person: UUID
    released_date: date


@dataclass(frozen=True, kw_only=True)
class IdentityBound:
    paper: UUID
    person: UUID
    bound_date: date


@dataclass(frozen=True, kw_only=True)
class IdentityReleased:
    paper: UUID
    person: UUID
    released_date: date


Event = IdentityBound | IdentityReleased


@dataclass(frozen=True, kw_only=True)
class Paper:
    """Whom a paper leads to besides whoever is registered with it; None where to nobody."""

    person: UUID | None = None


def decide(command: BindIdentity | ReleaseIdentity, paper: Paper) -> list[Event]:
    """Lets a paper lead to a person, or to nobody any more. Refuses IDENTITY_TAKEN."""
    match command:
        case BindIdentity(person=person):
            if paper.person == person:
                return []
            if paper.person is not None:
                raise Refused("IDENTITY_TAKEN", person=str(paper.person))
            return [
                IdentityBound(paper=command.paper, person=person, bound_date=command.bound_date)
            ]
        case ReleaseIdentity(person=person):
            if paper.person != person:
                return []
            released = IdentityReleased(
                paper=command.paper, person=person, released_date=command.released_date
            )
            return [released]
        case _:
            assert_never(command)


def evolve(_paper: Paper, event: Event) -> Paper:
    """Whom the paper leads to after the event."""
    match event:
        case IdentityBound(person=person):
            return Paper(person=person)
        case IdentityReleased():
            return Paper()
        case _:
            assert_never(event)
