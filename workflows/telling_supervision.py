"""Tells the processes of supervision what happened (监管)."""

from temporalio.client import Client
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from workflows.inspect_flag import InspectFlag
from workflows.inspection import Inspection
from workflows.messages import FlagCase
from workflows.search_attributes import about
from workflows.wakes_supervision import CaseMoved, Flagged, Supervised


async def tell(client: Client, task_queue: str, wake: Supervised) -> None:
    """Starts the process with its news, or tells the one that runs. Twice changes nothing."""
    match wake:
        case Flagged(case=flag):
            await _put_into_case(client, task_queue, wake.workflow_id, flag)
        case CaseMoved(begins=True):
            await client.start_workflow(
                Inspection.run,
                wake.case,
                id=wake.workflow_id,
                task_queue=task_queue,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
                start_signal="progress",
                start_signal_args=[wake.notice],
                search_attributes=about(wake.case.pool),
                static_summary=f"Case in {wake.case.pool}",
                static_details="From the opening to the decision, and to the end of an appeal.",
            )
        case CaseMoved():
            handle = client.get_workflow_handle(wake.workflow_id)
            try:
                await handle.signal("progress", wake.notice)
            except RPCError as error:
                if error.status is not RPCStatusCode.NOT_FOUND:  # it has ended, or looks first
                    raise


async def _put_into_case(client: Client, task_queue: str, workflow_id: str, flag: FlagCase) -> None:
    try:
        await client.start_workflow(
            InspectFlag.run,
            flag,
            id=workflow_id,
            task_queue=task_queue,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
            search_attributes=about(flag.pool),
            static_summary=f"Flag in {flag.pool}",
        )
    except WorkflowAlreadyStartedError:
        return  # it is there already
