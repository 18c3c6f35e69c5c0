"""Follows the services' feeds and tells workflows what concerns them.

A service only appends events; from its feed workflows are started and signalled, under ids made
from business keys. What it promises:

* every event that matters is delivered at least once: the checkpoint moves after a delivery, in
  PostgreSQL, and a repetition finds the same workflow and changes nothing there;
* a workflow hears of the events of one service in their order; different workflows are told
  side by side;
* a fact about one of several who are one person concerns the cases of all of them;
* a fact about somebody who never applied wakes nobody; who applied once is reviewed again for
  every later fact, also after the lifecycle ended.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, repeat
from typing import Any, assert_never

import asyncpg
from ltci.assessment.v1 import events_pb2 as assessment
from ltci.enrollment.v1 import enrollment_types_pb2
from ltci.enrollment.v1 import events_pb2 as enrollment
from ltci.payment.v1 import events_pb2 as payment
from ltci.provider.v1 import events_pb2 as provider
from temporalio.client import Client
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from kernel import measuring, telemetry
from kernel.eventstore.connections import Pool, is_lost
from kernel.eventstore.feed import Feed, FeedBatch, FeedEvent
from workflows import TASK_QUEUE
from workflows.assess_disability import AssessDisability
from workflows.beneficiary_lifecycle import BeneficiaryLifecycle
from workflows.contribution_year import ContributionYear
from workflows.decide_appeal import DecideAppeal
from workflows.forget_evidence import ForgetEvidence
from workflows.messages import (
    AppealCase,
    Batch,
    Beneficiary,
    Designated,
    EvidenceMonth,
    FactNotice,
    PoolMonth,
    PoolYear,
    ReviewCase,
)
from workflows.pay_instructions import PayInstructions
from workflows.provider_agreement import ProviderAgreement
from workflows.review_conclusion import ReviewConclusion
from workflows.search_attributes import about
from workflows.settle_month import SettleMonth

TOLD_AT_ONCE = 32  # workflows that are told side by side
SKIPPED_UNNOTED = 1_000  # positions without an event of ours before the checkpoint moves
PAUSES = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0)  # seconds between attempts while Temporal is away
_log = logging.getLogger(__name__)
_PASSING = {
    RPCStatusCode.UNAVAILABLE,
    RPCStatusCode.DEADLINE_EXCEEDED,
    RPCStatusCode.RESOURCE_EXHAUSTED,
    RPCStatusCode.ABORTED,
    RPCStatusCode.CANCELLED,
    RPCStatusCode.INTERNAL,
    RPCStatusCode.UNKNOWN,
}


# What an event asks for ------------------------------------------------------------------------


@dataclass(frozen=True)
class Applied:
    """Somebody applied: the lifecycle starts, or hears of one more application."""

    pool: str
    person: str
    notice: FactNotice


@dataclass(frozen=True)
class Concerned:
    """A fact about a person; without a pool, it concerns every pool where the person applied."""

    pool: str
    person: str
    notice: FactNotice


@dataclass(frozen=True)
class Moved:
    """An application moved: its assessment looks at it."""

    application: str
    notice: FactNotice


@dataclass(frozen=True)
class MonthOpened:
    month: PoolMonth


@dataclass(frozen=True)
class MonthOver:
    """A month's visits are told: the evidence of them is kept until nobody can object."""

    month: EvidenceMonth


@dataclass(frozen=True)
class BatchMade:
    batch: Batch


@dataclass(frozen=True)
class One:
    """Two are one person, or not any more: what is told of either concerns both from here on."""

    person: str
    other: str
    notice: FactNotice


@dataclass(frozen=True)
class YearOpened:
    year: PoolYear


@dataclass(frozen=True)
class Disputed:
    """An objection or a review: its process starts where `case` is told, or hears of it."""

    application: str
    notice: FactNotice
    case: ReviewCase | None = None

    @property
    def workflow_id(self) -> str:
        return f"review/{self.application}/{SECOND_ROUND}"


@dataclass(frozen=True)
class Appealed:
    """An appeal: its process starts where `case` is told, or hears of it."""

    appeal: str
    notice: FactNotice
    case: AppealCase | None = None

    @property
    def workflow_id(self) -> str:
        return f"appeal/{self.appeal}"


