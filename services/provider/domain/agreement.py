"""A provider's agreements and sanctions: what may be signed, imposed, lifted, ended.

Decides on the stream `provider/{provider}`. Pure: no clock, no I/O.
Source: 医保办发〔2024〕21号 (agreement of 1-2 years, sanction ladder, Art. 41 exit).
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import assert_never
from uuid import UUID

from kernel.calendar import add_months
from kernel.refusal import NotFound, Refused
from services.provider.domain.designation import Designation, DesignationState
from services.provider.domain.provider import Event, Provider, ProviderAdmitted
from services.provider.domain.standing import (
    TERM_OVER,
    AgreementEnded,
    AgreementSigned,
    AppraisalOrdered,
    AppraisalRecorded,
    ExitRequested,
    SanctionImposed,
    SanctionLifted,
    SanctionMeasure,
    ServiceLine,
    Term,
)

_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class SignAgreement:
    """`designation` is the application as it stands; a term is of so many months, both ends in."""

    agreement: UUID
    application: UUID
    designation: Designation
    operator_name: str
    operator_code: str
    lines: tuple[ServiceLine, ...]
    start_date: date
    end_date: date
    signed_date: date
    months_min: int
    months_max: int


@dataclass(frozen=True, kw_only=True)
class ImposeSanction:
    sanction: UUID
    provider: UUID
    measure: SanctionMeasure
    start_date: date
    end_date: date | None
    cause: str
    article: str


@dataclass(frozen=True, kw_only=True)
class LiftSanction:
    sanction: UUID
    provider: UUID
    lifted_date: date  # first day without it
    cause: str


@dataclass(frozen=True, kw_only=True)
class RequestExit:
    provider: UUID
    request_date: date
    exit_date: date  # first day without service
    cause: str
    notice_months: int


@dataclass(frozen=True, kw_only=True)
class EndAgreement:
    provider: UUID
    agreement: UUID
    today: date


@dataclass(frozen=True, kw_only=True)
class OrderAppraisal:
    provider: UUID
    agreement: UUID
    agreement_year: int
    today: date


@dataclass(frozen=True, kw_only=True)
class RecordAppraisal:
    provider: UUID
    agreement: UUID
    agreement_year: int
    appraised_date: date
    points: int
    passed: bool


Command = (
    SignAgreement
    | ImposeSanction
    | LiftSanction
    | RequestExit
    | EndAgreement
    | OrderAppraisal
    | RecordAppraisal
)


def decide(command: Command, provider: Provider) -> list[Event]:
    """What the command makes happen: nothing, where it was obeyed before.

    Refuses NOT_FOUND for a provider that was never admitted, but for its first agreement.
    """
    match command:
        case SignAgreement():
            return _sign(command, provider)
        case ImposeSanction():
            return _impose(command, provider)
        case LiftSanction():
            return _lift(command, provider)
        case RequestExit():
            return _leave(command, provider)
        case EndAgreement():
            return _end(command, provider)
        case OrderAppraisal():
            return _order_appraisal(command, provider)
        case RecordAppraisal():
            return _record_appraisal(command, provider)
        case _:
            assert_never(command)


def appraisal_day(first: date, year: int) -> date:
    """The last day of a year of an agreement, its first year being 1."""
    return add_months(first, 12 * year) - _ONE_DAY


def next_appraisal(agreement: UUID, provider: Provider) -> tuple[int, date] | None:
    """The year of an agreement to be appraised next and its last day; None where none is left."""
    term = _term(provider, agreement)
    if term is None:
        return None
    year = 1
    while (agreement, year) in provider.appraisals:
        year += 1
    due = appraisal_day(term.first, year)
    return (year, due) if due <= term.last_served else None


def admitted(name: UUID, provider: Provider) -> ProviderAdmitted:
    """What the provider was admitted as. Refuses NOT_FOUND."""
    if provider.admitted is None:
        raise NotFound("provider", name)
    return provider.admitted


def _sign(command: SignAgreement, provider: Provider) -> list[Event]:
    """The agreement, and the admission where it is the first one.

    Refuses NOT_PUBLISHED, PUBLICITY_RUNNING, LINE_NOT_APPLIED, TERM_OUTSIDE_RANGE,
    PROVIDER_NOT_IN_POOL, SIGNED_ALREADY, AGREEMENT_OVERLAPS, in this order.
    """
    applied = command.designation.applied
    if applied is None:
        raise NotFound("designation", command.application)
    signed = AgreementSigned(
        agreement=command.agreement,
        application=command.application,
        provider=applied.provider,
        pool=applied.pool,
        operator_name=command.operator_name,
        operator_code=command.operator_code,
        lines=command.lines,
        start_date=command.start_date,
        end_date=command.end_date,
        signed_date=command.signed_date,
    )
    if signed in provider.agreements:
        return []
    _may_sign(command, provider)
    if provider.admitted is not None:
        return [signed]
    first = ProviderAdmitted(
        provider=applied.provider,
        pool=applied.pool,
        provider_name=applied.provider_name,
        social_credit_code=applied.social_credit_code,
        agreement_start_date=command.start_date,
        agreement_end_date=command.end_date,
    )
    return [first, signed]


def _may_sign(command: SignAgreement, provider: Provider) -> None:
    it, applied = command.designation, command.designation.applied
    if it.state is not DesignationState.PUBLISHED or it.published is None or applied is None:
        raise Refused("NOT_PUBLISHED", application=str(command.application))
    if command.signed_date <= it.published.publicity_end_date:
        until = it.published.publicity_end_date.isoformat()
        raise Refused("PUBLICITY_RUNNING", publicity_end_date=until)
    strange = sorted(set(command.lines) - set(applied.lines))
    if strange:
        raise Refused("LINE_NOT_APPLIED", line=strange[0])
    shortest = add_months(command.start_date, command.months_min) - _ONE_DAY
    longest = add_months(command.start_date, command.months_max) - _ONE_DAY
    if not shortest <= command.end_date <= longest:
        raise Refused(
            "TERM_OUTSIDE_RANGE", earliest=shortest.isoformat(), latest=longest.isoformat()
        )
    if provider.admitted is not None and provider.admitted.pool != applied.pool:
        raise Refused("PROVIDER_NOT_IN_POOL", pool=applied.pool)
    if any(one.application == command.application for one in provider.agreements):
        raise Refused("SIGNED_ALREADY", application=str(command.application))
    for term in provider.standing.terms:
        if term.first <= command.end_date and command.start_date <= term.last_served:
            raise Refused("AGREEMENT_OVERLAPS", end_date=term.last_served.isoformat())


def _impose(command: ImposeSanction, provider: Provider) -> list[Event]:
    pool = admitted(command.provider, provider).pool
    imposed = SanctionImposed(pool=pool, **vars(command))
    return [] if any(one.imposed == imposed for one in provider.standing.sanctions) else [imposed]


def _lift(command: LiftSanction, provider: Provider) -> list[Event]:
    """Refuses SANCTION_FINAL for a termination, LIFTED_BEFORE_START."""
    pool = admitted(command.provider, provider).pool
    found = [s for s in provider.standing.sanctions if s.imposed.sanction == command.sanction]
    if not found:
        raise NotFound("sanction", command.sanction)
    sanction = found[0]
    if sanction.imposed.measure is SanctionMeasure.TERMINATE:
        raise Refused("SANCTION_FINAL", sanction=str(command.sanction))
    if command.lifted_date < sanction.imposed.start_date:
        start = sanction.imposed.start_date.isoformat()
        raise Refused("LIFTED_BEFORE_START", start_date=start)
    if sanction.lifted is not None and sanction.lifted <= command.lifted_date:
        return []
    return [SanctionLifted(pool=pool, **vars(command))]


def _leave(command: RequestExit, provider: Provider) -> list[Event]:
    """Refuses NOT_IN_FORCE, NOTICE_TOO_SHORT."""
    pool = admitted(command.provider, provider).pool
    asked = ExitRequested(
        provider=command.provider,
        pool=pool,
        request_date=command.request_date,
        exit_date=command.exit_date,
        cause=command.cause,
    )
    if provider.standing.exit == asked:
        return []
    term = provider.standing.term_on(command.request_date)
    if term is None or not term.serves(command.request_date):
        raise Refused("NOT_IN_FORCE", on=command.request_date.isoformat())
    earliest = add_months(command.request_date, command.notice_months)
    if command.exit_date < earliest:
        raise Refused("NOTICE_TOO_SHORT", earliest=earliest.isoformat())
    return [asked]


def _term(provider: Provider, agreement: UUID) -> Term | None:
    return next((t for t in provider.standing.terms if t.agreement == agreement), None)


def _known_term(name: UUID, agreement: UUID, provider: Provider) -> Term:
    admitted(name, provider)
    term = _term(provider, agreement)
    if term is None:
        raise NotFound("agreement", agreement)
    return term


def _end(command: EndAgreement, provider: Provider) -> list[Event]:
    """Refuses STILL_IN_FORCE on a day on which the agreement still serves."""
    term = _known_term(command.provider, command.agreement, provider)
    if command.agreement in provider.ended:
        return []
    if command.today <= term.last_served:
        raise Refused("STILL_IN_FORCE", end_date=term.last_served.isoformat())
    ended = AgreementEnded(
        agreement=command.agreement,
        provider=command.provider,
        pool=admitted(command.provider, provider).pool,
        end_date=term.last_served,
        cause=term.cause or TERM_OVER,
    )
    return [ended]


def _order_appraisal(command: OrderAppraisal, provider: Provider) -> list[Event]:
    """Refuses NOT_DUE before the year is over, and for a year that the agreement does not have."""
    term = _known_term(command.provider, command.agreement, provider)
    due = appraisal_day(term.first, command.agreement_year)
    if (command.agreement, command.agreement_year) in provider.appraisals:
        return []
    if command.agreement_year < 1 or command.today <= due or due > term.last_served:
        raise Refused("NOT_DUE", due_date=due.isoformat())
    ordered = AppraisalOrdered(
        agreement=command.agreement,
        provider=command.provider,
        pool=admitted(command.provider, provider).pool,
        agreement_year=command.agreement_year,
        due_date=due,
    )
    return [ordered]


def _record_appraisal(command: RecordAppraisal, provider: Provider) -> list[Event]:
    """Refuses APPRAISED_ALREADY for a year that has another result."""
    _known_term(command.provider, command.agreement, provider)
    pool = admitted(command.provider, provider).pool
    recorded = AppraisalRecorded(pool=pool, **vars(command))
    for known in provider.results:
        if known == recorded:
            return []
        if (known.agreement, known.agreement_year) == (command.agreement, command.agreement_year):
            raise Refused("APPRAISED_ALREADY", appraised_date=known.appraised_date.isoformat())
    return [recorded]
