"""How a provider stands on a day of care: agreements, sanctions, exit. Pure: no clock, no I/O.

The events of the stream `provider/{provider}` that open and close its service, and their fold.
A suspension is a span of days; what ends an agreement (termination, exit, its recorded end) acts
on the agreements signed before it, so that a body may be designated anew afterwards.
Source: 医保办发〔2024〕21号 (agreement, sanction ladder, Art. 40-44).
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from typing import assert_never
from uuid import UUID

NOT_IN_FORCE = "AGREEMENT_NOT_IN_FORCE"
SUSPENDED = "AGREEMENT_SUSPENDED"
ENDED = "AGREEMENT_ENDED"
TERM_OVER, VOLUNTARY_EXIT = "TERM_OVER", "VOLUNTARY_EXIT"
_ONE_DAY = timedelta(days=1)


class ServiceLine(StrEnum):
    """What a provider is designated for (服务类型)."""

    INSTITUTION = "institution"
    HOME_VISITS = "home_visits"
    HOSPITAL = "hospital"
    ASSISTIVE_DEVICES = "assistive_devices"
    VILLAGE_DOCTORS = "village_doctors"
    TOWNSHIP_HEALTH_CENTRES = "township_health_centres"


class SanctionMeasure(StrEnum):
    """The sanction ladder, from the mildest step on (违约处理)."""

    TALK = "talk"
    CORRECT = "correct"
    WITHHOLD = "withhold"
    RECOVER = "recover"
    PENALTY = "penalty"
    SUSPEND = "suspend"
    TERMINATE = "terminate"


@dataclass(frozen=True, kw_only=True)
class AgreementSigned:
    agreement: UUID
    application: UUID
    provider: UUID
    pool: str
    operator_name: str
    operator_code: str
    lines: tuple[ServiceLine, ...]
    start_date: date
    end_date: date
    signed_date: date


@dataclass(frozen=True, kw_only=True)
class SanctionImposed:
    sanction: UUID
    provider: UUID
    pool: str
    measure: SanctionMeasure
    start_date: date
    end_date: date | None = None
    cause: str
    article: str


@dataclass(frozen=True, kw_only=True)
class SanctionLifted:
    sanction: UUID
    provider: UUID
    pool: str
    lifted_date: date  # first day without it
    cause: str


@dataclass(frozen=True, kw_only=True)
class ExitRequested:
    provider: UUID
    pool: str
    request_date: date
    exit_date: date  # first day without service
    cause: str


@dataclass(frozen=True, kw_only=True)
class AgreementEnded:
    agreement: UUID
    provider: UUID
    pool: str
    end_date: date  # last day
    cause: str


@dataclass(frozen=True, kw_only=True)
class AppraisalOrdered:
    agreement: UUID
    provider: UUID
    pool: str
    agreement_year: int
    due_date: date


@dataclass(frozen=True, kw_only=True)
class AppraisalRecorded:
    agreement: UUID
    provider: UUID
    pool: str
    agreement_year: int
    appraised_date: date
    points: int
    passed: bool


@dataclass(frozen=True, kw_only=True)
class PlansHandedOver:
    provider: UUID
    pool: str
    handover_date: date
    moved_plans: tuple[UUID, ...]
    plans_without_provider: tuple[UUID, ...]


Event = (
    AgreementSigned
    | SanctionImposed
    | SanctionLifted
    | ExitRequested
    | AgreementEnded
    | AppraisalOrdered
    | AppraisalRecorded
    | PlansHandedOver
)
MATTER: tuple[type, ...] = (
    AgreementSigned,
    SanctionImposed,
    SanctionLifted,
    ExitRequested,
    AgreementEnded,
)
"""The kinds that say whether a provider may serve on a day."""


@dataclass(frozen=True, kw_only=True)
class Term:
    """The days of one agreement; from `over_from` on it is over, whatever its last day says."""

    agreement: UUID | None = None  # None: admitted without an application
    first: date
    last: date
    over_from: date | None = None
    cause: str = ""

    def covers(self, day: date) -> bool:
        return self.first <= day <= self.last

    def serves(self, day: date) -> bool:
        return self.covers(day) and (self.over_from is None or day < self.over_from)

    @property
    def last_served(self) -> date:
        """The last day of service, as far as it is known."""
        if self.over_from is None:
            return self.last
        return min(self.last, self.over_from - _ONE_DAY)

    def until(self, over_from: date, cause: str) -> "Term":
        """The agreement, over from that day on unless it is earlier."""
        if self.over_from is not None and self.over_from <= over_from:
            return self
        return replace(self, over_from=over_from, cause=cause)


@dataclass(frozen=True, kw_only=True)
class Sanction:
    """A step of the ladder and whether it was lifted."""

    imposed: SanctionImposed
    lifted: date | None = None  # first day without it

    def rests_on(self, day: date) -> bool:
        """Whether the agreement rests on the day because of it."""
        told = self.imposed
        return (
            told.measure is SanctionMeasure.SUSPEND
            and told.start_date <= day
            and (told.end_date is None or day <= told.end_date)
            and (self.lifted is None or day < self.lifted)
        )


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What opens and closes a provider's service."""

    terms: tuple[Term, ...] = ()
    sanctions: tuple[Sanction, ...] = ()
    exit: ExitRequested | None = None

    def term_on(self, day: date) -> Term | None:
        """The agreement that covers the day: one that serves, else the latest that would."""
        covering = [term for term in self.terms if term.covers(day)]
        serving = [term for term in covering if term.serves(day)]
        found = serving or covering
        return found[-1] if found else None

    def suspension_on(self, day: date) -> SanctionImposed | None:
        """The suspension the agreement rests under on the day; the first one imposed."""
        return next((one.imposed for one in self.sanctions if one.rests_on(day)), None)

    def problem_on(self, day: date) -> str:
        """Why the provider may not serve on the day; empty where it may."""
        term = self.term_on(day)
        if term is None:
            return NOT_IN_FORCE
        if not term.serves(day):
            return ENDED
        return SUSPENDED if self.suspension_on(day) else ""


