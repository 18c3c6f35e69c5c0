"""Service points that help with applications (三级服务网点). Pure: no clock, no I/O."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from kernel.refusal import Invalid, Violation
from services.assessment.domain.events import ApplicationSubmitted
from services.assessment.domain.words import ServicePointKind, ServicePointLevel


@dataclass(frozen=True, kw_only=True)
class ServicePointRegistered:
    service_point: UUID
    pool: str
    code: str
    point_name: str
    level: ServicePointLevel
    point_kind: ServicePointKind
    division: str
    opened_date: date


@dataclass(frozen=True, kw_only=True)
class RegisterServicePoint:
    told: ServicePointRegistered


@dataclass(frozen=True, kw_only=True)
class ServicePoint:
    """The last particulars of a point."""

    registered: ServicePointRegistered | None = None


def must_be_open(point: ServicePoint | None, told: ApplicationSubmitted) -> None:
    """Refuses (`Invalid`) a point that the pool's list does not have open on the day."""
    if told.service_point is None:
        return
    known = point.registered if point else None
    if known is None or known.opened_date > told.application_date:
        words = (
            "must be a service point of the pool, open on the day",
            "应为当日已开放的本地服务网点",
        )
        raise Invalid([Violation("service_point", "UNKNOWN_SERVICE_POINT", *words)])


def decide(command: RegisterServicePoint, point: ServicePoint) -> list[ServicePointRegistered]:
    """The registration; nothing where it says what is known."""
    return [] if point.registered == command.told else [command.told]


def evolve(_point: ServicePoint, event: ServicePointRegistered) -> ServicePoint:
    """The point after the event."""
    return ServicePoint(registered=event)
