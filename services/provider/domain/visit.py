"""A care visit (上门服务), or a day in an institution (住养日): from its start to its verdict.

A visit is told in three steps, or whole at once where a device uploads it later (离线上传).
Either way the same events are recorded, and the same rule decides. Pure: no clock, no I/O.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import assert_never
from uuid import UUID

from kernel.frozen import replace
from kernel.money import ZERO, Money
from kernel.refusal import Invalid, NotFound, Refused, RequestReused, Violation
from services.provider.domain import exception
from services.provider.domain.evidence import EvidenceKept, Kept
from services.provider.domain.exception import Exceptions
from services.provider.domain.place import Place
from services.provider.domain.signals import evident_of
from services.provider.domain.verdict import (
    REJECTED,
    Basis,
    ConfirmedBy,
    ItemDone,
    Question,
    medical_cost,
    rule_visit,
    staff_of,
)

LONGEST = timedelta(hours=24)  # a day in an institution is one visit


@dataclass(frozen=True, kw_only=True)
class StartVisit:
    visit: UUID
    plan: UUID
    person: UUID
    pool: str
    provider: UUID
    caregiver: UUID
    start_time: datetime  # offset +08:00
    place: Place
    distance_m: int
    evidence: EvidenceKept | None = None


@dataclass(frozen=True, kw_only=True)
class EndVisit:
    visit: UUID
    end_time: datetime  # offset +08:00
    items: tuple[ItemDone, ...]
    evidence: EvidenceKept | None = None


@dataclass(frozen=True, kw_only=True)
class ConfirmVisit:
    """The visit is confirmed, disputed, or neither; the verdict stands on the basis."""

    visit: UUID
    provider: UUID
    confirmed_by: ConfirmedBy | None
    disputed: bool = False
    basis: Basis


@dataclass(frozen=True, kw_only=True)
class SubmitVisit:
    """The three steps in one."""

    start: StartVisit
    end: EndVisit
    confirm: ConfirmVisit


Command = StartVisit | EndVisit | ConfirmVisit | SubmitVisit


@dataclass(frozen=True, kw_only=True)
class VisitStarted:
    visit: UUID
    plan: UUID
    person: UUID
    pool: str
    caregiver: UUID
    start_time: str  # ISO 8601 with offset
    place: Place | None = None  # personal: gone with the person's key; none beside evidence
    distance_m: int


@dataclass(frozen=True, kw_only=True)
class VisitEnded:
    visit: UUID
    person: UUID
    end_time: str  # ISO 8601 with offset
    items: tuple[ItemDone, ...]


@dataclass(frozen=True, kw_only=True)
class VisitConfirmed:
    visit: UUID
    person: UUID
    confirmed_by: ConfirmedBy


@dataclass(frozen=True, kw_only=True)
class ServiceDelivered:
    visit: UUID
    plan: UUID
    person: UUID
    pool: str
    provider: UUID
    care_date: date
    minutes: int
    cost: Money
    ruling: bytes
    staff: str = ""  # by the names that packs use
    medical_cost: Money = ZERO  # the part of the cost that is medical care


@dataclass(frozen=True, kw_only=True)
class ServiceRejected:
    visit: UUID
    plan: UUID
    person: UUID
    pool: str
    provider: UUID
    care_date: date
    reasons: tuple[str, ...]
    cost: Money  # what is not paid
    ruling: bytes


Verdict = ServiceDelivered | ServiceRejected
Event = VisitStarted | VisitEnded | VisitConfirmed | EvidenceKept | Verdict | exception.Event


@dataclass(frozen=True, kw_only=True)
class Care:
    """Who cared, when, and what was done: as told first, or as corrected last."""

    caregiver: UUID
    start_time: datetime
    end_time: datetime
    items: tuple[ItemDone, ...]


@dataclass(frozen=True, kw_only=True)
class Visit:
    """A visit as far as it has come."""

    started: VisitStarted | None = None
    ended: VisitEnded | None = None
    confirmed_by: ConfirmedBy | None = None
    verdict: Verdict | None = None
    exceptions: Exceptions = field(default_factory=Exceptions)
    kept: tuple[Kept, ...] = ()  # of its evidence: findings and digests, never the evidence

    @property
    def care(self) -> Care | None:
        """What is to be decided on; None before the end of the visit is known."""
        last = self.exceptions.corrected
        if last is None:
            if self.started is None or self.ended is None:
                return None
            told = (self.started.caregiver, self.started.start_time)
            done = (self.ended.end_time, self.ended.items)
        else:
            told = (last.caregiver, last.start_time)
            done = (last.end_time, last.items)
        return Care(
            caregiver=told[0],
            start_time=datetime.fromisoformat(told[1]),
            end_time=datetime.fromisoformat(done[0]),
            items=done[1],
        )


def decide(command: Command, visit: Visit) -> list[Event]:
    """What the command makes happen: nothing, where it was obeyed before.

    Refuses NOT_FOUND, ENDED_ALREADY, NOT_ENDED, DECIDED_ALREADY; an end before the start is
    bad input. A visit's id comes from its request, so another start under it is that request
    used again.
    """
    match command:
        case StartVisit():
            return _start(command, visit)
        case EndVisit():
            return _end(command, visit)
        case ConfirmVisit():
            return _confirm(command, visit)
        case SubmitVisit(start=start, end=end, confirm=confirm):
            events: list[Event] = []
            for step in (start, end, confirm):
                told = decide(step, visit)
                for event in told:
                    visit = evolve(visit, event)
                events += told
            return events
        case _:
            assert_never(command)


def evolve(visit: Visit, event: Event) -> Visit:
    """The visit after the event. It never refuses: what happened, happened."""
    match event:
        case VisitStarted():
            return replace(visit, started=event)
        case VisitEnded():
            return replace(visit, ended=event)
        case VisitConfirmed():
            return replace(visit, confirmed_by=event.confirmed_by)
        case EvidenceKept():
            # States are cached: what may be forgotten must not be in them.
            kept = Kept(phase=event.phase, digest=event.digest, findings=event.findings)
            return replace(visit, kept=(*visit.kept, kept))
        case ServiceDelivered() | ServiceRejected():
            return replace(visit, verdict=event)
        case (
            exception.VisitDisputed()
            | exception.CorrectionProposed()
            | exception.VisitCorrected()
            | exception.ExceptionOpened()
            | exception.ExceptionSettled()
        ):
            return replace(visit, exceptions=exception.evolve(visit.exceptions, event))
        case _:
            assert_never(event)


def _start(command: StartVisit, visit: Visit) -> list[Event]:
    started = VisitStarted(
        visit=command.visit,
        plan=command.plan,
        person=command.person,
        pool=command.pool,
        caregiver=command.caregiver,
        start_time=command.start_time.isoformat(),
        # Beside evidence the place is in that alone, under the visit's own key.
        place=command.place if command.evidence is None else None,
        distance_m=command.distance_m,
    )
    if visit.started is None:
        return [started, *_kept(command.evidence)]
    if visit.started != started:
        raise RequestReused
    return []


def _end(command: EndVisit, visit: Visit) -> list[Event]:
    if visit.started is None:
        raise NotFound("visit", command.visit)
    start_time = datetime.fromisoformat(visit.started.start_time)
    check_times(start_time, command.end_time)
    ended = VisitEnded(
        visit=command.visit,
        person=visit.started.person,
        end_time=command.end_time.isoformat(),
        items=command.items,
    )
    if visit.ended is None:
        return [ended, *_kept(command.evidence)]
    if visit.ended != ended:
        raise Refused("ENDED_ALREADY", end_time=visit.ended.end_time)
    return []


def _kept(evidence: EvidenceKept | None) -> list[Event]:
    return [] if evidence is None else [evidence]


def check_times(start_time: datetime, end_time: datetime) -> None:
    """Refuses (Invalid) an end that is not after the start, or more than 24 hours after it."""
    if end_time <= start_time:
        raise Invalid([_ENDS_BEFORE_START])
    if end_time - start_time > LONGEST:
        raise Invalid([_LASTS_TOO_LONG])


def _confirm(command: ConfirmVisit, visit: Visit) -> list[Event]:
    started, care = visit.started, visit.care
    if started is None:
        raise NotFound("visit", command.visit)
    if care is None:
        raise Refused("NOT_ENDED", visit=str(command.visit))
    if visit.verdict is not None:
        if visit.confirmed_by != command.confirmed_by:
            raise Refused("DECIDED_ALREADY", visit=str(command.visit))
        return []
    events: list[Event] = []
    if command.confirmed_by is not None:
        events.append(
            VisitConfirmed(
                visit=command.visit,
                person=started.person,
                confirmed_by=command.confirmed_by,
            )
        )
        visit = evolve(visit, events[0])
    question = question_on(visit, started, care, denied=command.disputed)
    return [*events, verdict_on(question, started, command.provider, command.basis)]


def question_on(visit: Visit, started: VisitStarted, care: Care, *, denied: bool) -> Question:
    """What the visit says of itself as it stands; `denied` where its confirmation was denied."""
    unusual = visit.exceptions
    return Question(
        visit=started.visit,
        plan=started.plan,
        caregiver=care.caregiver,
        start_time=care.start_time,
        end_time=care.end_time,
        distance_m=started.distance_m,
        items=care.items,
        confirmed_by=visit.confirmed_by,
        disputed=denied,
        dispute=unusual.dispute,
        correction=unusual.corrected.reason if unusual.corrected else "",
        corrected_count=unusual.corrected_count,
        evident=evident_of(visit.kept),
    )


def verdict_on(question: Question, started: VisitStarted, provider: UUID, basis: Basis) -> Verdict:
    """The verdict on a visit; a later one of the same visit replaces it."""
    ruling = rule_visit(question, basis)
    if ruling.outcome == REJECTED:
        return ServiceRejected(
            visit=started.visit,
            plan=started.plan,
            person=started.person,
            pool=started.pool,
            provider=provider,
            care_date=question.care_date,
            reasons=ruling.reasons,
            cost=question.cost,
            ruling=ruling.to_bytes(),
        )
    return ServiceDelivered(
        visit=started.visit,
        plan=started.plan,
        person=started.person,
        pool=started.pool,
        provider=provider,
        care_date=question.care_date,
        minutes=question.minutes,
        cost=question.cost,
        ruling=ruling.to_bytes(),
        staff=staff_of(question, provider, basis),
        medical_cost=medical_cost(question, provider, basis),
    )


_ENDS_BEFORE_START = Violation(
    "end_time", "ENDS_BEFORE_START", "must be after the start", "应晚于开始时间"
)
_LASTS_TOO_LONG = Violation(
    "end_time",
    "LASTS_TOO_LONG",
    "must be at most 24 hours after the start",
    "不得晚于开始时间24小时以上",
)
