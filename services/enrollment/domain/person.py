"""A person known to the scheme (参保人), from registration on. Pure: no clock, no I/O.

The person's id follows from the identity paper, so one identity is one person. Personal fields
read as empty once the person's key was destroyed; such a person may be registered anew.
"""

from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from kernel.refusal import Refused
from services.enrollment.domain import upkeep
from services.enrollment.domain.identity import WITH_BIRTH_DATE, IdentityKind


@dataclass(frozen=True, kw_only=True)
class RegisterPerson:
    person: UUID
    identity_kind: IdentityKind
    identity_number: str
    full_name: str
    birth_date: date
    phone: str
    address: str
    registered_date: date


@dataclass(frozen=True, kw_only=True)
class PersonRegistered:
    person: UUID
    identity_kind: IdentityKind
    identity_number: str
    full_name: str
    birth_date: date | None
    phone: str
    address: str
    registered_date: date


@dataclass(frozen=True, kw_only=True)
class PersonCorrected:
    """What is put right; empty fields stay as they were."""

    person: UUID
    full_name: str
    phone: str
    address: str
    cause: str
    birth_date: date | None = None


Event = PersonRegistered | PersonCorrected | upkeep.Event


@dataclass(frozen=True, kw_only=True)
class Person:
    """The person as last told; `registered` is None before the registration."""

    registered: PersonRegistered | None = None
    kept: upkeep.Upkeep = upkeep.NOTHING

    @property
    def registered_as(self) -> PersonRegistered:
        """The registration as corrected, of who is known to be registered."""
        if self.registered is None:
            raise AssertionError("who was found registered has a registration")
        return self.registered

    @property
    def erased(self) -> bool:
        """Whether the personal fields can no longer be read."""
        return self.registered is not None and not self.registered.identity_number


@dataclass(frozen=True, kw_only=True)
class CorrectPerson:
    """Puts fields right; what is empty stays as it is."""

    person: UUID
    full_name: str
    birth_date: date | None
    phone: str
    address: str
    cause: str


def correct(command: CorrectPerson, person: Person) -> list[Event]:
    """What is new of a correction.

    Refuses BIRTH_DATE_IN_NUMBER where the number of the paper registered with says another day.
    """
    known = person.registered_as
    born = command.birth_date if command.birth_date != known.birth_date else None
    if born is not None and known.identity_kind in WITH_BIRTH_DATE:
        raise Refused("BIRTH_DATE_IN_NUMBER", person=str(command.person))
    corrected = PersonCorrected(
        person=command.person,
        full_name=_news(known.full_name, command.full_name),
        birth_date=born,
        phone=_news(known.phone, command.phone),
        address=_news(known.address, command.address),
        cause=command.cause,
    )
    says = (corrected.full_name, corrected.birth_date, corrected.phone, corrected.address)
    return [corrected] if any(says) else []


def decide(command: RegisterPerson, person: Person) -> list[Event]:
    """Registers a person once; a later registration may bring a new telephone or address.

    Refuses PERSON_DIFFERS where the identity belongs to another name or day of birth.
    """
    known = person.registered
    if known is None or person.erased:
        return [_registered(command)]
    if (known.full_name, known.birth_date) != (command.full_name, command.birth_date):
        raise Refused("PERSON_DIFFERS", person=str(command.person))
    phone = _news(known.phone, command.phone)
    address = _news(known.address, command.address)
    if not phone and not address:
        return []
    correction = PersonCorrected(
        person=command.person,
        full_name="",
        phone=phone,
        address=address,
        cause="told at another registration",
    )
    return [correction]


def evolve(person: Person, event: Event) -> Person:
    """The person after the event."""
    match event:
        case PersonRegistered():
            return replace(person, registered=event)
        case PersonCorrected():
            known = person.registered
            if known is None:
                return person
            corrected = replace(
                known,
                full_name=event.full_name or known.full_name,
                birth_date=event.birth_date or known.birth_date,
                phone=event.phone or known.phone,
                address=event.address or known.address,
            )
            return replace(person, registered=corrected)
        case _:
            return replace(person, kept=upkeep.evolve(person.kept, event))


def masked(identity_number: str) -> str:
    """The number with all but its last four places masked."""
    return "*" * max(len(identity_number) - 4, 0) + identity_number[-4:]


def _registered(command: RegisterPerson) -> PersonRegistered:
    return PersonRegistered(
        person=command.person,
        identity_kind=command.identity_kind,
        identity_number=command.identity_number,
        full_name=command.full_name,
        birth_date=command.birth_date,
        phone=command.phone,
        address=command.address,
        registered_date=command.registered_date,
    )


def _news(known: str, told: str) -> str:
    return told if told and told != known else ""
