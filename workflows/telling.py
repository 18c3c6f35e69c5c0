"""Starts and signals workflows, however long Temporal is away."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import chain, repeat
from typing import Any

from temporalio.client import Client
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from kernel import telemetry
from kernel.eventstore.feed import FeedEvent
from workflows import TASK_QUEUE, telling_supervision
from workflows.assess_disability import AssessDisability
from workflows.beneficiary_lifecycle import BeneficiaryLifecycle
from workflows.contribution_year import ContributionYear
from workflows.decide_appeal import DecideAppeal
from workflows.forget_evidence import ForgetEvidence
from workflows.messages import Beneficiary, Designated, FactNotice
from workflows.pay_instructions import PayInstructions
from workflows.provider_agreement import ProviderAgreement
from workflows.review_conclusion import ReviewConclusion
from workflows.search_attributes import about
from workflows.settle_month import SettleMonth
from workflows.visit_exceptions import VisitExceptions
from workflows.wakes import (
    AgreementMoved,
    Appealed,
    Applied,
    BatchMade,
    Concerned,
    Disputed,
    MonthOpened,
    MonthOver,
    Moved,
    PoolServed,
    Wake,
    YearOpened,
)
from workflows.wakes_supervision import CaseMoved, Flagged

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
            for pause in pauses():
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
            case AgreementMoved() as moved:
                await self._tell_agreement(order.workflow_id, moved)
            case Flagged() | CaseMoved() as wake:
                await telling_supervision.tell(self._client, self._task_queue, wake)
            case MonthOpened() | MonthOver() | YearOpened() | BatchMade() | PoolServed() as opened:
                await self._start(order.workflow_id, *_beginning(opened))

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
        self, workflow_id: str, run: Callable[..., Any], asked: object, pool: str, summary: str
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


def _beginning(
    wake: MonthOpened | MonthOver | YearOpened | BatchMade | PoolServed,
) -> tuple[Callable[..., Any], object, str, str]:
    """What is started once and hears of nothing: its run, what it is asked, pool, summary."""
    match wake:
        case MonthOpened(month=month):
            return SettleMonth.run, month, month.pool, f"Month {month.month}"
        case MonthOver(month=over):
            return ForgetEvidence.run, over, over.pool, f"Evidence of {over.month}"
        case YearOpened(year=year):
            return ContributionYear.run, year, year.pool, f"Contributions of {year.year}"
        case BatchMade(batch=batch):
            return PayInstructions.run, batch, batch.pool, "Payments"
        case PoolServed(queue=queue):
            return VisitExceptions.run, queue, queue.pool, "Exception queue"


def pauses() -> Iterable[float]:
    """Seconds between attempts, without end."""
    return chain(PAUSES, repeat(PAUSES[-1]))


def _facts(order: Order) -> Mapping[str, object]:
    event = order.event
    return {"workflow": order.workflow_id, "event": event.type, "position": event.position}


def _is_passing(error: RPCError) -> bool:
    # A server of the cluster may not have heard of our search attributes yet.
    return error.status in _PASSING or "search attribute" in str(error)
