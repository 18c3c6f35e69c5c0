"""A person known to the scheme (参保人), from registration on. Pure: no clock, no I/O.

The person's id follows from the identity paper, so one identity is one person. Personal fields
read as empty once the person's key was destroyed; such a person may be registered anew.
"""

from dataclasses import dataclass, replace
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


Event = PersonRegistered | PersonCorrected


@dataclass(frozen=True, kw_only=True)
class Person:
    """The person as last told; `registered` is None before the registration."""

    registered: PersonRegistered | None = None

    @property
    def erased(self) -> bool:
        """Whether the personal fields can no longer be read."""
        return self.registered is not None and not self.registered.identity_number


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
            return Person(registered=event)
        case PersonCorrected():
            known = person.registered
            if known is None:
                return person
            return Person(
                registered=replace(
                    known,
                    full_name=event.full_name or known.full_name,
                    phone=event.phone or known.phone,
                    address=event.address or known.address,
                )
            )
        case _:
            assert_never(event)


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
