"""Use cases around what is unusual about visits: disputes, corrections, the queue and its clock."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TypeAlias
from uuid import UUID

from ltci.provider.v1 import exception_service_pb2 as pb

from kernel.clock import SHANGHAI
from kernel.eventstore.codec import Codec
from kernel.eventstore.handle import Call, Handler, Work, code_version
from kernel.eventstore.postgres import EventStore
from kernel.refusal import Invalid, NotFound, Refused, Violation
from kernel.rules.pack import Pack
from services.provider.application.grounds import Grounds, GroundsReader, Meant
from services.provider.application.streams import VISIT, visit_stream
from services.provider.domain import visit_review as review
from services.provider.domain.exception import ExceptionOpened, ExceptionOutcome, ExceptionSettled
from services.provider.domain.plan import PlanApproved
from services.provider.domain.verdict import Basis, ConfirmedBy
from services.provider.domain.visit import (
    LONGEST,
    Care,
    Event,
    ServiceDelivered,
    ServiceRejected,
    Visit,
    VisitStarted,
)
from services.provider.wire_exceptions import record_answer

OBJECTION_DAYS = "provider.visit_objection_days"
CONFIRMATION_DAYS = "provider.visit_confirmation_days"
EXCEPTION_DAYS = "provider.visit_exception_days"
CORRECTION_DAYS = "provider.visit_correction_days"
CORRECTIONS_MAX = "provider.visit_corrections_max"
DISPUTE_REASONS = "provider.visit_dispute_reasons"
CORRECTION_REASONS = "provider.visit_correction_reasons"
SETTLEMENT_REASONS = "provider.visit_settlement_reasons"
MOST_AT_ONCE = 200  # visits that one sweep changes
LOOKED_AT_ONCE = 500
_log = logging.getLogger(__name__)

# Visit, plan, person and start of visits of a pool that hang, after a place in that order.
Hanging: TypeAlias = Callable[
    [str, str, tuple[str, UUID] | None, int], Awaitable[Sequence[tuple[UUID, UUID, UUID, str]]]
]
Counts: TypeAlias = Callable[[str, date], Awaitable[tuple[int, int]]]
"""How many exceptions of a pool are open, and how many of them overdue on a day."""
Letters: TypeAlias = Callable[[Work, Sequence[Event], Pack], Awaitable[None]]
"""Issues the letters that go with events."""


@dataclass(frozen=True, kw_only=True)
class Objection:
    """What a person or family says against a visit."""

    dispute: UUID
    visit: UUID
    reason: str
    statement: str
    disputed_by: ConfirmedBy
    disputed_date: date


@dataclass(frozen=True, kw_only=True)
class Correction:
    """What is right; None where it stays as it is."""

    correction: UUID
    visit: UUID
    reason: str
    explanation: str
    caregiver: UUID | None
    start_time: datetime | None
    end_time: datetime | None
    items: tuple[str, ...]
    corrected_by: str
    approved_by: str
    corrected_date: date


@dataclass(frozen=True, kw_only=True)
class Settlement:
    """What people found."""

    visit: UUID
    exception: UUID
    outcome: ExceptionOutcome
    reason: str
    settled_by: str
    settled_date: date


@dataclass(frozen=True, kw_only=True)
class _Known:
    """A visit with what it is judged on."""

    visit: Visit
    started: VisitStarted
    approved: PlanApproved
    grounds: Grounds
    pack: Pack
    day: date

    def basis(self, *carers: UUID) -> Basis:
        return self.grounds.basis(self.approved, carers[0], self.pack, code_version(), *carers[1:])

    @property
    def carer(self) -> UUID:
        care = self.visit.care
        return self.started.caregiver if care is None else care.caregiver

    def days(self, key: str) -> timedelta:
        return timedelta(days=self.pack.figure(key, self.day).integer())

    def check_code(self, key: str, value: str) -> None:
        """Refuses (`Invalid`) a reason that is not on the pool's list of the day."""
        codes = self.pack.figure(key, self.day).texts()
        if value not in codes:
            known = ", ".join(codes)
            raise Invalid(
                [
                    Violation(
                        "reason",
                        "UNKNOWN_VALUE",
                        f"must be one of: {known}",
                        f"应为以下之一:{known}",
                    )
                ]
            )


