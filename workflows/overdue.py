"""How many processes run, and how many are past their deadline: read from Temporal's index."""

from datetime import timedelta

from temporalio.client import Client

from kernel import telemetry
from kernel.clock import Clock
from workflows.search_attributes import DEADLINE

# The moment of a deadline is also the moment its process wakes: that is not late.
LEEWAY_SECONDS = 5.0  # of real time
KINDS = (
    "BeneficiaryLifecycle",
    "AssessDisability",
    "SettleMonth",
    "PayInstructions",
    "ContributionYear",
    "ReviewConclusion",
    "DecideAppeal",
    "ProviderAgreement",
    "VisitExceptions",
    "Inspection",
)


async def tell_overdue(client: Client, clock: Clock) -> None:
    """Puts both counts, by kind of workflow, where the collector reads them."""
    mapping = clock.mapping()
    late = mapping.business_at(clock.real_now() - timedelta(seconds=LEEWAY_SECONDS))
    for kind in KINDS:
        running = f"WorkflowType = '{kind}' and ExecutionStatus = 'Running'"
        overdue = f"{running} and {DEADLINE.name} < '{late.isoformat()}'"
        for gauge, query in (
            (telemetry.WORKFLOWS_RUNNING, running),
            (telemetry.CLOCKS_OVERDUE, overdue),
        ):
            found = await client.count_workflows(query)
            gauge.set(found.count, {"workflow": kind})