def opened(standing: Standing, first: date, last: date) -> Standing:
    """The standing with the days of an admission without an application."""
    return replace(standing, terms=(*standing.terms, Term(first=first, last=last)))


def evolve(standing: Standing, event: Event) -> Standing:
    """The standing after the event. It never refuses: what happened, happened."""
    match event:
        case AgreementSigned():
            return _signed(standing, event)
        case SanctionImposed():
            sanctions = (*standing.sanctions, Sanction(imposed=event))
            standing = replace(standing, sanctions=sanctions)
            if event.measure is SanctionMeasure.TERMINATE:
                return _over(standing, event.start_date, event.cause)
            return standing
        case SanctionLifted():
            sanctions = tuple(
                replace(one, lifted=event.lifted_date)
                if one.imposed.sanction == event.sanction
                else one
                for one in standing.sanctions
            )
            return replace(standing, sanctions=sanctions)
        case ExitRequested():
            return replace(_over(standing, event.exit_date, VOLUNTARY_EXIT), exit=event)
        case AgreementEnded():
            over_from = event.end_date + _ONE_DAY
            terms = tuple(
                term.until(over_from, event.cause) if term.agreement == event.agreement else term
                for term in standing.terms
            )
            return replace(standing, terms=terms)
        case AppraisalOrdered() | AppraisalRecorded() | PlansHandedOver():
            return standing
        case _:
            assert_never(event)


def standing_of(admitted: tuple[date, date] | None, events: Iterable[object]) -> Standing:
    """The standing after these events, those of other kinds passed over."""
    standing = opened(Standing(), *admitted) if admitted else Standing()
    for event in events:
        if isinstance(event, MATTER):
            standing = evolve(standing, event)  # type: ignore[arg-type]  # MATTER is part of Event
    return standing


def _signed(standing: Standing, event: AgreementSigned) -> Standing:
    term = Term(agreement=event.agreement, first=event.start_date, last=event.end_date)
    # Admitted by this very agreement: one term, not two.
    kept = tuple(
        one
        for one in standing.terms
        if not (one.agreement is None and (one.first, one.last) == (term.first, term.last))
    )
    return replace(standing, terms=(*kept, term), exit=None)


def _over(standing: Standing, over_from: date, cause: str) -> Standing:
    return replace(standing, terms=tuple(t.until(over_from, cause) for t in standing.terms))