@dataclass(frozen=True)
class AgreementMoved:
    """Something happened to a provider's agreement: its process starts, or looks at it."""

    pool: str
    provider: str
    notice: FactNotice


SECOND_ROUND = 2  # an application has one review; its result is final
Wake = (
    Applied
    | Concerned
    | One
    | Moved
    | MonthOpened
    | MonthOver
    | BatchMade
    | YearOpened
    | Disputed
    | Appealed
    | AgreementMoved
)
_Reading = Callable[[Any, FactNotice], Wake | None]


def _applied(event: assessment.ApplicationSubmitted, notice: FactNotice) -> Wake:
    notice = replace(notice, application=event.application, day=event.application_date)
    return Applied(event.pool, event.person, notice)


def _moved(event: Any, notice: FactNotice) -> Wake:
    return Moved(event.application, replace(notice, application=event.application))


def _confirmed(event: assessment.ConclusionConfirmed, notice: FactNotice) -> Wake | None:
    return _moved(event, notice) if event.complete else None


def _delivered(event: assessment.ConclusionDelivered, notice: FactNotice) -> Wake:
    notice = replace(notice, application=event.application, day=event.effective_date)
    return Concerned(event.pool, event.person, notice)


def _disputed(event: Any, notice: FactNotice) -> Wake:
    notice = replace(notice, application=event.application)
    case = ReviewCase(event.application, event.pool, event.person)
    return Disputed(event.application, notice, case)


def _reviewed(event: Any, notice: FactNotice) -> Wake:
    return Disputed(event.application, replace(notice, application=event.application))


def _review_confirmed(event: assessment.ReviewConfirmed, notice: FactNotice) -> Wake | None:
    return _reviewed(event, notice) if event.complete else None


def _appealed(event: assessment.AppealFiled, notice: FactNotice) -> Wake:
    case = AppealCase(event.appeal, event.pool, event.person, application=event.application)
    return Appealed(event.appeal, notice, case)


def _appeal_decided(event: assessment.AppealDecided, notice: FactNotice) -> Wake:
    return Appealed(event.appeal, notice)


def _concluded(event: assessment.ReassessmentConcluded, notice: FactNotice) -> Wake:
    return Concerned(event.pool, event.person, replace(notice, day=event.effective_date))


def _lived(event: enrollment.LifeEventReported, notice: FactNotice) -> Wake:
    # The pool that was told need not be the one that pays.
    kind = enrollment_types_pb2.LifeEventKind.Name(event.kind)
    event_name = f"{notice.event} {kind.removeprefix('LIFE_EVENT_KIND_')}"
    return Concerned("", event.person, replace(notice, event=event_name, day=event.event_date))


def _unlived(event: enrollment.LifeEventWithdrawn, notice: FactNotice) -> Wake:
    return Concerned("", event.person, notice)


def _one(event: Any, notice: FactNotice) -> Wake:
    other = event.survivor if event.person == event.duplicate else event.duplicate
    return One(event.person, other, notice)


def _ended(event: Any, notice: FactNotice) -> Wake:
    return Concerned(event.pool, event.person, replace(notice, day=event.end_date))


def _planned(event: provider.PlanApproved, notice: FactNotice) -> Wake:
    return Concerned(event.pool, event.person, replace(notice, day=event.start_date))


def _stands(event: Any, notice: FactNotice) -> Wake:
    return AgreementMoved(event.pool, event.provider, notice)


def _opened(event: payment.SettlementOpened, _notice: FactNotice) -> Wake:
    return MonthOpened(PoolMonth(event.pool, event.month))


def _year_opened(event: enrollment.ContributionYearOpened, _notice: FactNotice) -> Wake:
    return YearOpened(PoolYear(event.pool, event.year))


def _changed(event: enrollment.CoverageChanged, notice: FactNotice) -> Wake:
    return Concerned(event.pool, event.person, replace(notice, day=event.change_date))


def _suspended(event: enrollment.CoverageSuspended, notice: FactNotice) -> Wake:
    return Concerned(event.pool, event.person, replace(notice, day=event.from_date))


def _resumed(event: enrollment.CoverageResumed, notice: FactNotice) -> Wake:
    return Concerned(event.pool, event.person, replace(notice, day=event.resume_date))