class VisitExceptions:
    """Records what people do about a visit, and lets the clocks of hanging visits run out."""

    def __init__(
        self,
        handler: Handler,
        store: EventStore,
        codec: Codec,
        grounds: GroundsReader,
        hanging: Hanging,
        counts: Counts,
        letters: Letters,
    ) -> None:
        self._handler = handler
        self._store = store
        self._grounds = grounds
        self._hanging = hanging
        self._counts = counts
        self._letters = letters
        self._verdicts = {codec.type_name(one) for one in (ServiceDelivered, ServiceRejected)}

    async def dispute(self, call: Call, asked: Objection, today: date) -> pb.VisitRecord:
        """Disputes a visit; the time to object runs from the day the verdict was known."""

        async def work(work: Work) -> pb.VisitRecord:
            known = await self._known(work, asked.visit)
            known.check_code(DISPUTE_REASONS, asked.reason)
            decided = max(known.day, await self._decided_on(asked.visit) or known.day)
            command = review.DisputeVisit(
                **vars(asked),
                provider=known.approved.provider,
                last_date=decided + known.days(OBJECTION_DAYS),
                due_date=known.pack.figure(EXCEPTION_DAYS, known.day)
                .term()
                .after(asked.disputed_date),
                basis=known.basis(known.carer),
            )
            return _recorded(work, known, review.decide(command, known.visit), today)

        return await self._handler.execute(call, work, pb.VisitRecord)

    async def correct(self, call: Call, asked: Correction, today: date) -> pb.VisitRecord:
        """Corrects a visit, or lets the correction wait for a second person."""

        async def work(work: Work) -> pb.VisitRecord:
            known = await self._known(work, asked.visit, asked.caregiver)
            known.check_code(CORRECTION_REASONS, asked.reason)
            care = _right(known, asked)
            command = review.CorrectVisit(
                correction=asked.correction,
                visit=asked.visit,
                provider=known.approved.provider,
                reason=asked.reason,
                explanation=asked.explanation,
                care=care,
                corrected_by=asked.corrected_by,
                approved_by=asked.approved_by,
                corrected_date=asked.corrected_date,
                last_date=known.day + known.days(CORRECTION_DAYS),
                most=known.pack.figure(CORRECTIONS_MAX, known.day).integer(),
                due_date=known.pack.figure(EXCEPTION_DAYS, known.day)
                .term()
                .after(asked.corrected_date),
                basis=known.basis(*dict.fromkeys((known.carer, care.caregiver))),
            )
            return _recorded(work, known, review.decide(command, known.visit), today)

        return await self._handler.execute(call, work, pb.VisitRecord)

    async def settle(self, call: Call, asked: Settlement, today: date) -> pb.VisitRecord:
        """Settles an exception; what hangs on it is decided in the same append."""

        async def work(work: Work) -> pb.VisitRecord:
            state = await work.load(VISIT, visit_stream(asked.visit))
            waits = state.exceptions.proposed
            known = await self._known(work, asked.visit, waits.caregiver if waits else None)
            known.check_code(SETTLEMENT_REASONS, asked.reason)
            carers = (waits.caregiver if waits else known.carer, known.carer)
            command = review.SettleException(
                **vars(asked),
                provider=known.approved.provider,
                basis=known.basis(*dict.fromkeys(carers)),
            )
            events = review.decide(command, known.visit)
            await self._letters(work, events, known.pack)
            return _recorded(work, known, events, today)

        return await self._handler.execute(call, work, pb.VisitRecord)

    async def find(self, name: UUID, today: date, known_at: datetime | None) -> pb.VisitRecord:
        """The visit's record as known now, or at a moment. Refuses NOT_FOUND."""
        state, version = await self._handler.load_known(VISIT, visit_stream(name), known_at)
        if not version:
            raise NotFound("visit", name)
        return record_answer(state, today)

    async def sweep(self, call: Call, pool: str, now: datetime) -> pb.SweepVisitsResponse:
        """Opens and lapses what is due in a pool, at most 200 visits at once."""

        async def work(work: Work) -> pb.SweepVisitsResponse:
            opened = lapsed = 0
            after: tuple[str, UUID] | None = None
            more = False
            while not more:
                listed = await self._hanging(pool, now.isoformat(), after, LOOKED_AT_ONCE)
                for events in await self._looked_at(work, pool, listed, now, opened + lapsed):
                    opened += sum(isinstance(one, ExceptionOpened) for one in events)
                    lapsed += sum(isinstance(one, ExceptionSettled) for one in events)
                more = opened + lapsed >= MOST_AT_ONCE
                if len(listed) < LOOKED_AT_ONCE:
                    break
                after = (listed[-1][3], listed[-1][0])
            is_open, overdue = await self._counts(pool, now.date())
            return pb.SweepVisitsResponse(
                opened_count=opened,
                lapsed_count=lapsed,
                more=more,
                open_count=is_open + opened - lapsed,
                overdue_count=max(overdue - lapsed, 0),
            )

        return await self._handler.execute(call, work, pb.SweepVisitsResponse)

    async def _looked_at(
        self,
        work: Work,
        pool: str,
        listed: Sequence[tuple[UUID, UUID, UUID, str]],
        now: datetime,
        changed: int,
    ) -> list[list[Event]]:
        """What is due of these visits; the list may be a moment behind, the streams are not."""
        states = await work.load_many(VISIT, [visit_stream(visit) for visit, *_ in listed])
        hang = [one for one in states.values() if _may_be_due(one, now)]
        if not hang:
            return []
        begun = [one.started for one in hang if one.started is not None]
        grounds = await self._grounds.gather([_meant(one) for one in begun])
        pack = await self._grounds.pack(pool)
        found: list[list[Event]] = []
        for state, started in zip(hang, begun, strict=True):
            if changed + len(found) >= MOST_AT_ONCE:
                break
            try:
                events = _due(_with(state, started, grounds, pack), now)
            except Refused as refused:
                # A figure that the pool does not know: the visit stays where it is, for people.
                _log.info("not looked at: %s", refused.reason)
                continue
            if events:
                work.record(VISIT, visit_stream(started.visit), pool, events)
                found.append(events)
        return found

    async def _known(self, work: Work, name: UUID, carer: UUID | None = None) -> _Known:
        """The visit with its grounds, also as to another caregiver. Refuses NOT_FOUND."""
        state = await work.load(VISIT, visit_stream(name))
        if state.started is None:
            raise NotFound("visit", name)
        meant = _meant(state.started)
        carers = {carer, state.started.caregiver, state.care.caregiver if state.care else None}
        asked = [replace(meant, caregiver=one) for one in carers if one is not None]
        grounds = await self._grounds.gather(asked)
        pack = await self._grounds.pack(state.started.pool)
        return _with(state, state.started, grounds, pack)

    async def _decided_on(self, name: UUID) -> date | None:
        """The business day on which the latest verdict of a visit was recorded."""
        recorded = await self._store.read_stream(visit_stream(name))
        days = [one.recorded_at for one in recorded if one.type in self._verdicts]
        return days[-1].astimezone(SHANGHAI).date() if days else None


