"""A caregiver on the register (护理人员), under the real name. Pure: no clock, no I/O.

Source: 医保办发〔2024〕21号 Art. 19 (real-name management).
"""

from dataclasses import dataclass, field, replace
from datetime import date
from uuid import UUID

from kernel.refusal import Refused
from services.provider.domain import carer_record
from services.provider.domain.carer_record import CarerRecord


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


Event = CaregiverRegistered | carer_record.Event


@dataclass(frozen=True, kw_only=True)
class Caregiver:
    """The first day on the register, by employer, and what else is on record."""

    registered: tuple[tuple[UUID, date], ...] = ()
    family_at: frozenset[UUID] = frozenset()  # employers where registered as a relative
    record: CarerRecord = field(default_factory=CarerRecord)

    def since(self, provider: UUID) -> date | None:
        """The first day with this provider, None where there is none."""
        return min((day for name, day in self.registered if name == provider), default=None)

    def problem_on(self, day: date) -> str:
        """Why nobody may be cared for by this person on the day; empty where all is well."""
        if self.record.barred_on(day):
            return "CAREGIVER_BARRED"
        return "CERTIFICATE_REVOKED" if self.record.lost_on(day) else ""


def decide(command: RegisterCaregiver, caregiver: Caregiver) -> list[Event]:
    """The registration; nothing where the caregiver is registered since that day or earlier.

    Refuses CAREGIVER_BARRED on a day on which a bar stands (Art. 45).
    """
    since = caregiver.since(command.provider)
    if since is not None and since <= command.registered_date:
        return []
    if caregiver.record.barred_on(command.registered_date):
        raise Refused("CAREGIVER_BARRED", on=command.registered_date.isoformat())
    return [CaregiverRegistered(**vars(command))]


def evolve(caregiver: Caregiver, event: Event) -> Caregiver:
    """The caregiver after the event."""
    if not isinstance(event, CaregiverRegistered):
        return replace(caregiver, record=carer_record.evolve(caregiver.record, event))
    registered = (*caregiver.registered, (event.provider, event.registered_date))
    family = {event.provider} if event.staff == "family" else set()
    return replace(caregiver, registered=registered, family_at=caregiver.family_at | family)
