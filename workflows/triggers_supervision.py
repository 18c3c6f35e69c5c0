"""What the feeds tell processes of supervision (监管): flags that need a case, cases that move."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ltci.provider.v1 import events_pb2 as provider
from temporalio.client import Client
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from workflows.inspect_flag import InspectFlag
from workflows.inspection import Inspection
from workflows.messages import FactNotice, FlagCase, InspectionCase
from workflows.search_attributes import about


@dataclass(frozen=True)
class Flagged:
    """A detector flagged something: a process puts it into a case."""

    case: FlagCase

    @property
    def workflow_id(self) -> str:
        return f"flag/{self.case.flag}"


@dataclass(frozen=True)
class CaseMoved:
    """A case was opened or moved. One that has ended is begun again where `begins` says so."""

    case: InspectionCase
    notice: FactNotice
    begins: bool = False

    @property
    def workflow_id(self) -> str:
        return f"inspection/{self.case.inspection}"


Supervised = Flagged | CaseMoved


def _flagged(event: provider.RiskFlagged, _notice: FactNotice) -> Supervised:
    return Flagged(FlagCase(event.flag, event.pool))


def _begun(event: Any, notice: FactNotice) -> Supervised:
    return CaseMoved(InspectionCase(event.inspection, event.pool), notice, begins=True)


def _moved(event: Any, notice: FactNotice) -> Supervised:
    return CaseMoved(InspectionCase(event.inspection, event.pool), notice)


READINGS: tuple[tuple[type[Any], Callable[[Any, FactNotice], Supervised]], ...] = (
    (provider.RiskFlagged, _flagged),
    (provider.InspectionOpened, _begun),
    (provider.InspectionNoticed, _moved),
    (provider.StatementFiled, _moved),
    (provider.InspectionDecided, _moved),
    (provider.InspectionAppealed, _begun),  # also one that comes after the case was closed
    (provider.InspectionClosed, _moved),
)


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
