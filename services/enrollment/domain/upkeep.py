"""What is kept of a person besides the registration: papers, merges, protection. Pure.

Two who turn out to be one person keep their own streams and events; a merge only says that what
is asked about either is answered by the facts of both (`domain.merging`). So it can be taken
back without loss. Merges make a tree: who was merged into somebody neither takes others in nor
is merged again before the split, so there is no circle.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import assert_never
from uuid import UUID

from kernel.refusal import Refused
from services.enrollment.domain.identity import IdentityKind


@dataclass(frozen=True, kw_only=True)
class AddIdentity:
    person: UUID
    paper: UUID
    identity_kind: IdentityKind
    identity_number: str
    added_date: date
    cause: str


@dataclass(frozen=True, kw_only=True)
class EndIdentity:
    person: UUID
    paper: UUID
    end_date: date
    mistaken: bool  # it never was this person's
    cause: str


@dataclass(frozen=True, kw_only=True)
class MergePersons:
    """As one of the two streams hears it: `person` says whose."""

    person: UUID
    survivor: UUID
    duplicate: UUID
    merged_date: date
    cause: str


@dataclass(frozen=True, kw_only=True)
class SplitPersons:
    person: UUID
    survivor: UUID
    duplicate: UUID
    split_date: date
    cause: str


@dataclass(frozen=True, kw_only=True)
class ProtectPerson:
    person: UUID
    protected_date: date
    cause: str


@dataclass(frozen=True, kw_only=True)
class EndProtection:
    person: UUID
    end_date: date
    cause: str


@dataclass(frozen=True, kw_only=True)
class RevealAddress:
    person: UUID
    by: str  # the role that asks
    purpose: str
    revealed_date: date


Command = (
    AddIdentity
    | EndIdentity
    | MergePersons
    | SplitPersons
    | ProtectPerson
    | EndProtection
    | RevealAddress
)


@dataclass(frozen=True, kw_only=True)
class IdentityAdded:
    person: UUID
    paper: UUID
    identity_kind: IdentityKind
    identity_number: str
    added_date: date
    cause: str


@dataclass(frozen=True, kw_only=True)
class IdentityEnded:
    person: UUID
    paper: UUID
    end_date: date
    mistaken: bool
    cause: str


@dataclass(frozen=True, kw_only=True)
class PersonsMerged:
    person: UUID
    survivor: UUID
    duplicate: UUID
    merged_date: date
    cause: str


@dataclass(frozen=True, kw_only=True)
class PersonsSplit:
    person: UUID
    survivor: UUID
    duplicate: UUID
    split_date: date
    cause: str


@dataclass(frozen=True, kw_only=True)
class PersonProtected:
    person: UUID
    protected_date: date
    cause: str


@dataclass(frozen=True, kw_only=True)
class ProtectionEnded:
    person: UUID
    end_date: date
    cause: str


@dataclass(frozen=True, kw_only=True)
class AddressRevealed:
    person: UUID
    by: str
    purpose: str
    revealed_date: date


Event = (
    IdentityAdded
    | IdentityEnded
    | PersonsMerged
    | PersonsSplit
    | PersonProtected
    | ProtectionEnded
    | AddressRevealed
)


@dataclass(frozen=True, kw_only=True)
class AddedPaper:
    """A paper that was added, and its last day where it has one."""

    added: IdentityAdded
    ended: date | None = None


@dataclass(frozen=True, kw_only=True)
class Upkeep:
    """What stands of all that."""

    papers: Mapping[UUID, AddedPaper] = field(default_factory=dict)
    merged_into: UUID | None = None
    duplicates: frozenset[UUID] = frozenset()
    protected: bool = False


NOTHING = Upkeep()


def decide(command: Command, kept: Upkeep) -> list[Event]:
    """What follows from a command; that of a merge or split for the stream of its `person`.

    Refuses NOT_ADDED, ENDS_BEFORE_START; SAME_PERSON, MERGED_ALREADY, NOT_MERGED; NOT_PROTECTED.
    """
    match command:
        case AddIdentity():
            return _add(command, kept)
        case EndIdentity():
            return _end(command, kept)
        case MergePersons():
            return _merge(command, kept)
        case SplitPersons():
            return _split(command, kept)
        case ProtectPerson():
            told = PersonProtected(
                person=command.person,
                protected_date=command.protected_date,
                cause=command.cause,
            )
            return [] if kept.protected else [told]
        case EndProtection():
            if not kept.protected:
                raise Refused("NOT_PROTECTED", person=str(command.person))
            return [
                ProtectionEnded(
                    person=command.person, end_date=command.end_date, cause=command.cause
                )
            ]
        case RevealAddress():
            revealed = AddressRevealed(
                person=command.person,
                by=command.by,
                purpose=command.purpose,
                revealed_date=command.revealed_date,
            )
            return [revealed]
        case _:
            assert_never(command)


def evolve(kept: Upkeep, event: Event) -> Upkeep:
    """What stands after the event."""
    match event:
        case IdentityAdded() | IdentityEnded():
            return replace(kept, papers=_papers(kept, event))
        case PersonsMerged() | PersonsSplit():
            return _merged(kept, event)
        case PersonProtected():
            return replace(kept, protected=True)
        case ProtectionEnded():
            return replace(kept, protected=False)
        case AddressRevealed():
            return kept
        case _:
            assert_never(event)


def _papers(kept: Upkeep, event: IdentityAdded | IdentityEnded) -> dict[UUID, AddedPaper]:
    others = {name: one for name, one in kept.papers.items() if name != event.paper}
    if isinstance(event, IdentityAdded):
        return {**others, event.paper: AddedPaper(added=event)}
    if event.mistaken:
        return others
    return {**kept.papers, event.paper: replace(kept.papers[event.paper], ended=event.end_date)}


def _merged(kept: Upkeep, event: PersonsMerged | PersonsSplit) -> Upkeep:
    """The stream's own side of a merge: the duplicate's, or the survivor's."""
    merged = isinstance(event, PersonsMerged)
    if event.person == event.duplicate:
        return replace(kept, merged_into=event.survivor if merged else None)
    others = kept.duplicates - {event.duplicate}
    return replace(kept, duplicates=others | {event.duplicate} if merged else others)


