"""How a worker is put together, the same for the program, its tests and replays."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import grpc
from temporalio.client import Client
from temporalio.contrib.opentelemetry import TracingInterceptor
from temporalio.worker import PollerBehaviorSimpleMaximum, Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from kernel import telemetry
from kernel.clock import Clock
from workflows import TASK_QUEUE, search_attributes
from workflows.activities.assessment import AssessmentActivities
from workflows.activities.clock import ClockActivities
from workflows.activities.contributions import ContributionActivities
from workflows.activities.disputes import DisputeActivities
from workflows.activities.enrollment import EnrollmentActivities
from workflows.activities.evidence import EvidenceActivities
from workflows.activities.inspections import InspectionActivities
from workflows.activities.payment import PaymentActivities
from workflows.activities.provider import ProviderActivities
from workflows.assess_disability import AssessDisability
from workflows.beneficiary_lifecycle import BeneficiaryLifecycle
from workflows.contribution_year import ContributionYear
from workflows.decide_appeal import DecideAppeal
from workflows.forget_evidence import ForgetEvidence
from workflows.inspect_flag import InspectFlag
from workflows.inspection import Inspection
from workflows.pay_instructions import PayInstructions
from workflows.payloads import DATA_CONVERTER
from workflows.provider_agreement import ProviderAgreement
from workflows.review_conclusion import ReviewConclusion
from workflows.settle_month import SettleMonth
from workflows.visit_exceptions import VisitExceptions

WORKFLOWS: Sequence[type[Any]] = (
    BeneficiaryLifecycle,
    AssessDisability,
    SettleMonth,
    PayInstructions,
    ContributionYear,
    ReviewConclusion,
    DecideAppeal,
    ProviderAgreement,
    ForgetEvidence,
    VisitExceptions,
    Inspection,
    InspectFlag,
)
# Evicted workflows cost three to four times as much to wake as those still in memory.
IN_MEMORY = 2_000
POLLERS = 20
GRACE = timedelta(seconds=5)
# Importing these anew for each workflow would cost a second each; none of them reads a clock or
# draws a random number on behalf of a workflow.
PASSED_THROUGH = ("google", "grpc", "kernel", "ltci", "opentelemetry", "workflows.activities")


def sandbox() -> SandboxedWorkflowRunner:
    """Runs workflow code apart from the process, with our heavy modules passed through."""
    restrictions = SandboxRestrictions.default.with_passthrough_modules(*PASSED_THROUGH)
    return SandboxedWorkflowRunner(restrictions=restrictions)


async def connect(address: str, namespace: str) -> Client:
    """A client whose calls carry the trace, with our attributes known to the namespace."""
    client = await Client.connect(
        address,
        namespace=namespace,
        data_converter=DATA_CONVERTER,
        interceptors=[TracingInterceptor(telemetry.tracer())],
    )
    await search_attributes.register(client)
    return client


def activities(channels: Mapping[str, grpc.aio.Channel], clock: Clock) -> list[Callable[..., Any]]:
    """All activities, each service's over its channel."""
    enrollment = EnrollmentActivities(channels["enrollment"])
    contributions = ContributionActivities(channels["enrollment"])
    assessment = AssessmentActivities(channels["assessment"])
    disputes = DisputeActivities(channels["assessment"])
    payment = PaymentActivities(channels["payment"])
    provider = ProviderActivities(channels["provider"])
    evidence = EvidenceActivities(channels["provider"])
    inspections = InspectionActivities(channels["provider"])
    return [
        ClockActivities(clock).read_clock,
        enrollment.decide_eligibility,
        contributions.get_contribution_year,
        contributions.determine_pool_dues,
        contributions.remind_contributions,
        contributions.suspend_for_arrears,
        contributions.resume_after_payment,
        assessment.get_application,
        assessment.refuse_application,
        assessment.withdraw_application,
        assessment.publish_conclusion,
        assessment.deliver_conclusion,
        assessment.note_clock,
        assessment.order_reassessment,
        disputes.get_review,
        disputes.publish_review,
        disputes.deliver_review,
        disputes.get_appeal,
        payment.review_entitlement,
        payment.freeze_settlement,
        payment.determine_benefits,
        payment.close_settlement,
        payment.send_instructions,
        payment.enquire_instructions,
        payment.reissue_instructions,
        provider.get_open_agreement,
        provider.end_agreement,
        provider.order_appraisal,
        evidence.get_kept_evidence,
        evidence.forget_evidence,
        provider.sweep_visits,
        inspections.open_inspection,
        inspections.get_inspection,
        inspections.close_inspection,
        inspections.note_inspection_clock,
    ]


def make_worker(
    client: Client, doing: Sequence[Callable[..., Any]], task_queue: str = TASK_QUEUE
) -> Worker:
    """A worker for all workflows with these activities."""
    pollers = PollerBehaviorSimpleMaximum(POLLERS)
    return Worker(
        client,
        task_queue=task_queue,
        workflows=WORKFLOWS,
        activities=doing,
        workflow_runner=sandbox(),
        max_cached_workflows=IN_MEMORY,
        workflow_task_poller_behavior=pollers,
        activity_task_poller_behavior=pollers,
        graceful_shutdown_timeout=GRACE,
    )