def _closed(event: payment.SettlementClosed, _notice: FactNotice) -> Wake | None:
    return BatchMade(Batch(event.batch, event.pool)) if event.batch else None


# One line for each event that matters to a process; all others pass.
_READINGS: tuple[tuple[type[Any], _Reading], ...] = (
    (assessment.ApplicationSubmitted, _applied),
    (assessment.SupplementReceived, _moved),
    (assessment.OnSiteAssessed, _moved),
    (assessment.AssessmentGraded, _moved),
    (assessment.ConclusionConfirmed, _confirmed),
    (assessment.ApplicationWithdrawn, _moved),
    (assessment.ApplicationRefused, _moved),
    (assessment.AssessmentTerminated, _moved),
    (assessment.ConclusionDelivered, _delivered),
    (assessment.ObjectionFiled, _disputed),
    (assessment.ObjectionDecided, _reviewed),
    (assessment.ReviewRequested, _disputed),
    (assessment.ReviewOrdered, _disputed),
    (assessment.ReviewGraded, _reviewed),
    (assessment.ReviewConfirmed, _review_confirmed),
    (assessment.ReviewPublished, _reviewed),
    (assessment.AppealFiled, _appealed),
    (assessment.AppealDecided, _appeal_decided),
    (assessment.ReassessmentConcluded, _concluded),
    (assessment.ClockPaused, _moved),
    (assessment.ClockResumed, _moved),
    (enrollment.LifeEventReported, _lived),
    (enrollment.LifeEventWithdrawn, _unlived),
    (enrollment.CoverageEnded, _ended),
    (enrollment.PersonsMerged, _one),
    (enrollment.PersonsSplit, _one),
    (enrollment.CoverageChanged, _changed),
    (enrollment.CoverageSuspended, _suspended),
    (enrollment.CoverageResumed, _resumed),
    (enrollment.ContributionYearOpened, _year_opened),
    (provider.PlanApproved, _planned),
    (provider.PlanEnded, _ended),
    (provider.AgreementSigned, _stands),
    (provider.SanctionImposed, _stands),
    (provider.ExitRequested, _stands),
    (payment.SettlementOpened, _opened),
    (payment.SettlementClosed, _closed),
)
_BY_TYPE = {f"{kind.DESCRIPTOR.full_name}/1": (kind, reading) for kind, reading in _READINGS}


def types_of(service: str) -> list[str]:
    """The types of a service's events that matter, as its feed names them."""
    return [name for name in _BY_TYPE if name.startswith(f"ltci.{service}.")]


def wake_of(event: FeedEvent, heads: Mapping[str, int]) -> Wake | None:
    """What an event asks for; None where no process waits for such a thing."""
    known = _BY_TYPE.get(event.type)
    if known is None:
        return None
    kind, reading = known
    others = {service: head for service, head in heads.items() if service != event.source and head}
    notice = FactNotice(event.source, event.position, kind.DESCRIPTOR.name, heads=others)
    return reading(kind.FromString(event.payload), notice)


# Where we are and who applied ------------------------------------------------------------------

_TABLES = """
create schema if not exists triggers;
create table if not exists triggers.checkpoint (
    source text primary key,
    epoch text not null,
    position bigint not null
);
create table if not exists triggers.applied (
    person text not null,
    pool text not null,
    primary key (person, pool)
);
create table if not exists triggers.one (
    person text not null,
    other text not null,
    primary key (person, other)
);
"""
_TABLES_LOCK = 0x6C746369  # two workers that start together make the tables once