def _add(command: AddIdentity, kept: Upkeep) -> list[Event]:
    known = kept.papers.get(command.paper)
    if known is not None and known.ended is None:
        return []
    added = IdentityAdded(
        person=command.person,
        paper=command.paper,
        identity_kind=command.identity_kind,
        identity_number=command.identity_number,
        added_date=command.added_date,
        cause=command.cause,
    )
    return [added]


def _end(command: EndIdentity, kept: Upkeep) -> list[Event]:
    known = kept.papers.get(command.paper)
    if known is None:
        raise Refused("NOT_ADDED", paper=str(command.paper))
    if known.ended == command.end_date and not command.mistaken:
        return []
    if command.end_date < known.added.added_date:
        raise Refused("ENDS_BEFORE_START", added_date=str(known.added.added_date))
    ended = IdentityEnded(
        person=command.person,
        paper=command.paper,
        end_date=command.end_date,
        mistaken=command.mistaken,
        cause=command.cause,
    )
    return [ended]


def _merge(command: MergePersons, kept: Upkeep) -> list[Event]:
    if command.survivor == command.duplicate:
        raise Refused("SAME_PERSON", person=str(command.survivor))
    if kept.merged_into is not None:
        if (command.person, kept.merged_into) == (command.duplicate, command.survivor):
            return []
        raise Refused("MERGED_ALREADY", person=str(command.person), into=str(kept.merged_into))
    if command.duplicate in kept.duplicates:
        return []
    merged = PersonsMerged(
        person=command.person,
        survivor=command.survivor,
        duplicate=command.duplicate,
        merged_date=command.merged_date,
        cause=command.cause,
    )
    return [merged]


def _split(command: SplitPersons, kept: Upkeep) -> list[Event]:
    is_duplicate = command.person == command.duplicate
    one = (
        kept.merged_into == command.survivor
        if is_duplicate
        else command.duplicate in kept.duplicates
    )
    if not one:
        raise Refused(
            "NOT_MERGED", survivor=str(command.survivor), duplicate=str(command.duplicate)
        )
    split = PersonsSplit(
        person=command.person,
        survivor=command.survivor,
        duplicate=command.duplicate,
        split_date=command.split_date,
        cause=command.cause,
    )
    return [split]
