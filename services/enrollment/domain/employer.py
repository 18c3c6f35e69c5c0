"""Employers, and what they declare of their people (用人单位、申报缴费基数). Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from kernel.calendar import Month
from kernel.money import Money
from kernel.refusal import Refused


@dataclass(frozen=True, kw_only=True)
class EmployerRegistered:
    employer: UUID
    employer_name: str
    social_credit_code: str
    pool: str
    registered_date: date


@dataclass(frozen=True, kw_only=True)
class RegisterEmployer:
    told: EmployerRegistered


@dataclass(frozen=True, kw_only=True)
class Employer:
    """The employer as registered; None before."""

    registered: EmployerRegistered | None = None


def decide(command: RegisterEmployer, employer: Employer) -> list[EmployerRegistered]:
    """Registers an employer once. Refuses EMPLOYER_DIFFERS for another name or pool."""
    told, known = command.told, employer.registered
    if known is None:
        return [told]
    if (known.employer_name, known.pool) != (told.employer_name, told.pool):
        raise Refused("EMPLOYER_DIFFERS", pool=known.pool)
    return []


def evolve(_employer: Employer, event: EmployerRegistered) -> Employer:
    """The employer after the event."""
    return Employer(registered=event)


@dataclass(frozen=True, kw_only=True)
class StaffDeclared:
    employer: UUID
    person: UUID
    pool: str
    month: Month
    wage: Money
    medical_base: Money


@dataclass(frozen=True, kw_only=True)
class DeclareStaff:
    """What an employer declares, and what is known of it and of the person's coverage."""

    told: StaffDeclared
    pays_in: str  # the employer's pool
    covered: bool  # whether the person is insured in the pool in the month


@dataclass(frozen=True, kw_only=True)
class Staff:
    """What was declared of a person in a year, by month and employer."""

    declared: Mapping[tuple[Month, UUID], StaffDeclared] = field(default_factory=dict)


def decide_staff(command: DeclareStaff, staff: Staff) -> list[StaffDeclared]:
    """Takes a declaration once; other bases for the same month are a correction.

    Refuses POOL_DIFFERS where the employer pays in another pool, NOT_COVERED.
    """
    told = command.told
    if told.pool != command.pays_in:
        raise Refused("POOL_DIFFERS", pool=command.pays_in)
    if not command.covered:
        raise Refused("NOT_COVERED", pool=told.pool, month=str(told.month))
    return [] if staff.declared.get((told.month, told.employer)) == told else [told]


def evolve_staff(staff: Staff, event: StaffDeclared) -> Staff:
    """The declarations after the event."""
    return Staff(declared={**staff.declared, (event.month, event.employer): event})
