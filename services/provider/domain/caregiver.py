"""A caregiver on the register (护理人员), under the real name. Pure: no clock, no I/O.

Source: 医保办发〔2024〕21号 Art. 19 (real-name management).
"""

from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID


@dataclass(frozen=True, kw_only=True)
class RegisterCaregiver:
    caregiver: UUID
    provider: UUID
    full_name: str
    certificate: str
    registered_date: date
    staff: str = ""  # kind of staff, by the names that packs use


@dataclass(frozen=True, kw_only=True)
class CaregiverRegistered:
    caregiver: UUID
    provider: UUID
    full_name: str  # personal
    certificate: str  # personal
    registered_date: date
    staff: str = ""  # kind of staff, by the names that packs use


@dataclass(frozen=True, kw_only=True)
class Caregiver:
    """The first day on the register, by employer."""

    registered: tuple[tuple[UUID, date], ...] = ()

    def since(self, provider: UUID) -> date | None:
        """The first day with this provider, None where there is none."""
        return min((day for name, day in self.registered if name == provider), default=None)


def decide(command: RegisterCaregiver, caregiver: Caregiver) -> list[CaregiverRegistered]:
    """The registration; nothing where the caregiver is registered since that day or earlier."""
    since = caregiver.since(command.provider)
    if since is not None and since <= command.registered_date:
        return []
    return [CaregiverRegistered(**vars(command))]


def evolve(caregiver: Caregiver, event: CaregiverRegistered) -> Caregiver:
    """The caregiver after the event."""
    registered = (*caregiver.registered, (event.provider, event.registered_date))
    return replace(caregiver, registered=registered)
