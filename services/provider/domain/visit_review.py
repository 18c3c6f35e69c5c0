"""What people do about a visit after it was told: dispute, correct, settle (异议、更正、异常处理).

Whatever it is, the visit is decided again by the same rule, and the later verdict replaces the
earlier one. Decides on the stream `visit/{visit}`. Pure: no clock, no I/O.
Source: design reading after the practice of electronic visit verification abroad: a correction has
a reason code and keeps the original; a visit that is disputed is not paid until people decide.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import assert_never
from uuid import UUID

from kernel.calendar import Term
from kernel.money import Money
from kernel.refusal import NotFound, Refused
from kernel.rules.ruling import Ruling
from services.provider.domain.exception import (
    BY_PEOPLE,
    About,
    CorrectionProposed,
    ExceptionKind,
    ExceptionOpened,
    ExceptionOutcome,
    Exceptions,
    ExceptionSettled,
    VisitCorrected,
    VisitDisputed,
    answered,
    opened,
    settled,
)
from services.provider.domain.verdict import (
    DELIVERED,
    Basis,
    ConfirmedBy,
    DisputeOutcome,
    Question,
    medical_cost,
    question_of,
    rule_visit,
    staff_of,
)
from services.provider.domain.visit import (
    LONGEST,
    Care,
    Event,
    ServiceDelivered,
    Verdict,
    Visit,
    VisitStarted,
    check_times,
    evolve,
    question_on,
    verdict_on,
)

Kind, Outcome = ExceptionKind, ExceptionOutcome


@dataclass(frozen=True, kw_only=True)
class DisputeVisit:
    dispute: UUID
    visit: UUID
    provider: UUID
    reason: str
    statement: str
    disputed_by: ConfirmedBy
    disputed_date: date
    last_date: date  # last day of the time to object
    due_date: date  # last day to settle it
    basis: Basis


@dataclass(frozen=True, kw_only=True)
class CorrectVisit:
    """`care` is the whole of what is right; the facts are about the old caregiver and the new."""

    correction: UUID
    visit: UUID
    provider: UUID
    reason: str
    explanation: str
    care: Care
    corrected_by: str
    approved_by: str  # empty where nobody did yet
    corrected_date: date
    last_date: date  # last day to correct
    most: int  # corrections of one visit
    due_date: date  # last day to settle it where it waits for somebody
    basis: Basis


@dataclass(frozen=True, kw_only=True)
class SettleException:
    exception: UUID
    visit: UUID
    provider: UUID
    outcome: ExceptionOutcome
    reason: str
    settled_by: str
    settled_date: date
    basis: Basis


@dataclass(frozen=True, kw_only=True)
class LookAtVisit:
    """A visit that hangs is looked at: does a clock of it run out?"""

    visit: UUID
    provider: UUID
    now: datetime
    to_confirm: Term  # from the day the visit ended
    to_settle: Term
    basis: Basis


Command = DisputeVisit | CorrectVisit | SettleException | LookAtVisit


def decide(command: Command, visit: Visit) -> list[Event]:
    """What the command makes happen: nothing, where it was obeyed before. Refuses NOT_FOUND."""
    if visit.started is None:
        raise NotFound("visit", command.visit)
    match command:
        case DisputeVisit():
            return _dispute(command, visit, visit.started)
        case CorrectVisit():
            return _correct(command, visit, visit.started)
        case SettleException():
            return _settle(command, visit, visit.started)
        case LookAtVisit():
            return _look(command, visit, visit.started)
        case _:
            assert_never(command)


def _dispute(command: DisputeVisit, visit: Visit, started: VisitStarted) -> list[Event]:
    """Refuses NOT_DECIDED, DISPUTED_ALREADY, NOTHING_TO_DISPUTE, DISPUTE_TOO_LATE, in this order.

    A visit is disputed once; what people decide about it is final here.
    """
    before = visit.exceptions.disputed
    if before is not None and before.dispute == command.dispute:
        return []
    if visit.verdict is None:
        raise Refused("NOT_DECIDED", visit=str(command.visit))
    if before is not None:
        raise Refused("DISPUTED_ALREADY", visit=str(command.visit))
    if not isinstance(visit.verdict, ServiceDelivered):
        raise Refused("NOTHING_TO_DISPUTE", visit=str(command.visit))
    if command.disputed_date > command.last_date:
        raise Refused("DISPUTE_TOO_LATE", last_date=command.last_date.isoformat())
    disputed = VisitDisputed(
        dispute=command.dispute,
        visit=command.visit,
        person=started.person,
        pool=started.pool,
        provider=command.provider,
        reason=command.reason,
        statement=command.statement,
        disputed_by=command.disputed_by,
        disputed_date=command.disputed_date,
    )
    about = _about(command, visit, started, command.disputed_date, command.due_date)
    return _again(
        [disputed, opened(Kind.DISPUTED, about, visit.exceptions)], visit, started, command
    )


def _correct(command: CorrectVisit, visit: Visit, started: VisitStarted) -> list[Event]:
    """Corrects at once, or waits for a second person where the visit comes to count for more.

    Refuses DISPUTE_UPHELD, CORRECTION_PENDING, CORRECTION_TOO_LATE, CORRECTED_TOO_OFTEN,
    NOTHING_CHANGED, SAME_PERSON, in this order; times that cannot be are bad input.
    """
    unusual, care = visit.exceptions, command.care
    if command.correction in unusual.corrections:
        return []
    if unusual.dispute is not None and unusual.dispute.outcome is DisputeOutcome.UPHELD:
        raise Refused("DISPUTE_UPHELD", visit=str(command.visit))
    if unusual.proposed is not None:
        raise Refused("CORRECTION_PENDING", visit=str(command.visit))
    if command.corrected_date > command.last_date:
        raise Refused("CORRECTION_TOO_LATE", last_date=command.last_date.isoformat())
    if unusual.corrected_count >= command.most:
        raise Refused("CORRECTED_TOO_OFTEN", most=str(command.most))
    check_times(care.start_time, care.end_time)
    if care == visit.care:
        raise Refused("NOTHING_CHANGED", visit=str(command.visit))
    if command.approved_by == command.corrected_by:
        raise Refused("SAME_PERSON", visit=str(command.visit))
    if not command.approved_by and _rises(command, visit, started):
        about = _about(command, visit, started, command.corrected_date, command.due_date)
        return [_proposed(command, started), opened(Kind.CORRECTION, about, unusual)]
    corrected = VisitCorrected(
        **_told(command, started),  # type: ignore[arg-type]  # by name, each of its own type
        approved_by=command.approved_by,
        corrected_date=command.corrected_date,
    )
    done = answered(unusual, [(Kind.NOT_ENDED, Outcome.CORRECTED)], command.corrected_date)
    return _again([corrected, *done], visit, started, command)


def _settle(command: SettleException, visit: Visit, started: VisitStarted) -> list[Event]:
    """Refuses NOT_FOUND, SETTLED_ALREADY, OUTCOME_NOT_POSSIBLE, SAME_PERSON, in this order."""
    one = _open_one(command, visit.exceptions)
    if one is None:
        return []
    if command.outcome not in BY_PEOPLE[one.kind]:
        raise Refused("OUTCOME_NOT_POSSIBLE", kind=one.kind.upper())
    event = settled(
        one,
        command.outcome,
        command.settled_date,
        reason=command.reason,
        settled_by=command.settled_by,
    )
    waits = visit.exceptions.proposed
    if one.kind is Kind.CORRECTION and waits is not None:
        return _approve(command, event, waits, visit, started)
    return _again([event], visit, started, command)


def _open_one(command: SettleException, unusual: Exceptions) -> ExceptionOpened | None:
    """The exception that is meant; None where it was settled so before."""
    for before in unusual.settled:
        if before.exception == command.exception:
            if before.outcome is not command.outcome:
                raise Refused("SETTLED_ALREADY", outcome=before.outcome.upper())
            return None
    for one in unusual.open:
        if one.exception == command.exception:
            return one
    raise NotFound("exception", command.exception)


def _approve(
    command: SettleException,
    event: ExceptionSettled,
    waits: CorrectionProposed,
    visit: Visit,
    started: VisitStarted,
) -> list[Event]:
    """A second person looked at a correction: it counts now, or never."""
    if waits.corrected_by == command.settled_by:
        raise Refused("SAME_PERSON", visit=str(command.visit))
    if command.outcome is Outcome.REFUSED:
        return [event]
    told = {name: value for name, value in vars(waits).items() if name != "proposed_date"}
    corrected = VisitCorrected(
        **told, approved_by=command.settled_by, corrected_date=command.settled_date
    )
    ended = [(Kind.NOT_ENDED, Outcome.CORRECTED)]
    done = answered(visit.exceptions, ended, command.settled_date)
    return _again([event, corrected, *done], visit, started, command)


def _look(command: LookAtVisit, visit: Visit, started: VisitStarted) -> list[Event]:
    """Opens an exception whose time has come; decides where nobody confirmed in time."""
    unusual, care, today = visit.exceptions, visit.care, command.now.date()
    if visit.verdict is not None:
        return []
    due = command.to_settle.after(today)
    about = _about(command, visit, started, today, due)
    if care is None:
        begun = datetime.fromisoformat(started.start_time)
        late = begun + LONGEST <= command.now and not unusual.ever(Kind.NOT_ENDED)
        return [opened(Kind.NOT_ENDED, about, unusual)] if late else []
    hangs = unusual.of(Kind.NOT_CONFIRMED)
    if hangs is not None:
        if today <= hangs.due_date:
            return []
        question = question_on(visit, started, care, denied=False)
        verdict = verdict_on(question, started, command.provider, command.basis)
        return [settled(hangs, Outcome.LAPSED, today), verdict]
    if today > command.to_confirm.after(care.end_time.date()):
        return [opened(Kind.NOT_CONFIRMED, about, unusual)]
    return []


def _again(
    events: list[Event], visit: Visit, started: VisitStarted, command: Command
) -> list[Event]:
    """The events, and the verdict on what they make of a visit that was decided before."""
    verdict, after = visit.verdict, visit
    for event in events:
        after = evolve(after, event)
    if verdict is None or after.care is None:
        return events
    question = question_on(after, started, after.care, denied=_denied(verdict))
    return [*events, verdict_on(question, started, command.provider, command.basis)]


def _denied(verdict: Verdict) -> bool:
    """Whether the person or the family denied the visit instead of confirming it."""
    return question_of(Ruling.read(verdict.ruling)).disputed


def _rises(command: CorrectVisit, visit: Visit, started: VisitStarted) -> bool:
    """Whether the visit would count for more, confirmed and undisputed: whenever this is asked.

    Pools pay by the price, by the minute, or by who cares: more of any is more, and another kind
    of staff or of care may be.
    """
    after = _claim(command, visit, started, command.care)
    if after is None:
        return False
    before = None if visit.care is None else _claim(command, visit, started, visit.care)
    if before is None:
        return True
    more = after.cost > before.cost or after.minutes > before.minutes
    return more or (after.staff, after.medical) != (before.staff, before.medical)


@dataclass(frozen=True, kw_only=True)
class _Claim:
    """What a visit that counts is paid by."""

    cost: Money
    minutes: int
    staff: str
    medical: Money


def _claim(command: CorrectVisit, visit: Visit, started: VisitStarted, care: Care) -> _Claim | None:
    """None where the visit would not count."""
    question: Question = replace(
        question_on(visit, started, care, denied=False),
        confirmed_by=ConfirmedBy.FAMILY,
        dispute=None,
    )
    if rule_visit(question, command.basis).outcome != DELIVERED:
        return None
    return _Claim(
        cost=question.cost,
        minutes=question.minutes,
        staff=staff_of(question, command.provider, command.basis),
        medical=medical_cost(question, command.provider, command.basis),
    )


def _about(command: Command, visit: Visit, started: VisitStarted, today: date, due: date) -> About:
    care = visit.care
    return About(
        visit=started.visit,
        person=started.person,
        pool=started.pool,
        provider=command.provider,
        caregiver=care.caregiver if care is not None else started.caregiver,
        today=today,
        due_date=due,
    )


def _told(command: CorrectVisit, started: VisitStarted) -> dict[str, object]:
    care = command.care
    return {
        "correction": command.correction,
        "visit": started.visit,
        "person": started.person,
        "pool": started.pool,
        "reason": command.reason,
        "explanation": command.explanation,
        "caregiver": care.caregiver,
        "start_time": care.start_time.isoformat(),
        "end_time": care.end_time.isoformat(),
        "items": care.items,
        "corrected_by": command.corrected_by,
        "provider": command.provider,
    }


def _proposed(command: CorrectVisit, started: VisitStarted) -> CorrectionProposed:
    return CorrectionProposed(**_told(command, started), proposed_date=command.corrected_date)  # type: ignore[arg-type]  # as above