class Notes:
    """What the triggers remember, in PostgreSQL: how far they read, and who ever applied."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @classmethod
    async def open(cls, dsn: str) -> "Notes":
        pool = await asyncpg.create_pool(dsn, min_size=1, max_size=6)
        async with pool.acquire() as connection, connection.transaction():
            await connection.execute("select pg_advisory_xact_lock($1)", _TABLES_LOCK)
            await connection.execute(_TABLES)
        return cls(pool)

    async def checkpoint(self, source: str) -> tuple[int, str | None]:
        """Position and epoch; 0 and None before the first."""
        row = await self._pool.fetchrow(
            "select position, epoch from triggers.checkpoint where source = $1", source
        )
        return (row["position"], row["epoch"]) if row else (0, None)

    async def move(self, source: str, epoch: str, position: int) -> None:
        await self._pool.execute(
            """
            insert into triggers.checkpoint (source, epoch, position) values ($1, $2, $3)
            on conflict (source) do update set epoch = $2, position = case
                when checkpoint.epoch = $2 then greatest(checkpoint.position, $3) else $3 end
            """,
            source,
            epoch,
            position,
        )

    async def add_applied(self, cases: Iterable[tuple[str, str]]) -> None:
        """Notes (person, pool) pairs."""
        await self._pool.executemany(
            "insert into triggers.applied values ($1, $2) on conflict do nothing", list(cases)
        )

    async def add_one(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Notes that these are, or were, one person: telling both once too often harms nobody."""
        both = [way for one, other in pairs for way in ((one, other), (other, one))]
        await self._pool.executemany(
            "insert into triggers.one values ($1, $2) on conflict do nothing", both
        )

    async def cases_of(self, persons: Iterable[str]) -> dict[str, list[tuple[str, str]]]:
        """The (person, pool) pairs that a fact about each of these people concerns.

        Where the person applied, and of those who are one person each where any of them did;
        people without a case are left out.
        """
        found: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for row in await self._pool.fetch(
            """
            with recursive one (person, other) as (
                select asked, asked from unnest($1::text[]) as asked
                union select one.person, further.other
                from one join triggers.one as further on further.person = one.other
            ), pools as (
                select distinct one.person, applied.pool
                from one join triggers.applied as applied on applied.person = one.other
            )
            select one.person, one.other, pools.pool from one join pools using (person)
            order by one.other, pools.pool
            """,
            list(persons),
        ):
            found[row["person"]].append((row["other"], row["pool"]))
        return found

    async def close(self) -> None:
        await self._pool.close()


# Telling workflows -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Order:
    """One thing to tell one workflow."""

    workflow_id: str
    wake: Wake
    event: FeedEvent


