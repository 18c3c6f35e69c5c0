"""Wakes sleeping workflows when the business clock is set to run ahead.

A workflow sleeps for the real time its last reading of the clock gave. Where the clock is made
slower, or stood while the stack was down, it wakes too early and sleeps on. Where it is made
faster, deadlines come sooner than it knows: then every sleeper is told to look again.
"""

import asyncio
import logging
from datetime import timedelta

from temporalio.client import Client
from temporalio.service import RPCError

from kernel.clock import BusinessClock, Clock

LOOK_EVERY = 0.5  # seconds
SLEEPERS = (
    "BeneficiaryLifecycle",
    "AssessDisability",
    "PayInstructions",
    "ContributionYear",
    "ReviewConclusion",
    "DecideAppeal",
    "ProviderAgreement",
    "VisitExceptions",
    "Inspection",
)
TOLD_AT_ONCE = 16
LEEWAY = timedelta(minutes=1)  # of business time: less is no setting but rounding
_log = logging.getLogger(__name__)


def runs_ahead(new: BusinessClock, old: BusinessClock, clock: Clock) -> bool:
    """Whether deadlines come sooner by the new mapping than by the old one."""
    now = clock.real_now()
    return new.speed > old.speed or new.business_at(now) > old.business_at(now) + LEEWAY


async def watch(client: Client, clock: Clock) -> None:
    """Follows the clock until it is cancelled."""
    known = clock.mapping()
    while True:
        await asyncio.sleep(LOOK_EVERY)
        mapping = clock.mapping()
        if mapping != known and runs_ahead(mapping, known, clock):
            _log.info("the business clock was set ahead")
            await wake_all(client)
        known = mapping


async def wake_all(client: Client) -> None:
    """Tells every sleeper that the clock was set; who has ended meanwhile needs no telling."""
    free = asyncio.Semaphore(TOLD_AT_ONCE)

    async def tell(workflow_id: str) -> None:
        async with free:
            try:
                await client.get_workflow_handle(workflow_id).signal("clock_changed")
            except RPCError as error:
                _log.info("not told of the clock: %s", error.status.name)

    names = " or ".join(f"WorkflowType = '{name}'" for name in SLEEPERS)
    async with asyncio.TaskGroup() as group:
        async for found in client.list_workflows(f"ExecutionStatus = 'Running' and ({names})"):
            group.create_task(tell(found.id))
