"""Every process that was ever begun goes on the same way under today's code."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio import workflow
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer

from tests.replay.record import HISTORIES
from workflows.messages import PoolMonth, Settled
from workflows.payloads import DATA_CONVERTER
from workflows.settle_month import SettleMonth
from workflows.worker import WORKFLOWS, sandbox

FILES = sorted(HISTORIES.glob("*.json"))


def history(file: Path) -> WorkflowHistory:
    return WorkflowHistory.from_json(file.stem, file.read_text(encoding="utf-8"))


def kind_of(file: Path) -> str:
    started = json.loads(file.read_text(encoding="utf-8"))["events"][0]
    name: str = started["workflowExecutionStartedEventAttributes"]["workflowType"]["name"]
    return name


def replayer(*workflows: type) -> Replayer:
    return Replayer(workflows=workflows, workflow_runner=sandbox(), data_converter=DATA_CONVERTER)


def test_there_is_a_history_of_every_process() -> None:
    assert {kind_of(file) for file in FILES} == {kind.__name__ for kind in WORKFLOWS}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
async def test_a_kept_history_replays(file: Path) -> None:
    await replayer(*WORKFLOWS).replay_workflow(history(file))


@workflow.defn(name="SettleMonth", sandboxed=False)
class SettleMonthWithPause:
    """The same process with a pause that nobody guarded by `workflow.patched`."""

    @workflow.run
    async def run(self, what: PoolMonth) -> Settled:
        await workflow.sleep(timedelta(days=1))
        return await SettleMonth().run(what)


async def test_a_process_that_was_changed_unguarded_is_found_out() -> None:
    with pytest.raises(workflow.NondeterminismError):
        await replayer(SettleMonthWithPause).replay_workflow(history(HISTORIES / "settled.json"))