class Teller:
    """Starts and signals workflows. Telling twice changes nothing."""

    def __init__(self, client: Client, task_queue: str = TASK_QUEUE) -> None:
        self._client = client
        self._task_queue = task_queue

    async def tell(self, order: Order) -> None:
        """Returns once the workflow knows, however long Temporal is away."""
        with (
            telemetry.span(
                f"trigger {order.event.type.rpartition('.')[2].partition('/')[0]}",
                parent_traceparent=order.event.traceparent or None,
                workflow_id=order.workflow_id,
            ),
            telemetry.case_scope(telemetry.case_in(order.wake)),
        ):
            for pause in _pauses():
                try:
                    await self._tell(order)
                    _log.info("told", extra={"facts": _facts(order)})
                    return
                except RPCError as error:
                    if not _is_passing(error):
                        raise
                    _log.warning("Temporal is away: %s", error.status.name)
                    await asyncio.sleep(pause)

    async def _tell(self, order: Order) -> None:
        match order.wake:
            case Applied() | Concerned() as concerned:
                await self._tell_lifecycle(order.workflow_id, concerned)
            case Moved(notice=notice):
                await self._tell_assessment(order.workflow_id, notice)
            case Disputed() | Appealed() as dispute:
                await self._tell_dispute(dispute)
            case MonthOpened(month=month):
                await self._start(
                    SettleMonth.run, month, order.workflow_id, month.pool, f"Month {month.month}"
                )
            case MonthOver(month=month):
                await self._start(
                    ForgetEvidence.run,
                    month,
                    order.workflow_id,
                    month.pool,
                    f"Evidence of {month.month}",
                )
            case YearOpened(year=year):
                await self._start(
                    ContributionYear.run,
                    year,
                    order.workflow_id,
                    year.pool,
                    f"Contributions of {year.year}",
                )
            case BatchMade(batch=batch):
                await self._start(
                    PayInstructions.run, batch, order.workflow_id, batch.pool, "Payments"
                )
            case AgreementMoved() as moved:
                await self._tell_agreement(order.workflow_id, moved)

    async def _tell_lifecycle(self, workflow_id: str, fact: Applied | Concerned) -> None:
        await self._client.start_workflow(
            BeneficiaryLifecycle.run,
            Beneficiary(fact.pool, fact.person),
            id=workflow_id,
            task_queue=self._task_queue,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            start_signal="fact",
            start_signal_args=[fact.notice],
            search_attributes=about(fact.pool, fact.person),
            static_summary=f"Beneficiary in {fact.pool}",
            static_details="From the first application to the end of the entitlement.",
        )

    async def _tell_assessment(self, workflow_id: str, notice: FactNotice) -> None:
        handle = self._client.get_workflow_handle_for(AssessDisability.run, workflow_id)
        try:
            await handle.signal(AssessDisability.progress, notice)
        except RPCError as error:
            # Not there yet: it reads the application first. Not there any more: it has ended.
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise

    async def _tell_dispute(self, dispute: Disputed | Appealed) -> None:
        """Starts the process with its news, or tells the one that runs."""
        if dispute.case is None:
            handle = self._client.get_workflow_handle(dispute.workflow_id)
            try:
                await handle.signal("progress", dispute.notice)
            except RPCError as error:
                if error.status is not RPCStatusCode.NOT_FOUND:  # it has ended, or looks first
                    raise
            return
        kind = ReviewConclusion if isinstance(dispute, Disputed) else DecideAppeal
        await self._client.start_workflow(
            kind.__name__,
            dispute.case,
            id=dispute.workflow_id,
            task_queue=self._task_queue,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            start_signal="progress",
            start_signal_args=[dispute.notice],
            search_attributes=about(dispute.case.pool, dispute.case.person),
            static_summary=f"{'Review' if kind is ReviewConclusion else 'Appeal'}"
            f" in {dispute.case.pool}",
        )

    async def _tell_agreement(self, workflow_id: str, moved: AgreementMoved) -> None:
        await self._client.start_workflow(
            ProviderAgreement.run,
            Designated(moved.pool, moved.provider),
            id=workflow_id,
            task_queue=self._task_queue,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            start_signal="progress",
            start_signal_args=[moved.notice],
            search_attributes=about(moved.pool),
            static_summary=f"Agreements of a provider in {moved.pool}",
        )

    async def _start(
        self, run: Callable[..., Any], asked: object, workflow_id: str, pool: str, summary: str
    ) -> None:
        try:
            await self._client.start_workflow(
                run,
                asked,
                id=workflow_id,
                task_queue=self._task_queue,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
                search_attributes=about(pool),
                static_summary=f"{summary} of {pool}",
            )
        except WorkflowAlreadyStartedError:
            _log.debug("%s is there already", workflow_id)


class Triggers:
    """Follows all feeds side by side."""

    def __init__(self, teller: Teller, notes: Notes, feeds: Sequence[Feed]) -> None:
        self._teller = teller
        self._notes = notes
        self._feeds = feeds
        self._heads: dict[str, int] = {}
        self._noted: dict[str, int] = {}
        self._reached: dict[str, int] = {}  # delivered; notes may stay behind
        self._free = asyncio.Semaphore(TOLD_AT_ONCE)

    async def run(self) -> None:
        """Follows until it is cancelled. Ends with an error where a feed's history differs."""
        starts = {feed.source: await self._notes.checkpoint(feed.source) for feed in self._feeds}
        self._noted = {source: position for source, (position, _) in starts.items()}
        self._heads, self._reached = dict(self._noted), dict(self._noted)
        async with asyncio.TaskGroup() as group:
            for feed in self._feeds:
                group.create_task(self._follow(feed, *starts[feed.source]))

    async def lag(self) -> dict[str, int]:
        """How many events of each feed are not delivered yet; feeds without any are left out."""
        behind = {
            feed.source: await feed.head() - self._reached.get(feed.source, 0)
            for feed in self._feeds
        }
        return {source: count for source, count in behind.items() if count > 0}

    async def tell_lag(self) -> None:
        """Puts the same where the collector reads it."""
        behind = await self.lag()
        for feed in self._feeds:
            measuring.tell_lag("workflows", "triggers", feed.source, behind.get(feed.source, 0))

    async def _follow(self, feed: Feed, position: int, epoch: str | None) -> None:
        async for batch in feed.batches(after=position, epoch=epoch):
            await _while_database_is_away(lambda batch=batch: self._take(feed.source, batch))  # type: ignore[misc]

    async def _take(self, source: str, batch: FeedBatch) -> None:
        """Delivers a batch, then notes that it was."""
        # First: who applies from here on is told that facts up to here may have passed unheard.
        self._heads[source] = max(batch.position, self._heads.get(source, 0))
        wakes = [(event, wake_of(event, self._heads)) for event in batch.events]
        orders = await self._orders([(event, wake) for event, wake in wakes if wake is not None])
        async with asyncio.TaskGroup() as group:
            for told in orders.values():
                group.create_task(self._tell_in_order(told))
        self._reached[source] = batch.position
        if batch.events or batch.position - self._noted.get(source, 0) >= SKIPPED_UNNOTED:
            await self._notes.move(source, batch.epoch, batch.position)
            self._noted[source] = batch.position

    async def _orders(
        self, wakes: Sequence[tuple[FeedEvent, Wake]]
    ) -> Mapping[str, Sequence[Order]]:
        """What to tell, by workflow, in the order of events."""
        applied = [(w.person, w.pool) for _, w in wakes if isinstance(w, Applied)]
        if applied:
            await self._notes.add_applied(applied)
        ones = [(w.person, w.other) for _, w in wakes if isinstance(w, One)]
        if ones:
            await self._notes.add_one(ones)
        concerned = {w.person for _, w in wakes if isinstance(w, Concerned | One)}
        cases = await self._notes.cases_of(concerned) if concerned else {}
        orders: dict[str, list[Order]] = defaultdict(list)
        for event, wake in wakes:
            for workflow_id, told in _addressed(wake, cases):
                orders[workflow_id].append(Order(workflow_id, told, event))
        return orders

    async def _tell_in_order(self, orders: Sequence[Order]) -> None:
        async with self._free:
            for order in orders:
                await self._teller.tell(order)