def _recorded(work: Work, known: _Known, events: Sequence[Event], today: date) -> pb.VisitRecord:
    stream = visit_stream(known.started.visit)
    return record_answer(work.record(VISIT, stream, known.approved.pool, events), today)


def _due(known: _Known, now: datetime) -> list[Event]:
    """What is due of a visit that hangs. Refuses FIGURE_UNKNOWN."""
    command = review.LookAtVisit(
        visit=known.started.visit,
        provider=known.approved.provider,
        now=now,
        to_confirm=known.pack.figure(CONFIRMATION_DAYS, known.day).term(),
        to_settle=known.pack.figure(EXCEPTION_DAYS, known.day).term(),
        basis=known.basis(known.carer),
    )
    return review.decide(command, known.visit)


def _may_be_due(state: Visit, now: datetime) -> bool:
    """Whether a clock may have run out: what is not ended waits for people once it was opened."""
    if state.started is None or state.verdict is not None:
        return False
    if state.care is None:
        begun = datetime.fromisoformat(state.started.start_time)
        return begun + LONGEST <= now and not state.exceptions.open
    return True


def _with(state: Visit, started: VisitStarted, grounds: Grounds, pack: Pack) -> _Known:
    day = datetime.fromisoformat(started.start_time).date()
    return _Known(
        visit=state,
        started=started,
        approved=grounds.plan(_meant(started), day).approved,
        grounds=grounds,
        pack=pack,
        day=day,
    )


def _meant(started: VisitStarted) -> Meant:
    return Meant(
        plan=started.plan, person=started.person, pool=started.pool, caregiver=started.caregiver
    )


def _right(known: _Known, asked: Correction) -> Care:
    """The whole of what is right, at the list prices of its day.

    Refuses (`Invalid`) to leave out end and items of a visit that was not ended, and items that
    are not listed.
    """
    care = known.visit.care
    missing = [
        Violation(name, "REQUIRED", "must be given: the visit was not ended", "服务未签退,必填")
        for name, given in (("end_time", asked.end_time), ("items", asked.items))
        if care is None and not given
    ]
    if missing:
        raise Invalid(missing)
    started = known.started
    start = asked.start_time or (
        care.start_time if care else datetime.fromisoformat(started.start_time)
    )
    end = asked.end_time or (care.end_time if care else start)
    items = asked.items or tuple(done.item for done in (care.items if care else ()))
    return Care(
        caregiver=asked.caregiver or known.carer,
        start_time=start,
        end_time=end,
        items=tuple(known.grounds.priced(known.approved, items, start.date())),
    )
