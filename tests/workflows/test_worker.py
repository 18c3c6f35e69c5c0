"""The worker as a program, and what it needs of a full server."""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

from temporalio import workflow
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from infra.embedded.temporal import EmbeddedTemporal
from kernel.clock import REAL_TIME, BusinessClock, Clock
from kernel.rpc import channel
from tests.support.agreements import Agreements
from tests.support.collection import Collection
from tests.support.disputes import DisputeDesk
from tests.support.evidence import EvidenceRoom
from tests.support.inspections import InspectionDesk
from tests.support.postgres import free_port
from tests.support.queue import Queue
from tests.support.temporal import POOL, Town, eventually
from workflows import clock_watch, search_attributes, worker
from workflows.search_attributes import Board, about


async def test_the_program_says_when_it_is_ready_and_ends_in_order(
    dev_server: EmbeddedTemporal, database_url: str, tmp_path: Path
) -> None:
    nobody = {
        f"LTCI_{name}_ADDRESS": f"127.0.0.1:{free_port()}"
        for name in ("ENROLLMENT", "ASSESSMENT", "PROVIDER", "PAYMENT")
    }
    settings = {"LTCI_DATABASE_URL": database_url, "LTCI_TEMPORAL_ADDRESS": dev_server.address}
    with (tmp_path / "log").open("wb") as log:
        program = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "workflows",
            stderr=log,
            env={**os.environ, **settings, **nobody},
        )
    await eventually(_text(tmp_path / "log"), lambda text: '"worker ready"' in text)

    program.send_signal(signal.SIGTERM)

    assert await asyncio.wait_for(program.wait(), 10) == 0
    assert "Traceback" not in (tmp_path / "log").read_text()


@workflow.defn
class Showing:
    """Shows one state after the other, in two runs."""

    @workflow.run
    async def run(self, earlier_runs: int) -> None:
        board = Board("Showing")
        if not earlier_runs:
            board.show("FIRST", waits_for="BANK", deadline=workflow.now())
            workflow.continue_as_new(1)
        board.show("SECOND")
        await workflow.sleep(timedelta(hours=1))


async def test_operators_find_a_case_by_what_it_shows(dev_server: EmbeddedTemporal) -> None:
    client = await Client.connect(dev_server.address)
    await search_attributes.register(client)
    showing = Worker(
        client,
        task_queue="showing",
        workflows=[Showing],
        workflow_runner=UnsandboxedWorkflowRunner(),
    )
    async with showing:
        await client.start_workflow(
            Showing.run, 0, id="showing", task_queue="showing", search_attributes=about(POOL)
        )
        query = f"LtciPool = '{POOL}' and LtciState = 'SECOND' and LtciWaitsFor is null"

        async def found() -> int:
            return (await client.count_workflows(f"{query} and LtciDeadline is null")).count

        await eventually(found, lambda count: count == 1)
        await client.get_workflow_handle("showing").terminate()


@workflow.defn(name="PayInstructions")
class Sleeper:
    """Ends when it is told that the clock was set."""

    def __init__(self) -> None:
        self._told = False

    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: self._told)

    @workflow.signal
    def clock_changed(self) -> None:
        self._told = True


async def test_sleepers_are_told_of_a_clock_set_ahead(dev_server: EmbeddedTemporal) -> None:
    client = await Client.connect(dev_server.address)
    sleeping = Worker(
        client,
        task_queue="sleeping",
        workflows=[Sleeper],
        workflow_runner=UnsandboxedWorkflowRunner(),
    )
    async with sleeping:
        handles = [
            await client.start_workflow(Sleeper.run, id=f"sleeper-{n}", task_queue="sleeping")
            for n in range(3)
        ]

        async def running() -> int:
            return (await client.count_workflows("WorkflowType = 'PayInstructions'")).count

        await eventually(running, lambda count: count == 3)
        await clock_watch.wake_all(client)
        await asyncio.gather(*[handle.result() for handle in handles])


def test_a_clock_runs_ahead_when_it_is_faster_or_shows_more() -> None:
    now = Clock().real_now()
    day = timedelta(days=1)
    fast = BusinessClock(real_origin=now, business_origin=now, speed=10)
    jumped = BusinessClock(real_origin=now, business_origin=now + day)
    stood = BusinessClock(real_origin=now, business_origin=now - day)

    assert clock_watch.runs_ahead(fast, REAL_TIME, Clock())
    assert clock_watch.runs_ahead(jumped, REAL_TIME, Clock())
    assert not clock_watch.runs_ahead(stood, REAL_TIME, Clock())
    assert not clock_watch.runs_ahead(REAL_TIME, REAL_TIME, Clock())


def _text(file: Path) -> Callable[[], Awaitable[str]]:
    async def look() -> str:
        return await asyncio.to_thread(file.read_text)

    return look


async def test_the_town_of_the_tests_answers_whatever_workflows_ask() -> None:
    channels = {name: channel.connect("127.0.0.1:1") for name in ("enrollment", "assessment")}
    channels["payment"] = channels["provider"] = channels["assessment"]

    asked = {_name(one) for one in worker.activities(channels, Clock())}

    desks = (Town, Agreements, Collection, DisputeDesk, InspectionDesk, EvidenceRoom, Queue)
    answered = {_name(member) for desk in desks for member in vars(desk).values()} - {""}
    assert asked == answered


def _name(method: object) -> str:
    definition = getattr(method, "__temporal_activity_definition", None)
    return definition.name or "" if definition else ""