def _facts(order: Order) -> Mapping[str, object]:
    event = order.event
    return {"workflow": order.workflow_id, "event": event.type, "position": event.position}


def _addressed(
    wake: Wake, cases: Mapping[str, Sequence[tuple[str, str]]]
) -> Iterable[tuple[str, Wake]]:
    """The workflows a wake goes to, by id."""
    match wake:
        case Applied():
            yield f"beneficiary/{wake.pool}/{wake.person}", wake
        case Concerned():
            for person, pool in cases.get(wake.person, ()):
                if wake.pool in {"", pool}:
                    told = Concerned(pool, person, wake.notice)
                    yield f"beneficiary/{pool}/{person}", told
        case One():
            for person, pool in cases.get(wake.person, ()):
                yield f"beneficiary/{pool}/{person}", Concerned(pool, person, wake.notice)
        case Disputed() | Appealed():
            yield wake.workflow_id, wake
        case Moved():
            yield f"assessment/{wake.application}", wake
        case MonthOpened(month=month):
            yield _at_once(wake), wake
            over = MonthOver(EvidenceMonth(month.pool, month.month))
            yield _at_once(over), over
        case _:
            yield _at_once(wake), wake


def _at_once(wake: MonthOpened | MonthOver | YearOpened | BatchMade | AgreementMoved) -> str:
    """The workflow that what was opened or made is for."""
    match wake:
        case MonthOpened(month=month):
            return f"settlement/{month.pool}/{month.month}"
        case MonthOver(month=month):
            return f"evidence/{month.pool}/{month.month}"
        case YearOpened(year=year):
            return f"contributions/{year.pool}/{year.year}"
        case BatchMade(batch=batch):
            return f"payment/{batch.batch}"
        case AgreementMoved():
            return f"agreement/{wake.provider}"
        case _:
            assert_never(wake)


def _is_passing(error: RPCError) -> bool:
    # A server of the cluster may not have heard of our search attributes yet.
    return error.status in _PASSING or "search attribute" in str(error)


async def _while_database_is_away(deliver: Callable[[], Any]) -> None:
    """Tries a delivery again where our own notes could not be read or written."""
    for pause in _pauses():
        try:
            await deliver()
            return
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            if not is_lost(error):
                raise
            _log.warning("the database is away: %s", type(error).__name__)
            await asyncio.sleep(pause)


def _pauses() -> Iterable[float]:
    """Seconds between attempts, without end."""
    return chain(PAUSES, repeat(PAUSES[-1]))
