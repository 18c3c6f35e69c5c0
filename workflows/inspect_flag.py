"""Puts one flag of a detector into a case (风险提示立案).

Which case takes it is the service's to say; this only sees to it that no flag lies without one.
"""

from temporalio import workflow
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from kernel.ids import derive
    from workflows.activities.inspections import FlagStep, InspectionActivities
    from workflows.messages import FlagCase
    from workflows.search_attributes import Board
    from workflows.timing import WRITE, call, refusal_in


@workflow.defn
class InspectFlag:
    """One flag, once. Id `flag/{flag}`."""

    @workflow.run
    async def run(self, asked: FlagCase) -> str:
        """Returns the case; empty where the flag was decided before there was one."""
        board = Board(f"Flag {asked.flag}")
        request_id = derive("workflow", workflow.info().workflow_id, "open")
        try:
            case = await call(
                WRITE,
                InspectionActivities.open_inspection,
                FlagStep(asked.flag, str(request_id)),
            )
        except ActivityError as error:
            workflow.logger.info("no case: %s", refusal_in(error).reason)
            board.show("DECIDED")
            return ""
        board.show("IN_CASE", lines=[case.inspection])
        return case.inspection
